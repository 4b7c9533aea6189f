"""Profiles of programs that fork, are killed, or end in other ways than at their end."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import TRACERS, Outcome, outcome_of, profiling

from pynytprof import reader, verify

WORK = """\
import os, sys
def work(n):
    s = 0
    for i in range(n):
        s += i
    return s
"""
WORK_LINE = 5  # runs n times

IN_PYTHON = pytest.param("py", marks=pytest.mark.slow)


@pytest.fixture(params=[IN_PYTHON, *TRACERS[1:]])
def tracer(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def write(folder: Path, text: str) -> None:
    (folder / "prog.py").write_text(WORK + text)


def profile(
    folder: Path, text: str, tracer: str = "", *options: str, flags: list[str] | None = None
) -> Outcome:
    """What ``text``, with ``work`` defined before it, does under the profiler."""
    write(folder, text)
    return outcome_of([*profiling(options, flags or []), "prog.py"], folder, tracer=tracer)


def parts(folder: Path) -> list[Path]:
    """The profiles of all but the first process."""
    return sorted(p for p in folder.glob("nytprof.out.*"))


def count(path: Path, line: int = WORK_LINE) -> int:
    """How often a line of the program ran; the profile must be sound."""
    assert verify.verify(path, quiet=True), path
    found = reader.read(path)
    fids = [f.fid for f in found.files.values() if f.name.endswith("prog.py")]
    return sum(x.count for x in found.lines if x.fid in fids and x.line == line)
