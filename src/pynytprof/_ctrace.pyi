"""The tracer in C: CPython's events into tables, tables into chunks."""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from typing import Any, final

StrPath = str | bytes | PathLike[str] | PathLike[bytes]

@final
class Tracer:
    """Like `_pure.tracer.PyTracer`; and writes files, snapshots them and minds signals itself."""

    @property
    def running(self) -> bool: ...
    def __new__(
        cls,
        *,
        stmts: bool = True,
        blocks: bool = False,
        subs: bool = True,
        slowops: int = 1,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        exclude_prefixes: Sequence[str] = (),
        hide_prefix: str = "",
        raw: bool = False,
        max_tree_nodes: int = 1_000_000,
        savesrc: bool = True,
        sources: Mapping[str, str] | None = None,
        cpu: bool = False,
    ) -> Tracer: ...
    def start(self, *, open_frames: bool = True) -> None: ...
    def stop(self) -> None: ...
    def emit(self, write_chunk: Callable[[bytes, bytes], object], header: bytes, /) -> None: ...
    def write_file(self, path: StrPath, level: int, header: bytes, /) -> None: ...
    def set_snapshot(
        self, path: StrPath, level: int, header: bytes, interval: float, /
    ) -> None: ...
    def forget(self) -> None: ...
    def line_hits(self) -> dict[tuple[int, int], list[int]]: ...
    def facts(self) -> dict[str, Any]: ...

def block_headers(lines: list[str], /) -> list[int]: ...
def watch_ends(
    signums: Sequence[int], finish: Callable[[str], object], go_on: Callable[[], object], /
) -> None: ...
def unwatch_ends() -> None: ...
