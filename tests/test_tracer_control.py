"""A tracer is started, stopped, asked and told while the program runs."""

from __future__ import annotations

import struct

import pytest
from tracing import NEARLY, SLEEPS, TICKS_PER_S, Bench, Profile, seconds

pytestmark = pytest.mark.alone  # many programs run in this very process


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
    assert profile.counts()[3] == 0 and seconds(profile, 3, 1) >= 0.01 * NEARLY
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
    assert seconds(profile, 6, 1) >= 0.01 * NEARLY
    assert "time::sleep" not in profile.names()


def test_the_exception_of_a_signal_handler_reaches_the_program(bench: Bench) -> None:
    text = (
        "import signal\n"
        "class Late(Exception): pass\n"
        "def late(*a): raise Late\n"
        "def f(): return 1\n"
        "old = signal.signal(signal.SIGALRM, late)\n"
        "try:\n"
        "    signal.setitimer(signal.ITIMER_REAL, 0.02)\n"
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
