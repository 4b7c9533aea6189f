"""Version and day of release stand in meson.build; everything else has them from there."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import pynytprof

TOP = Path(__file__).parent.parent


def in_meson_build(pattern: str) -> str:
    found = re.findall(pattern, (TOP / "meson.build").read_text(), re.MULTILINE)
    assert len(found) == 1, found
    return str(found[0])


VERSION = in_meson_build(r"^project\([^)]*?\bversion: '([^']+)'")
RELEASED = in_meson_build(r"^release_date = '(\d{4}-\d\d-\d\d)'")


def program(name: str) -> list[str]:
    if name == "pynytprof":
        return [sys.executable, "-m", "pynytprof"]
    found = os.environ.get("NYTPROF_BIN") or shutil.which("nytprof")
    if not found:
        pytest.skip("needs the program nytprof: set NYTPROF_BIN")
    return [found]


def says(name: str, *words: str) -> str:
    done = subprocess.run([*program(name), *words], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("name", ["nytprof", "pynytprof"])
def test_the_programs_say_their_version(name: str) -> None:
    assert says(name, "--version") == f"{name} {VERSION}\n"


@pytest.mark.parametrize("name", ["nytprof", "pynytprof"])
def test_the_manual_pages_have_version_and_day(name: str) -> None:
    heads = [line for line in says(name, "--man").splitlines() if line.startswith(".TH")]
    assert heads == [f'.TH {name.upper()} 1 "{RELEASED}" "pynytprof {VERSION}"']


def test_the_package_knows_its_version() -> None:
    assert pynytprof.__version__ == VERSION
    assert importlib.metadata.version("pynytprof") == VERSION


def test_the_changelog_tells_of_this_version() -> None:
    text = (TOP / "CHANGELOG.md").read_text(encoding="utf-8")
    heads = re.findall(r"^## \[(\d[^\]]*)\] - (\S+)$", text, re.MULTILINE)
    assert heads[0] == (VERSION, RELEASED)


def test_no_other_source_has_the_version_by_hand() -> None:
    kinds = ("*.py", "*.pyi", "*.c", "*.toml", "*.in")
    folders = [TOP / "src", TOP / "cli", TOP / "ext", TOP / "lib"]
    files = [p for folder in folders for kind in kinds for p in folder.rglob(kind)]
    made = TOP / "src" / "pynytprof" / "_version.py"  # by an editable installation
    assert [
        path
        for path in [*files, TOP / "pyproject.toml"]
        if path != made and f'"{VERSION}"' in path.read_text(encoding="utf-8")
    ] == []
