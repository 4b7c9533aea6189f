#!/usr/bin/env python3
"""What profiling costs on real programs: CPU time of whole processes, start and writing included.

    python bench/bench_jobs.py [--rounds N] [--only JOB...] [--variants NAME...]

The jobs are the programs in bench/jobs/, which need Django, Jinja2, pandas, Pygments, pytest
and SQLAlchemy (`pip install -r bench/requirements.txt`). A round runs every variant of a job
once, the bare program first; the figure is the least CPU time (user and system, of the
process and its children) over the rounds, divided by the bare program's least. Beside it
stands the spread: the largest time over the least.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

JOBS = Path(__file__).resolve().parent / "jobs"
BARE = "bare"


def _commands(output: str) -> dict[str, list[str]]:
    """Name of a variant: the words in front of the script."""
    python = sys.executable
    ours = [python, "-m", "pynytprof", "-q", "-o", output]
    return {
        BARE: [python],
        "cProfile": [python, "-m", "cProfile", "-o", output],
        "default": ours,
        "exact-lines": [*ours, "--exact-lines"],
        "no-slowops": [*ours, "--no-slowops"],
        "no-stmts": [*ours, "--no-stmts"],
        "scope project": [*ours, "--scope", "project"],
    }


USUAL = ("cProfile", "default", "no-slowops", "no-stmts", "scope project")


def cpu_seconds(command: list[str]) -> float:
    """User and system time of the command and of the children that it waited for."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(f"{' '.join(command)}: status {process.returncode}\n{said.read().decode()}")
    return usage.ru_utime + usage.ru_stime


def measure(job: Path, variants: list[str], rounds: int, folder: str) -> dict[str, list[float]]:
    """CPU seconds of each round by variant."""
    commands = _commands(os.path.join(folder, "out"))
    found: dict[str, list[float]] = {variant: [] for variant in (BARE, *variants)}
    for variant in found:  # once to warm up: bytecode, page cache
        cpu_seconds([*commands[variant], str(job)])
    for _ in range(rounds):
        for variant, seconds in found.items():
            seconds.append(cpu_seconds([*commands[variant], str(job)]))
    return found


def geometric_mean(values: list[float]) -> float:
    return math.exp(statistics.fmean(map(math.log, values)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", nargs="+", metavar="JOB", help="names of files in bench/jobs")
    parser.add_argument("--variants", nargs="+", metavar="VARIANT", default=list(USUAL))
    options = parser.parse_args()
    unknown = set(options.variants) - set(_commands(""))
    if unknown:
        parser.error(
            f"unknown variant {sorted(unknown)[0]!r}: there are {', '.join(_commands(''))}"
        )

    jobs = sorted(JOBS.glob("*.py"))
    if options.only:
        jobs = [job for job in jobs if job.stem in options.only]
    print(f"CPython {sys.version.split()[0]}, least CPU time of {options.rounds} rounds")
    print(f"{'':20}{'bare':>8}" + "".join(f"{v:>20}" for v in options.variants))
    ratios: dict[str, list[float]] = {variant: [] for variant in options.variants}
    with tempfile.TemporaryDirectory() as folder:
        for job in jobs:
            found = measure(job, options.variants, options.rounds, folder)
            bare = min(found[BARE])
            row = f"{job.stem:20}{bare:7.2f}s"
            for variant in options.variants:
                least, most = min(found[variant]), max(found[variant])
                ratios[variant].append(least / bare)
                row += f"{least / bare:11.2f} (x{most / least:4.2f})"
            print(row, flush=True)
    means = {variant: geometric_mean(values) for variant, values in ratios.items()}
    print(f"{'geometric mean':28}" + "".join(f"{means[v]:11.2f}{'':8}" for v in options.variants))
    if "cProfile" in means:
        against = [f"{v} {means[v] / means['cProfile']:.2f}" for v in means if v != "cProfile"]
        print(f"over cProfile: {', '.join(against)}")


if __name__ == "__main__":
    main()
