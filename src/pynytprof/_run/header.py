"""What a profile says of itself: comments, attributes, options, in the order that Perl has."""

from __future__ import annotations

import platform
from typing import Any

from .._pure import chunks as _chunks
from .._version import VERSION
from .processes import RUN_ATTRIBUTE
from .settings import Settings

TICKS_PER_SECOND = 10_000_000

# Found out here, because it takes code of the standard library, which a profile would show.
_PYTHON_VERSION = platform.python_version()
_IMPLEMENTATION = platform.python_implementation()


def _one_line(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n")


_CLOCK_IDS = {"wall": 1, "cpu": 3}
"""The system's numbers: CLOCK_MONOTONIC and CLOCK_THREAD_CPUTIME_ID."""

_TELLING = {
    "uncounted_lines": "lines have time but no count: their frames were open at the start",
    "resyncs": "times the call stack was found out of step and set right",
    "folded_evals": "evals of more texts than can be told apart: lines that ran most share a file",
    "folded_calls": "calls went past the call tree's limit: the flame graph is folded",
    "internal_errors": "errors in the profiler itself: some events are lost",
    "disturbed": "time another tool took pynytprof's place in sys.monitoring: what came after is "
    "missing",
}
"""What the numbers of a profile can't tell by themselves, by the tracer's name for it."""


def header(
    settings: Settings, application: str, basetime: float, notes: list[str], run: str
) -> bytes:
    """The first ``P`` chunk's pairs; attributes and options in the order that Perl has.

    ``run`` marks the profile of a process that another one's run has led to.
    """
    attributes: dict[str, str | int] = {
        "basetime": int(basetime),
        "application": application,
        "perl_version": _PYTHON_VERSION,
        "nv_size": 8,
        "xs_version": VERSION,
        "PL_perldb": 0,
        "clock_id": _CLOCK_IDS[settings.clock],
        "ticks_per_sec": TICKS_PER_SECOND,
    }
    if run:
        attributes[RUN_ATTRIBUTE] = run
    options: dict[str, str | int] = {
        "usecputime": 0,
        "subs": int(settings.subs),
        "blocks": int(settings.blocks and settings.stmts),
        "leave": 1,
        "expand": 0,
        "trace": settings.trace,
        "use_db_sub": int(settings.use_db_sub),
        "compress": settings.compress,
        "clock": _CLOCK_IDS[settings.clock],
        "stmts": int(settings.stmts),
        "slowops": settings.slowops,
        "findcaller": 0,
        "forkdepth": settings.forkdepth,
        "perldb": 0,
        "nameevals": 1,
        "nameanonsubs": 1,
        "calls": int(settings.calls and settings.subs),
        "evals": 0,
    }
    maker = f"Python profile by pynytprof {VERSION}, {_IMPLEMENTATION} {_PYTHON_VERSION}"
    pairs = [("#", comment) for comment in (maker, *notes)]
    pairs += [(f":{key}", str(value)) for key, value in attributes.items()]
    pairs += [(f"!{key}", str(value)) for key, value in options.items()]
    return _chunks.pairs((key, _one_line(value)) for key, value in pairs)


def notes(facts: dict[str, Any], note: str) -> list[str]:
    """The comments that tell of a run, and ``note`` if there is one."""
    told = [f"Engine {facts['engine']}, clock {facts['clock']}"]
    told += [f"{facts[key]} {text}" for key, text in _TELLING.items() if facts.get(key)]
    return told + ([note] if note else [])
