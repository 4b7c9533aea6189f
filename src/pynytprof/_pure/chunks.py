"""Mirrors lib/format/chunks.c and the payloads of ext/trace/emit.c: chunks, packed and unpacked.

Little-endian and packed; a string is its length as u32 and its bytes in UTF-8. docs/format.md
has the layouts.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

WriteChunk = Callable[[bytes, bytes], object]

ITEMS_PER_CHUNK = 8192
"""Tables are cut into chunks of this many items, so that no payload grows without bound."""

START = struct.Struct("<IId")
FILE = struct.Struct("<6I")
SUB = struct.Struct("<4I")
LINE = struct.Struct("<4I3Q")
EDGE = struct.Struct("<4IQ3dI")
PATH = struct.Struct("<IIdd")
END = struct.Struct("<IdQ")
CONTEXT = struct.Struct("<I")
LENGTH = struct.Struct("<I")

SubItem = tuple[int, int, int, int, str]
LineItem = tuple[int, int, int, int, int, int, int]
EdgeItem = tuple[int, int, int, int, int, float, float, float, int]
PathItem = tuple[int, int, int, int]

# ---- Packing ----


def string(text: str) -> bytes:
    """One string of a payload. What UTF-8 can't hold becomes ``?``."""
    raw = text.encode("utf-8", "replace")
    return LENGTH.pack(len(raw)) + raw


def pairs(items: Iterable[tuple[str, str]]) -> bytes:
    """The header: (key, value) pairs as they follow the first section's start."""
    return b"".join(string(key) + string(value) for key, value in items)


def start(ident: int, parent: int, wall: float, header: bytes = b"") -> bytes:
    """``P``; ``wall`` in seconds since the epoch."""
    return START.pack(ident, parent, wall) + header


def end(ident: int, wall: float, overhead_ticks: int) -> bytes:
    """``E``."""
    return END.pack(ident, wall, overhead_ticks)


def file(
    fid: int, parent: int, parent_line: int, flags: int, name: str, lines: Sequence[str]
) -> bytes:
    """``F``, with the file's text."""
    fields = FILE.pack(fid, parent, parent_line, flags, 0, 0)
    return fields + string(name) + LENGTH.pack(len(lines)) + b"".join(map(string, lines))


def write_subs(put: WriteChunk, subs: Iterable[SubItem]) -> None:
    """``D``: (sub id, fid, first line, last line, name)."""
    _write_all(put, b"D", (SUB.pack(*item[:4]) + string(item[4]) for item in subs))


def write_lines(put: WriteChunk, lines: Iterable[LineItem]) -> None:
    """``S``: (fid, line, block line, sub line, count, exclusive and inclusive ticks)."""
    _write_all(put, b"S", (LINE.pack(*item) for item in lines))


def write_edges(put: WriteChunk, edges: Iterable[EdgeItem]) -> None:
    """``C``: (fid, line, caller, callee, count, incl, excl, reci in seconds, depth)."""
    _write_all(put, b"C", (EDGE.pack(*item) for item in edges))


def write_paths(put: WriteChunk, paths: Iterable[PathItem]) -> None:
    """``T``: (depth, sub id, inclusive ticks, exclusive ticks), in post-order."""
    _write_all(put, b"T", (PATH.pack(*item) for item in paths))


def _write_all(put: WriteChunk, token: bytes, items: Iterator[bytes]) -> None:
    batch: list[bytes] = []
    for item in items:
        batch.append(item)
        if len(batch) == ITEMS_PER_CHUNK:
            put(token, b"".join(batch))
            batch = []
    if batch:
        put(token, b"".join(batch))


# ---- Unpacking ----


class Refused(Exception):
    """A payload does not follow docs/format.md at ``offset``."""

    def __init__(self, offset: int, reason: str) -> None:
        super().__init__(offset, reason)
        self.offset = offset
        self.reason = reason


_CUT_SHORT = "ends in the middle of an item"


class Payload:
    """Values taken from the front of a payload."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def more(self) -> bool:
        """Whether anything is left."""
        return self.at < len(self.data)

    def take(self, layout: struct.Struct, item: int) -> tuple[Any, ...]:
        """``item`` is where what this belongs to begins."""
        if len(self.data) - self.at < layout.size:
            raise Refused(item, _CUT_SHORT)
        self.at += layout.size
        return layout.unpack_from(self.data, self.at - layout.size)

    def string(self, item: int) -> bytes:
        """A length and as many bytes."""
        (length,) = self.take(LENGTH, item)
        if len(self.data) - self.at < length:
            raise Refused(item, _CUT_SHORT)
        self.at += length
        return self.data[self.at - length : self.at]


def items(layout: struct.Struct, data: bytes) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """(offset, values) of each item of a payload that is nothing but such items."""
    whole = len(data) // layout.size * layout.size
    offsets = range(0, whole, layout.size)
    yield from zip(offsets, layout.iter_unpack(memoryview(data)[:whole]), strict=True)
    if whole != len(data):
        raise Refused(whole, _CUT_SHORT)


def count_items(token: bytes, payload: bytes) -> int:
    """How much of what such a chunk repeats it has: pairs of ``P``, lines of ``F``, items.

    0 where the payload is not sound.
    """
    if token in _SIZES:
        return len(payload) // _SIZES[token]
    data = Payload(payload)
    try:
        if token == b"F":
            data.take(FILE, 0)
            data.string(0)
            return int(data.take(LENGTH, 0)[0])
        if token == b"P":
            data.take(START, 0)
            return _count_rest(data, strings=2)
        if token == b"D":
            return _count_rest(data, SUB)
    except Refused:
        return 0
    return 1


_SIZES = {b"S": LINE.size, b"C": EDGE.size, b"T": PATH.size}


def _count_rest(data: Payload, head: struct.Struct | None = None, strings: int = 1) -> int:
    """Items of a ``head`` and so many strings, up to the end."""
    found = 0
    while data.more:
        if head:
            data.take(head, data.at)
        for _ in range(strings):
            data.string(data.at)
        found += 1
    return found
