"""What the tests share: how programs are run, with and without us, and how they are waited for."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

PYTHON = sys.executable
GOLDEN = Path(__file__).resolve().parent / "golden"

# Which tracers this interpreter has. That the C one is always there is a test of its own.
TRACERS = ["py"] + (["c"] if importlib.util.find_spec("pynytprof._ctrace") else [])

# A guard against what hangs, and no measure of anything: nothing takes a tenth of it, but a
# machine may have much else to do.
TIME_LIMIT_S = 300

# From 3.14 on `return` in `finally` draws a warning; one of the profiled programs is about it.
STEADY = {
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONWARNINGS": "ignore::SyntaxWarning",
}

SNAPSHOT = b"\n#Snapshot"


def environment(**extra: str) -> dict[str, str]:
    """Ours, without any setting of the profiler."""
    kept = {k: v for k, v in os.environ.items() if "NYTPROF" not in k}
    # A relative entry would name another folder where the tests change theirs.
    kept["PYTHONPATH"] = os.pathsep.join(
        os.path.abspath(p) for p in kept.get("PYTHONPATH", "").split(os.pathsep) if p
    )
    return {**kept, **STEADY, **extra}


def run(
    command: Sequence[str | Path], cwd: Path | None = None, *, stdin: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=environment(**env),
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=TIME_LIMIT_S,
    )


def profiling(options: Sequence[str] = (), flags: Sequence[str] = ()) -> list[str]:
    """The command that profiles what follows it into nytprof.out."""
    return [PYTHON, *flags, "-m", "pynytprof", "-q", "-o", "nytprof.out", *options]


@dataclass(frozen=True)
class Outcome:
    """What can be seen of a program from outside; addresses are left out."""

    stdout: str
    stderr: str
    status: int


def outcome_of(
    command: Sequence[str], cwd: Path, *, stdin: str = "", tracer: str = "", **env: str
) -> Outcome:
    """`tracer` chooses both the tracer and the writer."""
    done = run(command, cwd, stdin=stdin, PYNYTPROF_TRACER=tracer, PYNYTPROF_WRITER=tracer, **env)
    return Outcome(done.stdout, re.sub(r"0x[0-9a-f]+", "0x...", done.stderr), done.returncode)


def is_profile(path: Path) -> bool:
    return path.read_bytes().startswith(b"NYTProf 5 0\n")


def is_complete(path: Path) -> bool:
    """Whether it is no snapshot of a process that was still at work."""
    return is_profile(path) and SNAPSHOT not in path.read_bytes()


def is_snapshot(path: Path) -> bool:
    return is_profile(path) and not is_complete(path)


def wait_until(condition: Callable[[], bool], what: str = "what was waited for") -> None:
    deadline = time.monotonic() + TIME_LIMIT_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} never came"
        time.sleep(0.01)


def holds(path: Path, text: str) -> Callable[[], bool]:
    """Whether the file is there, and has the text in it."""
    return lambda: path.exists() and text in path.read_text(encoding="utf-8")


def wait_until_it_waits(pid: int) -> None:
    """Until the process's first thread sleeps each time that it is looked at.

    One that only has no processor is ready to run, and one that reads a file in uninterruptible
    sleep: neither is taken for one that waits.
    """
    stat = Path(f"/proc/{pid}/stat")
    seen = 0

    def sleeps() -> bool:
        nonlocal seen
        state = stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0]
        seen = seen + 1 if state == "S" else 0
        return seen == 10

    wait_until(sleeps, f"the wait of process {pid}")
