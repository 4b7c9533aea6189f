"""Which lines the tracer marks as having a share of a time that was measured for several."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support import outcome_of, profiling

from pynytprof import reader, verify

pytestmark = [
    pytest.mark.skipif(sys.version_info < (3, 12), reason="needs CPython 3.12 or later"),
]

PROGRAM = """\
import pynytprof
def hot(n):
    total = 0
    for i in range(n):
        a = i * 2
        b = a + 1
        if b % 3:
            total += b
        else:
            total -= a
    return total
def cold(n):
    a = n + 1
    b = a + 1
    return b
cold(1)
for _ in range(200):
    with pynytprof.unit("work"):
        hot(50)
hot(50); cold(2)
f = lambda n: [i + 1 for i in range(n)]; g = lambda n: [i + 2 for i in range(n)]
for _ in range(200):
    f(5); g(5); exec("for i in range(9):\\n    a = i\\n    b = a\\n    c = b")
"""


def profiled(folder: Path, *options: str) -> reader.Profile:
    (folder / "prog.py").write_text(PROGRAM)
    done = outcome_of([*profiling(options, []), "prog.py"], folder, tracer="c", PYNYTPROF_HOT="3")
    assert done.status == 0, done.stderr
    assert verify.verify(folder / "nytprof.out")
    return reader.read(folder / "nytprof.out")


def shared(profile: reader.Profile, name: str) -> set[int]:
    found = [one for one in profile.files.values() if name in one.name]
    return {line.line for one in found for line in one.lines if line.shared}


def test_lines_of_hot_code_are_marked(tmp_path: Path) -> None:
    profile = profiled(tmp_path, "--no-exact-lines")
    of_program = shared(profile, "prog.py")
    assert len(of_program & set(range(3, 12))) >= 4
    assert not of_program & set(range(12, 17))  # cold code has been measured
    assert all(line.count for line in profile.lines if line.shared)


def test_the_comment_for_people_counts_what_is_marked(tmp_path: Path) -> None:
    """Lines, of all the code objects that are on them."""
    profile = profiled(tmp_path, "--no-exact-lines")
    words = " have a learned share of a time that was measured for several together"
    (said,) = (text for text in profile.comments if text.endswith(words))
    marked = 0
    for row in (tmp_path / "nytprof.out").read_bytes().split(b"\n"):
        if row.startswith(b"#shared "):
            for part in row.split(b" ")[1].decode().split(","):
                first, _, last = part.partition("-")
                marked += int(last or first) - int(first) + 1
    assert said == f"{marked} lines{words}"


def test_where_each_line_is_measured_none_is(tmp_path: Path) -> None:
    profile = profiled(tmp_path, "--exact-lines")
    assert not [line for line in profile.lines if line.shared]
    assert b"\n#shared" not in (tmp_path / "nytprof.out").read_bytes()


JIT = """\
import sys
from pynytprof._ctrace import Tracer
def f(n):
    a = n
    b = a
    return b
tracer = Tracer(exact_lines=False)
tracer.start()
for i in range(300):
    f(i)
tracer.stop()
jit = getattr(sys, "_jit", None)
print(jit is not None and jit.is_enabled(), tracer.facts()["shared_times"] > 0)
"""


@pytest.mark.parametrize("wanted", ["0", "1"])
def test_each_line_is_measured_where_the_jit_is_on(wanted: str, tmp_path: Path) -> None:
    """What it has compiled can miss events that are switched on again."""
    (tmp_path / "prog.py").write_text(JIT)
    done = outcome_of([sys.executable, "prog.py"], tmp_path, PYTHON_JIT=wanted, PYNYTPROF_HOT="3")
    assert done.stdout.split() in (["True", "False"], ["False", "True"])


GROWS = """\
def work(n):
    a = sum(range(50))
    b = sum(range(n))
    c = list(range(n))
    d = a + b
    return c, d
for _ in range(300):
    work(50)
for _ in range(300):
    work(4000)
"""


def test_what_c_functions_take_stays_with_the_line_that_has_called_them(tmp_path: Path) -> None:
    """Also where it did next to nothing while its share was learned."""
    (tmp_path / "prog.py").write_text(GROWS)
    done = outcome_of([*profiling([], []), "prog.py"], tmp_path, tracer="c")
    assert done.status == 0, done.stderr
    profile = reader.read(tmp_path / "nytprof.out")
    (program,) = (file for file in profile.files.values() if file.name.endswith("prog.py"))
    calls = {call.line: call.incl for call in program.calls if call.called == "builtins::sum"}
    lines = {line.line: line for line in program.lines}
    assert lines[2].shared and lines[3].shared
    assert lines[3].time >= 0.999 * calls[3] > 10 * calls[2]
    assert lines[4].time > 10 * lines[5].time
