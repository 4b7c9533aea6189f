"""What a profile costs to write, in C and in Python.

A stream of chunks as a large program makes it, with the standard library's own sources, is
written by both writers in interleaved rounds, to a file that keeps nothing. At level 0 that is
all there is; at level 1 both have zlib do the same work, and what it takes for itself, called
from Python, is told as well.

    python bench/bench_writer.py [--rounds N] [--files N] [--lines N]
"""

from __future__ import annotations

import argparse
import io
import random
import statistics
import struct
import sysconfig
import time
import zlib
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any
from unittest import mock

from pynytprof import _cwrite, _writer

Chunk = tuple[bytes, bytes]

TIMES, CALLS = struct.Struct("<IIIIQQQ"), struct.Struct("<IIIIQdddI")
ITEMS_PER_CHUNK = 8192


def string(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data


def sources(files: int) -> list[list[bytes]]:
    """The lines of the first `files` modules of the standard library."""
    found = sorted(Path(sysconfig.get_path("stdlib")).glob("**/*.py"))
    wanted = islice((p for p in found if p.stat().st_size > 4000), files)
    return [path.read_bytes().splitlines(keepends=True) for path in wanted]


def batches(token: bytes, items: list[bytes]) -> list[Chunk]:
    starts = range(0, len(items), ITEMS_PER_CHUNK)
    return [(token, b"".join(items[at : at + ITEMS_PER_CHUNK])) for at in starts]


def line_items(rnd: random.Random, texts: list[list[bytes]], args: Any) -> list[bytes]:
    """Most lines run a few times, a few very often."""
    places = [(f, n) for f, text in enumerate(texts, 1) for n in range(1, len(text) + 1)]
    items = []
    for place in sorted(rnd.sample(places, min(args.lines, len(places)))):
        count = int(10 ** rnd.triangular(0, args.decades, 0))
        ticks = int(count * 10 ** rnd.uniform(0, 3))
        items.append(TIMES.pack(*place, 0, 0, count, ticks, ticks))
    return items


def tree_items(rnd: random.Random, nodes: int, subs: int) -> list[bytes]:
    """A tree in post-order that wanders up and down."""
    items, depth = [], 0
    for _ in range(nodes):
        depth = max(depth, 1) + (rnd.randrange(3) if depth < 60 else 0)
        ticks = rnd.randrange(1, 100_000)
        items.append(struct.pack("<IIdd", depth, rnd.randint(1, subs), 3 * ticks, ticks))
        depth -= 1
    closing = range(depth, 0, -1)
    return items + [struct.pack("<IIdd", above, 1, 9.0, 1.0) for above in closing]


def call_items(rnd: random.Random, texts: list[list[bytes]], edges: int, subs: int) -> list[bytes]:
    items = []
    for _ in range(edges):
        fid = rnd.randrange(len(texts))
        place = (fid + 1, rnd.randint(1, len(texts[fid])))
        pair = (rnd.randint(1, subs), rnd.randint(1, subs))
        count = int(10 ** rnd.uniform(0, 5))
        items.append(CALLS.pack(*place, *pair, count, rnd.random(), rnd.random(), 0.0, 0))
    return items


def profile(args: argparse.Namespace) -> list[Chunk]:
    rnd = random.Random(1)
    texts = sources(args.files)
    subs = len(texts) * 20
    header = {b":basetime": b"1", b":application": b"bench", b":ticks_per_sec": b"10000000"}
    pairs = b"".join(string(k) + string(v) for k, v in header.items())
    chunks = [(b"P", struct.pack("<IId", 1, 0, 1.0) + pairs)]
    for fid, text in enumerate(texts, 1):
        head = struct.pack("<6I", fid, 0, 0, 0x32, 0, 0) + string(b"/lib/module%d.py" % fid)
        body = struct.pack("<I", len(text)) + b"".join(map(string, text))
        chunks.append((b"F", head + body))
    names = [b"package%d::module::Class::method%d" % (i % 97, i) for i in range(1, subs + 1)]
    defined = [
        struct.pack("<4I", i, i % len(texts) + 1, i, i + 9) + string(name)
        for i, name in enumerate(names, 1)
    ]
    chunks += batches(b"D", defined)
    chunks += batches(b"S", line_items(rnd, texts, args))
    chunks += batches(b"C", call_items(rnd, texts, args.edges, subs))
    chunks += batches(b"T", tree_items(rnd, args.nodes, subs))
    return [*chunks, (b"E", struct.pack("<IdQ", 1, 9.0, 0))]


class Discard(io.RawIOBase):
    """A file that costs nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.size = 0

    def write(self, data: Any, /) -> int:
        self.size += len(data)
        return len(data)


def write(make: Callable[..., Any], chunks: list[Chunk], level: int) -> tuple[float, int]:
    """(seconds, bytes of the file)."""
    out = Discard()
    begun = time.perf_counter()
    with make(out, level) as writer:
        for token, payload in chunks:
            writer.write_chunk(token, payload)
    return time.perf_counter() - begun, out.size


def zlib_alone(chunks: list[Chunk], level: int) -> Callable[[], float]:
    """Compresses what the writers give to zlib, and nothing else."""
    pieces: list[tuple[bytes, int]] = []

    class Note:
        """In the place of a compressor."""

        def __init__(self, level: int, *_: int) -> None:
            self._level = level

        def compress(self, piece: bytes) -> bytes:
            pieces.append((piece, self._level))
            return b""

        def flush(self, _: int) -> bytes:
            return b""

    with mock.patch("zlib.compressobj", Note):
        write(_writer.PyWriter, chunks, level)

    def run() -> float:
        begun = time.perf_counter()
        for piece, piece_level in pieces:
            zlib.adler32(piece)
            packer = zlib.compressobj(piece_level, zlib.DEFLATED, -15, 9)
            packer.compress(piece)
            packer.flush(zlib.Z_FULL_FLUSH)
        return time.perf_counter() - begun

    return run


def describe(seconds: list[float]) -> str:
    middle = statistics.median(seconds)
    return f"{middle * 1000:8.1f} ms (from {min(seconds) * 1000:.1f} to {max(seconds) * 1000:.1f})"


def compare(chunks: list[Chunk], level: int, rounds: int) -> None:
    in_c, in_python, in_zlib = [], [], []
    zlib_only = zlib_alone(chunks, level) if level else lambda: 0.0
    for _ in range(rounds):
        seconds, size = write(_cwrite.Writer, chunks, level)
        in_c.append(seconds)
        seconds, same_size = write(_writer.PyWriter, chunks, level)
        in_python.append(seconds)
        in_zlib.append(zlib_only())
        assert size == same_size
    c, python, packing = map(statistics.median, (in_c, in_python, in_zlib))
    print(f"level {level}: {size / 1e6:.1f} MB")
    print(f"  C      {describe(in_c)}")
    print(f"  Python {describe(in_python)}")
    print(f"  Python / C = {python / c:.1f}")
    if level:
        print(f"  zlib   {describe(in_zlib)}")
        print(f"  of the time in Python {packing / python:.0%} is zlib's")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--files", type=int, default=400)
    parser.add_argument("--lines", type=int, default=100_000)
    parser.add_argument("--edges", type=int, default=30_000)
    parser.add_argument("--nodes", type=int, default=300_000)
    parser.add_argument("--decades", type=float, default=4, help="magnitude of largest counts")
    args = parser.parse_args()
    chunks = profile(args)
    payload = sum(len(data) for _, data in chunks)
    print(f"{len(chunks)} chunks, {payload / 1e6:.1f} MB; {args.rounds} rounds, medians")
    for level in (0, 1):
        compare(chunks, level, args.rounds)


if __name__ == "__main__":
    main()
