"""Profiles read, judged and exported, in C; `reader`, `verify` and `convert` name the fields."""

from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from typing import Final, final

StrPath = str | bytes | PathLike[str] | PathLike[bytes]
Write = Callable[[bytes], object]

_Line = tuple[int, int, int, int, float, float]
_Sub = tuple[str, int, int | None, int | None, int, float, float, float, int, int]
_Call = tuple[str, int, int, int, int, float, float, float, int, str]
_Node = tuple[str, int, int, int, float, float, int]

class ProfileError(ValueError): ...

@final
class Profile:
    def __new__(
        cls, path: StrPath, *, keep_evals: bool = False, salvage: bool = False
    ) -> Profile: ...
    def totals(
        self,
    ) -> tuple[
        int,
        int,
        int,
        int,
        int,
        int,
        bool,
        bool,
        float,
        float,
        float,
        float,
        int,
        int,
        float,
        int,
        bool,
    ]: ...
    def fault(self) -> tuple[str, int, bool] | None: ...
    def attributes(self) -> list[tuple[str, str | None]]: ...
    def options(self) -> list[tuple[str, str | None]]: ...
    def comments(self) -> list[str]: ...
    def processes(self) -> list[tuple[int, int, bool, bool, float, float]]: ...
    def files(self) -> list[tuple[int, str, int, int, int, int, int, bool, int]]: ...
    def source(self, fid: int, /) -> list[tuple[int, str]]: ...
    def source_line(self, fid: int, line: int, /) -> str | None: ...
    def counts(self) -> tuple[int, int, int, int, int, int]: ...
    def lines(self, level: int = 0, first: int = 0, end: int = ..., /) -> list[_Line]: ...
    def lines_in(self, fid: int, level: int = 0, /) -> list[_Line]: ...
    def subs(self, first: int = 0, end: int = ..., /) -> list[_Sub]: ...
    def sub(self, name: str, /) -> _Sub | None: ...
    def subs_in(self, fid: int, /) -> list[_Sub]: ...
    def calls(self, first: int = 0, end: int = ..., /) -> list[_Call]: ...
    def calls_in(self, fid: int, /) -> list[_Call]: ...
    def calls_of(self, name: str, /) -> list[_Call]: ...
    def calls_by(self, name: str, /) -> list[_Call]: ...
    def tree(self, first: int = 0, end: int = ..., /) -> list[_Node]: ...
    def children(self, index: int, /) -> list[int]: ...
    def model(self, write: Write, /) -> None: ...
    def export(
        self, format: str, write: Write, max_bytes: int = 0, top: int = 0, /
    ) -> tuple[int, float, int]: ...
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

Side = tuple[int, int, str | None, str | None, str | None, int, float, float]

@final
class Diff:
    def __new__(cls, before: Profile, after: Profile, /) -> Diff: ...
    def totals(self) -> list[tuple[str, bool, float, float]]: ...
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
        conditions: tuple[str, ...],
    ) -> bool: ...

def check_condition(condition: str, /) -> bool: ...
def check_min_change(text: str, /) -> bool: ...

# Records: tuples whose items are attributes, too.

class _Placed:
    @property
    def offset(self) -> int: ...
    @property
    def inflated(self) -> bool: ...

@final
class Version(_Placed, tuple[int, int]):
    __match_args__: Final = ("major", "minor")
    @property
    def major(self) -> int: ...
    @property
    def minor(self) -> int: ...

@final
class Comment(_Placed, tuple[str]):
    __match_args__: Final = ("text",)
    @property
    def text(self) -> str: ...

@final
class Attribute(_Placed, tuple[str, str | None]):
    __match_args__: Final = ("key", "value")
    @property
    def key(self) -> str: ...
    @property
    def value(self) -> str | None: ...

@final
class Option(_Placed, tuple[str, str | None]):
    __match_args__: Final = ("key", "value")
    @property
    def key(self) -> str: ...
    @property
    def value(self) -> str | None: ...

@final
class StartDeflate(_Placed, tuple[()]): ...

@final
class PidStart(_Placed, tuple[int, int, float]):
    __match_args__: Final = ("pid", "parent", "time")
    @property
    def pid(self) -> int: ...
    @property
    def parent(self) -> int: ...
    @property
    def time(self) -> float: ...

@final
class PidEnd(_Placed, tuple[int, float]):
    __match_args__: Final = ("pid", "time")
    @property
    def pid(self) -> int: ...
    @property
    def time(self) -> float: ...

@final
class NewFid(_Placed, tuple[int, int, int, int, int, int, str]):
    __match_args__: Final = ("fid", "eval_fid", "eval_line", "flags", "size", "mtime", "name")
    @property
    def fid(self) -> int: ...
    @property
    def eval_fid(self) -> int: ...
    @property
    def eval_line(self) -> int: ...
    @property
    def flags(self) -> int: ...
    @property
    def size(self) -> int: ...
    @property
    def mtime(self) -> int: ...
    @property
    def name(self) -> str: ...

@final
class TimeLine(_Placed, tuple[int, int, int]):
    __match_args__: Final = ("ticks", "fid", "line")
    @property
    def ticks(self) -> int: ...
    @property
    def fid(self) -> int: ...
    @property
    def line(self) -> int: ...

@final
class TimeBlock(_Placed, tuple[int, int, int, int, int]):
    __match_args__: Final = ("ticks", "fid", "line", "block_line", "sub_line")
    @property
    def ticks(self) -> int: ...
    @property
    def fid(self) -> int: ...
    @property
    def line(self) -> int: ...
    @property
    def block_line(self) -> int: ...
    @property
    def sub_line(self) -> int: ...

@final
class Discount(_Placed, tuple[()]): ...

@final
class SubEntry(_Placed, tuple[int, int]):
    __match_args__: Final = ("fid", "line")
    @property
    def fid(self) -> int: ...
    @property
    def line(self) -> int: ...

@final
class SubReturn(_Placed, tuple[int, float, float, str]):
    __match_args__: Final = ("depth", "incl", "excl", "name")
    @property
    def depth(self) -> int: ...
    @property
    def incl(self) -> float: ...
    @property
    def excl(self) -> float: ...
    @property
    def name(self) -> str: ...

@final
class SrcLine(_Placed, tuple[int, int, str]):
    __match_args__: Final = ("fid", "line", "text")
    @property
    def fid(self) -> int: ...
    @property
    def line(self) -> int: ...
    @property
    def text(self) -> str: ...

@final
class SubInfo(_Placed, tuple[int, str, int, int]):
    __match_args__: Final = ("fid", "name", "first", "last")
    @property
    def fid(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def first(self) -> int: ...
    @property
    def last(self) -> int: ...

@final
class SubCallers(_Placed, tuple[int, int, str, int, float, float, float, int, str]):
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
    @property
    def fid(self) -> int: ...
    @property
    def line(self) -> int: ...
    @property
    def caller(self) -> str: ...
    @property
    def count(self) -> int: ...  # type: ignore[override]
    @property
    def incl(self) -> float: ...
    @property
    def excl(self) -> float: ...
    @property
    def reci(self) -> float: ...
    @property
    def depth(self) -> int: ...
    @property
    def called(self) -> str: ...

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

def formats() -> list[tuple[str, str, bool, bool, bool, bool, str]]: ...
def verify(path: StrPath, /) -> tuple[int, list[tuple[int, str, int, bool, int, str]]]: ...
def merge(
    paths: Sequence[bytes], write: Write, compress: int = 1, /
) -> tuple[bool, list[tuple[bool, str | None, str]]]: ...
def recover(
    path: StrPath, write: Write, compress: int = 1, /
) -> tuple[bool, list[tuple[bool, str | None, str]]]: ...
def dump(path: StrPath, write: Write, jsonl: bool = False, /) -> None: ...
def run(argv: Sequence[str], prog: str = "pynytprof") -> int: ...
def command_line() -> tuple[str, list[tuple[str, str]]]: ...
