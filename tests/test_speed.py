"""What events cost follows the machine's speed, which these tests give instead of the machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from support import run

from pynytprof import _ctrace

# Runs a Tracer in C; prints its facts, what a section lasted, and how long it must have, at
# least and at most: the work alone, and all around it.
PROGRAM = """\
import json, sys, threading, time
from pynytprof import _ctrace
tracer = _ctrace.Tracer({options})
def f(n):
    return n
def work(looks):
    began = time.perf_counter()
    while tracer.facts()["speed_looks"] < looks:
        for n in range(1000):
            f(n)
    return time.perf_counter() - began
sums = {{b"S": 0, b"E": 0}}
def take(token, payload):
    if token == b"S":
        at = range(0, len(payload), 40)
        sums[token] += sum(int.from_bytes(payload[i + 24:i + 32], "little") for i in at)
    if token == b"E":
        sums[token] += int.from_bytes(payload[12:20], "little")
before = time.perf_counter()
tracer.start()
inner = {work}
tracer.stop()
outer = time.perf_counter() - before
tracer.emit(take, b"")
facts = tracer.facts()
tracer.forget()
forgotten = tracer.facts()
print(json.dumps({{"facts": facts, "inner": inner, "outer": outer, "lines": sums[b"S"] / 1e7,
                  "ours": sums[b"E"] / 1e7, "forgotten": forgotten}}))
"""


def traced(cache: Path, speeds: str, work: str = "0", options: str = "", **env: str) -> Any:
    """The costs that are kept in ``cache`` are measured, unless they are there."""
    text = PROGRAM.format(work=work, options=options)
    env.update(XDG_CACHE_HOME=str(cache), PYNYTPROF_SPEED=speeds)
    done = run([sys.executable, "-c", text], None, **env)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    facts = traced(folder, "1000")["facts"]
    assert facts["speed_factor"] == 1 and facts["ns_per_call"] > 0
    return folder


@pytest.mark.parametrize(
    ("speed", "factor"), [(1000, 1), (1040, 1), (2000, 2), (700, 0.7), (10, 0.4), (99_999, 2.5)]
)
def test_kept_costs_are_scaled_at_the_start(cache: Path, speed: int, factor: float) -> None:
    measured = traced(cache, "1000")["facts"]
    facts = traced(cache, str(speed))["facts"]
    assert facts["speed_factor"] == pytest.approx(factor)
    unit = 1.0  # ns, at most: costs are whole units
    for cost in ("ns_per_line", "ns_per_call", "ns_per_c_call"):
        assert facts[cost] == pytest.approx(measured[cost] * factor, abs=4 * unit, rel=0.02)
    instruction = "ns_per_instruction"
    assert facts[instruction] == pytest.approx(measured[instruction] * factor, rel=0.05)


def test_costs_are_those_of_the_speed_at_which_they_were_measured(tmp_path: Path) -> None:
    # a slow first turn, a change in the midst of the second: neither counts
    speeds = "3000,3000,3000,1000,2000,1000,1000"
    assert traced(tmp_path, speeds)["facts"]["speed_factor"] == 1
    assert traced(tmp_path, "2000")["facts"]["speed_factor"] == 2


def test_one_disturbed_look_changes_nothing(cache: Path) -> None:
    facts = traced(cache, "1000,1000,9000,1000,1000,300,1000", "work(7)")["facts"]
    assert facts["speed_changes"] == 0
    assert facts["least_speed_factor"] == facts["largest_speed_factor"] == 1


def test_the_costs_follow_the_machine(cache: Path) -> None:
    facts = traced(cache, "1000,1000,2000,2000,2000,500,500", "work(7)")["facts"]
    assert facts["speed_changes"] == 2 and facts["speed_factor"] == 0.5
    assert facts["least_speed_factor"] == 0.5 and facts["largest_speed_factor"] == 2


LINES = """0
def long(n):
    a = b = n
    for i in range(n):
        {}
long(100_000)
"""


def taken_off(cache: Path, line: str) -> float:
    return float(traced(cache, "1000", LINES.format(line))["ours"])


def test_lines_pay_for_their_instructions_where_each_is_looked_at(cache: Path) -> None:
    short, long = taken_off(cache, "a = b"), taken_off(cache, "a = b" + "; b = a; a = b" * 6)
    assert (long > 1.4 * short) == (sys.version_info < (3, 12))


def test_a_call_divides_what_its_line_pays(cache: Path) -> None:
    moves = "; b = a; a = b" * 6
    before, after = f"a = b{moves}; f(i)", f"f(i); a = b{moves}"
    if sys.version_info < (3, 12):  # later no line pays for more than its events
        assert taken_off(cache, before) == pytest.approx(taken_off(cache, after), rel=0.25)


# Lines that take next to nothing, and a loop around them.
MOVES = """0
def moves(n):
    a = b = c = n
    for i in range(n):
        a = b
        b = c
        c = a
        b = i
while tracer.facts()["speed_looks"] < 40:
    moves(1000)
"""


def test_the_costs_follow_the_program(cache: Path) -> None:
    # what is taken off at first is two fifths of what events cost, or more than twice as much
    measured = traced(cache, "1000")["facts"]["event_costs"]["line"]
    little = traced(cache, "10", MOVES)["facts"]
    much = traced(cache, "99999", MOVES)["facts"]
    if sys.version_info < (3, 12):
        assert little["program_factor"] == much["program_factor"] == 1
        return
    assert little["event_costs"]["line"] > 1.2 * 0.4 * measured
    assert much["event_costs"]["line"] < 2.5 * measured
    assert much["program_factor"] < 1


FREES = """0
def frees(n):
    for i in range(n):
        a = [0] * 5000
        a = None
        i += 1
while tracer.facts()["speed_looks"] < 30:
    frees(100)
"""


def test_lines_that_let_go_of_much_tell_nothing_of_costs(cache: Path) -> None:
    assert traced(cache, "1000", FREES)["facts"]["program_factor"] == 1


def test_programs_without_such_lines_leave_the_costs_as_they_are(cache: Path) -> None:
    found = traced(cache, "1000", "work(30)")
    assert found["facts"]["program_factor"] == found["facts"]["largest_speed_factor"] == 1
    assert found["forgotten"]["program_factor"] == 1


THREADS = """0
threads = [threading.Thread(target=work, args=(9,)) for _ in range(3)]
for t in threads:
    t.start()
inner = work(9)
for t in threads:
    t.join()
"""


@pytest.mark.parametrize("work", ["work(9)", THREADS])
def test_what_is_taken_off_at_each_speed_is_the_sum(cache: Path, work: str) -> None:
    # in the end events cost a sixth of what they cost at first, or six times as much
    for speeds in ("2500,2500,2500,2500,400,400,400", "400,400,400,400,2500,2500,2500"):
        found = traced(cache, speeds, work)
        assert found["facts"]["speed_changes"] == 1
        told = found["lines"] + found["ours"] + found["facts"]["waited_for_processor"]
        assert told >= found["inner"]
        if work != THREADS:  # where each lasts as long as all of them
            assert told <= found["outer"]


def test_raw_times_are_not_scaled(cache: Path) -> None:
    facts = traced(cache, "3000", options="raw=True")["facts"]
    assert facts["speed_looks"] == facts["speed_changes"] == 0
    assert facts["speed_factor"] == 1 and facts["ns_per_call"] == 0


def test_forgetting_begins_anew(cache: Path) -> None:
    found = traced(cache, "1000,1000,2000,2000,2000", "work(5)")
    assert found["facts"]["speed_changes"] == 1
    assert found["forgotten"]["speed_changes"] == 0
    assert found["forgotten"]["least_speed_factor"] == 2


def test_the_profile_tells_of_the_speeds(cache: Path, tmp_path: Path) -> None:
    profiled = [sys.executable, "-m", "pynytprof", "-o", "out", "-c", "pass"]
    env = {"XDG_CACHE_HOME": str(cache), "PYNYTPROF_CALIBRATION": "fresh"}
    assert run(profiled, tmp_path, **env, PYNYTPROF_SPEED="1000").returncode == 0
    env.pop("PYNYTPROF_CALIBRATION")
    assert run(profiled, tmp_path, **env, PYNYTPROF_SPEED="1500").returncode == 0
    info = run([sys.executable, "-m", "pynytprof", "info", "--json", "out"], tmp_path)
    comments = json.loads(info.stdout)["comments"]
    assert "Cost factors: 1.50 to 1.50, changed 0 times\n" in comments


# ---- Our own callbacks ----


def test_callbacks_are_timed_between_looks_and_costs_stay_near_those_measured(cache: Path) -> None:
    at_first = traced(cache, "1000")["facts"]
    assert at_first["events_timed"] == 0
    found = traced(cache, "1000", "work(8)")
    facts = found["facts"]
    assert 0 < facts["events_timed"] <= 100 * facts["speed_looks"]
    for kind, ns in facts["event_costs"].items():
        measured = at_first["event_costs"][kind]
        assert 0.8 * measured - 1 <= ns <= 1.5 * measured + 1, kind
    assert found["forgotten"]["events_timed"] == 0


def test_where_nothing_has_been_timed_costs_are_those_measured() -> None:
    assert _ctrace.costs_by_length(40, []) == ([40] * 64, [40] * 64)


def test_events_cost_more_in_intervals_in_which_callbacks_have_taken_longer() -> None:
    usual = [(2**length + 3, 0.0) for length in (4, 5, 6)] * 200
    line, leave = _ctrace.costs_by_length(40, usual + [(1100, 90.0)] * 200)
    assert line[:10] == leave[:10] == [40] * 10  # those are as they were
    assert line[10] > 40 + 90 * 0.9  # both our part and the interpreter's take longer
    assert 40 < leave[10] <= line[10]  # kinds that have not been timed: what is common to all
    assert line[10] >= line[11] > 40  # none so long has been timed: as in shorter ones
    assert line[15:] == [line[15]] * 49


def test_the_more_events_have_been_timed_the_more_their_kind_counts() -> None:
    few, many = ([(1100, 90.0)] * n for n in (3, 300))
    by_few, by_many = (_ctrace.costs_by_length(40, timed)[0][10] for timed in (few, many))
    assert 40 < by_few < by_many


@pytest.mark.parametrize(
    ("took", "cost"),
    [(20, (39, 41)), (30, (46, 50)), (90, (60, 60)), (15, (34, 38)), (1, (32, 32))],
)
def test_a_kind_of_events_costs_what_its_callbacks_take_longer_or_less_within_bounds(
    took: int, cost: tuple[int, int]
) -> None:
    line, leave = _ctrace.costs_by_length(40, [], 20, took)
    assert cost[0] <= line[0] <= cost[1] and line == [line[0]] * 64
    assert leave == [40] * 64  # none of that kind has been timed


def test_an_event_costs_no_more_than_the_interval_that_it_ends_and_what_it_costs_at_least() -> None:
    line, _ = _ctrace.costs_by_length(40, [(150, 5000.0)] * 300)
    assert line[7] == 40 + 128


@pytest.mark.parametrize("options", ["raw=True", "cpu=True"])
def test_callbacks_are_not_timed_where_costs_stay_as_they_are(cache: Path, options: str) -> None:
    work = "[f(n) for n in range(300000)]"
    assert traced(cache, "1000", work, options)["facts"]["events_timed"] == 0


# ---- Waits for a processor ----


def test_a_wait_for_a_processor_is_no_time_of_the_program(cache: Path, tmp_path: Path) -> None:
    stat = tmp_path / "schedstat"
    work = (
        "0\nstat = " + repr(str(stat)) + "\n"
        "for i in range(1, 4):\n"
        "    open(stat, 'w').write(f'1 {15_000_000 * i} 1')\n"
        "    time.sleep(0.02)\n"
    )
    stat.write_text("1 0 1\n")
    found = traced(cache, "1000", work, PYNYTPROF_SCHEDSTAT=str(stat))
    # nearly always all of it: a real wait between the writing and the sleep may hide some
    assert 0 < found["facts"]["waited_for_processor"] < 0.0451
    told = found["lines"] + found["ours"] + found["facts"]["waited_for_processor"]
    assert found["inner"] <= told <= found["outer"]


def test_a_wait_is_told_from_the_program_behind_code_that_is_met_for_the_first_time(
    cache: Path, tmp_path: Path
) -> None:
    stat = tmp_path / "schedstat"
    stat.write_text("1 0 1\n")
    work = (
        f"0\nstat = {str(stat)!r}\n"
        "for i in range(1, 9):\n"
        "    open(stat, 'w').write(f'1 {15_000_000 * i} 1')\n"
        "    exec(compile('def g():\\n    return 1\\ng()\\n', f'new{i}', 'exec'))\n"
        "    time.sleep(0.02)\n"
    )
    found = traced(cache, "1000", work, PYNYTPROF_SCHEDSTAT=str(stat))
    # Those that end within a look at the machine are forgiven with it.
    assert 0.0449 < found["facts"]["waited_for_processor"] < 0.1201


def test_a_wait_is_never_longer_than_the_interval_it_stands_in(cache: Path, tmp_path: Path) -> None:
    stat = tmp_path / "schedstat"
    stat.write_text("1 0 1\n")
    work = f"0\nopen({str(stat)!r}, 'w').write('1 900000000000 1')\ntime.sleep(0.02)\n"
    found = traced(cache, "1000", work, PYNYTPROF_SCHEDSTAT=str(stat))
    assert found["facts"]["waited_for_processor"] <= found["outer"]


@pytest.mark.parametrize("text", ["", "none", "1", "-1 -1"])
def test_figures_that_are_none_are_no_wait(cache: Path, tmp_path: Path, text: str) -> None:
    stat = tmp_path / "schedstat"
    stat.write_text(text)
    found = traced(cache, "1000", "time.sleep(0.02)", PYNYTPROF_SCHEDSTAT=str(stat))
    assert found["facts"]["waited_for_processor"] == 0
    assert found["lines"] >= 0.02 * 0.9


COMPETITION = """0
import os, subprocess
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
endless = "import time; end = time.time() + 30\\nwhile time.time() < end: pass"
child = subprocess.Popen([sys.executable, "-c", endless])
def delay():
    with open("/proc/thread-self/schedstat") as f:
        return int(f.read().split()[1]) / 1e9
began = delay()
while delay() - began < 0.1:
    pass
child.kill()
child.wait()
"""


def test_what_another_process_takes_of_the_processor_is_left_out(cache: Path) -> None:
    found = traced(cache, "1000", COMPETITION)
    waits = found["facts"]["waited_for_processor"]
    assert waits > 0
    assert found["lines"] + found["ours"] <= found["outer"] - waits * 0.99
