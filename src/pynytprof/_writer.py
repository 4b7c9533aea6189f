"""Mirrors lib/format/chunks.c: chunks to NYTProf profiles.

A *writer* is any object with ``write_chunk(token, payload)`` and ``close()``: see
`Writer`. Two of them make NYTProf files, the same bytes each: ``_cwrite.Writer`` in C,
and `PyWriter` here, which needs nothing but the standard library. `open_writer` chooses.

The chunks, the records made of them and the law by which they are compressed are
described in ``docs/format.md``; ``_pure.chunks`` takes the former apart, ``_pure.writer``
compresses the latter.
"""

from __future__ import annotations

import contextlib
import errno
import os
import warnings
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from ._pure import chunks
from ._pure.chunks import Payload, Refused, items
from ._pure.deflate import NameBlock
from ._pure.writer import (
    IN_BLOCKS,
    LONG,
    NV,
    NV2,
    NV3,
    SHORT,
    BinaryFile,
    Records,
    Sink,
    StrPath,
    string,
    u32,
)  # fmt: skip
from ._run import messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from typing_extensions import Buffer, Self

__all__ = ["BinaryFile", "PyWriter", "Writer", "open_writer"]


class Writer(Protocol):
    """What a tracer needs of a writer; users may bring their own."""

    def write_chunk(self, token: bytes, payload: bytes, /) -> None:
        """Takes one chunk: a token of one byte and its payload."""

    def close(self) -> None:
        """Finishes the profile: no chunk follows."""


# ---- Chunks ---------------------------------------------------------------------------------

_COUNT_MAX = 2**48
_U32_MAX = 2**32 - 1
_U64_MAX = 2**64 - 1
_SUB_ID_MAX = 2**24 - 1
_TICKS_MAX = 2**31 - 1
_NAMES_BLOCK = 256 * 1024  # bytes of records of subs and calls

_NOT_FINITE = "a time is not finite"
_NOBODY = -1  # beside the ids of subs: who calls what is no Python
_NO_CALLER = {0: string(b"python::(start)"), _NOBODY: string(b"")}


def _header_record(key: bytes, value: bytes, offset: int) -> bytes:
    if key[:1] not in (b":", b"!", b"#"):
        raise Refused(offset, "a key must begin with one of : ! #")
    if b"\n" in key or b"=" in key:
        raise Refused(offset, "newline or = in a key")
    if b"\n" in value:
        raise Refused(offset, "newline in a value")
    return b"#" + value + b"\n" if key[0] == ord("#") else key + b"=" + value + b"\n"


def _head_len(text: bytes) -> int:
    """How many bytes of a string come before its text."""
    first = text[1]
    return (
        2
        if first < 0x80
        else 3
        if first < 0xC0
        else 4
        if first < 0xE0
        else 5
        if first < 0xFF
        else 6
    )


def _runs(tag: bytes, where: bytes, count: int, ticks: int) -> Iterator[tuple[bytes, int]]:
    """`count` records whose ticks add up exactly, as (record, how often)."""
    base, rest = divmod(ticks, count) if count else (_TICKS_MAX, 0)
    if base < _TICKS_MAX:
        yield tag + u32(base + 1) + where, rest
        yield tag + u32(base) + where, count - rest
        return
    yield tag + u32(_TICKS_MAX) + where, count
    # Time that belongs to no execution, or to one whose own record is full.
    times, last = divmod(ticks - count * _TICKS_MAX, _TICKS_MAX)
    yield b"-" + tag + u32(_TICKS_MAX) + where, times
    if last:
        yield b"-" + tag + u32(last) + where, 1


class PyWriter:
    """Turns chunks into a NYTProf profile, in Python.

    `path` is a path, or a binary file object, which stays open; `compress` is zlib's
    level, or 0. A chunk that does not follow docs/format.md is a ValueError that names
    its token and the offset in its payload, and leaves no trace; an OSError is final.
    """

    def __init__(self, path: StrPath | BinaryFile, compress: int = 1) -> None:
        if not 0 <= compress <= 9:
            raise ValueError(f"compress must be 0 to 9, not {compress}")
        self._sink = Sink(path)
        self._out = Records(self._sink, compress)
        self._closed = False
        self._failure: BaseException | None = None
        self._begun = False
        self._section: int | None = None
        self._fids = 0
        self._subs: dict[int, bytes] = {}
        self._open_calls = 0
        self._names = NameBlock()
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
        except Refused as refused:
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
            raise Refused(0, f"unknown token, byte {token[0]}")
        if self._section is None and token != b"P":
            raise Refused(0, "no section is open")
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
            raise Refused(0, "the section before has not ended")
        data = Payload(payload)
        pid, parent, time = data.take(chunks.START, 0)
        if not isfinite(time):
            raise Refused(0, _NOT_FINITE)
        if self._begun and data.more:
            raise Refused(data.at, "only the first section has a header")
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
        self._out.put(b"P" + u32(pid) + u32(parent) + NV.pack(time))

    def _write_file(self, payload: bytes) -> None:
        data = Payload(payload)
        fid, parent, line, flags, size, mtime = data.take(chunks.FILE, 0)
        name = data.string(0)
        (lines,) = data.take(chunks.LENGTH, 0)
        if fid != self._fids + 1:
            raise Refused(0, f"fids must be dense and in order, not {fid}")
        if parent > self._fids:
            raise Refused(0, f"unknown parent fid {parent}")
        texts = [data.string(data.at) for _ in range(lines)]
        if data.more:
            raise Refused(data.at, "bytes behind the last item")
        self._fids = fid
        numbers = b"".join(map(u32, (fid, parent, line, flags, size, mtime)))
        self._put_source(b"@" + numbers + string(name), fid, texts)

    def _put_source(self, new_fid: bytes, fid: int, texts: list[bytes]) -> None:
        """A file with source is a segment of its own, or several."""
        put = self._out.put
        if texts:
            self._out.cut()
        put(new_fid)
        head = b"S" + u32(fid)
        for line, text in enumerate(texts, 1):
            put(head + u32(line) + b"'" + u32(len(text)) + text)
        if texts:
            self._out.cut()

    def _write_subs(self, payload: bytes) -> None:
        data = Payload(payload)
        new: dict[int, bytes] = {}
        found = []
        while data.more:
            item = data.at
            sub, fid, first, last = data.take(chunks.SUB, item)
            name = string(data.string(item))
            if not 0 < sub <= _SUB_ID_MAX:
                raise Refused(item, f"impossible sub id {sub}")
            if sub in self._subs or sub in new:
                raise Refused(item, f"a second definition of sub id {sub}")
            if not 0 < fid <= self._fids:
                raise Refused(item, f"unknown fid {fid}")
            new[sub] = name
            found.append((sub, fid, first, last))
        self._subs.update(new)
        for sub, fid, first, last in found:
            self._put_sub(sub, fid, first, last)
        self._end_names()

    def _put_sub(self, sub: int, fid: int, first: int, last: int) -> None:
        name = self._subs[sub]
        if self._out.is_quick:
            self._names.number(b"s" + u32(fid))
            self._names.name(sub, name, _head_len(name))
            self._names.number(u32(first) + u32(last))
            self._names_added()
        else:
            self._out.put(b"s" + u32(fid) + name + u32(first) + u32(last))
        if first == 0 and last == 0:
            # Perl's readers tell a sub of another language by a call from nowhere.
            self._put_calls(b"\0\0", _NOBODY, sub, 0, [0.0, 0.0, 0.0], b"\0")

    def _write_times(self, payload: bytes) -> None:
        for offset, (fid, _line, _block, _sub, count, _excl, _incl) in items(chunks.LINE, payload):
            if not 0 < fid <= self._fids:
                raise Refused(offset, f"unknown fid {fid}")
            if count > _COUNT_MAX:
                raise Refused(offset, "impossible count")
        if self._out.is_quick:
            self._write_runs(payload, IN_BLOCKS)
            self._out.cut()
            return
        self._write_runs(payload, SHORT)
        self._write_runs(payload, LONG)

    def _write_runs(self, payload: bytes, which: int) -> None:
        for fid, line, block, sub, count, ticks, _incl in chunks.LINE.iter_unpack(payload):
            where = u32(fid) + u32(line)
            tag = b"+"
            if block or sub:
                where += u32(block) + u32(sub)
                tag = b"*"
            for record, times in _runs(tag, where, count, ticks):
                self._out.put_run(record, times, which)

    def _write_calls(self, payload: bytes) -> None:
        subs = self._subs
        for offset, item in items(chunks.EDGE, payload):
            fid, _line, caller, called, count, *times, _depth = item
            if not 0 < fid <= self._fids:
                raise Refused(offset, f"unknown fid {fid}")
            for sub in (caller or called, called):
                if sub not in subs:
                    raise Refused(offset, f"unknown sub id {sub}")
            if count > _COUNT_MAX:
                raise Refused(offset, "impossible count")
            if not all(map(isfinite, times)):
                raise Refused(offset, _NOT_FINITE)
        for fid, line, caller, called, count, *times, depth in chunks.EDGE.iter_unpack(payload):
            place, end = u32(fid) + u32(line), u32(depth)
            # A count that 32 bits don't hold takes several records; all time is in the first.
            while True:
                some = min(count, _U32_MAX)
                self._put_calls(place, caller, called, some, times, end)
                count -= some
                if not count:
                    break
                times = [0.0, 0.0, 0.0]
        self._end_names()

    def _put_calls(
        self, place: bytes, caller: int, called: int, count: int, times: list[float], depth: bytes
    ) -> None:
        by = _NO_CALLER.get(caller) or self._subs[caller]
        if not self._out.is_quick:
            record = b"c" + place + by + u32(count) + NV3.pack(*times) + depth
            self._out.put(record + self._subs[called])
            return
        block = self._names
        block.number(b"c" + place)
        block.name(caller, by, _head_len(by))
        block.number(u32(count))
        block.figures(*times)
        block.number(depth)
        block.name(called, self._subs[called], _head_len(self._subs[called]))
        self._names_added()

    def _names_added(self) -> None:
        self._names.end_record()
        if len(self._names.plain) >= _NAMES_BLOCK:
            self._end_names()

    def _end_names(self) -> None:
        """Records of subs and calls are blocks of their own."""
        if self._names.plain:
            self._out.put_packed(*self._names.end())

    def _write_tree(self, payload: bytes) -> None:
        subs = self._subs
        open_calls = self._open_calls
        for offset, (depth, sub, incl, excl) in items(chunks.PATH, payload):
            if depth == 0 or depth < open_calls:
                raise Refused(offset, f"not in post-order: depth {depth}")
            if sub not in subs:
                raise Refused(offset, f"unknown sub id {sub}")
            if not (isfinite(incl) and isfinite(excl)):
                raise Refused(offset, _NOT_FINITE)
            open_calls = depth - 1
        self._open_calls = open_calls
        for depth, sub, incl, excl in chunks.PATH.iter_unpack(payload):
            if not self._out.is_quick:
                self._out.put(b"<" + u32(depth) + NV2.pack(incl, excl) + subs[sub])
                continue
            self._names.number(b"<" + u32(depth))
            self._names.figures(incl, excl)
            self._names.name(sub, subs[sub], _head_len(subs[sub]))
            self._names_added()
        self._end_names()

    def _write_end(self, payload: bytes) -> None:
        if len(payload) > chunks.END.size:
            raise Refused(0, "bytes behind the last item")
        pid, time, overhead = Payload(payload).take(chunks.END, 0)
        if pid != self._section:
            raise Refused(0, f"the open section has another id than {pid}")
        if not isfinite(time):
            raise Refused(0, _NOT_FINITE)
        if self._open_calls:
            depth = self._open_calls
            raise Refused(0, f"the call tree still lacks the return at depth {depth}")
        self._overhead += overhead
        self._section = None
        self._out.put(b"p" + u32(pid) + NV.pack(time))

    def _write_context(self, payload: bytes) -> None:
        if len(payload) > chunks.CONTEXT.size:
            raise Refused(0, "bytes behind the last item")
        (context,) = Payload(payload).take(chunks.CONTEXT, 0)
        self._out.put(b"#of unit %d\n" % context)

    _TOKENS: ClassVar[dict[bytes, Callable[[PyWriter, bytes], None]]] = {
        b"P": _write_start,
        b"F": _write_file,
        b"D": _write_subs,
        b"S": _write_times,
        b"C": _write_calls,
        b"T": _write_tree,
        b"E": _write_end,
        b"U": _write_context,
    }


# ---- The choice --------------------------------------------------------------------------


class _Debug:
    """A writer that tells what goes through it."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        kind = type(writer)
        messages.say(f"writer: {kind.__module__}.{kind.__qualname__}")

    def write_chunk(self, token: bytes, payload: bytes, /) -> None:
        count = chunks.count_items(token, payload)
        messages.say(f"chunk {token.decode('latin-1')}: {count} items, {len(payload)} bytes")
        self._writer.write_chunk(token, payload)

    def close(self) -> None:
        self._writer.close()


def _c_writer() -> type[Writer]:
    from pynytprof import _cwrite

    return cast("type[Writer]", _cwrite.Writer)


# Loaded now: a child that is forked while a thread's first use loads it would wait for ever.
if os.environ.get("PYNYTPROF_WRITER") != "py":
    with contextlib.suppress(ImportError):
        _c_writer()


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
    if messages.wanted():
        return _Debug(writer)
    return writer
