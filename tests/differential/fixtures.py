"""Profiles and oracles' answers, each made once a session."""

from __future__ import annotations

import contextlib
import json
import os
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chunks import INVARIANTS, Chunks, recorded
from views import PROGRAMS, View, oracle, profile

Make = Callable[[Path], object]
Shared = Callable[[str, Make], Path]


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """(name, maker) -> what the maker has made under that name, once for all workers of xdist.

    Who finds it missing makes it; should two do so at a time, the first one's stays.
    """
    base = tmp_path_factory.getbasetemp()
    own = tmp_path_factory.mktemp("made")
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder = base / "shared"
    folder.mkdir(exist_ok=True)

    def found(name: str, make: Make) -> Path:
        there = folder / name
        if not there.exists():
            make(own / name)
            with contextlib.suppress(OSError):  # a folder is not put over another
                (own / name).rename(there)
        return there

    return found


@pytest.fixture(scope="session")
def profile_of(shared: Shared) -> Callable[[str, str], Path]:
    """(program, tracer) -> its profile."""

    def made(program: str, tracer: str) -> Path:
        target: list[str | Path] = [PROGRAMS / f"{program}.py"]
        return shared(f"{program}.{tracer}.out", lambda out: profile(out, target, tracer=tracer))

    return made


@pytest.fixture(scope="session")
def view_of(profile_of: Callable[[str, str], Path]) -> Callable[[str, str], View]:
    """(program, tracer) -> its profile through Perl's reader."""
    views: dict[tuple[str, str], View] = {}

    def seen(program: str, tracer: str) -> View:
        key = program, tracer
        if key not in views:
            views[key] = View(profile_of(*key))
        return views[key]

    return seen


@pytest.fixture(scope="session")
def oracle_of(shared: Shared) -> Callable[[str, str], Any]:
    """(method, program) -> what the standard library counted."""
    answers: dict[tuple[str, str], Any] = {}

    def asked(method: str, program: str) -> Any:
        key = method, program
        if key not in answers:
            path = PROGRAMS / f"{program}.py"
            answer = shared(f"{program}.{method}.json", lambda out: oracle(method, path, out))
            answers[key] = json.loads(answer.read_text(encoding="utf-8"))
        return answers[key]

    return asked


@pytest.fixture
def profiled(tmp_path: Path) -> Callable[[str], Chunks]:
    """Text of a program -> its profile by the C tracer, in which all that must hold does."""

    def made(text: str) -> Chunks:
        program = tmp_path / "program.py"
        program.write_text(textwrap.dedent(text), encoding="utf-8")
        chunks = recorded(program, tmp_path, "c")
        for holds in INVARIANTS:
            holds(chunks)
        return chunks

    return made
