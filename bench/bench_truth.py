#!/usr/bin/env python3
"""Whether shares can be believed: what a profiler says of a function of known share.

    python bench/bench_truth.py [--rounds N] [--profilers NAME...] [--kinds KIND...]
                                [--shares PERCENT...] [--load] [--results FILE.json]
    python bench/bench_truth.py --from FILE.json [--markdown FILE.md] [--plot FILE.svg]

A program (truth_run.py) runs work of one kind (small calls, cheap lines, methods, ...;
truth_kinds.py) and other work in turns, many times, so that the first has a chosen share of the
time. In each round the truth is measured in a process without a profiler, by the thread's
processor time, with two readings of that clock a turn; then a fresh process runs the same under
each profiler (truth_profilers.py). The error is the difference of the shares in points: the median
over the rounds, and the smallest and largest. "itself" repeats the bare program: the spread of the
experiment. --load keeps the other core busy on and off, as a machine of many users does.

A profiler that is not there, or that fails, is named below the table. --profilers all takes all
that there are.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import truth_kinds
import truth_plot
import truth_profilers

TURNS = truth_profilers.TURNS
SECONDS = 0.25
USUAL = ("itself", "pynytprof", "cProfile")


@dataclass
class Cell:
    """Points by which each profiler was off in each round, for one kind of work and one share."""

    kind: str
    share: float
    errors: dict[str, list[float]] = field(default_factory=dict)


@dataclass
class Results:
    python: str
    rounds: int
    load: bool
    cells: list[Cell] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    def profilers(self) -> list[str]:
        return list(self.cells[0].errors) if self.cells else []


# ---- Measuring ----


def per_unit(kind: Callable[[int], None]) -> float:
    """Seconds of one unit, the least of several tries."""
    best = float("inf")
    for _ in range(7):
        before = time.perf_counter()
        kind(2000)
        best = min(best, (time.perf_counter() - before) / 2000)
    return best


def units_for(kind: str, share: float) -> tuple[int, int]:
    """Units of the kind and of the other work a turn."""
    turn = SECONDS / TURNS
    of_kind = int(share * turn / per_unit(truth_kinds.KINDS[kind]))
    of_other = int((1 - share) * turn / per_unit(truth_kinds.other))
    return max(of_kind, 1), max(of_other, 1)


def afresh(profiler: str, kind: str, units: int, others: int) -> float:
    """The share by a profiler; RuntimeError with the last of what it said if there is none."""
    command = [sys.executable, truth_profilers.__file__, profiler, kind, str(units), str(others)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return float(done.stdout.split()[-1])
    except (IndexError, ValueError):
        said = (done.stderr.strip() or f"status {done.returncode}").splitlines()
        raise RuntimeError(said[-1]) from None


@contextlib.contextmanager
def busy_neighbour(wanted: bool) -> Iterator[None]:
    """Another process that computes for a second, rests for a second, and so on."""
    if not wanted:
        yield
        return
    code = (
        "import time\nwhile True:\n end = time.time() + 1\n"
        " while time.time() < end: sum(range(1000))\n time.sleep(1)\n"
    )
    neighbour = subprocess.Popen([sys.executable, "-c", code])
    try:
        yield
    finally:
        neighbour.kill()
        neighbour.wait()


def measure(results: Results, profilers: list[str], kind: str, share: float) -> Cell:
    """All rounds of one cell, all profilers after one another in each."""
    cell = Cell(kind, share, {name: [] for name in profilers})
    units, others = units_for(kind, share / 100)
    for _ in range(results.rounds):
        truth = afresh("itself", kind, units, others)
        for name in profilers:
            try:
                cell.errors[name].append(100 * (afresh(name, kind, units, others) - truth))
            except RuntimeError as error:
                results.missing[f"{name} ({kind.replace('_', ' ')})"] = str(error)
    results.cells.append(cell)
    return cell


# ---- Telling ----


def told(errors: list[float], spread: bool) -> str:
    if not errors:
        return "failed"
    middle = f"{statistics.median(errors):+.1f}"
    return f"{middle} ({min(errors):+.1f} to {max(errors):+.1f})" if spread else middle


def row(cell: Cell, spread: bool) -> str:
    cells = [told(errors, spread) for errors in cell.errors.values()]
    return f"| {cell.kind.replace('_', ' ')}, {cell.share:.0f} % | {' | '.join(cells)} |"


def summaries(results: Results) -> Iterator[tuple[str, list[str]]]:
    """What stands below the rows: of all medians, and of all single runs."""

    def each(figure: Callable[[list[list[float]]], float]) -> list[str]:
        runs = [
            [cell.errors[name] for cell in results.cells if cell.errors[name]]
            for name in results.profilers()
        ]
        return [f"{figure(of_one):.1f}" if of_one else "" for of_one in runs]

    def medians(of_one: list[list[float]]) -> list[float]:
        return [abs(statistics.median(errors)) for errors in of_one]

    yield "**mean of medians**", each(lambda of_one: statistics.fmean(medians(of_one)))
    yield "**worst median**", each(lambda of_one: max(medians(of_one)))
    yield (
        "worst single run",
        each(lambda of_one: max(abs(error) for errors in of_one for error in errors)),
    )
    yield (
        "largest less smallest of the rounds, mean",
        each(lambda of_one: statistics.fmean(max(errors) - min(errors) for errors in of_one)),
    )


def table(results: Results, spread: bool) -> list[str]:
    names = results.profilers()
    lines = [f"| error in points | {' | '.join(names)} |", "|---|" + "--:|" * len(names)]
    lines += [row(cell, spread) for cell in results.cells]
    lines += [f"| {what} | {' | '.join(figures)} |" for what, figures in summaries(results)]
    return lines


def left_out(results: Results) -> list[str]:
    return [f"Not measured: {name}: {why}" for name, why in results.missing.items()]


def load_now() -> str:
    return "load " + ", ".join(f"{figure:.1f}" for figure in os.getloadavg())


def title(results: Results) -> str:
    load = ", with a busy neighbour" if results.load else ""
    return f"CPython {results.python}, {results.rounds} rounds{load}"


# ---- The command ----


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--profilers", nargs="+", default=list(USUAL), metavar="NAME")
    parser.add_argument("--kinds", nargs="+", default=list(truth_kinds.KINDS))
    parser.add_argument("--shares", nargs="+", type=float, default=[5, 20, 50, 80, 95])
    parser.add_argument("--load", action="store_true", help="with a busy neighbour")
    parser.add_argument("--results", type=Path, help="keep all figures there, as JSON")
    parser.add_argument("--from", type=Path, dest="earlier", help="an earlier run's --results")
    parser.add_argument("--markdown", type=Path, help="write the table there, too")
    parser.add_argument("--medians", action="store_true", help="no ranges in that table")
    parser.add_argument("--plot", type=Path, help="write a picture of the errors there, as SVG")
    options = parser.parse_args()
    if options.profilers == ["all"]:
        options.profilers = list(truth_profilers.PROFILERS)
    for name in options.profilers:
        if name not in truth_profilers.PROFILERS:
            parser.error(f"unknown profiler {name!r}: {', '.join(truth_profilers.PROFILERS)}")
    return options


def measure_all(options: argparse.Namespace) -> Results:
    results = Results(sys.version.split()[0], options.rounds, options.load)
    reasons = {name: truth_profilers.why_missing(name) for name in options.profilers}
    results.missing = {name: why for name, why in reasons.items() if why}
    profilers = [name for name in options.profilers if not reasons[name]]
    print(f"{title(results)}, {load_now()}")
    print(f"| error in points | {' | '.join(profilers)} |")
    with busy_neighbour(options.load):
        for kind in options.kinds:
            for share in options.shares:
                print(row(measure(results, profilers, kind, share), spread=True), flush=True)
                if options.results:
                    options.results.write_text(json.dumps(asdict(results)))
    for what, figures in summaries(results):
        print(f"| {what} | {' | '.join(figures)} |")
    print(*left_out(results), load_now(), sep="\n")
    return results


def read_results(path: Path) -> Results:
    raw = json.loads(path.read_text())
    return Results(**{**raw, "cells": [Cell(**cell) for cell in raw["cells"]]})


def main() -> None:
    options = parse()
    results = read_results(options.earlier) if options.earlier else measure_all(options)
    text = [title(results), "", *table(results, not options.medians), "", *left_out(results)]
    if options.earlier:
        print(*text, sep="\n")
    if options.markdown:
        options.markdown.write_text("\n".join(text) + "\n")
    if options.plot:
        errors = {
            name: [
                (f"{cell.kind.replace('_', ' ')}, {cell.share:.0f} %", statistics.median(found))
                for cell in results.cells
                if (found := cell.errors[name])
            ]
            for name in results.profilers()
        }
        options.plot.write_text(truth_plot.drawn(errors, title(results)))


if __name__ == "__main__":
    main()
