"""Which line and which sub the tracers give time to, and what they take for themselves."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from tracing import NEARLY, SLEEPS, TICKS_PER_S, Bench, seconds, tracer_class

pytestmark = pytest.mark.alone  # many programs run in this very process


# Both lines that work, 3 and 7, take so much of the processor as no load of the machine changes.
WORKS = """\
import time
def f():
    sum(range(300_000))
def g():
    x = 1
    f()
    sum(range(400_000))
g()
"""


def test_time_goes_to_the_line_that_takes_it(bench: Bench) -> None:
    profile = bench.run(SLEEPS)
    assert seconds(profile, 3, 1) >= 0.02 * NEARLY
    assert seconds(profile, 7, 1) >= 0.03 * NEARLY


def test_time_of_the_processor_goes_to_the_line_that_takes_it(bench: Bench) -> None:
    profile = bench.run(WORKS, cpu=True)
    assert seconds(profile, 6, 1) < seconds(profile, 3, 1) / 2
    assert seconds(profile, 8, 1) < seconds(profile, 7, 1) / 2
    work = profile.total("builtins::sum")
    assert work.count == 2 and work.incl == work.excl
    assert profile.total("m::f").excl < work.excl / 2
    assert profile.total("m::g").incl >= work.excl


def test_inclusive_time_of_a_line_adds_the_calls_made_on_it(bench: Bench) -> None:
    profile = bench.run(SLEEPS)
    assert seconds(profile, 6, 2) >= seconds(profile, 3, 1)
    assert seconds(profile, 8, 2) >= seconds(profile, 6, 2) + seconds(profile, 7, 1)
    assert seconds(profile, 3, 2) == seconds(profile, 3, 1)


def test_c_functions_have_their_time_to_themselves(bench: Bench) -> None:
    profile = bench.run(SLEEPS)
    sleep = profile.total("time::sleep")
    assert sleep.count == 2 and sleep.excl >= 0.05 * NEARLY and sleep.incl == sleep.excl
    assert profile.total("m::g").incl >= sleep.excl


def test_without_slowops_the_time_is_the_callers(bench: Bench) -> None:
    profile = bench.run(SLEEPS, slowops=0)
    assert "time::sleep" not in profile.names()
    assert profile.total("m::f").excl >= 0.02 * NEARLY


def test_a_callback_is_called_by_the_c_function(bench: Bench) -> None:
    text = "def key(v):\n    return -v\nsorted([2, 1, 3], key=key)\n"
    assert bench.run(text).calls()["builtins::sorted", 3, "m::key"] == 3
    assert bench.run(text, slowops=0).calls()["m::(module)", 3, "m::key"] == 3


@pytest.mark.parametrize("options", [{}, {"stmts": False}, {"subs": False}, {"slowops": False}])
def test_every_kind_of_event_that_comes_has_a_cost(options: dict[str, bool]) -> None:
    tracer = tracer_class("c")(**options)
    tracer.start()
    tracer.stop()
    costs = {key: value for key, value in tracer.facts().items() if key.startswith("ns_per_")}
    assert (costs["ns_per_line"] > 0) == options.get("stmts", True)
    assert costs["ns_per_call"] > 0 and costs["ns_per_resumption"] > 0
    steps = (3, 12) <= sys.version_info < (3, 13, 2)  # there are no single instructions elsewhere
    assert (costs["ns_per_step"] > 0) == (steps and options.get("stmts", True))
    looked_at = sys.version_info < (3, 12)  # is each instruction
    assert (costs["ns_per_instruction"] > 0) == (looked_at and options.get("stmts", True))
    c_calls = options.get("slowops", True) and options.get("subs", True)
    assert (costs["ns_per_c_call"] > 0) == c_calls


def test_each_kind_of_line_has_a_cost_of_its_own() -> None:
    tracer = tracer_class("c")()
    tracer.start()
    tracer.stop()
    costs = tracer.facts()["event_costs"]
    nothing = {kind for kind, ns in costs.items() if ns == 0}
    steps = {kind for kind in costs if "step" in kind}
    if sys.version_info < (3, 12):  # one event tells of all lines
        assert nothing.isdisjoint({"line", "big line", "enter", "leave", "enter C", "leave C"})
    else:
        free = {"big call"} if sys.version_info >= (3, 14) else set()  # free numbers are kept there
        assert nothing - free == (set() if sys.version_info < (3, 13, 2) else steps)


def test_events_whose_offset_is_no_small_int_are_dearer() -> None:
    tracer = tracer_class("c")()
    tracer.start()
    tracer.stop()
    costs = tracer.facts()["event_costs"]
    for kind in ("leave", "resume", "enter C", "leave C", "other call", "enter C from hot code"):
        more = costs[f"big {kind}"] - costs[kind]
        assert abs(more - costs["big call"]) < 2, kind
    if sys.version_info < (3, 14):  # free numbers are kept from there on, and cost next to nothing
        assert (costs["big call"] > 0) == (sys.version_info >= (3, 12))


KINDS_OF_LINES = """\
def f(rows, n):
    for row in rows:
        n += 1
    while LIMIT > n:
        n += LIMIT
    for i in range(n):
        if LIMIT:
            break
    print(
        n)
    squares = [i * i for i in rows]
    text = f"{LIMIT}"
"""


def test_lines_are_told_apart_by_what_their_events_cost() -> None:
    from pynytprof._ctrace import line_costs

    def kinds(text: str, name: str = "f") -> dict[int, str]:
        names: dict[str, Any] = {}
        exec(compile(text, "m.py", "exec"), names)
        return line_costs(names[name].__code__)

    found = kinds(KINDS_OF_LINES)
    if sys.version_info < (3, 12):
        assert set(found.values()) == {"line"}
        return
    assert [line for line, kind in found.items() if kind == "loop"] == [2, 6]
    assert [line for line, kind in found.items() if kind == "global line"] == [4, 7, 9, 12]
    lower = kinds("\n" * 2000 + KINDS_OF_LINES)
    assert {line - 2000: kind.removeprefix("big ") for line, kind in lower.items()} == found
    assert all(kind.startswith("big ") for kind in lower.values())


def test_a_loop_over_much_code_is_found() -> None:
    from pynytprof._ctrace import line_costs

    body = "".join(f"        n = rows[n + {i}]\n" for i in range(300))
    names: dict[str, Any] = {}
    exec("def f(rows, n):\n    for row in rows:\n" + body, names)
    loops = [line for line, kind in line_costs(names["f"].__code__).items() if kind == "loop"]
    assert loops == ([2] if sys.version_info >= (3, 12) else [])


LINES_BY_WEIGHT = """\
def f(a, b, c):
    a = b
    a = b; b = a; a = b; b = a
    a = b if c else 1
    a = LIMIT
    a = b.c
    a, b = c
    for i in c: a = i; b = i; c = i
    return (yield a)
"""


def test_lines_weigh_what_their_instructions_do() -> None:
    from pynytprof._ctrace import line_weights

    names: dict[str, Any] = {}
    exec(LINES_BY_WEIGHT, names)
    found = line_weights(names["f"].__code__)
    if sys.version_info >= (3, 12):
        assert found == {}
        return
    plain = 8  # one that loads or stores a local variable
    assert found[2] == 2 * plain and found[3] == 8 * plain
    # one branch of two: the condition, its jump, a value, perhaps a jump; the value is stored
    assert 4 * plain < found[4] < 6 * plain
    # only 3.11 has forms of these for what they get, and none of them here
    assert (found[5] > 2 * plain) == (found[6] > 3 * plain) == (sys.version_info >= (3, 11))
    assert (found[7] > 4 * plain) == (sys.version_info >= (3, 11))
    assert found[8] == 11 * plain  # once around: what the jump back comes to begins anew


def test_our_own_cost_is_taken_off(bench: Bench) -> None:
    text = "def f():\n    pass\nfor i in range(20000):\n    f()\n"
    raw, net = bench.run(text, raw=True), bench.run(text)
    assert raw.overheads == [0]
    # 40000 lines and 40000 entries and leavings: at the very least 5 ns each
    assert net.overheads[0] >= 80_000 * 5 / 100
    lines = sum(ticks for _, ticks, _ in net.lines[0].values())
    assert lines + net.overheads[0] <= net.durations[0] * TICKS_PER_S


def test_reading_a_file_is_no_time_of_the_program(tmp_path: Path) -> None:
    bench = Bench("c", tmp_path)
    net = bench.run("x = 1\n" + "# nothing\n" * 100_000)
    # a million bytes are read, decoded and split: at the very least 100 us
    assert net.overheads[0] >= 1000
    lines = sum(ticks for _, ticks, _ in net.lines[0].values())
    assert lines + net.overheads[0] <= net.durations[0] * TICKS_PER_S
