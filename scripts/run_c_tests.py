#!/usr/bin/env python3
"""Runs the cmocka programs of a build directory and adds up what they say.

    run_c_tests.py DIRECTORY

The last line is `N passed, N failed`. Exit status 1 if a test failed, a program died, or
there was nothing to run.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# cmocka closes with "[  PASSED  ] 12 test(s)." and "[  FAILED  ] tests: 1 test(s), ..."
_PASSED = re.compile(r"^\[  PASSED  \] (\d+) test", re.MULTILINE)
_FAILED = re.compile(r"^\[  FAILED  \] (?:\w+: )?(\d+) test", re.MULTILINE)
_TIME_LIMIT_S = 300


def run(program: Path) -> tuple[int, int, str]:
    """Tests passed and failed, and what is to be told of them. A program that dies without saying
    why counts as one failed."""
    try:
        done = subprocess.run(
            [program], capture_output=True, text=True, errors="replace", timeout=_TIME_LIMIT_S
        )
    except subprocess.TimeoutExpired:
        return 0, 1, f"{program.name}: no end after {_TIME_LIMIT_S} s"
    said = done.stdout + done.stderr
    passed = sum(int(n) for n in _PASSED.findall(said))
    failed = sum(int(n) for n in _FAILED.findall(said))
    if done.returncode != 0:
        failed = max(failed, 1)
    summary = f"{program.name}: {passed} passed, {failed} failed, exit status {done.returncode}"
    if failed:
        summary = f"{said}\n{summary}"
    return passed, failed, summary


def main(directory: Path) -> int:
    programs = sorted(p for p in directory.glob("test_*") if p.is_file() and os.access(p, os.X_OK))
    passed = failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for these_passed, these_failed, told in pool.map(run, programs):
            print(told, flush=True)
            passed += these_passed
            failed += these_failed
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
