"""The first line of a function that is called often is counted where it begins: no event."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

if sys.version_info < (3, 12):
    pytest.skip("needs CPython 3.12 or later", allow_module_level=True)

from pynytprof._ctrace import Tracer

CALLS = 1000


def profiled(text: str, folder: Path, **names: Any) -> tuple[dict[int, int], Tracer]:
    """How often each line of the text ran, and the tracer."""
    path = folder / "program.py"
    code = compile(text, str(path), "exec")
    tracer = Tracer(include=(str(path),))
    tracer.start()
    try:
        exec(code, {**names, "__name__": "program"})
    finally:
        tracer.stop()
    return {line: figures[0] for (_, line), figures in tracer.line_hits().items()}, tracer


def counted(text: str, folder: Path, **names: Any) -> dict[int, int]:
    """The same by sys.settrace."""
    path = folder / "program.py"
    code = compile(text, str(path), "exec")
    lines: dict[int, int] = {}

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename != str(path):
            return None
        if event == "line":
            lines[frame.f_lineno] = lines.get(frame.f_lineno, 0) + 1
        return trace

    sys.settrace(trace)
    try:
        exec(code, {**names, "__name__": "program"})
    finally:
        sys.settrace(None)
    return lines


FORMS = {
    "body": "def f(x):\n    a = x\n    return a\n",
    "one line": "def f(x): return x\n\n\n",
    "condition": "def f(x):\n    if x:\n        pass\n",
    "try": "def f(x):\n    try:\n        a = x\n    except E: pass\n",
    "cell": "def f(x):\n    a = x\n    return lambda: a\n",
    "loop on it": "def f(x):\n    for i in (1, 2): a = x\n    return a\n",
    "loop": "def f(x):\n    while x < 9:\n        x += 5\n",
    "loop to it": "def f(x):\n    while True:\n        if x > 9: break\n        x += 5\n",
    "more places": "def f(x):\n    a = max(x,\n      x)\n    return a\n",
    "target of a jump on it": "def f(x):\n    return x == 1 or g(x)\ndef g(x):\n    return x\n",
    "generator": "def g(x):\n    yield x\ndef f(x): list(g(x))\n",
}


# From 3.14 on the condition of `while` is compiled once: jumps lead to the line.
NONE_SPARED = {"loop", "loop to it"} if sys.version_info >= (3, 14) else set()


@pytest.mark.parametrize("form", FORMS)
def test_counts_and_events(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{FORMS[form]}for i in range({CALLS}):\n    f(i)\n"
    lines, tracer = profiled(text, tmp_path, E=ValueError)
    assert lines == counted(text, tmp_path, E=ValueError)
    monkeypatch.setenv("PYNYTPROF_HOT", str(2 * CALLS))
    _, all_events = profiled(text, tmp_path, E=ValueError)
    spared = all_events.facts()["line_events"] - tracer.facts()["line_events"]
    assert spared == 0 if form in NONE_SPARED else spared > CALLS // 2


@pytest.mark.parametrize("again", [1, 100])
def test_places_that_another_tool_has_restarted(again: int, tmp_path: Path) -> None:
    text = f"""
def f():
    a = 1
    return a
for i in range({CALLS}):
    f()
    if i % {again} == 0:
        restart()
"""
    lines, _ = profiled(text, tmp_path, restart=sys.monitoring.restart_events)
    assert lines == counted(text, tmp_path, restart=lambda: None)


def test_copies_and_recursion(tmp_path: Path) -> None:
    text = f"""
def f(n):
    a = n
    if n: f(n - 1)
copies = [type(f)(f.__code__.replace(), globals()) for _ in range(5)]
for i in range({CALLS}):
    copies[i % 5](3)
"""
    assert profiled(text, tmp_path)[0] == counted(text, tmp_path)


def test_what_raises_in_the_first_line_has_run_it(tmp_path: Path) -> None:
    text = f"""
def f(n):
    a = 1 // (n % 3)
    return a
failed = 0
for i in range({CALLS}):
    try: f(i)
    except ZeroDivisionError: failed += 1
"""
    assert profiled(text, tmp_path)[0] == counted(text, tmp_path)


def test_a_call_that_ends_before_its_first_line(tmp_path: Path) -> None:
    """A signal's handler raises where the function has begun, and its line has not."""
    text = """
def f():
    box[0] += 1
    box[1] += 1
def call_often():
    while box[2] < 300:
        try:
            while True: f()
        except Interrupted:
            box[2] += 1
call_often()
"""
    box = [0, 0, 0]

    class Interrupted(Exception):
        pass

    def interrupt(number: int, frame: FrameType | None) -> None:
        if frame and frame.f_code.co_name == "f":
            where.add(frame.f_lineno)
            raise Interrupted

    where: set[int] = set()
    before: Callable[..., Any] | int | None = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.002, 0.001)
    try:
        lines, _ = profiled(text, tmp_path, box=box, Interrupted=Interrupted)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert 2 in where, "never interrupted there"
    assert (lines[3], lines[4]) == (box[0], box[1])
