"""On a terminal, what takes long says so: a line on standard error, which goes again."""

from __future__ import annotations

import os
import pty
import subprocess
import termios

import pytest
from doors import Door
from support import GOLDEN, TIME_LIMIT_S, environment, wait_until

PROFILE = (GOLDEN / "perl" / "packages.out").read_bytes()
ERASED = "\r\x1b[K"


class Slow:
    """A reading command whose profile comes when it is sent, with a terminal for its errors."""

    def __init__(self, door: Door, *words: str, terminal: bool = True) -> None:
        self.master, slave = pty.openpty()
        mode = termios.tcgetattr(slave)
        mode[1] &= ~termios.OPOST
        termios.tcsetattr(slave, termios.TCSANOW, mode)
        self.running = subprocess.Popen(
            [*door.argv, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=slave if terminal else subprocess.PIPE, env=environment(),
        )  # fmt: skip
        os.close(slave)
        os.set_blocking(self.master, False)
        self.said = ""

    def look(self) -> str:
        while True:
            try:
                text = os.read(self.master, 4096)
            except OSError:
                return self.said
            if not text:
                return self.said
            self.said += text.decode()

    def send(self, data: bytes) -> str:
        """What it prints then."""
        out, _ = self.running.communicate(data, TIME_LIMIT_S)
        self.look()
        return out.decode()


@pytest.mark.parametrize("words", [["summary", "-"], ["verify", "-"], ["html", "-o", "-", "-"]])
def test_reading_that_takes_long_is_told_and_the_line_goes(door: Door, words: list[str]) -> None:
    slow = Slow(door, *words)
    wait_until(lambda: "reading -, 1 s" in slow.look(), "the line")
    assert slow.said.startswith(f"\r{door.name}: reading -, 1 s")
    assert slow.send(PROFILE)
    assert slow.running.returncode == 0
    assert slow.said.endswith(ERASED)


def test_an_error_stands_on_a_line_of_its_own(door: Door) -> None:
    slow = Slow(door, "summary", "-")
    wait_until(lambda: ", 1 s" in slow.look(), "the line")
    slow.send(b"nonsense")
    assert f"{ERASED}{door.name}: -: " in slow.said


def test_what_is_quick_says_nothing(door: Door) -> None:
    slow = Slow(door, "summary", "-")
    assert "lines" in slow.send(PROFILE)
    assert slow.said == ""


def test_without_a_terminal_nothing_is_said(door: Door) -> None:
    slow = Slow(door, "summary", "-", terminal=False)
    with pytest.raises(subprocess.TimeoutExpired):
        slow.running.wait(1.5)
    slow.running.stdin.write(PROFILE)  # type: ignore[union-attr]
    _, errors = slow.running.communicate(timeout=TIME_LIMIT_S)
    assert errors == b""
