"""Events go with the code that is wanted: what runs before, between and after is as it was."""

from __future__ import annotations

import sys
from types import CodeType
from typing import Any

import pytest
from tracing import Bench, Profile, bench, tracer_class

__all__ = ["bench"]
pytestmark = pytest.mark.alone

SUSPENDED = """\
def numbers(n):
    for i in range(n):
        yield i
kept = numbers(3)
next(kept)
"""


def profile_of(tracer: Any) -> Profile:
    profile = Profile()
    tracer.emit(profile.write_chunk, b"")
    return profile


def test_a_generator_that_began_before_us_is_seen_when_it_goes_on(bench: Bench) -> None:
    tracer, code, module = bench.make(SUSPENDED)
    exec(code, module)
    tracer.start()
    rest = list(module["kept"])
    tracer.stop()
    assert rest == [1, 2]
    assert profile_of(tracer).counts() == {2: 3, 3: 2}


def test_what_ran_in_one_stretch_is_seen_in_the_next(bench: Bench) -> None:
    text = "def f(n):\n    x = n\n    return x\n"
    tracer, code, module = bench.make(text)
    exec(code, module)
    for _ in range(3):
        tracer.start()
        module["f"](1)
        tracer.stop()
        module["f"](2)
    assert profile_of(tracer).counts() == {2: 3, 3: 3}


def test_code_made_anew_is_seen(bench: Bench) -> None:
    """As when a module is loaded again: equal code, other objects."""
    text = "def f():\n    return 1\nf()\n"
    tracer, code, module = bench.make(text)
    tracer.start()
    exec(code, module)
    exec(compile(text, code.co_filename, "exec"), module)
    tracer.stop()
    assert profile_of(tracer).counts() == {1: 2, 2: 2, 3: 2}


def codes_in(code: CodeType) -> list[CodeType]:
    inner = [c for c in code.co_consts if isinstance(c, CodeType)]
    return [code, *(each for c in inner for each in codes_in(c))]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="needs CPython 3.12 or later")
def test_events_end_with_us_and_left_out_code_has_none() -> None:
    texts = {"/wanted/a.py": "def f():\n    return 1\nf()\n", "/left/b.py": "def g(): pass\ng()\n"}
    codes = {name: compile(text, name, "exec") for name, text in texts.items()}
    tracer = tracer_class("c")(include=("/wanted/*",))
    monitoring: Any = sys.monitoring  # type: ignore[attr-defined, unused-ignore]
    tracer.start()
    for code in codes.values():
        exec(code, {})
    tool = next(i for i in range(6) if monitoring.get_tool(i) == "pynytprof")
    events = {
        name: [monitoring.get_local_events(tool, c) for c in codes_in(code)]
        for name, code in codes.items()
    }
    tracer.stop()
    assert all(events["/wanted/a.py"])
    assert not any(events["/left/b.py"])
    monitoring.use_tool_id(tool, "next")
    left = [monitoring.get_local_events(tool, c) for code in codes.values() for c in codes_in(code)]
    monitoring.free_tool_id(tool)
    assert not any(left)
