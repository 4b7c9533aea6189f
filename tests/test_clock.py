"""``clock=cpu``: what a thread works counts, what it waits for does not."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from support import TIME_LIMIT_S, TRACERS, run

from pynytprof.reader import Profile, read
from pynytprof.tracer import Tracer
from pynytprof.verify import verify

WAIT_S = WORK_S = 0.1


def wait() -> None:
    time.sleep(WAIT_S)


def work() -> None:
    end = time.thread_time() + WORK_S
    while time.thread_time() < end:
        pass


def both() -> None:
    wait()
    work()


@pytest.fixture(params=TRACERS)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("PYNYTPROF_TRACER", request.param)
    return str(request.param)


def profile(path: Path, clock: str) -> Profile:
    """Of two threads that wait and work at the same time; our own cost is left in."""
    with Tracer(path, options={"clock": clock, "raw": 1}):
        thread = threading.Thread(target=both)
        thread.start()
        both()
        thread.join()
    assert verify(path, quiet=True)
    return read(path)


def inclusive(made: Profile, name: str) -> float:
    return next(s.incl for n, s in made.subs.items() if n.endswith(f"test_clock::{name}"))


# No load of the machine changes these: the threads sleep at least as long as they say, and
# work until their own processor time has grown by so much; which sleeping costs next to none of.


def test_waiting_has_no_processor_time(kind: str, tmp_path: Path) -> None:
    made = profile(tmp_path / "cpu.out", "cpu")
    assert inclusive(made, "wait") < WAIT_S
    assert inclusive(made, "work") >= 2 * WORK_S * 0.95
    assert made.attributes["clock_id"] == made.options["clock"] == "3"
    assert any("clock thread cpu" in comment for comment in made.comments)
    # Sections last as long as was worked; the first one as long as the run. Threads of the test
    # runner may have sections, too.
    first, *others = made.processes
    assert first.end - first.start >= WAIT_S + WORK_S
    assert max(section.end - section.start for section in others) >= WORK_S * 0.95
    assert made.header.statement_time <= made.header.duration


def test_waiting_has_time_on_the_wall(kind: str, tmp_path: Path) -> None:
    made = profile(tmp_path / "wall.out", "wall")
    assert inclusive(made, "wait") >= 2 * WAIT_S * 0.95
    assert inclusive(made, "work") >= 2 * WORK_S * 0.95
    assert made.attributes["clock_id"] == made.options["clock"] == "1"


def test_what_threads_do_now_counts_by_their_own_clocks(kind: str, tmp_path: Path) -> None:
    """A profile written while another thread waits or works, and after one has ended."""
    may_end, waits = threading.Event(), threading.Event()

    def rest() -> None:
        waits.set()
        may_end.wait()

    options = {"clock": "cpu", "raw": 1, "include": [__file__]}
    tracer = Tracer(tmp_path / "cpu.out", options=options)
    with tracer:
        ended = threading.Thread(target=both)
        ended.start()
        ended.join()
        thread = threading.Thread(target=rest)
        thread.start()
        waits.wait()
        work()
        hits = tracer._line_hits
        may_end.set()
        thread.join()
    line = rest.__code__.co_firstlineno + 2
    resting = [excl for (_, at), (_, _, excl) in hits.items() if at == line]
    assert len(resting) == 1 and resting[0] < WORK_S * 1e7
    assert verify(tmp_path / "cpu.out", quiet=True)


def test_snapshots_come_by_processor_time(tmp_path: Path) -> None:
    """A program that has worked for longer than the interval leaves one when it is killed."""
    (tmp_path / "prog.py").write_text(
        "import os, signal, time\ndef f(): pass\n"
        "end = time.thread_time() + 0.3\n"
        "while time.thread_time() < end: f()\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    words = ["-m", "pynytprof", "--clock=cpu", "--set", "snapshot=0.1", "prog.py"]
    subprocess.run([sys.executable, *words], cwd=tmp_path, check=False, timeout=TIME_LIMIT_S)
    made = read(tmp_path / "nytprof.out")
    assert made.subs["__main__::f"].calls > 10
    assert any("Snapshot" in comment for comment in made.comments)


def test_perls_tools_take_it(kind: str, tmp_path: Path) -> None:
    """Its rule is that a section's lines take no longer than the section."""
    profile(tmp_path / "cpu.out", "cpu")
    command = ["nytprofcsv", "-f", "cpu.out", "-o", "csv"]
    done = run(command, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
