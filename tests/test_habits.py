"""What people type out of habit is understood, or gets a hint."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support import PYTHON, environment, holds, run, wait_until

from pynytprof import reader

PROFILER = [PYTHON, "-m", "pynytprof"]
TOOL = "import sys\nprint('tool', *sys.argv[1:])\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder to work in, beside one of PATH: scripts of this Python, of another, of none."""
    bin_, here = tmp_path / "bin", tmp_path / "here"
    for folder in (bin_, here, here / "mycli"):
        folder.mkdir()
    (here / "mycli" / "__init__.py").touch()
    other = tmp_path / "other" / "bin" / "python3"
    long = f"#!/bin/sh\n'''exec' \"{PYTHON}\" \"$0\" \"$@\"\n' '''\n"
    for name, head in {
        "mycli": f"#!{PYTHON}\n",
        "long": long,
        "env": "#!/usr/bin/env -S python3\n",
        "foreign": f"#!{other}\n",
        "shell": "#!/bin/sh\n",
    }.items():
        (bin_ / name).write_text(head + TOOL)
        (bin_ / name).chmod(0o755)
    (here / "prog.py").write_text(TOOL)
    return here


def typed(place: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(place.parent / "bin"), os.path.dirname(PYTHON), os.environ["PATH"]])
    return run([*PROFILER, *words], place, PATH=path, **env)


@pytest.mark.parametrize("name", ["mycli", "long", "env"])
def test_console_scripts_are_found_on_path(name: str, place: Path) -> None:
    done = typed(place, "-q", name, "a", "-o")
    assert (done.stdout, done.stderr, done.returncode) == ("tool a -o\n", "", 0)
    found = reader.read(place / "nytprof.out")
    assert found.application == str(place.parent / "bin" / name)
    assert found.find_file(f"bin/{name}").lines


def test_a_script_of_another_environment_is_run_with_a_word(place: Path) -> None:
    done = typed(place, "-q", "foreign")
    assert done.stdout == "tool\n"
    assert f"other/bin/python3; it runs with {sys.executable} here" in done.stderr


def test_what_is_there_comes_before_path(place: Path) -> None:
    (place / "run").write_text("print('the file run')\n")
    (place / "mycli" / "__main__.py").write_text("print('the folder mycli')\n")
    assert typed(place, "-q", "run", "prog.py").stdout == "the file run\n"
    assert typed(place, "-q", "mycli").stdout == "the folder mycli\n"


@pytest.mark.parametrize(
    "words",
    [
        ["run", "prog.py", "x"],
        ["record", "-o", "nytprof.out", "--", "prog.py", "x"],
        ["-o", "nytprof.out", "run", "prog.py", "x"],
        ["run", "mycli", "x"],
        ["python", "prog.py", "x"],
        ["run", "--", "python3", "-m", "prog", "x"],
    ],
)
def test_words_that_say_what_happens_anyway(words: list[str], place: Path) -> None:
    done = typed(place, "-q", *words)
    assert (done.stdout, done.stderr) == ("tool x\n", "")
    assert reader.read(place / "nytprof.out").header.complete


@pytest.mark.parametrize("words", [[], ["report"], ["stats"], ["show"]])
def test_a_profile_is_shown_and_not_run(words: list[str], place: Path) -> None:
    assert typed(place, "-q", "prog.py").returncode == 0
    done = typed(place, *words, "nytprof.out")
    assert (done.stderr, done.returncode) == ("", 0)
    assert "prog.py:2" in done.stdout


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["shell"], "is no Python script"),
        (["json.tool"], "pynytprof -m json.tool"),
        (["prog"], "pynytprof -m prog"),
        (["python", "-u", "prog.py"], "python -X dev -m pynytprof"),
        (["python"], "leave python out"),
        (["run"], "nothing to run"),
        (["-o", "x", "report", "nytprof.out"], "-o belongs to a run"),
        (["--open", "--addtimestamp", "prog.py"], "addtimestamp"),
    ],
)
def test_what_cannot_be_run_gets_a_hint(words: list[str], hint: str, place: Path) -> None:
    done = typed(place, *words)
    assert (done.stdout, done.returncode) == ("", 2)
    assert done.stderr.startswith("pynytprof: ") and hint in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (place / "nytprof.out").exists()


def test_a_word_that_is_nothing_is_what_python_says(place: Path) -> None:
    alone = run([PYTHON, "notthere"], place)
    assert typed(place, "-q", "notthere").stderr == alone.stderr


ENDS = {
    "SIGTERM": ("os.kill(os.getpid(), 15)", -15),
    "_exit": ("os._exit(3)", 3),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_run_that_is_ended_says_where_its_profile_is(end: str, place: Path) -> None:
    text, status = ENDS[end]
    (place / "ends.py").write_text(f"import os\n{text}\n")
    done = typed(place, "ends.py")
    assert done.returncode == status
    assert done.stderr == (
        "pynytprof: profile written to nytprof.out; to read it: nytprof nytprof.out\n"
    )


def test_a_path_that_a_shell_would_take_apart_is_not_offered(place: Path) -> None:
    assert typed(place, "-o", "a b.out", "prog.py").stderr == (
        "pynytprof: profile written to a b.out\n"
    )


@pytest.fixture
def browser(place: Path) -> Path:
    """Takes the browser's place, and notes what it is shown."""
    opener = place.parent / "bin" / "xdg-open"
    opener.write_text('#!/bin/sh\necho "$1" >"$SHOWN"\n')
    opener.chmod(0o755)
    return place / "shown"


@pytest.mark.parametrize(("program", "status"), [("pass", 0), ("raise SystemExit(3)", 3)])
def test_the_page_is_opened_afterwards(
    program: str, status: int, place: Path, browser: Path
) -> None:
    done = typed(place, "--open", "-o", "p.out", "-c", program, SHOWN=str(browser))
    assert done.returncode == status
    wait_until(holds(browser, ".html"))
    page = place / browser.read_text().strip()
    assert b"nytprof" in page.read_bytes()


def test_signals_reach_the_program_and_its_page_is_opened(place: Path, browser: Path) -> None:
    (place / "wait.py").write_text(
        "import pathlib, time\npathlib.Path('ready').write_text('ready')\ntime.sleep(300)\n"
    )
    path = os.pathsep.join([str(place.parent / "bin"), os.environ["PATH"]])
    command = [*PROFILER, "-q", "--open", "wait.py"]
    with subprocess.Popen(
        command, cwd=place, env=environment(PATH=path, SHOWN=str(browser))
    ) as running:
        wait_until(holds(place / "ready", "ready"))
        running.send_signal(signal.SIGTERM)
        assert running.wait(100) == -signal.SIGTERM
    wait_until(holds(browser, ".html"))


def test_no_page_is_opened_of_an_older_profile(place: Path, browser: Path) -> None:
    assert typed(place, "-q", "prog.py").returncode == 0
    done = typed(place, "--open", "--start", "no", "prog.py", SHOWN=str(browser))
    assert "there is no new profile to open" in done.stderr
    assert not browser.exists()
