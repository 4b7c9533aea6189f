"""Profiles read, judged, compared, merged and exported, in C.

Structs are tuples whose items are attributes, too; `help()` of one tells what each of them means.
Their order is that of the tables in ext/read; it stands here once more, as `__match_args__`, where
the type is public and may be matched by position.
"""

from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from typing import Any, Final, final

from _typeshed import structseq

StrPath = str | bytes | PathLike[str] | PathLike[bytes]
Write = Callable[[bytes], object]

class ProfileError(ValueError): ...

@final
class Profile:
    def __new__(
        cls,
        path: StrPath,
        *,
        keep_evals: bool = False,
        salvage: bool = False,
        only: tuple[str, ...] = (),
        exclude: tuple[str, ...] = (),
        reach: int = 0,
        section: int = 0,
        process: int = 0,
        unit: str | None = None,
    ) -> Profile: ...
    def totals(self) -> Header: ...
    def fault(self) -> Fault | None: ...
    def attributes(self) -> list[tuple[str, str | None]]: ...
    def options(self) -> list[tuple[str, str | None]]: ...
    def comments(self) -> list[str]: ...
    def processes(self) -> list[Process]: ...
    def awaits(self) -> list[Await]: ...
    def units(self) -> list[tuple[str, int, float, bool]]: ...
    def unit_state(self) -> str: ...
    def files(self) -> list[File]: ...
    def source(self, fid: int, /) -> list[tuple[int, str]]: ...
    def source_line(self, fid: int, line: int, /) -> str | None: ...
    def counts(self) -> Counts: ...
    def lines(self, level: int = 0, first: int = 0, end: int = ..., /) -> list[Line]: ...
    def lines_in(self, fid: int, level: int = 0, /) -> list[Line]: ...
    def subs(self, first: int = 0, end: int = ..., /) -> list[Sub]: ...
    def sub(self, name: str, /) -> Sub | None: ...
    def subs_in(self, fid: int, /) -> list[Sub]: ...
    def calls(self, first: int = 0, end: int = ..., /) -> list[Call]: ...
    def calls_in(self, fid: int, /) -> list[Call]: ...
    def calls_of(self, name: str, /) -> list[Call]: ...
    def calls_by(self, name: str, /) -> list[Call]: ...
    def tree(self, first: int = 0, end: int = ..., /) -> list[Node]: ...
    def children(self, index: int, /) -> list[int]: ...
    def model(self, write: Write, /) -> None: ...
    def fragment(self, write: Write, /) -> None: ...
    def export(self, format: str, write: Write, max_bytes: int = 0, top: int = 0, /) -> LeftOut: ...
    def csv(self, begin: Callable[[str], object], write: Write, /) -> None: ...
    def summary(
        self,
        write: Write,
        *,
        top: int = 0,
        sort: int = 0,
        width: int = 0,
        colour: bool = False,
        json: bool = False,
        path: str | None = None,
        fid: int = 0,
    ) -> None: ...
    def info(
        self,
        write: Write,
        *,
        top: int = 0,
        sort: int = 0,
        width: int = 0,
        colour: bool = False,
        json: bool = False,
        path: str | None = None,
    ) -> None: ...

@final
class Diff:
    def __new__(
        cls, before: tuple[Profile, ...], after: tuple[Profile, ...], take: int = 0, /
    ) -> Diff: ...
    def totals(self) -> list[Total]: ...
    def entries(self, kind: int, /) -> list[tuple[Side | None, Side | None]]: ...
    def check(self, condition: str, write: Write, /) -> bool: ...
    def report(
        self,
        write: Write,
        *,
        top: int = 0,
        sort: int = 0,
        width: int = 0,
        colour: bool = False,
        json: bool = False,
        markdown: bool = False,
        before: str | None = None,
        after: str | None = None,
        min_change: str | None = None,
        conditions: tuple[str, ...] = (),
    ) -> bool: ...

def check_condition(condition: str, /) -> bool: ...
def check_min_change(text: str, /) -> bool: ...

# ---- Structs ----

@final
class Header(structseq[Any], tuple[Any, ...]):
    __match_args__: Final = (
        "major",
        "minor",
        "records",
        "size",
        "inflated",
        "ticks_per_sec",
        "complete",
        "timed",
        "start",
        "end",
        "duration",
        "active",
        "statements",
        "discounted",
        "statement_time",
        "calls",
        "blocks",
    )
    major: Final[int]
    minor: Final[int]
    records: Final[int]
    size: Final[int]
    inflated: Final[int]
    ticks_per_sec: Final[int]
    complete: Final[bool]
    timed: Final[bool]
    start: Final[float]
    end: Final[float]
    duration: Final[float]
    active: Final[float]
    statements: Final[int]
    discounted: Final[int]
    statement_time: Final[float]
    calls: Final[int]
    blocks: Final[bool]

@final
class Fault(structseq[Any], tuple[Any, ...]):
    text: Final[str]
    offset: Final[int]
    inflated: Final[bool]

@final
class Process(structseq[Any], tuple[Any, ...]):
    __match_args__: Final = ("pid", "parent", "started", "ended", "start", "end", "process")
    pid: Final[int]
    parent: Final[int]
    started: Final[bool]
    ended: Final[bool]
    start: Final[float]
    end: Final[float]
    process: Final[int]

@final
class Await(structseq[Any], tuple[Any, ...]):
    __match_args__: Final = ("fid", "line", "count", "time")
    fid: Final[int]
    line: Final[int]
    count: Final[int]  # type: ignore[assignment]
    time: Final[float]

@final
class File(structseq[Any], tuple[Any, ...]):
    fid: Final[int]
    name: Final[str]
    eval_fid: Final[int]
    eval_line: Final[int]
    flags: Final[int]
    size: Final[int]
    mtime: Final[int]
    is_eval: Final[bool]
    merged_into: Final[int]

@final
class Counts(structseq[Any], tuple[Any, ...]):
    lines: Final[int]
    block_lines: Final[int]
    sub_lines: Final[int]
    subs: Final[int]
    calls: Final[int]
    nodes: Final[int]

@final
class Line(structseq[Any], tuple[Any, ...]):
    fid: Final[int]
    line: Final[int]
    count: Final[int]  # type: ignore[assignment]
    ticks: Final[int]
    time: Final[float]
    incl: Final[float]
    shared: Final[bool]

@final
class Sub(structseq[Any], tuple[Any, ...]):
    name: Final[str]
    fid: Final[int]
    first: Final[int | None]
    last: Final[int | None]
    calls: Final[int]
    incl: Final[float]
    excl: Final[float]
    reci: Final[float]
    depth: Final[int]
    kind: Final[int]

@final
class Call(structseq[Any], tuple[Any, ...]):
    called: Final[str]
    fid: Final[int]
    line: Final[int]
    count: Final[int]  # type: ignore[assignment]
    outermost: Final[int]
    incl: Final[float]
    excl: Final[float]
    reci: Final[float]
    depth: Final[int]
    caller: Final[str]

@final
class Node(structseq[Any], tuple[Any, ...]):
    name: Final[str]
    parent: Final[int]
    depth: Final[int]
    returns: Final[int]
    incl: Final[float]
    excl: Final[float]
    index: Final[int]  # type: ignore[assignment]

@final
class Total(structseq[Any], tuple[Any, ...]):
    __match_args__: Final = (
        "is_time",
        "before",
        "after",
        "before_least",
        "before_most",
        "after_least",
        "after_most",
    )
    is_time: Final[bool]
    before: Final[float]
    after: Final[float]
    before_least: Final[float]
    before_most: Final[float]
    after_least: Final[float]
    after_most: Final[float]
    name: Final[str]

@final
class Side(structseq[Any], tuple[Any, ...]):
    __match_args__: Final = (
        "fid",
        "line",
        "file",
        "name",
        "caller",
        "count",
        "incl",
        "excl",
        "count_least",
        "count_most",
        "incl_least",
        "incl_most",
        "excl_least",
        "excl_most",
        "shared",
    )
    fid: Final[int]
    line: Final[int]
    file: Final[str | None]
    name: Final[str | None]
    caller: Final[str | None]
    count: Final[int]  # type: ignore[assignment]
    incl: Final[float]
    excl: Final[float]
    count_least: Final[int]
    count_most: Final[int]
    incl_least: Final[float]
    incl_most: Final[float]
    excl_least: Final[float]
    excl_most: Final[float]
    shared: Final[bool]

@final
class Format(structseq[Any], tuple[Any, ...]):
    __match_args__: Final = ("name", "suffix", "binary", "limited", "picture", "folder", "text")
    name: Final[str]
    suffix: Final[str]
    binary: Final[bool]
    limited: Final[bool]
    picture: Final[bool]
    folder: Final[bool]
    text: Final[str]

@final
class LeftOut(structseq[Any], tuple[Any, ...]):
    __match_args__: Final = (
        "paths", "seconds", "lines", "shown", "folded_levels", "cut_paths", "missing_files"
    )  # fmt: skip
    paths: Final[int]
    seconds: Final[float]
    lines: Final[int]
    shown: Final[int]
    folded_levels: Final[int]
    cut_paths: Final[int]
    missing_files: Final[int]

@final
class Note(structseq[Any], tuple[Any, ...]):
    __match_args__: Final = ("lossy", "path", "text")
    lossy: Final[bool]
    path: Final[str | None]
    text: Final[str]

@final
class Finding(structseq[Any], tuple[Any, ...]):
    severity: Final[int]
    rule: Final[str]
    offset: Final[int]
    inflated: Final[bool]
    record: Final[int]
    text: Final[str]

# ---- Records ----

class _Placed(structseq[Any], tuple[Any, ...]):
    offset: Final[int]
    inflated: Final[bool]

@final
class Version(_Placed):
    __match_args__: Final = ("major", "minor")
    major: Final[int]
    minor: Final[int]

@final
class Comment(_Placed):
    __match_args__: Final = ("text",)
    text: Final[str]

@final
class Attribute(_Placed):
    __match_args__: Final = ("key", "value")
    key: Final[str]
    value: Final[str | None]

@final
class Option(_Placed):
    __match_args__: Final = ("key", "value")
    key: Final[str]
    value: Final[str | None]

@final
class StartDeflate(_Placed): ...

@final
class PidStart(_Placed):
    __match_args__: Final = ("pid", "parent", "time")
    pid: Final[int]
    parent: Final[int]
    time: Final[float]

@final
class PidEnd(_Placed):
    __match_args__: Final = ("pid", "time")
    pid: Final[int]
    time: Final[float]

@final
class NewFid(_Placed):
    __match_args__: Final = ("fid", "eval_fid", "eval_line", "flags", "size", "mtime", "name")
    fid: Final[int]
    eval_fid: Final[int]
    eval_line: Final[int]
    flags: Final[int]
    size: Final[int]
    mtime: Final[int]
    name: Final[str]

@final
class TimeLine(_Placed):
    __match_args__: Final = ("ticks", "fid", "line")
    ticks: Final[int]
    fid: Final[int]
    line: Final[int]

@final
class TimeBlock(_Placed):
    __match_args__: Final = ("ticks", "fid", "line", "block_line", "sub_line")
    ticks: Final[int]
    fid: Final[int]
    line: Final[int]
    block_line: Final[int]
    sub_line: Final[int]

@final
class Discount(_Placed): ...

@final
class SubEntry(_Placed):
    __match_args__: Final = ("fid", "line")
    fid: Final[int]
    line: Final[int]

@final
class SubReturn(_Placed):
    __match_args__: Final = ("depth", "incl", "excl", "name")
    depth: Final[int]
    incl: Final[float]
    excl: Final[float]
    name: Final[str]

@final
class SrcLine(_Placed):
    __match_args__: Final = ("fid", "line", "text")
    fid: Final[int]
    line: Final[int]
    text: Final[str]

@final
class SubInfo(_Placed):
    __match_args__: Final = ("fid", "name", "first", "last")
    fid: Final[int]
    name: Final[str]
    first: Final[int]
    last: Final[int]

@final
class SubCallers(_Placed):
    __match_args__: Final = (
        "fid",
        "line",
        "caller",
        "count",
        "incl",
        "excl",
        "reci",
        "depth",
        "called",
    )
    fid: Final[int]
    line: Final[int]
    caller: Final[str]
    count: Final[int]  # type: ignore[assignment]
    incl: Final[float]
    excl: Final[float]
    reci: Final[float]
    depth: Final[int]
    called: Final[str]

_Record = (
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

@final
class Reader(Iterator[_Record]):
    def __new__(cls, path: StrPath) -> Reader: ...
    def __next__(self) -> _Record: ...

def formats() -> list[Format]: ...
def verify(path: StrPath, /) -> tuple[int, list[Finding]]: ...
def merge(
    paths: Sequence[bytes], write: Write, compress: int = 1, /
) -> tuple[bool, list[Note]]: ...
def recover(path: StrPath, write: Write, compress: int = 1, /) -> tuple[bool, list[Note]]: ...
def dump(path: StrPath, write: Write, jsonl: bool = False, /) -> None: ...
def run(argv: Sequence[str], prog: str = "pynytprof") -> int: ...
def command_line() -> tuple[str, list[tuple[str, str]]]: ...
