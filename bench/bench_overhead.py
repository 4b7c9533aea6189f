#!/usr/bin/env python3
"""What profiling costs: CPU time with a profiler over CPU time without, beside others.

    python bench/bench_overhead.py [--rounds N] [--only NAME...] [--variants NAME...]
                                   [--markdown FILE.md]

Each measurement is a fresh process that runs one workload of workloads.py once to warm up
and once under the profiler, garbage collection off. A round goes over all variants of one
workload before the next round starts, so that a slow spell of the machine falls on all of
them. The table has the least CPU time of the rounds over the bare program's least, beside it the
largest over the least, and the geometric mean over the workloads; then that mean over cProfile's
and over line_profiler's. Not in these figures: start-up, and writing the profile at the end.
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
from collections.abc import Callable, Iterator
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


def yappi() -> Control:
    import yappi as profiler

    profiler.set_clock_type("wall")
    return (lambda: profiler.start(builtins=True)), profiler.stop


def viztracer() -> Control:
    from viztracer import VizTracer

    profiler = VizTracer(verbose=0)
    return profiler.start, profiler.stop


VARIANTS: dict[str, Callable[[], Control]] = {
    "none": nothing,
    "pynytprof": pynytprof,
    "pynytprof slowops=0": lambda: pynytprof(slowops=0),
    "pynytprof exactlines=1": lambda: pynytprof(exactlines=1),
    "pynytprof stmts=0": lambda: pynytprof(stmts=0),
    "pynytprof stmts=0 slowops=0": lambda: pynytprof(stmts=0, slowops=0),
    "cProfile": lambda: cprofile(True),
    "cProfile builtins=False": lambda: cprofile(False),
    "line_profiler": line_profiler,
    "yappi": yappi,
    "viztracer": viztracer,
}
OTHERS = ("line_profiler", "yappi", "viztracer")  # which may not be installed


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
    """CPU seconds of each round, for each variant and for `none`."""
    seconds: dict[str, list[float]] = {variant: [] for variant in ("none", *variants)}
    for _ in range(rounds):
        for variant, found in seconds.items():
            found.append(measure_afresh(variant, workload))
    return seconds


def geometric_mean(values: list[float]) -> float:
    return math.exp(statistics.fmean(map(math.log, values)))


def row(what: str, cells: list[str]) -> str:
    return f"| {what} | {' | '.join(cells)} |"


def usual_variants() -> tuple[list[str], list[str]]:
    """All that there are, and the names of those that are not installed."""
    missing = [name for name in OTHERS if not importlib.util.find_spec(name)]
    return [name for name in VARIANTS if name != "none" and name not in missing], missing


def measure_all(names: list[str], variants: list[str], rounds: int) -> Iterator[str]:
    """The table's rows, one by one."""
    yield row("", ["bare", *variants])
    yield "|---|" + "--:|" * (1 + len(variants))
    ratios: dict[str, list[float]] = {variant: [] for variant in variants}
    for workload in names:
        found = compare(workload, variants, rounds)
        bare = min(found["none"])
        cells = [f"{bare:.2f} s"]
        for variant in variants:
            least, most = min(found[variant]), max(found[variant])
            ratios[variant].append(least / bare)
            cells.append(f"{least / bare:.2f} (x{most / least:.2f})")
        yield row(workload, cells)
    means = {variant: geometric_mean(values) for variant, values in ratios.items()}
    yield row("geometric mean", ["", *(f"{mean:.2f}" for mean in means.values())])
    for other in ("cProfile", "line_profiler"):
        if other in means:
            over = [f"{mean / means[other]:.2f}" for mean in means.values()]
            yield row(f"over {other}", ["", *over])


def main() -> None:
    usual, missing = usual_variants()
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", nargs="+", default=list(workloads.WORKLOADS), metavar="WORKLOAD")
    parser.add_argument(
        "--variants", nargs="+", metavar="VARIANT", default=usual, help=", ".join(VARIANTS)
    )
    parser.add_argument("--markdown", type=Path, help="write the table there, too")
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(measure(*options.measure))
        return

    tracer = os.environ.get("PYNYTPROF_TRACER", "as chosen")
    python = sys.version.split()[0]
    lines = [f"CPython {python}, least CPU time of {options.rounds} rounds, tracer: {tracer}", ""]
    print(lines[0])
    for line in measure_all(options.only, options.variants, options.rounds):
        print(line, flush=True)
        lines.append(line)
    if options.variants == usual and missing:
        lines += ["", f"Not installed: {', '.join(missing)}"]
        print(lines[-1])
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
