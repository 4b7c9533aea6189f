"""Profiles as Python objects, and their records.

    profile = read("nytprof.out")
    for line in profile.hottest_lines(10):
        print(line.file.name, line.line, line.count, line.time, line.source)
    for sub in profile.hottest_subs(10):
        print(sub.name, sub.excl, [call.caller for call in sub.callers])

Any NYTProf v5 file will do, Perl's as well. All times are seconds unless they are said to be
ticks, of which ``Header.ticks_per_sec`` make a second. Lists that can be long (lines, subs, calls,
the call tree) are made of objects as they are asked for, so that a profile of millions of
call paths may be looked at without making millions of objects.
"""

from __future__ import annotations

import enum
import heapq
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar, overload

from . import _cread
from ._cread import (
    Attribute,
    Comment,
    Discount,
    NewFid,
    Option,
    PidEnd,
    PidStart,
    ProfileError,
    SrcLine,
    StartDeflate,
    SubCallers,
    SubEntry,
    SubInfo,
    SubReturn,
    TimeBlock,
    TimeLine,
    Version,
)

__all__ = [
    "Attribute",
    "Call",
    "Comment",
    "Discount",
    "File",
    "Head",
    "Header",
    "Level",
    "Line",
    "NewFid",
    "Node",
    "Option",
    "PidEnd",
    "PidStart",
    "Process",
    "Profile",
    "ProfileError",
    "Record",
    "SrcLine",
    "StartDeflate",
    "Sub",
    "SubCallers",
    "SubEntry",
    "SubInfo",
    "SubKind",
    "SubReturn",
    "TimeBlock",
    "TimeLine",
    "Version",
    "open_profile",
    "read",
    "read_head",
    "records",
]

StrPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]
_T = TypeVar("_T")
_P = TypeVar("_P", bound="_Part")


# ---- What a profile is made of ----


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


class _Part:
    """Knows the profile that it belongs to, and nothing else of it."""

    __slots__ = ("_profile",)
    _profile: Profile

    def _of(self: _P, profile: Profile) -> _P:
        object.__setattr__(self, "_profile", profile)
        return self


class _InFile(_Part):
    """Stands in a file."""

    __slots__ = ()
    fid: int

    @property
    def file(self) -> File | None:
        """Where it stands; None: unknown, or the profile has no such file."""
        return self._profile.files.get(self.fid)


class _OnLine(_InFile):
    """Stands on a line of a file."""

    __slots__ = ()
    line: int

    @property
    def source(self) -> str | None:
        """The text of the line; None: the profile does not have it."""
        return self._profile._raw.source_line(self.fid, self.line)


@dataclass(frozen=True, slots=True)
class File(_Part):
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

    @property
    def source(self) -> dict[int, str]:
        """Text by line number, as far as it is in the profile."""
        return dict(self._profile._raw.source(self.fid))

    @property
    def lines(self) -> list[Line]:
        """Those that ran, by number."""
        profile = self._profile
        return [Line(*row)._of(profile) for row in profile._raw.lines_in(self.fid)]

    @property
    def subs(self) -> list[Sub]:
        """Those that it defines, by name."""
        profile = self._profile
        return [_sub(row)._of(profile) for row in profile._raw.subs_in(self.fid)]

    @property
    def calls(self) -> list[Call]:
        """Those made in it, by line and name of the called."""
        profile = self._profile
        return [Call(*row)._of(profile) for row in profile._raw.calls_in(self.fid)]

    @property
    def count(self) -> int:
        """How often its lines ran together."""
        return sum(row[2] for row in self._profile._raw.lines_in(self.fid))

    @property
    def time(self) -> float:
        """Of all its lines."""
        return sum(row[4] for row in self._profile._raw.lines_in(self.fid))

    @property
    def parent(self) -> File | None:
        """Of an eval: the file that ran it."""
        return self._profile.files.get(self.eval_fid) if self.is_eval else None


@dataclass(frozen=True, slots=True)
class Line(_OnLine):
    """A line that was run."""

    fid: int
    line: int
    count: int
    ticks: int
    time: float
    """Seconds, without the subs that the line called."""
    incl: float
    """Seconds, with them."""

    @property
    def calls(self) -> list[Call]:
        """Those made on it."""
        profile = self._profile
        rows = profile._raw.calls_in(self.fid)
        return [Call(*row)._of(profile) for row in rows if row[2] == self.line]


class SubKind(enum.IntEnum):
    """What a sub is written in."""

    CODE = 0
    """The profiled language."""
    XSUB = 1
    """C."""
    OPCODE = 2
    """Built into Perl."""


@dataclass(frozen=True, slots=True)
class Sub(_InFile):
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

    @property
    def callers(self) -> list[Call]:
        """Calls of it, by the place they were made at."""
        profile = self._profile
        return [Call(*row)._of(profile) for row in profile._raw.calls_of(self.name)]

    @property
    def callees(self) -> list[Call]:
        """Calls made by it, by name of the called; shared lines are those of all their subs."""
        profile = self._profile
        return [Call(*row)._of(profile) for row in profile._raw.calls_by(self.name)]

    @property
    def lines(self) -> list[Line]:
        """Those between its first and its last that ran."""
        if not self.first or self.last is None:
            return []
        profile = self._profile
        rows = profile._raw.lines_in(self.fid)
        return [Line(*row)._of(profile) for row in rows if self.first <= row[1] <= self.last]


@dataclass(frozen=True, slots=True)
class Call(_OnLine):
    """All calls of one sub by one sub from one line: an edge of the call graph."""

    called: str
    fid: int
    line: int
    count: int
    outermost: int
    """Calls that found no other activation of the sub; at most so many in files of Perl's."""
    incl: float
    excl: float
    reci: float
    depth: int
    caller: str
    """The calling sub's name; empty: nobody's."""

    @property
    def sub(self) -> Sub:
        """The called."""
        return self._profile.subs[self.called]


@dataclass(frozen=True, slots=True)
class Node(_Part):
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
    index: int
    """Its place in the tree."""

    @property
    def children(self) -> list[Node]:
        """The paths that are one call longer, as they first ended."""
        tree = self._profile.tree
        return [tree[index] for index in sorted(self._profile._raw.children(self.index))]

    @property
    def caller(self) -> Node | None:
        """The path without its last call; None: this is the root."""
        return self._profile.tree[self.parent] if self.index else None

    @property
    def path(self) -> tuple[str, ...]:
        """The names from the outermost call to this one."""
        names = []
        node: Node | None = self
        while node is not None and node.index:
            names.append(node.name)
            node = node.caller
        return tuple(reversed(names))

    @property
    def sub(self) -> Sub | None:
        """None: the root, or a call that never returned."""
        return self._profile.subs.get(self.name)

    @property
    def incl_time(self) -> float:
        """Seconds."""
        return self.incl / (self._profile.header.ticks_per_sec or 1)

    @property
    def excl_time(self) -> float:
        """Seconds."""
        return self.excl / (self._profile.header.ticks_per_sec or 1)


def _sub(row: _cread._Sub) -> Sub:
    return Sub(*row[:9], SubKind(row[9]))


# ---- Long lists ----


class _Lazy(Sequence[_T], Generic[_T]):
    """A list of the profile, whose items are made when they are asked for."""

    _CHUNK = 1024

    def __init__(
        self,
        n: int,
        rows: Callable[[int, int], list[Any]],
        make: Callable[[Any], _T],
        what: str,
    ) -> None:
        self._n = n
        self._rows = rows
        self._make = make
        self._what = what

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, index: int) -> _T: ...
    @overload
    def __getitem__(self, index: slice) -> list[_T]: ...
    def __getitem__(self, index: int | slice) -> _T | list[_T]:
        if isinstance(index, slice):
            first, end, step = index.indices(self._n)
            if step == 1:
                return [self._make(row) for row in self._rows(first, end)]
            return [self[i] for i in range(first, end, step)]
        at = range(self._n)[index]
        return self._make(self._rows(at, at + 1)[0])

    def __iter__(self) -> Iterator[_T]:
        for first in range(0, self._n, self._CHUNK):
            yield from map(self._make, self._rows(first, first + self._CHUNK))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str | bytes):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<{self._n} {self._what}>"


class _Subs(Mapping[str, Sub]):
    """Subs by name."""

    def __init__(self, profile: Profile, n: int) -> None:
        self._profile = profile
        self._list = _Lazy(n, profile._raw.subs, lambda row: _sub(row)._of(profile), "subs")

    def __getitem__(self, name: str) -> Sub:
        row = self._profile._raw.sub(name)
        if row is None:
            raise KeyError(name)
        return _sub(row)._of(self._profile)

    def __iter__(self) -> Iterator[str]:
        return (sub.name for sub in self._list)

    def __len__(self) -> int:
        return len(self._list)

    def __repr__(self) -> str:
        return repr(self._list)


# ---- The profile ----


class Level(enum.IntEnum):
    """What the time of lines is added up by."""

    LINE = 0
    BLOCK = 1
    """By the line that a block begins on; only with ``blocks=1``."""
    SUB = 2
    """By the line that a sub begins on; only with ``blocks=1``."""


class Profile:
    """All of a file, added up. Made by :func:`read`."""

    path: str
    """Where it was read."""
    header: Header
    attributes: dict[str, str]
    options: dict[str, str]
    comments: list[str]
    processes: list[Process]
    fault: str | None
    """Why reading ended before the end of the file; None: it did not."""

    def __init__(self, path: StrPath, *, keep_evals: bool = False, salvage: bool = False) -> None:
        self._raw = _cread.Profile(path, keep_evals=keep_evals, salvage=salvage)
        fault = self._raw.fault()
        self.path = os.fsdecode(path)
        self.header = Header(*self._raw.totals())
        self.attributes = _pairs(self._raw.attributes())
        self.options = _pairs(self._raw.options())
        self.comments = [comment.removesuffix("\n") for comment in self._raw.comments()]
        self.processes = [Process(*row) for row in self._raw.processes()]
        self.fault = None if fault is None else f"{fault[0]} (at offset {fault[1]})"
        *self._line_counts, self._sub_count, self._call_count, self._node_count = self._raw.counts()

    def __repr__(self) -> str:
        header = self.header
        state = "" if header.complete else ", incomplete"
        return (
            f"<Profile {self.path!r}: {self.application}, {header.duration:.6g} s, "
            f"{header.statements - header.discounted} statements, {header.calls} calls{state}>"
        )

    @property
    def application(self) -> str:
        """What was profiled."""
        return self.attributes.get("application", "(unknown program)")

    @cached_property
    def files(self) -> dict[int, File]:
        """By fid."""
        return {row[0]: File(*row)._of(self) for row in self._raw.files()}

    @cached_property
    def lines(self) -> Sequence[Line]:
        """By fid and line. Skip fids that are merged into others when adding up."""
        return self.lines_by(Level.LINE)

    def lines_by(self, level: Level) -> Sequence[Line]:
        """As :attr:`lines`, with the times of whole blocks or subs on the lines they begin on."""
        return _Lazy(
            self._line_counts[level],
            lambda first, end: self._raw.lines(level, first, end),
            lambda row: Line(*row)._of(self),
            "lines",
        )

    @cached_property
    def subs(self) -> Mapping[str, Sub]:
        """By name."""
        return _Subs(self, self._sub_count)

    @cached_property
    def calls(self) -> Sequence[Call]:
        """By name of the called, fid and line."""
        return _Lazy(self._call_count, self._raw.calls, lambda row: Call(*row)._of(self), "calls")

    @cached_property
    def tree(self) -> Sequence[Node]:
        """The call tree; each node comes after the one above it."""
        return _Lazy(
            self._node_count, self._raw.tree, lambda row: Node(*row)._of(self), "call paths"
        )

    @property
    def root(self) -> Node:
        """Of the call tree."""
        return self.tree[0]

    def find_file(self, file: str | int) -> File:
        """A file by fid, or by the end of its name: the whole name wins, and the first otherwise.

        Raises LookupError if there is none.
        """
        living = [one for one in self.files.values() if not one.merged_into]
        if isinstance(file, int):
            found = [one for one in living if one.fid == file]
        else:
            found = [one for one in living if one.name == file]
            found += [one for one in living if one.name.endswith(file)]
        if not found:
            raise LookupError(f"there is no file {file!r} in the profile")
        return found[0]

    def hottest_lines(self, n: int = 10) -> list[Line]:
        """The lines that took most time, the first one most."""
        merged = {fid for fid, file in self.files.items() if file.merged_into}
        lines = (line for line in self.lines if line.fid not in merged)
        return heapq.nlargest(n, lines, key=attrgetter("time"))

    def hottest_subs(
        self, n: int = 10, *, by: Literal["excl", "incl", "calls"] = "excl"
    ) -> list[Sub]:
        """The subs that took most time, or were called most often."""
        subs: Sequence[Sub] = self.subs._list if isinstance(self.subs, _Subs) else []
        return heapq.nlargest(n, subs, key=attrgetter(by))


def _pairs(items: list[tuple[str, str | None]]) -> dict[str, str]:
    return {key: value for key, value in items if value is not None}


def read(path: StrPath, *, keep_evals: bool = False, salvage: bool = False) -> Profile:
    """Reads a profile.

    Evals of equal text that one line ran are merged, as Perl's tools do, unless `keep_evals`.
    A file that breaks off is read as far as it goes, and with `salvage` one that is damaged as
    well: `Profile.fault` tells. Raises OSError, or ProfileError for what can't be read.
    """
    return Profile(path, keep_evals=keep_evals, salvage=salvage)


open_profile = read


# ---- Records ----

Record: TypeAlias = (
    Version
    | Comment
    | Attribute
    | Option
    | StartDeflate
    | PidStart
    | PidEnd
    | NewFid
    | TimeLine
    | TimeBlock
    | Discount
    | SubEntry
    | SubReturn
    | SrcLine
    | SubInfo
    | SubCallers
)


def records(path: StrPath) -> Iterator[Record]:
    """The records of a file as they stand in it, one after the other and none kept.

    Each is a tuple with named fields, and has ``offset`` and ``inflated`` besides. Raises
    OSError or ProfileError at once for what is no profile, and ProfileError behind the last
    whole record if the file breaks off there or is damaged.
    """
    return _cread.Reader(path)


class Head(NamedTuple):
    """What a file says of itself before it has any figures."""

    version: tuple[int, int]
    comments: list[str]
    attributes: dict[str, str]
    options: dict[str, str]
    size: int
    """In bytes: where the first other record begins."""


def read_head(path: StrPath) -> Head:
    """Reads the beginning of a file, however long it is. Raises OSError, ProfileError."""
    head = Head((0, 0), [], {}, {}, 0)
    for record in records(path):
        if isinstance(record, Version):
            head = head._replace(version=(record.major, record.minor))
        elif isinstance(record, Comment):
            head.comments.append(record.text.removesuffix("\n"))
        elif isinstance(record, Attribute) and record.value is not None:
            head.attributes[record.key] = record.value
        elif isinstance(record, Option) and record.value is not None:
            head.options[record.key] = record.value
        elif not isinstance(record, Attribute | Option):
            return head._replace(size=record.offset)
    return head._replace(size=os.path.getsize(path))
