"""A part of what tools/cpython_suite.py and tools/real_programs.py do: see there."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parent.parent / "tools"

QUICK = [
    "test_contextlib",
    "test_descr",
    "test_frame",
    "test_generators",
    "test_scope",
    "test_sys_settrace",
    "test_weakset",
]
MORE = [
    "test_atexit",
    "test_asyncgen",
    "test_asyncio.test_queues",
    "test_class",
    "test_code",
    "test_coroutines",
    "test_dataclasses",
    "test_doctest",
    "test_enum",
    "test_exceptions",
    "test_fork1",
    "test_functools",
    "test_gc",
    "test_inspect",
    "test_itertools",
    "test_opcache",
    "test_profile",
    "test_runpy",
    "test_sys_setprofile",
    "test_thread",
    "test_traceback",
    "test_type_cache",
    "test_with",
    "test_yield_from",
]
PROGRAMS = ["state", "package", "input", "pickling", "multiprocessing", "tracebacks", "console"]
MORE_PROGRAMS = ["http.server", "asyncio", "cProfile", "trace", "unittest", "pip list", "pytest"]


def run(script: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, TOOLS / script, *arguments], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    return done.stdout


@pytest.mark.parametrize(
    "module", [*QUICK, *(pytest.param(m, marks=pytest.mark.slow) for m in MORE)]
)
def test_cpython_module(module: str) -> None:
    if not importlib.util.find_spec("test.test_support"):
        pytest.skip("this Python has no test package")
    said = run("cpython_suite.py", "--only", module, f"{module}.*", "--limit", "60")
    assert "FAILED" not in said


@pytest.mark.parametrize(
    "program", [*PROGRAMS, *(pytest.param(p, marks=pytest.mark.slow) for p in MORE_PROGRAMS)]
)
def test_real_program(program: str) -> None:
    assert "\nsame     " in "\n" + run("real_programs.py", "--only", program)
