"""Tracers that follow one another in a process know nothing of each other."""

from __future__ import annotations

import json
import sys

import pytest
from support import TRACERS, run
from views import HERE


@pytest.mark.parametrize("tracer", TRACERS)
def test_each_session_counts_its_own(tracer: str) -> None:
    program = HERE / "sessions.py"
    done = run([sys.executable, program], PYNYTPROF_TRACER=tracer)
    assert (done.returncode, done.stderr) == (0, "")
    source = program.read_text(encoding="utf-8").splitlines()
    inside = 1 + source.index("        total += turn")
    counts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [c.get(str(inside)) for c in counts] == [10, 20, 30]
    assert [c.get(str(inside + 1)) for c in counts] == [1, 1, 1]
