#!/usr/bin/env python3
"""Kills a profiled program again and again, at random moments, and looks at what is on disk.

    python tools/kill_storm.py [N] [--seconds S] [--jobs J] [--seed X] [--keep FOLDER]

The program is deterministic, so its whole run, profiled once, tells how often each line runs and
each call is made. Then it is started N times, and killed (SIGKILL) at a random moment after
profiling has begun, or at the next one after that when a file is being written. Each time the
file must be sound, be read by Perl's Devel::NYTProf without an error or a warning, count nothing
more often than the whole run, and be a consistent cut: what has been called has a caller, and
a line that made a call has been started.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from pynytprof import reader, verify

SNAPSHOT_SECONDS = 0.05
"""Far more often than in earnest, so that many kills meet a file being written."""

PROGRAM_FILE = "program.py"
PROGRAM = """\
import sys, threading, time

def leaf(n):
    return n * n

def node(n):
    total = 0
    for i in range(n):
        total += leaf(i)
    return total

def gen(n):
    for i in range(n):
        yield node(i % 5)

def recursive(n):
    return 1 if n == 0 else recursive(n - 1) + 1

def failing(n):
    try:
        raise ValueError(n)
    except ValueError as error:
        return str(error)

class Shape:
    def __init__(self, n):
        self.n = n
    @property
    def area(self):
        return sorted(range(self.n), key=lambda x: -leaf(x))

def step(turn):
    sum(gen(20))
    recursive(turn % 30)
    failing(turn)
    len(Shape(turn % 10).area)
    exec("x = 1\\ny = leaf(x)", {"leaf": leaf})

def thread(turns):
    for turn in range(turns):
        step(turn)
        time.sleep(0.001)

threads = [threading.Thread(target=thread, args=(TURNS,)) for _ in range(3)]
for t in threads:
    t.start()
thread(TURNS)
for t in threads:
    t.join()
"""

# Reads profiles whose names come on standard input; says of each what there was to say.
PERL = r"""
use strict; use warnings;
use Devel::NYTProf::Data;
my @said;
$SIG{__WARN__} = sub { push @said, $_[0] };
while (my $file = <STDIN>) {
    chomp $file;
    @said = ();
    my $lines = eval {
        my $p = Devel::NYTProf::Data->new({ filename => $file, quiet => 1 });
        my $n = 0;
        for my $fi ($p->all_fileinfos) {
            my $data = $fi->line_time_data([ "line" ]) || [];
            $n += grep { $_ } @$data;
        }
        $p->subname_subinfo_map;
        $n;
    };
    push @said, $@ if $@;
    s/\s+/ /g for @said;
    print join("; ", $lines // "nothing", @said), "\n";
}
"""

Key = tuple[object, ...]


class Figures:
    """What a profile counts, by names rather than numbers."""

    def __init__(self, path: Path) -> None:
        found = reader.read(path)
        names = {fid: file.name for fid, file in found.files.items()}
        self.complete = not any(c.startswith("Snapshot") for c in found.comments)
        self.lines: Counter[Key] = Counter()
        for line in found.lines:
            self.lines[names[line.fid], line.line] += line.count
        self.calls: Counter[Key] = Counter()
        for call in found.calls:
            self.calls[names[call.fid], call.line, call.caller, call.called] += call.count
        self.entered = {key[3] for key in self.calls}
        self.faults = self._faults_of_the_cut()

    def _faults_of_the_cut(self) -> list[str]:
        faults = []
        for (name, line, caller, called), count in self.calls.items():
            roots = {"main::RUNTIME", "python::(start)"}
            if caller not in self.entered and caller not in roots:
                faults.append(f"{called} was called by {caller}, which nobody called")
            if line and not self.lines[name, line]:
                faults.append(f"{called} was called {count} times on {name}:{line}, never run")
        return faults

    def beyond(self, whole: Figures) -> list[str]:
        """What of the program is counted more often than in the ``whole`` run. How often
        the lines of ``threading`` run differs from run to run."""
        return [
            f"{key}: {count} of {all_of[key]}"
            for ours, all_of in ((self.lines, whole.lines), (self.calls, whole.calls))
            for key, count in ours.items()
            if count > all_of[key] and PROGRAM_FILE in str(key[0])
        ]


def command(program: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "pynytprof", "-q", "-o", str(out),
            "--set", f"snapshot={SNAPSHOT_SECONDS}", str(program)]  # fmt: skip


def kill_once(program: Path, out: Path, wait: float, aimed: bool) -> str:
    """Runs it and kills it ``wait`` seconds after profiling has begun, or with ``aimed`` once
    it writes a file after that; says what was wrong."""
    with subprocess.Popen(command(program, out), stderr=subprocess.PIPE) as running:
        while not out.exists() and running.poll() is None:
            time.sleep(0.001)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(wait)
        new = out.with_name(f"{out.name}.{running.pid}.tmp")
        while aimed and not new.exists() and running.poll() is None:
            pass
        running.kill()
        _, errors = running.communicate()
    if running.returncode not in (0, -signal.SIGKILL):
        return f"exit status {running.returncode}"
    return errors.decode().strip()


def seconds_of_a_run(program: Path, out: Path) -> float:
    began = time.monotonic()
    subprocess.run(command(program, out), check=True)
    return time.monotonic() - began


def judge(out: Path, whole: Figures) -> list[str]:
    faults = [str(f) for f in verify.findings(out).findings if f.severity != verify.Severity.ODD]
    found = Figures(out)
    return faults + found.beyond(whole) + found.faults


def perl_says(files: list[Path]) -> list[str]:
    told = "".join(f"{file}\n" for file in files)
    done = subprocess.run(["perl", "-e", PERL], input=told, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"perl: {done.stderr}")
    return done.stdout.splitlines()


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("n", nargs="?", type=int, default=500, help="how many kills (500)")
    parser.add_argument("--seconds", type=float, default=1.5, help="the run's length (1.5)")
    parser.add_argument("--jobs", type=int, default=1, help="so many at a time (1)")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--keep", metavar="FOLDER", help="keep the profiles there")
    return parser.parse_args()


def main() -> int:
    given = options()
    seed = given.seed if given.seed is not None else int(time.time())
    chance = random.Random(seed)
    with contextlib.ExitStack() as stack:
        folder = Path(given.keep or stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(exist_ok=True)
        return storm(given, folder, chance, seed)


def storm(given: argparse.Namespace, folder: Path, chance: random.Random, seed: int) -> int:
    program = folder / PROGRAM_FILE
    whole_file = folder / "whole.out"
    turns = max(int(given.seconds * 250), 10)
    program.write_text(PROGRAM.replace("TURNS", str(turns)))
    lasts = min(seconds_of_a_run(program, whole_file) for _ in range(2))
    whole = Figures(whole_file)
    assert whole.complete and not whole.faults, whole.faults
    files = [folder / f"{i}.out" for i in range(given.n)]
    waits = [chance.uniform(0, lasts * 0.8) for _ in files]
    aimed = [chance.random() < 0.5 for _ in files]
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        told = list(pool.map(kill_once, [program] * given.n, files, waits, aimed))
    bad = incomplete = 0
    for file, said, perl in zip(files, told, perl_says(files), strict=True):
        faults = [said] if said else []
        faults += judge(file, whole)
        if not perl.isdecimal():
            faults.append(f"Perl: {perl}")
        incomplete += not Figures(file).complete
        bad += bool(faults)
        for fault in faults[:5]:
            print(f"{file.name}: {fault}")
    left = sum(1 for name in os.listdir(folder) if name.endswith(".tmp"))
    print(f"{given.n} kills (seed {seed}, run of {lasts:.1f} s): {incomplete} snapshots, "
          f"{given.n - incomplete} had ended; {left} while a file was written; "
          f"{bad} with a fault")  # fmt: skip
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
