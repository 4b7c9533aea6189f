"""What the profiler tells of its own work, when asked to by ``trace`` or ``PYNYTPROF_DEBUG``."""

from __future__ import annotations

import os
import sys

_trace = 0
_log = ""


def configure(trace: int, log: str) -> None:
    """``trace`` above 0 asks for the talk; ``log`` is a file for it, instead of stderr."""
    global _trace, _log
    _trace, _log = trace, os.path.abspath(log) if log else ""


def wanted() -> bool:
    """Whether anybody asked for it."""
    return _trace > 0 or os.environ.get("PYNYTPROF_DEBUG", "0") not in ("", "0")


def say_if_wanted(message: str) -> None:
    """:func:`say`, if anybody asked for it."""
    if wanted():
        say(message)


def complain(message: str) -> None:
    """One line on stderr, if there is one."""
    try:
        sys.stderr.write(f"pynytprof: {message}\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        pass


def say(message: str) -> None:
    """One line of talk. That it can't be written is no reason to disturb the program."""
    line = f"pynytprof: {message}\n"
    try:
        if not _log:
            sys.stderr.write(line)
            sys.stderr.flush()
            return
        with open(_log, "a", encoding="utf-8", errors="replace") as file:
            file.write(line)
    except (OSError, ValueError, AttributeError):
        pass
