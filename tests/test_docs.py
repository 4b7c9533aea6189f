"""What the documentation shows is what happens."""

from __future__ import annotations

import doctest
import os
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"


def test_the_examples_of_the_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    failures, tests = doctest.testfile(
        os.fspath(DOCS / "usage.md"), module_relative=False, encoding="utf-8"
    )
    assert failures == 0 and tests > 15
