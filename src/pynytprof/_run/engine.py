"""Which tracer serves a session."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Mapping
from typing import Any

from .._pure.paths import PACKAGE_PREFIX
from . import messages as _talk
from .protocols import AnyTracer
from .settings import Settings, SettingsError, excluded_prefixes

try:
    from .. import _ctrace
except ImportError as error:
    _ctrace = None  # type: ignore[assignment]
    _why_not = str(error)

MAX_TREE_NODES = 1_000_000


def tracer_class(settings: Settings) -> Any:
    """The tracer that ``PYNYTPROF_TRACER`` (``c`` or ``py``) asks for, else the best one.

    With ``use_db_sub`` one that stands on ``sys.settrace``: from 3.12 on that in Python.
    """
    wanted = os.environ.get("PYNYTPROF_TRACER", "")
    if wanted not in ("", "c", "py"):
        raise SettingsError(f"PYNYTPROF_TRACER={wanted}: it must be c or py")
    in_python = settings.use_db_sub and sys.version_info >= (3, 12)
    if in_python and wanted == "c":
        raise SettingsError(
            "PYNYTPROF_TRACER=c: the tracer in C does not use sys.settrace (use_db_sub) on "
            "Python 3.12 and later"
        )
    if wanted != "py" and not in_python:
        if _ctrace is not None:
            return _ctrace.Tracer
        if wanted == "c":
            raise SettingsError(f"PYNYTPROF_TRACER=c: no C tracer: {_why_not}")
        warnings.warn(
            f"the C tracer can't be loaded ({_why_not}); the one in Python is much slower",
            RuntimeWarning,
            stacklevel=2,
        )
    from .._pure.tracer import PyTracer  # large: only who wants it loads it

    return PyTracer


def new_tracer(settings: Settings, sources: Mapping[str, str] | None) -> AnyTracer:
    tracer: AnyTracer = tracer_class(settings)(
        stmts=settings.stmts,
        blocks=settings.blocks,
        subs=settings.subs,
        slowops=settings.slowops,
        include=settings.include,
        exclude=settings.exclude,
        exclude_prefixes=excluded_prefixes(settings.scope),
        hide_prefix=PACKAGE_PREFIX,
        raw=settings.raw,
        max_tree_nodes=MAX_TREE_NODES if settings.calls else 0,
        savesrc=settings.savesrc,
        sources=sources,
        cpu=settings.clock == "cpu",
        exact_lines=settings.exactlines,
        gc=settings.gc,
    )
    if _talk.wanted():
        _talk.say(f"tracer: {type(tracer).__module__}.{type(tracer).__name__}")
    return tracer
