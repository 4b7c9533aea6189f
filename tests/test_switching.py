"""Profiles that are switched on and off while signals come, other threads do the same, or
processes fork."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest
from support import PYTHON, environment

# Much to write: a signal most likely comes while a profile is being completed.
AGAIN_AND_AGAIN = """
import pynytprof, signal, sys, threading, time
space = {}
exec(compile("".join(f"def f{i}(x): return x\\n" for i in range(1500)), "/x/m.py", "exec"), space)
functions = [f for f in space.values() if callable(f)]
tracer = pynytprof.Tracer("t.out", options={"raw": True})
def loop():
    while True:
        with tracer:
            for f in functions: f(1)
"""

LOOPS = {
    "in a thread": "threading.Thread(target=loop, daemon=True).start()\nprint('up', flush=True)\n"
    "while True: time.sleep(0.01)\n",
    "where our own signal is taken": "for n in range(signal.SIGRTMIN, signal.SIGRTMAX + 1):\n"
    "    signal.signal(n, print)\nprint('up', flush=True)\nloop()\n",
}


@pytest.mark.parametrize("where", LOOPS)
def test_no_sigterm_is_lost_while_profiles_begin_and_end(where: str, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(AGAIN_AND_AGAIN + LOOPS[where])
    for i in range(12):
        with subprocess.Popen([PYTHON, "prog.py"], cwd=tmp_path, env=environment(),
                              stdout=subprocess.PIPE) as program:  # fmt: skip
            assert program.stdout and program.stdout.readline() == b"up\n"
            time.sleep(i * 0.013)
            program.terminate()
            try:
                assert program.wait(20) == -signal.SIGTERM
            finally:
                program.kill()
