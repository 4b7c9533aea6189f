#!/usr/bin/env python3
"""How many LINE events exact counts need at least: a program's, as ours are, and by flow.

    line_events.py PROGRAM [ARGS...]

Runs the program under callbacks in Python (some ten times slower) and prints, as shares of all
its LINE events: those in code that runs often; those left where a function's first line needs none
(what the tracer does); where a basic block needs one (``--no-exact-lines``); and where only the
edges of the flow graph off a maximum spanning tree are counted, with starts and returns of
functions known (Knuth 1973; Ball and Larus 1994). The last is a bound: exceptions have no edges in
it, and an edge may have no line to be told by. For CPython 3.12 and 3.13.
"""

from __future__ import annotations

import bisect
import dis
import itertools
import runpy
import sys
from collections import Counter, defaultdict
from types import CodeType
from typing import Any

OFTEN = 256
EXIT = -1
ENDS = {"RETURN_VALUE", "RETURN_CONST", "RAISE_VARARGS", "RERAISE"}
SPLITS = {"YIELD_VALUE", "SEND", "RETURN_GENERATOR"}
NO_START = {"RESUME", "END_FOR", "END_SEND", "CACHE"}
ALWAYS = {"JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT"}

Counts = dict[CodeType, Counter[Any]]


def observe(program: str, arguments: list[str]) -> tuple[Counts, Counts, Counter[CodeType]]:
    """By code: instructions by offset, branches by (offset, target), and LINE events."""
    instructions: Counts = defaultdict(Counter)
    branches: Counts = defaultdict(Counter)
    lines: Counter[CodeType] = Counter()

    def instruction(code: CodeType, offset: int) -> None:
        instructions[code][offset] += 1

    def branch(code: CodeType, offset: int, target: int) -> None:
        branches[code][offset, target] += 1

    def line(code: CodeType, _: int) -> None:
        lines[code] += 1

    monitoring: Any = sys.monitoring  # type: ignore[attr-defined,unused-ignore]
    tool = 1
    events = monitoring.events
    monitoring.use_tool_id(tool, "line_events")
    monitoring.register_callback(tool, events.INSTRUCTION, instruction)
    monitoring.register_callback(tool, events.BRANCH, branch)
    monitoring.register_callback(tool, events.LINE, line)
    sys.argv = [program, *arguments]
    monitoring.set_events(tool, events.INSTRUCTION | events.BRANCH | events.LINE)
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit:
        pass
    finally:
        monitoring.set_events(tool, 0)
        monitoring.free_tool_id(tool)
    return instructions, branches, lines


class Flow:
    """The basic blocks of a code object, by the offset that each begins at."""

    def __init__(self, code: CodeType, counts: Counter[int]) -> None:
        self.instructions = list(dis.get_instructions(code))
        offsets = [i.offset for i in self.instructions]
        self.following = dict(itertools.pairwise(offsets))
        leaders = {offsets[0]}
        for i in self.instructions:
            if i.opcode in dis.hasjrel:
                leaders.add(i.argval)
            if i.opcode in dis.hasjrel or i.opname in ENDS | SPLITS:
                leaders.add(self.following.get(i.offset, offsets[0]))
        leaders.update(e.target for e in getattr(dis.Bytecode(code), "exception_entries", ()))
        self.blocks = sorted(leaders)
        self.counts: Counter[int] = Counter()
        self.last: dict[int, dis.Instruction] = {}
        for i in self.instructions:
            block = self.block_of(i.offset)
            self.counts[block] = max(self.counts[block], counts[i.offset])
            self.last[block] = i

    def block_of(self, offset: int) -> int:
        return self.blocks[bisect.bisect_right(self.blocks, offset) - 1]

    def starts(self) -> dict[int, int]:
        """How many places at which a line can start are in each block."""
        found: Counter[int] = Counter()
        before = None
        for i in self.instructions:
            if i.opname in NO_START:
                continue
            positions: Any = getattr(i, "positions", None)
            line = positions.lineno if positions else None
            if line and (line != before or i.offset in self.last):
                found[self.block_of(i.offset)] += 1
            before = line
        return found

    def first_line(self) -> int:
        """Offset of the first instruction behind the function's start."""
        names = [i.opname for i in self.instructions]
        at = names.index("RESUME") + 1 if "RESUME" in names else 0
        return self.instructions[min(at, len(names) - 1)].offset

    def edges(self, branches: Counter[tuple[int, int]]) -> list[tuple[int, int, int]]:
        """(how often, from, to) by blocks."""
        found = []
        for block, i in self.last.items():
            n = self.counts[block]
            targets = [(n, t) for (o, t), n in branches.items() if o == i.offset]
            if i.opname in ENDS or i.offset not in self.following:
                found.append((n, block, EXIT))
            elif i.opname in ALWAYS:
                found.append((n, block, self.block_of(i.argval)))
            elif targets:
                found += [(times, block, self.block_of(target)) for times, target in targets]
            else:
                found.append((n, block, self.block_of(self.following[i.offset])))
        return found

    def off_the_tree(self, branches: Counter[tuple[int, int]]) -> int:
        """How often edges off a maximum spanning tree are gone; that from the exit is known."""
        parents: dict[int, int] = {}

        def root(block: int) -> int:
            while parents.setdefault(block, block) != block:
                block = parents[block]
            return block

        parents[root(EXIT)] = root(self.blocks[0])
        off = 0
        for n, a, b in sorted(self.edges(branches), reverse=True):
            if root(a) == root(b):
                off += n
            else:
                parents[root(a)] = root(b)
        return off


def main() -> None:
    if len(sys.argv) < 2 or not (3, 12) <= sys.version_info < (3, 14):
        sys.exit(__doc__)
    instructions, branches, lines = observe(sys.argv[1], sys.argv[2:])
    total = sum(lines.values())
    often, openings, blocks, tree = 0, 0, 0, 0.0
    for code, n in lines.items():
        counts = instructions[code]
        if max(counts.values(), default=0) < OFTEN:
            openings, blocks, tree = openings + n, blocks + n, tree + n
            continue
        flow = Flow(code, counts)
        starts = flow.starts()
        often += n
        openings += n - min(n, counts[flow.first_line()])
        # Where what ran before is on the same line, a place does not tell: in all blocks alike.
        places = sum(flow.counts[block] * number for block, number in starts.items())
        blocks += n * sum(flow.counts[block] for block in starts) // max(places, 1)
        tree += min(n, flow.off_the_tree(branches[code]))
    shares = {"in code that runs often": often, "left without first lines": openings,
              "one a block": blocks, "off a spanning tree": tree}  # fmt: skip
    print(f"{total:,} LINE events", file=sys.stderr)
    for name, count in shares.items():
        print(f"{100 * count / total:5.1f} %  {name}", file=sys.stderr)


if __name__ == "__main__":
    main()
