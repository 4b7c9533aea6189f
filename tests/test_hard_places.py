"""Files and folders that are hard to write to, and interpreters within the interpreter."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from process import count, profile, write
from support import PYTHON, TIME_LIMIT_S, environment, is_complete, outcome_of, profiling


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
    outcome = outcome_of(command, tmp_path, tracer=tracer)
    assert outcome.status == 5
    assert outcome.stderr.count("File name too long") == 1  # the child's
    assert count(tmp_path / name) == 7
    assert sorted(p.name for p in tmp_path.iterdir()) == [name, "prog.py"]


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    write(tmp_path, "work(7)\nsys.exit(5)\n")
    outcome = outcome_of([PYTHON, "-m", "pynytprof", "-q", "-o", "n" * 256, "prog.py"], tmp_path)
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
    command = f"{start} {tmp_path}/nytprof.out {tmp_path}/prog.py"
    outcome = outcome_of(["sh", "-c", command], tmp_path)
    assert (outcome.stdout, outcome.stderr, outcome.status) == ("", "", 5)
    assert count(tmp_path / "nytprof.out") == 7


def test_two_programs_with_the_same_file(tmp_path: Path) -> None:
    write(tmp_path, "for n in range(100): work(100)\n")
    command = [*profiling(), "prog.py"]
    running = [subprocess.Popen(command, cwd=tmp_path, env=environment()) for _ in range(3)]
    assert [r.wait(TIME_LIMIT_S) for r in running] == [0, 0, 0]
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
