"""A run of several processes: who writes which file, how new interpreters come to be profiled,
and one profile of all.

The first process writes FILE, every other one FILE.PID. A part, as we call those, has an
attribute that names the run, by which those of other runs are told apart.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from . import handover
from .settings import Settings

if TYPE_CHECKING:
    from types import FrameType

RUN_ATTRIBUTE = "run"
SNAPSHOT_NOTE = "Snapshot: the program was still running"

_HEAD_BYTES = 1 << 14
"""A profile's comments and attributes are plain text, and within so many bytes."""


_LONGEST_STEM = 255 - len(".4194304-999999.tmp")
_STALE_SECONDS = 60
"""Another machine's process may write into the same folder, under a number that is free here."""


class Origin(NamedTuple):
    """How the run began: in the process ``pid``, which writes ``file``; the files of others are
    ``base`` and their numbers. Absolute paths."""

    base: str
    file: str
    run: str
    pid: int


# ---- Files ----


def _head(path: str) -> bytes:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.read(_HEAD_BYTES)
    except OSError:
        return b""


def _is_part(path: str, run: str) -> bool:
    return f"\n:{RUN_ATTRIBUTE}={run}\n".encode() in _head(path)


def part_name(base: str, pid: int, run: str) -> str:
    """The file of process ``pid``. One that has it already in this run, because numbers come
    again and a process may become another program, keeps it."""
    path, n = f"{base}.{pid}", 1
    while _is_part(path, run):
        n += 1
        path = f"{base}.{pid}.{n}"
    return path


def _parts(origin: Origin) -> Iterator[tuple[str, int]]:
    """(path, process) of the run's parts."""
    form = re.compile(re.escape(origin.base) + r"\.(\d+)(?:\.\d+)?")
    for path in sorted(glob.glob(glob.escape(origin.base) + ".*")):
        match = form.fullmatch(path)
        if match and _is_part(path, origin.run):
            yield path, int(match[1])


def temporary_stem(path: str) -> str:
    """What the names of new files begin with that are to replace ``path``; a process and
    ``.tmp`` follow. Beside ``path``, and like it if there is room in a name for that."""
    folder, name = os.path.split(path)
    return path if len(os.fsencode(name)) <= _LONGEST_STEM else os.path.join(folder, ".nytprof")


def clear_temporaries(path: str, age: float = _STALE_SECONDS) -> None:
    """Removes what processes that have been killed were writing, for this file or its parts,
    and have not touched for ``age`` seconds."""
    stem = temporary_stem(path)
    form = re.compile(re.escape(stem) + r"(?:\.\d+)*\.(\d+)(?:-\d+)?\.tmp")
    for found in glob.glob(glob.escape(stem) + ".*.tmp"):
        match = form.fullmatch(found)
        with contextlib.suppress(OSError):
            old = time.time() - os.stat(found).st_mtime > age
            if match and old and not _is_running(int(match[1])):
                os.unlink(found)


# ---- Forks ----


def only_execs(caller: FrameType | None) -> bool:
    """Whether a fork for which ``caller`` is responsible is :mod:`subprocess`'s own: its child
    runs ``preexec_fn`` and then another program."""
    return (
        caller is not None
        and caller.f_code.co_name == "_execute_child"
        and caller.f_globals.get("__name__") == "subprocess"
    )


# ---- New interpreters ----

_changed: dict[str, tuple[str | None, str]] = {}
"""Variables: what they were, and what they are now."""


def pass_on(settings: Settings, origin: Origin) -> None:
    """From now on Pythons that this process starts are profiled, too, by a session in Python.

    Where the environment is not handed on, or our start file not found, nothing happens.
    """
    told = {"settings": settings.items(), "origin": origin}
    new = {handover.VARIABLE: handover.to_text([("python", json.dumps(told))])}
    folder = handover.start_folder()
    path = os.environ.get("PYTHONPATH")
    if folder and folder not in (path or "").split(os.pathsep):
        new["PYTHONPATH"] = folder if path is None else folder + os.pathsep + path
    for name, value in new.items():
        old = _changed[name][0] if name in _changed else os.environ.get(name)
        _changed[name] = (old, value)
        os.environ[name] = value


def pass_on_no_more() -> None:
    """Undoes :func:`pass_on`, if the program has not changed the variables meanwhile."""
    for name, (old, ours) in _changed.items():
        if os.environ.get(name) != ours:
            continue
        if old is None:
            del os.environ[name]
        else:
            os.environ[name] = old
    _changed.clear()


# ---- One profile of all ----


def _is_running(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except (OSError, IndexError):
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return not os.path.isdir("/proc/self")


def merge(origin: Origin, settings: Settings, complain: Callable[[str], Any]) -> None:
    """Adds the run's parts to its first file, and takes them away if all that is in them
    is there. What a process is still writing is left to it. Nothing is raised."""
    whole: list[str] = []
    for path, pid in _parts(origin):
        if f"\n#{SNAPSHOT_NOTE}".encode() in _head(path) and _is_running(pid):
            complain(f"process {pid} is still running: its profile stays in {path}")
        else:
            whole.append(path)
    if not whole:
        return
    try:
        from .. import convert  # large: only who merges needs it

        done = convert.merge([origin.file, *whole], origin.file, compress=settings.compress)
    except Exception as error:
        complain(f"the profiles of {len(whole) + 1} processes could not be made one: {error}")
        return
    for note in done.notes:
        if note.lossy:
            complain(f"{note.path or origin.file}: {note.text}")
    if done.complete and settings.merge != "keep":
        for path in whole:
            clear_temporaries(path, age=0)
            try:
                os.unlink(path)
            except OSError as error:
                complain(f"{path} is in {origin.file}, but can't be removed: {error.strerror}")
