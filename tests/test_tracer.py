"""What the tracers count and time, on programs of known shape; and sessions as users see them."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import stat
import struct
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, field
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

import pytest

import pynytprof
from pynytprof._pure import names as _names
from pynytprof._pure.tracer import PyTracer
from pynytprof.tracer import (
    Tracer,
    disable_profile,
    enable_profile,
    finish_profile,
    profile_command,
    profile_script,
)

pytestmark = pytest.mark.alone  # many programs run in this very process

TRACERS = ["py"] + (["c"] if importlib.util.find_spec("pynytprof._ctrace") else [])
TICKS_PER_S = 10_000_000


def tracer_class(name: str) -> Any:
    return PyTracer if name == "py" else importlib.import_module("pynytprof._ctrace").Tracer


@dataclass
class Edge:
    fid: int
    line: int
    caller: int
    callee: int
    count: int
    incl: float
    excl: float
    reci: float
    depth: int


@dataclass
class File:
    name: str
    parent: int
    parent_line: int
    flags: int
    lines: list[str]


@dataclass
class Profile:
    """Chunks, decoded."""

    header: list[tuple[str, str]] = field(default_factory=list)
    lanes: list[tuple[int, int]] = field(default_factory=list)  # id, parent
    files: dict[int, File] = field(default_factory=dict)
    subs: dict[int, tuple[int, int, int, str]] = field(default_factory=dict)
    lines: list[dict[tuple[int, int], tuple[int, int, int]]] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    tree: list[tuple[int, int, float, float]] = field(default_factory=list)
    durations: list[float] = field(default_factory=list)
    overheads: list[int] = field(default_factory=list)  # ticks
    closed: int = 0

    def write_chunk(self, token: bytes, payload: bytes) -> None:
        getattr(self, "_take_" + token.decode())(bytes(payload))

    def close(self) -> None:
        self.closed += 1

    @staticmethod
    def _strings(payload: bytes, at: int) -> Iterator[str]:
        while at < len(payload):
            (size,) = struct.unpack_from("<I", payload, at)
            yield payload[at + 4 : at + 4 + size].decode("utf-8")
            at += 4 + size

    def _take_P(self, payload: bytes) -> None:
        ident, parent, self._start = struct.unpack_from("<IId", payload)
        self.lanes.append((ident, parent))
        self.lines.append({})
        words = list(self._strings(payload, 16))
        self.header += zip(words[::2], words[1::2], strict=True)

    def _take_F(self, payload: bytes) -> None:
        fid, parent, parent_line, flags, _, _, size = struct.unpack_from("<7I", payload)
        name = payload[28 : 28 + size].decode("utf-8")
        lines = list(self._strings(payload, 32 + size))
        self.files[fid] = File(name, parent, parent_line, flags, lines)

    def _take_D(self, payload: bytes) -> None:
        at = 0
        while at < len(payload):
            sub, fid, first, last, size = struct.unpack_from("<5I", payload, at)
            name = payload[at + 20 : at + 20 + size].decode("utf-8")
            self.subs[sub] = fid, first, last, name
            at += 20 + size

    def _take_S(self, payload: bytes) -> None:
        for fid, line, _, _, count, excl, incl in struct.iter_unpack("<4I3Q", payload):
            self.lines[-1][fid, line] = count, excl, incl

    def _take_C(self, payload: bytes) -> None:
        self.edges += [Edge(*e) for e in struct.iter_unpack("<4IQ3dI", payload)]

    def _take_T(self, payload: bytes) -> None:
        self.tree += struct.iter_unpack("<IIdd", payload)

    def _take_E(self, payload: bytes) -> None:
        _, end, overhead = struct.unpack("<IdQ", payload)
        self.durations.append(end - self._start)
        self.overheads.append(overhead)

    # ---- Questions ----

    def name(self, sub: int) -> str:
        return self.subs[sub][3] if sub else "-"

    def names(self) -> set[str]:
        return {name for _, _, _, name in self.subs.values()}

    def counts(self, fid: int = 1) -> dict[int, int]:
        return {
            line: figures[0]
            for table in self.lines
            for (f, line), figures in table.items()
            if f == fid
        }

    def calls(self) -> dict[tuple[str, int, str], int]:
        """(caller, line, callee) -> count."""
        found: dict[tuple[str, int, str], int] = {}
        for e in self.edges:
            key = self.name(e.caller), e.line, self.name(e.callee)
            found[key] = found.get(key, 0) + e.count
        return found

    def total(self, callee: str) -> Edge:
        """All edges to one sub, summed."""
        found = [e for e in self.edges if self.name(e.callee) == callee]
        assert found, f"no call of {callee}: {sorted(self.names())}"
        return Edge(
            0, 0, 0, 0,
            sum(e.count for e in found),
            sum(e.incl for e in found),
            sum(e.excl for e in found),
            sum(e.reci for e in found),
            max(e.depth for e in found),
        )  # fmt: skip

    def paths(self) -> dict[tuple[str, ...], float]:
        """Path of names from the root -> exclusive ticks."""
        found: dict[tuple[str, ...], float] = {}
        path: list[str] = []
        for depth, sub, _, excl in reversed(self.tree):
            del path[depth - 1 :]
            path.append(self.name(sub))
            found[tuple(path)] = found.get(tuple(path), 0) + excl
        return found


@dataclass
class Bench:
    """Runs programs under one of the tracers."""

    kind: str
    folder: Path

    def run(self, text: str, *, name: str = "prog.py", **options: Any) -> Profile:
        profile = Profile()
        tracer, code, module = self.make(text, name=name, **options)
        tracer.start()
        try:
            exec(code, module)
        finally:
            tracer.stop()
        tracer.emit(profile.write_chunk, b"")
        return profile

    def make(self, text: str, *, name: str = "prog.py", **options: Any) -> tuple[Any, Any, Any]:
        """A tracer that sees only the program (and C functions), the program, its globals."""
        path = self.folder / name
        if not path.exists():
            path.write_text(text, encoding="utf-8", newline="")
        options.setdefault("include", (str(self.folder / "*"), "<*"))
        options.setdefault("exclude", ("<frozen *",))
        options.setdefault("hide_prefix", os.path.dirname(pynytprof.__file__) + os.sep)
        tracer = tracer_class(self.kind)(**options)
        return tracer, compile(text, str(path), "exec"), {"__name__": "m", "__file__": str(path)}


@pytest.fixture(params=TRACERS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    if "PYTEST_XDIST_WORKER" in os.environ:
        pytest.fail("pytest-xdist's own frames would be in the profiles: mark the file `alone`")
    return Bench(request.param, tmp_path)


# ---- Lines and calls ----


def test_lines_are_counted_as_they_start(bench: Bench) -> None:
    profile = bench.run("total = 0\nfor i in range(5):\n    total += i\nx = 1\n")
    assert profile.counts() == {1: 1, 2: 6, 3: 5, 4: 1}


def test_calls_are_kept_by_line_and_caller(bench: Bench) -> None:
    profile = bench.run("def f():\n    pass\ndef g():\n    f()\n    f()\ng()\nf()\n", slowops=0)
    assert profile.calls() == {
        ("-", 0, "m::(module)"): 1,
        ("m::(module)", 6, "m::g"): 1,
        ("m::g", 4, "m::f"): 1,
        ("m::g", 5, "m::f"): 1,
        ("m::(module)", 7, "m::f"): 1,
    }


def test_roots_are_called_from_line_0_of_their_own_file(bench: Bench) -> None:
    (edge,) = bench.run("x = 1\n").edges
    assert (edge.fid, edge.line, edge.caller, edge.count) == (1, 0, 0, 1)


def test_all_sums_agree(bench: Bench) -> None:
    profile = bench.run(
        "def f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)\n"
        "f(12)\nsorted(range(50), key=lambda v: -v)\nsum(x for x in range(50))\n"
    )
    lines = sum(excl for table in profile.lines for _, excl, _ in table.values())
    tree = sum(excl for *_, excl in profile.tree)
    edges = sum(e.excl for e in profile.edges) * TICKS_PER_S
    assert lines == tree
    assert edges == pytest.approx(tree, abs=1)
    roots = sum(incl for depth, _, incl, _ in profile.tree if depth == 1)
    assert roots == tree
    assert lines <= sum(profile.durations) * TICKS_PER_S


def test_recursion_counts_inclusive_time_once(bench: Bench) -> None:
    text = "def f(n):\n    if n:\n        f(n - 1)\nf(4)\n"
    profile = bench.run(text, raw=True)
    outer = next(e for e in profile.edges if e.line == 4 and profile.name(e.callee) == "m::f")
    inner = next(e for e in profile.edges if e.line == 3)
    assert (outer.count, outer.depth, inner.count, inner.depth) == (1, 0, 4, 4)
    assert outer.reci == 0 and inner.incl == 0
    assert inner.reci > 0 and inner.excl > 0
    assert outer.incl == pytest.approx(outer.excl + inner.excl, abs=1e-7)


def test_recursion_through_others_counts_activations_of_the_same_sub(bench: Bench) -> None:
    profile = bench.run(
        "def even(n):\n    return n == 0 or odd(n - 1)\n"
        "def odd(n):\n    return n != 0 and even(n - 1)\n"
        "even(6)\n"
    )
    assert (profile.total("m::even").count, profile.total("m::even").depth) == (4, 3)
    assert (profile.total("m::odd").count, profile.total("m::odd").depth) == (3, 2)


def test_resuming_a_generator_is_a_call_by_who_resumes(bench: Bench) -> None:
    profile = bench.run(
        "def g():\n    yield 1\n    yield 2\ni = g()\nnext(i)\nfor x in i:\n    pass\n", slowops=0
    )
    calls = profile.calls()
    assert calls[("m::(module)", 5, "m::g")] == 1
    assert calls[("m::(module)", 6, "m::g")] == 2
    assert profile.counts()[2] == profile.counts()[3] == 1


def test_throwing_into_generators(bench: Bench) -> None:
    profile = bench.run(
        "def g():\n    try:\n        yield 1\n    except ValueError:\n        yield 2\n"
        "a = g()\nnext(a)\na.throw(ValueError)\na.close()\n"
        "b = g()\ntry:\n    b.throw(KeyError)\nexcept KeyError:\n    pass\nx = 1\n",
        slowops=0,
    )
    calls = profile.calls()
    assert [calls["m::(module)", n, "m::g"] for n in (7, 8, 9)] == [1, 1, 1]
    assert calls.get(("m::(module)", 12, "m::g"), 1) == 1
    assert profile.counts()[15] == 1


def test_exceptions_leave_the_frames_they_pass(bench: Bench) -> None:
    profile = bench.run(
        "def f(n):\n    if n == 0:\n        raise KeyError\n    f(n - 1)\n"
        "def g():\n    pass\n"
        "try:\n    f(3)\nexcept KeyError:\n    g()\n"
    )
    assert profile.calls()["m::(module)", 10, "m::g"] == 1
    assert profile.total("m::f").count == 4
    assert ("m::(module)", "m::g") in profile.paths()


def test_coroutines(bench: Bench) -> None:
    text = (
        "import asyncio\nasync def leaf():\n    await asyncio.sleep(0)\n    return 1\n"
        "async def main():\n    return await leaf() + await leaf()\n"
        "def run(): return asyncio.run(main())\n"
    )
    tracer, code, module = bench.make(text, slowops=0)
    exec(code, module)
    tracer.start()
    result = module["run"]()
    tracer.stop()
    profile = Profile()
    tracer.emit(profile.write_chunk, b"")
    assert result == 2
    assert profile.counts()[4] == 2
    assert profile.total("m::leaf").count == 4  # started and resumed, twice each


# ---- Time ----

SLEEPS = """\
from time import sleep
def f():
    sleep(0.02)
def g():
    x = 1
    f()
    sleep(0.03)
g()
"""


def seconds(profile: Profile, line: int, which: int) -> float:
    return profile.lines[0][1, line][which] / TICKS_PER_S


def test_time_goes_to_the_line_that_takes_it(bench: Bench) -> None:
    profile = bench.run(SLEEPS)
    assert seconds(profile, 3, 1) >= 0.02
    assert seconds(profile, 7, 1) >= 0.03
    assert seconds(profile, 6, 1) < seconds(profile, 3, 1)
    assert seconds(profile, 8, 1) < seconds(profile, 7, 1)


def test_inclusive_time_of_a_line_adds_the_calls_made_on_it(bench: Bench) -> None:
    profile = bench.run(SLEEPS)
    assert seconds(profile, 6, 2) >= seconds(profile, 3, 1)
    assert seconds(profile, 8, 2) >= seconds(profile, 6, 2) + seconds(profile, 7, 1)
    assert seconds(profile, 3, 2) == seconds(profile, 3, 1)


def test_c_functions_have_their_time_to_themselves(bench: Bench) -> None:
    profile = bench.run(SLEEPS)
    sleep = profile.total("time::sleep")
    assert sleep.count == 2 and sleep.excl >= 0.05 and sleep.incl == sleep.excl
    assert profile.total("m::f").excl < sleep.excl
    assert profile.total("m::g").incl >= 0.05


def test_without_slowops_the_time_is_the_callers(bench: Bench) -> None:
    profile = bench.run(SLEEPS, slowops=0)
    assert "time::sleep" not in profile.names()
    assert profile.total("m::f").excl >= 0.02


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


# ---- Threads ----

THREADS = """\
import threading
def work(n):
    for i in range(n):
        pass
def start(count):
    for n in range(count):
        t = threading.Thread(target=work, args=(10,))
        t.start()
        t.join()
start(COUNT)
"""


def test_each_thread_has_a_section(bench: Bench) -> None:
    profile = bench.run(THREADS.replace("COUNT", "3"))
    assert len(profile.lanes) == 4
    assert profile.lanes[0][0] == os.getpid()
    assert {parent for _, parent in profile.lanes[1:]} == {os.getpid()}
    for table in profile.lines[1:]:
        assert table[1, 3][0] == 11
    assert profile.total("m::work").count == 3


def test_many_threads_share_a_section_once_they_have_ended(bench: Bench) -> None:
    profile = bench.run(THREADS.replace("COUNT", "150"))
    assert len(profile.lanes) <= 66
    assert sum(table.get((1, 3), (0, 0, 0))[0] for table in profile.lines) == 150 * 11
    assert profile.total("m::work").count == 150


def test_threads_that_run_already(bench: Bench) -> None:
    if bench.kind == "py" and sys.version_info < (3, 12):
        pytest.skip("needs CPython 3.12 or later")
    text = (
        "import threading, time\n"
        "stop = threading.Event()\n"
        "def work():\n    while not stop.is_set():\n        time.sleep(0.001)\n"
    )
    tracer, code, module = bench.make(text)
    exec(code, module)
    thread = threading.Thread(target=module["work"])
    thread.start()
    tracer.start()
    try:
        module["time"].sleep(0.1)
    finally:
        tracer.stop()
        module["stop"].set()
        thread.join()
    profile = Profile()
    tracer.emit(profile.write_chunk, b"")
    assert any(table.get((1, 5), (0, 0, 0))[0] > 1 for table in profile.lines)


# ---- Starting, stopping, looking in ----


def test_frames_open_at_the_start_have_time_but_no_count(bench: Bench) -> None:
    text = (
        "import time\n"
        "def f(start):\n    start(); time.sleep(0.01)\n    return 1\n"
        "def g(start):\n    f(start)\n"
    )
    tracer, code, module = bench.make(text)
    exec(code, module)
    module["g"](tracer.start)
    tracer.stop()
    profile = Profile()
    tracer.emit(profile.write_chunk, b"")
    assert profile.counts()[3] == 0 and seconds(profile, 3, 1) >= 0.01
    assert profile.counts()[4] == 1
    assert profile.calls()["m::g", 6, "m::f"] == 1
    assert tracer.facts()["uncounted_lines"] >= 1


def test_what_runs_between_stop_and_start_is_left_out(bench: Bench) -> None:
    tracer, code, module = bench.make("def f():\n    pass\ndef g():\n    pass\n")
    exec(code, module)
    for part in ("f", "g", "f"):
        if part == "f":
            tracer.start()
        module[part]()
        tracer.stop()
    assert not tracer.running
    profile = Profile()
    tracer.emit(profile.write_chunk, b"")
    assert profile.total("m::f").count == 2
    assert "m::g" not in {profile.name(e.callee) for e in profile.edges}


def test_the_profile_can_be_had_while_running(bench: Bench) -> None:
    text = "def f(look):\n    for i in range(3):\n        look()\nf(look)\n"
    tracer, code, module = bench.make(text)
    taken: list[list[tuple[bytes, bytes]]] = []
    hits: list[dict[tuple[int, int], list[int]]] = []

    def look() -> None:
        chunks: list[tuple[bytes, bytes]] = []
        tracer.emit(lambda token, payload: chunks.append((token, payload)), b"")
        taken.append(chunks)
        hits.append(tracer.line_hits())

    tracer.start()
    exec(code, {**module, "look": look})
    tracer.stop()
    seen = [Profile() for _ in taken]
    for profile, chunks in zip(seen, taken, strict=True):
        for chunk in chunks:
            profile.write_chunk(*chunk)
    assert [h[1, 3][0] for h in hits] == [1, 2, 3]
    assert [p.counts()[3] for p in seen] == [1, 2, 3]
    for profile in seen:
        assert profile.total("m::f").count == 1
        assert profile.total("m::f").incl >= profile.total("m::f").excl > 0
    assert seen[0].total("m::f").incl < seen[2].total("m::f").incl


def test_line_hits_have_count_inclusive_and_exclusive_ticks(bench: Bench) -> None:
    tracer, code, module = bench.make(SLEEPS)
    tracer.start()
    exec(code, module)
    tracer.stop()
    hits = tracer.line_hits()
    assert hits[1, 7][0] == 1
    assert 300_000 <= hits[1, 7][2] <= hits[1, 7][1]
    assert hits[1, 8][1] > 500_000 > hits[1, 8][2]


def test_switched_off_parts_are_not_emitted(bench: Bench) -> None:
    text = "def f():\n    pass\nf()\n"
    no_lines = bench.run(text, stmts=False)
    assert no_lines.lines == [{}] and no_lines.calls()["m::(module)", 3, "m::f"] == 1
    no_subs = bench.run(text, subs=False)
    assert (no_subs.edges, no_subs.tree) == ([], [])
    assert no_subs.counts() == {1: 1, 2: 1, 3: 1}
    no_tree = bench.run(text, max_tree_nodes=0)
    assert no_tree.tree == [] or all(excl == 0 for *_, excl in no_tree.tree)


def test_past_its_cap_only_the_tree_is_folded(bench: Bench) -> None:
    text = "def f(n):\n    if n:\n        f(n - 1)\nf(20)\n"
    profile = bench.run(text, max_tree_nodes=5, slowops=0)
    assert len(profile.tree) <= 5
    assert profile.total("m::f").count == 21
    assert sum(e.excl for e in profile.edges) * TICKS_PER_S == pytest.approx(
        sum(excl for *_, excl in profile.tree), abs=1
    )


def test_calls_is_0_where_the_tree_holds_no_time(bench: Bench) -> None:
    def strings(*words: str) -> bytes:
        return b"".join(struct.pack("<I", len(w)) + w.encode() for w in words)

    header = strings("!stmts", "1", "!calls", "1", "!evals", "0")
    tracer, code, module = bench.make("x = 1\n")
    tracer.start()
    exec(code, module)
    tracer.stop()
    full, empty = Profile(), Profile()
    tracer.emit(full.write_chunk, header)
    assert ("!calls", "1") in full.header
    without_tree, code, module = bench.make("x = 1\n", subs=False)
    without_tree.start()
    exec(code, module)
    without_tree.stop()
    without_tree.emit(empty.write_chunk, header)
    assert empty.header[:3] == [("!stmts", "1"), ("!calls", "0"), ("!evals", "0")]


def test_what_a_writer_raises_comes_through(bench: Bench) -> None:
    tracer, code, module = bench.make("x = 1\n")
    tracer.start()
    exec(code, module)
    tracer.stop()

    def refuse(token: bytes, payload: bytes) -> None:
        raise LookupError(token)

    with pytest.raises(LookupError):
        tracer.emit(refuse, b"")


def test_excluded_code_costs_its_caller(bench: Bench) -> None:
    (bench.folder / "lib.py").write_text(
        "import time\ndef call(f):\n    time.sleep(0.01)\n    return f()\n"
    )
    text = (
        "import importlib.util as u\n"
        "spec = u.spec_from_file_location('lib', __file__.replace('prog', 'lib'))\n"
        "lib = u.module_from_spec(spec); spec.loader.exec_module(lib)\n"
        "def f():\n    return 1\n"
        "lib.call(f)\n"
    )
    profile = bench.run(text, exclude=("<frozen *", str(bench.folder / "lib.py")))
    assert all(not file.name.endswith("lib.py") for file in profile.files.values())
    assert profile.calls()["m::(module)", 6, "m::f"] == 1
    assert seconds(profile, 6, 1) >= 0.01
    assert "time::sleep" not in profile.names()


def test_the_exception_of_a_signal_handler_reaches_the_program(bench: Bench) -> None:
    text = (
        "import signal\n"
        "class Late(Exception): pass\n"
        "def late(*a): raise Late\n"
        "def f(): return 1\n"
        "old = signal.signal(signal.SIGALRM, late)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.02)\n"
        "try:\n"
        "    while True:\n"
        "        f()\n"
        "except Late:\n"
        "    late_came = 1\n"
        "signal.signal(signal.SIGALRM, old)\n"
        "for i in range(10):\n"
        "    f()\n"
        "    x = 1\n"
    )
    profile = bench.run(text)
    assert profile.counts()[15] == 10


# ---- Files, names, sources ----

NAMES = """\
class C:
    def m(self):
        def inner():
            return lambda: 0
        return inner
    @property
    def p(self): return 1
    @p.setter
    def p(self, v): pass
def never(): pass
f = lambda: 0
list(x for x in ())
"""


def test_names_of_subs(bench: Bench) -> None:
    profile = bench.run(NAMES)
    ranges = {name: (first, last) for fid, first, last, name in profile.subs.values() if fid == 1}
    assert ranges["m::(module)"] == (1, 12)
    assert ranges["m::C::(class)"] == (1, 9)
    assert ranges["m::C::m"] == (2, 5)
    assert ranges["m::C::m::inner"] == (3, 4)
    assert ranges["m::C::m::inner::lambda@4"] == (4, 4)
    assert ranges["m::C::p"] == (6, 7)
    assert ranges["m::C::p@8"] == (8, 9)
    assert ranges["m::never"] == (10, 10)
    assert ranges["m::lambda@11"] == (11, 11)
    assert ranges["m::genexpr@12"] == (12, 12)
    assert "m::never" not in {profile.name(e.callee) for e in profile.edges}


def test_names_do_not_depend_on_the_order_of_events(bench: Bench) -> None:
    text = "def a(): pass\nx = a\ndef a(): pass\nfor f in FS:\n    f()\n"
    there = bench.run(text.replace("FS", "(x, a)"), name="one.py")
    back = bench.run(text.replace("FS", "(a, x)"), name="two.py")
    for profile in (there, back):
        lines = {name: first for fid, first, _, name in profile.subs.values() if fid == 1}
        assert (lines["m::a"], lines["m::a@3"]) == (1, 3)


def test_names_of_c_functions(bench: Bench) -> None:
    profile = bench.run(
        "import collections, math\n"
        "class D(dict):\n    def get(self, k): return super().get(k)\n"
        "len([]); math.sqrt(2); [].append(1); 'a'.join([]); {}.get(1)\n"
        "collections.deque().append(1); dict.fromkeys([]); D().get(1); D().keys()\n"
        "bytes.fromhex(''); [].append(2)\n"
    )
    names = {name for fid, first, _, name in profile.subs.values() if first == 0}
    expected = {
        "builtins::len", "math::sqrt", "list::append", "str::join", "dict::get",
        "collections::deque::append", "dict::fromkeys", "dict::keys", "bytes::fromhex",
    }  # fmt: skip
    assert expected <= names
    assert not any("D::" in name for name in names)
    (fid,) = {fid for fid, first, _, _ in profile.subs.values() if first == 0}
    assert (profile.files[fid].name, profile.files[fid].flags) == ("(builtins)", 0x84)
    assert profile.files[fid].lines == []
    assert profile.total("list::append").count == 2


def test_strings_given_to_exec_are_files_of_the_line_that_runs_them(bench: Bench) -> None:
    text = (
        "code = 'def f():\\n    return 1\\nf()'\n"
        "for i in range(3):\n    exec(code, {'__name__': 'e'})\n"
        "eval('1 + 1')\n"
    )
    profile = bench.run(text)
    evals = {f.name: f for f in profile.files.values() if f.name.startswith("(eval")}
    path = profile.files[1].name
    assert set(evals) == {f"(eval 1)[{path}:3]", f"(eval 2)[{path}:4]"}
    first = evals[f"(eval 1)[{path}:3]"]
    assert (first.parent, first.parent_line) == (1, 3)
    if bench.kind == "c":  # the one in Python does not see what exec was given
        assert (first.lines, first.flags) == (["def f():\n", "    return 1\n", "f()"], 0x32)
    else:
        assert (len(first.lines), first.flags) == (3, 0x02) and "not known" in first.lines[0]
    assert profile.total("e::f").count == 3


def test_the_source_is_that_of_the_first_moment(bench: Bench) -> None:
    text = "import os\nos.remove(__file__)\nx = 1\n"
    profile = bench.run(text)
    assert profile.files[1].lines == ["import os\n", "os.remove(__file__)\n", "x = 1\n"]
    assert profile.files[1].flags == 0x32


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        (b"x = 1\r\ny = 2\rz = '\x0c'\n", ["x = 1\n", "y = 2\n", "z = '\x0c'\n"]),
        (b"\xef\xbb\xbfx = '\xc3\xa9'", ["x = 'é'"]),
        (b"# coding: latin-1\nx = '\xe9'\n", ["# coding: latin-1\n", "x = 'é'\n"]),
        (b"# vim: set fileencoding=cp1251 :\nx = '\xff'\n", None),
        ("x = '\u2028\u0085'\n".encode(), ["x = '\u2028\u0085'\n"]),
    ],
)
def test_sources_are_decoded_and_split_as_python_does(
    raw: bytes, lines: list[str] | None, bench: Bench
) -> None:
    path = bench.folder / "odd.py"
    path.write_bytes(raw)
    tracer, _, _ = bench.make("", name="other.py")
    tracer.start()
    exec(compile("x = 1", str(path), "exec"), {"__name__": "m"})
    tracer.stop()
    profile = Profile()
    tracer.emit(profile.write_chunk, b"")
    expected = lines or ["# vim: set fileencoding=cp1251 :\n", "x = 'я'\n"]
    assert profile.files[1].lines == expected


def test_without_savesrc_there_is_no_text(bench: Bench) -> None:
    profile = bench.run("x = 1\n", savesrc=False)
    assert (profile.files[1].lines, profile.files[1].flags) == ([], 0x02)


def test_given_sources_have_names_of_their_own(bench: Bench) -> None:
    for filename, name in (("<string>", "(-c)"), ("<stdin>", "(stdin)")):
        tracer, _, _ = bench.make("", sources={filename: "x = 1\n"})
        tracer.start()
        exec(compile("x = 1\n", filename, "exec"), {"__name__": "__main__"})
        tracer.stop()
        profile = Profile()
        tracer.emit(profile.write_chunk, b"")
        file = profile.files[1]
        assert (file.name, file.flags, file.lines) == (name, 0x132, ["x = 1\n"])


def test_no_code_is_shown_with_the_text_of_another(bench: Bench) -> None:
    """The name of a file that is none, or of a frozen module, with a module's own globals."""
    text = (
        "import types\n"
        "exec(compile('a = 1\\n', CELL, 'exec'), globals())\n"
        "types.FunctionType(compile('b = 2\\n', CELL + '2', 'exec'), globals())()\n"
    )
    if bench.kind == "py":  # the one in C looks at the globals alone
        text += "exec(compile('c = 3\\n', '<frozen os>', 'exec'), globals())\n"
    tracer, code, module = bench.make(text, exclude=())
    module["__loader__"] = SourceFileLoader("m", module["__file__"])
    module["CELL"] = str(bench.folder / "cell.py")
    tracer.start()
    exec(code, module)
    tracer.stop()
    profile = Profile()
    tracer.emit(profile.write_chunk, b"")
    texts = {os.path.basename(f.name): "".join(f.lines) for f in profile.files.values()}
    assert texts["prog.py"] == text
    # The one in Python does not see what exec was given.
    assert texts["cell.py"] == ("a = 1\n" if bench.kind == "c" else "")
    assert texts["cell.py2"] == ("b = 2\n" if bench.kind == "c" else "")
    if bench.kind == "py":
        assert "not known" in texts["(frozen os)"]


def test_a_loaders_text_is_shown_for_its_own_file(bench: Bench) -> None:
    class Loader:
        def get_filename(self, name: str) -> str:
            return str(bench.folder / "archive" / f"{name}.py")

        def get_source(self, name: str) -> str:
            return "x = 1\n# of the loader\n"

    tracer, _, _ = bench.make("")
    module = {"__name__": "m", "__loader__": Loader()}
    tracer.start()
    exec(compile("x = 1\n", Loader().get_filename("m"), "exec"), module)
    tracer.stop()
    profile = Profile()
    tracer.emit(profile.write_chunk, b"")
    expected = ["x = 1\n"] if bench.kind == "c" else ["x = 1\n", "# of the loader\n"]
    assert profile.files[1].lines == expected


@pytest.mark.parametrize("filename", ["<string>", "<stdin>"])
def test_code_of_a_given_sources_name_need_not_be_of_it(filename: str, bench: Bench) -> None:
    """What a library that is not traced makes, as namedtuple does, is called ``<string>``, too."""
    text = "def f(): return 1\nf()\n"
    tracer, _, _ = bench.make("", sources={filename: text})
    tracer.start()
    exec(compile(text, filename, "exec"), {"__name__": "__main__"})
    exec(compile(text.replace("1", "2"), filename, "exec"), {"__name__": "other"})
    tracer.stop()
    profile = Profile()
    tracer.emit(profile.write_chunk, b"")
    subs = {name: profile.files[fid] for fid, _, _, name in profile.subs.values()}
    given = subs["__main__::f"]
    assert given.lines == text.splitlines(keepends=True)
    assert subs["__main__::(module)"] is given
    if bench.kind == "py":
        assert subs["other::f"].lines[1:] == ["\n"] and "not known" in subs["other::f"].lines[0]
        assert len({f.name for f in profile.files.values()}) == len(profile.files)


def test_code_that_comes_again_is_one_sub(bench: Bench) -> None:
    text = (
        "def again():\n    exec('def f(): pass\\nf()', {'__name__': 'e'})\n"
        "for i in range(200):\n    again()\n"
    )
    profile = bench.run(text)
    assert len([n for n in profile.names() if n.startswith("e::f")]) == 1
    assert profile.total("e::f").count == 200


# ---- Names by themselves ----


@pytest.mark.parametrize(
    ("module", "qualname", "class_body", "expected"),
    [
        ("a.b", "f", False, "a::b::f"),
        ("m", "f.<locals>.g", False, "m::f::g"),
        ("m", "C.m.<locals>.<lambda>", False, "m::C::m::lambda@7"),
        ("m", "<module>", False, "m::(module)"),
        ("m", "C", True, "m::C::(class)"),
        ("m", "<generic parameters of f>", False, "m::generic@7"),
        ("m", "C.<generic parameters of f>", False, "m::C::generic@7"),
        ("m", "f.<locals>.<listcomp>", False, "m::f::listcomp@7"),
        ("m", "été", False, "m::été"),
        ("m", "a b;c<d", False, "m::a_b_c_d"),
        ("", "f", False, "(unknown)::f"),
    ],
)
def test_python_names(module: str, qualname: str, class_body: bool, expected: str) -> None:
    assert _names.python_sub(module, qualname, 7, class_body) == expected


def test_long_names_are_cut_in_whole_characters() -> None:
    name = _names.python_sub("m", "é" * 400, 1, False)
    assert len(name.encode()) <= 500 and name.endswith("é")


def test_equal_names_are_told_apart_by_place() -> None:
    subs = [
        _names.Sub("m::f", "/b", 5, 6),
        _names.Sub("m::f", "/a", 9, 9),
        _names.Sub("m::f", "/a", 5, 5),
        _names.Sub("m::f", "/b", 9, 9),
        _names.Sub("m::f", "/a", 9, 10),
        _names.Sub("m::f@9", "/a", 1, 1),
    ]
    assert len(set(_names.settle(subs))) == len(subs)
    assert _names.settle(subs)[2] == "m::f"
    assert _names.settle(subs)[5] == "m::f@9"
    assert sorted(_names.settle(subs)) == sorted(_names.settle(subs[::-1]))


# ---- Sessions ----


@pytest.fixture
def session(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: Any) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    for variable in [v for v in os.environ if "NYTPROF" in v]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PYNYTPROF_TRACER", request.param)
    monkeypatch.setenv("PYNYTPROF_WRITER", request.param)
    yield tmp_path
    finish_profile()


both_tracers = pytest.mark.parametrize("session", TRACERS, indirect=True)


def is_profile(path: Path, *, complete: bool = True) -> bool:
    raw = path.read_bytes()
    return raw.startswith(b"NYTProf 5 0\n") and (b"\n#Snapshot" not in raw) == complete


def work(n: int = 3) -> int:
    total = 0
    for i in range(n):
        total += i
    return total


@both_tracers
def test_a_tracer_as_context_manager(session: Path) -> None:
    with Tracer() as tracer:
        assert is_profile(session / "nytprof.out", complete=False)
        work(5)
        hits = tracer._line_hits
    assert is_profile(session / "nytprof.out")
    first = work.__code__.co_firstlineno
    assert [n for (_, line), (n, _, _) in hits.items() if line == first + 3] == [5]
    assert sorted(os.listdir()) == ["nytprof.out"]


@both_tracers
def test_a_tracer_as_decorator(session: Path) -> None:
    tracer = Tracer("f.out")

    @tracer
    def f(n: int) -> int:
        return work(3) if n == 0 else f(n - 1)

    @tracer
    async def g() -> int:
        await asyncio.sleep(0)
        return work(3)

    assert (f(2), f.__name__, asyncio.run(g())) == (3, "f", 3)
    assert not tracer.running
    first = work.__code__.co_firstlineno
    hits = tracer._line_hits
    assert 6 in [n for (_, line), (n, _, _) in hits.items() if line == first + 3]
    assert is_profile(session / "f.out")


@both_tracers
def test_a_tracer_as_decorator_of_generators(session: Path) -> None:
    tracer = Tracer("g.out")

    @tracer
    def count(n: int) -> Iterator[int]:
        for _ in range(n):
            work(1)
            yield from (tracer.running,)

    @tracer
    async def ask(n: int) -> AsyncGenerator[int, int]:
        try:
            while n:
                n = yield n + tracer.running
        except ValueError:
            yield 100

    async def talk() -> list[int]:
        said = ask(5)
        found = [await anext(said), await said.asend(7), await said.athrow(ValueError())]
        found += [item async for item in said]
        assert not tracer.running
        unfinished = ask(1)
        await anext(unfinished)
        assert tracer.running
        await unfinished.aclose()
        return found

    assert list(count(3)) == [True] * 3
    assert not tracer.running
    half = count(3)
    assert next(half) and tracer.running
    del half
    assert not tracer.running
    assert asyncio.run(talk()) == [6, 8, 100]
    assert not tracer.running
    first = work.__code__.co_firstlineno
    assert 4 in [n for (_, line), (n, _, _) in tracer._line_hits.items() if line == first + 3]
    assert is_profile(session / "g.out")


all_threads = pytest.mark.parametrize(
    "session",
    [
        pytest.param(name, marks=pytest.mark.skipif(
            name == "py" and sys.version_info < (3, 12),
            reason="needs CPython 3.12 or later"))
        for name in TRACERS
    ],
    indirect=True,
)  # fmt: skip
"""Without the help of C only Python 3.12 can reach threads that run already."""


@all_threads
def test_uses_in_several_threads(session: Path) -> None:
    """Profiling ends with the last use, whichever thread has it."""
    tracer = Tracer("threads.out")
    both, over = threading.Barrier(2), threading.Event()

    def use() -> None:
        with tracer:
            both.wait()
            work(5)
            over.wait()

    thread = threading.Thread(target=use)
    thread.start()
    with tracer:
        both.wait()
        work(7)
    assert tracer.running
    over.set()
    thread.join()
    assert not tracer.running
    first = work.__code__.co_firstlineno
    assert [n for (_, line), (n, _, _) in tracer._line_hits.items() if line == first + 3] == [12]


@all_threads
def test_switches_in_several_threads(session: Path) -> None:
    turns = 20

    def switch() -> None:
        for _ in range(turns):
            enable_profile("s.out")
            work(1)
            disable_profile()

    threads = [threading.Thread(target=switch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    from pynytprof import tracer

    assert tracer._switched is not None and not tracer._switched.running
    first = work.__code__.co_firstlineno
    hits = tracer._switched._line_hits
    assert sum(n for (_, line), (n, _, _) in hits.items() if line == first + 3) == 4 * turns
    finish_profile()
    assert is_profile(session / "s.out")


@both_tracers
def test_one_session_at_a_time(session: Path) -> None:
    with (
        Tracer("a.out"),
        pytest.raises(RuntimeError, match=r"written to a\.out already"),
        Tracer("b.out"),
    ):
        pass
    assert is_profile(session / "a.out")
    with Tracer("b.out"):
        work()
    assert is_profile(session / "b.out")


@both_tracers
def test_a_writer_of_the_users_gets_one_pass(session: Path) -> None:
    profile = Profile()
    tracer = Tracer(writer=profile, options={"scope": "project", "include": [__file__]})

    def begin() -> None:
        tracer.start()

    begin()
    work(4)
    tracer.stop()
    assert profile.closed == 1
    assert os.listdir() == []
    header = dict(profile.header)
    assert [k for k, _ in profile.header if k[0] == ":"] == [
        ":basetime", ":application", ":perl_version", ":nv_size", ":xs_version", ":PL_perldb",
        ":clock_id", ":ticks_per_sec",
    ]  # fmt: skip
    assert len([k for k, _ in profile.header if k[0] == "!"]) == 18
    assert header[":ticks_per_sec"] == "10000000"
    notes = [value for key, value in profile.header if key == "#"]
    assert notes[0].startswith(f"Python profile by pynytprof {pynytprof.__version__}, CPython 3.")
    assert any("their frames were open at the start" in note for note in notes)
    assert header[":xs_version"] == pynytprof.__version__


@both_tracers
def test_settings_that_make_no_sense_are_refused(session: Path) -> None:
    with pytest.raises(ValueError, match="did you mean 'stmts'"):
        Tracer(options={"stmt": 1})


@both_tracers
def test_switches_nest(session: Path) -> None:
    enable_profile("s.out")
    enable_profile()
    work(2)
    disable_profile()
    work(2)
    disable_profile()
    work(100)
    enable_profile()
    work(1)
    disable_profile()
    finish_profile()
    assert is_profile(session / "s.out")
    enable_profile("t.out")
    finish_profile()
    assert is_profile(session / "t.out")


@both_tracers
def test_profile_script(session: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (session / "prog.py").write_text("import sys\nprint(__name__, sys.argv)\n")
    main, argv = sys.modules["__main__"], sys.argv
    assert profile_script("prog.py", "p.out") == "p.out"
    assert capfd.readouterr().out == "__main__ ['prog.py']\n"
    assert sys.modules["__main__"] is main and sys.argv is argv
    assert is_profile(session / "p.out")


@both_tracers
def test_the_older_functions(session: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (session / "prog.py").write_text("print(1)\n")
    assert pynytprof.profile("prog.py") == "nytprof.out"
    assert profile_command("import sys\nprint(sys.argv)", "c.out") == "c.out"
    assert capfd.readouterr().out == "1\n['-c']\n"
    profile = pynytprof.open_profile("c.out")
    assert profile.application == "-c"
    assert [line.source for line in profile.find_file("(-c)").lines] == [
        "import sys\n", "print(sys.argv)"]  # fmt: skip


@both_tracers
def test_what_a_script_raises_comes_through(session: Path) -> None:
    (session / "prog.py").write_text("raise SystemExit(5)\n")
    with pytest.raises(SystemExit) as caught:
        profile_script("prog.py")
    assert caught.value.code == 5
    assert is_profile(session / "nytprof.out")


@both_tracers
def test_a_profile_that_cannot_be_written_is_told_once(
    session: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with Tracer("nowhere/p.out"):
        assert work() == 3
    told = capfd.readouterr().err
    assert told == (
        "pynytprof: can't write the profile to nowhere/p.out: No such file or directory\n"
    )


@both_tracers
def test_a_full_disk_is_told_and_the_program_runs_on(
    session: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    with Tracer("/dev/full"):
        assert work() == 3
    assert capfd.readouterr().err == (
        "pynytprof: can't write the profile to /dev/full: No space left on device\n"
    )
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


@both_tracers
def test_a_symbolic_link_stays_one(session: Path) -> None:
    (session / "real").mkdir()
    (session / "link.out").symlink_to(session / "real" / "p.out")
    with Tracer("link.out"):
        work()
    assert (session / "link.out").is_symlink()
    assert is_profile(session / "real" / "p.out")
    assert os.listdir(session / "real") == ["p.out"]


@both_tracers
def test_a_pipe_gets_one_profile_at_the_end(session: Path) -> None:
    os.mkfifo("pipe")
    with (
        open("got", "wb") as got,
        subprocess.Popen(["cat", "pipe"], stdout=got) as reader,
        Tracer("pipe"),
    ):
        work()
    assert reader.returncode == 0
    raw = (session / "got").read_bytes()
    assert raw.count(b"NYTProf 5 0\n") == 1 and raw.startswith(b"NYTProf 5 0\n")
    assert stat.S_ISFIFO(os.stat("pipe").st_mode)


@both_tracers
def test_snapshots_follow_the_program(session: Path) -> None:
    with Tracer("s.out", options={"include": [__file__], "snapshot": 0.05}):
        first = (session / "s.out").stat().st_ino
        for _ in range(200):
            threading.Event().wait(0.02)
            if (session / "s.out").stat().st_ino != first:
                break
        assert (session / "s.out").stat().st_ino != first
        assert is_profile(session / "s.out", complete=False)
    assert is_profile(session / "s.out")


@both_tracers
def test_another_tracer_is_not_thrown_out(session: Path) -> None:
    """The one in Python won't work beside it; that in C gives it back, or need not take it."""

    def other(frame: Any, event: str, arg: Any) -> None:
        return None

    sys.settrace(other)
    try:
        if os.environ["PYNYTPROF_TRACER"] == "py":
            with pytest.raises(RuntimeError, match="trace"):
                Tracer("s.out").start()
        else:
            with Tracer("s.out"):
                work()
        assert sys.gettrace() is other
    finally:
        sys.settrace(None)
    with Tracer("s.out"):
        work()


def test_trace_functions_of_the_program_are_its_own(bench: Bench) -> None:
    """It sees none but its own, they see all that they do without us, and so do we."""
    if bench.kind == "py":  # which needs sys.settrace itself
        return
    text = (
        "import sys\n"
        "assert sys.gettrace() is None and sys.getprofile() is None\n"
        "seen = []\n"
        "def see(frame, event, arg):\n"
        "    seen.append((event, frame.f_lineno))\n"
        "    return see\n"
        "def f():\n"
        "    len('')\n"
        "sys.settrace(see)\n"
        "sys.setprofile(see)\n"
        "assert sys.gettrace() is see and sys.getprofile() is see\n"
        "f()\n"
        "sys.setprofile(sys.setprofile(None))\n"
        "sys.settrace(None)\n"
        "f()\n"
        "assert sys.gettrace() is None and sys.getprofile() is None\n"
    )
    alone: dict[str, Any] = {"__name__": "m"}
    exec(compile(text, "m", "exec"), alone)
    tracer, code, module = bench.make(text)
    profile = Profile()
    tracer.start()
    exec(code, module)
    tracer.stop()
    tracer.emit(profile.write_chunk, b"")
    # With any tool of sys.monitoring's sys.setprofile hears of its own calls.
    deaf = (10, 13) if sys.version_info >= (3, 12) else ()
    assert [e for e in module["seen"] if e[1] not in deaf] == [
        e for e in alone["seen"] if e[1] not in deaf
    ]
    assert profile.counts() == {line: 2 if line == 8 else 1 for line in range(1, 17)
                                if line not in (5, 6)}  # fmt: skip
    assert profile.calls()["m::f", 8, "builtins::len"] == 2


def test_a_trace_function_that_fails_is_not_ours(bench: Bench) -> None:
    if bench.kind == "py":
        return
    profile = bench.run(
        "import sys\n"
        "def see(frame, event, arg):\n"
        "    raise KeyError(event)\n"
        "def f():\n"
        "    return 1\n"
        "sys.settrace(see)\n"
        "try:\n"
        "    f()\n"
        "except KeyError:\n"
        "    f()\n"
        "assert sys.gettrace() is None\n"
    )
    assert profile.counts() == {1: 1, 2: 1, 4: 1, 5: 1, 6: 1, 7: 1, 8: 1, 9: 1, 10: 1, 11: 1}


def test_an_unknown_tracer_is_refused(monkeypatch: Any) -> None:
    monkeypatch.setenv("PYNYTPROF_TRACER", "x")
    with pytest.raises(ValueError, match="it must be c or py"):
        Tracer()
