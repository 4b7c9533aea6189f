"""Profiles and oracles' answers, each made once a session."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from chunks import INVARIANTS, Chunks, recorded
from support import PROGRAMS, View, oracle, profile


@pytest.fixture(scope="session")
def profile_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Path]:
    """(program, tracer) -> its profile."""
    folder = tmp_path_factory.mktemp("profiles")

    def made(program: str, tracer: str) -> Path:
        out = folder / f"{program}.{tracer}.out"
        if not out.exists():
            profile(out, [PROGRAMS / f"{program}.py"], tracer=tracer)
        return out

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
def oracle_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Any]:
    """(method, program) -> what the standard library counted."""
    folder = tmp_path_factory.mktemp("oracles")
    answers: dict[tuple[str, str], Any] = {}

    def asked(method: str, program: str) -> Any:
        key = method, program
        if key not in answers:
            answers[key] = oracle(method, PROGRAMS / f"{program}.py", folder / "answer.json")
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
