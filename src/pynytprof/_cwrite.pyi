"""Chunks to a NYTProf profile, in C: the twin of `pynytprof._writer.PyWriter`."""

from os import PathLike
from types import TracebackType
from typing import final

from typing_extensions import Buffer

from pynytprof._writer import BinaryFile

@final
class Writer:
    def __new__(
        cls, path: str | bytes | PathLike[str] | PathLike[bytes] | BinaryFile, compress: int = 1
    ) -> Writer: ...
    @property
    def closed(self) -> bool: ...
    def write_chunk(self, token: bytes, payload: Buffer, /) -> None: ...
    def close(self) -> None: ...
    def __enter__(self) -> Writer: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...
