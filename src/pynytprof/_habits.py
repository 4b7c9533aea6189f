"""What people type out of habit: names of console scripts, words of other profilers' command
lines, a profile where a program is expected; and a browser that opens when the run has ended.

Loaded only for a word that is no ``.py`` file, and for ``--open``.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import sys
import time
from importlib.machinery import PathFinder
from types import FrameType

from ._run.messages import complain
from ._run.settings import Settings, SettingsError, output_path
from .options import Target, UsageError, cut

RUN = ("run", "record")
"""Words in front of a program that say what happens anyway."""

READ = {"report": "summary", "stats": "summary", "show": "summary", "view": "html"}

_PYTHON = re.compile(r"python(3(\.\d+)?)?")
_SHEBANG = re.compile(rb"#!\s*(\S+)(?:[ \t]+(?:-S\s+)?(\S+))?")
_LONG_SHEBANG = re.compile(rb"#!/bin/sh\n'''exec' \"?([^\"\n]+?)\"? \"\$0\"")


def meant(own: list[str], target: Target) -> tuple[list[str], Target] | list[str]:
    """The options and the target that are meant; or a reading command and its words.

    What is there wins: a file, a Python script on PATH, then the words above. Raises UsageError
    for what can't be run, where there is a hint to give.
    """
    what = target.what
    if os.path.isfile(what):
        return _reading(own, target, what, []) if _is_profile(what) else (own, target)
    if os.sep in what or _runs_as_folder(what):
        return own, target
    found = shutil.which(what)
    if found and (python := _python_of(found)):
        _warn_of_other(found, python)
        return own, Target("", [found, *target.args])
    if what in RUN or _PYTHON.fullmatch(what):
        return _behind(own, target)
    if what in READ:
        return _reading(own, target, what, [READ[what]])
    if os.path.exists(what):
        return own, target  # Python says what is wrong with it
    if found:
        raise UsageError(f"{found} is no Python script")
    if PathFinder.find_spec(what.partition(".")[0], [os.getcwd(), *sys.path]) is not None:
        raise UsageError(f"there is no script {what}; to run the module: pynytprof -m {what}")
    return own, target


def _is_profile(path: str) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(8) == b"NYTProf "
    except OSError:
        return False


def _runs_as_folder(path: str) -> bool:
    return any(os.path.exists(os.path.join(path, f"__main__.{end}")) for end in ("py", "pyc"))


def _python_of(path: str) -> str:
    """The interpreter that a script asks for; nothing: it is none in Python."""
    try:
        with open(path, "rb") as file:
            head = file.read(512)
    except OSError:
        return ""
    found = _LONG_SHEBANG.match(head) or _SHEBANG.match(head)
    if found is None:
        return ""
    python = os.fsdecode(found[1])
    if os.path.basename(python) == "env":
        python = os.fsdecode(found[2] or b"")
    return python if "python" in os.path.basename(python) else ""


def _warn_of_other(what: str, python: str) -> None:
    """A script of another environment may find its packages missing here."""
    path = shutil.which(python) or python
    prefix = os.path.dirname(os.path.realpath(os.path.dirname(path)))
    if prefix != os.path.realpath(sys.prefix):
        complain(f"{what} is a script of {path}; it runs with {sys.executable} here")


def _behind(own: list[str], target: Target) -> tuple[list[str], Target] | list[str]:
    """``run`` and ``python`` are left out."""
    more, inner = cut(target.words[1:])
    if _PYTHON.fullmatch(target.what) and (more or inner is None):
        raise UsageError(
            f"leave {target.what} out: pynytprof SCRIPT; flags of Python's own stand before -m: "
            f"{target.what} -X dev -m pynytprof SCRIPT"
        )
    if inner is None:
        raise UsageError("there is nothing to run: give a script, -m MODULE, -c CODE or -")
    plain = not inner.kind and not inner.what.endswith(".py")
    return meant([*own, *more], inner) if plain else ([*own, *more], inner)


def _reading(own: list[str], target: Target, what: str, command: list[str]) -> list[str]:
    if own:
        raise UsageError(f"{what} shows a profile; {own[0]} belongs to a run")
    return [*command, *(target.args if command else target.words)]


# ---- --open ----


def open_afterwards(settings: Settings) -> None:
    """Returns in a child process alone, which is to run the program. This one waits for it,
    opens the page, and ends as the program did."""
    if settings.addtimestamp:
        raise SettingsError("--open can't know the profile's name with addtimestamp")
    before = _state(output_path(settings, 0, 0.0)) if not settings.addpid else None
    child = os.fork()
    if not child:
        return
    status = _wait(child)
    path = output_path(settings, child, time.time())
    if _state(path) in (None, before):
        complain("there is no new profile to open")
    else:
        from . import _cread

        _cread.run(["html", path, "--open"])
    _end_as(status)


def _state(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


def _wait(child: int) -> int:
    """The wait status of ``child``, which gets the signals that are meant for it."""

    def hand_on(number: int, frame: FrameType | None) -> None:
        os.kill(child, number)

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal sends it to both
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, hand_on)
    return os.waitpid(child, 0)[1]


def _end_as(status: int) -> None:
    if os.WIFSIGNALED(status):
        signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    raise SystemExit(os.waitstatus_to_exitcode(status))
