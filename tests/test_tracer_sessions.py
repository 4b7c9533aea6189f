"""Sessions as users see them: Tracer, the switches, and what becomes of the file."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import TRACERS, is_complete, is_snapshot, wait_until
from tracing import Profile, both_tracers

import pynytprof
from pynytprof.tracer import (
    Tracer,
    disable_profile,
    enable_profile,
    finish_profile,
    profile_command,
    profile_script,
)

pytestmark = pytest.mark.alone  # many programs run in this very process


def work(n: int = 3) -> int:
    total = 0
    for i in range(n):
        total += i
    return total


@both_tracers
def test_a_tracer_as_context_manager(session: Path) -> None:
    with Tracer() as tracer:
        assert is_snapshot(session / "nytprof.out")
        work(5)
        hits = tracer._line_hits
    assert is_complete(session / "nytprof.out")
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
    assert is_complete(session / "f.out")


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
    assert is_complete(session / "g.out")


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
    from pynytprof.tracer import _current

    (switched,) = _current.values()
    assert not switched.running
    first = work.__code__.co_firstlineno
    hits = switched._line_hits
    assert sum(n for (_, line), (n, _, _) in hits.items() if line == first + 3) == 4 * turns
    finish_profile()
    assert is_complete(session / "s.out")


@both_tracers
def test_one_session_at_a_time(session: Path) -> None:
    with (
        Tracer("a.out"),
        pytest.raises(RuntimeError, match=r"written to a\.out already"),
        Tracer("b.out"),
    ):
        pass
    assert is_complete(session / "a.out")
    with Tracer("b.out"):
        work()
    assert is_complete(session / "b.out")


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
    assert is_complete(session / "s.out")
    enable_profile("t.out")
    finish_profile()
    assert is_complete(session / "t.out")


@both_tracers
def test_profile_script(session: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (session / "prog.py").write_text("import sys\nprint(__name__, sys.argv)\n")
    main, argv = sys.modules["__main__"], sys.argv
    assert profile_script("prog.py", "p.out") == "p.out"
    assert capfd.readouterr().out == "__main__ ['prog.py']\n"
    assert sys.modules["__main__"] is main and sys.argv is argv
    assert is_complete(session / "p.out")


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
    assert is_complete(session / "nytprof.out")


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
    assert is_complete(session / "real" / "p.out")
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
        wait_until(lambda: (session / "s.out").stat().st_ino != first)
        assert is_snapshot(session / "s.out")
    assert is_complete(session / "s.out")


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


def test_an_unknown_tracer_is_refused(monkeypatch: Any) -> None:
    monkeypatch.setenv("PYNYTPROF_TRACER", "x")
    with pytest.raises(ValueError, match="it must be c or py"):
        Tracer()
