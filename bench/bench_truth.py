#!/usr/bin/env python3
"""Whether shares can be believed: what a profiler says of a function of known share.

    python bench/bench_truth.py [--rounds N] [--profilers NAME...] [--kinds KIND...]
                                [--shares PERCENT...] [--load] [--markdown FILE]

A program runs work of one kind (small calls, cheap lines, methods, ...; truth_kinds.py) and
other work in turns, many times, so that the first has a chosen share of the time. The truth is
measured in a process without a profiler, by the thread's processor time, with two readings of
that clock a turn; then a fresh process runs the same under each profiler. The error is the
difference of the shares in points: the median over the rounds, and the largest. "itself" repeats
the bare program: the spread of the experiment. --load keeps the other core busy on and off, as
a machine of many users does.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import truth_kinds

TURNS = 60
SECONDS = 0.25
Work = Callable[[], None]


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


def run(kind: str, units: int, others: int) -> float:
    """All turns; the measured share of the kind."""
    work, other = truth_kinds.KINDS[kind], truth_kinds.other
    clock = time.thread_time
    ours = theirs = 0.0
    for _ in range(TURNS):
        start = clock()
        work(units)
        middle = clock()
        other(others)
        ours += middle - start
        theirs += clock() - middle
    return ours / (ours + theirs)


# ---- Profilers: each runs the work and returns the share that it reports ----


def share_of(found: dict[str, float], kind: str) -> float:
    return found[kind] / (found[kind] + found["other"])


def itself(kind: str, units: int, others: int) -> float:
    return run(kind, units, others)


def pynytprof(**options: object) -> Callable[[str, int, int], float]:
    def measure(kind: str, units: int, others: int) -> float:
        import pynytprof

        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "out")
            with pynytprof.Tracer(path, options=options):
                run(kind, units, others)
            profile = pynytprof.open_profile(path)
            found = {
                name.rpartition("::")[2].partition("@")[0]: sub.incl
                for name, sub in profile.subs.items()
                if sub.calls == TURNS
            }
        return share_of(found, kind)

    return measure


def cprofile(kind: str, units: int, others: int) -> float:
    import cProfile
    import pstats

    profiler = cProfile.Profile()
    profiler.runcall(run, kind, units, others)
    stats = pstats.Stats(profiler, stream=io.StringIO()).stats  # type: ignore[attr-defined]
    return share_of({name: figures[3] for (_, _, name), figures in stats.items()}, kind)


def line_profiler(kind: str, units: int, others: int) -> float:
    from line_profiler import LineProfiler

    profiler = LineProfiler(truth_kinds.KINDS[kind], truth_kinds.other)
    for name in ("_small", "_numbers"):
        profiler.add_function(getattr(truth_kinds, name))
    profiler.add_function(truth_kinds._Point.step)
    profiler.runcall(run, kind, units, others)
    stats = profiler.get_stats()
    found = {
        name.rpartition(".")[2]: sum(time for _, _, time in lines) * stats.unit
        for (_, _, name), lines in stats.timings.items()
    }
    return share_of(found, kind)


def yappi(kind: str, units: int, others: int) -> float:
    import yappi as profiler

    profiler.set_clock_type("wall")
    profiler.start(builtins=True)
    run(kind, units, others)
    profiler.stop()
    return share_of({stat.name: stat.ttot for stat in profiler.get_func_stats()}, kind)


def pyinstrument(kind: str, units: int, others: int) -> float:
    from pyinstrument import Profiler

    profiler = Profiler(interval=0.001)
    with profiler:
        run(kind, units, others)
    found = {kind: 0.0, "other": 0.0}
    session = profiler.last_session
    assert session is not None
    frames = [session.root_frame()]
    while frames:
        frame = frames.pop()
        if frame is None:
            continue
        if frame.function in found:
            found[frame.function] += frame.time
        else:
            frames += frame.children
    return share_of(found, kind)


PROFILERS: dict[str, Callable[[str, int, int], float]] = {
    "itself": itself,
    "pynytprof": pynytprof(),
    "no-slowops": pynytprof(slowops=False),
    "raw": pynytprof(raw=True),
    "cProfile": cprofile,
    "line_profiler": line_profiler,
    "yappi": yappi,
    "pyinstrument": pyinstrument,
}


def afresh(profiler: str, kind: str, units: int, others: int) -> float:
    words = [profiler, kind, str(units), str(others)]
    command = [sys.executable, __file__, "--measure", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{profiler} on {kind}: {done.stderr}")
    return float(done.stdout.split()[-1])


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


def errors_of(profiler: str, kind: str, share: float, rounds: int) -> list[float]:
    """Points by which the profiler is off, one for each round."""
    units, others = units_for(kind, share)
    found = []
    for _ in range(rounds):
        truth = afresh("itself", kind, units, others)
        found.append(100 * (afresh(profiler, kind, units, others) - truth))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--profilers", nargs="+", default=["itself", "pynytprof", "cProfile"])
    parser.add_argument("--kinds", nargs="+", default=list(truth_kinds.KINDS))
    parser.add_argument("--shares", nargs="+", type=float, default=[5, 20, 50, 80, 95])
    parser.add_argument("--load", action="store_true", help="with a busy neighbour")
    parser.add_argument("--markdown", type=Path, help="write the table there, too")
    parser.add_argument("--measure", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        profiler, kind, units, others = options.measure
        print(PROFILERS[profiler](kind, int(units), int(others)))
        return
    for name in options.profilers:
        if name not in PROFILERS:
            parser.error(f"unknown profiler {name!r}: there are {', '.join(PROFILERS)}")

    lines = [f"| error in points | {' | '.join(options.profilers)} |"]
    lines.append("|---|" + "--:|" * len(options.profilers))
    medians: dict[str, list[float]] = {name: [] for name in options.profilers}
    with busy_neighbour(options.load):
        for kind in options.kinds:
            for share in options.shares:
                cells = []
                for name in options.profilers:
                    errors = errors_of(name, kind, share / 100, options.rounds)
                    middle = statistics.median(errors)
                    medians[name].append(abs(middle))
                    cells.append(f"{middle:+.1f} ({min(errors):+.1f} to {max(errors):+.1f})")
                lines.append(f"| {kind}, {share:.0f} % | {' | '.join(cells)} |")
                print(lines[-1], flush=True)
    for what, figure in (("mean", statistics.fmean), ("worst", max)):
        cells = [f"{figure(medians[name]):.2f}" for name in options.profilers]
        lines.append(f"| **{what}** | {' | '.join(cells)} |")
        print(lines[-1])
    if options.markdown:
        load = ", with a busy neighbour" if options.load else ""
        head = f"CPython {sys.version.split()[0]}, {options.rounds} rounds{load}\n\n"
        options.markdown.write_text(head + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
