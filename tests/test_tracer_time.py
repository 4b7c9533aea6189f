"""Which line and which sub the tracers give time to, and what they take for themselves."""

from __future__ import annotations

import sys
from pathlib import Path

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
    c_calls = options.get("slowops", True) and options.get("subs", True)
    assert (costs["ns_per_c_call"] > 0) == c_calls


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
