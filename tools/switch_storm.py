#!/usr/bin/env python3
"""Programs that are profiled on and off in all ways at once, under a storm of signals.

    switch_storm.py [--seconds N] [--round N] [--jobs N] [--seed N] [PYTHON...]

Each PYTHON (this one) has pynytprof; an extension built with a sanitizer finds more. In each round
a program starts Tracers in threads, forks, and toggles a profile at SIGUSR1, while SIGUSR1 and
SIGINT come at random moments; each must be answered before the next is sent. In the end SIGTERM or
SIGHUP, which have their default action, must end it. Half of the programs run under `pynytprof`.
Faults are: a signal that nobody answers, a program or child that hangs, another end than that
signal's, a word of a sanitizer, of the interpreter or of ours on standard error, and a profile that
is not sound. Exit status 1 if there is any; the folder of such a round stays.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

PROGRAM = """\
import faulthandler, os, signal, sys, threading, time, warnings
import pynytprof, pynytprof.tracer
warnings.simplefilter("ignore")
answers = int(sys.argv[1])
sys.setswitchinterval(float(sys.argv[2]))
on = False
def work(n):
    return work(n - 1) if n else 0
def refused(error):
    return "already" in str(error) or "very moment" in str(error)
def toggle():
    global on
    on = not on
    try:
        pynytprof.enable_profile("toggled.out") if on else pynytprof.disable_profile()
    except RuntimeError as error:
        if not refused(error): raise
def handle(signum, frame):
    os.write(answers, bytes([signum]))
    if signum == signal.SIGUSR1:
        toggle()
        return
    while frame:
        if frame.f_code is body.__code__: raise KeyboardInterrupt
        frame = frame.f_back
def tracers(n):
    while True:
        try:
            with pynytprof.Tracer(f"tracer{n}.out", options={"stmts": n % 2}): work(9)
        except RuntimeError as error:
            if not refused(error): raise
        time.sleep(0.001)
def forks():
    while True:
        pid = os.fork()
        if pid == 0:
            faulthandler.dump_traceback_later(60, exit=True)
            try:
                with pynytprof.Tracer(f"child{os.getpid()}.out"): work(5)
            except RuntimeError as error:
                if not refused(error): os._exit(9)
            os._exit(0)
        status = os.waitpid(pid, 0)[1]
        if status: os.write(2, f"FAULT: child ended with {status}\\n".encode())
        time.sleep(0.02)
def body():
    while True:
        work(20)
        try:
            with pynytprof.Tracer("main.out"): work(5)
        except RuntimeError as error:
            if not refused(error): raise
        time.sleep(0.002)
for signum in (signal.SIGUSR1, signal.SIGINT): signal.signal(signum, handle)
for target in (lambda: tracers(1), lambda: tracers(2), forks):
    threading.Thread(target=target, daemon=True).start()
os.write(answers, b"!")
while True:
    try: body()
    except KeyboardInterrupt: pass
"""

PATIENCE_S = 60
ANSWERED = (signal.SIGUSR1, signal.SIGINT)
ENDING = (signal.SIGTERM, signal.SIGHUP)
WORDS = re.compile("Sanitizer|runtime error|Traceback|Fatal Python error|FAULT|pynytprof:|Error")


class Round:
    """One program, from its start to its end."""

    def __init__(self, python: str, seed: int, seconds: float) -> None:
        self.python = python
        self.seconds = seconds
        self.choose = random.Random(seed)
        self.folder = Path(tempfile.mkdtemp(prefix="storm-"))
        self.sent: Counter[str] = Counter()
        self.faults: list[str] = []

    def run(self) -> None:
        (self.folder / "prog.py").write_text(PROGRAM)
        answers, theirs = os.pipe()
        under = ["-m", "pynytprof", "-q"] if self.choose.random() < 0.5 else []
        interval = self.choose.choice(["0.005", "0.00001"])
        command = [self.python, *under, "prog.py", str(theirs), interval]
        env = {k: v for k, v in os.environ.items() if "NYTPROF" not in k}
        if self.choose.random() < 0.3:
            env["PYNYTPROF_CALIBRATION"] = "fresh"
        with open(self.folder / "stderr", "wb") as stderr:
            program = subprocess.Popen(command, cwd=self.folder, env=env, pass_fds=[theirs],
                                       stderr=stderr, start_new_session=True)  # fmt: skip
        os.close(theirs)
        try:
            if self._is_answered(answers, ord("!")):
                self._storm(program, answers)
            self._end(program)
        finally:
            os.close(answers)
            self._kill_group(program)
        self._look()
        if not self.faults:
            shutil.rmtree(self.folder)

    def _is_answered(self, answers: int, expected: int) -> bool:
        deadline = time.monotonic() + PATIENCE_S
        while (left := deadline - time.monotonic()) > 0:
            if select.select([answers], [], [], left)[0]:
                got = os.read(answers, 1)
                if not got or got[0] == expected:
                    return bool(got)
        self.faults.append(f"no answer to {expected}")
        return False

    def _storm(self, program: subprocess.Popen[bytes], answers: int) -> None:
        deadline = time.monotonic() + self.seconds
        while time.monotonic() < deadline and program.poll() is None:
            time.sleep(self.choose.choice([0, 0.001, 0.003, 0.01, 0.03]) * self.choose.random())
            signum = self.choose.choice(ANSWERED)
            program.send_signal(signum)
            self.sent[signum.name] += 1
            if not self._is_answered(answers, signum):
                return

    def _end(self, program: subprocess.Popen[bytes]) -> None:
        signum = self.choose.choice(ENDING)
        if program.poll() is None:
            program.send_signal(signum)
            self.sent[signum.name] += 1
        try:
            status = program.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self.faults.append(f"still there after {signum.name}")
            return
        if status != -signum:
            self.faults.append(f"ended with {status} instead of {signum.name}")

    @staticmethod
    def _kill_group(program: subprocess.Popen[bytes]) -> None:
        """A child of its may be left, which nobody waits for."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, signal.SIGKILL)
        program.wait()

    def _look(self) -> None:
        said = (self.folder / "stderr").read_text(errors="replace")
        if WORDS.search(said):
            self.faults.append(said[-2000:])
        files = [str(f) for f in self.folder.glob("*.out*") if f.suffix != ".tmp"]
        self.sent["profiles"] += len(files)
        # As the program: an extension with a sanitizer wants to be loaded in the same way.
        done = subprocess.run([self.python, "-m", "pynytprof", "verify", "-q", *files],
                              capture_output=True, text=True)  # fmt: skip
        if done.returncode:
            self.faults.append(f"{done.stdout}{done.stderr}")


def storm(python: str, given: argparse.Namespace) -> bool:
    """Rounds until the time is over; tells of them. Whether there was no fault."""
    deadline = time.monotonic() + given.seconds
    total: Counter[str] = Counter()
    faults = 0

    def rounds(job: int) -> None:
        nonlocal faults
        n = 0
        while time.monotonic() < deadline:
            one = Round(python, given.seed * 1000003 + job * 10007 + n, given.round)
            one.run()
            n += 1
            total["rounds"] += 1
            total.update(one.sent)
            faults += len(one.faults)
            for fault in one.faults:
                print(f"{one.folder}: {fault}", flush=True)

    with ThreadPoolExecutor(given.jobs) as pool:
        list(pool.map(rounds, range(given.jobs)))
    version = subprocess.run([python, "-V"], capture_output=True, text=True, check=True).stdout
    figures = ", ".join(f"{n} {what}" for what, n in sorted(total.items()))
    print(f"{version.strip()}: {figures}; {faults} faults", flush=True)
    return faults == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--seconds", type=float, default=60, help="for each PYTHON (60)")
    parser.add_argument("--round", type=float, default=5, help="seconds of one program (5)")
    parser.add_argument("--jobs", type=int, default=2, help="programs at once (2)")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="for the same storm")
    parser.add_argument("python", nargs="*", default=[sys.executable])
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    good = [storm(os.path.abspath(python), given) for python in given.python]
    return 0 if all(good) else 1


if __name__ == "__main__":
    raise SystemExit(main())
