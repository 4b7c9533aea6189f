"""Completion as the shells do it, and manual pages as roff reads them."""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("needs a pseudo-terminal", allow_module_level=True)
import pty

PROGRAMS = ["nytprof", "pynytprof"]
# Where the second one is asked dozens of times.
PROGRAMS_SLOWLY = ["nytprof", pytest.param("pynytprof", marks=pytest.mark.slow)]
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$({program} completions bash)"'),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -Uz compinit; compinit -u -D; source <({program} completions zsh)",
    ),
    "fish": (["fish", "--no-config", "-i"], "{program} completions fish | source"),
}
# What is typed, and what the line is after a TAB.
TYPED = {
    "nytprof": {
        "nytprof su": "nytprof summary ",
        "nytprof help reco": "nytprof help recover ",
        "nytprof completions zs": "nytprof completions zsh ",
        "nytprof summary --sor": "nytprof summary --sort ",
        "nytprof summary --sort pl": "nytprof summary --sort place ",
        "nytprof convert --to=pp": "nytprof convert --to=pprof ",
        "nytprof convert --to json o": "nytprof convert --to json only.out ",
        "nytprof dump -o o": "nytprof dump -o only.out ",
        "nytprof dump -- o": "nytprof dump -- only.out ",
    },
    "pynytprof": {
        "pynytprof summary --sort pl": "pynytprof summary --sort place ",
        "pynytprof --sc": "pynytprof --scope ",
        "pynytprof profile --scope=pr": "pynytprof profile --scope=project ",
        "pynytprof -q --merge o": "pynytprof -q --merge only.out ",
        "pynytprof only.out --sort o": "pynytprof only.out --sort only.out ",
        "pynytprof convert --to=pp": "pynytprof convert --to=pprof ",
        "pynytprof completions fi": "pynytprof completions fish ",
    },
}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PATH on which the programs come first."""
    folder = tmp_path_factory.mktemp("bin")
    nytprof = os.environ.get("NYTPROF_BIN") or shutil.which("nytprof")
    if not nytprof:
        pytest.skip("needs the program nytprof: set NYTPROF_BIN")
    (folder / "nytprof").symlink_to(Path(nytprof).resolve())
    wrapper = folder / "pynytprof"
    wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} -m pynytprof "$@"\n')
    wrapper.chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def said(program: str, *words: str, path: str) -> str:
    command = shutil.which(program, path=path)
    assert command
    return subprocess.run(
        [command, *words], capture_output=True, encoding="utf-8", check=True
    ).stdout


# ---- Completion ----


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self, argv: list[str], folder: Path, path: str) -> None:
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            env = {"PATH": path, "HOME": str(folder), "TERM": "dumb", "PS1": "> "}
            os.execvpe(argv[0], argv, env)

    def send(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def until(self, text: str, patience: float = 60) -> str:
        """All that comes up to this text; what comes until patience ends if it does not."""
        seen = ""
        end = time.monotonic() + patience
        while text not in seen and time.monotonic() < end:
            if select.select([self._terminal], [], [], 0.1)[0]:
                seen += os.read(self._terminal, 65536).decode().replace("\a", "")
        return seen

    def close(self) -> None:
        os.close(self._terminal)
        os.waitpid(self._pid, 0)


def in_fish(program: str, typed: str, folder: Path, path: str) -> str:
    """fish can be asked; each line is a word and, behind a tab, a description."""
    script = f"{SHELLS['fish'][1].format(program=program)}; complete -C '{typed}'"
    done = subprocess.run(
        ["fish", "--no-config", "-c", script], capture_output=True, encoding="utf-8", check=True,
        cwd=folder, env={"PATH": path, "HOME": str(folder), "TERM": "dumb"},
    )  # fmt: skip
    assert done.stderr == ""
    (word,) = [line.partition("\t")[0] for line in done.stdout.splitlines()]
    return f"{typed.rpartition(' ')[0]} {word} "


@pytest.fixture(params=["bash", "zsh"])
def shell(request: pytest.FixtureRequest, tmp_path: Path, path: str) -> Iterator[Shell]:
    argv, setup = SHELLS[request.param]
    if shutil.which(argv[0]) is None:
        pytest.skip(f"needs {argv[0]}")
    (tmp_path / "only.out").touch()
    shell = Shell(argv, tmp_path, path)
    for program in PROGRAMS:
        shell.send(setup.format(program=program) + "\n")
    shell.send("echo rea''dy\n")
    shell.until("ready\r\n")
    yield shell
    shell.close()


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_tab_completes(program: str, shell: Shell) -> None:
    for typed, line in TYPED[program].items():
        shell.send(f"{typed}\t")
        seen = shell.until(line)
        assert line in seen, typed
        shell.send("\x15")


@pytest.mark.parametrize("program", PROGRAMS)
def test_fish_completes(program: str, tmp_path: Path, path: str) -> None:
    if shutil.which("fish") is None:
        pytest.skip("needs fish")
    (tmp_path / "only.out").touch()
    for typed, line in TYPED[program].items():
        assert in_fish(program, typed, tmp_path, path) == line


def answers(program: str, *words: str, path: str) -> list[str]:
    return [
        line.partition("\t")[0]
        for line in said(program, "__complete", *words, path=path).splitlines()
    ]


@pytest.mark.parametrize("program", PROGRAMS_SLOWLY)
def test_what_is_offered_is_what_the_help_has(program: str, path: str) -> None:
    commands = [word for word in answers(program, "", path=path) if word.isalpha()]
    elsewhere = ["--top", "--max-bytes"]  # told of formats as well
    assert {"summary", "convert", "completions"} <= set(commands)
    overview = said(program, "--help", path=path)
    for command in commands:
        assert re.search(rf"\b{command}\b", overview)
        if command in ("completions", "guide", "help", "profile"):
            continue
        text = said(program, command, "--help", path=path)
        offered = answers(program, command, "--", path=path)
        assert "--help" in offered
        for option in offered:
            assert option in text
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text)) <= {*offered, *elsewhere}


@pytest.mark.slow
def test_both_programs_take_the_same_options(path: str) -> None:
    commands = {word for word in answers("nytprof", "", path=path) if word.isalpha()}
    for command in commands - {"help", "completions", "guide"}:
        ours, theirs = (
            set(answers(program, command, "--", path=path)) for program in ("nytprof", "pynytprof")
        )
        assert ours == theirs - {"--version"}, command


def test_no_completion_where_nothing_can_be_said(path: str) -> None:
    assert answers("nytprof", "summary", "--top", "", path=path) == []
    assert answers("nytprof", "nothing", "", path=path) == []
    assert answers("nytprof", path=path) == []
    assert answers("nytprof", "summary", "--sort", "--top", path=path) == []


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_unknown_shell_is_wrong_usage(program: str, path: str) -> None:
    command = shutil.which(program, path=path)
    for words in ([], ["csh"]):
        done = subprocess.run([str(command), "completions", *words], capture_output=True)
        assert (done.returncode, done.stdout) == (2, b"")


# ---- Manual pages ----


def manual(program: str, path: str) -> bytes:
    return said(program, "--man", path=path).encode()


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    "checker", [["mandoc", "-Tlint", "-Wall"], ["groff", "-man", "-ww", "-Tutf8", "-Z"]]
)
def test_roff_finds_no_fault(checker: list[str], program: str, path: str) -> None:
    if shutil.which(checker[0]) is None:
        pytest.skip(f"needs {checker[0]}")
    done = subprocess.run(checker, input=manual(program, path), capture_output=True)
    complaints = done.stderr + (done.stdout if checker[0] == "mandoc" else b"")
    assert (done.returncode, complaints.decode()) == (0, "")


@pytest.mark.parametrize("program", PROGRAMS_SLOWLY)
def test_the_manual_has_all_commands_and_options(program: str, path: str) -> None:
    page = re.sub(r"\\f[BIR]", "", manual(program, path).decode()).replace("\\-", "-")
    for title in ("SYNOPSIS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES", "SEE ALSO"):
        assert f"\n.SH {title}\n" in page
    for command in answers(program, "", path=path):
        if not command.isalpha() or command == "profile":
            continue
        assert f"{program} {command}" in page
        for option in answers(program, command, "--", path=path):
            assert option == "--help" or option in page
