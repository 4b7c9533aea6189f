"""Counts of lines and calls against the standard library's own, on programs made at random.

GENERATED_EXAMPLES=N tries N programs, other ones each time; without it a few, always the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from chunks import INVARIANTS, call_counts, decode, line_counts
from generated import programs
from hypothesis import HealthCheck, Phase, given, note, settings
from side_by_side import FILE
from support import environment
from views import EVAL, HERE, Sub, cprofile_label, differences, not_none

EXAMPLES = int(os.environ.get("GENERATED_EXAMPLES", "0"))


class Server:
    """side_by_side.py, started again after a crash."""

    def __init__(self, tracer: str, **variables: str) -> None:
        self._environment = environment(PYNYTPROF_TRACER=tracer, **variables)
        self._process: subprocess.Popen[str] | None = None

    def ask(self, text: str, **options: Any) -> dict[str, Any]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-X", "faulthandler", HERE / "side_by_side.py"],
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                encoding="utf-8",
            )
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"text": text, "options": options}) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            status = self._process.wait()
            self._process = None
            pytest.fail(f"the process that profiled has ended with status {status}")
        found: dict[str, Any] = json.loads(answer)
        return found

    def close(self) -> None:
        if self._process is not None:
            self._process.communicate()


@pytest.fixture(scope="module")
def c_server() -> Iterator[Server]:
    server = Server("c")
    yield server
    server.close()


@pytest.fixture(scope="module")
def py_server() -> Iterator[Server]:
    server = Server("py")
    yield server
    server.close()


def called(file: str) -> str:
    """The program's own evals share one name; those of others keep theirs."""
    return EVAL if file == "<generated>" or f"[{FILE}:" in file else file


def lines_by_settrace(found: dict[str, Any]) -> Counter[tuple[str, int]]:
    counts: Counter[tuple[str, int]] = Counter()
    for file, line, n in found["lines"]:
        counts[called(file), line] += n
    return counts


def calls_by_cprofile(found: dict[str, Any]) -> Counter[tuple[Sub | None, Sub]]:
    counts: Counter[tuple[Sub | None, Sub]] = Counter()
    for caller, callee, n in found["calls"]:
        counts[cprofile_label(caller, called), not_none(cprofile_label(callee, called))] += n
    return counts


def is_here(sub: Sub | None) -> bool:
    return sub is not None and sub[0] in {FILE, EVAL}


def lines_here(counts: Counter[tuple[str, int]]) -> Counter[tuple[str, int]]:
    return Counter({key: n for key, n in counts.items() if key[0] in {FILE, EVAL}})


def calls_here(counts: Counter[tuple[Sub | None, Sub]]) -> Counter[tuple[Sub | None, Sub]]:
    """Those with one end in the program, but for its start, which is the test's."""
    return Counter({
        (caller, callee): n
        for (caller, callee), n in counts.items()
        if callee != (FILE, 1, "<module>") and (is_here(caller) or is_here(callee))
    })  # fmt: skip


def compare(server: Server, text: str) -> None:
    note(text)
    check(server, text)


def check(server: Server, text: str) -> None:
    found = server.ask(text, raw=True, savesrc=False)
    chunks = decode(found["chunks"])
    lines, calls = line_counts(chunks, called), call_counts(chunks, called)
    wrong = differences(lines_here(lines), lines_here(lines_by_settrace(found)))
    wrong += differences(calls_here(calls), calls_here(calls_by_cprofile(found)))
    assert not wrong, wrong
    for holds in INVARIANTS:
        holds(chunks)


def examples(few: int) -> settings:
    return settings(
        max_examples=EXAMPLES or few,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )


@given(text=programs())
@examples(100)
def test_c_tracer(c_server: Server, text: str) -> None:
    compare(c_server, text)


# What is thrown into a delegating generator, and what dies with a frame on 3.10: see KNOWN in
# test_counts.py.
@pytest.mark.skipif(sys.version_info < (3, 11), reason="needs CPython 3.11 or later")
@given(text=programs(throws=False))
@examples(30)
def test_python_tracer(py_server: Server, text: str) -> None:
    compare(py_server, text)
