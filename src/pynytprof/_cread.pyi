"""Profiles read, judged and exported, in C; `reader`, `verify` and `convert` name the fields."""

from collections.abc import Callable, Sequence
from os import PathLike
from typing import final

StrPath = str | bytes | PathLike[str] | PathLike[bytes]
Write = Callable[[bytes], object]

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
    def lines(self, level: int = 0, /) -> list[tuple[int, int, int, int, float]]: ...
    def subs(
        self,
    ) -> list[tuple[str, int, int | None, int | None, int, float, float, float, int, int]]: ...
    def calls(
        self,
    ) -> list[tuple[str, int, int, int, float, float, float, int, tuple[str, ...]]]: ...
    def tree(self) -> list[tuple[str, int, int, int, float, float]]: ...
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
def formats() -> list[tuple[str, str, bool, bool, bool, bool, str]]: ...
def verify(path: StrPath, /) -> tuple[int, list[tuple[int, str, int, bool, int, str]]]: ...
def merge(
    paths: Sequence[bytes], write: Write, compress: int = 1, /
) -> tuple[bool, list[tuple[bool, str | None, str]]]: ...
def recover(
    path: StrPath, write: Write, compress: int = 1, /
) -> tuple[bool, list[tuple[bool, str | None, str]]]: ...
def dump(path: StrPath, write: Write, jsonl: bool = False, /) -> None: ...
