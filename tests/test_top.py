"""``nytprof top``: what costs most, while the program runs."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from doors import Door
from support import PYTHON, TIME_LIMIT_S, environment, is_snapshot, profiling, run, wait_until

PROGRAM = """\
import os
def work(n):
    return sum(i * i for i in range(n))
def outer():
    return work(2000)
while not os.path.exists("enough"):
    outer()
"""


@pytest.fixture
def running(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program that is being profiled into nytprof.out, with snapshots."""
    (tmp_path / "prog.py").write_text(PROGRAM)
    command = [*profiling(["--set", "snapshot=0.1"]), "prog.py"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment()) as program:
        out = tmp_path / "nytprof.out"
        wait_until(lambda: out.exists() and b"work" in run_top(tmp_path), "a snapshot with work")
        assert is_snapshot(out)
        yield program
        (tmp_path / "enough").touch()
        program.wait(TIME_LIMIT_S)


def run_top(folder: Path, *words: str) -> bytes:
    done = run([PYTHON, "-m", "pynytprof", "top", *words], folder)
    return (done.stdout + done.stderr).encode()


class Terminal:
    """`nytprof top` on a terminal of its own."""

    def __init__(self, folder: Path, door: Door, *words: str) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execve(door.argv[0], [*door.argv, "top", *words], environment(TERM="xterm"))
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 90, 0, 0))
        self.mode = termios.tcgetattr(self.fd)
        self.seen = ""

    def wait_for(self, pattern: str) -> str:
        """All that was written until then, which is forgotten."""
        end = time.monotonic() + TIME_LIMIT_S
        while not (found := re.search(pattern, self.seen)):
            assert time.monotonic() < end, self.seen
            if select.select([self.fd], [], [], 0.1)[0]:
                self.seen += os.read(self.fd, 65536).decode()
        before, self.seen = self.seen[: found.end()], self.seen[found.end() :]
        return before

    def press(self, key: str) -> None:
        os.write(self.fd, key.encode())

    def end(self) -> int:
        """The wait status; what it has left on the terminal is in `seen`."""
        while True:
            try:
                text = os.read(self.fd, 65536)
            except OSError:
                break
            if not text:
                break
            self.seen += text.decode()
        os.close(self.fd)
        return os.waitpid(self.pid, 0)[1]


SCREEN_AS_IT_WAS = "\x1b[?25h\x1b[?1049l"


def test_without_a_terminal_it_is_shown_once(
    running: subprocess.Popen[bytes], tmp_path: Path, door: Door
) -> None:
    done = door.run("top", "-n", "3", tmp_path / "nytprof.out")
    assert done.returncode == 0, done.stderr
    head, lines, functions, *rest = done.stdout.rstrip("\n").split("\n\n")
    assert ("~" in lines) == bool(rest)
    assert ": running; as of " in head
    assert len(lines.splitlines()) == 4 and "prog.py:3" in lines
    assert "__main__::work" in functions
    assert all(line == line.rstrip() for line in done.stdout.splitlines())


def test_keys_choose_what_is_shown_and_the_screen_is_put_back(
    running: subprocess.Popen[bytes], tmp_path: Path, door: Door
) -> None:
    top = Terminal(tmp_path, door)
    top.wait_for(r"running; as of")
    top.wait_for(r"count  line")
    top.wait_for(r"prog\.py:3 +return sum")
    top.press("f")
    top.wait_for(r"calls  function")
    top.wait_for(r"__main__::work")
    top.press("c")
    top.press("p")
    top.wait_for(r"builtins::sum")
    top.press("l")
    top.wait_for(r"count  line")
    top.press("q")
    assert top.end() == 0
    assert top.seen.endswith(SCREEN_AS_IT_WAS)


def test_a_new_profile_is_shown_without_a_key(
    running: subprocess.Popen[bytes], tmp_path: Path, door: Door
) -> None:
    top = Terminal(tmp_path, door)
    top.wait_for("running; as of")
    (tmp_path / "enough").touch()
    top.wait_for("nytprof.out: complete")
    top.press("q")
    assert top.end() == 0


def test_it_says_that_a_killed_program_is_gone(
    running: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    running.kill()
    running.wait()
    assert b"the last snapshot: its process is gone" in run_top(tmp_path)


def test_a_profile_that_vanishes_leaves_the_last_one_on_the_screen(
    running: subprocess.Popen[bytes], tmp_path: Path, door: Door
) -> None:
    top = Terminal(tmp_path, door)
    top.wait_for("running; as of")
    running.kill()
    running.wait()
    (tmp_path / "nytprof.out").unlink()
    assert "prog.py:3" in top.wait_for("No such file or directory") + top.wait_for("prog.py:3")
    top.press("\x03")
    assert top.end() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_with_the_screen_put_back(
    running: subprocess.Popen[bytes], tmp_path: Path, door: Door, number: signal.Signals
) -> None:
    top = Terminal(tmp_path, door)
    top.wait_for("running; as of")
    os.kill(top.pid, number)
    assert os.WTERMSIG(top.end()) == number
    assert top.seen.endswith(SCREEN_AS_IT_WAS)


def test_what_is_no_profile_is_an_error(tmp_path: Path, door: Door) -> None:
    done = door.run("top", tmp_path / "none.out")
    assert done.returncode == 3
    assert "none.out" in done.stderr
    (tmp_path / "two.out").write_text("x")
    assert door.run("top", tmp_path / "none.out", tmp_path / "two.out").returncode == 2
