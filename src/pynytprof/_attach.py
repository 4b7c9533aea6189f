"""``pynytprof attach``: profiles a program that runs already, on CPython 3.14 and later.

``sys.remote_exec`` has the process load ``pynytprof._ctrace``, which makes a session that takes
orders (_control.py). Profiling begins and ends by such orders: so no frame of ours is open then.
At the end the process gives back what it can: see PREPARE and CLEAN_UP, which run there.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from . import _control, options
from ._control import ControlError
from ._run import handover, settings
from ._run.messages import complain

__all__ = ["main"]

USAGE = """\
usage: pynytprof attach PID [--duration SECONDS] [--wait SECONDS] [options of a run]

Profiles a program that runs already, until Ctrl-C or for so many seconds, and lets go of it. Both
Pythons must be CPython 3.14 or later, of the same minor version; the process must be of the same
user, and the system must allow it to be traced (kernel.yama.ptrace_scope 0, or root). A process
that waits answers when it next runs Python code: it is waited for.
With an older Python start the program under pynytprof with the setting start=no; then: pynytprof
ctl PID resume.

  --duration SECONDS       let go of it then; else at Ctrl-C
  --wait SECONDS           how long a process that waits is waited for (60)
  -o, --file FILE          the profile (nytprof.out)
  -h, --help               show this text
"""

NAME = "pynytprof._ctrace"

# Python's own machinery, which is loaded anyway: nothing is imported in a folder of the
# program's, nor stays. What the program has loaded itself serves.
PREPARE = """\
def prepare():
    import sys
    machinery, loaders = sys.modules["_frozen_importlib"], sys.modules["_frozen_importlib_external"]
    there = {name!r} in sys.modules
    try:
        if not there:
            loader = loaders.ExtensionFileLoader({name!r}, {path!r})
            spec = machinery.ModuleSpec({name!r}, loader, origin={path!r})
            module = machinery.module_from_spec(spec)
            loader.exec_module(module)
            sys.modules[{name!r}] = module
        module = sys.modules[{name!r}]
        if module.active_session() is not None or module.session_of_program() is not None:
            raise RuntimeError("it is being profiled already")
        module.Session({settings!r}).await_orders()
        return "ok: " + str(there)
    except BaseException as error:
        if not there:
            module = sys.modules.pop({name!r}, None)
            if module is not None:
                module.end_orders()
        return "error: " + (str(error) or type(error).__name__)
"""

CLEAN_UP = """\
def clean_up():
    import sys
    module = sys.modules[{name!r}] if {there} else sys.modules.pop({name!r})
    module.end_orders()
    return "ok: "
"""

_ANSWER = """
def answer(text):
    import posix
    file = posix.open({path!r} + ".new", posix.O_WRONLY | posix.O_CREAT | posix.O_EXCL, 0o600)
    posix.write(file, text.encode("utf-8", "replace"))
    posix.close(file)
    posix.rename({path!r} + ".new", {path!r})
answer({function}())
"""


class Remote:
    """A running Python that executes what it is given."""

    def __init__(self, pid: int, folder: Path, patience: float) -> None:
        self.pid = pid
        self._folder = folder
        self._patience = patience
        self._scripts = 0
        self._process = os.pidfd_open(pid)

    def close(self) -> None:
        """Lets go of it."""
        os.close(self._process)

    def has_ended(self, within: float) -> bool:
        """Whether it ends within so many seconds."""
        return bool(select.select([self._process], [], [], max(within, 0))[0])

    def run(self, text: str, function: str) -> str:
        """What ``function`` of that text returns there, behind "ok: ". Raises ControlError."""
        self._scripts += 1
        script = self._folder / f"{self._scripts}.py"
        answer = self._folder / f"{self._scripts}.answer"
        script.write_text(text + _ANSWER.format(path=str(answer), function=function))
        try:
            self._give(str(script))
            self._wait_for(answer)
        except BaseException:
            self._withdraw()
            if not answer.exists():
                raise
        how, _, what = answer.read_text(errors="replace").partition(": ")
        if how != "ok":
            raise ControlError(f"process {self.pid} can't be profiled: {what}")
        return what

    def _give(self, script: str) -> None:
        remote_exec: Callable[[int, str], None] = sys.remote_exec  # type: ignore[attr-defined,unused-ignore]
        try:
            remote_exec(self.pid, script)
        except (OSError, RuntimeError) as error:
            reasons = [str(error)]
            if error.__cause__ is not None:
                reasons.append(str(error.__cause__))
            raise ControlError(
                f"can't attach to process {self.pid}: {': '.join(reasons)}"
            ) from None

    def _withdraw(self) -> None:
        """What it has not executed yet it finds empty."""
        with contextlib.suppress(ControlError):
            self._give(os.devnull)

    def _wait_for(self, answer: Path) -> None:
        began, told = time.monotonic(), False
        while not answer.exists():
            waited = time.monotonic() - began
            if self.has_ended(0.005):
                raise ControlError(f"process {self.pid} has ended")
            if waited > self._patience:
                raise ControlError(
                    f"process {self.pid} has run no Python code in its main thread for "
                    f"{self._patience:g} s; it is left as it was"
                )
            if waited > 1 and not told:
                told = True
                complain(f"waiting until process {self.pid} runs Python code")


@contextlib.contextmanager
def _remote(pid: int, patience: float) -> Iterator[Remote]:
    with tempfile.TemporaryDirectory(prefix="pynytprof-") as folder:
        try:
            remote = Remote(pid, Path(folder), patience)
        except OSError:
            raise ControlError(f"there is no process {pid}") from None
        try:
            yield remote
        finally:
            remote.close()


def _refuse(pid: int) -> None:
    """Raises ControlError for what can be seen to be impossible."""
    try:
        owner = os.stat(f"/proc/{pid}").st_uid
    except OSError:
        raise ControlError(f"there is no process {pid}") from None
    if owner != os.geteuid():
        raise ControlError(f"process {pid} belongs to another user")
    if pid in dict(_control.profiled()):
        raise ControlError(f"process {pid} is profiled already: see pynytprof ctl")


def _application(pid: int) -> str:
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return os.fsdecode(b" ".join(words[1:])).strip() or f"process {pid}"


def _attach(remote: Remote, how: settings.Settings, duration: float | None) -> None:
    found = importlib.util.find_spec(NAME)
    if found is None or found.origin is None:
        raise ControlError("attach needs the tracer in C")
    text = handover.text_of(
        how, application=_application(remote.pid), pid=remote.pid, now=time.time()
    )
    values = {"name": NAME, "path": found.origin, "settings": os.fsencode(text)}
    there = remote.run(PREPARE.format(**values), "prepare")
    try:
        _control.order(remote.pid, "resume")
        if duration is None:
            complain(f"process {remote.pid} is being profiled; Ctrl-C ends that")
        _pass_time(remote, duration)
        if not remote.has_ended(0):
            _control.order(remote.pid, "finish")
    finally:
        if not remote.has_ended(0):
            remote.run(CLEAN_UP.format(name=NAME, there=there), "clean_up")


def _pass_time(remote: Remote, duration: float | None) -> None:
    """Until then, Ctrl-C or the end of the process."""
    until = None if duration is None else time.monotonic() + duration
    with contextlib.suppress(KeyboardInterrupt):
        while until is None or time.monotonic() < until:
            left = 1.0 if until is None else until - time.monotonic()
            if remote.has_ended(min(left, 1.0)):
                return


# ---- Words ----


def _seconds(word: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1
    if not 0 <= number < 1e7:
        raise options.UsageError(f"{word} takes seconds")
    return number


def _own(words: list[str]) -> tuple[dict[str, float], list[str]]:
    """The options of this command alone, and the others."""
    found: dict[str, float] = {}
    rest, left = [], list(reversed(words))
    while left:
        word = left.pop()
        name, equals, value = word.partition("=")
        if name in ("--duration", "--wait"):
            if not equals and not left:
                raise options.UsageError(f"{name} takes seconds")
            found[name[2:]] = _seconds(name, value if equals else left.pop())
        else:
            rest.append(word)
    return found, rest


def _read(words: list[str]) -> tuple[int, dict[str, float], settings.Settings]:
    own, rest = _own(words)
    if rest and rest[0].isdigit():
        pid, rest = rest[0], rest[1:]
    elif rest and rest[-1].isdigit():
        pid, rest = rest[-1], rest[:-1]
    else:
        raise options.UsageError("the number of a process is wanted: pynytprof attach PID")
    values = options.read(rest)
    if values is None:
        raise options.UsageError("see pynytprof help attach")
    given: dict[str, Any] = {}
    for assignment in values.pop("set", []):
        key, value = settings.parse_assignment(assignment, "--set")
        given[key] = value
    given.update((key, value) for key, value in values.items() if key in settings.KEYS)
    how = settings.settle(given)
    path = os.path.abspath(settings.output_path(how, int(pid), time.time()))
    return (
        int(pid),
        own,
        how.replace(file=path, addpid=False, addtimestamp=False, sourcecache=False),
    )


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def main(words: list[str]) -> int:
    """``pynytprof attach``; returns the exit status."""
    if words and words[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0
    try:
        pid, own, how = _read(words)
    except (options.UsageError, settings.SettingsError) as error:
        complain(str(error))
        return 2
    if not hasattr(sys, "remote_exec"):
        complain(
            "attach needs CPython 3.14 or later, here and in the process; this is "
            f"{sys.version.split()[0]}. Start the program as: pynytprof --start no SCRIPT; then: "
            f"pynytprof ctl PID resume"
        )
        return 2
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        _refuse(pid)
        with _remote(pid, own.get("wait", 60.0)) as remote:
            _attach(remote, how, own.get("duration"))
    except ControlError as error:
        complain(str(error))
        return 1
    except KeyboardInterrupt:
        complain("interrupted before profiling began")
        return 1
    complain(f"profile written to {how.file}; to read it: nytprof {how.file}")
    return 0
