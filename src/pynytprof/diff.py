"""What changed from one profile to another.

    diff = compare("before.out", "after.out")
    for sub in sorted(diff.subs, key=lambda sub: sub.excl_change, reverse=True)[:10]:
        print(sub.name, sub.count_change, sub.excl_change)
    assert not diff.check("total>+5%").met

Code may have moved, and the two may be of different checkouts: ``docs/tools.md`` tells what is
matched with what. All times are seconds.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from . import _cread, convert
from ._cread import ProfileError, Side, Total

__all__ = ["Change", "Check", "Diff", "ProfileError", "Side", "Total", "compare"]

StrPath = str | os.PathLike[str]


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
    """Two profiles, matched: see :func:`compare`."""

    def __init__(self, before: str, after: str, *, keep_evals: bool, salvage: bool) -> None:
        one, two = (
            _cread.Profile(path, keep_evals=keep_evals, salvage=salvage) for path in (before, after)
        )
        self._raw = _cread.Diff(one, two)
        self._before, self._after = before, after
        self.incomplete = [
            path for path, raw in ((before, one), (after, two)) if not raw.totals().complete
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


def compare(
    before: StrPath, after: StrPath, *, keep_evals: bool = False, salvage: bool = False
) -> Diff:
    """Reads two profiles and matches them.

    The options are those of :func:`.reader.read`. Raises OSError, ProfileError.
    """
    return Diff(os.fspath(before), os.fspath(after), keep_evals=keep_evals, salvage=salvage)
