"""Chunks become the records of docs/format.md, through both writers the same bytes."""

from __future__ import annotations

import random
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from payloads import (
    CALLS,
    CONTEXT,
    END,
    FILE,
    START,
    SUB,
    TIMES,
    TREE,
    Chunk,
    end,
    file,
    lines,
    start,
    sub,
)
from writing import (
    NV,
    SMALL,
    SMALL_HEADER,
    SMALL_RECORDS,
    WRITERS,
    MakeWriter,
    inflated,
    stream_of,
    written,
)

from pynytprof import _cwrite, _writer
from pynytprof._pure.writer import u32


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
    assert headings["U"] == CONTEXT.format


def test_units_are_told_in_comments(make: MakeWriter) -> None:
    chunks = [start(1, 0), file(1, "/a.py"), (b"U", CONTEXT.pack(7)), lines(1, 5)]
    chunks += [(b"U", CONTEXT.pack(0)), end(1)]
    assert b"#of unit 7\n+\x05\x01\x02#of unit 0\np" in written(make, chunks, 0)


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


# ---- Calls at level 1, where blocks are made by hand ----


def names_of_calls() -> list[str]:
    """Short and long ones, with what others begin with, and of no length at all."""
    parts = ["pandas.core", "pandas.core.frame", "a", "", "x" * 126, "x" * 127, "ü" * 150]
    parts += ["y" * 254, "y" * 255, "y" * 400, "z" * 20_000]
    return [p + tail for p in parts for tail in ("", "::f", "::<lambda>", "::F::method")]


def calls_of(seed: int, n: int) -> Iterator[Chunk]:
    rnd = random.Random(seed)
    names = names_of_calls()
    times = [0.0, 1.0, 37.0, 1e-7, 12345678.0, 2.0**40, -0.0, 1 / 3]
    yield start(1, 0)
    yield file(1, "/a.py")
    yield b"D", b"".join(sub(i, 1, i, i, name) for i, name in enumerate(names, 1))
    places = [(rnd.randrange(1, 300), rnd.randrange(len(names) + 1)) for _ in range(60)]
    often = [min(int(rnd.expovariate(0.1)) + 1, len(names)) for _ in range(n)]
    counts = [0, 1, 5, 2**32 - 1, 2**32, 2**33 + 1]
    yield (
        b"C",
        b"".join(
            CALLS.pack(
                1,
                *rnd.choice(places),
                rnd.randrange(1, len(names) + 1),
                rnd.choice(counts),
                *rnd.choices(times, k=3),
                rnd.randrange(3),
            )
            for _ in range(n)
        ),
    )
    for _ in range(2):
        yield (
            b"T",
            b"".join(
                TREE.pack(1, rnd.choice(often), incl, rnd.choice([incl, 1.0]))
                for incl in rnd.choices(times, k=n)
            ),
        )
    yield end(1)


@pytest.mark.parametrize("n", [1, 60, 900])
def test_calls_are_the_records_that_they_would_be_uncompressed(make: MakeWriter, n: int) -> None:
    plain = written(make, list(calls_of(n, n)), 0)
    packed = written(make, list(calls_of(n, n)), 1)
    assert plain.endswith(inflated(packed))
    assert len(inflated(packed)) > 100 * n
    assert packed == written(_cwrite.Writer, list(calls_of(n, n)), 1)


def test_blocks_of_calls_end_where_the_page_says() -> None:
    packed = written(_cwrite.Writer, list(calls_of(2, 900)), 1)
    sizes = [len(plain) for plain, _ in segments_of(packed)]
    assert max(sizes) >= 256 * 1024 > max(sizes) - 41_000


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


RUNS = [(63, 1), (64, 1), (65, 1), (127, 100), (128, 100), (500, 377), (5000, 2**21), (52000, 0),
        (60000, 9), (260000, 12345), (3, 2)]  # fmt: skip


def test_both_write_the_same_runs_the_short_ones_first() -> None:
    items = [TIMES.pack(1, line, 0, 0, n, ticks, 0) for line, (n, ticks) in enumerate(RUNS, 1)]
    chunks = [start(1, 0), file(1, "/a.py"), (b"S", b"".join(items)), end(1)]
    for level in range(10):
        c, py = (written(make, chunks, level) for make in WRITERS.values())
        assert c == py, f"level {level}"
    records = inflated(py)
    assert records.index(b"+\0\x01\x01") < records.index(b"+\x01\x01\x0b")
    assert records.index(b"+\x01\x01\x0b") < records.index(b"+\0\x01\x03")


def times_of_many_lines(seed: int, n: int) -> list[Chunk]:
    """Lines of some files and their blocks, with few and many executions, in one chunk."""
    rnd = random.Random(seed)
    counts = [0, 1, 1, 2, 3, 63, 64, 700, 45_000, 70_000]
    ticks = [0, 1, 5, 127, 128, 100_000, 2**31 - 1, 2**33]
    items = []
    for _ in range(n):
        line, block = rnd.choice([3, 126, 127, 128, 70_000]), rnd.choice([0, 0, 9])
        items.append(TIMES.pack(rnd.randint(1, 200), line, block, block and 1,
                                rnd.choice(counts), rnd.choice(ticks), 0))  # fmt: skip
    files = [file(fid, f"/{fid}.py") for fid in range(1, 201)]
    return [start(1, 0), *files, (b"S", b"".join(items)), end(1)]


@pytest.mark.parametrize("n", [1, 30, 400])
def test_at_level_1_times_are_the_records_that_they_would_be_uncompressed(
    make: MakeWriter, n: int
) -> None:
    chunks = times_of_many_lines(n, n)
    packed = written(make, chunks, 1)
    ((_, items),) = (chunk for chunk in chunks if chunk[0] == b"S")
    records = [
        record * times
        for fid, line, block, first, count, ticks, _ in TIMES.iter_unpack(items)
        for record, times in _writer._runs(
            b"*" if block else b"+",
            b"".join(map(u32, (fid, line, *((block, first) if block else ())))),
            count,
            ticks,
        )
    ]
    assert b"".join(records) in inflated(packed)
    assert packed == written(_cwrite.Writer, chunks, 1)


def test_blocks_of_times_end_where_the_page_says() -> None:
    items = [TIMES.pack(1, line, 0, 0, 50, 0, 0) for line in range(130, 3000)]
    chunks = [start(1, 0), file(1, "/a.py"), (b"S", b"".join(items)), end(1)]
    packed = written(_cwrite.Writer, chunks, 1)
    sizes = [len(plain) for plain, _ in segments_of(packed)]
    assert max(sizes) in range(256 * 1024, 256 * 1024 + 50 * 5)
    assert sizes.count(max(sizes)) == 2


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
