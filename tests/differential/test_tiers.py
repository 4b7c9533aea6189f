"""Hot code has fewer LINE events, most of all with `exactlines=0`, and the same counts.

Here code is hot at once, so that what is short already has its lines switched off, and
on again, all the time. Counts are those of all lines' own events, and what the standard library
counts.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from generated import programs
from hypothesis import given
from test_generated import Server, compare, examples
from views import PROGRAMS, View, differences, profile, program_names

from pynytprof._ctrace import Tracer

pytestmark = [
    pytest.mark.skipif(sys.version_info < (3, 12), reason="needs CPython 3.12 or later"),
]

# The first lines of functions that were called often have no events.
OPENINGS = {"PYNYTPROF_HOT": "2"}
HOT = {"PYNYTPROF_EXACTLINES": "0", "PYNYTPROF_HOT": "1"}

# Where CPython's LINE events are slow, code of many lines is followed by its instructions.
STEPS_ARE_KNOWN = sys.version_info < (3, 13, 2)


@pytest.mark.parametrize("program", program_names())
def test_counts_are_those_of_all_events(program: str, tmp_path: Path) -> None:
    views = {}
    kinds = {"exact": {"PYNYTPROF_HOT": "1000000000"}, "openings": OPENINGS, "hot": HOT}
    if STEPS_ARE_KNOWN:
        kinds["steps"] = {**HOT, "PYNYTPROF_STEPS": "all"}
    for name, variables in kinds.items():
        out = tmp_path / f"{name}.out"
        profile(out, [PROGRAMS / f"{program}.py"], tracer="c", cwd=None, **variables)
        views[name] = View(out)
    for name in kinds:
        assert not differences(views[name].line_counts(), views["exact"].line_counts())
        assert not differences(views[name].call_counts(), views["exact"].call_counts())


@pytest.fixture(scope="module", params=["hot", "hot, none", "hot, all", "openings, none"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """With LINE events everywhere, and where this version follows instructions by default."""
    kind, _, steps = request.param.partition(", ")
    variables = OPENINGS if kind == "openings" else HOT
    server = Server("c", **variables, **({"PYNYTPROF_STEPS": steps} if steps else {}))
    yield server
    server.close()


@given(text=programs())
@examples(100)
def test_programs_made_at_random(server: Server, text: str) -> None:
    compare(server, text)


@given(text=programs())
@examples(50)
def test_programs_that_repeat(server: Server, text: str) -> None:
    """All of it three times over, so that more of it is hot."""
    prelude, _, rest = text.partition("def decorated")
    body = "def decorated" + rest
    again = "\n".join("    " + line for line in body.splitlines())
    compare(server, f"{prelude}\nfor again in range(4):\n    budget = 300\n{again}\n")


# ---- In the middle of blocks ----


def counts_on_the_way(text: str, *, exact: bool, folder: Path) -> list[dict[Any, int]]:
    """The counts of the program whenever it calls `look()`, and at its end."""
    path = folder / "program.py"
    path.write_text(text, encoding="utf-8")
    tracer = Tracer(include=(str(folder / "*"),), exact_lines=exact)
    seen: list[dict[Any, int]] = []

    def look() -> None:
        hits = tracer.line_hits()
        seen.append({place: figures[0] for place, figures in hits.items() if figures[0]})

    code = compile(text, str(path), "exec")
    tracer.start()
    try:
        exec(code, {"look": look, "tracer": tracer, "__name__": "program"})
    finally:
        tracer.stop()
    look()
    if not exact:
        assert tracer.facts()["shared_times"], "nothing was hot"
    return seen


@pytest.fixture
def hot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYNYTPROF_HOT", "1")
    monkeypatch.setenv("PYNYTPROF_STEPS", "none")


MIDDLE = {
    "open": """\
def f(n):
    a = 1
    b = n
    look() if n % 7 == 0 else None
    c = 2
    look()
    d = 3
    return a + b + c + d
for i in range(40):
    x = i
    f(i)
    y = x
""",
    "recursion": """\
def f(n):
    a = 1
    b = 2
    look()
    if n:
        a = 3
        f(n - 1)
        b = 4
        look()
        c = 5
    return a
for i in range(6):
    f(i)
""",
    "errors": """\
class Dying:
    def __del__(self):
        look()
def f(n):
    a = [Dying()]
    b = 1
    c = 1 // (n % 3)
    d = 2
    look()
    e = 3
def g(n):
    try:
        a = 1
        f(n)
        b = 2
        c = 3
    except ZeroDivisionError:
        d = 4
        look()
        e = 5
    finally:
        h = 6
        look()
        i = 7
for i in range(30):
    g(i)
    j = 1
""",
    "generators": """\
def g(n):
    a = 1
    b = 2
    for i in range(n):
        c = 3
        yield i
        d = 4
        look()
        e = 5
def f():
    kept = []
    for i in range(12):
        a = g(3)
        b = next(a)
        kept.append(a)
        c = next(a)
        look()
        d = 1
    kept[0].throw(ValueError)
for i in range(4):
    try:
        a = 1
        f()
        b = 2
    except ValueError:
        c = 3
        d = 4
""",
    "stopped": """\
def f(n):
    a = 1
    b = 2
    if n % 5 == 4:
        a = 2
        tracer.stop()
        b = 3
        c = 4
    d = 1
    if n % 5 == 4:
        a = 5
        tracer.start()
        b = 6
        c = 7
    e = 8
    look()
for i in range(40):
    f(i)
""",
    "forgotten": """\
def f(n):
    a = 1
    b = 2
    look()
    c = 3
    tracer.forget() if n % 19 == 18 else None
    d = 4
    e = 5
for i in range(80):
    f(i)
""",
    "threads": """\
import threading
turn = threading.Event(), threading.Event()
def f(n, mine, other):
    for i in range(30):
        a = i
        mine.wait()
        mine.clear()
        b = a
        look()
        c = b
        other.set()
        d = c
one = threading.Thread(target=f, args=(0, *turn))
other = threading.Thread(target=f, args=(1, *turn[::-1]))
one.start()
other.start()
turn[0].set(), one.join(), other.join()
""",
    "calls at the end of an alternative": """\
class C:
    @property
    def p(self):
        return 1
    def __getitem__(self, i):
        return i
def g(n):
    return n
def f(n, c):
    a = 1 if n < 30 else c.p
    b = 2 if n < 40 else c[n]
    d = n < 50 or g(n)
    e = n < 60 or g(*[n])
    look() if n % 7 == 0 else None
    return a
for i in range(80):
    f(i, C())
""",
    "copies": """\
def f(n):
    a = 1
    if n % 2:
        b = 2
    for i in range(3):
        c = 3
    look()
    return a
for i in range(20):
    f(i)
def g(n): pass
g.__code__ = f.__code__.replace()
for i in range(20):
    f(i), g(i)
for i in range(20):
    f(i) if i % 3 else g(i)
""",
    "moving": """\
import threading
def g():
    for i in range(40):
        a = i
        if a % 3:
            b = 2
            yield a
            c = 3
        look()
one = g()
def other():
    for i in range(3):
        next(one, None)
for i in range(8):
    next(one, None)
    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    next(one, None)
""",
    "dropped": """\
def g(n):
    for i in range(n):
        try:
            a = 1
            yield a
            b = 2
        finally:
            c = 3
            look()
def f(n):
    one = g(n)
    next(one)
    a = 1
    if n % 2:
        next(one, None)
    if n % 3:
        one.close()
for i in range(40):
    f(i % 7 + 1)
""",
    "handlers": """\
class Dying:
    def __del__(self):
        look()
def f(n):
    total = 0
    for i in range(4):
        try:
            [Dying()].pop(), {}[n % 3 and i]
            total += 1
        except KeyError:
            total += 2
            continue
        except ValueError:
            total += 3
        else:
            total += 4
        finally:
            total += 5
            look() if n % 5 == 0 else None
        while total % 3:
            total += 1
            if total > 50:
                break
        else:
            total -= 1
        with open("/dev/null") as file:
            if n % 4 == 1:
                return total
            total += 1
    return total
for i in range(40):
    f(i)
""",
    "asynchronous": """\
import asyncio
async def numbers(n):
    for i in range(n):
        a = i
        if i % 2:
            await asyncio.sleep(0)
        yield a
        b = a
async def f(n):
    a = [i async for i in numbers(n)]
    async for i in numbers(n):
        b = i
        if i == 3:
            look()
            break
    try:
        await asyncio.wait_for(asyncio.sleep(0 if n % 2 else 9), 0.001)
        c = 1
    except TimeoutError:
        d = 2
    return a
async def main():
    for i in range(12):
        a = await asyncio.gather(f(i), f(i + 1))
        b = a
asyncio.run(main())
""",
    "jumps": """\
import sys
def f(n):
    a = 1
    b = 2
    c = 3
    return a
def g(n):
    a = 1
    for i in range(40):
        b = 2
        if i == 30 and n:
            sys.settrace(trace)
            sys._getframe().f_trace = trace
        c = 3
        d = 4
        e = 5
    sys.settrace(None)
    sys._getframe().f_trace = None
    for i in range(12):
        b = 6
        c = 7
    return f(1)
def trace(frame, event, argument):
    if event == "line" and frame.f_lineno == 15:
        frame.f_lineno = 16
    return trace
for i in range(10):
    f(i)
g(0)
look()
g(1)
""",
}


@pytest.mark.parametrize("program", MIDDLE)
def test_counts_are_right_at_any_time(program: str, hot: None, tmp_path: Path) -> None:
    exact = counts_on_the_way(MIDDLE[program], exact=True, folder=tmp_path)
    assert counts_on_the_way(MIDDLE[program], exact=False, folder=tmp_path) == exact


BRANCHES = """\
def f(n):
    a = 0
    for i in range(n):
        a += 1
        if i % 2:
            a += 2
            a -= 1
        elif i % 3:
            a += 3
        else:
            a += 4
        a += 5
    return a
for i in range(300):
    f(30)
"""


def test_of_branches_as_few_as_can_be_have_events(hot: None, tmp_path: Path) -> None:
    """Of a loop with three branches one line of each, and what is rare."""
    code = compile(BRANCHES, str(tmp_path / "program.py"), "exec")
    tracer = Tracer(exact_lines=False)
    tracer.start()
    exec(code, {})
    tracer.stop()
    counts = {line: figures[0] for (_, line), figures in tracer.line_hits().items()}
    facts = tracer.facts()
    least = counts[7] + counts[9] + counts[11]
    assert facts["refused_codes"] == 0
    assert least <= facts["line_events"] < 2 * least  # of all lines five times as many
    assert counts[4] == counts[5] == counts[12] == 9000


def test_times_are_shared_as_they_were(hot: None, tmp_path: Path) -> None:
    """A line that does a hundred times as much as the next has nearly all of their time."""
    text = (
        "def f():\n    a = sum(range(2000))\n    b = 1\n    c = 2\nfor i in range(3000):\n    f()\n"
    )
    code = compile(text, str(tmp_path / "program.py"), "exec")
    tracer = Tracer(exact_lines=False)
    tracer.start()
    exec(code, {})
    tracer.stop()
    times = {line: figures[2] for (_, line), figures in tracer.line_hits().items()}
    assert tracer.facts()["shared_times"] >= 3
    assert times[2] > 5 * (times[3] + times[4])


def test_there_are_fewer_events(hot: None, tmp_path: Path) -> None:
    events = []
    text = "def f():\n" + "    a = 1\n" * 50 + "for i in range(2000):\n    f()\n"
    for exact in (True, False):
        tracer = Tracer(exact_lines=exact)
        code = compile(text, str(tmp_path / "program.py"), "exec")
        tracer.start()
        exec(code, {})
        tracer.stop()
        events.append(tracer.facts()["line_events"])
    assert events[0] > 100_000
    assert events[1] < events[0] / 10
