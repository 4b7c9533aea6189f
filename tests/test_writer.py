"""Chunks as docs/format.md describes them, through both writers."""

from __future__ import annotations

import errno
import io
import os
import random
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pynytprof import _cwrite, _writer

Chunk = tuple[bytes, bytes]
MakeWriter = Callable[..., Any]
WRITERS = {"c": _cwrite.Writer, "py": _writer.PyWriter}


@pytest.fixture(params=WRITERS)
def make(request: pytest.FixtureRequest) -> MakeWriter:
    return WRITERS[request.param]


# ---- The structs of docs/format.md ----

START, FILE, SUB = struct.Struct("<IId"), struct.Struct("<IIIIII"), struct.Struct("<IIII")
TIMES, CALLS = struct.Struct("<IIIIQQQ"), struct.Struct("<IIIIQdddI")
TREE, END = struct.Struct("<IIdd"), struct.Struct("<IdQ")


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


def written(make: MakeWriter, chunks: list[Chunk], compress: int) -> bytes:
    out = io.BytesIO()
    with make(out, compress) as writer:
        for token, payload in chunks:
            writer.write_chunk(token, payload)
    return out.getvalue()


def stream_of(profile: bytes) -> bytes:
    """The zlib stream of a compressed profile, and what is behind it."""
    return profile[profile.index(b"\nz\x78\x9c") + 2 :]


def inflated(profile: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    plain = unpacker.decompress(stream_of(profile))
    assert unpacker.eof  # the checksum was right as well
    assert re.fullmatch(
        rb"#\n# Compressed %d bytes to \d+, ratio [\d.]+:1, data shrunk by -?[\d.]+%%\n"
        % len(plain),
        unpacker.unused_data,
    )
    return plain


NV = struct.Struct("<d").pack

SMALL = [
    (b"P", START.pack(300, 1, 10.0) + string(":basetime") + string("10") + string("!calls")
     + string("1") + string("#") + string("a note")),
    file(1, "/a.py", ("f()\n", "é")),
    file(2, "(eval 1)[/a.py:1]", (), 1, 1),
    (b"D", sub(2, 1, 1, 2, "a::f") + sub(1, 1, 0, 0, "builtins::len")),
    (b"S", TIMES.pack(1, 200, 0, 0, 3, 8, 9) + TIMES.pack(2, 1, 5, 6, 1, 0, 0)
     + TIMES.pack(1, 1, 0, 0, 0, 4, 4)),
    (b"C", CALLS.pack(1, 1, 0, 2, 1, 1.0, 0.5, 0.25, 7) + CALLS.pack(1, 1, 2, 1, 4, 0, 0, 0, 0)),
    (b"T", TREE.pack(2, 1, 3.0, 3.0) + TREE.pack(1, 2, 9.0, 6.0)),
    end(300, 12.0, 30),
    start(301, 300, 11.0),
    end(301, 12.0, 3),
]  # fmt: skip

SMALL_HEADER = b"NYTProf 5 0\n:basetime=10\n!calls=1\n#a note\n"

SMALL_RECORDS = b"".join(
    [
        b"P\x81\x2c\x01" + NV(10),
        b"@\x01\0\0\x32\0\0'\x05/a.py",
        b"S\x01\x01'\x04f()\nS\x01\x02'\x02\xc3\xa9",
        b"@\x02\x01\x01\x32\0\0'\x11(eval 1)[/a.py:1]",
        b"s\x01'\x04a::f\x01\x02",
        b"s\x01'\x0dbuiltins::len\0\0",
        b"c\0\0'\0\0" + NV(0) * 3 + b"\0'\x0dbuiltins::len",
        b"+\x03\x01\x80\xc8+\x03\x01\x80\xc8+\x02\x01\x80\xc8",
        b"*\0\x02\x01\x05\x06",
        b"-+\x04\x01\x01",
        b"c\x01\x01'\x0fpython::(start)\x01" + NV(1) + NV(0.5) + NV(0.25) + b"\x07'\x04a::f",
        b"c\x01\x01'\x04a::f\x04" + NV(0) * 3 + b"\0'\x0dbuiltins::len",
        b"<\x02" + NV(3) + NV(3) + b"'\x0dbuiltins::len",
        b"<\x01" + NV(9) + NV(6) + b"'\x04a::f",
        b"p\x81\x2c" + NV(12),
        b"P\x81\x2d\x81\x2c" + NV(11),
        b"p\x81\x2d" + NV(12),
        b":cumulative_overhead_ticks=33\n",
    ]
)


def test_the_documented_structs_become_the_documented_records(make: MakeWriter) -> None:
    assert written(make, SMALL, 0) == SMALL_HEADER + SMALL_RECORDS


@pytest.mark.parametrize("level", range(1, 10))
def test_compressed_is_the_same_and_says_with_what(make: MakeWriter, level: int) -> None:
    profile = written(make, SMALL, level)
    note = f"#Compressed at level {level} with zlib {zlib.ZLIB_RUNTIME_VERSION}\nz"
    assert profile.startswith(SMALL_HEADER + note.encode() + b"\x78\x9c")
    assert inflated(profile) == SMALL_RECORDS


def test_the_structs_are_those_of_the_page() -> None:
    page = (Path(__file__).parent.parent / "docs" / "format.md").read_text(encoding="utf-8")
    headings = dict(re.findall(r"^### `(\w)`, [^`\n]*`(<\w+)`", page, re.MULTILINE))
    ours = {"P": START, "F": FILE, "S": TIMES, "C": CALLS, "T": TREE, "E": END}
    assert {token: headings[token] for token in ours} == {t: s.format for t, s in ours.items()}
    assert headings["D"] == SUB.format + "s"


# ---- Both alike ----


def random_file(rnd: random.Random, fid: int) -> Chunk:
    source = [("x" * rnd.randrange(90)) + "\n" for _ in range(rnd.choice([0, 1, 50, 4000]))]
    if rnd.random() < 0.1:
        source.append("y" * 300_000)
    return file(fid, f"/a/é{fid}.py", tuple(source), parent=rnd.randrange(fid), line=fid)


def random_line(rnd: random.Random, fids: int) -> bytes:
    count = int(10 ** rnd.uniform(0, 4.5)) - 1
    if rnd.random() < 0.005:
        count = int(10 ** rnd.uniform(5, 8))
    each = rnd.choice([0, 1, 100.3, 20_000.7, 2.0**31 - 1, 2.0**33] if count < 50 else [0, 9.4])
    block = rnd.choice([0, 0, 0, rnd.randrange(9)])
    line = int(10 ** rnd.uniform(0, 5))
    return TIMES.pack(rnd.randint(1, fids), line, block, block, count, int(count * each), 0)


def random_tree(rnd: random.Random, subs: int) -> bytes:
    depth, items = 0, []
    for _ in range(rnd.randrange(3000)):
        depth = max(depth, 1) + rnd.randrange(3)
        items.append(TREE.pack(depth, rnd.randint(1, subs), rnd.randrange(9999), 1.0))
        depth -= 1
    items += [TREE.pack(above, 1, 5.0, 5.0) for above in range(depth, 0, -1)]
    return b"".join(items)


def random_calls(rnd: random.Random, fids: int, subs: int) -> bytes:
    counts = [0, 1, 70, 2**32 - 1, 2**32, 2**34]
    return b"".join(
        CALLS.pack(
            rnd.randint(1, fids),
            rnd.randrange(900),
            rnd.randint(0, subs),
            rnd.randint(1, subs),
            rnd.choice(counts),
            rnd.random(),
            rnd.random(),
            rnd.random(),
            rnd.randrange(200),
        )
        for _ in range(rnd.randrange(1000))
    )


def random_profile(seed: int) -> Iterator[Chunk]:
    rnd = random.Random(seed)
    fids, subs = rnd.randint(1, 5), rnd.randint(1, 200)
    yield start(100, 1, basetime="10", application="a=b")
    yield from (random_file(rnd, fid) for fid in range(1, fids + 1))
    idents = rnd.sample(range(1, subs + 1), subs)
    ranges = [(0, 0), (1, 200_000_000), (3, 3)]
    for some in (idents[::2], idents[1::2]):
        fid = rnd.randint(1, fids)
        yield b"D", b"".join(sub(i, fid, *rnd.choice(ranges), f"m::f{i}") for i in some)
    for lane in range(rnd.randint(1, 3)):
        if lane:
            yield start(100 + lane, 100)
        for _ in range(2):
            yield b"S", b"".join(random_line(rnd, fids) for _ in range(rnd.randrange(300)))
        yield b"C", random_calls(rnd, fids, subs)
        tree = random_tree(rnd, subs)
        middle = rnd.randrange(len(tree) // TREE.size + 1) * TREE.size
        yield b"T", tree[:middle]
        yield b"T", tree[middle:]
        yield end(100 + lane, overhead=rnd.randrange(2**40))


@pytest.mark.parametrize("seed", range(20))
def test_both_writers_give_the_same_bytes(seed: int) -> None:
    chunks = list(random_profile(seed))
    level = 1 + seed % 9
    in_c = written(_cwrite.Writer, chunks, level)
    assert in_c == written(_writer.PyWriter, chunks, level)
    if len(in_c) < 1_000_000:
        plain = inflated(in_c)
        assert plain.startswith(b"P\x64\x01")
        assert plain.endswith(b"\n")


def test_both_writers_give_the_same_bytes_uncompressed() -> None:
    chunks = [chunk for chunk in random_profile(3) if chunk[0] != b"S"]
    assert written(_cwrite.Writer, chunks, 0) == written(_writer.PyWriter, chunks, 0)


# ---- Counts and ticks ----


def run_of(make: MakeWriter, level: int, count: int, ticks: int, block: int = 0) -> bytes:
    """The profile of a program with one line."""
    chunks = [start(1, 0), file(1, "/a.py"), lines(count, ticks, block=block), end(1)]
    return written(make, chunks, level)


TIME = re.compile(rb"(-?)\+(?:\xff(....)|([\xe0-\xfe]...)|([\xc0-\xdf]..)|([\x80-\xbf].)|(.))"
                  rb"\x01\x02", re.DOTALL)  # fmt: skip
TOP_BITS = {3: 0x0FFFFFFF, 4: 0x1FFFFF, 5: 0x3FFF, 6: 0x7F, 2: 0xFFFFFFFF}


def times_of(profile: bytes, level: int) -> list[tuple[bool, int]]:
    """(discounted, ticks) of each TIME_LINE of run_of()."""
    plain = inflated(profile) if level else profile
    head = plain.index(b"'\x05/a.py") + 7
    body = plain[head : plain.index(b"p\x01" + NV(12.0))]
    found, at = [], 0
    while at < len(body):
        match = TIME.match(body, at)
        assert match
        group = match.lastindex or 0
        ticks = int.from_bytes(match[group], "big") & TOP_BITS[group]
        found.append((bool(match[1]), ticks))
        at = match.end()
    return found


@pytest.mark.parametrize(
    ("count", "ticks", "counted", "discounted"),
    [
        (0, 0, 0, 0),
        (0, 5, 0, 1),
        (1, 0, 1, 0),
        (3, 8, 3, 0),
        (1, 2**31 - 1, 1, 0),
        (1, 2**31, 1, 1),
        (2, 2 * (2**31 - 1), 2, 0),
        (2, 2 * (2**31 - 1) + 1, 2, 1),
        (3, 10**11, 3, 44),
        (0, 2**40, 0, 513),
        (50_000, 12_345_678, 50_000, 0),
    ],
)
@pytest.mark.parametrize("level", [0, 1])
def test_ticks_add_up_exactly(
    make: MakeWriter, level: int, count: int, ticks: int, counted: int, discounted: int
) -> None:
    times = times_of(run_of(make, level, count, ticks), level)
    assert sum(ticks for _, ticks in times) == ticks
    assert [sum(not d for d, _ in times), sum(d for d, _ in times)] == [counted, discounted]
    assert all(ticks < 2**31 for _, ticks in times)
    assert times == sorted(times, key=lambda time: time[0])  # the counted ones first


def test_a_million_executions_uncompressed(make: MakeWriter) -> None:
    profile = run_of(make, 0, 10**6, 10**6 + 1)
    assert profile.count(b"+\x01\x01\x02") == 10**6 - 1
    assert profile.count(b"+\x02\x01\x02") == 1


def test_ten_million_executions_inflate_to_ten_million_records(make: MakeWriter) -> None:
    assert inflated(run_of(make, 1, 10**7, 7 * 10**7)).count(b"+\x07\x01\x02") == 10**7


def adler_join(x: int, y: int, y_len: int) -> int:
    """The formula of docs/format.md."""
    low = ((x & 0xFFFF) + (y & 0xFFFF) + 65520) % 65521
    high = ((x >> 16) + (y >> 16) + y_len * ((x & 0xFFFF) + 65520)) % 65521
    return high << 16 | low


def test_the_formula_for_checksums_is_right() -> None:
    rnd = random.Random(5)
    for _ in range(50):
        x, y = rnd.randbytes(rnd.randrange(2000)), rnd.randbytes(rnd.randrange(2000))
        assert adler_join(zlib.adler32(x), zlib.adler32(y), len(y)) == zlib.adler32(x + y)


def segments_of(profile: bytes) -> Iterator[tuple[bytes, int]]:
    """(inflated segment, how often it comes in a row), then the checksum of all as such."""
    stream = stream_of(profile)
    at = 2
    while stream[at : at + 2] != b"\x03\x00":
        close = stream.index(b"\0\0\xff\xff", at) + 4
        packed = stream[at:close]
        times = 1
        while stream.startswith(packed, at + times * len(packed)):
            times += 1
        yield zlib.decompressobj(-15).decompress(packed), times
        at += times * len(packed)
    yield stream[at + 2 : at + 6], 0


@pytest.mark.parametrize("level", range(1, 10))
def test_a_billion_executions_are_a_few_megabytes(make: MakeWriter, level: int) -> None:
    profile = run_of(make, level, 10**9, 10**9)
    assert len(profile) < 12_000_000
    count, adler = 0, 1
    for plain, times in segments_of(profile):
        if not times:
            assert plain == adler.to_bytes(4, "big")
        count += plain.count(b"+\x01\x01\x02") * times
        one = zlib.adler32(plain)
        for _ in range(times):
            adler = adler_join(adler, one, len(plain))
    assert count == 10**9


# ---- Chunks that are refused ----

OPEN = SMALL[:4]  # a section with two files and two subs

BAD: list[tuple[bytes, bytes, int, str]] = [
    (b"X", b"", 0, "chunk ?: unknown token, byte 88"),
    (b"\xf0", b"", 0, "chunk ?: unknown token, byte 240"),
    (b"P", START.pack(9, 300, 0), 0, "chunk P: the section before has not ended"),
    (b"F", FILE.pack(3, 0, 0, 0, 0, 0)[:-1], 0, "chunk F: ends in the middle of an item"),
    (b"F", file(3, "abc")[1][:-5], 0, "chunk F: ends in the middle of an item"),
    (b"F", file(3, "abc")[1][:-1], 0, "chunk F: ends in the middle of an item"),
    (b"F", file(3, "a", ("xy", "z"))[1][:-1], 39, "chunk F: ends in the middle of an item"),
    (b"F", file(3, "a", ("xy",))[1] + b"!", 39, "chunk F: bytes behind the last item"),
    (b"F", file(4, "a")[1], 0, "chunk F: fids must be dense and in order, not 4"),
    (b"F", file(1, "a")[1], 0, "chunk F: fids must be dense and in order, not 1"),
    (b"F", file(3, "a", (), 3, 1)[1], 0, "chunk F: unknown parent fid 3"),
    (b"D", sub(3, 1, 1, 1, "a::b")[:-1], 0, "chunk D: ends in the middle of an item"),
    (b"D", sub(3, 1, 1, 1, "a::b") + b"1", 24, "chunk D: ends in the middle of an item"),
    (b"D", sub(0, 1, 1, 1, "a::b"), 0, "chunk D: impossible sub id 0"),
    (b"D", sub(2**24, 1, 1, 1, "a::b"), 0, "chunk D: impossible sub id 16777216"),
    (b"D", sub(2, 1, 1, 1, "a::b"), 0, "chunk D: a second definition of sub id 2"),
    (b"D", sub(3, 1, 1, 1, "") * 2, 20, "chunk D: a second definition of sub id 3"),
    (b"D", sub(3, 3, 1, 1, "a::b"), 0, "chunk D: unknown fid 3"),
    (b"D", sub(3, 0, 1, 1, "a::b"), 0, "chunk D: unknown fid 0"),
    (b"S", b"12345", 0, "chunk S: ends in the middle of an item"),
    (b"S", TIMES.pack(0, 1, 0, 0, 1, 1, 1), 0, "chunk S: unknown fid 0"),
    (b"S", TIMES.pack(3, 1, 0, 0, 1, 1, 1), 0, "chunk S: unknown fid 3"),
    (b"S", TIMES.pack(1, 1, 0, 0, 2**48 + 1, 1, 1), 0, "chunk S: impossible count"),
    (b"S", TIMES.pack(1, 1, 0, 0, 1, 1, 1) + b"1", 40, "chunk S: ends in the middle of an item"),
    (b"C", CALLS.pack(0, 1, 1, 1, 1, 0, 0, 0, 0), 0, "chunk C: unknown fid 0"),
    (b"C", CALLS.pack(1, 1, 9, 1, 1, 0, 0, 0, 0), 0, "chunk C: unknown sub id 9"),
    (b"C", CALLS.pack(1, 1, 1, 0, 1, 0, 0, 0, 0), 0, "chunk C: unknown sub id 0"),
    (b"C", CALLS.pack(1, 1, 1, 1, 2**63, 0, 0, 0, 0), 0, "chunk C: impossible count"),
    (b"C", CALLS.pack(1, 1, 1, 1, 1, 0, 0, float("nan"), 0), 0, "chunk C: a time is not finite"),
    (b"T", TREE.pack(0, 1, 0, 0), 0, "chunk T: not in post-order: depth 0"),
    (b"T", TREE.pack(3, 1, 0, 0) + TREE.pack(1, 1, 0, 0), 24,
     "chunk T: not in post-order: depth 1"),
    (b"T", TREE.pack(1, 9, 0, 0), 0, "chunk T: unknown sub id 9"),
    (b"T", TREE.pack(1, 1, float("inf"), 0), 0, "chunk T: a time is not finite"),
    (b"E", b"", 0, "chunk E: ends in the middle of an item"),
    (b"E", END.pack(300, 0, 0) + b"1", 0, "chunk E: bytes behind the last item"),
    (b"E", END.pack(301, 0, 0), 0, "chunk E: the open section has another id than 301"),
    (b"E", END.pack(300, float("-inf"), 0), 0, "chunk E: a time is not finite"),
]  # fmt: skip


def test_a_refused_chunk_is_named_and_leaves_no_trace(make: MakeWriter) -> None:
    out = io.BytesIO()
    writer = make(out, 0)
    with pytest.raises(ValueError, match="chunk S: no section is open"):
        writer.write_chunk(b"S", b"")
    for token, payload in OPEN:
        writer.write_chunk(token, payload)
    for token, payload, offset, reason in BAD:
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            writer.write_chunk(token, payload)
        assert str(caught.value) == f"{reason} (at byte {offset} of the payload)"
    for token, payload in SMALL[len(OPEN) :]:
        writer.write_chunk(token, payload)
    writer.close()
    assert out.getvalue() == SMALL_HEADER + SMALL_RECORDS


def damaged(rnd: random.Random, token: bytes, payload: bytes) -> bytes:
    """Cut, longer, or with another byte; counts of lines stay what they are."""
    kind = rnd.randrange(4)
    if kind == 0:
        return payload[: rnd.randrange(len(payload) + 1)]
    if kind == 1:
        return payload + rnd.randbytes(rnd.randrange(1, 60))[: 15 if token == b"S" else 60]
    at = rnd.randrange(len(payload)) if token != b"S" else rnd.randrange(4)
    return payload[:at] + bytes([rnd.choice([0, 1, 2, 3, 0x7F, 0xFF])]) + payload[at + 1 :]


def told(writer: Any, token: bytes, payload: bytes) -> str:
    try:
        writer.write_chunk(token, payload)
    except ValueError as error:
        return str(error)
    return "fine"


@pytest.mark.parametrize("seed", range(40))
def test_both_writers_refuse_the_same_damage_with_the_same_words(seed: int) -> None:
    rnd = random.Random(seed)
    outs = io.BytesIO(), io.BytesIO()
    in_c, in_python = _cwrite.Writer(outs[0]), _writer.PyWriter(outs[1])
    for token, payload in SMALL:
        for chunk in [damaged(rnd, token, payload) for _ in range(8)] + [payload]:
            assert told(in_c, token, chunk) == told(in_python, token, chunk)
    in_c.close()
    in_python.close()
    assert outs[0].getvalue() == outs[1].getvalue()


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        (("", "x"), "a key must begin with"),
        (("basetime", "x"), "a key must begin with"),
        ((":a=b", "x"), "newline or = in a key"),
        (("!a\nb", "x"), "newline or = in a key"),
        ((":a", "x\ny"), "newline in a value"),
        ((":a",), "ends in the middle"),
    ],
)
def test_headers_are_checked(make: MakeWriter, pairs: tuple[str, ...], reason: str) -> None:
    payload = START.pack(1, 0, 0) + string(":fine") + string("1") + b"".join(map(string, pairs))
    with make(io.BytesIO(), 1) as writer, pytest.raises(ValueError, match=reason) as caught:
        writer.write_chunk(b"P", payload)
    assert "(at byte 30 of" in str(caught.value)


def test_only_the_first_section_has_a_header(make: MakeWriter) -> None:
    with make(io.BytesIO()) as writer:
        for token, payload in (start(1, 0), end(1)):
            writer.write_chunk(token, payload)
        with pytest.raises(ValueError, match="only the first section"):
            writer.write_chunk(*start(2, 1, late="1"))


def test_calls_must_be_closed_before_their_section(make: MakeWriter) -> None:
    with make(io.BytesIO()) as writer:
        for token, payload in OPEN:
            writer.write_chunk(token, payload)
        writer.write_chunk(b"T", TREE.pack(3, 1, 0, 0))
        with pytest.raises(ValueError, match="lacks the return at depth 2"):
            writer.write_chunk(*end(300))


@pytest.mark.parametrize("token", [b"", b"PP"])
def test_a_token_is_one_byte(make: MakeWriter, token: bytes) -> None:
    with make(io.BytesIO()) as writer, pytest.raises(ValueError, match="one byte, not"):
        writer.write_chunk(token, b"")


def test_any_buffer_is_a_payload(make: MakeWriter) -> None:
    as_views = [(token, memoryview(bytearray(payload))) for token, payload in SMALL]
    assert written(make, as_views, 1) == written(make, SMALL, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize("level", [-1, 10])
def test_levels_are_zlib_s(make: MakeWriter, level: int) -> None:
    with pytest.raises(ValueError, match=f"compress must be 0 to 9, not {level}"):
        make(io.BytesIO(), level)


# ---- Where it is written ----


@pytest.mark.parametrize("kind", [str, os.fsencode, Path])
def test_a_path_may_be_text_bytes_or_an_object(
    make: MakeWriter, kind: Callable[[Path], Any], tmp_path: Path
) -> None:
    path = tmp_path / "né.out"
    path.write_bytes(b"x" * 100_000)
    with make(kind(path)) as writer:
        for token, payload in SMALL:
            writer.write_chunk(token, payload)
    assert path.read_bytes() == written(make, SMALL, 1)


def test_the_default_is_level_1(make: MakeWriter) -> None:
    out = io.BytesIO()
    make(out).close()
    assert out.getvalue() == b"NYTProf 5 0\n"
    assert b"level 1" in written(make, SMALL, 1)


def test_a_file_object_stays_open(make: MakeWriter, tmp_path: Path) -> None:
    with (tmp_path / "a.out").open("wb") as out:
        make(out).close()
        out.write(b"more")


def test_closing_again_does_nothing(make: MakeWriter) -> None:
    out = io.BytesIO()
    writer = make(out)
    assert not writer.closed
    writer.close()
    writer.close()
    assert writer.closed
    assert out.getvalue().count(b"NYTProf") == 1


def test_a_closed_writer_takes_nothing(make: MakeWriter) -> None:
    writer = make(io.BytesIO())
    writer.close()
    with pytest.raises(RuntimeError, match="closed"):
        writer.write_chunk(*start(1, 0))


def test_a_folder_is_an_error_that_names_it(make: MakeWriter, tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as caught:
        make(tmp_path)
    assert caught.value.filename == str(tmp_path)


def test_a_missing_folder_is_an_error_that_names_the_path(make: MakeWriter, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        make(str(tmp_path / "no" / "where"))
    assert caught.value.filename == str(tmp_path / "no" / "where")


def test_what_is_neither_path_nor_file_is_a_type_error(make: MakeWriter) -> None:
    with pytest.raises(TypeError, match="a path or a binary file is needed, not int"):
        make(3)


full = Path("/dev/full")
needs_full = pytest.mark.skipif(not full.exists(), reason="no /dev/full here")


@needs_full
def test_a_full_disk_is_told_at_close(make: MakeWriter) -> None:
    writer = make(full)
    for token, payload in SMALL:
        writer.write_chunk(token, payload)
    with pytest.raises(OSError, match="No space left") as caught:
        writer.close()
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(full)
    writer.close()


@needs_full
def test_a_full_disk_is_told_while_writing_and_for_good(make: MakeWriter) -> None:
    writer = make(str(full), 0)
    for token, payload in (start(1, 0), file(1, "/a.py")):
        writer.write_chunk(token, payload)
    for _ in range(2):
        with pytest.raises(OSError, match="No space left") as caught:
            writer.write_chunk(*lines(10**6, 0))
        assert caught.value.errno == errno.ENOSPC
        assert caught.value.filename == str(full)
    writer.close()  # has been told
    assert writer.closed


class Fussy:
    """A file object that takes `some` bytes a time, and says so or not."""

    def __init__(self, some: int, tell: Callable[[int], object] = int) -> None:
        self.data = b""
        self.some = some
        self.tell = tell

    def write(self, data: bytes) -> Any:
        self.data += data[: self.some]
        return self.tell(min(self.some, len(data)))


def test_a_file_object_may_take_less_than_all(make: MakeWriter) -> None:
    fussy = Fussy(7)
    with make(fussy) as writer:
        for token, payload in SMALL:
            writer.write_chunk(token, payload)
    assert fussy.data == written(make, SMALL, 1)


def test_a_file_object_need_not_count(make: MakeWriter) -> None:
    fussy = Fussy(1 << 30, lambda taken: None)
    with make(fussy) as writer:
        for token, payload in SMALL:
            writer.write_chunk(token, payload)
    assert fussy.data == written(make, SMALL, 1)


@pytest.mark.parametrize(
    ("answer", "error"), [(-1, OSError), (1 << 20, OSError), ("all", TypeError)]
)
def test_a_file_object_must_not_lie(make: MakeWriter, answer: object, error: type) -> None:
    writer = make(Fussy(1, lambda taken: answer))
    with pytest.raises(error):
        writer.close()


def test_a_raw_file_that_would_block_is_an_error(make: MakeWriter) -> None:
    class Blocking(io.RawIOBase):
        def write(self, data: Any, /) -> None:
            return None

    with pytest.raises(BlockingIOError):
        make(Blocking()).close()


def test_what_a_file_object_raises_comes_through(make: MakeWriter) -> None:
    class Broken:
        def write(self, data: bytes) -> int:
            raise LookupError("out of order")

    writer = make(Broken(), 0)
    for token, payload in (start(1, 0), file(1, "/a.py")):
        writer.write_chunk(token, payload)
    with pytest.raises(LookupError, match="out of order"):
        writer.write_chunk(*lines(10**6, 0))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        writer.write_chunk(*lines(1, 0))
    writer.close()


def test_a_text_file_is_a_type_error(make: MakeWriter) -> None:
    with pytest.raises(TypeError):
        make(io.StringIO()).close()


def test_a_writer_that_is_dropped_writes_nothing_more(make: MakeWriter, tmp_path: Path) -> None:
    path = tmp_path / "a.out"
    writer = make(path)
    writer.write_chunk(*start(1, 0))
    del writer
    assert path.read_bytes() == b""


def test_an_error_in_the_block_is_not_hidden(make: MakeWriter) -> None:
    with pytest.raises(KeyError), make(io.BytesIO()):
        raise KeyError


# ---- The choice ----


def choose(tmp_path: Path, without_c: bool = False, **env: str) -> subprocess.CompletedProcess[str]:
    """Opens a writer in a fresh Python, and prints its type."""
    code = "import sys\n"
    if without_c:
        code += "sys.modules['pynytprof._cwrite'] = None\n"
    code += (
        "from pynytprof._writer import open_writer\n"
        f"w = open_writer({str(tmp_path / 'a.out')!r})\n"
        "print(type(w).__name__)\n"
        f"w.write_chunk(b'P', {SMALL[0][1]!r})\n"
        f"w.write_chunk(b'F', {SMALL[1][1]!r})\n"
        f"w.write_chunk(b'D', {SMALL[3][1]!r})\n"
        f"w.write_chunk(b'S', {lines(3, 3)[1]!r})\n"
        f"w.write_chunk(b'E', {SMALL[7][1]!r})\n"
        "w.close()\n"
        f"open_writer({str(tmp_path / 'b.out')!r}).close()\n"
    )
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYNYTPROF_")}
    clean["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    return subprocess.run(
        [sys.executable, "-c", code], env=clean | env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("wanted", "name"), [("", "Writer"), ("c", "Writer"), ("py", "PyWriter")])
def test_the_environment_chooses(tmp_path: Path, wanted: str, name: str) -> None:
    done = choose(tmp_path, PYNYTPROF_WRITER=wanted)
    assert (done.stdout, done.stderr) == (f"{name}\n", "")


def test_without_c_one_warning_and_the_other_writer(tmp_path: Path) -> None:
    done = choose(tmp_path, without_c=True)
    assert done.stdout == "PyWriter\n"
    assert done.stderr.count("RuntimeWarning: pynytprof._cwrite cannot be loaded") == 1


def test_c_wanted_but_not_there_is_an_error(tmp_path: Path) -> None:
    done = choose(tmp_path, without_c=True, PYNYTPROF_WRITER="c")
    assert done.returncode == 1
    assert "ImportError: PYNYTPROF_WRITER=c, but pynytprof._cwrite cannot be" in done.stderr


def test_another_choice_is_an_error(tmp_path: Path) -> None:
    done = choose(tmp_path, PYNYTPROF_WRITER="rust")
    assert done.returncode == 1
    assert "ValueError: PYNYTPROF_WRITER must be c or py, not 'rust'" in done.stderr


@pytest.mark.parametrize(("wanted", "kind"), [("c", "_cwrite.Writer"), ("py", "_writer.PyWriter")])
def test_debug_tells_the_writer_and_each_chunk(tmp_path: Path, wanted: str, kind: str) -> None:
    done = choose(tmp_path, PYNYTPROF_WRITER=wanted, PYNYTPROF_DEBUG="1")
    sizes = [len(SMALL[i][1]) for i in (0, 1, 3)]
    assert done.stderr.splitlines()[:6] == [
        f"pynytprof: writer: pynytprof.{kind}",
        f"pynytprof: chunk P: 3 items, {sizes[0]} bytes",
        f"pynytprof: chunk F: 2 items, {sizes[1]} bytes",
        f"pynytprof: chunk D: 2 items, {sizes[2]} bytes",
        "pynytprof: chunk S: 1 items, 40 bytes",
        "pynytprof: chunk E: 1 items, 20 bytes",
    ]
