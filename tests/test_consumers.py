"""Our exports in the programs that they are for."""

from __future__ import annotations

import re
from pathlib import Path

import consumers
import pytest
from consumers import CONSUMERS, PROGRAMS, Consumer


@pytest.fixture(scope="module")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {
        name: consumers.profile_of(name, tmp_path_factory.mktemp(re.sub(r"\W", "-", name)))
        for name in PROGRAMS
    }


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*no call")
@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("consumer", CONSUMERS, ids=lambda consumer: consumer.id)
def test_a_consumer_takes_it(consumer: Consumer, program: str, profiles: dict[str, Path]) -> None:
    if not consumers.takes(consumer, program) or program not in (consumer.tested or PROGRAMS):
        return
    profile = profiles[program]
    try:
        consumer.check(consumers.export(profile, consumer.format), profile)
    except consumers.Missing as missing:
        pytest.skip(f"needs {missing}")


def test_the_table_has_all_of_them() -> None:
    """Versions are those of where it was made: ``python tests/consumers.py``."""
    table = consumers.TABLE.read_text()
    found = [tuple(line.split(" | ")[:2]) for line in table.splitlines() if line.startswith("| `")]
    assert [(name.removeprefix("| "), consumer) for name, consumer in found] == consumers.rows()
    assert all(program in table for program in PROGRAMS)
