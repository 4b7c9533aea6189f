"""Orders to a program that is being profiled: ``pynytprof ctl``, and signals of choice."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import (
    PYTHON,
    TIME_LIMIT_S,
    environment,
    is_complete,
    is_snapshot,
    profiling,
    run,
    wait_until,
    wait_until_it_waits,
)

from pynytprof import _control, reader
from pynytprof._run.settings import signal_number

# Runs one function after the other, until a file of the next one's name is there.
STEPS = """\
import os, time
def first():
    pass
def second():
    pass
def third():
    pass
for step in (first, second, third):
    while True:
        step()
        open("in_" + step.__name__, "w").close()
        if os.path.exists("after_" + step.__name__):
            break
        time.sleep(0.001)
"""

WAITS = {
    "sleep": "import time; time.sleep(1000)",
    "event": "import threading; threading.Event().wait()",
    "input": "import sys; sys.stdin.read()",
    "thread": "import threading, time; t = threading.Thread(target=time.sleep, args=[1000]); "
    "t.daemon = True; t.start(); t.join()",
    "loop": "import asyncio; asyncio.run(asyncio.sleep(1000))",
}

NO_SNAPSHOTS = ["--set", "snapshot=1000"]


class Program:
    """A profiled program in a folder of its own."""

    def __init__(self, folder: Path, text: str, *options: str) -> None:
        self.folder = folder
        (folder / "prog.py").write_text(text)
        self.running = subprocess.Popen(
            [*profiling([*NO_SNAPSHOTS, *options]), "prog.py"],
            cwd=folder,
            env=environment(),
            stdin=subprocess.PIPE,
            stderr=(folder / "errors").open("wb"),
        )
        self.pid = self.running.pid

    @property
    def out(self) -> Path:
        return self.folder / "nytprof.out"

    def is_in(self, name: str) -> None:
        path = self.folder / f"in_{name}"
        wait_until(path.exists, f"step {name}")

    def go_on(self, name: str) -> None:
        (self.folder / f"after_{name}").touch()

    def order(self, word: str) -> tuple[int, str]:
        done = run([PYTHON, "-m", "pynytprof", "ctl", str(self.pid), word])
        return done.returncode, (done.stdout or done.stderr).strip()

    def end(self) -> int:
        return self.running.wait(TIME_LIMIT_S)

    def kill(self) -> None:
        self.running.kill()
        self.running.communicate()

    def calls(self) -> dict[str, int]:
        subs = reader.read(self.out).subs
        return {n: subs[f"__main__::{n}"].calls for n in ("first", "second", "third")
                if f"__main__::{n}" in subs}  # fmt: skip


Start = Callable[..., Program]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    programs: list[Program] = []

    def begin(text: str = STEPS, *options: str) -> Program:
        programs.append(Program(tmp_path, text, *options))
        return programs[-1]

    yield begin
    for program in programs:
        program.kill()


def test_flush_writes_what_was_counted_up_to_now(start: Start) -> None:
    program = start()
    program.is_in("first")
    assert "first" not in program.calls()
    assert program.order("flush") == (0, f"{program.pid}: written to {program.out}")
    assert program.calls()["first"] >= 1
    assert is_snapshot(program.out)


def test_pause_and_resume_leave_out_what_runs_in_between(start: Start) -> None:
    program = start()
    program.is_in("first")
    assert program.order("pause") == (0, f"{program.pid}: paused")
    assert program.order("pause") == (0, f"{program.pid}: it was paused already")
    program.go_on("first")
    program.is_in("second")
    program.go_on("second")
    program.is_in("third")
    assert program.order("resume") == (0, f"{program.pid}: running")
    assert program.order("resume") == (0, f"{program.pid}: it was running already")
    (program.folder / "in_third").unlink()
    program.is_in("third")
    program.go_on("third")
    assert program.end() == 0
    calls = program.calls()
    assert calls["first"] >= 1 and calls["third"] >= 1 and not calls.get("second")
    assert is_complete(program.out)


def test_finish_completes_the_profile_and_the_program_runs_on(start: Start) -> None:
    program = start()
    program.is_in("first")
    assert program.order("finish") == (0, f"{program.pid}: complete: {program.out}")
    assert is_complete(program.out)
    before = program.out.read_bytes()
    program.go_on("first")
    program.is_in("second")
    assert program.order("finish")[0] == 1
    assert "has ended" in program.order("flush")[1]
    program.go_on("second")
    program.go_on("third")
    assert program.end() == 0
    assert program.out.read_bytes() == before


def test_resume_begins_what_was_started_with_no(start: Start) -> None:
    program = start(STEPS, "--start", "no")
    program.is_in("first")
    assert not program.out.exists()
    assert "has not begun" in program.order("flush")[1]
    assert program.order("resume") == (0, f"{program.pid}: running")
    program.go_on("first")
    program.is_in("second")
    program.go_on("second")
    program.go_on("third")
    assert program.end() == 0
    assert program.calls()["second"] >= 1


@pytest.mark.parametrize("how", WAITS)
def test_a_program_that_waits_answers_and_waits_on(how: str, start: Start) -> None:
    program = start(WAITS[how])
    wait_until_it_waits(program.pid)
    assert program.order("flush")[0] == 0
    assert program.order("pause")[0] == 0
    assert program.running.poll() is None


def test_each_forked_process_takes_its_own_orders(start: Start) -> None:
    program = start(
        "import os, time\n"
        "child = os.fork()\n"
        "def here():\n    time.sleep(0.01)\n"
        "me = f'in_{child and 1}'\n"
        "open(me + '.new', 'w').write(str(child or os.getpid()))\n"
        "os.rename(me + '.new', me)\n"  # whole when it is there
        "while not os.path.exists('after_all') and os.getppid() > 1:\n    here()\n"
    )
    program.is_in("0")
    program.is_in("1")
    child = int((program.folder / "in_0").read_text())
    wait_until(lambda: child in dict(_control.profiled()), "the child's page")
    assert dict(_control.profiled())[program.pid] == str(program.out)
    assert _control.order(child, "finish") == f"complete: {program.out}.{child}"
    assert _control.order(program.pid, "flush") == f"written to {program.out}"
    program.go_on("all")
    assert program.end() == 0


@contextlib.contextmanager
def sleeper(**how: int) -> Iterator[int]:
    """A process that nobody profiles."""
    with subprocess.Popen(["sleep", "1000"], **how) as process:  # type: ignore[call-overload]
        yield process.pid
        assert process.poll() is None, "it was sent a signal"
        process.kill()


def refusal(pid: int, word: str = "flush") -> str:
    with pytest.raises(_control.ControlError) as caught:
        _control.order(pid, word)
    return str(caught.value)


def test_a_process_that_is_not_profiled_is_sent_nothing() -> None:
    with sleeper() as pid:
        assert refusal(pid) == f"process {pid} is not profiled by pynytprof"


def test_a_process_that_is_not_there() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    assert refusal(process.pid) == f"there is no process {process.pid}"
    assert refusal(2**22 + 1) == f"there is no process {2**22 + 1}"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_another_users_process_is_sent_nothing(start: Start) -> None:
    with sleeper(user=65534) as pid:
        assert refusal(pid) == f"process {pid} belongs to another user"
    program = start()
    program.is_in("first")
    ours = [PYTHON, "-c", f"import os; from pynytprof._control import main; "
            f"os.setuid(65534); raise SystemExit(main(['{program.pid}', 'finish']))"]  # fmt: skip
    done = run(ours)
    assert done.returncode == 1
    assert done.stderr == f"pynytprof: process {program.pid} belongs to another user\n"


def test_a_program_that_has_taken_the_signal_is_not_sent_it(start: Start) -> None:
    program = start(
        "import signal, os\n"
        "for n in range(signal.SIGRTMIN, signal.SIGRTMAX + 1):\n"
        "    signal.signal(n, signal.SIG_DFL)\n" + STEPS
    )
    program.is_in("first")
    assert refusal(program.pid) == f"process {program.pid} has no signal left for orders"
    assert program.running.poll() is None


def test_a_program_that_has_closed_all_files_runs_on(start: Start) -> None:
    program = start("import os\nos.closerange(3, 2000)\n" + STEPS)
    program.is_in("first")
    assert refusal(program.pid) == f"process {program.pid} is not profiled by pynytprof"
    for name in ("first", "second", "third"):
        program.go_on(name)
    assert program.end() == 0
    assert program.calls()["third"] >= 1


def test_an_order_that_is_not_answered_is_withdrawn(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = start(
        "import ctypes, os\n"
        "libc = ctypes.CDLL(None)\n"
        "open('in_call', 'w').close()\n"
        "while not os.path.exists('after_call'):\n"
        "    libc.usleep(1000)\n"  # ends at a signal
        "    pass\n"
        "import signal\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\n"
        "open('in_blocked', 'w').close()\n"
        "while not os.path.exists('after_blocked'):\n    libc.usleep(1000)\n"
        "signal.pthread_sigmask(signal.SIG_UNBLOCK, range(1, 65))\n" + STEPS
    )
    program.is_in("call")
    program.go_on("call")
    program.is_in("blocked")
    monkeypatch.setattr(_control, "_PATIENCE_S", 0.2)
    assert "the order is withdrawn" in refusal(program.pid, "finish")
    program.go_on("blocked")
    program.is_in("first")
    monkeypatch.undo()
    assert _control.order(program.pid, "flush") == f"written to {program.out}"
    assert is_snapshot(program.out)


def test_a_profile_that_cannot_be_written_is_the_answer(start: Start) -> None:
    program = start(
        "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n" + STEPS
    )
    wait_until(lambda: (program.folder / "in_first").exists())
    assert refusal(program.pid) == f"can't write {program.out}"
    assert program.running.poll() is None


def test_signals_of_choice_flush_and_switch(start: Start) -> None:
    program = start(STEPS, "--sigflush", "USR1", "--sigswitch", "sigusr2")
    program.is_in("first")
    program.running.send_signal(signal.SIGUSR1)
    wait_until(lambda: program.calls().get("first", 0) > 0, "the flushed profile")
    program.running.send_signal(signal.SIGUSR2)
    wait_until(lambda: _control.order(program.pid, "pause") == "it was paused already")
    program.go_on("first")
    program.is_in("second")
    program.go_on("second")
    program.is_in("third")
    program.running.send_signal(signal.SIGUSR2)
    wait_until(lambda: _control.order(program.pid, "resume") == "it was running already")
    program.go_on("third")
    assert program.end() == 0
    assert not program.calls().get("second")


def test_a_handler_of_the_programs_own_is_not_ours(start: Start) -> None:
    program = start(
        "import signal\nsignal.signal(signal.SIGUSR1, lambda *_: open('in_handler', 'w'))\n"
        + STEPS,
        "--sigflush", "usr1",
    )  # fmt: skip
    program.is_in("first")
    program.running.send_signal(signal.SIGUSR1)
    program.is_in("handler")
    assert "first" not in program.calls()


@pytest.mark.parametrize("name", ["nope", "kill", "int", "chld"])
def test_signals_that_mean_something_else_are_refused(name: str, tmp_path: Path) -> None:
    done = run([PYTHON, "-m", "pynytprof", "--sigflush", name, "-c", "pass"], tmp_path)
    assert done.returncode == 2
    assert "sigflush" in done.stderr and name in done.stderr


def test_wrong_words_are_wrong_usage() -> None:
    for words in (["1"], ["x", "flush"], ["1", "stop"], ["1", "flush", "2"]):
        done = run([PYTHON, "-m", "pynytprof", "ctl", *words])
        assert (done.returncode, done.stdout) == (2, "")
        assert "usage: pynytprof ctl" in done.stderr
    assert signal_number("usr1") == signal.SIGUSR1
