#!/usr/bin/env python3
"""Whether the times can be believed: the profile's total against the run without profiler.

    python bench/bench_accuracy.py [--rounds N] [--raw | --needed]

For each workload of workloads.py: the sum of all line times of a profile (what a report
shows, the profiler's own cost and waits for a processor taken out) over the processor time of
the same work in a process without profiler; 1.00 is perfect. Interleaved rounds, a fresh
process each, medians with the smallest and largest. With --raw the profiler leaves its cost
in, to see what is taken out; --needed tells what that should have been multiplied with, from the
least of the rounds.
"""

from __future__ import annotations

import argparse
import statistics
import struct
import subprocess
import sys
from time import process_time

import workloads

TICKS_PER_S = 10_000_000


class LineTotal:
    """A writer that keeps only the sum of the exclusive line times."""

    def __init__(self) -> None:
        self.ticks = 0

    def write_chunk(self, token: bytes, payload: bytes) -> None:
        if token == b"S":
            self.ticks += sum(row[5] for row in struct.iter_unpack("<IIIIQQQ", payload))

    def close(self) -> None:
        pass


def plain(workload: str) -> float:
    work = workloads.WORKLOADS[workload]
    work()
    before = process_time()
    work()
    return process_time() - before


def profiled(workload: str, raw: bool) -> float:
    from pynytprof.tracer import Tracer

    work = workloads.WORKLOADS[workload]
    work()
    total = LineTotal()
    with Tracer(writer=total, options={"raw": raw}):
        work()
    return total.ticks / TICKS_PER_S


def afresh(*arguments: str) -> float:
    command = [sys.executable, __file__, "--measure", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return float(done.stdout.split()[-1])


def needed(workload: str, rounds: int) -> float:
    """What the profiler's cost has really been over what it took out."""
    kinds = ("plain", "raw", "clean")
    taken = [[afresh(kind, workload) for kind in kinds] for _ in range(rounds)]
    without, with_cost, cleaned = (min(turn[i] for turn in taken) for i in range(len(kinds)))
    return (with_cost - without) / (with_cost - cleaned)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--raw", action="store_true")
    parser.add_argument("--needed", action="store_true")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        kind, workload = options.measure
        print(plain(workload) if kind == "plain" else profiled(workload, kind == "raw"))
        return 0

    print(f"CPython {sys.version.split()[0]}, {options.rounds} rounds")
    medians = []
    for workload in workloads.WORKLOADS:
        if options.needed:
            print(f"{workload:14} {needed(workload, options.rounds):6.2f}", flush=True)
            continue
        ratios = []
        for _ in range(options.rounds):
            without = afresh("plain", workload)
            ratios.append(afresh("raw" if options.raw else "clean", workload) / without)
        medians.append(statistics.median(ratios))
        print(f"{workload:14} {medians[-1]:6.2f} ({min(ratios):.2f}-{max(ratios):.2f})", flush=True)
    if options.needed:
        return 0
    near = sum(0.85 <= m <= 1.15 for m in medians)
    print(f"within 15 %: {near} of {len(medians)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
