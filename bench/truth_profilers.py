"""The profilers that bench_truth.py compares: each runs the work and tells the share it reports.

Those that trace are used from within, by their own interfaces; samplers that watch from outside are
run as commands, and what they have written is read. All come with a fresh process.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import truth_kinds
from truth_run import run

TURNS = 60
PROGRAM = Path(__file__).resolve().parent / "truth_run.py"
BIN = Path(sys.executable).parent

# Samplers take a thousand samples a second. Their turns are longer, so that a share of one half has
# a statistical error of one and a half points, and a turn's part has several samples.
LONGER = 4
HERTZ = 1000

Measure = Callable[[str, int, int], float]


def share_of(found: dict[str, float], kind: str) -> float:
    """The kind's share; a profiler that has never seen it says zero."""
    ours, theirs = found.get(kind, 0.0), found.get("other", 0.0)
    if not ours + theirs:
        raise ValueError(f"neither {kind} nor the other work is in the profile")
    return ours / (ours + theirs)


def itself(kind: str, units: int, others: int) -> float:
    return run(kind, units, others, TURNS)


# ---- Tracers ----


def pynytprof(**options: object) -> Measure:
    def measure(kind: str, units: int, others: int) -> float:
        import pynytprof

        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "out")
            with pynytprof.Tracer(path, options=options):
                run(kind, units, others, TURNS)
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
    profiler.runcall(run, kind, units, others, TURNS)
    stats = pstats.Stats(profiler, stream=io.StringIO()).stats  # type: ignore[attr-defined]
    return share_of({name: figures[3] for (_, _, name), figures in stats.items()}, kind)


def line_profiler(kind: str, units: int, others: int) -> float:
    """Where lines are looked up from the top of a long function it takes minutes: fewer turns."""
    from line_profiler import LineProfiler

    profiler = LineProfiler(truth_kinds.KINDS[kind], truth_kinds.other)
    for name in ("_small", "_numbers"):
        profiler.add_function(getattr(truth_kinds, name))
    profiler.add_function(truth_kinds._Point.step)
    profiler.runcall(run, kind, units, others, 4 if kind == "far_lines" else TURNS)
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
    run(kind, units, others, TURNS)
    profiler.stop()
    return share_of({stat.name: stat.ttot for stat in profiler.get_func_stats()}, kind)


def viztracer(kind: str, units: int, others: int) -> float:
    """Of the last million of events, which is all that it keeps unless told otherwise."""
    from viztracer import VizTracer

    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out.json")
        with VizTracer(output_file=path, verbose=0):
            run(kind, units, others, TURNS)
        events = json.loads(Path(path).read_bytes())["traceEvents"]
    lasted: dict[str, list[float]] = {kind: [], "other": []}
    for event in sorted((e for e in events if e["ph"] == "X"), key=lambda e: float(e["ts"])):
        name = event["name"].partition(" ")[0]
        if name in lasted:
            lasted[name].append(event["dur"])
    whole = min(map(len, lasted.values()))  # turns of which both halves are kept
    return share_of(
        {name: sum(times[len(times) - whole :]) for name, times in lasted.items()}, kind
    )


# ---- Samplers ----


def pyinstrument(kind: str, units: int, others: int) -> float:
    from pyinstrument import Profiler

    profiler = Profiler(interval=1 / HERTZ)
    with profiler:
        run(kind, LONGER * units, LONGER * others, TURNS, clock=float)
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


def by_command(words: Iterable[str], kind: str, units: int, others: int) -> str:
    """Runs a profiler's command around the program, OUT in it being a file; what it wrote there."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "out.json")
        command = [path if word == "OUT" else word for word in words]
        command += [kind, *(str(number) for number in (LONGER * units, LONGER * others, TURNS))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode or not os.path.exists(path):
            raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return Path(path).read_text()


def of_stacks(folded: str, kind: str) -> float:
    """The share by stacks of the form `outer (file:1);inner (file:2) SAMPLES`."""
    found = {kind: 0.0, "other": 0.0}
    for line in folded.splitlines():
        stack, _, samples = line.rpartition(" ")
        for frame in stack.split(";"):
            name = frame.partition(" ")[0].split(":")
            for word in name:
                if word in found:
                    found[word] += int(samples)
    return share_of(found, kind)


def py_spy(kind: str, units: int, others: int) -> float:
    words = [str(BIN / "py-spy"), "record", "-r", str(HERTZ), "-f", "raw", "-o", "OUT"]
    words += ["--", sys.executable, str(PROGRAM)]
    return of_stacks(by_command(words, kind, units, others), kind)


def tachyon(kind: str, units: int, others: int) -> float:
    words = [sys.executable, "-m", "profiling.sampling", "run", "-r", str(HERTZ)]
    words += ["--collapsed", "-o", "OUT", str(PROGRAM)]
    return of_stacks(by_command(words, kind, units, others), kind)


def scalene(kind: str, units: int, others: int) -> float:
    """By stacks. Functions of no file are their caller's line there: all of `run` is the kind's."""
    words = [sys.executable, "-m", "scalene", "run", "--cpu-only"]
    words += ["--cpu-sampling-rate", str(1 / HERTZ), "-o", "OUT", str(PROGRAM), "---"]
    found = {kind: 0.0, "other": 0.0}
    for stack, taken in json.loads(by_command(words, kind, units, others))["stacks"]:
        names = {frame.split()[-1].partition(":")[0] for frame in stack}
        if "run" in names:
            found["other" if "other" in names else kind] += taken["cpu_samples"]
    return share_of(found, kind)


# Name: how to measure, and the module without which it can't be.
PROFILERS: dict[str, tuple[Measure, str]] = {
    "itself": (itself, "time"),
    "pynytprof": (pynytprof(), "pynytprof"),
    "exactlines=1": (pynytprof(exactlines=True), "pynytprof"),
    "no-slowops": (pynytprof(slowops=False), "pynytprof"),
    "raw": (pynytprof(raw=True), "pynytprof"),
    "cProfile": (cprofile, "cProfile"),
    "line_profiler": (line_profiler, "line_profiler"),
    "yappi": (yappi, "yappi"),
    "viztracer": (viztracer, "viztracer"),
    "pyinstrument": (pyinstrument, "pyinstrument"),
    "py-spy": (py_spy, "py_spy"),
    "Scalene": (scalene, "scalene"),
    "Tachyon": (tachyon, "profiling.sampling"),
}


def why_missing(profiler: str) -> str:
    """Why it can't be had in this environment; empty if it can."""
    module = PROFILERS[profiler][1]
    if profiler == "py-spy":
        return "" if (BIN / "py-spy").exists() else "py-spy is not installed"
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        found = None
    if found:
        return ""
    if profiler == "Tachyon":
        return "Tachyon comes with CPython 3.15"
    return f"{module} is not installed"


if __name__ == "__main__":
    print(PROFILERS[sys.argv[1]][0](sys.argv[2], *map(int, sys.argv[3:5])))
