"""Chunks as docs/format.md describes them, made by hand or by a tracer."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Generic, TypeVar

Chunk = tuple[bytes, bytes]

START, FILE, SUB = struct.Struct("<IId"), struct.Struct("<IIIIII"), struct.Struct("<IIII")
TIMES, CALLS = struct.Struct("<IIIIQQQ"), struct.Struct("<IIIIQdddI")
TREE, END = struct.Struct("<IIdd"), struct.Struct("<IdQ")
CONTEXT = struct.Struct("<I")


def string(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("<I", len(data)) + data


def start(ident: int, parent: int, time: float = 10.0, **header: str) -> Chunk:
    pairs = b"".join(string(f":{key}") + string(value) for key, value in header.items())
    return b"P", START.pack(ident, parent, time) + pairs


def file(fid: int, name: str, lines: tuple[str, ...] = (), parent: int = 0, line: int = 0) -> Chunk:
    head = FILE.pack(fid, parent, line, 0x32, 0, 0) + string(name)
    return b"F", head + struct.pack("<I", len(lines)) + b"".join(map(string, lines))


def sub(ident: int, fid: int, first: int, last: int, name: str) -> bytes:
    return SUB.pack(ident, fid, first, last) + string(name)


def end(ident: int, time: float = 12.0, overhead: int = 0) -> Chunk:
    return b"E", END.pack(ident, time, overhead)


def lines(count: int, ticks: int, *, line: int = 2, block: int = 0) -> Chunk:
    return b"S", TIMES.pack(1, line, block, block, count, ticks, ticks)


Place = TypeVar("Place", int, str)  # of files and subs: their numbers, or their names


@dataclass
class Edge(Generic[Place]):
    """All calls of one sub from one line of another."""

    file: Place
    line: int
    caller: Place
    callee: Place
    count: int
    incl: float
    excl: float
    reci: float
    depth: int
