"""Other tools at work in the same process: each finds what it finds alone, and so do we.

In any order of start and stop: ``neighbours/drive.py`` goes through them.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from support import TIME_LIMIT_S, environment

from pynytprof.reader import read
from pynytprof.verify import verify

HERE = Path(__file__).parent / "neighbours"
MONITORING = sys.version_info >= (3, 12)

if not find_spec("pynytprof._ctrace"):
    pytest.skip("no C tracer", allow_module_level=True)

before_312 = pytest.mark.skipif(MONITORING, reason="needs CPython before 3.12")
from_312 = pytest.mark.skipif(not MONITORING, reason="needs CPython 3.12 or later")


def run(arguments: list[str | Path], cwd: Path, *, stdin: str = "", **env: str) -> str:
    """Standard output; what is on standard error fails the test, but for pytest's own."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=environment(PYNYTPROF_TRACER="c", **env),
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=TIME_LIMIT_S,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


@functools.cache
def driven(kind: str, mode: str, options: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(
        run([HERE / "drive.py", kind, mode], HERE, DRIVE_OPTIONS=options)
    )
    return found


EVERYWHERE = [
    "settrace", "quiet", "setprofile", "cprofile", "ctrace", "pytrace", "faulthandler",
]  # fmt: skip
KINDS = [
    *EVERYWHERE,
    *(pytest.param(kind, marks=from_312) for kind in ("sysmon", "monitoring")),
]


def check_each_order(kind: str, options: str) -> None:
    both, alone = driven(kind, "both", options), driven(kind, "alone", options)
    ours = driven("settrace", "ours", options)  # nobody is there, whatever its name
    assert len(both) == 4
    for order, found in both.items():
        assert found["neighbour"] == alone[order]["neighbour"], order
        assert found["ours"] == ours[order]["ours"], order
        assert found["neighbour"] and found["ours"]["lines"]


@pytest.mark.parametrize("kind", KINDS)
def test_neither_sees_the_other(kind: str) -> None:
    check_each_order(kind, "{}")


@pytest.mark.parametrize("kind", ["settrace", "setprofile", "cprofile", "ctrace"])
@before_312
def test_without_c_functions_nothing_of_ours_is_in_the_profile_functions_place(kind: str) -> None:
    check_each_order(kind, '{"slowops": 0}')


# ---- Tool ids ----

IDS = """
import sys, os, pynytprof
held = lambda: {i: sys.monitoring.get_tool(i) for i in range(6) if sys.monitoring.get_tool(i)}
ours = lambda: [i for i, who in held().items() if who == "pynytprof"]
tracer = pynytprof.Tracer("p.out", options={"forkdepth": 0})
"""


@from_312
@pytest.mark.parametrize(("taken", "expected"), [((), 4), ((4,), 3), ((2, 4), 3), ((3, 4), 2)])
def test_the_first_free_id_is_taken_and_given_back(
    taken: tuple[int, ...], expected: int, tmp_path: Path
) -> None:
    text = f"""
for i in {taken}: sys.monitoring.use_tool_id(i, f"tool{{i}}")
for turn in range(3):
    with tracer: assert ours() == [{expected}], held()
    assert set(held()) == set({taken}), held()
"""
    run(["-c", IDS + text], tmp_path)


@from_312
def test_the_error_names_who_has_the_ids(tmp_path: Path) -> None:
    text = """
names = {2: "one", 3: "two", 4: "three"}
for i, name in names.items(): sys.monitoring.use_tool_id(i, name)
try: tracer.start()
except RuntimeError as error: print(error)
assert held() == names and not tracer.running
sys.monitoring.free_tool_id(3)
with tracer: assert ours() == [3]
assert not ours()
"""
    said = run(["-c", IDS + text], tmp_path)
    assert said == ("no sys.monitoring tool id is free for pynytprof (4: three, 3: two, 2: one)\n")


@from_312
@pytest.mark.parametrize(
    "way",
    [
        "try:\n    with tracer: 1 / 0\nexcept ZeroDivisionError: pass\n",
        "tracer.start()\nif os.fork() == 0:\n    assert not ours(), held()\n    os._exit(0)\n"
        "assert os.wait()[1] == 0 and ours()\ntracer.stop()\n",
        "tracer.start()\ntry: tracer2 = pynytprof.Tracer('q.out'); tracer2.start()\n"
        "except RuntimeError: pass\nassert ours() == [4]\ntracer.stop()\n",
        "@tracer\ndef f():\n    yield 1\nnext(f())\n",
        "import threading\nt = threading.Thread(target=tracer.start)\nt.start()\nt.join()\n"
        "assert ours() == [4]\ntracer.stop()\n",
    ],
    ids=["exception", "fork", "failed start", "generator", "another thread"],
)
def test_the_id_is_given_back(way: str, tmp_path: Path) -> None:
    run(["-c", IDS + way + "assert not ours(), held()\n"], tmp_path)


@from_312
def test_a_program_may_look_at_its_end(tmp_path: Path) -> None:
    """The command holds an id until the last exit handler of the program, and no other's."""
    (tmp_path / "prog.py").write_text(
        "import sys, atexit\n"
        "show = lambda: print([sys.monitoring.get_tool(i) for i in range(6)])\n"
        "atexit.register(show)\nsys.monitoring.use_tool_id(1, 'mine')\nshow()\n"
    )
    said = run(["-m", "pynytprof", "-q", "prog.py"], tmp_path)
    assert said == "[None, 'mine', None, None, 'pynytprof', None]\n" * 2


# ---- Debuggers ----

DEBUGGED = """\
def work(n):
    total = 0
    for i in range(n):
        total += i
    return total

print(work(3))
breakpoint()
print(work(4))
for k in range(2):
    print(work(k))
print("end")
"""
COMMANDS = """\
tbreak 2\nc\nn\nn\nn\np n, total\nb 5\nc\np total\ncl 2\nu\np __name__\nd\nreturn\nn\nuntil 12\nc
"""


def counts(path: Path, name: str) -> dict[int, int]:
    made = read(path)
    fids = [fid for fid, file in made.files.items() if file.name.endswith(f"/{name}")]
    return {line.line: line.count for line in made.lines if line.fid in fids}


def test_pdb(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(DEBUGGED)
    alone = run(["prog.py"], tmp_path, stdin=COMMANDS)
    # CPython 3.13 alone stops there, but after it where any tool of sys.monitoring is at work.
    at, after = "(8)<module>()\n-> breakpoint()\n", "(9)<module>()\n-> print(work(4))\n"
    both = run(["-m", "pynytprof", "-q", "prog.py"], tmp_path, stdin=COMMANDS)
    expected = alone.replace(at, after) if sys.version_info[:2] == (3, 13) else alone
    assert both == expected
    assert "(Pdb)" in alone and alone.endswith("end\n")
    debugged = counts(tmp_path / "nytprof.out", "prog.py")
    run(["-m", "pynytprof", "-q", "prog.py"], tmp_path, PYTHONBREAKPOINT="0")
    assert debugged == counts(tmp_path / "nytprof.out", "prog.py")


def test_pdb_runs_us(tmp_path: Path) -> None:
    """A program that profiles a part of itself, under a debugger."""
    (tmp_path / "prog.py").write_text(
        "import pynytprof\ndef f(n):\n    return sum(range(n))\n"
        "with pynytprof.Tracer('p.out'):\n    f(3)\n    f(4)\nprint('end')\n"
    )
    commands = "b 3\nc\np n\nn\nc\np n\nc\nq\n"
    said = run(["-m", "pdb", "prog.py"], tmp_path, stdin=commands)
    assert [line for line in said.splitlines() if line.endswith((") 3", ") 4", "end"))] == [
        "(Pdb) 3", "(Pdb) 4", "(Pdb) end"
    ]  # fmt: skip
    assert counts(tmp_path / "p.out", "prog.py")[3] == 2


# ---- Trace functions of all kinds ----


def test_a_trace_function_that_fails_fails_as_it_does(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(
        "import sys\nseen = []\n"
        "def trace(frame, event, arg):\n"
        "    if frame.f_code.co_name == 'f':\n"
        "        seen.append((event, frame.f_lineno))\n"
        "        if event == 'line' and frame.f_lineno == 10: raise ValueError('no')\n"
        "    return trace\n"
        "def f():\n"
        "    a = 1\n"
        "    b = 2\n"
        "    return a + b\n"
        "for _ in range(2):\n"
        "    sys.settrace(trace)\n"
        "    try: print(f())\n"
        "    except ValueError as error: print(error, sys.gettrace())\n"
        "print(f(), seen)\n"
    )
    alone = run(["prog.py"], tmp_path)
    assert run(["-m", "pynytprof", "-q", "prog.py"], tmp_path) == alone
    found = counts(tmp_path / "nytprof.out", "prog.py")
    # From 3.12 on sys.settrace's functions come before us, and a line that fails in one does
    # not begin.
    assert (found[9], found[10], found[11], found[16]) == (3, 1 if MONITORING else 3, 1, 1)


def test_a_trace_function_may_switch_profiling(tmp_path: Path) -> None:
    """Off and on again, from within an event."""
    (tmp_path / "prog.py").write_text(
        "import sys, pynytprof\n"
        "def trace(frame, event, arg):\n"
        "    if frame.f_code.co_name == 'off': pynytprof.disable_profile()\n"
        "    if frame.f_code.co_name == 'on': pynytprof.enable_profile()\n"
        "def off(): pass\n"
        "def on(): pass\n"
        "def f(): pass\n"
        "sys.settrace(trace)\n"
        "f(); off(); f(); f(); on(); f()\n"
        "print(sys.gettrace() is trace)\n"
        "sys.settrace(None)\n"
    )
    assert run(["-m", "pynytprof", "-q", "prog.py"], tmp_path) == "True\n"
    made = read(tmp_path / "nytprof.out")
    assert made.subs["__main__::f"].calls == 2


@pytest.mark.slow
@pytest.mark.parametrize("core", ["ctrace", "pytrace", pytest.param("sysmon", marks=from_312)])
def test_pytest_cov(core: str, tmp_path: Path) -> None:
    (tmp_path / "part.py").write_text("def f(n):\n    if n:\n        return 1\n    return 2\n")
    (tmp_path / "test_part.py").write_text(
        "import part\ndef test_one():\n    assert part.f(1) == 1\n"
        "def test_two():\n    assert [part.f(1) for _ in range(3)] == [1] * 3\n"
    )

    def covered(*by: str) -> object:
        command: list[str | Path] = [*by, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                                     "--cov=part", "--cov-report=json"]  # fmt: skip
        assert "2 passed" in run(command, tmp_path, COVERAGE_CORE=core)
        found = json.loads((tmp_path / "coverage.json").read_text())["files"]["part.py"]
        return found["executed_lines"], found["missing_lines"]

    assert covered() == ([1, 2, 3], [4])
    assert covered("-m", "pynytprof", "-q", "--include=*/part.py") == ([1, 2, 3], [4])
    assert counts(tmp_path / "nytprof.out", "part.py") == {1: 1, 2: 4, 3: 4}


# ---- Extensions that tell of events themselves, as Cython's do ----

FIRED = """
import pynytprof, fired
class Like: pass
real = compile("\\n\\n\\ndef shim(): pass", "made.pyx", "exec").co_consts[0]
with pynytprof.Tracer("p.out", options={"exactlines": True}):
    for _ in range(3):
        for code in (real, Like(), "name", 3): fired.call(code)
    print(sum(range(4)))
"""


@pytest.mark.skipif(sys.version_info < (3, 13), reason="needs CPython 3.13 or later")
def test_code_that_is_no_code(tmp_path: Path) -> None:
    """What stands for code may be anything; its offsets and lines none that it has."""
    paths = sysconfig.get_paths()
    command: list[str | Path] = ["cc", "-shared", "-fPIC", "-I", paths["include"], HERE / "fired.c"]
    subprocess.run([*command, "-o", tmp_path / "fired.so"], check=True, timeout=TIME_LIMIT_S)
    (tmp_path / "prog.py").write_text(FIRED)
    # Events code by code, of which what C code fires is no part, come with both.
    assert run(["prog.py"], tmp_path, PYNYTPROF_STEPS="none") == "6\n"
    made = read(tmp_path / "p.out")
    shim = made.subs["made::shim"]  # of the module that is called like its file
    assert verify(tmp_path / "p.out", quiet=True)
    assert shim.calls == 3 * 2  # starts and resumptions
    assert sum(line.count for line in made.lines if line.fid == shim.fid) == 3 * 2
    assert made.subs["fired::call"].calls == 3 * 4
    called = [call for call in made.calls if call.called == "builtins::len"]
    assert [(call.count, call.caller) for call in called] == [(3, "made::shim")]


CYTHON = """# cython: profile=True, linetrace=True, language_level=3
def gen(n):
    for i in range(n):
        yield i
cpdef int fact(int n):
    return 1 if n < 2 else n * fact(n - 1)
class C:
    class Inner:
        def m(self):
            return [1]
def fails():
    try:
        raise ValueError(1)
    except ValueError:
        return "caught"
"""
CALLS_IT = """
from made import cymod
def call():
    cymod.fact(5), list(cymod.gen(3)), cymod.C.Inner().m(), cymod.fails()
call()
"""


@pytest.mark.skipif(sys.version_info < (3, 13), reason="needs CPython 3.13 or later")
@pytest.mark.parametrize("options", [(), ("--exclude", "nothing"), ("--no-stmts",)])
def test_functions_of_cython(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Each has its module and class, ends where it does, and is called by who called it."""
    (tmp_path / "made").mkdir()
    (tmp_path / "made/cymod.pyx").write_text(CYTHON)
    (tmp_path / "calls_it.py").write_text(CALLS_IT)
    run(["-m", "cython", "-3", "made/cymod.pyx"], tmp_path)
    include = sysconfig.get_paths()["include"]
    command = ["cc", "-shared", "-fPIC", "-DCYTHON_TRACE=1", "-I", include, "made/cymod.c"]
    subprocess.run([*command, "-o", "made/cymod.so"], cwd=tmp_path, check=True, timeout=90)
    run(["-m", "pynytprof", "-q", *options, "-o", "p.out", "calls_it.py"], tmp_path)
    made = read(tmp_path / "p.out")
    ours = {name: sub.calls for name, sub in made.subs.items() if name.startswith("made::cymod::")}
    ours.pop("made::cymod::PyInit_cymod", None)
    assert {name.removeprefix("made::cymod::"): calls for name, calls in ours.items()} == {
        "fact": 5,
        "gen": 4,
        "C::Inner::m": 1,
        "fails": 1,
    }
    callers = {(c.called.split("::")[-1], c.caller) for c in made.calls if c.called in ours}
    assert callers == {
        ("fact", "__main__::call"),
        ("fact", "made::cymod::fact"),
        ("gen", "__main__::call"),
        ("m", "__main__::call"),
        ("fails", "__main__::call"),
    }
