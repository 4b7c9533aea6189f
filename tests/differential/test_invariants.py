"""What must hold among the numbers of one profile, looked at before any writer touches them."""

from __future__ import annotations

import json
import struct
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from support import HERE, PROGRAMS, TRACERS, program_names, run

TICKS_PER_S = 10_000_000


@dataclass
class Edge:
    fid: int
    line: int
    caller: int
    callee: int
    count: int
    inclusive: float
    exclusive: float
    recursive: float
    depth: int


@dataclass
class Lane:
    """One section of the profile: what one thread did."""

    start: float
    end: float = 0.0
    overhead: int = 0
    lines: list[tuple[int, ...]] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)


@dataclass
class Chunks:
    lanes: list[Lane] = field(default_factory=list)
    files: dict[int, tuple[str, int]] = field(default_factory=dict)  # fid: name, lines of source
    subs: dict[int, tuple[int, int, int, str]] = field(default_factory=dict)
    tree: list[tuple[int, int, float, float]] = field(default_factory=list)
    tokens: str = ""


def string_at(payload: bytes, offset: int) -> tuple[str, int]:
    (length,) = struct.unpack_from("<I", payload, offset)
    start = offset + 4
    return payload[start : start + length].decode("utf-8"), start + length


def defined_subs(payload: bytes) -> Iterator[tuple[int, tuple[int, int, int, str]]]:
    offset = 0
    while offset < len(payload):
        number, fid, first, last = struct.unpack_from("<4I", payload, offset)
        name, offset = string_at(payload, offset + 16)
        yield number, (fid, first, last, name)


def decode(recorded: list[tuple[str, str]]) -> Chunks:
    chunks = Chunks()
    for token, text in recorded:
        payload = bytes.fromhex(text)
        chunks.tokens += token
        if token == "P":
            chunks.lanes.append(Lane(struct.unpack_from("<IId", payload)[2]))
        elif token == "F":
            fid = struct.unpack_from("<I", payload)[0]
            name, offset = string_at(payload, 24)
            chunks.files[fid] = name, struct.unpack_from("<I", payload, offset)[0]
        elif token == "D":
            chunks.subs.update(defined_subs(payload))
        elif token == "S":
            chunks.lanes[-1].lines += struct.iter_unpack("<IIIIQQQ", payload)
        elif token == "C":
            chunks.lanes[-1].edges += [
                Edge(*fields) for fields in struct.iter_unpack("<IIIIQdddI", payload)
            ]
        elif token == "T":
            chunks.tree += struct.iter_unpack("<IIdd", payload)
        elif token == "E":
            _, chunks.lanes[-1].end, chunks.lanes[-1].overhead = struct.unpack("<IdQ", payload)
    return chunks


@pytest.fixture(scope="module")
def chunks_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Chunks]:
    folder = tmp_path_factory.mktemp("chunks")
    made: dict[tuple[str, str], Chunks] = {}

    def recorded(program: str, tracer: str) -> Chunks:
        key = program, tracer
        if key not in made:
            out = folder / f"{program}.{tracer}.json"
            done = run(
                [sys.executable, HERE / "record_chunks.py", PROGRAMS / f"{program}.py", out],
                PYNYTPROF_TRACER=tracer,
            )
            assert (done.returncode, done.stderr) == (0, "")
            made[key] = decode(json.loads(out.read_text(encoding="utf-8")))
        return made[key]

    return recorded


ChunksOf = Callable[[str, str], Chunks]
pytestmark = [
    pytest.mark.parametrize("tracer", TRACERS),
    pytest.mark.parametrize("program", program_names()),
]


def test_chunks_come_in_their_order(program: str, tracer: str, chunks_of: ChunksOf) -> None:
    tokens = chunks_of(program, tracer).tokens
    sections = tokens.split("E")
    assert sections.pop() == ""
    assert all(section[0] == "P" and "P" not in section[1:] for section in sections)
    kinds = "".join(dict.fromkeys(sections[0]))
    assert kinds == "".join(k for k in "PFDSCT" if k in kinds)
    for section in sections[1:]:
        assert set(section) <= set("PFDS")


def test_every_number_refers_to_something(program: str, tracer: str, chunks_of: ChunksOf) -> None:
    chunks = chunks_of(program, tracer)
    assert sorted(chunks.files) == list(range(1, len(chunks.files) + 1))
    names = [name for name, _ in chunks.files.values()]
    assert len(set(names)) == len(names)
    assert sorted(chunks.subs) == list(range(1, len(chunks.subs) + 1))
    sub_names = [name for _, _, _, name in chunks.subs.values()]
    assert [n for n, times in Counter(sub_names).items() if times > 1] == []
    for fid, first, last, name in chunks.subs.values():
        assert fid in chunks.files
        assert first <= last and (first == 0) == (last == 0)
        assert "::" in name.lstrip(":")
    for lane in chunks.lanes:
        for fid, line, *_ in lane.lines:
            assert fid in chunks.files
            assert line >= 1
            source_lines = chunks.files[fid][1]
            assert not source_lines or line <= source_lines, (chunks.files[fid], line)
        for edge in lane.edges:
            assert edge.fid in chunks.files
            assert edge.callee in chunks.subs
            assert edge.caller in chunks.subs or edge.caller == 0
    assert all(sub in chunks.subs for _, sub, _, _ in chunks.tree)


def test_lines_are_sound(program: str, tracer: str, chunks_of: ChunksOf) -> None:
    chunks = chunks_of(program, tracer)
    for lane in chunks.lanes:
        keys = [row[:4] for row in lane.lines]
        assert len(set(keys)) == len(keys)
        for fid, line, _, _, count, exclusive, inclusive in lane.lines:
            assert exclusive <= inclusive, (chunks.files[fid], line)
            assert count < 1 << 40 and inclusive < 1 << 40  # no negative number in disguise


def test_a_lane_spends_no_more_than_it_had(
    program: str, tracer: str, chunks_of: ChunksOf
) -> None:
    for lane in chunks_of(program, tracer).lanes:
        spent = sum(row[5] for row in lane.lines) / TICKS_PER_S
        assert lane.end >= lane.start
        assert spent <= (lane.end - lane.start) * 1.01 + 1e-4


def test_edges_are_sound(program: str, tracer: str, chunks_of: ChunksOf) -> None:
    chunks = chunks_of(program, tracer)
    for lane in chunks.lanes:
        keys = [(e.fid, e.line, e.caller, e.callee) for e in lane.edges]
        assert len(set(keys)) == len(keys)
        for e in lane.edges:
            assert min(e.inclusive, e.exclusive, e.recursive) >= 0, e
            assert e.count >= 1, e
            assert e.exclusive <= e.inclusive + e.recursive + 1e-6, e
            assert (e.recursive > 0) <= (e.depth > 0), e


def lines_total(chunks: Chunks) -> float:
    return sum(row[5] for lane in chunks.lanes for row in lane.lines) / TICKS_PER_S


def test_lines_edges_and_tree_share_one_total(
    program: str, tracer: str, chunks_of: ChunksOf
) -> None:
    """All time is some line's, some sub's and some path's: three views of one sum."""
    chunks = chunks_of(program, tracer)
    by_edges = sum(edge.exclusive for lane in chunks.lanes for edge in lane.edges)
    by_tree = sum(exclusive for _, _, _, exclusive in chunks.tree) / TICKS_PER_S
    rounding = 1e-6 + (len(chunks.tree) + 2) / TICKS_PER_S
    assert by_edges == pytest.approx(lines_total(chunks), abs=rounding)
    assert by_tree == pytest.approx(by_edges, abs=rounding)


def test_exclusive_time_of_each_sub_agrees(
    program: str, tracer: str, chunks_of: ChunksOf
) -> None:
    chunks = chunks_of(program, tracer)
    by_edges: defaultdict[int, float] = defaultdict(float)
    by_tree: defaultdict[int, float] = defaultdict(float)
    nodes: Counter[int] = Counter()
    for lane in chunks.lanes:
        for edge in lane.edges:
            by_edges[edge.callee] += edge.exclusive
    for _, sub, _, exclusive in chunks.tree:
        by_tree[sub] += exclusive / TICKS_PER_S
        nodes[sub] += 1
    for sub in chunks.subs:
        rounding = 1e-6 + (nodes[sub] + 1) / TICKS_PER_S
        assert by_tree[sub] == pytest.approx(by_edges[sub], abs=rounding), chunks.subs[sub]


def test_the_tree_is_in_post_order(program: str, tracer: str, chunks_of: ChunksOf) -> None:
    """A node's inclusive time is its exclusive time and its children's, which come before it."""
    waiting: defaultdict[int, float] = defaultdict(float)
    waiting_nodes: Counter[int] = Counter()
    for depth, sub, inclusive, exclusive in chunks_of(program, tracer).tree:
        assert depth >= 1
        assert inclusive == int(inclusive) and exclusive == int(exclusive)
        assert 0 <= exclusive <= inclusive
        below = waiting.pop(depth + 1, 0.0)
        children = waiting_nodes.pop(depth + 1, 0)
        assert inclusive == pytest.approx(exclusive + below, abs=children + 1), sub
        assert max(waiting_nodes, default=0) <= depth, "a node was left without its parent"
        waiting[depth] += inclusive
        waiting_nodes[depth] += 1
    assert set(waiting_nodes) <= {1}


def test_root_inclusive_time_is_the_total(
    program: str, tracer: str, chunks_of: ChunksOf
) -> None:
    chunks = chunks_of(program, tracer)
    roots = sum(inclusive for depth, _, inclusive, _ in chunks.tree if depth == 1) / TICKS_PER_S
    outermost = sum(e.inclusive for lane in chunks.lanes for e in lane.edges if e.caller == 0)
    rounding = 1e-6 + (len(chunks.tree) + 2) / TICKS_PER_S
    assert roots == pytest.approx(lines_total(chunks), abs=rounding)
    assert outermost == pytest.approx(roots, abs=rounding)
