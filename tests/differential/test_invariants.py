"""What must hold among the numbers of one profile, looked at before any writer touches them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import pytest
from chunks import INVARIANTS, Chunks, decode
from support import HERE, PROGRAMS, TRACERS, program_names, run


@pytest.fixture(scope="module")
def chunks_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Chunks]:
    folder = tmp_path_factory.mktemp("chunks")
    made: dict[tuple[str, str], Chunks] = {}

    def recorded(program: str, tracer: str) -> Chunks:
        key = program, tracer
        if key not in made:
            out = folder / f"{program}.{tracer}.json"
            done = run(
                [sys.executable, HERE / "record_chunks.py", PROGRAMS / f"{program}.py", out],
                PYNYTPROF_TRACER=tracer,
            )
            assert (done.returncode, done.stderr) == (0, "")
            made[key] = decode(json.loads(out.read_text(encoding="utf-8")))
        return made[key]

    return recorded


ChunksOf = Callable[[str, str], Chunks]
pytestmark = [
    pytest.mark.parametrize("tracer", TRACERS),
    pytest.mark.parametrize("program", program_names()),
]


@pytest.mark.parametrize("holds", INVARIANTS, ids=lambda check: check.__name__)
def test_invariant(
    holds: Callable[[Chunks], None], program: str, tracer: str, chunks_of: ChunksOf
) -> None:
    holds(chunks_of(program, tracer))
