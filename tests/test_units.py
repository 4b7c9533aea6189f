"""Units of work: functions under names of their own, and what happens where there is no profile."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from support import PYTHON, run

from pynytprof import reader, verify

PROGRAM = """\
import asyncio, threading
import pynytprof
from pynytprof import unit

def work(n):
    return sum(range(n))

@unit("inner")
def inner(n):
    return work(n)

@unit("waits <1>")
async def waits(n):
    await asyncio.sleep(0.001)
    return inner(n)

def fails():
    raise ValueError("mine")

async def main():
    print(sorted(await asyncio.gather(*[waits(n) for n in range(5)])))

work(1)  # not profiled
asyncio.run(main())
threads = [threading.Thread(target=unit("thread").run, args=(work, n)) for n in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
with unit("outer"):
    with unit("outer"):
        work(2)
    work(3)
try:
    unit("fails").run(fails)
except ValueError as error:
    print(error)
work(4)  # not profiled
print(inner.__name__, asyncio.iscoroutinefunction(waits))
"""


@pytest.fixture
def profile(tmp_path: Path) -> reader.Profile:
    (tmp_path / "prog.py").write_text(PROGRAM)
    done = run([PYTHON, "prog.py"], tmp_path)
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout == "[0, 0, 1, 3, 6]\nmine\ninner True\n"
    assert verify.verify(tmp_path / "nytprof.out", quiet=True)
    return reader.read(tmp_path / "nytprof.out")


def test_each_unit_has_its_place_in_the_call_tree(profile: reader.Profile) -> None:
    subs = profile.subs
    assert subs["unit::inner"].calls == 5
    assert subs["unit::thread"].calls == 3
    assert subs["unit::fails"].calls == 1
    assert "unit::waits__1_" in subs
    assert subs["__main__::work"].calls == 5 + 3 + 2
    callers = {call.caller for call in subs["unit::inner"].callers}
    assert callers == {"__main__::waits"}


def test_a_unit_is_what_commands_show(profile: reader.Profile) -> None:
    folder = Path(profile.path).parent
    done = run([PYTHON, "-m", "pynytprof", "tree", "--focus", "unit::thread"], folder)
    assert "__main__::work" in done.stdout and "inner" not in done.stdout


def test_under_pynytprof_units_are_in_its_profile(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(PROGRAM)
    done = run([PYTHON, "-m", "pynytprof", "-q", "-o", "all.out", "prog.py"], tmp_path)
    assert (done.stderr, done.returncode) == ("", 0)
    subs = reader.read(tmp_path / "all.out").subs
    assert subs["unit::inner"].calls == 5
    assert subs["__main__::work"].calls == 5 + 3 + 4
    assert not (tmp_path / "nytprof.out").exists()


BODIES = """\
import asyncio, contextlib, threading
from pynytprof import unit

def work(n):
    return sum(range(n))

def nested():
    with unit("outer"):
        work(10)
        with unit("inner"):
            work(20)
        with unit("outer"):
            work(30)
    work(40)

async def job(n):
    with unit(f"job{n % 2}"):
        await asyncio.sleep(0.001 * n)
        await helper(n)
    work(n)

async def helper(n):
    with unit("helper"):
        await asyncio.sleep(0.001)
        work(n)

def steps():
    with unit("steps"):
        work(1)
        yield
        work(2)
        yield

async def main():
    await asyncio.gather(*[job(n) for n in range(6)])

def stacked():
    with contextlib.ExitStack() as stack:
        stack.enter_context(unit("stacked"))
        work(5)

shared = unit("thread")
def run():
    with shared:
        work(50)

with unit("all"):
    nested()
    for _ in steps():
        work(7)
    stacked()
    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    asyncio.run(main())
print("done")
"""

CALLS = {  # of work, by the unit or function that called it
    "unit::outer": 2, "unit::inner": 1, "__main__::nested": 1, "unit::helper": 6,
    "__main__::job": 6, "unit::steps": 2, "unit::all": 2, "unit::stacked": 1, "unit::thread": 4,
}  # fmt: skip


@pytest.mark.parametrize("options", [[], ["-o", "nytprof.out"]], ids=["alone", "pynytprof"])
def test_the_body_of_a_with_has_a_name(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "prog.py").write_text(BODIES)
    command = ["-m", "pynytprof", "-q", *options] if options else []
    done = run([PYTHON, *command, "prog.py"], tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == ("done\n", "", 0)
    assert verify.verify(tmp_path / "nytprof.out", quiet=True)
    subs = reader.read(tmp_path / "nytprof.out").subs
    counts: dict[str, int] = {}
    for call in subs["__main__::work"].callers:
        counts[str(call.caller)] = counts.get(str(call.caller), 0) + call.count
    assert counts == CALLS
    assert subs["unit::outer"].calls == 2
    assert subs["unit::helper"].calls == 6
    assert {call.caller for call in subs["unit::inner"].callers} == {"unit::outer"}
    tree = run([PYTHON, "-m", "pynytprof", "tree", "--min", "0", "--focus", "unit::job1"], tmp_path)
    assert "unit::helper" in tree.stdout and "unit::steps" not in tree.stdout


@pytest.mark.parametrize("writer", ["c", "py"])
def test_perl_reads_units_silently(tmp_path: Path, writer: str) -> None:
    if shutil.which("nytprofhtml") is None:
        pytest.skip("Devel::NYTProf is not installed")
    (tmp_path / "prog.py").write_text(BODIES)
    made = run([PYTHON, "prog.py"], tmp_path, PYNYTPROF_WRITER=writer)
    assert (made.stderr, made.returncode) == ("", 0)
    done = run(["nytprofhtml", "--file", "nytprof.out", "--out", "html", "--no-flame"], tmp_path)
    assert (done.stderr, done.returncode) == ("", 0)


TAKEN = """\
import sys
from pynytprof.web import WSGIMiddleware
for tool in range(6):
    if sys.monitoring.get_tool(tool) is None:
        sys.monitoring.use_tool_id(tool, "mine")
app = WSGIMiddleware(lambda environ, start: [b"x"], every=1)
print(app({"REQUEST_METHOD": "GET"}, None), app({"REQUEST_METHOD": "GET"}, None))
"""


@pytest.mark.skipif(sys.version_info < (3, 12), reason="needs CPython 3.12 or later")
def test_requests_pass_where_tool_ids_are_taken(tmp_path: Path) -> None:
    done = run([PYTHON, "-c", TAKEN], tmp_path)
    assert (done.stdout, done.returncode) == ("[b'x'] [b'x']\n", 0)
    assert done.stderr.count("requests are not profiled") == 1
