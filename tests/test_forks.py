"""Profiles of several processes: forks, and newly started Pythons."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from process import count, parts, profile, write
from support import (
    PYTHON,
    environment,
    is_complete,
    outcome_of,
    profiling,
    run,
    wait_until,
)

from pynytprof import reader
from pynytprof._run import handover

# ---- Forks ----


FORKS = """\
def child(k):
    pid = os.fork()
    if pid == 0:
        work(100 * k)
        if k == 1:
            os._exit(7)
        elif k == 2:
            sys.exit(3)
        elif k == 3:
            raise ValueError
        os.kill(os.getpid(), 9)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print([child(k) for k in range(1, 5)])
work(10)
"""


def test_a_forked_child_has_a_profile_of_its_own(tracer: str, tmp_path: Path) -> None:
    outcome = profile(tmp_path, FORKS, tracer)
    assert outcome.stdout == "[7, 3, 1, -9]\n"
    assert outcome.stderr.count("pynytprof") == 0
    assert outcome.status == 0
    assert count(tmp_path / "nytprof.out") == 10
    assert is_complete(tmp_path / "nytprof.out")
    assert sorted(count(p) for p in parts(tmp_path)) == [0, 100, 200, 300]
    assert [is_complete(p) for p in parts(tmp_path)].count(False) == 1


@pytest.mark.parametrize(("depth", "wanted"), [("0", [1]), ("1", [1, 2]), ("-1", [1, 2, 3])])
def test_forkdepth_counts_generations(
    depth: str, wanted: list[int], tracer: str, tmp_path: Path
) -> None:
    text = (
        "n = 1\n"
        "for _ in range(2):\n"
        "    pid = os.fork()\n"
        "    if pid:\n"
        "        os.waitpid(pid, 0)\n"
        "        break\n"
        "    n += 1\n"
        "work(n)\n"
    )
    outcome = profile(tmp_path, text, tracer, "--forkdepth", depth)
    assert (outcome.stdout, outcome.stderr, outcome.status) == ("", "", 0)
    found = [tmp_path / "nytprof.out", *parts(tmp_path)]
    assert sorted(count(p) for p in found) == wanted


def test_a_fork_in_a_thread_while_others_run(tracer: str, tmp_path: Path) -> None:
    text = (
        "import threading\n"
        "end = threading.Event()\n"
        "busy = threading.Thread(target=lambda: [work(3) for _ in iter(end.is_set, True)])\n"
        "busy.start()\n"
        "def fork():\n"
        "    pid = os.fork()\n"
        "    if pid == 0:\n"
        "        work(1000)\n"
        "        os._exit(0)\n"
        "    print(os.waitpid(pid, 0)[1])\n"
        "t = threading.Thread(target=fork)\n"
        "t.start(); t.join(); end.set(); busy.join()\n"
    )
    outcome = profile(tmp_path, text, tracer)
    assert (outcome.stdout, outcome.status) == ("0\n", 0)
    assert count(parts(tmp_path)[0]) == 1000


def test_children_of_a_paused_profile_leave_it_alone(tracer: str, tmp_path: Path) -> None:
    text = (
        "import pynytprof\n"
        "work(10)\n"
        "pynytprof.disable_profile()\n"
        "pid = os.fork()\n"
        "work(10)\n"
        "pynytprof.enable_profile()\n"
        "work(1 if pid else 2)\n"
        "if pid: os.waitpid(pid, 0)\n"
    )
    assert profile(tmp_path, text, tracer).status == 0
    assert count(tmp_path / "nytprof.out") == 11
    assert [count(p) for p in parts(tmp_path)] == [2]


def test_what_subprocess_forks_only_to_execute_is_left_out(tmp_path: Path) -> None:
    text = "import subprocess\nsubprocess.run(['true'], preexec_fn=lambda: work(5), check=True)\n"
    assert profile(tmp_path, text, flags=["-Wignore"]).status == 0
    assert parts(tmp_path) == []


def test_a_number_that_comes_again_overwrites_nothing(tmp_path: Path) -> None:
    text = (
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    work(5)\n"
        "    os.execv(sys.executable, [sys.executable, '-c', 'pass'])\n"
        "os.waitpid(pid, 0)\n"
    )
    (tmp_path / "nytprof.out.1").write_text("none of ours")
    assert profile(tmp_path, text, "", "--children", "--merge=keep").status == 0
    assert len(parts(tmp_path)) == 3
    first, second = [p for p in parts(tmp_path) if p.suffix != ".1"]
    assert second.name == f"{first.name}.2"
    assert (count(first), count(tmp_path / "nytprof.out")) == (5, 5)
    assert (tmp_path / "nytprof.out.1").read_text() == "none of ours"


EIGHT = """\
def main():
    pids = []
    for k in range(8):
        pids.append(os.fork())
        if pids[-1] == 0:
            work(1000 + k)
            os._exit(0)
    for pid in pids:
        os.waitpid(pid, 0)
    work(1)
main()
"""


def test_eight_forks_merged(tracer: str, tmp_path: Path) -> None:
    outcome = profile(tmp_path, EIGHT, tracer, "--merge")
    assert (outcome.stdout, outcome.stderr, outcome.status) == ("", "", 0)
    assert parts(tmp_path) == []
    assert count(tmp_path / "nytprof.out") == 8 * 1000 + 28 + 1
    calls = [c for c in reader.read(tmp_path / "nytprof.out").calls if c.called == "__main__::work"]
    assert sum(c.count for c in calls) == 9


# ---- New interpreters ----


POOL = """\
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    p = context.Process(target=work, args=(1000,))
    p.start(); p.join()
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        print(sum(pool.map(work, [10] * 10)))
"""


@pytest.mark.parametrize("way", ["fork", "spawn", "forkserver"])
def test_multiprocessing(way: str, tmp_path: Path) -> None:
    write(tmp_path, POOL)
    outcome = outcome_of([*profiling(["--children", "--merge"]), "prog.py", way], tmp_path)
    assert (outcome.stdout, outcome.stderr, outcome.status) == ("450\n", "", 0)
    assert parts(tmp_path) == []
    assert count(tmp_path / "nytprof.out") == 1000 + 100


def child_command(*flags: str) -> str:
    return f"[sys.executable, *{list(flags)}, '-c', 'import sys; print(sys.path)']"


def installed() -> bool:
    """Whether Python comes upon pynytprof.pth by itself."""
    return not handover.start_folder()


@pytest.mark.parametrize("flags", [[], ["-s"], ["-I"], ["-E"], ["-S"]])
def test_a_new_python_is_as_without_us(flags: list[str], tmp_path: Path) -> None:
    text = f"import subprocess\nsubprocess.run({child_command(*flags)}, check=True)\n"
    write(tmp_path, text)
    plain = outcome_of([PYTHON, "prog.py"], tmp_path)
    assert plain.status == 0
    followed = profile(tmp_path, text, "", "--children")
    if flags == ["-S"] and not installed():
        assert "_child" in followed.stdout  # nobody is there who could take it out
    else:
        assert followed == plain
    reached = [[], ["-s"], ["-I"], ["-E"]] if installed() else [[], ["-s"]]
    assert len(parts(tmp_path)) == (flags in reached)


def test_the_real_sitecustomize_runs(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text("import sys\nsys.customized = __file__\n")
    write(
        tmp_path,
        "import subprocess\n"
        "code = 'import sitecustomize, sys; print(sys.customized == sitecustomize.__file__)'\n"
        "subprocess.run([sys.executable, '-c', code], check=True)\n",
    )
    path = os.pathsep.join([str(tmp_path / "site"), environment()["PYTHONPATH"]])
    outcome = outcome_of([*profiling(["--children"]), "prog.py"], tmp_path, PYTHONPATH=path)
    assert (outcome.stdout, outcome.stderr, outcome.status) == ("True\n", "", 0)
    assert len(parts(tmp_path)) == 1


def test_a_profile_of_its_own_goes_before_an_inherited_one(tmp_path: Path) -> None:
    text = (
        "import subprocess, pynytprof\n"
        "if len(sys.argv) > 1:\n"
        "    work(3)\n"
        "    with pynytprof.Tracer('own.out'):\n"
        "        work(5)\n"
        "else:\n"
        "    subprocess.run([sys.executable, __file__, 'child'], check=True)\n"
    )
    outcome = profile(tmp_path, text, "", "--children")
    assert (outcome.stdout, outcome.stderr, outcome.status) == ("", "", 0)
    assert count(tmp_path / "own.out") == 5
    assert [count(p) for p in parts(tmp_path)] == [3]


def test_merging_waits_for_nobody(tmp_path: Path) -> None:
    text = (
        "import time\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    for fd in 1, 2: os.dup2(os.open(os.devnull, os.O_WRONLY), fd)\n"
        "    open('ready', 'w').close()\n"
        "    until = time.monotonic() + 300\n"
        "    while not os.path.exists('end') and time.monotonic() < until: work(1)\n"
        "    os._exit(0)\n"
        "while not os.path.exists('ready'): pass\n"
        "work(7)\n"
    )
    outcome = profile(tmp_path, text, "", "--merge")
    [part] = parts(tmp_path)
    assert "is still running: its profile stays in" in outcome.stderr
    assert (outcome.status, count(tmp_path / "nytprof.out")) == (0, 7)
    (tmp_path / "end").touch()
    wait_until(lambda: is_complete(part))


def test_a_child_that_subprocess_forks_may_drop_what_only_we_know(tmp_path: Path) -> None:
    """The program has paused its profile, and forgotten it."""
    text = (
        "import gc, subprocess\n"
        "from pynytprof import web\n"
        "app = web.WSGIMiddleware(lambda environ, start: [b''], every=1)\n"
        "app({'REQUEST_METHOD': 'GET', 'PATH_INFO': '/'}, None)\n"
        "del app\n"
        "gc.collect()\n"
        "print(subprocess.run(['true'], preexec_fn=lambda: None).returncode)\n"
    )
    done = run([PYTHON, "-c", text], tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == ("0\n", "", 0)
