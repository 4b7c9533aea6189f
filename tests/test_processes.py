"""Profiles of several processes, and of processes that end in other ways than at their end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from test_runner import TRACERS, Outcome, environment, profiled, run

from pynytprof import reader, verify
from pynytprof._run import handover

PYTHON = sys.executable
SNAPSHOT = b"\n#Snapshot"

WORK = """\
import os, sys
def work(n):
    s = 0
    for i in range(n):
        s += i
    return s
"""
WORK_LINE = 5  # runs n times


IN_PYTHON = pytest.param("py", marks=pytest.mark.slow)


@pytest.fixture(params=[IN_PYTHON, *TRACERS[1:]])
def tracer(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def write(folder: Path, text: str) -> None:
    (folder / "prog.py").write_text(WORK + text)


def profile(
    folder: Path, text: str, tracer: str = "", *options: str, flags: list[str] | None = None
) -> Outcome:
    """What ``text``, with ``work`` defined before it, does under the profiler."""
    write(folder, text)
    return run([*profiled(options, flags or []), "prog.py"], folder, tracer=tracer)


def parts(folder: Path) -> list[Path]:
    """The profiles of all but the first process."""
    return sorted(p for p in folder.glob("nytprof.out.*"))


def is_complete(path: Path) -> bool:
    return SNAPSHOT not in path.read_bytes()


def count(path: Path, line: int = WORK_LINE) -> int:
    """How often a line of the program ran; the profile must be sound."""
    assert verify.verify(path, quiet=True), path
    found = reader.read(path)
    fids = [f.fid for f in found.files.values() if f.name.endswith("prog.py")]
    return sum(x.count for x in found.lines if x.fid in fids and x.line == line)


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
    outcome = run([*profiled(["--children", "--merge"]), "prog.py", way], tmp_path)
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
    plain = run([PYTHON, "prog.py"], tmp_path)
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
    outcome = run([*profiled(["--children"]), "prog.py"], tmp_path, PYTHONPATH=path)
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
        "    until = time.monotonic() + 60\n"
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
    deadline = time.monotonic() + 20
    while not is_complete(part) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert is_complete(part)


# ---- Ends ----


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
        [*profiled(), "prog.py"],
        cwd=tmp_path,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == b"ready\n"
        time.sleep(0.1)  # until it waits
        running.send_signal(signal.SIGTERM)
        assert running.wait(30) == -signal.SIGTERM
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
    assert profile(tmp_path, text) == run([PYTHON, "prog.py"], tmp_path)


# ---- Places that are hard to write to ----


def limited(text: str) -> str:
    """``text`` in a process that may only make files of some kilobytes, and dies of trying
    more."""
    return (
        "import resource, signal\n"
        "work(10)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))\n"
        f"signal.signal(signal.SIGXFSZ, signal.SIG_DFL)\n{text}\n"
    )


def test_a_file_size_limit_does_not_kill_the_program(tracer: str, tmp_path: Path) -> None:
    outcome = profile(tmp_path, limited("work(7)\nprint('done', flush=True)\nsys.exit(5)"), tracer)
    assert (outcome.stdout, outcome.status) == ("done\n", 5)
    assert outcome.stderr == ("pynytprof: can't write the profile to nytprof.out: File too large\n")
    assert count(tmp_path / "nytprof.out") <= 17  # the last one that could be written
    assert not is_complete(tmp_path / "nytprof.out")
    assert list(tmp_path.glob("*.tmp")) == []


def test_a_pipe_that_nobody_reads_does_not_kill_the_program(tracer: str, tmp_path: Path) -> None:
    text = "import signal\nsignal.signal(13, signal.SIG_DFL)\nwork(7)\nsys.exit(5)\n"
    write(tmp_path, text)
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [PYTHON, "-m", "pynytprof", "-q", "-o", f"/dev/fd/{writing}", "prog.py"],
        cwd=tmp_path,
        env=environment(PYNYTPROF_TRACER=tracer),
        pass_fds=[writing],
        capture_output=True,
        text=True,
    )
    os.close(writing)
    assert done.returncode == 5
    assert done.stderr.startswith("pynytprof: can't write the profile to /dev/fd/")


def test_the_longest_name(tracer: str, tmp_path: Path) -> None:
    write(tmp_path, "if os.fork() == 0: os._exit(0)\nos.wait()\nwork(7)\nsys.exit(5)\n")
    name = "n" * 255
    command = [PYTHON, "-m", "pynytprof", "-q", "-o", name, "prog.py"]
    outcome = run(command, tmp_path, tracer=tracer)
    assert outcome.status == 5
    assert outcome.stderr.count("File name too long") == 1  # the child's
    assert count(tmp_path / name) == 7
    assert sorted(p.name for p in tmp_path.iterdir()) == [name, "prog.py"]


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    write(tmp_path, "work(7)\nsys.exit(5)\n")
    outcome = run([PYTHON, "-m", "pynytprof", "-q", "-o", "n" * 256, "prog.py"], tmp_path)
    assert (outcome.stdout, outcome.status) == ("", 5)
    assert outcome.stderr == (
        f"pynytprof: can't write the profile to {'n' * 256}: File name too long\n"
    )


@pytest.mark.parametrize("way", ["chdir", "removed", "renamed"])
def test_the_program_leaves_its_folder(way: str, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    text = {
        "chdir": "os.chdir('/')\nwork(7)\nsys.exit(5)\n",
        "removed": "import shutil\nshutil.rmtree(os.getcwd())\nwork(7)\nsys.exit(5)\n",
        "renamed": "os.rename(os.getcwd(), os.getcwd() + 'way')\nwork(7)\nsys.exit(5)\n",
    }[way]
    outcome = profile(tmp_path / "sub", text)
    assert (outcome.stdout, outcome.status) == ("", 5)
    if way == "chdir":
        assert outcome.stderr == ""
        assert count(tmp_path / "sub" / "nytprof.out") == 7
    elif way == "renamed":
        assert outcome.stderr == ""
        assert count(tmp_path / "subway" / "nytprof.out") == 7
    else:
        assert outcome.stderr == (
            "pynytprof: can't write the profile to nytprof.out: No such file or directory\n"
        )


def test_a_folder_that_is_gone_from_the_start(tmp_path: Path) -> None:
    write(tmp_path, "work(7)\nsys.exit(5)\n")
    (tmp_path / "gone").mkdir()
    start = f"cd {tmp_path}/gone && rmdir ../gone && {PYTHON} -m pynytprof -q -o"
    outcome = run(["sh", "-c", f"{start} {tmp_path}/nytprof.out {tmp_path}/prog.py"], tmp_path)
    assert (outcome.stdout, outcome.stderr, outcome.status) == ("", "", 5)
    assert count(tmp_path / "nytprof.out") == 7


def test_two_programs_with_the_same_file(tmp_path: Path) -> None:
    write(tmp_path, "for n in range(100): work(100)\n")
    command = [*profiled(), "prog.py"]
    running = [subprocess.Popen(command, cwd=tmp_path, env=environment()) for _ in range(3)]
    assert [r.wait(60) for r in running] == [0, 0, 0]
    assert count(tmp_path / "nytprof.out") == 10_000
    assert sorted(p.name for p in tmp_path.iterdir()) == ["nytprof.out", "prog.py"]


def test_what_killed_processes_were_writing_is_cleared_away(tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    stale = [f"nytprof.out.{dead.pid}.tmp", f"nytprof.out.77.2.{dead.pid}-1.tmp"]
    kept = [f"nytprof.out.{os.getpid()}.tmp", "nytprof.out.tmp", "nytprof.out.new.tmp"]
    for name in [*stale, *kept]:
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1, 1))
    assert profile(tmp_path, "work(7)\n").status == 0
    assert sorted(p.name for p in tmp_path.glob("*.tmp")) == sorted(kept)


# ---- Subinterpreters ----


def test_a_subinterpreter_does_no_harm(tracer: str, tmp_path: Path) -> None:
    text = (
        "try: import _xxsubinterpreters as interpreters\n"
        "except ImportError: import _interpreters as interpreters\n"
        "code = '''\n"
        "import os, signal, threading\n"
        "def work(n):\n"
        "    for i in range(n): pass\n"
        "work(100)\n"
        "t = threading.Thread(target=work, args=(100,))\n"
        "try:\n"
        "    t.start(); t.join()\n"
        "except RuntimeError: pass\n"
        "try: os.execv('/', ['/'])\n"
        "except (OSError, RuntimeError): pass\n"
        "'''\n"
        "alone = interpreters.create\n"
        "def beside():\n"
        "    try: return interpreters.create('legacy')\n"
        "    except TypeError: return interpreters.create(isolated=False)\n"
        "for create in alone, beside, alone:\n"
        "    new = create()\n"
        "    work(5)\n"
        "    interpreters.run_string(new, code)\n"
        "    interpreters.destroy(new)\n"
        "work(7)\n"
        "print('done')\n"
    )
    outcome = profile(tmp_path, text, tracer, flags=["-Wignore"])
    assert (outcome.stdout, outcome.stderr, outcome.status) == ("done\n", "", 0)
    assert count(tmp_path / "nytprof.out") == 22
    assert is_complete(tmp_path / "nytprof.out")


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
