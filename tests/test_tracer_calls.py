"""What the tracers count, on programs of known shape: lines, calls, and the tree of them."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from tracing import TICKS_PER_S, Bench, Profile

pytestmark = pytest.mark.alone  # many programs run in this very process


def test_lines_are_counted_as_they_start(bench: Bench) -> None:
    profile = bench.run("total = 0\nfor i in range(5):\n    total += i\nx = 1\n")
    assert profile.counts() == {1: 1, 2: 6, 3: 5, 4: 1}


def test_calls_are_kept_by_line_and_caller(bench: Bench) -> None:
    profile = bench.run("def f():\n    pass\ndef g():\n    f()\n    f()\ng()\nf()\n", slowops=0)
    assert profile.calls() == {
        ("-", 0, "m::(module)"): 1,
        ("m::(module)", 6, "m::g"): 1,
        ("m::g", 4, "m::f"): 1,
        ("m::g", 5, "m::f"): 1,
        ("m::(module)", 7, "m::f"): 1,
    }


def test_roots_are_called_from_line_0_of_their_own_file(bench: Bench) -> None:
    (edge,) = bench.run("x = 1\n").edges
    assert (edge.file, edge.line, edge.caller, edge.count) == (1, 0, 0, 1)


def test_all_sums_agree(bench: Bench) -> None:
    profile = bench.run(
        "def f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)\n"
        "f(12)\nsorted(range(50), key=lambda v: -v)\nsum(x for x in range(50))\n"
    )
    lines = sum(excl for table in profile.lines for _, excl, _ in table.values())
    tree = sum(excl for *_, excl in profile.tree)
    edges = sum(e.excl for e in profile.edges) * TICKS_PER_S
    assert lines == tree
    assert edges == pytest.approx(tree, abs=1)
    roots = sum(incl for depth, _, incl, _ in profile.tree if depth == 1)
    assert roots == tree
    assert lines <= sum(profile.durations) * TICKS_PER_S


def test_recursion_counts_inclusive_time_once(bench: Bench) -> None:
    text = "def f(n):\n    if n:\n        f(n - 1)\nf(4)\n"
    profile = bench.run(text, raw=True)
    outer = next(e for e in profile.edges if e.line == 4 and profile.name(e.callee) == "m::f")
    inner = next(e for e in profile.edges if e.line == 3)
    assert (outer.count, outer.depth, inner.count, inner.depth) == (1, 0, 4, 4)
    assert outer.reci == 0 and inner.incl == 0
    assert inner.reci > 0 and inner.excl > 0
    assert outer.incl == pytest.approx(outer.excl + inner.excl, abs=1e-7)


def test_recursion_through_others_counts_activations_of_the_same_sub(bench: Bench) -> None:
    profile = bench.run(
        "def even(n):\n    return n == 0 or odd(n - 1)\n"
        "def odd(n):\n    return n != 0 and even(n - 1)\n"
        "even(6)\n"
    )
    assert (profile.total("m::even").count, profile.total("m::even").depth) == (4, 3)
    assert (profile.total("m::odd").count, profile.total("m::odd").depth) == (3, 2)


def test_resuming_a_generator_is_a_call_by_who_resumes(bench: Bench) -> None:
    profile = bench.run(
        "def g():\n    yield 1\n    yield 2\ni = g()\nnext(i)\nfor x in i:\n    pass\n", slowops=0
    )
    calls = profile.calls()
    assert calls[("m::(module)", 5, "m::g")] == 1
    assert calls[("m::(module)", 6, "m::g")] == 2
    assert profile.counts()[2] == profile.counts()[3] == 1


def test_throwing_into_generators(bench: Bench) -> None:
    profile = bench.run(
        "def g():\n    try:\n        yield 1\n    except ValueError:\n        yield 2\n"
        "a = g()\nnext(a)\na.throw(ValueError)\na.close()\n"
        "b = g()\ntry:\n    b.throw(KeyError)\nexcept KeyError:\n    pass\nx = 1\n",
        slowops=0,
    )
    calls = profile.calls()
    assert [calls["m::(module)", n, "m::g"] for n in (7, 8, 9)] == [1, 1, 1]
    assert calls.get(("m::(module)", 12, "m::g"), 1) == 1
    assert profile.counts()[15] == 1


def test_exceptions_leave_the_frames_they_pass(bench: Bench) -> None:
    profile = bench.run(
        "def f(n):\n    if n == 0:\n        raise KeyError\n    f(n - 1)\n"
        "def g():\n    pass\n"
        "try:\n    f(3)\nexcept KeyError:\n    g()\n"
    )
    assert profile.calls()["m::(module)", 10, "m::g"] == 1
    assert profile.total("m::f").count == 4
    assert ("m::(module)", "m::g") in profile.paths()


def test_coroutines(bench: Bench) -> None:
    text = (
        "import asyncio\nasync def leaf():\n    await asyncio.sleep(0)\n    return 1\n"
        "async def main():\n    return await leaf() + await leaf()\n"
        "def run(): return asyncio.run(main())\n"
    )
    tracer, code, module = bench.make(text, slowops=0)
    exec(code, module)
    tracer.start()
    result = module["run"]()
    tracer.stop()
    profile = Profile()
    tracer.emit(profile.write_chunk, b"")
    assert result == 2
    assert profile.counts()[4] == 2
    assert profile.total("m::leaf").count == 4  # started and resumed, twice each


# ---- Trace functions of the program ----


def test_trace_functions_of_the_program_are_its_own(bench: Bench) -> None:
    """It sees none but its own, they see all that they do without us, and so do we."""
    if bench.kind == "py":  # which needs sys.settrace itself
        return
    text = (
        "import sys\n"
        "assert sys.gettrace() is None and sys.getprofile() is None\n"
        "seen = []\n"
        "def see(frame, event, arg):\n"
        "    seen.append((event, frame.f_lineno))\n"
        "    return see\n"
        "def f():\n"
        "    len('')\n"
        "sys.settrace(see)\n"
        "sys.setprofile(see)\n"
        "assert sys.gettrace() is see and sys.getprofile() is see\n"
        "f()\n"
        "sys.setprofile(sys.setprofile(None))\n"
        "sys.settrace(None)\n"
        "f()\n"
        "assert sys.gettrace() is None and sys.getprofile() is None\n"
    )
    alone: dict[str, Any] = {"__name__": "m"}
    exec(compile(text, "m", "exec"), alone)
    tracer, code, module = bench.make(text)
    profile = Profile()
    tracer.start()
    exec(code, module)
    tracer.stop()
    tracer.emit(profile.write_chunk, b"")
    # With any tool of sys.monitoring's sys.setprofile hears of its own calls.
    deaf = (10, 13) if sys.version_info >= (3, 12) else ()
    assert [e for e in module["seen"] if e[1] not in deaf] == [
        e for e in alone["seen"] if e[1] not in deaf
    ]
    assert profile.counts() == {line: 2 if line == 8 else 1 for line in range(1, 17)
                                if line not in (5, 6)}  # fmt: skip
    assert profile.calls()["m::f", 8, "builtins::len"] == 2


def test_a_trace_function_that_fails_is_not_ours(bench: Bench) -> None:
    if bench.kind == "py":
        return
    profile = bench.run(
        "import sys\n"
        "def see(frame, event, arg):\n"
        "    raise KeyError(event)\n"
        "def f():\n"
        "    return 1\n"
        "sys.settrace(see)\n"
        "try:\n"
        "    f()\n"
        "except KeyError:\n"
        "    f()\n"
        "assert sys.gettrace() is None\n"
    )
    assert profile.counts() == {1: 1, 2: 1, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1, 9: 1, 10: 1, 11: 1}


MUTUAL = """\
def even(n):
    return True if n == 0 else odd(n - 1)
def odd(n):
    return False if n == 0 else even(n - 1)
even(5)
even(2)
odd(3)
"""


def test_outermost_calls_are_told_apart_in_mutual_recursion(bench: Bench) -> None:
    profile = bench.run(MUTUAL, slowops=False)
    counts: dict[tuple[str, int, str], list[tuple[int, bool]]] = {}
    for e in profile.edges:
        key = profile.name(e.caller), e.line, profile.name(e.callee)
        counts.setdefault(key, []).append((e.count, e.depth > 0))
    even, odd = "m::even", "m::odd"
    assert counts["m::(module)", 5, even] == [(1, False)]
    assert counts["m::(module)", 7, odd] == [(1, False)]
    assert sorted(counts[even, 2, odd]) == [(2, False), (3, True)]
    assert sorted(counts[odd, 4, even]) == [(1, False), (4, True)]
    within = [e for e in profile.edges if e.depth > 0]
    assert within and all(e.incl == 0 <= e.excl for e in within)
