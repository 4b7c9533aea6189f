"""Running a program as Python would: the target as the real ``__main__``.

A target is prepared (found, read, compiled; ``sys.argv``, ``sys.path`` and ``__main__`` set up)
and then executed. What it raises leaves through the interpreter's own exit, with our frames
taken out of the traceback, so that messages and exit status are Python's.
"""

from __future__ import annotations

import contextlib
import glob
import importlib.machinery
import io
import itertools
import linecache
import marshal
import os
import runpy
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from importlib.util import MAGIC_NUMBER
from pkgutil import get_importer
from typing import Any

from .._pure.paths import PACKAGE_PREFIX, working_folder


class TargetError(Exception):
    """The target can't be run. The message is Python's own; ``status`` its exit status."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class Target:
    """A program to run with ``args``. ``application`` is what reports call it."""

    application: str
    sources: Mapping[str, str]
    """The texts of code objects that come from no file, by ``co_filename``."""
    exclude: tuple[str, ...] = ()
    """Patterns for files that are only there to run the target."""

    def __init__(self, args: list[str]) -> None:
        self.args = args
        self.sources = {}

    def as_main(self) -> contextlib.AbstractContextManager[None]:
        """Puts ``sys.argv``, ``sys.path`` and ``__main__`` back at the end."""
        return as_main()

    def prepare(self) -> None:
        """Makes ready all but the running. Raises TargetError, SyntaxError, OSError."""
        raise NotImplementedError

    def execute(self) -> None:
        """Runs the target; what it raises comes through."""
        raise NotImplementedError


class _CodeTarget(Target):
    """A target that is one code object, run in ``__main__``."""

    _code: types.CodeType
    _globals: dict[str, Any]

    def execute(self) -> None:
        exec(self._code, self._globals)


class Script(Target):
    """A file with source or bytecode; or a folder or zip file with a ``__main__`` module."""

    def __init__(self, path: str, args: list[str]) -> None:
        super().__init__(args)
        self.application = path
        self._path = path
        self._run: Callable[[], None]

    def prepare(self) -> None:
        if self._is_container():
            self._prepare_container()
        else:
            self._prepare_file()

    def execute(self) -> None:
        self._run()

    def _is_container(self) -> bool:
        return get_importer(self._path) is not None

    def _prepare_container(self) -> None:
        path = os.path.abspath(self._path)
        new_main()
        sys.argv = [self._path, *self.args]
        drop_own_path()
        sys.path.insert(0, path)
        self.exclude = _runpy_files()
        self._run = _main_runner("__main__", alter_argv=False)

    def _prepare_file(self) -> None:
        # Not normalised: Python doesn't either.
        path = os.path.join(working_folder(), self._path)
        try:
            with io.open_code(path) as file:
                raw = file.read()
        except OSError as error:
            program = sys.orig_argv[0] if sys.orig_argv else sys.executable
            raise TargetError(
                f"{program}: can't open file {path!r}: [Errno {error.errno}] {error.strerror}", 2
            ) from None
        module = new_main()
        sys.argv = [self._path, *self.args]
        set_own_path(_script_folder(self._path))
        loader: Any = importlib.machinery.SourceFileLoader("__main__", path)
        if path.endswith(".pyc"):
            loader = importlib.machinery.SourcelessFileLoader("__main__", path)
        _name_file(module, path)
        module.__dict__["__loader__"] = loader
        code = _code_of_file(raw, path)
        self._run = lambda: exec(code, module.__dict__)


class Module(Target):
    """``-m``: a module, or a package's ``__main__``."""

    def __init__(self, name: str, args: list[str]) -> None:
        super().__init__(args)
        self.application = name
        self._name = name

    def prepare(self) -> None:
        new_main()
        sys.argv = ["-m", *self.args]
        set_own_path(working_folder())
        self.exclude = _runpy_files()
        self._run = _main_runner(self._name, alter_argv=True)

    def execute(self) -> None:
        self._run()


class Code(_CodeTarget):
    """``-c``: a text."""

    application = "-c"

    def __init__(self, text: str, args: list[str]) -> None:
        super().__init__(args)
        self._text = text
        self.sources = {"<string>": text}

    def prepare(self) -> None:
        module = new_main()
        sys.argv = ["-c", *self.args]
        set_own_path("")
        if sys.version_info >= (3, 13):
            # Python shows lines of this text in tracebacks since then.
            lines = [line + "\n" for line in self._text.splitlines()]
            linecache.cache["<string>"] = (len(self._text), None, lines, "<string>")
        self._globals = module.__dict__
        self._code = compile(self._text, "<string>", "exec", dont_inherit=True)


class Stdin(_CodeTarget):
    """``-``: what comes from standard input, read to its end before it runs."""

    application = "(stdin)"

    def prepare(self) -> None:
        from .._pure.source import decode_source

        raw = sys.stdin.buffer.read()
        module = new_main()
        sys.argv = ["-", *self.args]
        set_own_path("")
        _name_file(module, "<stdin>")
        self.sources = {"<stdin>": decode_source(raw)}
        self._globals = module.__dict__
        self._code = compile(raw, "<stdin>", "exec", dont_inherit=True)


# ---- What the interpreter sets up before it runs a program ----

_kept: list[types.ModuleType] = []


def new_main() -> types.ModuleType:
    """A fresh ``__main__`` as the interpreter makes it."""
    old = sys.modules.get("__main__")
    if old is not None:
        _kept.append(old)  # our own functions may live there
    module = types.ModuleType("__main__")
    module.__dict__.update(
        __builtins__=sys.modules["builtins"],
        __loader__=importlib.machinery.BuiltinImporter,
    )
    if sys.version_info < (3, 14):
        module.__dict__.update(__annotations__={})
    sys.modules["__main__"] = module
    return module


def _name_file(module: types.ModuleType, path: str) -> None:
    """Sets what tells that the main module comes from ``path``."""
    module.__dict__["__file__"] = path
    if sys.version_info < (3, 15):
        module.__dict__["__cached__"] = None


def _has_own_path() -> bool:
    """Whether Python put the program's folder in front of ``sys.path`` (no ``-P``, ``-I``)."""
    return not (sys.flags.isolated or getattr(sys.flags, "safe_path", False))


def drop_own_path() -> None:
    """Takes the folder of the program that runs now out of ``sys.path``."""
    if _has_own_path() and sys.path:
        del sys.path[0]


def set_own_path(folder: str) -> None:
    """Puts the target's folder where the interpreter would have put it."""
    if _has_own_path():
        sys.path[0:1] = [folder]


def _script_folder(path: str) -> str:
    """The folder of a script; of what it points to, if it is a symbolic link."""
    with contextlib.suppress(OSError):
        path = os.path.join(os.path.dirname(path), os.readlink(path))
    return os.path.dirname(os.path.realpath(path))


def _code_of_file(raw: bytes, path: str) -> types.CodeType:
    if raw[:4] == MAGIC_NUMBER:
        code = marshal.loads(raw[16:])
        assert isinstance(code, types.CodeType)
        return code
    return compile(raw, path, "exec", dont_inherit=True)


def _runpy_files() -> tuple[str, ...]:
    """``runpy`` runs modules for us and is no part of the target."""
    return ("<frozen runpy>", glob.escape(os.path.abspath(runpy.__file__)))


def _main_runner(name: str, alter_argv: bool) -> Callable[[], None]:
    """What ``python -m`` itself calls; so messages and tracebacks are the same."""
    run = vars(runpy)["_run_module_as_main"]
    return lambda: run(name, alter_argv)


@contextlib.contextmanager
def as_main() -> Iterator[None]:
    """Puts ``sys.argv``, ``sys.path`` and ``__main__`` back at the end."""
    argv, path, main = sys.argv, sys.path[:], sys.modules.get("__main__")
    try:
        yield
    finally:
        sys.argv, sys.path[:] = argv, path
        if main is not None:
            sys.modules["__main__"] = main


# ---- How a program ends ----


def leave_with(error: BaseException) -> None:
    """Arranges that Python, when ``error`` reaches it, tells of it as if we were not there."""
    traceback = _without_us(error.__traceback__)
    hook = sys.excepthook

    def show(
        kind: type[BaseException], value: BaseException, _: types.TracebackType | None
    ) -> None:
        sys.excepthook = hook
        value.__traceback__ = traceback
        sys.last_traceback = traceback
        hook(kind, value, traceback)

    sys.excepthook = show


def _without_us(traceback: types.TracebackType | None) -> types.TracebackType | None:
    """``traceback`` from where the target begins, and without the tracer's hooks.

    A hook stands in it if the signal that raised the exception came while the hook ran; then
    CPython has put the frame that the hook was called for there once more.
    """
    entries = []
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    first = next((i for i, e in enumerate(entries) if _is_ours(e)), 0)
    shown: list[types.TracebackType] = []
    for entry in itertools.dropwhile(_is_ours, entries[first:]):
        if not _is_ours(entry):
            shown.append(entry)
        elif len(shown) > 1 and shown[-1].tb_frame is shown[-2].tb_frame:
            shown.pop()
    result = None
    for entry in reversed(shown):
        result = types.TracebackType(result, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return result


def _is_ours(entry: types.TracebackType) -> bool:
    return entry.tb_frame.f_code.co_filename.startswith(PACKAGE_PREFIX)
