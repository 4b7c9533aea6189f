"""``pynytprof attach``: a program that runs already is profiled, and then left as it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import (
    PYTHON,
    TIME_LIMIT_S,
    environment,
    holds,
    is_complete,
    run,
    wait_until,
    wait_until_it_waits,
)

from pynytprof import reader

needs_remote = pytest.mark.skipif(
    not hasattr(sys, "remote_exec"), reason="needs CPython 3.14 or later"
)

# What a program can see of itself; it writes that down whenever it is asked to.
PROGRAM = """\
import atexit, gc, os, signal, sys, threading, time
def state():
    return [
        sorted(sys.modules), sys.path, sys.meta_path, sys.gettrace(), sys.getprofile(),
        [sys.monitoring.get_tool(tool) for tool in range(6)],
        [sys.monitoring.get_events(tool) for tool in range(6) if sys.monitoring.get_tool(tool)],
        [str(signal.getsignal(n)) for n in sorted(signal.valid_signals())],
        atexit._ncallbacks(), gc.isenabled(), threading.active_count(), len(sys._current_frames()),
        sorted(os.listdir("/proc/self/fd"))[:-1], sorted(os.environ), sorted(vars()),
        os._exit.__doc__, sys.flags, sys.getrecursionlimit(), os.getcwd(), sorted(globals()),
        [line for line in open("/proc/self/status") if line.startswith(("SigC", "SigI", "SigB"))],
    ]
def work(n):
    return sum(range(n))
print(state(), file=open("state_0", "w"), flush=True)
asked = 1
while not os.path.exists("enough"):
    work(100)
    if os.path.exists(f"ask_{asked}"):
        with open("state.new", "w") as file:
            print(state(), file=file)
        os.rename("state.new", f"state_{asked}")
        asked += 1
"""


class Target:
    """A program that runs without us."""

    def __init__(self, folder: Path, text: str, flags: tuple[str, ...] = ()) -> None:
        (folder / "prog.py").write_text(text)
        self.folder = folder
        self.running = subprocess.Popen(
            [PYTHON, *flags, "prog.py"], cwd=folder, env=environment(), stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.asked = 0

    def attach(self, *words: str) -> subprocess.CompletedProcess[str]:
        return run(
            [PYTHON, "-m", "pynytprof", "attach", str(self.running.pid), *words], self.folder
        )

    def state(self) -> str:
        self.asked += 1
        (self.folder / f"ask_{self.asked}").touch()
        found = self.folder / f"state_{self.asked}"
        wait_until(found.exists, "the program's state")
        return found.read_text()

    def end(self) -> tuple[int, str, str]:
        (self.folder / "enough").touch()
        out, err = self.running.communicate(timeout=TIME_LIMIT_S)
        return self.running.returncode, out, err


Start = Callable[..., Target]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    targets: list[Target] = []

    def begin(text: str = PROGRAM, *flags: str) -> Target:
        targets.append(Target(tmp_path, text, flags))
        if text.startswith(PROGRAM):
            wait_until((tmp_path / "state_0").exists, "the program")
        return targets[-1]

    yield begin
    for target in targets:
        target.running.kill()
        target.running.communicate()


@needs_remote
def test_it_is_profiled_and_left_as_it_was(start: Start) -> None:
    target = start()
    before = target.state()
    done = target.attach("--duration", "0.3", "-o", "att.out")
    assert done.returncode == 0, done.stderr
    out = target.folder / "att.out"
    assert is_complete(out)
    profile = reader.read(out)
    assert profile.subs["__main__::work"].calls > 0
    assert not [f.name for f in profile.files.values() if "pynytprof" in f.name]
    assert target.state() == before
    code, _, errors = target.end()
    assert (code, errors) == (0, "")
    assert is_complete(out)


@needs_remote
def test_it_can_be_done_again(start: Start) -> None:
    target = start()
    before = target.state()
    for name in ("1.out", "2.out"):
        assert target.attach("--duration", "0.1", "-o", name).returncode == 0
        assert reader.read(target.folder / name).subs["__main__::work"].calls > 0
    assert target.state() == before


@needs_remote
def test_ctrl_c_ends_it(start: Start) -> None:
    target = start()
    before = target.state()
    command = [PYTHON, "-m", "pynytprof", "attach", str(target.running.pid), "--scope=project"]
    with subprocess.Popen(
        command, cwd=target.folder, env=environment(), stderr=(target.folder / "said").open("w")
    ) as attached:
        wait_until(holds(target.folder / "said", "Ctrl-C ends that"))
        attached.send_signal(signal.SIGINT)
        assert attached.wait(TIME_LIMIT_S) == 0
    assert is_complete(target.folder / "nytprof.out")
    assert target.state() == before


@needs_remote
def test_a_program_that_ends_meanwhile_has_its_whole_profile(start: Start) -> None:
    target = start()
    command = [PYTHON, "-m", "pynytprof", "attach", str(target.running.pid)]
    with subprocess.Popen(
        command, cwd=target.folder, env=environment(), stderr=(target.folder / "said").open("w")
    ) as attached:
        wait_until(holds(target.folder / "said", "Ctrl-C ends that"))
        assert target.end()[0] == 0
        assert attached.wait(TIME_LIMIT_S) == 0
    assert is_complete(target.folder / "nytprof.out")


TAKEN = "import sys\nfor tool in range(6):\n    sys.monitoring.use_tool_id(tool, 'x')\n"


@needs_remote
def test_where_it_fails_the_process_is_as_it_was(start: Start) -> None:
    target = start(PROGRAM.replace("asked = 1", TAKEN + "asked = 1"))
    before = target.state()
    done = target.attach("--duration", "1")
    assert done.returncode == 1
    assert "no sys.monitoring tool id is free" in done.stderr
    assert target.state() == before
    assert target.end()[0] == 0


@needs_remote
def test_one_that_runs_no_python_is_left_alone_after_a_while(start: Start) -> None:
    target = start("import time\ntime.sleep(1000)\n")
    wait_until_it_waits(target.running.pid)
    done = target.attach("--wait", "1.5")
    assert done.returncode == 1
    assert "run no Python code" in done.stderr
    assert "waiting until process" in done.stderr
    assert target.running.poll() is None
    assert not (target.folder / "nytprof.out").exists()


@needs_remote
def test_a_python_that_forbids_it_says_so(start: Start) -> None:
    target = start(PROGRAM, "-X", "disable-remote-debug")
    done = target.attach("--duration", "1")
    assert done.returncode == 1
    assert done.stderr.startswith(f"pynytprof: can't attach to process {target.running.pid}: ")
    assert done.stderr.count("\n") == 1


@needs_remote
def test_a_process_that_is_no_python_says_so(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "1000"]) as process:
        done = run([PYTHON, "-m", "pynytprof", "attach", str(process.pid)], tmp_path)
        assert process.poll() is None
        process.kill()
    assert done.returncode == 1
    assert done.stderr.startswith(f"pynytprof: can't attach to process {process.pid}: ")


@needs_remote
def test_one_that_is_profiled_already_is_refused(start: Start) -> None:
    target = start()
    command = [PYTHON, "-m", "pynytprof", "-q", "-c", "input()"]
    with subprocess.Popen(
        command, cwd=target.folder, env=environment(), stdin=subprocess.PIPE
    ) as profiled:
        wait_until((target.folder / "nytprof.out").exists)
        done = run([PYTHON, "-m", "pynytprof", "attach", str(profiled.pid)], target.folder)
        profiled.communicate(b"\n")
    assert done.returncode == 1
    assert "is profiled already" in done.stderr


@needs_remote
def test_a_process_that_is_not_there(tmp_path: Path) -> None:
    done = run([PYTHON, "-m", "pynytprof", "attach", str(2**22 + 1)], tmp_path)
    assert (done.returncode, done.stderr) == (1, f"pynytprof: there is no process {2**22 + 1}\n")


@pytest.mark.skipif(hasattr(sys, "remote_exec"), reason="needs CPython before 3.14")
def test_older_pythons_say_what_to_do_instead(tmp_path: Path) -> None:
    done = run([PYTHON, "-m", "pynytprof", "attach", str(os.getpid())], tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "needs CPython 3.14" in done.stderr
    assert "--start no" in done.stderr and "ctl PID resume" in done.stderr


@pytest.mark.parametrize(
    "words", [[], ["x"], ["1", "--duration"], ["1", "--duration", "x"], ["1", "--nope"]]
)
def test_wrong_words_are_wrong_usage(words: list[str], tmp_path: Path) -> None:
    done = run([PYTHON, "-m", "pynytprof", "attach", *words], tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
