"""A line's inclusive time: its own and all that it calls, each once."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import PYTHON, TRACERS, run

from pynytprof import reader

# What is called where; `work` is the only thing that takes time.
PROGRAM = """\
def work(x=0):
    return x + 0 * sum(range(20000))


def listed():
    return [work(n) for n in range(40)]


def spread():
    return sum(work(n)
               for n in range(40)
               if n >= 0)


def ordered():
    return sorted(range(40), key=lambda n: work(n))


def nested():
    return [len([work(n) for n in range(m)]) for m in (10, 30)]


def walk(n):
    return work(n) + (walk(n - 1) if n else 0)


def main():
    listed()
    spread()
    ordered()
    nested()
    walk(39)


main()
"""


def profiled(
    program: str, tracer: str, folder: Path
) -> tuple[reader.Profile, dict[int, reader.Line]]:
    """What came of the program, and its lines by number."""
    (folder / "prog.py").write_text(program)
    done = run(
        [PYTHON, "-m", "pynytprof", "-q", "prog.py"], folder,
        PYNYTPROF_TRACER=tracer, PYNYTPROF_WRITER=tracer,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    found = reader.read(folder / "nytprof.out")
    lines = {line.line: line for line in found.find_file("prog.py").lines}
    return found, lines


@pytest.mark.parametrize("tracer", TRACERS)
def test_each_time_is_told_once(tracer: str, tmp_path: Path) -> None:
    found, lines = profiled(PROGRAM, tracer, tmp_path)
    whole = found.header.statement_time
    text = PROGRAM.split("\n")
    for line in lines.values():
        assert line.time <= line.incl <= 1.001 * whole, text[line.line - 1]
    for name in ("listed", "spread", "ordered", "nested"):
        sub = found.subs[f"__main__::{name}"]
        assert sub.first
        at = lines[sub.first + 1]
        assert 0.9 * sub.incl <= at.incl <= 1.1 * sub.incl, name
        called = lines[text.index(f"    {name}()") + 1]
        assert 0.9 * sub.incl <= called.incl <= 1.1 * sub.incl, name
    assert lines[text.index("main()") + 1].incl >= 0.9 * found.subs["__main__::main"].incl


DISPATCH = """\
def work(x=0):
    return x + 0 * sum(range(20000))

def call(f, n):
    return f(n)

def inner(n): return work(n)
def middle(n): return call(inner, n)
def outer(n): return call(middle, n)

def twice(size):
    def decorate(made):
        call(outer, size)
        return made
    return decorate

for n in range(40): call(outer, n)

@twice(5)
class Made:
    call(inner, 3)
"""


@pytest.mark.parametrize("tracer", TRACERS)
def test_what_calls_the_line_again_is_within_its_time(tracer: str, tmp_path: Path) -> None:
    """Each time by another function, so that the calls' own times are not those of recursion."""
    found, lines = profiled(DISPATCH, tracer, tmp_path)
    text = DISPATCH.split("\n")
    whole = found.subs["__main__::call"].incl
    assert 0.9 * whole <= lines[text.index("    return f(n)") + 1].incl <= 1.001 * whole
    assert all(line.incl <= 1.001 * found.header.statement_time for line in lines.values())
    # What decorates a class is called by who defines it, on a line that is the class's, too.
    defining = sum(lines[text.index(one) + 1].incl for one in ("@twice(5)", "class Made:"))
    assert defining >= 0.9 * found.subs["__main__::twice::decorate"].incl > 0
