"""Code with whose lines CPython's LINE events are slow is followed by the instruction.

That is code of many lines, on 3.12 and early 3.13. Here all code is followed so, and counts are
what they are with LINE, and what the standard library counts.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from generated import programs
from hypothesis import given
from test_generated import Server, check, compare, examples
from views import PROGRAMS, View, differences, profile, program_names

from pynytprof import _ctrace

pytestmark = [
    pytest.mark.skipif(sys.version_info < (3, 12), reason="needs CPython 3.12 or later"),
    pytest.mark.skipif(sys.version_info >= (3, 13, 2), reason="needs CPython before 3.13.2"),
]


@pytest.mark.parametrize("program", program_names())
def test_steps_count_as_line_events_do(program: str, tmp_path: Path) -> None:
    views = {}
    for steps in ("all", "none"):
        out = tmp_path / f"{steps}.out"
        profile(out, [PROGRAMS / f"{program}.py"], tracer="c", PYNYTPROF_STEPS=steps)
        views[steps] = View(out)
    assert not differences(views["all"].line_counts(), views["none"].line_counts())
    assert not differences(views["all"].call_counts(), views["none"].call_counts())


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server("c", PYNYTPROF_STEPS="all")
    yield server
    server.close()


@given(text=programs())
@examples(100)
def test_programs_made_at_random(server: Server, text: str) -> None:
    compare(server, text)


LARGE = """\
import sys
def far(n):
    if n < 0:
{many}
    total = 0
    for i in range(n):
        try:
            total += i if i & 1 else -i
            if i % 3 == 0: raise ValueError
        except ValueError:
            total -= 1
    while total > 0: total -= 1
    return [x for x in range(n) if x & 1]
def numbers(n):
    if n < 0:
{many}
    for i in range(n):
        yield i
        i = yield from (k for k in range(2))
table = {{
{rows}
}}
for _ in range(3):
    far(9), list(numbers(4))
"""


def test_large_code(server: Server) -> None:
    many = "\n".join(["        n = n + 1"] * 300)
    rows = "\n".join(f"    {i}: {i + 1}," for i in range(700))
    check(server, LARGE.format(many=many, rows=rows))


def test_a_handler_on_the_line_of_what_raises(server: Server) -> None:
    many = "\n".join(["x = 1"] * 300)
    check(
        server,
        f"""\
class Manager:
    def __enter__(self): return 1
    def __exit__(self, *what): return 0
def key(a): return a + str(a)
{many}
try:
    with Manager() as a: sorted([3, 1, 2], key=key)
except Exception: pass
try:
    with Manager() as a, Manager() as b: (a - b); assert key(a)
except Exception: pass
""",
    )


def test_another_tool_may_come(server: Server) -> None:
    """CPython forgets whom to tell of instructions when a second tool begins."""
    many = "\n".join(["    x = 1"] * 300)
    check(
        server,
        f"""\
import sys
def far(n):
{many}
    if n == 1:
        other = sys.monitoring
        other.use_tool_id(5, "another")
        other.register_callback(5, other.events.PY_START, lambda *seen: None)
        other.set_events(5, other.events.PY_START)
    for i in range(3):
        x = i
    if n == 1:
        other.set_events(5, 0)
        other.free_tool_id(5)
far(0)
far(1)
far(2)
""",
    )


def test_most_instructions_have_no_event(tmp_path: Path) -> None:
    """Of a module of many lines: the start of each line has, and little else."""
    count = 1000
    text = "".join(f"x{i} = f({i}, {i})\n" for i in range(count))
    program = tmp_path / "program.py"
    code = compile(text, str(program), "exec")
    instructions = sum(1 for _ in dis.get_instructions(code))
    tracer = _ctrace.Tracer(exact_lines=False, include=(str(program),))
    tracer.start()
    try:
        exec(code, {"f": max})
        events = tracer.facts()["line_events"]
    finally:
        tracer.stop()
    assert sum(hits[0] for hits in tracer.line_hits().values()) == count
    assert count <= events < 1.5 * count < instructions / 3


def test_hot_code_of_many_lines_has_fewer_events(tmp_path: Path) -> None:
    """Counts are all there, though most lines of the loop have no event any more."""
    many = "".join("        n += 1\n" for _ in range(300))
    text = (
        f"def far(n):\n    if n < 0:\n{many}    for i in range(n):\n        a = i\n"
        "        b = a\n        c = b\n        if c % 2:\n            a = b\n            b = c\n"
        "        c = a\nfar(4000)\n"
    )
    program = tmp_path / "program.py"
    found = {}
    for exact in (True, False):
        tracer = _ctrace.Tracer(exact_lines=exact, include=(str(program),))
        tracer.start()
        try:
            exec(compile(text, str(program), "exec"), {})
            events = tracer.facts()["line_events"]
        finally:
            tracer.stop()
        found[exact] = {line: hits[0] for line, hits in tracer.line_hits().items()}
    assert found[True] == found[False]
    assert events < sum(found[False].values()) / 2
