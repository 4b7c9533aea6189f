"""Profiles that mean harm: memory stays bounded, and what is written keeps its form."""

from __future__ import annotations

import json
import pstats
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from doors import Door, nytprof

__all__ = ["nytprof"]

pytestmark = pytest.mark.slow

HEAD = (
    b"NYTProf 5 0\n:basetime=1700000000\n:application=x\n:ticks_per_sec=10000000\n"
    b":cumulative_overhead_ticks=0\n!calls=1\n"
)
LARGEST = 2**32 - 1
HANG_S = 300  # a guard only: nothing here takes a tenth of it


def u32(value: int) -> bytes:
    for size, mark in ((1, 0), (2, 0x80), (3, 0xC0), (4, 0xE0)):
        if value < 1 << (8 * size - size):
            return (value | mark << 8 * (size - 1)).to_bytes(size, "big")
    return b"\xff" + value.to_bytes(4, "big")


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return b"'" + u32(len(data)) + data


def record(tag: str, *fields: int | float | str | bytes) -> bytes:
    parts = [tag.encode()]
    for field in fields:
        if isinstance(field, int):
            parts.append(u32(field))
        else:
            parts.append(struct.pack("<d", field) if isinstance(field, float) else text(field))
    return b"".join(parts)


START, END = record("P", 7, 1, 1.7e9), record("p", 7, 1.7e9 + 1e6)
FILE = record("@", 1, 0, 0, 50, 0, 0, "/x.py")


def save(path: Path, pieces: Iterator[bytes]) -> Path:
    packer = zlib.compressobj(1)
    with path.open("wb") as out:
        out.write(HEAD + b"z" + packer.compress(START + FILE))
        for piece in pieces:
            out.write(packer.compress(piece))
        out.write(packer.compress(END) + packer.flush())
    return path


class Done(NamedTuple):
    status: int
    out: bytes
    err: bytes


PYTHON_MB = 96
"""What Python itself takes of an address space, and more."""


def run(door: Door, *words: str | Path, most_mb: int = 2048) -> Done:
    """
    In an address space of so much: what asks for more fails. (The peak that the system tells of
    a child has in it what its parent had when it was forked.)
    """
    kb = 1024 * (most_mb + (PYTHON_MB if door.name == "pynytprof" else 0))
    limited = Door(door.name, ["sh", "-c", 'ulimit -v "$0" && exec "$@"', str(kb), *door.argv])
    done = limited.raw(*words, timeout=HANG_S)
    return Done(done.returncode, done.stdout, done.stderr)


def reports(path: Path, tmp_path: Path) -> list[list[str | Path]]:
    """One command of each of the two that read all of a file: the loader, and the merger."""
    return [["summary", path], ["recover", "-o", tmp_path / "new.out", path]]


def formats(door: Door) -> list[str]:
    shown = run(door, "help", "convert").out.decode()
    names = re.findall(r"^ {2,}(\w+) {2,}\S", shown, re.MULTILINE)
    return [n for n in names if n in shown and n not in ("nytprofcsv",)]


# ---- Bombs: a little file that inflates to much ----

BOMBS = {
    "statements": record("+", 5, 1, 1),
    "statements that resume": b"-" + record("+", 5, 1, 1),
    "discounts": b"-",
    "comments": b"#\n",
    "attributes": b":a=b\n",
    "options": b"!a=b\n",
    "one file": record("@", 1, 0, 0, 50, 0, 0, "/x.py"),
    "one source line": record("S", 1, 1, "x" * 200),
    "one sub": record("s", 1, "m::f", 1, 1),
    "one call": record("c", 1, 1, "m::g", 3, 1e-3, 1e-3, 0.0, 0, "m::f"),
    "returns": record("<", 1, 5.0, 5.0, "m::f"),
}
INFLATED_MB, MOST_MB = 96, 96


@pytest.mark.parametrize("name", BOMBS)
def test_memory_goes_with_places_and_not_with_records(
    nytprof: Door, name: str, tmp_path: Path
) -> None:
    piece = BOMBS[name] * (2**20 // len(BOMBS[name]))
    path = save(tmp_path / "bomb.out", (piece for _ in range(INFLATED_MB)))
    assert path.stat().st_size < INFLATED_MB * 2**20 / 50
    for words in reports(path, tmp_path):
        done = run(nytprof, *words, most_mb=MOST_MB)
        assert done.status == 0, done.err


def test_processes_without_end_are_refused(nytprof: Door, tmp_path: Path) -> None:
    piece = (START + END) * 2**14
    path = save(tmp_path / "bomb.out", (piece for _ in range(128)))
    for words in reports(path, tmp_path):
        done = run(nytprof, *words, most_mb=384)
        assert done.status == 3 and b"more than 1048576 processes" in done.err


def test_a_declared_length_is_no_size(door: Door, tmp_path: Path) -> None:
    path = tmp_path / "declared.out"
    path.write_bytes(HEAD + START + FILE + b"S\x01\x01'" + u32(LARGEST) + b"x" * 1000)
    done = run(door, "summary", path, most_mb=MOST_MB)
    assert done.status == 0 and b"the file ends inside SRC_LINE" in done.out


# ---- Numbers ----

LARGE_NUMBERS = b"".join(
    [
        record("+", 5, 1, LARGEST), record("+", 5, LARGEST, LARGEST),
        record("S", 1, LARGEST, "x\n"),
        record("@", LARGEST, 1, LARGEST, 50, 0, 0, "(eval 1)[x:1]"),
        record("s", 1, "m::f", 1, LARGEST), record("s", LARGEST, "m::g", LARGEST - 1, LARGEST),
        record("c", 1, LARGEST, "m::f", LARGEST, 1.0, 1.0, 1.0, LARGEST, "m::g"),
        record("<", LARGEST, 5.0, 5.0, "m::f"),
    ]
)  # fmt: skip


def every_command(door: Door, path: Path, tmp_path: Path) -> Iterator[list[str | Path]]:
    yield from ([name, path] for name in ("verify", "summary", "info", "dump"))
    yield from (["dump", way, path] for way in ("--jsonl", "--model"))
    yield from ([name, "--json", path] for name in ("verify", "summary", "info"))
    yield ["merge", "-o", tmp_path / "merged.out", path, path]
    yield ["recover", "-o", tmp_path / "new.out", path]
    yield ["diff", path, path]
    yield ["convert", "--to", "nytprofcsv", "-o", tmp_path / "csv", path]
    for name in formats(door):
        yield ["convert", "--to", name, "-o", "-", path]


def test_large_numbers_are_no_sizes(door: Door, tmp_path: Path) -> None:
    path = save(tmp_path / "large.out", iter([LARGE_NUMBERS]))
    for words in every_command(door, path, tmp_path):
        done = run(door, *words, most_mb=MOST_MB)
        assert done.status in (0, 1, 4), (words, done.err)
        assert len(done.out) < 2**20, words


# ---- Many ----

DEPTH = 100_000


def test_deep_calls_are_no_recursion_of_ours(nytprof: Door, tmp_path: Path) -> None:
    returns = (record("<", DEPTH - i, 5.0 * (i + 1), 5.0, f"m::f{i % 7}") for i in range(DEPTH))
    path = save(tmp_path / "deep.out", returns)
    for words in every_command(nytprof, path, tmp_path):
        limit = ["--max-bytes", "1000000"] if "collapsed" in words or "pprof" in words else []
        done = run(nytprof, *words, *limit, most_mb=384)
        assert done.status in (0, 1, 4), (words, done.err)


@pytest.mark.parametrize(
    ("piece", "most_mb"),
    [
        (lambda i: record("@", i + 2, 0, 0, 50, 0, 0, f"/f{i}.py") + record("+", 5, i + 2, 1), 700),
        (lambda i: record("s", 1, f"m::f{i}", i + 1, i + 1)
         + record("c", 1, i + 1, "m::g", 3, 1e-3, 1e-3, 0.0, 0, f"m::f{i}"), 1000),
        (lambda i: record("+", 5, 1, i * 4000 + 1), 500),
    ],
    ids=["files", "subs", "lines"],
)  # fmt: skip
def test_a_million_of_a_kind(nytprof: Door, piece: object, most_mb: int, tmp_path: Path) -> None:
    assert callable(piece)
    path = save(tmp_path / "many.out", (piece(i) for i in range(10**6)))
    for words in reports(path, tmp_path):
        done = run(nytprof, *words, most_mb=most_mb)
        assert done.status == 0, done.err


# ---- Names ----

NASTY = [
    b"a::new\nline", b"a::tab\there", b"a::esc\x1b[31m", b'a::quo"te\\', b"a::</script><!--",
    b"a::nul\0end", b"a::bad\xff\xfe", "a::bidi\u202e\u2066".encode(), b"a::semi;colon 5",
    b"a::x\nfl=/etc/passwd\n1 1", b"a::|pipe|`tick`", b"a::del\x7f\xc2\x9b",
]  # fmt: skip


def as_read(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("latin-1")


@pytest.fixture
def nasty(tmp_path: Path) -> Path:
    pieces = []
    for i, name in enumerate(NASTY):
        pieces.append(record("@", i + 2, 0, 0, 50, 0, 0, b"/src/" + name))
        pieces.append(record("s", i + 2, name, 1, 2) + record("S", i + 2, 1, name + b"\n"))
        pieces.append(record("+", 500, i + 2, 1))
        pieces.append(record("c", i + 2, 1, NASTY[i - 1], 3, 1e-3, 1e-3, 0.0, 0, name))
        pieces.append(record("<", 1, 50.0, 50.0, name))
    return save(tmp_path / "nasty.out", iter(pieces))


def test_names_come_whole_through_json(door: Door, nasty: Path) -> None:
    expected = set(map(as_read, NASTY))
    for words in (["dump", "--model"], ["convert", "--to", "json", "-o", "-"]):
        found = json.dumps(json.loads(run(door, *words, nasty).out))
        for name in expected:
            assert json.dumps(name)[1:-1] in found
    lines = run(door, "dump", "--jsonl", nasty).out.splitlines()
    assert {row[4] for row in map(json.loads, lines) if row[0] == "SUB_INFO"} == expected
    profile = json.loads(run(door, "convert", "--to", "speedscope", "-o", "-", nasty).out)
    assert expected <= {frame["name"] for frame in profile["shared"]["frames"]}
    for name in ("verify", "summary", "info"):
        json.loads(run(door, name, "--json", nasty).out)


def test_names_come_whole_through_pstats(door: Door, nasty: Path, tmp_path: Path) -> None:
    out = tmp_path / "nasty.pstats"
    assert run(door, "convert", "--to", "pstats", "-o", out, nasty).status == 0
    names = {key[2] for key in pstats.Stats(str(out)).stats}  # type: ignore[attr-defined]
    assert set(map(as_read, NASTY)) <= names


def test_names_cannot_break_lines_or_terminals(door: Door, nasty: Path, tmp_path: Path) -> None:
    collapsed = run(door, "convert", "--to", "collapsed", "-o", "-", nasty).out.decode()
    lines = collapsed.splitlines()
    assert len(lines) == len(NASTY)
    assert [line for line in lines if not re.fullmatch(r"[^;\t]+ \d+", line)] == []
    callgrind = run(door, "convert", "--to", "callgrind", "-o", "-", nasty).out.decode()
    assert "\nfl=/etc/passwd" not in callgrind
    assert callgrind.count("\nfn=") >= len(NASTY)
    lcov = run(door, "convert", "--to", "lcov", "-o", "-", nasty).out.decode()
    assert all(re.match(r"(TN|SF|FN|FNDA|FNF|FNH|DA|LF|LH):|end_of_record$", line)
               for line in lcov.split("\n")[:-1])  # fmt: skip
    commands: list[list[str | Path]] = [
        ["verify"], ["summary"], ["info"], ["dump"], ["diff", nasty],
        ["merge", "-o", tmp_path / "merged.out", nasty],
    ]  # fmt: skip
    for words in commands:
        done = run(door, *words, nasty)
        assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e\u2066]",
                             (done.out + done.err).decode())  # fmt: skip
