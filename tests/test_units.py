"""Units of work: functions under names of their own, and what happens where there is no profile."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from doors import Door
from support import PYTHON, run

from pynytprof import reader, verify

PROGRAM = """\
import asyncio, inspect, threading
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
print(inner.__name__, inspect.iscoroutinefunction(waits))
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


# ---- What ran in one of them ----

APART = """\
import threading
from pynytprof import unit

def work(n):
    total = 0
    for i in range(n):
        total += i
    return total

@unit("called")
def called():
    return work(5)

def body(n):
    with unit("outer"):
        work(10)
        with unit("inner"):
            work(20)
        called()
    work(40)

body(1)
body(2)
thread = threading.Thread(target=body, args=(3,))
thread.start()
thread.join()
unit("outer").run(work, 7)
work(100)
"""
LOOP = 6  # of work(): begins n + 1 times


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("apart")
    (folder / "prog.py").write_text(APART)
    done = run([PYTHON, "-m", "pynytprof", "-q", "prog.py"], folder)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    return folder / "nytprof.out"


def loops(profile: reader.Profile) -> int:
    return sum(line.count for line in profile.find_file("prog.py").lines if line.line == LOOP)


def loops_of(profile: reader.Profile) -> int:
    """The same in all programs of that name."""
    return sum(
        line.count
        for file in profile.files.values()
        if file.name.endswith("prog.py")
        for line in file.lines
        if line.line == LOOP
    )


@pytest.mark.parametrize(
    ("wanted", "calls", "turns"),
    [
        ("unit::inner", 3, 3 * 21),
        ("inner", 3, 3 * 21),
        ("called", 3, 3 * 6),
        ("outer", 3 + 3 + 3 + 1, 3 * (11 + 21 + 6) + 8),
        ("unit::*", 10, 3 * (11 + 21 + 6) + 8),
        ("[inner]", 0, 0),
    ],
)
def test_what_ran_in_a_unit_is_known_exactly(
    apart: Path, wanted: str, calls: int, turns: int
) -> None:
    if not calls:
        with pytest.raises(LookupError, match="no unit of work"):
            reader.read(apart, unit=wanted)
        return
    profile = reader.read(apart, unit=wanted)
    assert profile.subs["__main__::work"].calls == calls
    assert loops(profile) == turns
    assert profile.header.calls == sum(sub.calls for sub in profile.subs.values())
    assert profile.header.statements - profile.header.discounted == sum(
        line.count for line in profile.lines
    )
    roots = {node.name for node in profile.tree if len(node.path) == 1}
    assert roots == {name for name in ("unit::inner", "unit::called", "unit::outer") if
                     wanted in (name, name.removeprefix("unit::")) or
                     (wanted == "unit::*" and name == "unit::outer")}  # fmt: skip


def test_units_and_the_rest_are_all_there_is(apart: Path) -> None:
    whole = reader.read(apart)
    in_units = reader.read(apart, unit="*")
    assert loops(whole) == loops(in_units) + 3 * 41 + 101
    assert whole.subs["__main__::work"].calls == in_units.subs["__main__::work"].calls + 3 + 1
    work = {call.line: call.count for call in in_units.subs["__main__::work"].callers}
    assert work[16] == work[18] == 3 and 20 not in work
    time = in_units.header.ticks_per_sec * sum(unit.time for unit in in_units.units[:1])
    assert 0 < time <= sum(line.ticks for line in whole.lines)
    assert {(unit.name, unit.count, unit.apart) for unit in whole.units} == {
        ("unit::outer", 4, True), ("unit::inner", 3, True), ("unit::called", 3, True)
    }  # fmt: skip


def test_a_thread_or_process_of_a_unit(apart: Path, nytprof: Door, tmp_path: Path) -> None:
    """Also where profiles were merged."""
    merged = tmp_path / "merged.out"
    nested = tmp_path / "prog.py"
    nested.write_text(APART.replace("work(20)", "work(30)"))
    assert run([PYTHON, "-m", "pynytprof", "-q", nested], tmp_path).returncode == 0
    words: list[str | Path] = [*nytprof.argv, "merge", "-q", "-o", merged, apart]
    words.append(tmp_path / "nytprof.out")
    assert run(words).returncode == 0
    for path in (apart, merged):
        main, other = (one.pid for one in reader.read(apart).processes)
        assert loops_of(reader.read(path, unit="inner", thread=main)) == 2 * 21
        assert loops_of(reader.read(path, unit="inner", thread=other)) == 21
        assert loops_of(reader.read(path, unit="inner", process=main)) == 3 * 21


def test_merged_profiles_keep_their_units(apart: Path, nytprof: Door, tmp_path: Path) -> None:
    merged = tmp_path / "merged.out"
    done = run([*nytprof.argv, "merge", "-q", "-o", merged, apart, apart])
    assert done.returncode == 0, done.stderr
    assert verify.verify(merged, quiet=True)
    one, two = reader.read(apart, unit="outer"), reader.read(merged, unit="outer")
    assert loops(two) == 2 * loops(one)
    assert two.subs["unit::inner"].calls == 6
    assert loops(reader.read(merged)) == 2 * loops(reader.read(apart))
    same = tmp_path / "same.out"
    assert run([*nytprof.argv, "recover", "-q", "-o", same, apart]).returncode == 0
    assert loops(reader.read(same, unit="inner")) == 3 * 21


def test_behind_damage_nothing_is_told_of_units(apart: Path, nytprof: Door, tmp_path: Path) -> None:
    """A comment that told where one ended may be what is lost."""
    bytes_ = bytearray(apart.read_bytes())
    at = len(bytes_) // 2
    bytes_[at : at + 200] = bytes(200)
    damaged, sound = tmp_path / "damaged.out", tmp_path / "sound.out"
    damaged.write_bytes(bytes_)
    done = run([*nytprof.argv, "recover", "-o", sound, damaged])
    assert "lost" in done.stderr, done.stderr
    recovered = reader.read(sound)
    assert recovered.units and not any(unit.apart for unit in recovered.units)
    assert run([*nytprof.argv, "--unit", "inner", sound]).returncode == 2


COMMANDS: dict[
    str, tuple[list[str], str, str]
] = {  # what each shows of inner, and what it does not
    "first screen": ([], "what ran in unit::inner is", "unit::called"),
    "summary": (["summary", "--all"], "__main__::work", "unit::called"),
    "tree": (["tree", "--min", "0"], "__main__::work", "unit::outer"),
    "func": (["func", "work"], "unit::inner", "unit::outer"),
    "source": (["source", "prog.py"], "__main__::work was called 3 times", "called 14 times"),
    "explain": (["explain"], "unit::inner", "unit::called"),
    "info": (["info"], "unit::inner", "unit::called"),
    "top": (["top", "--functions"], "__main__::work", "unit::called"),
    "collapsed": (
        ["convert", "--to", "collapsed", "-o", "-"],
        "unit::inner;__main__::work",
        "outer",
    ),
    "speedscope": (["speedscope"], "__main__::work", "unit::called"),
    "html": (["html", "-q", "-o", "-"], "Of what ran in unit::inner alone: ", "<<<"),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_one_unit(apart: Path, nytprof: Door, name: str) -> None:
    words, shown, hidden = COMMANDS[name]
    done = run([*nytprof.argv, *words, "--unit", "inner", apart])
    assert (done.stderr, done.returncode) == ("", 0)
    assert shown in done.stdout
    assert hidden not in done.stdout


def test_diff_compares_one_unit(apart: Path, nytprof: Door, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(APART.replace("work(20)", "work(21)"))
    assert run([PYTHON, "-m", "pynytprof", "-q", "prog.py"], tmp_path).returncode == 0
    words: list[str | Path] = [*nytprof.argv, "diff", apart, tmp_path / "nytprof.out"]
    words += ["--fail-if", "lines.count>+0"]
    assert run([*words, "--unit", "inner"]).returncode == 1
    assert run([*words, "--unit", "called"]).returncode == 0


def test_units_are_listed_on_the_first_screen(apart: Path, nytprof: Door) -> None:
    text = run([*nytprof.argv, apart]).stdout
    table = text[text.index("Units of work (3 of 3; --unit NAME") :].splitlines()[2:5]
    assert {(line.split()[0], line.split()[-1]) for line in table} == {
        ("4", "unit::outer"), ("3", "unit::inner"), ("3", "unit::called")
    }  # fmt: skip
    assert "| unit |" in run([*nytprof.argv, "explain", apart]).stdout
    said = json.loads(run([*nytprof.argv, "summary", "--json", apart]).stdout)["units"]
    assert said[0]["name"] == "unit::outer"


@pytest.mark.parametrize(
    ("text", "of_packages"),
    [
        ("with unit('x'):\n    for i in range(9):\n        sum(range(i))\n", False),
        ("unit('x').run(lambda: sum(range(9)))\n", True),
    ],
    ids=["body", "function"],
)
def test_the_time_of_a_body_is_its_programs(
    text: str, of_packages: bool, nytprof: Door, tmp_path: Path
) -> None:
    """And not that of the package that gives it a name, as that of a function which calls is."""
    (tmp_path / "prog.py").write_text(f"from pynytprof import unit\n{text}")
    assert run([PYTHON, "-m", "pynytprof", "-q", "prog.py"], tmp_path).returncode == 0
    told = run([*nytprof.argv, "summary", "--json", "--top", "50", tmp_path / "nytprof.out"]).stdout
    answer = json.loads(told)
    assert (answer["split"]["packages"] > 0) is of_packages
    assert not [one for one in answer["hot_lines"] if one["file"].endswith("(unit)")]


def test_a_report_of_a_unit_says_so(apart: Path, nytprof: Door) -> None:
    one = run([*nytprof.argv, "--unit", "inner", apart]).stdout
    assert "Only what ran in unit::inner is looked at" in one
    assert "the 2 units of that name" in run([*nytprof.argv, "--unit", "*e[rd]", apart]).stdout or (
        "the 3 units of that name" in run([*nytprof.argv, "--unit", "*", apart]).stdout
    )


def test_an_unknown_unit_names_the_nearest(apart: Path, nytprof: Door, tmp_path: Path) -> None:
    done = run([*nytprof.argv, "tree", "--unit", "iner", apart])
    assert done.returncode == 2
    assert "no unit 'iner' in this profile; the nearest: unit::inner" in done.stderr
    done = run([*nytprof.argv, "tree", "--unit", "quite something else", apart])
    assert "; there are unit::called, " in done.stderr
    done = run([*nytprof.argv, "--unit", "inner", "--salvage", apart])
    assert done.returncode == 2 and "damaged" in done.stderr
    (tmp_path / "none.py").write_text("pass\n")
    run([PYTHON, "-m", "pynytprof", "-q", "none.py"], tmp_path)
    done = run([*nytprof.argv, "--unit", "inner", tmp_path / "nytprof.out"])
    assert done.returncode == 2 and "there are no units of work" in done.stderr


def test_sums_alone_are_not_told_as_a_units(tmp_path: Path, nytprof: Door) -> None:
    (tmp_path / "prog.py").write_text(APART)
    made = run([PYTHON, "-m", "pynytprof", "-q", "prog.py"], tmp_path, PYNYTPROF_TRACER="py")
    assert made.returncode == 0, made.stderr
    done = run([*nytprof.argv, "--unit", "called", tmp_path / "nytprof.out"])
    assert done.returncode == 2 and "only sums over all units" in done.stderr
    with pytest.raises(LookupError, match="sums over all units"):
        reader.read(tmp_path / "nytprof.out", unit="called")


def test_what_nytprofmerge_lost_is_not_made_up(apart: Path, nytprof: Door, tmp_path: Path) -> None:
    if shutil.which("nytprofmerge") is None:
        pytest.skip("Devel::NYTProf is not installed")
    merged = tmp_path / "perl.out"
    assert run(["nytprofmerge", "--out", merged, apart, apart]).returncode == 0
    done = run([*nytprof.argv, "--unit", "inner", merged])
    assert done.returncode == 2 and "nytprofmerge does not know" in done.stderr


def test_lines_of_units_stand_apart_without_exact_lines(tmp_path: Path) -> None:
    """Where lines of hot code have no events, those of a unit's frame have them again."""
    text = APART.replace(
        "def body(n):\n", "def body(n):\n    for _ in range(300):\n        n += 1\n"
    )
    (tmp_path / "prog.py").write_text(text)
    made = run(
        [PYTHON, "-m", "pynytprof", "-q", "--no-exact-lines", "prog.py"],
        tmp_path,
        PYNYTPROF_HOT="4",
    )
    assert made.returncode == 0, made.stderr
    assert verify.verify(tmp_path / "nytprof.out", quiet=True)
    assert loops(reader.read(tmp_path / "nytprof.out", unit="inner")) == 3 * 21
    whole = reader.read(tmp_path / "nytprof.out")
    assert loops(whole) == 3 * (11 + 21 + 6 + 41) + 8 + 101
    counts = {line.line: line.count for line in whole.find_file("prog.py").lines}
    assert (counts[15], counts[16], counts[18], counts[22]) == (3 * 301, 3 * 300, 3, 3)


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


# ---- Want of memory ----

FAILING = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

static long left = -1, seen;

void fail_at(long n) { left = n; seen = 0; }
long allocations(void) { return seen; }

static int fails(void *caller)
{
    Dl_info info;
    if (left < 0 || !dladdr(caller, &info) || !info.dli_fname || !strstr(info.dli_fname, "_ctrace"))
        return 0;
    seen++;
    return left-- == 0;
}

#define REAL(name) static __typeof__(name) *real; \\
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)
void *realloc(void *p, size_t n)
{
    REAL(realloc);
    return fails(__builtin_return_address(0)) ? NULL : real(p, n);
}
void *calloc(size_t n, size_t size)
{
    static char early[4096];    /* dlsym() itself allocates */
    static size_t used;
    static int within;
    static __typeof__(calloc) *real;
    if (within && !real) {
        used += (n * size + 15) & ~(size_t)15;
        return early + used - ((n * size + 15) & ~(size_t)15);
    }
    within = 1;
    if (!real) real = (__typeof__(calloc) *)dlsym(RTLD_NEXT, "calloc");
    return fails(__builtin_return_address(0)) ? NULL : real(n, size);
}
"""

WORKS = """\
import ctypes, sys, threading, types
import pynytprof
shim = ctypes.CDLL(None)
def work(n):
    return sum(range(n))
@types.coroutine
def suspended():
    yield
async def step(n):
    with pynytprof.unit(f"step {n}"):
        await suspended()
        return work(n)
def made():
    with pynytprof.unit("made"):
        for n in range(3):
            yield work(n)
def run(coroutine):
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
with pynytprof.unit("warm"):
    work(1)
thread = threading.Thread(target=lambda: pynytprof.unit("thread").run(work, 7))
shim.fail_at(int(sys.argv[1]))
total = 0
for n in range(6):
    with pynytprof.unit(f"outer {n}"), pynytprof.unit("inner"):
        total += work(n)
steps = [step(n) for n in range(4)]
for one in steps:
    run(one)
total += sum(map(run, steps)) + sum(made())
thread.start()
thread.join()
seen = shim.allocations()
shim.fail_at(-1)
print(total)
print(seen, file=sys.stderr)
"""


def test_any_allocation_may_fail_in_units_of_work(tmp_path: Path) -> None:
    """The program does not notice, the profile is sound, and what is missing is told."""
    compiler = shutil.which("cc")
    assert compiler, "needs a C compiler"
    (tmp_path / "failing.c").write_text(FAILING)
    (tmp_path / "prog.py").write_text(WORKS)
    shim = tmp_path / "failing.so"
    made = run([compiler, "-shared", "-fPIC", "-O1", "-o", shim, "failing.c", "-ldl"], tmp_path)
    assert made.returncode == 0, made.stderr

    def outcome(place: int) -> tuple[dict[str, int], list[str]]:
        command = [PYTHON, "-m", "pynytprof", "-q", "prog.py", str(place)]
        done = run(command, tmp_path, LD_PRELOAD=str(shim))
        assert (done.returncode, done.stdout) == (0, "25\n"), done.stderr
        assert verify.verify(tmp_path / "nytprof.out")
        profile = reader.read(tmp_path / "nytprof.out")
        counts = {unit.name: unit.count for unit in profile.units}
        return counts | {"work": profile.subs["__main__::work"].calls}, done.stderr.splitlines()

    whole, (seen,) = outcome(1 << 30)
    assert whole["work"] == 15 and len(whole) == 6 + 1 + 4 + 1 + 1 + 1 + 1
    assert int(seen) > 60
    told = 0
    for place in range(0, int(seen), int(seen) // 24):
        counts, said = outcome(place)
        told += any("out of memory" in text for text in said)
        assert counts == whole or any("out of memory" in text for text in said), place
    assert told
