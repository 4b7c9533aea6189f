"""Primitive calls, those that find no other activation of their sub, are cProfile's."""

from __future__ import annotations

import pstats
from pathlib import Path
from typing import Any

import pytest
from support import PYTHON, TRACERS, run
from views import profile

from pynytprof import convert

PROGRAM = """\
def even(n):
    return True if n == 0 else odd(n - 1)
def odd(n):
    return False if n == 0 else even(n - 1)
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
def a(n):
    return b(n - 1) if n else 0
def b(n):
    return c(n - 1) if n else a(0)
def c(n):
    return a(n - 1) + b(n - 1) if n > 1 else 0
for i in range(9):
    even(i), odd(i), fib(i), a(i)
"""


def calls(stats: Path, program: Path) -> dict[str, tuple[int, int]]:
    """Function : primitive calls, all calls."""
    table: Any = pstats.Stats(str(stats)).stats  # type: ignore[attr-defined]
    return {
        name.rpartition("::")[2]: figures[:2]
        for (file, line, name), figures in table.items()
        if (file == str(program) and line > 1) or name.endswith("even")
    }


@pytest.mark.parametrize("writer", ["c", "py"])
@pytest.mark.parametrize("tracer", TRACERS)
def test_primitive_calls(tracer: str, writer: str, tmp_path: Path) -> None:
    program = tmp_path / "recursive.py"
    program.write_text(PROGRAM)
    done = run([PYTHON, "-m", "cProfile", "-o", tmp_path / "theirs", program])
    assert done.returncode == 0, done.stderr
    out = profile(tmp_path / "out", [program], tracer=tracer, PYNYTPROF_WRITER=writer)
    ours = convert.to_pstats(out, tmp_path / "ours")
    found = calls(Path(str(ours)), program)
    assert len(found) == 6
    assert found == calls(tmp_path / "theirs", program)
