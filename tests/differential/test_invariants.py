"""What must hold among the numbers of one profile, looked at before any writer touches them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from chunks import INVARIANTS, Chunks, recorded
from support import TRACERS
from views import PROGRAMS, program_names


@pytest.fixture(scope="module")
def chunks_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Chunks]:
    folder = tmp_path_factory.mktemp("chunks")
    made: dict[tuple[str, str], Chunks] = {}

    def asked(program: str, tracer: str) -> Chunks:
        key = program, tracer
        if key not in made:
            made[key] = recorded(PROGRAMS / f"{program}.py", folder, tracer)
        return made[key]

    return asked


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
