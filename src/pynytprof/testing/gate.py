"""Whether a test does more work than its baseline says, and which line is the reason."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from .baseline import Kept
from .work import Counts, LineWork, Place, Work

__all__ = ["GrownLine", "Growth", "Tolerance", "called", "grown"]


@dataclass(frozen=True)
class Tolerance:
    """How much more is allowed: a share, a number, or the larger of both."""

    percent: float = 0.0
    number: int = 0

    @classmethod
    def of(cls, text: str) -> Tolerance:
        """``2%``, ``100`` or ``2%,100``. Raises ValueError."""
        percent, number = 0.0, 0
        for part in text.split(","):
            if re.fullmatch(r"\s*\d+(\.\d+)?%\s*", part):
                percent = float(part.strip().removesuffix("%"))
            elif re.fullmatch(r"\s*\d+\s*", part):
                number = int(part)
            else:
                raise ValueError(f"invalid tolerance {part!r}: expected 2%, 100 or 2%,100")
        return cls(percent, number)

    def allows(self, before: int, after: int) -> bool:
        return after - before <= max(before * self.percent / 100, self.number)


@dataclass(frozen=True)
class GrownLine:
    """A line that ran more often than before, or made more calls."""

    line: LineWork
    before: Counts
    after: Counts

    @property
    def more(self) -> int:
        """Executions and calls together."""
        return max(0, self.after.times - self.before.times) + max(
            0, self.after.calls - self.before.calls
        )

    def text(self) -> str:
        """One sentence."""
        did = []
        if self.after.times > self.before.times:
            did.append(f"ran {_more(self.before.times, self.after.times, 'time')}")
        if self.after.calls > self.before.calls:
            names = ", ".join(name for _, name in self.line.called)
            did.append(f"made {_more(self.before.calls, self.after.calls, 'call')} ({names})")
        return f"{self.line.place.file}:{self.line.line} {' and '.join(did)}"


@dataclass(frozen=True)
class Growth:
    """A test that does more work than before."""

    statements: tuple[int, int]
    """Before and after."""
    calls: tuple[int, int]
    lines: list[GrownLine]
    """The largest increase first."""

    def summary(self) -> str:
        """How much, in one line."""
        figures = ((self.statements, "statements"), (self.calls, "calls"))
        return ", ".join(
            _change(before, after, what) for (before, after), what in figures if after != before
        )

    def text(self) -> str:
        """A few lines: how much, which line, who calls it."""
        rows = [f"work grew: {self.summary()}"]
        for grown_line in self.lines[:3]:
            line = grown_line.line
            rows += [f"  {grown_line.text()}", f"      {line.place.text[:100]}"]
            if line.callers:
                rows.append(f"      {called(line)}")
        rows.append("  (counts are exact; --nytprof-update accepts them)")
        return "\n".join(rows)


def called(line: LineWork) -> str:
    """Who calls the function of a line."""
    who = "; ".join(
        f"{_counted(count, 'time')} by {caller or 'nobody'}" + (f" at {file}:{at}" if file else "")
        for count, caller, file, at in line.callers
    )
    return f"{line.place.function or 'the module'} was called {who}"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _change(before: int, after: int, what: str) -> str:
    share = f" ({100 * (after - before) / before:+.3g} %)" if before else ""
    return f"{before:,} -> {after:,} {what}{share}"


def _more(before: int, after: int, what: str) -> str:
    more = f", {after - before:,} more than before" if before else ", before none"
    return _counted(after, what) + more


def _paired(
    before: Mapping[Place, Counts], after: Mapping[Place, Counts]
) -> Mapping[Place, Counts]:
    """The counts before, with those of a line that was edited under its text of today."""
    found = dict(before)
    gone = [place for place in before if place not in after]
    for place in after:
        texts = {old.text: old for old in gone if old[:2] == place[:2]}
        if place not in before and texts:
            alike = difflib.get_close_matches(place.text, texts, n=1, cutoff=0.5)
            if alike:
                gone.remove(texts[alike[0]])
                found[place] = before[texts[alike[0]]]
    return found


def grown(before: Kept, work: Work, tolerance: Tolerance) -> Growth | None:
    """None: the test does no more than it may."""
    if tolerance.allows(before.statements, work.statements) and tolerance.allows(
        before.calls, work.calls
    ):
        return None
    counts = work.counts()
    old = _paired(before.lines, counts)
    heaviest: dict[Place, LineWork] = {}
    for line in sorted(work.lines, key=lambda line: line.count + line.calls):
        heaviest[line.place] = line
    lines = [
        GrownLine(line, old.get(place, Counts()), counts[place]) for place, line in heaviest.items()
    ]
    return Growth(
        (before.statements, work.statements),
        (before.calls, work.calls),
        sorted((line for line in lines if line.more), key=lambda line: line.more, reverse=True),
    )
