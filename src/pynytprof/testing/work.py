"""The work of one test: how often each line ran and each function was called.

Counts come from CPython's own events, so they do not depend on the machine or its speed.
"""

from __future__ import annotations

import bisect
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from ..reader import Call, File, Line, Profile, Sub

__all__ = ["Counts", "LineWork", "Place", "Work", "of_profile"]


class Place(NamedTuple):
    """A line as it is found again after an edit elsewhere in its file."""

    file: str
    """Relative to pytest's root directory."""
    function: str
    text: str


class Counts(NamedTuple):
    """What a place did."""

    times: int = 0
    """How often it ran."""
    calls: int = 0
    """How many calls it made."""


@dataclass
class LineWork:
    """What one line did."""

    place: Place
    line: int
    count: int
    calls: int
    called: list[tuple[int, str]]
    """What it called: calls and name, most calls first."""
    seconds: float
    """Exclusive."""
    inclusive_seconds: float
    shared: bool = False
    """They are a share of a time that was measured for several lines together."""
    callers: list[tuple[int, str, str, int]] = field(default_factory=list)
    """Of the function around it: count, caller, the caller's file and line; most calls first."""


@dataclass
class Work:
    """What one phase of a test did: ``setup``, ``call`` or ``teardown``."""

    statements: int = 0
    calls: int = 0
    """Those made by the lines below."""
    seconds: float = 0.0
    """Of all lines and functions that were profiled."""
    lines: list[LineWork] = field(default_factory=list)
    profile: str = ""
    """Path of the file."""

    def plain(self) -> dict[str, Any]:
        """As what execnet and JSON can carry."""
        plain = asdict(self)
        for line in plain["lines"]:
            line["place"] = list(line["place"])
        return plain

    @classmethod
    def of_plain(cls, plain: dict[str, Any]) -> Work:
        """Undoes :meth:`plain`."""
        lines = [
            LineWork(
                **{
                    **line,
                    "place": Place(*line["place"]),
                    "called": [(n, name) for n, name in line["called"]],
                    "callers": [(n, who, where, at) for n, who, where, at in line["callers"]],
                }
            )
            for line in plain["lines"]
        ]
        return cls(**{**plain, "lines": lines})

    def counts(self) -> dict[Place, Counts]:
        """By place; lines of one function with the same text are one."""
        found: dict[Place, Counts] = {}
        for line in self.lines:
            known = found.get(line.place, Counts())
            found[line.place] = Counts(known.times + line.count, known.calls + line.calls)
        return found

    def hottest(self) -> LineWork | None:
        """The line that took most time by itself; None: there are none."""
        return max(self.lines, key=lambda line: line.seconds, default=None)


class _Ranges:
    """The functions of a file, to find the innermost one around a line."""

    def __init__(self, subs: Sequence[Sub]) -> None:
        known = [sub for sub in subs if sub.first and sub.last is not None]
        self._subs = sorted(known, key=lambda sub: (sub.first or 0, -(sub.last or 0)))
        self._firsts = [sub.first or 0 for sub in self._subs]

    def around(self, line: int) -> Sub | None:
        """None: no function is."""
        for sub in reversed(self._subs[: bisect.bisect_right(self._firsts, line)]):
            if (sub.last or 0) >= line:
                return sub
        return None


def _short(name: str, root: str) -> str:
    """A path as the baseline has it; what lies elsewhere stays absolute."""
    relative = os.path.relpath(name, root) if os.path.isabs(name) else name
    return name if relative.startswith(os.pardir) else relative


def _callers(sub: Sub | None, root: str) -> list[tuple[int, str, str, int]]:
    calls = sorted(sub.callers if sub else (), key=lambda call: call.count, reverse=True)
    return [
        (call.count, call.caller, _short(call.file.name, root) if call.file else "", call.line)
        for call in calls[:3]
    ]


def _of_line(line: Line, calls: list[Call], file: str, sub: Sub | None, root: str) -> LineWork:
    function = sub.name.rpartition("::")[2] if sub else ""
    return LineWork(
        Place(file, function, " ".join((line.source or f"line {line.line}").split())),
        line.line,
        line.count,
        sum(call.count for call in calls),
        sorted(((call.count, call.called) for call in calls), reverse=True)[:3],
        line.time,
        line.incl,
        line.shared,
        _callers(sub, root),
    )


def _is_projects(file: File) -> bool:
    """Not what dataclasses and their like make from text: its scope is that of who made it."""
    if file.is_eval:
        return file.parent is not None and any(line.count for line in file.parent.lines)
    return os.path.isabs(file.name)


def of_profile(profile: Profile, root: str) -> Work:
    """Adds up a profile; paths become relative to ``root``."""
    header = profile.header
    work = Work(header.statements - header.discounted, profile=profile.path)
    for file in profile.files.values():
        if file.merged_into or not _is_projects(file):
            continue
        ranges, name = _Ranges(file.subs), _short(file.name, root)
        calls: dict[int, list[Call]] = {}
        for call in file.calls:
            calls.setdefault(call.line, []).append(call)
        for line in file.lines:
            work.seconds += line.time
            made = calls.get(line.line, [])
            if line.count:  # else it was open when profiling began: the line that runs the tests
                work.calls += sum(call.count for call in made)
                work.lines.append(_of_line(line, made, name, ranges.around(line.line), root))
    return work
