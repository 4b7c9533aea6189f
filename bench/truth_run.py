#!/usr/bin/env python3
"""The program that bench_truth.py has profiled: work of a kind and other work, in turns.

    python bench/truth_run.py KIND UNITS OTHERS TURNS

UNITS of the kind and OTHERS of the other work a turn. For samplers from outside: no clock is read
here, for a system call at each turn's start would make turns keep step with the sampler.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import truth_kinds


def run(
    kind: str,
    units: int,
    others: int,
    turns: int,
    clock: Callable[[], float] = time.thread_time,
) -> float:
    """All turns; the share of the kind by a clock that is read twice a turn."""
    work, other = truth_kinds.KINDS[kind], truth_kinds.other
    ours = theirs = 0.0
    for _ in range(turns):
        start = clock()
        work(units)
        middle = clock()
        other(others)
        ours += middle - start
        theirs += clock() - middle
    return ours / ((ours + theirs) or 1)


if __name__ == "__main__":
    units, others, turns = map(int, sys.argv[2:])
    run(sys.argv[1], units, others, turns, clock=float)
