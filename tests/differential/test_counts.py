"""Counts of lines and calls against the standard library's own, program by program."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from support import TRACERS
from views import (
    EVAL,
    PROGRAMS,
    Sub,
    View,
    cprofile_label,
    differences,
    is_program,
    not_none,
    plain_file,
    program_names,
)

ViewOf = Callable[[str, str], View]
OracleOf = Callable[[str, str], Any]

# Programs whose own strings are run as code. In others, eval'd code is the standard
# library's, and which of it is made depends on what was imported before.
EVALUATES = {"exec_and_eval", "unicode_names"}

# cProfile before 3.12 sees only the thread that started it; later ones mix all threads'
# calls in one stack.
NOT_FOR_CPROFILE = {"threads": "cProfile does not keep threads apart"}

# Where the tracer in Python can't do what cProfile and the C tracer can. Each entry is a
# strict expectation: once the two agree, it has to go.
THROW = (
    "an exception thrown into a delegating generator or coroutine enters the innermost one "
    "first; sys.settrace shows the frames between as its callers before they are entered"
)
DROPPED = (
    "3.10: what dies with a frame that the tracer held last is finalised inside the trace "
    "function, where CPython reports nothing"
)
KNOWN: dict[tuple[str, str], str] = {
    ("py", "hand_driven_coroutine"): THROW,
    ("py", "yield_from"): THROW,
    ("py", "py311_task_groups"): THROW,
}
SIGNALLED = "3.10: the handler of a signal runs inside the trace function, where it is not seen"
if sys.version_info < (3, 11):
    KNOWN |= {
        ("py", "finalizers"): DROPPED,
        ("py", "generators"): DROPPED,
        ("py", "callbacks_from_c"): SIGNALLED,
    }


# The same for line counts, by tracer, program and method.
HELD = (
    "a trace function in Python is handed a frame whose f_locals hold what `del` lets go: the "
    "finalizer comes later than without it"
)
KNOWN_LINES: dict[tuple[str, str, str], str] = {}
if sys.version_info < (3, 11):
    KNOWN_LINES |= {
        ("py", "finalizers", "settrace"): HELD,
        ("c", "finalizers", "trace"): HELD,
        ("py", "callbacks_from_c", "settrace"): SIGNALLED,
        ("py", "callbacks_from_c", "trace"): SIGNALLED,
    }


def agree(ours: Counter[Any], theirs: Counter[Any]) -> None:
    found = differences(ours, theirs)
    if found:
        pytest.fail(found, pytrace=False)


def counted_here(program: str, file: str) -> bool:
    return is_program(file) or (file == EVAL and program in EVALUATES)


@pytest.mark.parametrize("tracer", TRACERS)
@pytest.mark.parametrize("method", ["settrace", pytest.param("trace", marks=pytest.mark.slow)])
@pytest.mark.parametrize("program", program_names())
def test_line_counts(
    program: str,
    method: str,
    tracer: str,
    view_of: ViewOf,
    oracle_of: OracleOf,
    request: pytest.FixtureRequest,
) -> None:
    if (tracer, program, method) in KNOWN_LINES:
        reason = KNOWN_LINES[tracer, program, method]
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
    expected: Counter[tuple[str, int]] = Counter()
    for file, line, count in oracle_of(method, program):
        expected[plain_file(file), line] += count

    def wanted(file: str) -> bool:
        # trace passes over code whose globals have no __file__, as most strings' have not.
        return counted_here(program, file) and (method == "settrace" or file != EVAL)

    theirs = Counter({key: n for key, n in expected.items() if wanted(key[0])})
    found = view_of(program, tracer).line_counts()
    ours = Counter({key: n for key, n in found.items() if wanted(key[0])})
    assert theirs
    agree(ours, theirs)


def calls_by_cprofile(program: str, oracle_of: OracleOf) -> Counter[tuple[Sub | None, Sub]]:
    calls: Counter[tuple[Sub | None, Sub]] = Counter()
    for caller, callee, count in oracle_of("cprofile", program):
        calls[cprofile_label(caller), not_none(cprofile_label(callee))] += count
    return calls


@pytest.mark.parametrize("tracer", TRACERS)
@pytest.mark.parametrize("program", [p for p in program_names() if p not in NOT_FOR_CPROFILE])
def test_calls(
    program: str,
    tracer: str,
    view_of: ViewOf,
    oracle_of: OracleOf,
    request: pytest.FixtureRequest,
) -> None:
    if (tracer, program) in KNOWN:
        request.applymarker(pytest.mark.xfail(reason=KNOWN[tracer, program]))

    def between(pair: tuple[Sub | None, Sub]) -> bool:
        _, callee = pair
        if callee[:2] == (str(PROGRAMS / f"{program}.py"), 1) and callee[2] == "<module>":
            return False  # the start of the program, by the oracle's exec
        if callee[0].startswith("(frozen importlib"):
            return False  # how much an import has to do depends on those before
        return any(sub is not None and counted_here(program, sub[0]) for sub in pair)

    expected = calls_by_cprofile(program, oracle_of)
    theirs = Counter({pair: n for pair, n in expected.items() if between(pair)})
    found = view_of(program, tracer).call_counts()
    ours = Counter({pair: n for pair, n in found.items() if between(pair)})
    agree(ours, theirs)


@pytest.mark.parametrize("tracer", TRACERS)
@pytest.mark.parametrize("program", program_names())
def test_calls_of_a_sub_are_the_sum_of_its_edges(
    program: str, tracer: str, view_of: ViewOf
) -> None:
    view = view_of(program, tracer)
    by_edges: Counter[str] = Counter()
    for edge in view.edges:
        by_edges[edge.callee] += edge.count
    assert {name: sub.calls for name, sub in view.subs.items() if sub.calls} == dict(by_edges)


@pytest.mark.parametrize("tracer", TRACERS)
@pytest.mark.parametrize("program", program_names())
def test_the_program_is_called_by_nobody(program: str, tracer: str, view_of: ViewOf) -> None:
    """Once, from line 0 of its own file: neither the profiler nor runpy is above it."""
    file = str(PROGRAMS / f"{program}.py")
    view = view_of(program, tracer)
    started = [e for e in view.edges if view.label(e.callee) == (file, 1, "<module>")]
    assert [(e.file, e.line, e.caller, e.count) for e in started] == [
        (file, 0, "python::(start)", 1)
    ]


@pytest.mark.parametrize("tracer", TRACERS)
def test_c_functions_are_named_after_their_owners(tracer: str, view_of: ViewOf) -> None:
    """test_calls compares the last part of their names alone: cProfile has another spelling."""
    named = {sub.name for sub in view_of("sorting", tracer).subs.values() if sub.first == 0}
    assert {"builtins::sorted", "builtins::max", "list::sort"} <= named
