"""Compressed sources are kept for a program's next run; profiles are right whatever is there."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from support import PYTHON, environment, run

import pynytprof


def large_program(folder: Path, seed: int = 1) -> Path:
    """One whose text does not compress well."""
    words = random.Random(seed)
    lines = [f"x = {words.getrandbits(256)}" for _ in range(1500)]
    path = folder / "program.py"
    path.write_text("\n".join(lines) + "\n")
    return path


def profile(program: Path, home: Path, *options: str) -> str:
    """Profiles it; the text that the profile has of it."""
    out = program.with_suffix(".out")
    done = run(
        [PYTHON, "-m", "pynytprof", "-q", *options, "-o", out, program],
        XDG_CACHE_HOME=str(home),
        PYNYTPROF_TRACER="c",
    )
    assert (done.returncode, done.stderr) == (0, "")
    files = pynytprof.open_profile(out).files.values()
    (text,) = (file.source for file in files if file.name == str(program))
    return "".join(text[line] for line in sorted(text))


def kept(home: Path) -> list[Path]:
    return sorted((home / "pynytprof").glob("sources-*"))


def test_it_is_kept_and_used(tmp_path: Path) -> None:
    program = large_program(tmp_path)
    assert profile(program, tmp_path) == program.read_text()
    (file,) = kept(tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    os.utime(file, (file.stat().st_atime, file.stat().st_mtime - 1000))
    written = file.stat().st_mtime
    assert profile(program, tmp_path) == program.read_text()
    assert file.stat().st_mtime == written  # nothing had to be compressed
    large_program(tmp_path, seed=2)
    assert profile(program, tmp_path) == program.read_text()
    assert file.stat().st_mtime > written
    assert kept(tmp_path) == [file]


def settle(*files: Path) -> None:
    """The state of a file that was written just now tells nothing yet."""
    newest = max(file.stat().st_ctime for file in files)
    while time.time() < newest + 4:
        time.sleep(0.1)


def told_of_files(program: Path, home: Path) -> list[str]:
    """What the log says of chunks of files."""
    command = [PYTHON, "-m", "pynytprof", "-q", "--set", "trace=1", str(program)]
    done = run(command, cwd=home, XDG_CACHE_HOME=str(home), PYNYTPROF_TRACER="c")
    assert done.returncode == 0, done.stderr
    return [line for line in done.stderr.splitlines() if "chunk F" in line]


def test_a_file_that_is_as_it_was_is_not_read(tmp_path: Path) -> None:
    program = large_program(tmp_path)
    settle(program)
    first, second = (told_of_files(program, tmp_path) for _ in range(2))
    assert not any("of an earlier run" in line for line in first)
    assert any("of an earlier run: 1, " in line for line in second)
    assert profile(program, tmp_path) == program.read_text()


def test_another_text_of_the_same_size_and_time_is_seen(tmp_path: Path) -> None:
    program = large_program(tmp_path)
    settle(program)
    before = profile(program, tmp_path)
    assert profile(program, tmp_path) == before
    state = program.stat()
    program.write_text(before.replace("x = ", "y = "))
    os.utime(program, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert profile(program, tmp_path) == program.read_text() != before
    settle(program)
    assert profile(program, tmp_path) == program.read_text()
    assert profile(program, tmp_path) == program.read_text()


def test_a_forked_child_and_blocks_have_the_text_as_well(tmp_path: Path) -> None:
    program = large_program(tmp_path)
    fork = "import os\nif pid := os.fork():\n    os.waitpid(pid, 0)\n"
    fork += "def f():\n    for i in (1,):\n        len('')\nf()\n"
    program.write_text(fork + program.read_text())
    settle(program)
    for _ in range(2):
        assert profile(program, tmp_path, "--blocks") == program.read_text()
        (child,) = tmp_path.glob("program.out.*")
        files = pynytprof.open_profile(child).files.values()
        (text,) = (file.source for file in files if file.name == str(program))
        assert "".join(text[line] for line in sorted(text)) == program.read_text()
        child.unlink()


def test_what_is_used_counts_as_new(tmp_path: Path) -> None:
    """So that what makes room for others is what nobody needs."""
    program = large_program(tmp_path)
    profile(program, tmp_path)
    (file,) = kept(tmp_path)
    written = file.stat()
    os.utime(file, (written.st_atime, written.st_mtime - 7200))
    profile(program, tmp_path)
    assert file.stat().st_mtime >= written.st_mtime
    assert file.stat().st_ino == written.st_ino  # nothing had to be compressed


def test_kinds_of_runs_do_not_replace_each_others(tmp_path: Path) -> None:
    """Without C functions there is no file for these, and all others have other numbers."""
    program = large_program(tmp_path)
    program.write_text("len('')\nimport base64\n" + program.read_text())
    kinds = [[], ["--no-slowops"], ["--scope", "project"]]
    for options in kinds:
        profile(program, tmp_path, *options)
    files = kept(tmp_path)
    assert len(files) == len(kinds)
    for file in files:
        os.utime(file, (1e9, file.stat().st_mtime - 1000))
    written = [file.stat().st_mtime for file in files]
    for options in kinds:
        assert profile(program, tmp_path, *options) == program.read_text()
    assert [file.stat().st_mtime for file in files] == written


def test_none_is_kept_where_none_is_wanted(tmp_path: Path) -> None:
    program = large_program(tmp_path)
    assert profile(program, tmp_path, "--no-source-cache") == program.read_text()
    assert not kept(tmp_path)


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-100])


def change_a_byte(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def empty(file: Path) -> None:
    file.write_bytes(b"")


def replace(file: Path) -> None:
    file.write_text("something else\n" * 1000)


def link(file: Path) -> None:
    other = file.with_name("elsewhere")
    other.write_text("untouched")
    file.unlink()
    file.symlink_to(other)


def open_to_others(file: Path) -> None:
    file.chmod(0o666)


@pytest.mark.parametrize(
    "damage", [cut, change_a_byte, empty, replace, link, open_to_others], ids=lambda d: d.__name__
)
def test_what_is_damaged_or_foreign_is_made_anew(
    damage: Callable[[Path], None], tmp_path: Path
) -> None:
    program = large_program(tmp_path)
    profile(program, tmp_path)
    (file,) = kept(tmp_path)
    whole = file.read_bytes()
    damage(file)
    assert profile(program, tmp_path) == program.read_text()
    assert file.read_bytes() == whole
    assert not file.is_symlink()
    if damage is link:
        assert file.with_name("elsewhere").read_text() == "untouched"


def test_a_folder_that_others_may_write_to_is_not_used(tmp_path: Path) -> None:
    program = large_program(tmp_path)
    (tmp_path / "pynytprof").mkdir(mode=0o700)
    (tmp_path / "pynytprof").chmod(0o777)
    assert profile(program, tmp_path) == program.read_text()
    assert not kept(tmp_path)


@pytest.mark.parametrize("home", ["/proc", "/nowhere/at/all", "/dev/null"])
def test_no_folder_is_no_fault(home: str, tmp_path: Path) -> None:
    program = large_program(tmp_path)
    assert profile(program, Path(home)) == program.read_text()


def test_two_at_a_time_leave_one_whole_file(tmp_path: Path) -> None:
    program = large_program(tmp_path)
    both = [
        subprocess.Popen(
            [PYTHON, "-m", "pynytprof", "-q", "-o", tmp_path / f"{i}.out", program],
            env=environment(XDG_CACHE_HOME=str(tmp_path), PYNYTPROF_TRACER="c"),
        )
        for i in range(2)
    ]
    assert [process.wait() for process in both] == [0, 0]
    (file,) = kept(tmp_path)
    written = file.read_bytes()
    assert profile(program, tmp_path) == program.read_text()
    assert file.read_bytes() == written
