"""The baseline: a text file with the exact work of each test, made to be read in a review.

    # pynytprof-baseline 1
    # python 3.12
    # options scope=project

    test tests/test_shop.py::test_total
    statements 3005
    calls 1001
    1000<TAB>0<TAB>shop.py<TAB>price<TAB>return n * 3

The numbers of a line are how often it ran and how many calls it made.
Tests stand in the order of their names and lines by place, so that a change shows as a change of
few lines. A file that can't be understood is an error that names the line; it is never overwritten.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .work import Counts, Place, Work

__all__ = ["Baseline", "BaselineError", "Kept", "read", "write"]

_FIRST = "# pynytprof-baseline 1"


class BaselineError(Exception):
    """What is wrong with a baseline; the message begins with FILE:LINE."""


@dataclass
class Kept:
    """The work of one test as the baseline has it."""

    statements: int
    calls: int
    lines: dict[Place, Counts] = field(default_factory=dict)

    @classmethod
    def of(cls, work: Work) -> Kept:
        return cls(work.statements, work.calls, work.counts())


@dataclass
class Baseline:
    """A whole file."""

    python: str
    """Version without the last number: counts of lines differ between versions."""
    options: str
    """What was profiled."""
    tests: dict[str, Kept] = field(default_factory=dict)


class _Lines:
    """A file's lines, one after the other, with what is needed to complain about one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._lines = path.read_text(encoding="utf-8").split("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise BaselineError(f"{path}: {error}") from error
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.number += 1
            yield line

    def wrong(self, what: str) -> BaselineError:
        return BaselineError(f"{self.path}:{self.number}: {what}")

    def count(self, text: str, what: str) -> int:
        """A number of a file that is not ours to trust."""
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise self.wrong(f"{text[:40]!r} is no {what}")
        return int(text)


def read(path: Path) -> Baseline:
    """Raises :class:`BaselineError`."""
    found = Baseline("", "")
    lines = _Lines(path)
    test: Kept | None = None
    for line in lines:
        if lines.number == 1:
            if line != _FIRST:
                raise lines.wrong(f"not a baseline of this version: expected {_FIRST!r}")
        elif line.startswith("# python "):
            found.python = line.removeprefix("# python ")
        elif line.startswith("# options "):
            found.options = line.removeprefix("# options ")
        elif line.startswith("test "):
            name = line.removeprefix("test ")
            if name in found.tests:
                raise lines.wrong(f"{name} is there twice")
            test = found.tests[name] = Kept(-1, -1)
        elif line and not line.startswith("#"):
            if test is None:
                raise lines.wrong("counts before the first test")
            _take(lines, line, test)
    for name, kept in found.tests.items():
        if kept.statements < 0 or kept.calls < 0:
            raise BaselineError(f"{path}: {name} lacks its totals: the file is cut off")
    return found


def _take(lines: _Lines, line: str, test: Kept) -> None:
    for total in ("statements", "calls"):
        if line.startswith(f"{total} "):
            if getattr(test, total) >= 0:
                raise lines.wrong(f"{total} are there twice")
            setattr(test, total, lines.count(line.removeprefix(f"{total} "), f"number of {total}"))
            return
    parts = line.split("\t", 4)
    if len(parts) != 5:
        raise lines.wrong("expected count, calls, file, function and text, with tabs between")
    count, calls = (lines.count(part, "count") for part in parts[:2])
    test.lines[Place(*parts[2:])] = Counts(count, calls)


def _text(baseline: Baseline) -> Iterator[str]:
    yield f"{_FIRST}\n# python {baseline.python}\n# options {baseline.options}\n"
    for name, kept in sorted(baseline.tests.items()):
        yield f"\ntest {name}\nstatements {kept.statements}\ncalls {kept.calls}\n"
        for place, (count, calls) in sorted(kept.lines.items()):
            clean = [part.replace("\t", " ").replace("\n", " ") for part in place]
            yield f"{count}\t{calls}\t" + "\t".join(clean) + "\n"


def write(path: Path, baseline: Baseline) -> None:
    """Replaces the file in one step. Raises OSError; then the old one is still there."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(_text(baseline))
        os.chmod(name, path.stat().st_mode & 0o777 if path.exists() else 0o644)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def updated(
    old: Baseline | None, new: Mapping[str, Kept], gone: set[str], fresh: Baseline
) -> Baseline:
    """``old`` with the tests that ran now replaced, and those of ``gone`` left out."""
    kept = {name: test for name, test in (old.tests if old else {}).items() if name not in gone}
    fresh.tests = {**kept, **new}
    return fresh
