"""Mirrors ext/trace/trace.h: the words that all modules of the tracer in Python use.

Who uses whom, from the top; each bears the name of its twin in ext/trace:

    tracer           the type PyTracer (module.c)
    calibrate        what an event costs
    engine_settrace  sys.settrace, sys.setprofile -> enter, leave, line
    deadline         what is due at an event: snapshots
    emit             tables -> chunks
    lane             lanes: what runs now; enter, leave, line, settle
    code             from a code object or C function to what is known of it
    graph            the tree of call paths, the figures of edges

    source           files: which are traced, their text
    blocks           which block each line of a text stands in
    chunks           the payloads of chunks (also lib/format/chunks.c)
    clock, names, options, paths

lib/format/writer.c has its twin here, too: writer.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Sequence
from typing import Any

COUNT, EXCL, CALLS = range(3)
"""Fields of a line's figures: times started, exclusive ns, inclusive ns of calls made on it."""

NS_PER_TICK = 100

LineKey = tuple[int, int, int]
"""fid, line, and with ``blocks`` the sub, else 0."""

TraceFunction = Callable[[types.FrameType, str, Any], Any]


def add_figures(total: list[int], more: Sequence[int]) -> None:
    """Adds figures to others of the same kind, field by field."""
    for i, value in enumerate(more):
        total[i] += value
