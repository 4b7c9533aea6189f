#!/usr/bin/env python3
"""What profiling costs: CPU time with a profiler over CPU time without, beside others.

    python bench/bench_overhead.py [--rounds N] [--only NAME...] [--variants NAME...]

Each measurement is a fresh process that runs one workload of workloads.py once to warm up
and once under the profiler, garbage collection off. A round goes over all variants of one
workload before the next round starts, so that a slow spell of the machine falls on all of
them. The table has medians over the rounds with the smallest and largest ratio, and the
geometric mean over the workloads. Not in these figures: start-up, and writing the profile
at the end.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import process_time

import workloads

Control = tuple[Callable[[], object], Callable[[], object]]  # start, stop


def nothing() -> Control:
    return (lambda: None), (lambda: None)


def pynytprof(**settings: object) -> Control:
    from pynytprof.tracer import Tracer

    folder = tempfile.TemporaryDirectory()
    tracer = Tracer(str(Path(folder.name) / "nytprof.out"), options=settings)

    def stop() -> None:
        tracer.stop()
        folder.cleanup()

    return tracer.start, stop


def cprofile(builtins: bool) -> Control:
    import cProfile

    profiler = cProfile.Profile()
    return (lambda: profiler.enable(subcalls=True, builtins=builtins)), profiler.disable


def line_profiler() -> Control:
    from line_profiler import LineProfiler  # type: ignore[import-not-found,unused-ignore]

    profiler = LineProfiler()
    profiler.add_module(workloads)
    return profiler.enable_by_count, profiler.disable_by_count


VARIANTS: dict[str, Callable[[], Control]] = {
    "none": nothing,
    "pynytprof": pynytprof,
    "pynytprof slowops=0": lambda: pynytprof(slowops=0),
    "cProfile": lambda: cprofile(True),
    "cProfile builtins=False": lambda: cprofile(False),
    "line_profiler": line_profiler,
}


def measure(variant: str, workload: str) -> float:
    """CPU seconds of one run; called in a process of its own."""
    import gc

    work = workloads.WORKLOADS[workload]
    work()
    gc.collect()
    gc.disable()
    start, stop = VARIANTS[variant]()
    start()
    before = process_time()
    work()
    spent = process_time() - before
    stop()
    return spent


def measure_afresh(variant: str, workload: str) -> float:
    command = [sys.executable, __file__, "--measure", variant, workload]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{variant} on {workload}: {done.stderr}")
    return float(done.stdout.split()[-1])


def compare(workload: str, variants: list[str], rounds: int) -> dict[str, list[float]]:
    """For each variant the ratio to `none` in each round."""
    ratios: dict[str, list[float]] = {variant: [] for variant in variants}
    for _ in range(rounds):
        plain = measure_afresh("none", workload)
        for variant in variants:
            ratios[variant].append(measure_afresh(variant, workload) / plain)
    return ratios


def geometric_mean(values: list[float]) -> float:
    return math.exp(statistics.fmean(map(math.log, values)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=list(workloads.WORKLOADS), metavar="WORKLOAD")
    parser.add_argument("--variants", nargs="+", metavar="VARIANT", help=", ".join(VARIANTS))
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(measure(*options.measure))
        return

    variants = options.variants or [
        v
        for v in VARIANTS
        if v != "none" and (v != "line_profiler" or importlib.util.find_spec("line_profiler"))
    ]
    tracer = os.environ.get("PYNYTPROF_TRACER", "as chosen")
    print(f"CPython {sys.version.split()[0]}, {options.rounds} rounds, tracer: {tracer}")
    print(f"{'':14}" + "".join(f"{v:>25}" for v in variants))
    medians: dict[str, list[float]] = {variant: [] for variant in variants}
    for workload in options.only:
        row = f"{workload:14}"
        for variant, ratios in compare(workload, variants, options.rounds).items():
            median = statistics.median(ratios)
            medians[variant].append(median)
            row += f"{median:11.2f} ({min(ratios):5.2f}-{max(ratios):5.2f})"
        print(row, flush=True)
    means = "".join(f"{geometric_mean(medians[v]):11.2f}{'':14}" for v in variants)
    print(f"{'geometric mean':14}{means}")


if __name__ == "__main__":
    main()
