"""Processes that end in other ways than at their end."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
from process import count, profile, write
from support import (
    PYTHON,
    TIME_LIMIT_S,
    TRACERS,
    environment,
    is_complete,
    outcome_of,
    profiling,
    wait_until_it_waits,
)

from pynytprof import verify

ENDS = {
    "sys.exit": ("sys.exit(5)", 5),
    "uncaught": ("raise ValueError", 1),
    "os._exit": ("os._exit(5)", 5),
    "os._exit of a name": ("from posix import _exit; _exit(status=5)", 5),
    "os.abort": ("os.abort()", -signal.SIGABRT),
    "os.execv": ("os.execv('/bin/sh', ['sh', '-c', 'exit 5'])", 5),
    "os.execlpe": ("os.execlpe('sh', 'sh', '-c', 'exit 5', os.environ)", 5),
    "exit() in C": ("import ctypes; ctypes.CDLL(None).exit(5)", 5),
    "exit() in C with the lock": ("import ctypes; ctypes.PyDLL(None).exit(5)", 5),
    "SIGTERM": ("os.kill(os.getpid(), 15)\nwhile True: pass", -15),
    "SIGHUP": ("os.kill(os.getpid(), 1)\nwhile True: pass", -1),
    "SIGINT": ("os.kill(os.getpid(), 2)\nwhile True: pass", -2),
    "SIGINT, default": (
        "import signal\nassert signal.signal(2, signal.SIG_DFL) is signal.default_int_handler\n"
        "os.kill(os.getpid(), 2)\nwhile True: pass",
        -2,
    ),
    "own handler": (
        "import signal\nassert signal.getsignal(15) is signal.SIG_DFL\n"
        "signal.signal(15, lambda *a: sys.exit(5))\nos.kill(os.getpid(), 15)\n"
        "while True: pass",
        5,
    ),
    "handler taken back": (
        "import signal\nold = signal.signal(15, print)\nsignal.signal(15, old)\n"
        "assert old is signal.SIG_DFL\nos.kill(os.getpid(), 15)\nwhile True: pass",
        -15,
    ),
    "thread exits": (
        "import threading\nt = threading.Thread(target=sys.exit)\nt.start(); t.join()\nsys.exit(5)",
        5,
    ),
    "daemon thread": (
        "import threading, time\n"
        "threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\nsys.exit(5)",
        5,
    ),
    "MemoryError": (
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (1 << 30,) * 2)\n"
        "bytearray(1 << 31)",
        1,
    ),
}


BY_PYTHON = ["os._exit", "os.execv", "exit() in C", "SIGTERM", "own handler", "daemon thread"]


@pytest.mark.parametrize(
    ("tracer", "end"),
    [("", end) for end in ENDS]
    + [pytest.param("py", end, marks=pytest.mark.slow) for end in BY_PYTHON],
)
def test_ends_that_complete_the_profile(end: str, tracer: str, tmp_path: Path) -> None:
    text, status = ENDS[end]
    outcome = profile(tmp_path, f"work(1000)\n{text}\n", tracer)
    assert outcome.status == status
    assert "pynytprof" not in outcome.stderr
    assert count(tmp_path / "nytprof.out") == 1000
    assert is_complete(tmp_path / "nytprof.out")
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".tmp"] == []


SUDDEN = {
    "SIGKILL": ("os.kill(os.getpid(), 9)", -9),
    "segmentation fault": ("import ctypes; ctypes.string_at(0)", -11),
    "a signal not asked for": ("os.kill(os.getpid(), 10)", -10),
}


@pytest.mark.parametrize("end", SUDDEN)
def test_sudden_ends_leave_the_last_snapshot(end: str, tracer: str, tmp_path: Path) -> None:
    text, status = SUDDEN[end]
    # A failed exec writes a snapshot.
    outcome = profile(
        tmp_path,
        "work(1000)\ntry: os.execv('/', ['/'])\nexcept OSError: work(7)\n" + text,
        tracer,
    )
    assert outcome.status == status
    assert 1000 <= count(tmp_path / "nytprof.out") <= 1007
    assert not is_complete(tmp_path / "nytprof.out")


def test_os_knows_its_functions_while_they_are_watched(tracer: str, tmp_path: Path) -> None:
    """Their hashes change with the C functions behind them, and os keeps some in sets."""
    text = """
import os, pynytprof
known = os.execve in os.supports_fd
print(known, os._exit in os.supports_fd)
pynytprof.finish_profile()
print(os.execve in os.supports_fd)
"""
    assert profile(tmp_path, text, tracer).stdout.split() == ["True", "False", "True"]


def test_a_source_that_is_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    text = "exec(compile('print(1)\\nprint(2)\\n', 'pipe', 'exec'))\n"
    assert profile(tmp_path, text, TRACERS[-1]).stdout.split() == ["1", "2"]
    assert verify.verify(tmp_path / "nytprof.out", quiet=True)


def test_the_profile_goes_on_when_exec_fails(tracer: str, tmp_path: Path) -> None:
    text = (
        "try: os.execv('/', ['/'])\nexcept OSError: work(7)\n"
        "try: os._exit('x')\nexcept TypeError: work(5)\n"
    )
    assert profile(tmp_path, text, tracer).status == 0
    assert count(tmp_path / "nytprof.out") == 12
    assert is_complete(tmp_path / "nytprof.out")


WAITING = {
    "sleep": "import time; time.sleep(60)",
    "lock": "import threading; threading.Event().wait()",
    "read": "sys.stdin.read()",
    "select": "import select; select.select([0], [], [])",
    "asyncio": "import asyncio; asyncio.run(asyncio.sleep(60))",
}


@pytest.mark.parametrize("wait", WAITING)
def test_a_waiting_program_completes_its_profile(wait: str, tmp_path: Path) -> None:
    write(tmp_path, f"work(1000)\nprint('ready', flush=True)\n{WAITING[wait]}\n")
    with subprocess.Popen(
        [*profiling(), "prog.py"],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        wait_until_it_waits(running.pid)
        running.send_signal(signal.SIGTERM)
        assert running.wait(TIME_LIMIT_S) == -signal.SIGTERM
    assert is_complete(tmp_path / "nytprof.out")
    assert count(tmp_path / "nytprof.out") == 1000


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("sigexit=0", "os.kill(os.getpid(), 15)"),
        ("sigexit=hup", "os.kill(os.getpid(), 15)"),
        ("posix_exit=0", "os._exit(0)"),
        ("libcexit=0", "import ctypes; ctypes.CDLL(None).exit(0)"),
    ],
)
def test_ends_that_are_not_to_be_minded(setting: str, text: str, tmp_path: Path) -> None:
    profile(tmp_path, text, "", "--set", setting)
    assert not is_complete(tmp_path / "nytprof.out")


def test_sigexit_by_name(tmp_path: Path) -> None:
    text = "work(5)\nos.kill(os.getpid(), 10)\nwhile True: pass\n"
    assert profile(tmp_path, text, "", "--sigexit", "usr1,SIGUSR2").status == -10
    assert is_complete(tmp_path / "nytprof.out")


def test_functions_are_themselves_again(tmp_path: Path) -> None:
    text = (
        "import pickle, pynytprof, signal\n"
        "one = os._exit, os.execv, os.abort\n"
        "print(*one, os._exit.__module__, pickle.loads(pickle.dumps(os._exit)) is os._exit)\n"
        "print({s: signal.getsignal(s) for s in (1, 2, 10, 14, 15)})\n"
    )
    write(tmp_path, text)
    assert profile(tmp_path, text) == outcome_of([PYTHON, "prog.py"], tmp_path)


# ---- Killed at any moment ----


@pytest.mark.slow
def test_a_small_storm_of_kills() -> None:
    storm = Path(__file__).parent.parent / "tools" / "kill_storm.py"
    done = subprocess.run(
        [PYTHON, storm, "15", "--jobs", "2", "--seconds", "1"],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout.endswith("; 0 with a fault\n")
