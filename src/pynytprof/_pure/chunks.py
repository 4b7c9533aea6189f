"""The tracer's tables as chunks: the payloads that ``write_chunk`` takes.

Little-endian and packed; a string is its length as u32 and its bytes in UTF-8.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator

from .files import NOT_A_FILE, SourceFile

WriteChunk = Callable[[bytes, bytes], object]

ITEMS_PER_CHUNK = 8192
"""Tables are cut into chunks of this many items, so that no payload grows without bound."""

_U32 = struct.Struct("<I")
_START = struct.Struct("<IId")
_FILE = struct.Struct("<6I")
_SUB = struct.Struct("<4I")
_LINE = struct.Struct("<4I3Q")
_EDGE = struct.Struct("<4IQ3dI")
_PATH = struct.Struct("<IIdd")
_END = struct.Struct("<IdQ")

LineItem = tuple[int, int, int, int, int, int, int]
EdgeItem = tuple[int, int, int, int, int, float, float, float, int]
PathItem = tuple[int, int, int, int]


def string(text: str) -> bytes:
    """One string of a payload. What UTF-8 can't hold becomes ``?``."""
    raw = text.encode("utf-8", "replace")
    return _U32.pack(len(raw)) + raw


def pairs(items: Iterable[tuple[str, str]]) -> bytes:
    """The header: (key, value) pairs as they follow the first section's start."""
    return b"".join(string(key) + string(value) for key, value in items)


def start(ident: int, parent: int, wall: float, header: bytes = b"") -> bytes:
    """``P``; ``wall`` in seconds since the epoch."""
    return _START.pack(ident, parent, wall) + header


def end(ident: int, wall: float, overhead_ticks: int) -> bytes:
    """``E``."""
    return _END.pack(ident, wall, overhead_ticks)


_NO_TEXT = "# the text of this code is not known\n"
_MOST_UNKNOWN_LINES = 10_000


def file(item: SourceFile, last_line: int) -> bytes:
    """``F``, with the file's text.

    Code that is in no file and of unknown text gets lines up to ``last_line``, its subs' last:
    the report would cut off the end of its page, which others link to.
    """
    fields = _FILE.pack(item.fid, item.parent, item.parent_line, item.flags, 0, 0)
    lines = item.lines
    unnamed = item.parent or item.flags & NOT_A_FILE
    if not lines and unnamed and 0 < last_line <= _MOST_UNKNOWN_LINES:
        lines = [_NO_TEXT, *["\n"] * (last_line - 1)]
    return fields + string(item.name) + _U32.pack(len(lines)) + b"".join(map(string, lines))


def write_subs(put: WriteChunk, subs: Iterable[tuple[int, int, int, int, str]]) -> None:
    """``D``: (sub id, fid, first line, last line, name)."""
    _write_all(put, b"D", (_SUB.pack(*item[:4]) + string(item[4]) for item in subs))


def write_lines(put: WriteChunk, lines: Iterable[LineItem]) -> None:
    """``S``: (fid, line, block line, sub line, count, exclusive and inclusive ticks)."""
    _write_all(put, b"S", (_LINE.pack(*item) for item in lines))


def write_edges(put: WriteChunk, edges: Iterable[EdgeItem]) -> None:
    """``C``: (fid, line, caller, callee, count, incl, excl, reci in seconds, depth)."""
    _write_all(put, b"C", (_EDGE.pack(*item) for item in edges))


def write_paths(put: WriteChunk, paths: Iterable[PathItem]) -> None:
    """``T``: (depth, sub id, inclusive ticks, exclusive ticks), in post-order."""
    _write_all(put, b"T", (_PATH.pack(*item) for item in paths))


def _write_all(put: WriteChunk, token: bytes, items: Iterator[bytes]) -> None:
    batch: list[bytes] = []
    for item in items:
        batch.append(item)
        if len(batch) == ITEMS_PER_CHUNK:
            put(token, b"".join(batch))
            batch = []
    if batch:
        put(token, b"".join(batch))
