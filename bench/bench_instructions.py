#!/usr/bin/env python3
"""Instructions that an event costs, counted by valgrind: the same on any machine, at any load.

    bench_instructions.py [--python PYTHON]... [--json]

For each kind of event a small program runs twice under callgrind, once with twice the turns; the
difference is what the turns cost, less what they cost without a profiler. Beside it stands what
cProfile costs in the same program. The rows: a LINE event; the call of a Python function of one
line, with its return; the call of a C function, with its return. The clock is the system's there,
which takes more than the processor's counter. Needs valgrind, and pynytprof in each PYTHON (this
one).
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TURNS = 1500

# The body of a loop, its events by turn beside the loop's own line, and what they are.
KINDS = {
    "lines": ("        a = i\n" * 10, 10),
    "calls": ("        f(i)\n" * 5, 5),
    "C calls": ("        abs(i)\n" * 5, 5),
}
PROGRAM = """\
def f(i):
    return i
def loop(n):
    for i in range(n):
{body}
def run(n):
{profiler}
run({turns})
"""
PROFILERS = {
    "none": "    loop(n)",
    "pynytprof": "    import pynytprof\n"
    '    with pynytprof.Tracer("{out}", options={{"raw": 1, "snapshot": 1e6}}): loop(n)',
    "cProfile": "    import cProfile\n    p = cProfile.Profile(); p.enable(); loop(n); p.disable()",
}


def instructions(python: str, text: str, folder: Path) -> int:
    program = folder / "program.py"
    program.write_text(text)
    out = f"--callgrind-out-file={folder / 'callgrind'}"
    done = subprocess.run(
        ["valgrind", "--tool=callgrind", out, python, program],
        env={"PYTHONHASHSEED": "0", "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert found, done.stderr
    return int(found[1])


def measure(python: str, folder: Path) -> dict[str, dict[str, float]]:
    """kind -> profiler -> instructions an event, more than without one."""
    table: dict[str, dict[str, float]] = {}
    for kind, (body, events) in KINDS.items():
        spent = {}
        for profiler, text in PROFILERS.items():
            profiled = text.format(out=folder / "out")
            one, two = (
                instructions(
                    python, PROGRAM.format(body=body, turns=turns, profiler=profiled), folder
                )
                for turns in (TURNS, 2 * TURNS)
            )
            spent[profiler] = (two - one) / TURNS / events
        table[kind] = {p: spent[p] - spent["none"] for p in PROFILERS if p != "none"}
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--python", action="append", help="(this one); may be repeated")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    for python in given.python or [sys.executable]:
        with tempfile.TemporaryDirectory() as folder:
            table = measure(python, Path(folder))
        if given.json:
            print(json.dumps({"python": python, "instructions": table}))
            continue
        print(python)
        for kind, by in table.items():
            print(f"  {kind:8}", *(f"{p} {n:7.1f}" for p, n in by.items()))


if __name__ == "__main__":
    main()
