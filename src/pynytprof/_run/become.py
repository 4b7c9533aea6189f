"""How ``pynytprof TARGET ARGS`` becomes ``python TARGET ARGS``.

The interpreter that was started for the command runs the target instead, where that can be
(ext/session/instead.c); else the same one is executed anew, with its own flags. It runs the
program as it always does: so argv, orig_argv, ``-m``, zip files, tracebacks and exit status are
Python's own. A line in ``pynytprof.pth`` (or a ``sitecustomize`` of ours, where that is not
installed) finds in the environment what is to be done, and has the extension wait for ``__main__``.
"""

from __future__ import annotations

import os
import sys
import time

from . import handover, messages
from .settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..options import Target

_PATH = "PYTHONPATH"


def python(target: Target, settings: Settings, *, quiet: bool) -> None:
    """Becomes Python with ``target``. Returns where that can't be done; why is told with
    PYNYTPROF_DEBUG."""
    reason = _hindrance(settings)
    if not reason:
        words = _python_words(target)
        if target.kind == "-":
            _keep_input()
        reason = _execute([*own_flags(), *words], _text(target, settings, quiet))
    messages.say_if_wanted(f"the program runs in pynytprof's own process: {reason}")


def instead(target: Target, settings: Settings, *, quiet: bool) -> bool:
    """The same without a new interpreter: this one, which has not begun, runs ``target``. What is
    to be done stands in the environment. False: that can't be."""
    if _other_hindrance(settings) or not _is_our_script(sys.argv[0]):
        return False
    from .. import _ctrace

    handover.site_finds_us()
    text = _text(target, settings, quiet)
    orig_argv = [sys.orig_argv[0], *own_flags(), *_python_words(target)]
    what, argv = target.what, [target.kind or target.what, *target.args]
    if not target.kind:
        what = os.path.join(os.getcwd(), what)
    elif target.kind == "-c":
        what += "\n"
    os.environ[handover.VARIABLE] = text
    try:
        done = _ctrace.run_instead(target.kind, what, argv, orig_argv)
    except BaseException:
        done = False
    if not done:
        del os.environ[handover.VARIABLE]
    return done


def _is_our_script(path: str) -> bool:
    """Whether a script of our name is ours: it may be a program of the user's."""
    if path == "-m":
        return True
    with open(path, "rb") as file:
        return b"from pynytprof." in file.read(4096)


def _python_words(target: Target) -> list[str]:
    """What Python is told so that it runs the target."""
    odd = not target.kind and target.what.startswith("-")
    return ["--", *target.words] if odd else target.words


def _hindrance(settings: Settings) -> str:
    """Why a new interpreter would not be what this one is, or would not find us."""
    if sys.flags.no_site:
        return "-S"
    if reason := _other_hindrance(settings):
        return reason
    if handover.start_folder() and (sys.flags.isolated or sys.flags.ignore_environment):
        return "-I or -E, and no pynytprof.pth"
    if not _is_itself(sys.executable):
        return f"{sys.executable or 'no executable'} is not this Python"
    try:
        from .. import _ctrace  # noqa: F401
    except ImportError as error:
        return f"no C tracer: {error}"
    return ""


def _other_hindrance(settings: Settings) -> str:
    """Why what runs the program has to be in Python."""
    for variable in ("PYNYTPROF_TRACER", "PYNYTPROF_WRITER"):
        if os.environ.get(variable, "") not in ("", "c"):
            return f"{variable}={os.environ[variable]}"
    if settings.use_db_sub and sys.version_info >= (3, 12):
        return "use_db_sub"
    return ""


def _keep_input() -> None:
    """A program that comes through a pipe is read to its end before it runs, so that its text can
    be in the profile; what has been read stands in a file then, which Python reads instead."""
    import stat

    try:
        mode = os.fstat(0).st_mode
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
            return
        copy = os.memfd_create("stdin")
        while chunk := os.read(0, 1 << 16):
            os.write(copy, chunk)
        os.lseek(copy, 0, os.SEEK_SET)
        os.dup2(copy, 0)
    except (OSError, AttributeError):
        pass  # Python reads it itself, and its text is not known


def _is_itself(executable: str | None) -> bool:
    """Whether that is the program that runs now, and no wrapper around it."""
    try:
        return os.path.samefile(executable or "", "/proc/self/exe")
    except OSError:
        return False


def own_flags() -> list[str]:
    """The interpreter's flags: what stands before ``-m pynytprof``, or before the script."""
    words = sys.orig_argv[: len(sys.orig_argv) - len(sys.argv) + 1]
    if sys.argv and words[-1:] == [sys.argv[0]]:
        return words[1:-1]
    name = words.pop()
    last = words.pop() if len(words) > 1 and _ends_with_m(words[-1]) else None
    if last is None:  # -mpynytprof
        last = name[: name.rfind("pynytprof")]
    last = last[:-1]
    return [*words[1:], *([last] if len(last) > 1 else [])]


def _ends_with_m(word: str) -> bool:
    return word.startswith("-") and not word.startswith("--") and word.endswith("m")


def _application(target: Target) -> str:
    return {"-c": "-c", "-": "(stdin)"}.get(target.kind, target.what)


def _text(target: Target, settings: Settings, quiet: bool) -> str:
    if target.kind == "-m" or not (target.kind or target.what.endswith(".py")):
        # runpy is there only to run the program
        runpy = os.path.join(os.path.dirname(os.__file__), "runpy.py")
        globs = ("<frozen runpy>", _literally(runpy))
        settings = settings.replace(exclude=(*settings.exclude, *globs))
    application, pid = _application(target), os.getpid()
    text = handover.text_of(settings, application=application, pid=pid, now=time.time())
    pairs = [("once", "1"), ("quiet", str(int(quiet)))]
    if handover.start_folder():
        before = os.environ.get(_PATH)
        pairs.append(("path_was", "" if before is None else "=" + before))
    return text + handover.origin_of(os.environ, settings.file) + handover.to_text(pairs)


def _literally(path: str) -> str:
    return "".join(f"[{char}]" if char in "*?[" else char for char in path)


def _execute(words: Sequence[str], text: str) -> str:
    folder = handover.start_folder()
    environment = dict(os.environ)
    environment[handover.VARIABLE] = text
    if folder:
        before = environment.get(_PATH)
        environment[_PATH] = folder if before is None else folder + os.pathsep + before
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    try:
        os.execve(sys.executable, [sys.orig_argv[0], *words], environment)
    except OSError as error:
        return f"{sys.executable}: {error.strerror}"
    raise AssertionError("exec has returned")
