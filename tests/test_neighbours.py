"""Other tools at work in the same process: each finds what it finds alone, and so do we.

In any order of start and stop: ``neighbours/drive.py`` goes through them.
"""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from test_runner import environment

HERE = Path(__file__).parent / "neighbours"
MONITORING = sys.version_info >= (3, 12)

if not find_spec("pynytprof._ctrace"):
    pytest.skip("no C tracer", allow_module_level=True)

before_312 = pytest.mark.skipif(MONITORING, reason="needs CPython before 3.12")
from_312 = pytest.mark.skipif(not MONITORING, reason="needs CPython 3.12 or later")


def run(arguments: list[str | Path], cwd: Path, *, stdin: str = "", **env: str) -> str:
    """Standard output; what is on standard error fails the test, but for pytest's own."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        env=environment(PYNYTPROF_TRACER="c", PYTHONDONTWRITEBYTECODE="1", **env),
        input=stdin,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout + done.stderr
    return done.stdout


@functools.cache
def driven(kind: str, mode: str, options: str) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(
        run([HERE / "drive.py", kind, mode], HERE, DRIVE_OPTIONS=options)
    )
    return found


EVERYWHERE = [
    "settrace", "quiet", "setprofile", "cprofile", "ctrace", "pytrace", "faulthandler",
]  # fmt: skip
KINDS = [
    *EVERYWHERE,
    *(pytest.param(kind, marks=from_312) for kind in ("sysmon", "monitoring")),
]


def check_each_order(kind: str, options: str) -> None:
    both, alone = driven(kind, "both", options), driven(kind, "alone", options)
    ours = driven("settrace", "ours", options)  # nobody is there, whatever its name
    assert len(both) == 4
    for order, found in both.items():
        assert found["neighbour"] == alone[order]["neighbour"], order
        assert found["ours"] == ours[order]["ours"], order
        assert found["neighbour"] and found["ours"]["lines"]


@pytest.mark.parametrize("kind", KINDS)
def test_neither_sees_the_other(kind: str) -> None:
    check_each_order(kind, "{}")


@pytest.mark.parametrize("kind", ["settrace", "setprofile", "cprofile", "ctrace"])
@before_312
def test_without_c_functions_nothing_of_ours_is_in_the_profile_functions_place(kind: str) -> None:
    check_each_order(kind, '{"slowops": 0}')
