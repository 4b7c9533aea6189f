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
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, partial
from itertools import repeat
from operator import attrgetter
from typing import Any, Generic, Literal, NamedTuple, TypeAlias, TypeVar, cast, overload

from . import _cread
from ._cread import (
    Attribute,
    Await,
    Comment,
    Discount,
    Header,
    NewFid,
    Option,
    PidEnd,
    PidStart,
    Process,
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
    "Await",
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
    "Unit",
    "Version",
    "open_profile",
    "read",
    "read_head",
    "records",
]

StrPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]
Scope = Literal["all", "site", "project"]
SCOPES: dict[Scope, int] = {"all": 0, "site": 1, "project": 2}


# ---- What a profile is made of ----


class _Part:
    """Knows the profile that it belongs to, and nothing else of it."""

    __slots__ = ("_profile",)
    _profile: Profile


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
        return _LINES.all(self._profile, self._profile._raw.lines_in(self.fid))

    @property
    def subs(self) -> list[Sub]:
        """Those that it defines, by name."""
        return _SUBS.all(self._profile, self._profile._raw.subs_in(self.fid))

    @property
    def calls(self) -> list[Call]:
        """Those made in it, by line and name of the called."""
        return _CALLS.all(self._profile, self._profile._raw.calls_in(self.fid))

    @property
    def count(self) -> int:
        """How often its lines ran together."""
        return sum(raw.count for raw in self._profile._raw.lines_in(self.fid))

    @property
    def time(self) -> float:
        """Of all its lines."""
        return sum(raw.time for raw in self._profile._raw.lines_in(self.fid))

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
    shared: bool
    """Its time is a share of one that was measured for several lines together."""

    @property
    def awaited(self) -> Await | None:
        """What it waited for, if it is of a coroutine that did."""
        return self._profile._awaits.get((self.fid, self.line))

    @property
    def calls(self) -> list[Call]:
        """Those made on it."""
        raws = self._profile._raw.calls_in(self.fid)
        return _CALLS.all(self._profile, [raw for raw in raws if raw.line == self.line])


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
        return _CALLS.all(self._profile, self._profile._raw.calls_of(self.name))

    @property
    def callees(self) -> list[Call]:
        """Calls made by it, by name of the called; shared lines are those of all their subs."""
        return _CALLS.all(self._profile, self._profile._raw.calls_by(self.name))

    @property
    def lines(self) -> list[Line]:
        """Those between its first and its last that ran."""
        if not self.first or self.last is None:
            return []
        first, last = self.first, self.last
        raws = self._profile._raw.lines_in(self.fid)
        return _LINES.all(self._profile, [raw for raw in raws if first <= raw.line <= last])


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


_P = TypeVar("_P", bound="_Part")


class _Maker(Generic[_P]):
    """Makes parts of a profile from what `_cread` has of them, field by field.

    Fields are matched by name, but for those that `own` makes of the whole. The parts' own
    ``__init__`` would take much longer, as they are frozen, and there can be millions.
    """

    def __init__(self, part: type[_P], **own: Callable[[Any], object]) -> None:
        names = [field.name for field in fields(cast(Any, part))]
        self._part = part
        self._fields = [(getattr(part, n).__set__, own.get(n) or attrgetter(n)) for n in names]
        self._set_profile = vars(_Part)["_profile"].__set__

    def one(self, profile: Profile, raw: object) -> _P:
        """Makes one part."""
        made = object.__new__(self._part)
        self._set_profile(made, profile)
        for set_value, value_of in self._fields:
            set_value(made, value_of(raw))
        return made

    def all(self, profile: Profile, raws: Sequence[object]) -> list[_P]:
        """Makes many, without a loop in Python over them."""
        new, run = object.__new__, deque[None](maxlen=0).extend
        made = [new(self._part) for _ in raws]
        run(map(self._set_profile, made, repeat(profile)))
        for set_value, value_of in self._fields:
            run(map(set_value, made, map(value_of, raws)))
        return made


_FILES, _LINES, _CALLS, _NODES = _Maker(File), _Maker(Line), _Maker(Call), _Maker(Node)
_SUBS = _Maker(Sub, kind=lambda raw: SubKind(raw.kind))


# ---- Long lists ----


class _Lazy(Sequence[_P], Generic[_P]):
    """A list of the profile, whose items are made when they are asked for."""

    _CHUNK = 1024

    def __init__(
        self,
        n: int,
        raws: Callable[[int, int], list[Any]],
        maker: _Maker[_P],
        profile: Profile,
        what: str,
    ) -> None:
        self._n = n
        self._raws = raws
        self._maker = maker
        self._profile = profile
        self._what = what

    def __len__(self) -> int:
        return self._n

    @overload
    def __getitem__(self, index: int) -> _P: ...
    @overload
    def __getitem__(self, index: slice) -> list[_P]: ...
    def __getitem__(self, index: int | slice) -> _P | list[_P]:
        if isinstance(index, slice):
            first, end, step = index.indices(self._n)
            if step == 1:
                return self._maker.all(self._profile, self._raws(first, end))
            return [self[i] for i in range(first, end, step)]
        at = range(self._n)[index]
        return self._maker.one(self._profile, self._raws(at, at + 1)[0])

    def __iter__(self) -> Iterator[_P]:
        for first in range(0, self._n, self._CHUNK):
            yield from self._maker.all(self._profile, self._raws(first, first + self._CHUNK))

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
        self._list = _Lazy(n, profile._raw.subs, _SUBS, profile, "subs")

    def __getitem__(self, name: str) -> Sub:
        raw = self._profile._raw.sub(name)
        if raw is None:
            raise KeyError(name)
        return _SUBS.one(self._profile, raw)

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


@dataclass(frozen=True)
class Unit:
    """A unit of work."""

    name: str
    """As in the call tree, ``unit::import``."""
    count: int
    """How often it began."""
    time: float
    """Seconds that the outermost ran, with all that they called; awaited time is not in it."""
    apart: bool
    """Whether ``read(path, unit=name)`` can tell it from the rest."""


_NO_UNIT = {
    "unknown": "there is no unit of work in the profile that matches",
    "together": "the profile has sums over all units of work only, and none of",
    "lost": "nytprofmerge has lost the figures of units of work, and so those of",
}


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

    def __init__(
        self,
        path: StrPath,
        *,
        keep_evals: bool = False,
        salvage: bool = False,
        only: Sequence[str] = (),
        exclude: Sequence[str] = (),
        scope: Scope = "all",
        thread: int = 0,
        process: int = 0,
        unit: str | None = None,
    ) -> None:
        if thread and process:
            raise ValueError("thread and process exclude each other")
        self._raw = _cread.Profile(
            path,
            keep_evals=keep_evals,
            salvage=salvage,
            only=tuple(only),
            exclude=tuple(exclude),
            reach=SCOPES[scope],
            section=thread,
            process=process,
            unit=unit,
        )
        fault = self._raw.fault()
        self.path = os.fsdecode(path)
        self.header = self._raw.totals()
        self.attributes = _pairs(self._raw.attributes())
        self.options = _pairs(self._raw.options())
        self.comments = [comment.removesuffix("\n") for comment in self._raw.comments()]
        self.processes = self._raw.processes()
        if thread and all(one.pid != thread for one in self.processes):
            raise LookupError(f"there is no thread {thread} in the profile")
        if process and (0 in (owners := [one.process for one in self.processes])):
            raise LookupError("the profile does not tell which threads are whose")
        if process and process not in owners:
            raise LookupError(f"there is no process {process} in the profile")
        if unit is not None and (why := _NO_UNIT.get(self._raw.unit_state())):
            raise LookupError(f"{why} {unit!r}")
        self.fault = None if fault is None else f"{fault.text} (at offset {fault.offset})"
        self._counts = self._raw.counts()

    def __repr__(self) -> str:
        header = self.header
        state = "" if header.complete else ", incomplete"
        return (
            f"<Profile {self.path!r}: {self.application}, {header.duration:.6g} s, "
            f"{header.statements - header.discounted} statements, {header.calls} calls{state}>"
        )

    def _repr_html_(self) -> str:
        """The answer for notebooks: the sentence, the hottest source, lines and functions."""
        parts: list[bytes] = []
        self._raw.fragment(parts.append)
        return b"".join(parts).decode()

    @property
    def application(self) -> str:
        """What was profiled."""
        return self.attributes.get("application", "(unknown program)")

    @property
    def units(self) -> list[Unit]:
        """Units of work (``pynytprof.unit()``, requests and tasks that were profiled under a name),
        the dearest first."""
        return [Unit(*one) for one in self._raw.units()]

    @property
    def awaits(self) -> list[Await]:
        """What lines of coroutines waited for: seconds on the clock that are nobody's time. Of
        coroutines that await one another, the line of each has them. The 400 longest, by file."""
        return list(self._awaits.values())

    @cached_property
    def _awaits(self) -> dict[tuple[int, int], Await]:
        return {(one.fid, one.line): one for one in self._raw.awaits()}

    @cached_property
    def files(self) -> dict[int, File]:
        """By fid."""
        return {file.fid: file for file in _FILES.all(self, self._raw.files())}

    @cached_property
    def lines(self) -> Sequence[Line]:
        """By fid and line. Skip fids that are merged into others when adding up."""
        return self.lines_by(Level.LINE)

    def lines_by(self, level: Level) -> Sequence[Line]:
        """As :attr:`lines`, with the times of whole blocks or subs on the lines they begin on."""
        n = (self._counts.lines, self._counts.block_lines, self._counts.sub_lines)[level]
        return _Lazy(n, partial(self._raw.lines, level), _LINES, self, "lines")

    @cached_property
    def subs(self) -> Mapping[str, Sub]:
        """By name."""
        return _Subs(self, self._counts.subs)

    @cached_property
    def calls(self) -> Sequence[Call]:
        """By name of the called, fid and line."""
        return _Lazy(self._counts.calls, self._raw.calls, _CALLS, self, "calls")

    @cached_property
    def tree(self) -> Sequence[Node]:
        """The call tree; each node comes after the one above it."""
        return _Lazy(self._counts.nodes, self._raw.tree, _NODES, self, "call paths")

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


def read(
    path: StrPath,
    *,
    keep_evals: bool = False,
    salvage: bool = False,
    only: Sequence[str] = (),
    exclude: Sequence[str] = (),
    scope: Scope = "all",
    thread: int = 0,
    process: int = 0,
    unit: str | None = None,
) -> Profile:
    """Reads a profile.

    With `only`, `exclude` (patterns of paths) or `scope` it is what it would be if no other code
    had been profiled: the time of the rest is that of the lines which called it. With `thread` it
    has the lines of one thread (of Perl's profiles: process) alone, with `process` those of all of
    its threads, and no calls; with `unit`, a pattern, what ran in units of work of such a name.
    LookupError if there is none such.

    Evals of equal text that one line ran are merged, as Perl's tools do, unless `keep_evals`.
    A file that breaks off is read as far as it goes, and with `salvage` one that is damaged as
    well: `Profile.fault` tells. Raises OSError, or ProfileError for what can't be read.
    """
    return Profile(
        path,
        keep_evals=keep_evals,
        salvage=salvage,
        only=only,
        exclude=exclude,
        scope=scope,
        thread=thread,
        process=process,
        unit=unit,
    )


open_profile = read


def raw_profile(profile: StrPath | Profile) -> _cread.Profile:
    """What the package's other modules work on: a profile as C has it, read if it was not."""
    return profile._raw if isinstance(profile, Profile) else _cread.Profile(profile)


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
