"""The command line: what belongs to us, what to the target, and what comes of it."""

from __future__ import annotations

import json
import os
import py_compile
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from support import TIME_LIMIT_S, TRACERS, environment

from pynytprof import __version__, _cread, options


def run(
    arguments: Sequence[str | Path],
    cwd: Path,
    *,
    module: str = "pynytprof",
    stdin: str | None = None,
    **env: str,
) -> subprocess.CompletedProcess[str]:
    env.setdefault("PYNYTPROF_TRACER", TRACERS[-1])
    env.setdefault("PYNYTPROF_WRITER", env["PYNYTPROF_TRACER"])
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=cwd,
        env=environment(**env),
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=TIME_LIMIT_S,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "prog.py").write_text(
        "import sys\ndef f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)\n"
        "print(sys.argv[1:], f(5))\n"
    )
    return tmp_path


@pytest.fixture
def profile(folder: Path) -> Path:
    assert run(["-q", "prog.py"], folder).returncode == 0
    return folder / "nytprof.out"


def written(name: str) -> str:
    return f"pynytprof: profile written to {name}; to read it: nytprof {name}\n"


def records(path: Path) -> list[list[object]]:
    done = run(["dump", "--jsonl", path], path.parent)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def options_of(path: Path) -> dict[object, object]:
    return {r[1]: r[2] for r in records(path) if r[0] == "OPTION"}


def test_one_line_tells_where_the_profile_is(folder: Path) -> None:
    done = run(["-o", "p.out", "prog.py"], folder)
    assert (done.stdout, done.stderr) == ("[] 5\n", written("p.out"))
    assert run(["-q", "-o", "p.out", "prog.py"], folder).stderr == ""


@pytest.mark.parametrize("words", [["prog.py"], ["profile", "prog.py"], ["-q", "--", "prog.py"]])
def test_ways_to_say_profile(words: list[str], folder: Path) -> None:
    done = run([*words, "-o", "x", "--help", "-m", "--", "--stmts"], folder)
    assert done.stdout == "['-o', 'x', '--help', '-m', '--', '--stmts'] 5\n"
    assert (folder / "nytprof.out").exists()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-c", "import sys; print(sys.argv)", "-q", "--version"], "['-c', '-q', '--version']\n"),
        (["-cimport sys; print(sys.argv)", "a"], "['-c', 'a']\n"),
        (["-mprog", "-c", "x"], "['-c', 'x'] 5\n"),
        (["-", "-m"], "['-', '-m']\n"),
    ],
)
def test_what_follows_the_target_is_its_own(words: list[str], expected: str, folder: Path) -> None:
    done = run(["-q", *words], folder, stdin="import sys; print(sys.argv)")
    assert (done.stdout, done.stderr, done.returncode) == (expected, "", 0)


@pytest.mark.parametrize(
    ("words", "option", "value"),
    [
        (["--compress", "3"], "compress", "3"),
        (["--compress=4"], "compress", "4"),
        (["--no-stmts"], "stmts", "0"),
        (["--set", "slowops=0", "--set", "compress=2"], "slowops", "0"),
        (["--no-subs"], "calls", "0"),
        (["--no-calls"], "calls", "0"),
        ([], "calls", "1"),
    ],
)
def test_settings_get_into_the_file(
    words: list[str], option: str, value: str, folder: Path
) -> None:
    assert run(["-q", *words, "prog.py"], folder).returncode == 0
    assert options_of(folder / "nytprof.out")[option] == value


def test_the_command_line_wins_over_the_environment(folder: Path) -> None:
    run(["-q", "--compress=3", "prog.py"], folder, NYTPROF=r"compress=5:file=a\:b.out")
    assert options_of(folder / "a:b.out")["compress"] == "3"


def test_filters(folder: Path) -> None:
    for words, env in ((["--include", "prog.py"], {}), ([], {"NYTPROF_FILTER": "*/prog.py"})):
        run(["-q", *words, "prog.py"], folder, **env)
        names = [r[-1] for r in records(folder / "nytprof.out") if r[0] == "NEW_FID"]
        assert [n for n in names if n != "(builtins)"] == [str(folder / "prog.py")]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ([], "nothing to run"),
        (["-q"], "nothing to run"),
        (["-m"], "expected one argument"),
        (["--nonsense", "prog.py"], "--nonsense"),
        (["--set", "stmt=1", "prog.py"], "did you mean 'stmts'?"),
        (["--set", "stmts", "prog.py"], "not of the form key=value"),
        (["--set", "calls=2", "prog.py"], "sums"),
        (["--start", "later", "prog.py"], "begin, init, end, no"),
    ],
)
def test_wrong_usage(words: list[str], reason: str, folder: Path) -> None:
    done = run(words, folder)
    assert (done.returncode, done.stdout) == (2, "")
    assert reason in done.stderr
    assert not (folder / "nytprof.out").exists()


def test_a_wrong_environment_is_wrong_usage(folder: Path) -> None:
    assert run(["prog.py"], folder, NYTPROF="nothing=1").returncode == 2
    done = run(["prog.py"], folder, PYNYTPROF_TRACER="x", PYNYTPROF_WRITER="py")
    assert (done.returncode, done.stderr) == (
        2,
        "pynytprof: PYNYTPROF_TRACER=x: it must be c or py\n",
    )
    done = run(["prog.py"], folder, PYNYTPROF_WRITER="x")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "pynytprof: PYNYTPROF_WRITER must be c or py, not 'x'\n"


@pytest.mark.parametrize("module", ["pynytprof", "pynytprof.main", "pynytprof.cli"])
def test_help_and_version(module: str, folder: Path) -> None:
    done = run(["--version"], folder, module=module)
    assert (done.stdout, done.returncode) == (f"pynytprof {__version__}\n", 0)
    text = run(["--help"], folder, module=module).stdout
    for word in ("-m MODULE", "-c CODE", "--scope", "--compress", "summary", "html", "NYTPROF"):
        assert word in text


def test_the_older_forms(folder: Path) -> None:
    done = run(["-o", "t.out", "prog.py", "a"], folder, module="pynytprof.tracer")
    assert (done.stdout, done.returncode) == ("['a'] 5\n", 0)
    done = run(["-ot2.out", "-e", "print(6)"], folder, module="pynytprof.tracer")
    assert (done.stdout, done.returncode) == ("6\n", 0)
    assert run(["-q", "prog.py"], folder, module="pynytprof.main").stdout == "[] 5\n"
    assert {"t.out", "t2.out", "nytprof.out"} <= set(os.listdir(folder))


def test_a_program_may_switch_profiling_on_itself(folder: Path) -> None:
    (folder / "switch.py").write_text(
        "import pynytprof\ndef off(): pass\ndef on(): pass\n"
        "off()\npynytprof.enable_profile()\non()\npynytprof.disable_profile()\noff()\n"
    )
    done = run(["--start=no", "switch.py"], folder)
    assert (done.stdout, done.stderr) == ("", written("nytprof.out"))
    called = {r[-2] for r in records(folder / "nytprof.out") if r[0] == "SUB_CALLERS"}
    assert "__main__::on" in called
    assert "__main__::off" not in called


def test_a_program_that_never_does_leaves_none(folder: Path) -> None:
    done = run(["--start=no", "prog.py"], folder)
    assert "never switched on" in done.stderr
    assert not (folder / "nytprof.out").exists()


def test_a_program_may_pause_profiling(folder: Path) -> None:
    (folder / "pause.py").write_text(
        "import pynytprof\ndef off(): pass\ndef on(): pass\n"
        "on()\npynytprof.disable_profile()\noff()\npynytprof.enable_profile()\non()\n"
    )
    assert run(["-q", "pause.py"], folder).returncode == 0
    counts = {r[-2]: r[3] for r in records(folder / "nytprof.out") if r[0] == "SUB_CALLERS"}
    assert "__main__::off" not in counts
    assert "__main__::on" in counts


IMPORTS_FIRST = """\
'''A module.'''
import atexit
try:
    import nothing
except ImportError:
    nothing = None
if True:
    import keyword
@atexit.register
def bye():
    after()
def after(): pass
def work(): pass
work()
"""


@pytest.mark.parametrize("kind", TRACERS)
@pytest.mark.parametrize("how", ["prog.py", "-mprog", "-cprog", "prog.zip", "prog.pyc"])
@pytest.mark.parametrize("when", ["init", "end"])
def test_profiling_may_begin_after_the_imports_or_the_program(
    when: str, how: str, kind: str, tmp_path: Path
) -> None:
    (tmp_path / "prog.py").write_text(IMPORTS_FIRST)
    if how == "prog.zip":
        with zipfile.ZipFile(tmp_path / how, "w") as archive:
            archive.write(tmp_path / "prog.py", "__main__.py")
    py_compile.compile(str(tmp_path / "prog.py"), str(tmp_path / "prog.pyc"))
    target = ["-c", IMPORTS_FIRST] if how == "-cprog" else [how]
    done = run(["--start", when, *target], tmp_path, PYNYTPROF_TRACER=kind)
    assert (done.returncode, done.stderr) == (0, written("nytprof.out"))
    found = records(tmp_path / "nytprof.out")
    called = {str(r[-2]) for r in found if r[0] == "SUB_CALLERS"}
    assert not any("import" in name for name in called)
    assert {"__main__::bye", "__main__::after"} <= called
    assert ("__main__::work" in called) == (when == "init")
    main = [r[-1] for r in found if r[0] == "SUB_INFO" and r[-1] == "__main__::(module)"]
    lines = {int(str(r[3])) for r in found if r[0] == "TIME_LINE"}
    assert bool(main) == (when == "init")
    assert lines >= ({9, 11, 12, 13, 14} if when == "init" else {11, 12})
    assert min(lines) >= 9


def test_a_program_that_only_imports_begins_at_its_end(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text("import helper\n")
    (tmp_path / "helper.py").write_text("import atexit\natexit.register(lambda: 0)\n")
    assert run(["--start=init", "prog.py"], tmp_path).returncode == 0
    found = records(tmp_path / "nytprof.out")
    called = {r[-2] for r in found if r[0] == "SUB_CALLERS"}
    assert "helper::lambda@2" in called
    assert not {"helper::(module)", "__main__::(module)"} & called


def test_what_the_program_does_before_counts_as_its_start(tmp_path: Path) -> None:
    """enable_profile() within an import: the line after the imports changes nothing."""
    (tmp_path / "prog.py").write_text("import helper\ndef f(): pass\nf()\n")
    (tmp_path / "helper.py").write_text("import pynytprof\npynytprof.enable_profile()\n")
    assert run(["--start=init", "prog.py"], tmp_path).returncode == 0
    called = {r[-2] for r in records(tmp_path / "nytprof.out") if r[0] == "SUB_CALLERS"}
    assert "__main__::f" in called


def test_another_file_gets_the_same_settings(folder: Path) -> None:
    (folder / "two.py").write_text(
        "import pynytprof\nlen('')\npynytprof.enable_profile('second.out')\nlen('')\n"
    )
    assert run(["-q", "--no-slowops", "two.py"], folder).returncode == 0
    for name in ("nytprof.out", "second.out"):
        found = records(folder / name)
        assert not [r for r in found if r[0] == "SUB_CALLERS" and r[-2] == "builtins::len"]
        assert [r[2] for r in found if r[0] == "OPTION" and r[1] == "slowops"] == ["0"]


def test_the_name_may_hold_process_and_time(folder: Path) -> None:
    assert run(["-q", "--addpid", "--addtimestamp", "prog.py"], folder).returncode == 0
    assert [n for n in os.listdir(folder) if re.fullmatch(r"nytprof\.out\.\d+\.\d+", n)]


def test_talk_goes_to_the_log(folder: Path) -> None:
    done = run(["-q", "--set", "trace=1", "--set", "log=talk", "prog.py"], folder)
    assert (done.returncode, done.stderr) == (0, "")
    assert "pynytprof: tracer: pynytprof." in (folder / "talk").read_text()


def test_the_tracer_of_old_may_be_asked_for(folder: Path) -> None:
    done = run(["-q", "--set=use_db_sub=1", "prog.py"], folder, PYNYTPROF_TRACER="")
    assert (done.returncode, done.stderr) == (0, "")
    comment = next(str(r[1]) for r in records(folder / "nytprof.out") if "Engine" in str(r))
    assert "settrace" in comment.lower()


def test_a_profile_that_cannot_be_written_costs_no_status(folder: Path) -> None:
    done = run(["-o", "none/p.out", "-c", "import sys; sys.exit(4)"], folder)
    assert (done.returncode, done.stderr) == (
        4,
        "pynytprof: can't write the profile to none/p.out: No such file or directory\n",
    )


def test_the_profile_may_go_to_a_pipe(folder: Path) -> None:
    command = [sys.executable, "-m", "pynytprof", "-q", "-o", "/dev/stderr", "prog.py"]
    env = environment(PYNYTPROF_TRACER=TRACERS[-1], PYNYTPROF_WRITER=TRACERS[-1])
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, timeout=TIME_LIMIT_S)
    assert (done.returncode, done.stdout) == (0, b"[] 5\n")
    assert done.stderr.startswith(b"NYTProf 5 0\n")


@pytest.mark.parametrize("kind", TRACERS)
def test_debug_names_tracer_and_writer_and_sums_up_the_chunks(kind: str, folder: Path) -> None:
    done = run(["-q", "prog.py"], folder, PYNYTPROF_DEBUG="1", PYNYTPROF_TRACER=kind)
    told = {
        "py": ["tracer: pynytprof._pure.tracer.PyTracer", "writer: pynytprof._writer.PyWriter"],
        "c": ["tracer: pynytprof._ctrace.Tracer, writer: in C"],
    }[kind]
    for line in told:
        assert f"pynytprof: {line}\n" in done.stderr
    for token in "PFDSCTE":
        assert re.search(rf"^pynytprof: .*\b{token}\b", done.stderr, re.MULTILINE), token


def test_the_profiler_is_not_in_the_profile(folder: Path) -> None:
    for tracer in TRACERS:
        run(["-q", "prog.py"], folder, PYNYTPROF_TRACER=tracer, PYNYTPROF_WRITER=tracer)
        names = [str(r[-1]) for r in records(folder / "nytprof.out") if r[0] == "NEW_FID"]
        assert not any("pynytprof" in os.path.relpath(n, folder) for n in names)
        assert not any("argparse" in n or n.endswith("re/__init__.py") for n in names)
        calls = [r for r in records(folder / "nytprof.out") if r[0] == "SUB_CALLERS"]
        assert [r[-1] for r in calls if r[-2] == "__main__::(module)"] == ["python::(start)"]


# ---- html ----


def test_html_by_perl(profile: Path) -> None:
    if shutil.which("nytprofhtml") is None:
        pytest.skip("Devel::NYTProf is not installed")
    done = run(["html", "--perl", "-o", "pages", "nytprof.out"], profile.parent)
    assert done.returncode == 0, done.stderr
    assert "prog.py" in (profile.parent / "pages" / "index.html").read_text("utf-8")


def test_html_is_one_page(profile: Path) -> None:
    done = run(["html", "nytprof.out"], profile.parent)
    assert (done.returncode, done.stdout, done.stderr) == (0, "nytprof.html\n", "")
    page = (profile.parent / "nytprof.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>") and page.endswith("</html>\n")
    assert "prog.py:" in page  # in the tables for readers without scripts
    assert run(["html", "nytprof.out", "-o", "-"], profile.parent).stdout == page


def test_an_unreadable_profile_leaves_the_old_page(profile: Path) -> None:
    (profile.parent / "old.html").write_text("old")
    (profile.parent / "broken.out").write_text("nothing of the kind")
    for words in (["broken.out"], ["nytprof.out", "--compare", "broken.out"]):
        done = run(["html", *words, "-o", "old.html"], profile.parent)
        assert (done.returncode, done.stdout) == (3, "")
        assert "broken.out: not a NYTProf profile" in done.stderr
    assert (profile.parent / "old.html").read_text() == "old"
    assert not list(profile.parent.glob("*.part"))


def test_html_has_the_exit_status_of_other_commands(folder: Path) -> None:
    done = run(["html", "nothing.out"], folder)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("pynytprof: nothing.out: ")
    assert run(["html"], folder).returncode == 2
    assert run(["html", "--nonsense", "x"], folder).returncode == 2
    assert run(["html", "--help"], folder).returncode == 0


# ---- Which words are commands ----


def test_the_commands_are_those_of_nytprof() -> None:
    _, commands = _cread.command_line()
    assert {*options.COMMANDS, "help"} == {name for name, _ in commands}


def test_a_script_may_bear_the_name_of_a_command(folder: Path) -> None:
    (folder / "prog.py").rename(folder / "summary")
    for words in (["profile", "summary"], ["--", "summary"], ["./summary"]):
        assert run(["-q", *words] if words[0] != "profile" else words, folder).stdout == "[] 5\n"


def test_a_profiled_program_does_not_wait_for_the_commands(folder: Path) -> None:
    (folder / "modules.py").write_text("import sys; print([m for m in sys.modules if 'pyny' in m])")
    loaded = run(["-q", "modules.py"], folder).stdout
    assert loaded == "['pynytprof', 'pynytprof._ctrace']\n"


def test_help_explains_what_argparse_reads_too(folder: Path) -> None:
    assert run(["help"], folder).stdout == run(["--help"], folder).stdout
    assert run(["help", "profile"], folder).stdout == run(["--help"], folder).stdout
    assert run(["help", "html"], folder).stdout == run(["html", "--help"], folder).stdout
    assert "usage: pynytprof summary " in run(["help", "summary"], folder).stdout
    assert run(["help", "nothing"], folder).returncode == 2


# ---- The cut ----


@pytest.mark.parametrize(
    ("words", "own"),
    [
        (["-o", "x", "prog.py", "-q"], ["-o", "x"]),
        (["-ox", "prog.py"], ["-ox"]),
        (["--file=x", "-q", "prog.py"], ["--file=x", "-q"]),
        (["--set", "a=b", "-m", "mod", "--set"], ["--set", "a=b"]),
        (["-q", "--", "-odd.py"], ["-q"]),
    ],
)
def test_the_cut_between_us_and_the_target(words: list[str], own: list[str]) -> None:
    found, target = options.cut(words)
    assert found == own
    assert target is not None
