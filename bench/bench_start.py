#!/usr/bin/env python3
"""What it costs to start and stop: processor time in ms, beside plain Python and cProfile.

    bench_start.py [-n ROUNDS] [PYTHON...]

Each PYTHON (this one) has pynytprof. The ways take turns; the least of all rounds counts, since
whatever else runs can only add. Start-up is that of a program that does nothing, the writing of
the profile included; starts and stops are those of a process that has made a profile before.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

SWITCHES = """\
import time, sys
import pynytprof
def least(function, rounds=30):
    best = 1e9
    for _ in range(rounds):
        began = time.process_time_ns()
        function()
        best = min(best, time.process_time_ns() - began)
    return best / 1e6
def tracer():
    with pynytprof.Tracer('t.out'):
        pass
def written():
    t = pynytprof.Tracer('t.out')
    t.start()
    began = time.process_time_ns()
    t.stop()
    return time.process_time_ns() - began
def switch():
    pynytprof.enable_profile('s.out')
    pynytprof.disable_profile()
def cprofile():
    import cProfile
    with cProfile.Profile():
        pass
tracer()
switch()
print(least(tracer), min(written() for _ in range(30)) / 1e6, least(switch), least(cprofile))
"""


def start_ups(python: str, folder: Path, rounds: int) -> dict[str, float]:
    """Least processor time of each way to run a program that does nothing."""
    script = Path(python).with_name("pynytprof")
    ways = {
        "plain": [python, "-c", "pass"],
        "pynytprof": [str(script), "-q", "-c", "pass"],
        "-m pynytprof": [python, "-m", "pynytprof", "-q", "-c", "pass"],
        "-m cProfile": [python, "-m", "cProfile", "-o", "c.out", "empty.py"],
    }
    (folder / "empty.py").write_text("pass\n")
    best = dict.fromkeys(ways, 1e9)
    for _ in range(rounds):
        for way, command in ways.items():
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, cwd=folder, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            took = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            best[way] = min(best[way], took * 1000)
    return best


def switches(python: str, folder: Path) -> list[float]:
    """with Tracer; of that, the writing at its end; enable and disable; cProfile."""
    done = subprocess.run([python, "-c", SWITCHES], cwd=folder, check=True, capture_output=True,
                          text=True)  # fmt: skip
    return [float(word) for word in done.stdout.split()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("-n", type=int, default=20, help="rounds (20)")
    parser.add_argument("python", nargs="*", default=[sys.executable])
    given = parser.parse_args()
    print("| Python | plain | pynytprof | -m pynytprof | -m cProfile | with Tracer | its last "
          "write | enable, disable | with cProfile |")  # fmt: skip
    print("|---" * 9 + "|")
    for python in map(os.path.abspath, given.python):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            best = start_ups(python, folder, given.n)
            plain = best.pop("plain")
            more = [f"+{took - plain:.1f}" for took in best.values()]
            cells = [f"{plain:.1f}", *more, *(f"{x:.3f}" for x in switches(python, folder))]
        version = subprocess.run([python, "-V"], capture_output=True, text=True).stdout.split()[1]
        print(f"| {version} | {' | '.join(cells)} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
