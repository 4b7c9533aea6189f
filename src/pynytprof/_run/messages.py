"""What the profiler tells of its own work, when asked to by ``trace`` or ``PYNYTPROF_DEBUG``."""

from __future__ import annotations

import contextlib
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


def say(message: str) -> None:
    """One line of talk. That it can't be written is no reason to disturb the program."""
    line = f"pynytprof: {message}\n"
    with contextlib.suppress(OSError, ValueError, AttributeError):
        if not _log:
            sys.stderr.write(line)
            sys.stderr.flush()
            return
        with open(_log, "a", encoding="utf-8", errors="replace") as file:
            file.write(line)
