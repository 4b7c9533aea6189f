"""A service that runs for long: what the tracer holds depends on what differs, not on time."""

from __future__ import annotations

import sys

import pytest
from support import TRACERS, run
from views import HERE

SERVICE = HERE.parent.parent / "bench" / "bench_memory.py"


@pytest.mark.skipif("c" not in TRACERS, reason="the C tracer is not there")
def test_memory_levels_off() -> None:
    done = run([sys.executable, SERVICE, "--rounds", "1800", "--reports", "3"])
    assert (done.returncode, done.stderr) == (0, "")
    rows = [[int(word) for word in line.split()] for line in done.stdout.splitlines()[1:]]
    (_, _, *_), (_, before_kb, *before), (_, after_kb, *after) = rows
    assert after == before  # codes, edges, paths, files, lanes
    assert after[4] <= 66
    assert after_kb - before_kb < 1000  # of 600 rounds; it was 2000 before texts were folded
