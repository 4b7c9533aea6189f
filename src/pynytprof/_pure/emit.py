"""Mirrors ext/trace/emit.c: tables -> chunks (docs/format.md).

The profile may go on afterwards, and other threads may run meanwhile: what they add to is copied
before it is gone through. ns become ticks here, and remainders are carried, so that
ticks add up exactly.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence

from . import blocks, chunks, names
from .chunks import WriteChunk
from .clock import Clock
from .code import Codes
from .graph import NO_CALLS, EdgeKey, Graph, Node, add_edge, parted
from .lane import Lane, Lanes
from .options import Options
from .source import NOT_A_FILE, NOTHING_YET, FileTable, SourceFile
from .trace import COUNT, EXCL, NS_PER_TICK, add_figures

_NO_TEXT = "# the text of this code is not known\n"
_MOST_UNKNOWN_LINES = 10_000


class Emitter:
    """Tells what stands in a tracer's tables."""

    def __init__(
        self,
        options: Options,
        clock: Clock,
        files: FileTable,
        codes: Codes,
        graph: Graph,
        lanes: Lanes,
    ) -> None:
        self._options = options
        self._clock = clock
        self._files = files
        self._codes = codes
        self._graph = graph
        self._lanes = lanes

    def emit(self, write_chunk: WriteChunk, header: bytes, now: int) -> None:
        """Hands all to ``write_chunk``; ``header`` goes with the first section.

        ``now`` is by the shared clock.
        """
        lanes = self._lanes.that_worked()
        pid = os.getpid()
        for index, lane in enumerate(lanes):
            ident = lane.native_id if index else pid
            parent = pid if index else os.getppid()
            pairs = self._complete(header) if index == 0 else b""
            write_chunk(b"P", chunks.start(ident, parent, self._clock.wall(lane.began), pairs))
            if index == 0:
                self._emit_tables(write_chunk, lanes)
            elif self._options.stmts:
                chunks.write_lines(write_chunk, self._line_items(lane))
            ticks = lane.overhead // NS_PER_TICK
            write_chunk(b"E", chunks.end(ident, self._wall_end(lane, now), ticks))

    def _complete(self, header: bytes) -> bytes:
        """``header`` as it can be said only when the tables are whole."""
        if self._graph.time():
            return header
        return header.replace(chunks.pairs([("!calls", "1")]), chunks.pairs([("!calls", "0")]))

    def _emit_tables(self, write_chunk: WriteChunk, lanes: Sequence[Lane]) -> None:
        self._emit_files(write_chunk)
        if self._options.subs:
            chunks.write_subs(write_chunk, self._sub_items())
        if self._options.stmts:
            chunks.write_lines(write_chunk, self._line_items(lanes[0]))
        if self._options.subs:
            chunks.write_edges(write_chunk, _edge_items(lane.edges for lane in lanes))
            chunks.write_paths(write_chunk, _path_items(self._graph.root))

    def _emit_files(self, write_chunk: WriteChunk) -> None:
        last_lines: dict[int, int] = {}
        for sub, fid in zip(self._codes.subs, self._codes.sub_fids, strict=True):
            last_lines[fid] = max(last_lines.get(fid, 0), sub.last_line)
        for file in self._files.files or [NOTHING_YET]:
            lines = _lines_to_show(file, last_lines.get(file.fid, 0))
            write_chunk(
                b"F",
                chunks.file(file.fid, file.parent, file.parent_line, file.flags, file.name, lines),
            )

    def _sub_items(self) -> Iterator[chunks.SubItem]:
        subs, fids = self._codes.subs, self._codes.sub_fids
        settled = zip(subs, fids, names.settle(subs), strict=True)
        for number, (sub, fid, name) in enumerate(settled, 1):
            yield number, fid, sub.first_line, sub.last_line, name

    def _line_items(self, lane: Lane) -> Iterator[chunks.LineItem]:
        places: dict[tuple[int, int, int, int], list[int]] = {}
        for (fid, line, sub), figures in list(lane.lines.items()):
            block, first = self._block_of(fid, line, sub) if sub else (0, 0)
            add_figures(places.setdefault((fid, line, block, first), [0, 0, 0]), figures)
        exclusive, in_calls = _Ticks(), _Ticks()
        for place, (count, excl, calls) in sorted(places.items()):
            ticks = exclusive.of(excl)
            yield (*place, count, ticks, ticks + in_calls.of(calls))

    def _block_of(self, fid: int, line: int, sub: int) -> tuple[int, int]:
        """The first lines of the block and of the sub that the line of ``sub`` stands in."""
        file = self._files.files[fid - 1]
        if file.blocks is None:
            file.blocks = blocks.headers(file.lines)
        first = self._codes.subs[sub - 1].first_line
        module = sub in self._codes.module_subs
        return blocks.block_of(file.blocks, line, first, module=module), first

    def _wall_end(self, lane: Lane, now: int) -> float:
        """A section lasts at least as long as its lines' times: Perl's reader insists."""
        worked = lane.began + lane.elapsed + lane.overhead
        if self._clock.cpu:
            last = self._lanes.settled if lane in self._lanes.list[:1] else lane.began
        else:
            last = now if lane.stack else lane.last
        last = max(last, worked)
        # Doubles of this size have steps of a quarter of the microseconds added.
        return self._clock.wall(last) + 2e-6

    def line_hits(self) -> dict[tuple[int, int], list[int]]:
        """(fid, line) -> [count, inclusive ticks, exclusive ticks], of all threads."""
        total: dict[tuple[int, int], list[int]] = {}
        for lane in self._lanes.list:
            for key, figures in list(lane.lines.items()):
                add_figures(total.setdefault(key[:2], [0, 0, 0]), figures)
        return {
            key: [n, (excl + calls) // NS_PER_TICK, excl // NS_PER_TICK]
            for key, (n, excl, calls) in total.items()
        }

    def uncounted_lines(self) -> int:
        """Lines that got time while nobody counted them."""
        figures = (f for lane in self._lanes.list for f in list(lane.lines.values()))
        return sum(f[EXCL] > 0 and not f[COUNT] for f in figures)


def _lines_to_show(file: SourceFile, last_line: int) -> Sequence[str]:
    """The file's text.

    Code that is in no file and of unknown text gets lines up to ``last_line``, its subs' last:
    the report would cut off the end of its page, which others link to.
    """
    unnamed = file.parent or file.flags & NOT_A_FILE
    if not file.lines and unnamed and 0 < last_line <= _MOST_UNKNOWN_LINES:
        return [_NO_TEXT, *["\n"] * (last_line - 1)]
    return file.lines


class _Ticks:
    """Turns ns into ticks, carrying the remainder so that sums stay exact."""

    def __init__(self) -> None:
        self._rest = 0

    def of(self, ns: int) -> int:
        ticks, self._rest = divmod(ns + self._rest, NS_PER_TICK)
        return ticks


def _edge_items(tables: Iterable[Mapping[EdgeKey, Sequence[int]]]) -> Iterator[chunks.EdgeItem]:
    """A call that was open when profiling began counts as one: no reader takes none."""
    total: dict[EdgeKey, list[int]] = {}
    for table in tables:
        for key, edge in list(table.items()):
            add_edge(total.setdefault(key, [*NO_CALLS]), edge)
    for key, edge in sorted(total.items()):
        for count, incl, excl, reci, depth in parted(edge):
            yield (*key, max(count, 1), incl / 1e9, excl / 1e9, reci / 1e9, depth)


def _path_items(root: Node) -> Iterator[chunks.PathItem]:
    """The tree in post-order; a path's inclusive ticks are exactly those of its parts."""
    exclusive = _Ticks()
    stack = [(root, iter(list(root.children.values())))]
    inclusive = [0]
    while True:
        node, children = stack[-1]
        child = next(children, None)
        if child is not None:
            stack.append((child, iter(list(child.children.values()))))
            inclusive.append(0)
            continue
        stack.pop()
        if not stack:
            return
        excl = exclusive.of(node.excl)
        incl = excl + inclusive.pop()
        inclusive[-1] += incl
        yield len(stack), node.sub, incl, excl
