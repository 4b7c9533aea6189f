"""Profiles as Python objects.

    profile = read("nytprof.out")
    for line in sorted(profile.lines, key=lambda line: line.time, reverse=True)[:10]:
        print(profile.files[line.fid].name, line.line, line.count, line.time)

Any NYTProf v5 file will do, Perl's as well. All times are seconds unless they are said to be
ticks, of which ``Header.ticks_per_sec`` make a second.
"""

from __future__ import annotations

import enum
import os
from dataclasses import dataclass, field

from . import _cread
from ._cread import ProfileError

__all__ = [
    "Call",
    "File",
    "Header",
    "Line",
    "Node",
    "Process",
    "Profile",
    "ProfileError",
    "Sub",
    "SubKind",
    "read",
]

StrPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]


@dataclass(frozen=True, slots=True)
class Header:
    """What holds for the whole file."""

    major: int
    """Version of the file format, 5, and"""
    minor: int
    records: int
    """How many could be read, the banner included."""
    size: int
    """Of the file in bytes, as far as it was read."""
    inflated: int
    """Bytes in the compressed part; 0: not compressed."""
    ticks_per_sec: int
    """0: none was given, and all times are infinite."""
    complete: bool
    """Read to the end, and every process ended."""
    timed: bool
    """A process ended, and the next four are known."""
    start: float
    """Seconds since the epoch, of the last process; also"""
    end: float
    duration: float
    """Of all processes together."""
    active: float
    """The same less what the profiler itself took."""
    statements: int
    """Time records."""
    discounted: int
    """So many of them did not count."""
    statement_time: float
    calls: int
    blocks: bool
    """There are figures by block and by sub, too."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process, or in our own profiles a thread."""

    pid: int
    parent: int
    started: bool
    ended: bool
    start: float
    """Seconds since the epoch."""
    end: float


@dataclass(frozen=True, slots=True)
class File:
    """A file, or the text of a string eval."""

    fid: int
    name: str
    eval_fid: int
    """Of an eval: the fid that ran it, else 0, and"""
    eval_line: int
    flags: int
    size: int
    mtime: int
    is_eval: bool
    merged_into: int
    """The fid of the eval of equal text that this one's figures were added to, or 0."""
    source: dict[int, str] = field(repr=False)
    """Text by line number, as far as it is in the file."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that was run."""

    fid: int
    line: int
    count: int
    ticks: int
    time: float


class SubKind(enum.IntEnum):
    """What a sub is written in."""

    CODE = 0
    """The profiled language."""
    XSUB = 1
    """C."""
    OPCODE = 2
    """Built into Perl."""


@dataclass(frozen=True, slots=True)
class Sub:
    """A sub, called or not."""

    name: str
    fid: int
    """0: unknown."""
    first: int | None
    """Line range; None: unknown."""
    last: int | None
    calls: int
    incl: float
    """Inclusive time of outermost activations."""
    excl: float
    reci: float
    """Inclusive time of activations inside another one."""
    depth: int
    """The most activations found below one."""
    kind: SubKind


@dataclass(frozen=True, slots=True)
class Call:
    """All calls of one sub from one line."""

    called: str
    fid: int
    line: int
    count: int
    incl: float
    excl: float
    reci: float
    depth: int
    by: tuple[str, ...]
    """The subs that this line belongs to."""


@dataclass(frozen=True, slots=True)
class Node:
    """A call path; node 0 is the root and has no name."""

    name: str
    parent: int
    """Index of the node above, always lower."""
    depth: int
    returns: int
    incl: float
    """Ticks."""
    excl: float
    """Ticks."""


@dataclass(frozen=True, slots=True)
class Profile:
    """All of a file, added up."""

    header: Header
    attributes: dict[str, str]
    options: dict[str, str]
    comments: list[str]
    processes: list[Process]
    files: dict[int, File]
    lines: list[Line]
    """By fid and line. Skip fids that are merged into others when adding up."""
    subs: dict[str, Sub]
    calls: list[Call]
    """By name of the called, fid and line."""
    tree: list[Node]
    fault: str | None
    """Why reading ended before the end of the file; None: it did not."""


def _pairs(items: list[tuple[str, str | None]]) -> dict[str, str]:
    return {key: value for key, value in items if value is not None}


def read(path: StrPath, *, keep_evals: bool = False, salvage: bool = False) -> Profile:
    """Reads a profile.

    Evals of equal text that one line ran are merged, as Perl's tools do, unless `keep_evals`.
    A file that breaks off is read as far as it goes, and with `salvage` one that is damaged as
    well: `Profile.fault` tells. Raises OSError, or ProfileError for what can't be read.
    """
    raw = _cread.Profile(path, keep_evals=keep_evals, salvage=salvage)
    fault = raw.fault()
    return Profile(
        header=Header(*raw.totals()),
        attributes=_pairs(raw.attributes()),
        options=_pairs(raw.options()),
        comments=[comment.removesuffix("\n") for comment in raw.comments()],
        processes=[Process(*item) for item in raw.processes()],
        files={item[0]: File(*item, source=dict(raw.source(item[0]))) for item in raw.files()},
        lines=[Line(*item) for item in raw.lines()],
        subs={item[0]: Sub(*item[:9], SubKind(item[9])) for item in raw.subs()},
        calls=[Call(*item) for item in raw.calls()],
        tree=[Node(*item) for item in raw.tree()],
        fault=None if fault is None else f"{fault[0]} (at offset {fault[1]})",
    )
