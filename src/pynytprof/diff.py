"""What changed from one profile to another.

    diff = compare("before.out", "after.out")
    for sub in sorted(diff.subs, key=lambda sub: sub.excl_change, reverse=True)[:10]:
        print(sub.name, sub.count_change, sub.excl_change)
    assert not diff.check("total>+5%").met
    diff = compare(["a1.out", "a2.out"], ["b1.out", "b2.out"], take="median")

Code may have moved, and the two may be of different checkouts: ``docs/tools.md`` tells what is
matched with what. All times are seconds.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from . import _cread, convert, reader
from ._cread import ProfileError, Side, Total

__all__ = ["Change", "Check", "Diff", "ProfileError", "Side", "Total", "compare"]

StrPath = str | os.PathLike[str]
Take = Literal["least", "median"]
TAKES: dict[Take, int] = {"least": 0, "median": 1}


@dataclass(frozen=True, slots=True)
class Change:
    """A line, sub or call edge in both profiles; None: it is not in this one."""

    before: Side | None
    after: Side | None

    @property
    def name(self) -> str | None:
        """The later one's name."""
        side = self.after or self.before
        return side.name if side else None

    @property
    def count_change(self) -> int:
        """How many more there are now."""
        return (self.after.count if self.after else 0) - (self.before.count if self.before else 0)

    @property
    def incl_change(self) -> float:
        """Inclusive time that was added."""
        return (self.after.incl if self.after else 0.0) - (self.before.incl if self.before else 0.0)

    @property
    def excl_change(self) -> float:
        """Exclusive time that was added."""
        return (self.after.excl if self.after else 0.0) - (self.before.excl if self.before else 0.0)


class Check(NamedTuple):
    """What became of a condition."""

    met: bool
    text: str
    """The condition, and the figures that decided."""


class Diff:
    """Two profiles, or the runs of two sides, matched: see :func:`compare`."""

    def __init__(
        self, before: Sequence[str], after: Sequence[str], *, take: Take, **how: Any
    ) -> None:
        one, two = (
            tuple(_cread.Profile(path, **how) for path in paths) for paths in (before, after)
        )
        self._raw = _cread.Diff(one, two, TAKES[take])
        self._before, self._after = before[0], after[0]
        self.incomplete = [
            path
            for path, raw in zip((*before, *after), one + two, strict=True)
            if not raw.totals().complete
        ]
        """The paths of those profiles that break off, or in which a process did not end."""

    def _entries(self, kind: int) -> list[Change]:
        return [Change(before, after) for before, after in self._raw.entries(kind)]

    @property
    def lines(self) -> list[Change]:
        """All lines that ran in one of the profiles."""
        return self._entries(0)

    @property
    def subs(self) -> list[Change]:
        """All subs that were called in one of the profiles."""
        return self._entries(1)

    @property
    def calls(self) -> list[Change]:
        """All call edges: one sub (or several that share a line) calling another."""
        return self._entries(2)

    @property
    def totals(self) -> dict[str, Total]:
        """The figures of whole profiles by their names in conditions."""
        return {total.name: total for total in self._raw.totals()}

    def check(self, condition: str) -> Check:
        """Judges a condition such as ``total>+5%``; ``docs/tools.md`` has the grammar.

        Raises ValueError if it is malformed, or names what is in neither profile.
        """
        out = io.BytesIO()
        met = self._raw.check(condition, out.write)
        return Check(met, out.getvalue().decode("utf-8", "replace"))

    def _report(self, conditions: Sequence[str], **options: Any) -> str:
        out = io.BytesIO()
        self._raw.report(out.write, conditions=tuple(conditions), before=self._before,
                         after=self._after, **options)  # fmt: skip
        return out.getvalue().decode("utf-8", "replace")

    def text(
        self,
        *,
        top: int = 15,
        sort: convert.Sort = "time",
        width: int = 100,
        colour: bool = False,
        min_change: str | None = None,
        conditions: Sequence[str] = (),
    ) -> str:
        """What changed most, for terminals. Times that changed by less than ``min_change``,
        ``5%,100us`` unless it is given, count as the same."""
        return self._report(conditions, top=top, sort=convert.SORTS[sort], width=width,
                            colour=colour, min_change=min_change)  # fmt: skip

    def markdown(
        self,
        *,
        top: int = 15,
        sort: convert.Sort = "time",
        min_change: str | None = None,
        conditions: Sequence[str] = (),
    ) -> str:
        """The same as tables for a pull request."""
        return self._report(conditions, top=top, sort=convert.SORTS[sort], markdown=True,
                            min_change=min_change)  # fmt: skip

    def json(
        self,
        *,
        top: int = 0,
        sort: convert.Sort = "time",
        min_change: str | None = None,
        conditions: Sequence[str] = (),
    ) -> str:
        """The same as one JSON object; all of it unless ``top`` is given."""
        return self._report(conditions, top=top, sort=convert.SORTS[sort], json=True,
                            min_change=min_change)  # fmt: skip


def _paths(side: StrPath | Sequence[StrPath]) -> list[str]:
    paths = [side] if isinstance(side, str | os.PathLike) else side
    return [os.fspath(path) for path in paths]


def compare(
    before: StrPath | Sequence[StrPath],
    after: StrPath | Sequence[StrPath],
    *,
    take: Take = "least",
    keep_evals: bool = False,
    salvage: bool = False,
    only: Sequence[str] = (),
    exclude: Sequence[str] = (),
    scope: reader.Scope = "all",
) -> Diff:
    """Reads two profiles, or several runs of each side, and matches them.

    Of the times of several runs those that `take` names count, and one has changed only if all of
    one side's are beyond the other's. The other options are those of :func:`.reader.read`. Raises
    OSError, ProfileError; ValueError if a side is empty.
    """
    sides = _paths(before), _paths(after)
    if not all(sides):
        raise ValueError("there is nothing to compare")
    return Diff(
        *sides,
        take=take,
        keep_evals=keep_evals,
        salvage=salvage,
        only=tuple(only),
        exclude=tuple(exclude),
        reach=reader.SCOPES[scope],
    )
