"""Profiles as a tracer hands them to a writer: chunks, and what must hold among their numbers."""

from __future__ import annotations

import json
import struct
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from payloads import Edge
from support import run
from views import HERE, Sub, SubInfo, not_none, plain_file

TICKS_PER_S = 10_000_000

Naming = Callable[[str], str]


@dataclass
class Lane:
    """One section of the profile: what one thread did."""

    start: float
    end: float = 0.0
    overhead: int = 0
    lines: list[tuple[int, ...]] = field(default_factory=list)
    edges: list[Edge[int]] = field(default_factory=list)


@dataclass
class Chunks:
    lanes: list[Lane] = field(default_factory=list)
    files: dict[int, tuple[str, int]] = field(default_factory=dict)  # fid: name, lines of source
    subs: dict[int, tuple[int, int, int, str]] = field(default_factory=dict)
    tree: list[tuple[int, int, float, float]] = field(default_factory=list)
    sources: dict[int, list[str]] = field(default_factory=dict)
    parents: dict[int, tuple[int, int]] = field(default_factory=dict)  # of evals: fid, line
    facts: dict[str, Any] = field(default_factory=dict)
    tokens: str = ""


def string_at(payload: bytes, offset: int) -> tuple[str, int]:
    (length,) = struct.unpack_from("<I", payload, offset)
    start = offset + 4
    return payload[start : start + length].decode("utf-8"), start + length


def strings_at(payload: bytes, offset: int) -> Iterator[str]:
    while offset < len(payload):
        text, offset = string_at(payload, offset)
        yield text


def defined_subs(payload: bytes) -> Iterator[tuple[int, tuple[int, int, int, str]]]:
    offset = 0
    while offset < len(payload):
        number, fid, first, last = struct.unpack_from("<4I", payload, offset)
        name, offset = string_at(payload, offset + 16)
        yield number, (fid, first, last, name)


def decode(recorded: Sequence[Sequence[str]]) -> Chunks:
    chunks = Chunks()
    for token, text in recorded:
        payload = bytes.fromhex(text)
        chunks.tokens += token
        if token == "P":
            chunks.lanes.append(Lane(struct.unpack_from("<IId", payload)[2]))
        elif token == "F":
            fid, parent, parent_line = struct.unpack_from("<3I", payload)
            name, offset = string_at(payload, 24)
            chunks.files[fid] = name, struct.unpack_from("<I", payload, offset)[0]
            chunks.sources[fid] = list(strings_at(payload, offset + 4))
            if parent:
                chunks.parents[fid] = parent, parent_line
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


def recorded(program: Path, folder: Path, tracer: str) -> Chunks:
    """The profile of `program`, run on its own; what it writes to stderr is an error."""
    out = folder / "chunks.json"
    command: list[str | Path] = [sys.executable, HERE / "record_chunks.py", program, out]
    done = run(command, PYNYTPROF_TRACER=tracer)
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(out.read_text(encoding="utf-8"))
    chunks = decode(told["chunks"])
    chunks.facts = told["facts"]
    return chunks


def line_counts(chunks: Chunks, called: Naming = plain_file) -> Counter[tuple[str, int]]:
    """How often each line was started, over all threads; `called` gives files other names."""
    counts: Counter[tuple[str, int]] = Counter()
    for lane in chunks.lanes:
        for fid, line, _, _, count, _, _ in lane.lines:
            counts[called(chunks.files[fid][0]), line] += count
    return counts


def call_counts(chunks: Chunks, called: Naming = plain_file) -> Counter[tuple[Sub | None, Sub]]:
    """Calls by (caller, callee); None calls what nothing in the profile calls."""
    labels: dict[int, Sub | None] = {0: None}
    for number, (fid, first, last, name) in chunks.subs.items():
        file, line, python = SubInfo(name, chunks.files[fid][0], first, last).label
        labels[number] = (called(file), line, python)
    counts: Counter[tuple[Sub | None, Sub]] = Counter()
    for lane in chunks.lanes:
        for edge in lane.edges:
            counts[labels[edge.caller], not_none(labels[edge.callee])] += edge.count
    return counts


# ---- Invariants ----


def chunks_come_in_their_order(chunks: Chunks) -> None:
    tokens = chunks.tokens
    sections = tokens.split("E")
    assert sections.pop() == ""
    assert all(section[0] == "P" and "P" not in section[1:] for section in sections)
    kinds = "".join(dict.fromkeys(sections[0]))
    assert kinds == "".join(k for k in "PFDSCT" if k in kinds)
    for section in sections[1:]:
        assert set(section) <= set("PFDS")


def every_number_refers_to_something(chunks: Chunks) -> None:
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
            assert edge.file in chunks.files
            assert edge.callee in chunks.subs
            assert edge.caller in chunks.subs or edge.caller == 0
    assert all(sub in chunks.subs for _, sub, _, _ in chunks.tree)


def lines_are_sound(chunks: Chunks) -> None:
    for lane in chunks.lanes:
        keys = [row[:4] for row in lane.lines]
        assert len(set(keys)) == len(keys)
        for fid, line, _, _, count, exclusive, inclusive in lane.lines:
            assert exclusive <= inclusive, (chunks.files[fid], line)
            assert count < 1 << 40 and inclusive < 1 << 40  # no negative number in disguise


def a_lane_spends_no_more_than_it_had(chunks: Chunks) -> None:
    for lane in chunks.lanes:
        spent = sum(row[5] for row in lane.lines) / TICKS_PER_S
        assert lane.end >= lane.start
        assert spent <= (lane.end - lane.start) * 1.01 + 1e-4


def edges_are_sound(chunks: Chunks) -> None:
    for lane in chunks.lanes:
        keys = [(e.file, e.line, e.caller, e.callee, e.depth > 0) for e in lane.edges]
        assert len(set(keys)) == len(keys)
        for e in lane.edges:
            assert min(e.incl, e.excl, e.reci) >= 0, e
            assert e.count >= 1, e
            assert e.excl <= e.incl + e.reci + 1e-6, e
            assert (e.reci > 0) <= (e.depth > 0), e


def lines_total(chunks: Chunks) -> float:
    return sum(row[5] for lane in chunks.lanes for row in lane.lines) / TICKS_PER_S


def lines_edges_and_tree_share_one_total(chunks: Chunks) -> None:
    """All time is some line's, some sub's and some path's: three views of one sum."""
    by_edges = sum(edge.excl for lane in chunks.lanes for edge in lane.edges)
    by_tree = sum(exclusive for _, _, _, exclusive in chunks.tree) / TICKS_PER_S
    rounding = 1e-6 + (len(chunks.tree) + 2) / TICKS_PER_S
    assert by_edges == pytest.approx(lines_total(chunks), abs=rounding)
    assert by_tree == pytest.approx(by_edges, abs=rounding)


def exclusive_time_of_each_sub_agrees(chunks: Chunks) -> None:
    by_edges: defaultdict[int, float] = defaultdict(float)
    by_tree: defaultdict[int, float] = defaultdict(float)
    nodes: Counter[int] = Counter()
    for lane in chunks.lanes:
        for edge in lane.edges:
            by_edges[edge.callee] += edge.excl
    for _, sub, _, exclusive in chunks.tree:
        by_tree[sub] += exclusive / TICKS_PER_S
        nodes[sub] += 1
    for sub in chunks.subs:
        rounding = 1e-6 + (nodes[sub] + 1) / TICKS_PER_S
        assert by_tree[sub] == pytest.approx(by_edges[sub], abs=rounding), chunks.subs[sub]


def the_tree_is_in_post_order(chunks: Chunks) -> None:
    """A node's inclusive time is its exclusive time and its children's, which come before it."""
    waiting: defaultdict[int, float] = defaultdict(float)
    waiting_nodes: Counter[int] = Counter()
    for depth, sub, inclusive, exclusive in chunks.tree:
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


def root_inclusive_time_is_the_total(chunks: Chunks) -> None:
    roots = sum(inclusive for depth, _, inclusive, _ in chunks.tree if depth == 1) / TICKS_PER_S
    outermost = sum(e.incl for lane in chunks.lanes for e in lane.edges if e.caller == 0)
    rounding = 1e-6 + (len(chunks.tree) + 2) / TICKS_PER_S
    assert roots == pytest.approx(lines_total(chunks), abs=rounding)
    assert outermost == pytest.approx(roots, abs=rounding)


INVARIANTS: tuple[Callable[[Chunks], None], ...] = (
    chunks_come_in_their_order,
    every_number_refers_to_something,
    lines_are_sound,
    a_lane_spends_no_more_than_it_had,
    edges_are_sound,
    lines_edges_and_tree_share_one_total,
    exclusive_time_of_each_sub_agrees,
    the_tree_is_in_post_order,
    root_inclusive_time_is_the_total,
)
"""What holds in every profile. Each raises AssertionError where it doesn't."""
