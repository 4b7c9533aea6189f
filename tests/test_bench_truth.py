"""bench/bench_truth.py: what other profilers write is understood, and told without loss."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parent.parent / "bench"
sys.path.append(str(BENCH))

import truth_plot  # noqa: E402
import truth_profilers  # noqa: E402

RESULTS = {
    "python": "3.12.1", "rounds": 3, "load": False, "missing": {"Tachyon": "not there"},
    "cells": [
        {"kind": "small_calls", "share": 20, "errors": {"a": [1.0, -3.0, 2.0], "b": []}},
        {"kind": "methods", "share": 50, "errors": {"a": [-4.0, -5.0, -9.0], "b": [0.0]}},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    "stacks",
    [
        "<module> (truth_run.py:34);run (truth_run.py:25);methods (truth_kinds.py:45) 3\n"
        "<module> (truth_run.py:34);run (truth_run.py:27);other (truth_kinds.py:104) 1\n",
        "tid:7;truth_run.py:<module>:34;truth_run.py:run:25;truth_kinds.py:methods:45 3\n"
        "tid:7;truth_run.py:<module>:34;truth_run.py:run:27;truth_kinds.py:other:104 1\n",
    ],
    ids=["py-spy", "Tachyon"],
)
def test_stacks_of_samplers_are_added_up(stacks: str) -> None:
    assert truth_profilers.of_stacks(stacks, "methods") == 0.75
    with pytest.raises(ValueError, match="in the profile"):
        truth_profilers.of_stacks("tid:7;truth_run.py:<module>:1 9\n", "methods")


def test_profilers_that_are_not_there_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert truth_profilers.why_missing("cProfile") == ""
    monkeypatch.setitem(truth_profilers.PROFILERS, "yappi", (truth_profilers.yappi, "no_such_one"))
    assert truth_profilers.why_missing("yappi") == "no_such_one is not installed"


def test_tables_and_pictures_of_kept_results_are_whole(tmp_path: Path) -> None:
    (tmp_path / "kept.json").write_text(json.dumps(RESULTS))
    command = [sys.executable, str(BENCH / "bench_truth.py"), "--from", str(tmp_path / "kept.json")]
    command += ["--plot", str(tmp_path / "plot.svg")]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert "| small calls, 20 % | +1.0 (-3.0 to +2.0) | failed |" in lines
    assert "| **mean of medians** | 3.0 | 0.0 |" in lines
    assert "| worst single run | 9.0 | 0.0 |" in lines
    assert lines[-1] == "Not measured: Tachyon: not there"
    drawn = ElementTree.parse(tmp_path / "plot.svg").getroot()
    dots = [dot[0].text for dot in drawn.iter("{http://www.w3.org/2000/svg}circle")]
    assert dots == [
        "a, small calls, 20 %: +1.0",
        "a, methods, 50 %: -5.0",
        "b, methods, 50 %: +0.0",
    ]


def test_errors_stand_where_the_axis_says() -> None:
    ends = truth_plot.limits({"a": [("x", -12.0), ("y", 31.0)]})
    assert ends == (-20, 40)
    assert truth_plot.place(-20, ends) == truth_plot.LEFT
    assert truth_plot.place(40, ends) == truth_plot.WIDTH - truth_plot.RIGHT
