"""Chunks to NYTProf profiles.

A *writer* is any object with ``write_chunk(token, payload)`` and ``close()``: see
`Writer`. Two of them make NYTProf files, the same bytes each: ``_cwrite.Writer`` in C,
and `PyWriter` here, which needs nothing but the standard library. `open_writer` chooses.

The chunks, the records made of them and the law by which they are compressed are
described in ``docs/format.md``.
"""

from __future__ import annotations

import errno
import io
import os
import struct
import warnings
import zlib
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from ._run import messages as _talk

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from typing_extensions import Buffer, Self

__all__ = ["BinaryFile", "PyWriter", "Writer", "open_writer"]

StrPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]


class Writer(Protocol):
    """What a tracer needs of a writer; users may bring their own."""

    def write_chunk(self, token: bytes, payload: bytes, /) -> None:
        """Takes one chunk: a token of one byte and its payload."""

    def close(self) -> None:
        """Finishes the profile: no chunk follows."""


class BinaryFile(Protocol):
    """What a writer needs of a file object: nothing but ``write``."""

    def write(self, data: bytes, /) -> Any:
        """Returns how many bytes it took; None means all."""


# ---- Values as the file spells them ---------------------------------------------

_SMALL = [bytes([value]) for value in range(0x80)]
_NV = struct.Struct("<d")
_NV2 = struct.Struct("<dd")
_NV3 = struct.Struct("<ddd")


def _u32(value: int) -> bytes:
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


def _string(data: bytes) -> bytes:
    return b"'" + _u32(len(data)) + data


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


class _Sink:
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
_RUN_MIN = 16 * 1024  # bytes of equal records worth a piece of their own
_RUN_LONG = 16 * 1024 * 1024  # and worth a larger, better packed one
_PIECES_OF_LONG = 256
_PIECE_MAX = 1024 * 1024
_LONG_LEVEL = 6
_TICKS_MAX = 2**31 - 1


class _Records:
    """Records to a sink; the twin of lib/writer.c, where the law is explained."""

    def __init__(self, sink: _Sink, level: int) -> None:
        self._sink = sink
        self._level = level
        self._deflating = False
        self._plain = bytearray(b"NYTProf 5 0\n")
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
        if not self._plain:
            return
        segment = bytes(self._plain)
        self._plain.clear()
        if self._deflating:
            self._put_packed(segment, self._level, 1)
        else:
            self._sink.put(segment)

    def _put_packed(self, piece: bytes, level: int, times: int) -> None:
        packer = zlib.compressobj(level, zlib.DEFLATED, -15, 9)
        packed = packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)
        length = len(piece) * times
        adler = _adler_times(zlib.adler32(piece), len(piece), times)
        self._adler = _adler_join(self._adler, adler, length)
        self._plain_total += length
        self._packed_total += len(packed) * times
        for _ in range(times):
            self._sink.put(packed)

    def put_run(self, record: bytes, times: int) -> None:
        """`times` equal records: one piece, repeated, if they are many."""
        if self._deflating and len(record) * times >= _RUN_MIN:
            times = self._put_pieces(record, times)
        while times:
            some = min(times, (_SEGMENT - len(self._plain)) // len(record))
            self._plain += record * some
            times -= some
            if times:
                self.cut()

    def _put_pieces(self, record: bytes, times: int) -> int:
        """Returns how many records are left."""
        total = len(record) * times
        size, level = _RUN_MIN, self._level
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


# ---- Chunks ---------------------------------------------------------------------------------

_COUNT_MAX = 2**48
_U32_MAX = 2**32 - 1
_U64_MAX = 2**64 - 1
_SUB_ID_MAX = 2**24 - 1

_START = struct.Struct("<IId")
_FILE = struct.Struct("<IIIIII")
_SUB = struct.Struct("<IIII")
_TIMES = struct.Struct("<IIIIQQQ")
_CALLS = struct.Struct("<IIIIQdddI")
_TREE = struct.Struct("<IIdd")
_END = struct.Struct("<IdQ")
_LENGTH = struct.Struct("<I")

_CUT_SHORT = "ends in the middle of an item"
_NOT_FINITE = "a time is not finite"
_NO_CALLER = _string(b"python::(start)")


class _Refused(Exception):
    """A payload does not follow docs/format.md at `offset`."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(offset, reason)
        self.offset = offset
        self.reason = reason


class _Payload:
    """Values taken from the front of a payload."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def more(self) -> bool:
        return self.at < len(self.data)

    def take(self, layout: struct.Struct, item: int) -> tuple[Any, ...]:
        """`item` is where what this belongs to begins."""
        if len(self.data) - self.at < layout.size:
            raise _Refused(item, _CUT_SHORT)
        self.at += layout.size
        return layout.unpack_from(self.data, self.at - layout.size)

    def string(self, item: int) -> bytes:
        (length,) = self.take(_LENGTH, item)
        if len(self.data) - self.at < length:
            raise _Refused(item, _CUT_SHORT)
        self.at += length
        return self.data[self.at - length : self.at]


def _items(layout: struct.Struct, data: bytes) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """(offset, values) of each item of a payload that is nothing but such items."""
    whole = len(data) // layout.size * layout.size
    offsets = range(0, whole, layout.size)
    yield from zip(offsets, layout.iter_unpack(memoryview(data)[:whole]), strict=True)
    if whole != len(data):
        raise _Refused(whole, _CUT_SHORT)


def _header_record(key: bytes, value: bytes, offset: int) -> bytes:
    if key[:1] not in (b":", b"!", b"#"):
        raise _Refused(offset, "a key must begin with one of : ! #")
    if b"\n" in key or b"=" in key:
        raise _Refused(offset, "newline or = in a key")
    if b"\n" in value:
        raise _Refused(offset, "newline in a value")
    return b"#" + value + b"\n" if key[0] == ord("#") else key + b"=" + value + b"\n"


class PyWriter:
    """Turns chunks into a NYTProf profile, in Python.

    `path` is a path, or a binary file object, which stays open; `compress` is zlib's
    level, or 0. A chunk that does not follow docs/format.md is a ValueError that names
    its token and the offset in its payload, and leaves no trace; an OSError is final.
    """

    def __init__(self, path: StrPath | BinaryFile, compress: int = 1) -> None:
        if not 0 <= compress <= 9:
            raise ValueError(f"compress must be 0 to 9, not {compress}")
        self._sink = _Sink(path)
        self._out = _Records(self._sink, compress)
        self._closed = False
        self._failure: BaseException | None = None
        self._begun = False
        self._section: int | None = None
        self._fids = 0
        self._subs: dict[int, bytes] = {}
        self._open_calls = 0
        self._overhead = 0

    @property
    def closed(self) -> bool:
        """True once close() was called."""
        return self._closed

    def write_chunk(self, token: bytes, payload: Buffer, /) -> None:
        """Writes one chunk: a token of one byte, and any bytes-like object."""
        if self._closed:
            raise RuntimeError("the writer is closed")
        if len(token) != 1:
            raise ValueError(f"a token is one byte, not {len(token)}")
        if self._failure is not None:
            self._fail_again(self._failure)
        try:
            self._write(bytes(token), bytes(payload))
        except _Refused as refused:
            name = token.decode("latin-1") if bytes(token) in self._TOKENS else "?"
            raise ValueError(
                f"chunk {name}: {refused.reason} (at byte {refused.offset} of the payload)"
            ) from None
        except BaseException as error:
            self._failure = error
            raise

    def _fail_again(self, error: BaseException) -> None:
        code = getattr(error, "errno", None) or errno.EIO
        raise OSError(code, os.strerror(code), getattr(error, "filename", None)) from error

    def _write(self, token: bytes, payload: bytes) -> None:
        write = self._TOKENS.get(token)
        if write is None:
            raise _Refused(0, f"unknown token, byte {token[0]}")
        if self._section is None and token != b"P":
            raise _Refused(0, "no section is open")
        write(self, payload)

    def close(self) -> None:
        """Finishes the file. Closing again does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._failure is None:
                if self._begun:
                    ticks = min(self._overhead, _U64_MAX)
                    self._out.put(b":cumulative_overhead_ticks=%d\n" % ticks)
                self._out.finish()
        finally:
            self._sink.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # ---- One method a token: first the checks, then, trusting them, the records ----

    def _write_start(self, payload: bytes) -> None:
        if self._section is not None:
            raise _Refused(0, "the section before has not ended")
        data = _Payload(payload)
        pid, parent, time = data.take(_START, 0)
        if not isfinite(time):
            raise _Refused(0, _NOT_FINITE)
        if self._begun and data.more:
            raise _Refused(data.at, "only the first section has a header")
        header = []
        while data.more:
            item = data.at
            key, value = data.string(item), data.string(item)
            header.append(_header_record(key, value, item))
        if not self._begun:
            for record in header:
                self._out.put(record)
            self._out.start_deflate()
        self._begun = True
        self._section = pid
        self._out.put(b"P" + _u32(pid) + _u32(parent) + _NV.pack(time))

    def _write_file(self, payload: bytes) -> None:
        data = _Payload(payload)
        fid, parent, line, flags, size, mtime = data.take(_FILE, 0)
        name = data.string(0)
        (lines,) = data.take(_LENGTH, 0)
        if fid != self._fids + 1:
            raise _Refused(0, f"fids must be dense and in order, not {fid}")
        if parent > self._fids:
            raise _Refused(0, f"unknown parent fid {parent}")
        texts = [data.string(data.at) for _ in range(lines)]
        if data.more:
            raise _Refused(data.at, "bytes behind the last item")
        self._fids = fid
        numbers = b"".join(map(_u32, (fid, parent, line, flags, size, mtime)))
        self._put_source(b"@" + numbers + _string(name), fid, texts)

    def _put_source(self, new_fid: bytes, fid: int, texts: list[bytes]) -> None:
        """A file with source is a segment of its own, or several."""
        put = self._out.put
        if texts:
            self._out.cut()
        put(new_fid)
        head = b"S" + _u32(fid)
        for line, text in enumerate(texts, 1):
            put(head + _u32(line) + b"'" + _u32(len(text)) + text)
        if texts:
            self._out.cut()

    def _write_subs(self, payload: bytes) -> None:
        data = _Payload(payload)
        new: dict[int, bytes] = {}
        records = []
        while data.more:
            item = data.at
            sub, fid, first, last = data.take(_SUB, item)
            name = _string(data.string(item))
            if not 0 < sub <= _SUB_ID_MAX:
                raise _Refused(item, f"impossible sub id {sub}")
            if sub in self._subs or sub in new:
                raise _Refused(item, f"a second definition of sub id {sub}")
            if not 0 < fid <= self._fids:
                raise _Refused(item, f"unknown fid {fid}")
            new[sub] = name
            records.append(b"s" + _u32(fid) + name + _u32(first) + _u32(last))
            if first == 0 and last == 0:
                # Perl's readers tell a sub of another language by a call from nowhere.
                records.append(b"c\0\0" + _string(b"") + b"\0" + bytes(24) + b"\0" + name)
        self._subs.update(new)
        for record in records:
            self._out.put(record)

    def _write_times(self, payload: bytes) -> None:
        for offset, (fid, _line, _block, _sub, count, _excl, _incl) in _items(_TIMES, payload):
            if not 0 < fid <= self._fids:
                raise _Refused(offset, f"unknown fid {fid}")
            if count > _COUNT_MAX:
                raise _Refused(offset, "impossible count")
        for fid, line, block, sub, count, ticks, _incl in _TIMES.iter_unpack(payload):
            where = _u32(fid) + _u32(line)
            tag = b"+"
            if block or sub:
                where += _u32(block) + _u32(sub)
                tag = b"*"
            self._put_times(tag, where, count, ticks)

    def _put_times(self, tag: bytes, where: bytes, count: int, ticks: int) -> None:
        """`count` records whose ticks add up exactly."""
        run = self._out.put_run
        if count == 0:
            if ticks == 0:
                return
            count = 1
        base, rest = divmod(ticks, count)
        if base < _TICKS_MAX:
            if rest:
                run(tag + _u32(base + 1) + where, rest)
            run(tag + _u32(base) + where, count - rest)
            return
        full = tag + _u32(_TICKS_MAX) + where
        times, last = divmod(ticks - count * _TICKS_MAX, _TICKS_MAX)
        run(full, count)
        run(b"-" + full, times)
        if last:
            run(b"-" + tag + _u32(last) + where, 1)

    def _write_calls(self, payload: bytes) -> None:
        subs = self._subs
        for offset, (fid, _line, caller, called, count, *times, _depth) in _items(_CALLS, payload):
            if not 0 < fid <= self._fids:
                raise _Refused(offset, f"unknown fid {fid}")
            for sub in (caller or called, called):
                if sub not in subs:
                    raise _Refused(offset, f"unknown sub id {sub}")
            if count > _COUNT_MAX:
                raise _Refused(offset, "impossible count")
            if not all(map(isfinite, times)):
                raise _Refused(offset, _NOT_FINITE)
        for fid, line, caller, called, count, *times, depth in _CALLS.iter_unpack(payload):
            head = b"c" + _u32(fid) + _u32(line) + (subs[caller] if caller else _NO_CALLER)
            tail = _u32(depth) + subs[called]
            # A count that 32 bits don't hold takes several records; all time is in the first.
            some = min(count, _U32_MAX)
            self._out.put(head + _u32(some) + _NV3.pack(*times) + tail)
            while count := count - some:
                some = min(count, _U32_MAX)
                self._out.put(head + _u32(some) + bytes(24) + tail)

    def _write_tree(self, payload: bytes) -> None:
        subs = self._subs
        open_calls = self._open_calls
        for offset, (depth, sub, incl, excl) in _items(_TREE, payload):
            if depth == 0 or depth < open_calls:
                raise _Refused(offset, f"not in post-order: depth {depth}")
            if sub not in subs:
                raise _Refused(offset, f"unknown sub id {sub}")
            if not (isfinite(incl) and isfinite(excl)):
                raise _Refused(offset, _NOT_FINITE)
            open_calls = depth - 1
        self._open_calls = open_calls
        put = self._out.put
        for depth, sub, incl, excl in _TREE.iter_unpack(payload):
            put(b"<" + _u32(depth) + _NV2.pack(incl, excl) + subs[sub])

    def _write_end(self, payload: bytes) -> None:
        if len(payload) > _END.size:
            raise _Refused(0, "bytes behind the last item")
        pid, time, overhead = _Payload(payload).take(_END, 0)
        if pid != self._section:
            raise _Refused(0, f"the open section has another id than {pid}")
        if not isfinite(time):
            raise _Refused(0, _NOT_FINITE)
        if self._open_calls:
            depth = self._open_calls
            raise _Refused(0, f"the call tree still lacks the return at depth {depth}")
        self._overhead += overhead
        self._section = None
        self._out.put(b"p" + _u32(pid) + _NV.pack(time))

    _TOKENS: ClassVar[dict[bytes, Callable[[PyWriter, bytes], None]]] = {
        b"P": _write_start,
        b"F": _write_file,
        b"D": _write_subs,
        b"S": _write_times,
        b"C": _write_calls,
        b"T": _write_tree,
        b"E": _write_end,
    }


# ---- The choice --------------------------------------------------------------------------


class _Debug:
    """A writer that tells what goes through it."""

    _SIZES: ClassVar[dict[bytes, int]] = {b"S": _TIMES.size, b"C": _CALLS.size, b"T": _TREE.size}

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        kind = type(writer)
        _talk.say(f"writer: {kind.__module__}.{kind.__qualname__}")

    def write_chunk(self, token: bytes, payload: bytes, /) -> None:
        items = self._count(token, payload)
        _talk.say(f"chunk {token.decode('latin-1')}: {items} items, {len(payload)} bytes")
        self._writer.write_chunk(token, payload)

    def _count(self, token: bytes, payload: bytes) -> int:
        """Of what the chunk repeats: pairs of P, lines of F, else its items."""
        if token in self._SIZES:
            return len(payload) // self._SIZES[token]
        data = _Payload(payload)
        try:
            if token == b"F":
                data.take(_FILE, 0)
                data.string(0)
                return int(data.take(_LENGTH, 0)[0])
            if token == b"P":
                data.take(_START, 0)
                return sum(1 for _ in self._walk(data, strings=2))
            if token == b"D":
                return sum(1 for _ in self._walk(data, head=_SUB))
        except _Refused:
            return 0  # the writer will say what is wrong
        return 1

    @staticmethod
    def _walk(data: _Payload, head: struct.Struct | None = None, strings: int = 1) -> Iterator[int]:
        while data.more:
            yield data.at
            if head:
                data.take(head, data.at)
            for _ in range(strings):
                data.string(data.at)

    def close(self) -> None:
        self._writer.close()


def _c_writer() -> type[Writer]:
    from pynytprof import _cwrite

    return cast("type[Writer]", _cwrite.Writer)


def writer_class() -> type[Writer]:
    """The writer that PYNYTPROF_WRITER asks for; see :func:`open_writer`."""
    wanted = os.environ.get("PYNYTPROF_WRITER", "")
    if wanted == "py":
        return PyWriter
    if wanted not in ("", "c"):
        raise ValueError(f"PYNYTPROF_WRITER must be c or py, not {wanted!r}")
    try:
        return _c_writer()
    except ImportError as error:
        if wanted == "c":
            raise ImportError(
                f"PYNYTPROF_WRITER=c, but pynytprof._cwrite cannot be loaded: {error}"
            ) from error
        _warn_once(str(error))
        return PyWriter


_warned = False


def _warn_once(cause: str) -> None:
    global _warned
    if not _warned:
        _warned = True
        warnings.warn(
            f"pynytprof._cwrite cannot be loaded, writing in Python: {cause}",
            RuntimeWarning,
            stacklevel=4,
        )


def open_writer(path: StrPath | BinaryFile, compress: int = 1) -> Writer:
    """The writer that PYNYTPROF_WRITER (``c``, ``py``) asks for, opened on `path`.

    Unset, it is the one in C; where that can't be loaded, the one in Python and, once, a
    RuntimeWarning. ``c`` where it can't be loaded is an ImportError, any other value a
    ValueError. With PYNYTPROF_DEBUG set to anything but 0, or the setting ``trace``, the choice
    and each chunk are told on stderr.
    """
    kind = cast("Any", writer_class())
    writer: Writer = kind(path, compress)
    if _talk.wanted():
        return _Debug(writer)
    return writer
