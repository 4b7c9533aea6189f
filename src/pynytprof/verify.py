"""Is a profile sound? The rules are libnytprof's."""

from __future__ import annotations

import enum
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from . import _cread

__all__ = ["Finding", "Severity", "Verdict", "findings", "main", "verify"]

StrPath = str | bytes | os.PathLike[str] | os.PathLike[bytes]


class Severity(enum.IntEnum):
    """How bad a finding is."""

    ODD = 0
    """Unusual, harmless."""
    WARNED = 1
    """Incomplete, or Perl's tools warn about it or report it wrongly."""
    FATAL = 2
    """Perl's tools refuse the file, or crash."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One departure from what a sound profile obeys."""

    severity: Severity
    rule: str
    """The rule's name, such as ``fid-gap``."""
    offset: int
    """In bytes, in the file or in what its compressed part inflates to."""
    inflated: bool
    """Which of the two."""
    record: int
    """Number of the record; the banner is 0."""
    text: str

    def __str__(self) -> str:
        place = " of the inflated data" if self.inflated else ""
        return f"{self.text} at offset {self.offset}{place}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a file."""

    records: int
    """That could be read, the banner included."""
    findings: tuple[Finding, ...]

    @property
    def sound(self) -> bool:
        """True if nothing worse than odd was found."""
        return self.worst is None

    @property
    def worst(self) -> Finding | None:
        """The first of the gravest faults; None: there is none."""
        faults = [finding for finding in self.findings if finding.severity != Severity.ODD]
        return max(faults, key=lambda finding: finding.severity, default=None)


def findings(path: StrPath) -> Verdict:
    """Judges a file. Raises OSError if it can't be read."""
    records, found = _cread.verify(path)
    return Verdict(records, tuple(map(_finding, found)))


def _finding(raw: _cread.Finding) -> Finding:
    return Finding(
        severity=Severity(raw.severity),
        rule=raw.rule,
        offset=raw.offset,
        inflated=raw.inflated,
        record=raw.record,
        text=raw.text,
    )


def verify(path: StrPath, quiet: bool = False) -> bool:
    """True if the file is sound. Says so in a line on stdout; `quiet`: only if it is not."""
    verdict = findings(path)
    name = os.fsdecode(path)
    if verdict.worst is not None:
        print(f"{name} \u2717 {verdict.records} records: {verdict.worst}")
    elif not quiet:
        print(f"{name} \u2713 {verdict.records} records")
    return verdict.sound


def main(argv: Sequence[str] | None = None) -> int:
    """``python -m pynytprof.verify [-q] FILE...``: the command; returns its exit status."""
    return _cread.run(["verify", *(sys.argv[1:] if argv is None else argv)])


if __name__ == "__main__":
    sys.exit(main())
