#!/usr/bin/env python3
"""The program that bench_truth.py has profiled: work of a kind and other work, in turns.

    python bench/truth_run.py KIND UNITS OTHERS TURNS

UNITS of the kind and OTHERS of the other work a turn. Prints the share of the kind by the thread's
processor time, which is read twice a turn.
"""

from __future__ import annotations

import sys
import time

import truth_kinds


def run(kind: str, units: int, others: int, turns: int) -> float:
    """All turns; the measured share of the kind."""
    work, other = truth_kinds.KINDS[kind], truth_kinds.other
    clock = time.thread_time
    ours = theirs = 0.0
    for _ in range(turns):
        start = clock()
        work(units)
        middle = clock()
        other(others)
        ours += middle - start
        theirs += clock() - middle
    return ours / (ours + theirs)


if __name__ == "__main__":
    print(run(sys.argv[1], *map(int, sys.argv[2:])))
