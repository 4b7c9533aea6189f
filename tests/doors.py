"""The two programs that read profiles. They run the same code: a test of what they do takes the
fixture ``door``, and runs once with each."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from support import TIME_LIMIT_S


def program() -> str:
    """The path of nytprof."""
    found = os.environ.get("NYTPROF_BIN") or shutil.which("nytprof")
    if not found:
        pytest.skip("needs the program nytprof: set NYTPROF_BIN")
    return found


@dataclass(frozen=True)
class Door:
    """One of them."""

    name: str
    """As its messages begin."""
    argv: list[str]

    def raw(self, *words: str | Path, **how: object) -> subprocess.CompletedProcess[bytes]:
        """What it makes of these words; ``how`` is for subprocess.run()."""
        how = {"capture_output": True, "timeout": TIME_LIMIT_S, **how}
        return subprocess.run([*self.argv, *map(str, words)], check=False, **how)  # type: ignore[call-overload,no-any-return]

    def run(self, *words: str | Path, **how: object) -> subprocess.CompletedProcess[str]:
        """The same, as text."""
        done = self.raw(*words, **how)
        return subprocess.CompletedProcess(
            done.args, done.returncode, (done.stdout or b"").decode(), (done.stderr or b"").decode()
        )

    def complaint(self, *words: str | Path) -> str:
        """What it says of wrong usage, without its name and the line that points to the help."""
        done = self.run(*words)
        assert (done.returncode, done.stdout) == (2, "")
        message, hint, end = done.stderr.split("\n")
        assert message.startswith(f"{self.name}: ") and end == ""
        assert hint.startswith(f"Try '{self.name} help") and hint.endswith("for more information.")
        return message.removeprefix(f"{self.name}: ")


def open_door(name: str) -> Door:
    return Door(name, [program()] if name == "nytprof" else [sys.executable, "-m", name])


@pytest.fixture(params=["nytprof", "pynytprof"])
def door(request: pytest.FixtureRequest) -> Door:
    return open_door(request.param)


@pytest.fixture
def nytprof() -> Door:
    """One is enough for what takes minutes, and is the same code."""
    return open_door("nytprof")


@pytest.fixture
def doors() -> list[Door]:
    """Both, to be compared."""
    return [open_door("nytprof"), open_door("pynytprof")]
