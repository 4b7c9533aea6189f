"""Mirrors lib/format/writer.c: records to a file, cut into segments, compressed.

docs/format.md tells the law of the cuts, which the writer in C follows too: both give the same
bytes.
"""

from __future__ import annotations

import errno
import io
import os
import struct
import zlib
from typing import Any, Protocol

from .deflate import TimeBlock, run_block

StrPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]


class BinaryFile(Protocol):
    """What a writer needs of a file object: nothing but ``write``."""

    def write(self, data: bytes, /) -> Any:
        """Returns how many bytes it took; None means all."""


# ---- Values as the file spells them ---------------------------------------------

_SMALL = [bytes([value]) for value in range(0x80)]
NV = struct.Struct("<d")
NV2 = struct.Struct("<dd")
NV3 = struct.Struct("<ddd")


def u32(value: int) -> bytes:
    """An unsigned integer; the first byte tells how many follow."""
    if value < 0x80:
        return _SMALL[value]
    if value < 0x4000:
        return (value | 0x8000).to_bytes(2, "big")
    if value < 0x200000:
        return (value | 0xC00000).to_bytes(3, "big")
    if value < 0x10000000:
        return (value | 0xE0000000).to_bytes(4, "big")
    return b"\xff" + value.to_bytes(4, "big")


def string(data: bytes) -> bytes:
    """A tag, the length, the bytes."""
    return b"'" + u32(len(data)) + data


# ---- Checksums --------------------------------------------------------------------

_ADLER_BASE = 65521


def _adler_join(x: int, y: int, y_len: int) -> int:
    """The adler32 of X followed by Y, from those of X and Y and the length of Y."""
    total = (x & 0xFFFF) + _ADLER_BASE - 1
    low = (total + (y & 0xFFFF)) % _ADLER_BASE
    high = ((x >> 16) + (y >> 16) + y_len * total) % _ADLER_BASE
    return high << 16 | low


def _adler_times(one: int, length: int, times: int) -> int:
    """That of `times` copies of a piece, by doubling."""
    joined = 1
    while times:
        if times & 1:
            joined = _adler_join(joined, one, length)
        one = _adler_join(one, one, length)
        length *= 2
        times >>= 1
    return joined


# ---- Where the bytes go --------------------------------------------------------------


class Sink:
    """Bytes to a path or a file object; small writes are gathered."""

    _OUTPUT = 64 * 1024

    def __init__(self, target: StrPath | BinaryFile) -> None:
        self._held: list[bytes] = []
        self._held_len = 0
        self._path: str | bytes | None = None
        if isinstance(target, str | bytes | os.PathLike):
            self._path = os.fspath(target)
            self._file: Any = open(self._path, "wb", buffering=0)  # noqa: SIM115
        elif hasattr(target, "write"):
            self._file = target
        else:
            kind = type(target).__name__
            raise TypeError(f"a path or a binary file is needed, not {kind}")
        self._raw = isinstance(self._file, io.RawIOBase)

    def put(self, data: bytes) -> None:
        if self._held_len + len(data) > self._OUTPUT:
            self.flush()
        self._held.append(data)
        self._held_len += len(data)

    def flush(self) -> None:
        held, self._held, self._held_len = b"".join(self._held), [], 0
        try:
            self._write_all(held)
        except OSError as error:
            if self._path is not None:
                error.filename = self._path
            raise

    def _write_all(self, data: bytes) -> None:
        while data:
            taken = self._file.write(data)
            if taken is None:
                if self._raw:
                    raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))
                return
            if not 0 <= taken <= len(data):
                raise OSError(f"write() of {len(data)} bytes returned {taken}")
            data = data[taken:]

    def close(self) -> None:
        """Closes what was opened here; what is still held is lost."""
        self._held.clear()
        if self._path is not None:
            self._file.close()


# ---- Records, cut into segments ---------------------------------------------------------

_SEGMENT = 60 * 1024  # a segment is cut before it would grow past this
_RUN_BLOCK = 64  # equal records worth a block made by hand
_TIME_BLOCK = 256 * 1024  # bytes; a block of runs ends behind that with which it has them
_RUN_MIN = 256 * 1024  # bytes of them worth a piece that is repeated
_RUN_PIECE = 16 * 1024  # and its size
_RUN_LONG = 16 * 1024 * 1024  # and worth a larger, better packed one
_PIECES_OF_LONG = 256
_PIECE_MAX = 1024 * 1024
_LONG_LEVEL = 6
_QUICK_LEVEL = 1  # who asks for more shall have small files
_SEGMENT_SMALL = 2 * 1024  # bytes; for fewer zlib's tables are smaller
_MEMORY_OF_SMALL = 5
_MEMORY = 9

SHORT, LONG = 1, 2  # which runs are wanted, as bits,
IN_BLOCKS = 4  # or all, in blocks made by hand, of which the next cut ends the last


class Records:
    """Records to a sink."""

    def __init__(self, sink: Sink, level: int) -> None:
        self._sink = sink
        self._level = level
        self._deflating = False
        self._plain = bytearray(b"NYTProf 5 0\n")
        self._runs = TimeBlock()
        self._adler = 1
        self._plain_total = 0
        self._packed_total = 0

    def put(self, record: bytes) -> None:
        plain = self._plain
        if len(plain) + len(record) > _SEGMENT:
            self.cut()
        plain += record
        if len(plain) > _SEGMENT:
            self.cut()

    def cut(self) -> None:
        """What is held so far becomes a segment of its own."""
        if self._runs.inflated:
            block = self._runs.end()
            self._packed_total += len(block)
            self._sink.put(block)
            self._runs = TimeBlock()
        if not self._plain:
            return
        segment = bytes(self._plain)
        self._plain.clear()
        if self._deflating:
            small = len(segment) < _SEGMENT_SMALL
            memory = _MEMORY_OF_SMALL if small else _MEMORY
            self._put_packed(segment, self._level, 1, memory)
        else:
            self._sink.put(segment)

    def _put_packed(self, piece: bytes, level: int, times: int, memory: int = _MEMORY) -> None:
        packer = zlib.compressobj(level, zlib.DEFLATED, -15, memory)
        packed = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
        self._count_in(piece, times, len(packed) * times)
        for _ in range(times):
            self._sink.put(packed)

    def _count_in(self, piece: bytes, times: int, packed: int) -> None:
        adler = _adler_times(zlib.adler32(piece), len(piece), times)
        self._adler = _adler_join(self._adler, adler, len(piece) * times)
        self._plain_total += len(piece) * times
        self._packed_total += packed

    def put_run(self, record: bytes, times: int, which: int = SHORT | LONG) -> None:
        """`times` equal records: a block of their own, or one piece, repeated, if they are many."""
        if not times or not which & (IN_BLOCKS | (LONG if times >= _RUN_BLOCK else SHORT)):
            return
        if self._deflating and len(record) * times >= _RUN_MIN:
            times = self._put_pieces(record, times)
        elif which != IN_BLOCKS and self._deflating and times >= _RUN_BLOCK:
            self.cut()
            block = run_block(record, times)
            self._count_in(record, times, len(block))
            self._sink.put(block)
            return
        if which == IN_BLOCKS:
            self._put_in_block(record, times)
            return
        while times:
            some = min(times, (_SEGMENT - len(self._plain)) // len(record))
            self._plain += record * some
            times -= some
            if times:
                self.cut()

    def _put_in_block(self, record: bytes, times: int) -> None:
        if not times:
            return
        if not self._runs.inflated:
            self.cut()
        self._runs.add(record, times)
        self._count_in(record, times, 0)
        if self._runs.inflated >= _TIME_BLOCK:
            self.cut()

    @property
    def is_quick(self) -> bool:
        """Whether what follows is compressed as quickly as can be."""
        return self._deflating and self._level == _QUICK_LEVEL

    def put_packed(self, records: bytes, packed: bytes) -> None:
        """Records that are compressed already, as a block from and to byte boundaries."""
        self.cut()
        self._count_in(records, 1, len(packed))
        self._sink.put(packed)

    def _put_pieces(self, record: bytes, times: int) -> int:
        """Returns how many records are left."""
        total = len(record) * times
        size, level = _RUN_PIECE, self._level
        if total >= _RUN_LONG:
            size = min(_PIECE_MAX, 1 << (total // _PIECES_OF_LONG).bit_length() - 1)
            level = max(level, _LONG_LEVEL)
        in_piece = size // len(record)
        self.cut()
        self._put_packed(record * in_piece, level, times // in_piece)
        return times % in_piece

    def start_deflate(self) -> None:
        if self._level == 0:
            return
        version = zlib.ZLIB_RUNTIME_VERSION
        self.put(f"#Compressed at level {self._level} with zlib {version}\n".encode())
        self.put(b"z")
        self.cut()
        self._deflating = True
        self._sink.put(b"\x78\x9c")
        self._packed_total = 2

    def finish(self) -> None:
        self.cut()
        if self._deflating:
            self._sink.put(b"\x03\x00" + self._adler.to_bytes(4, "big"))
            self._packed_total += 6
            plain, packed = self._plain_total, self._packed_total
            self._sink.put(
                b"#\n# Compressed %d bytes to %d, ratio %f:1, data shrunk by %f%%\n"
                % (plain, packed, plain / packed, 100 * float(plain - packed) / plain)
            )
        self._sink.flush()
