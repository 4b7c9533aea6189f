"""Mirrors ext/trace/calibrate.c: what an event of each kind costs.

Small programs are timed with and without events, and the difference is shared among the
events that came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .clock import Clock
from .code import Codes
from .deadline import Deadline
from .engine_settrace import Engine
from .graph import Graph
from .lane import Lanes
from .options import Options
from .source import FileTable

_EVENTS = 60
_ROUNDS = 7
_costs: dict[tuple[bool, bool, bool], dict[str, int]] = {}

_PROGRAMS = f"""
def lines():
    x = 0
{"    x = 1" + chr(10)}{("    x = 1" + chr(10)) * (_EVENTS - 2)}
def nothing():
    pass
def calls(f=nothing):
{("    f()" + chr(10)) * _EVENTS}
def c_calls(f=().__len__):
{("    f()" + chr(10)) * _EVENTS}
"""


def calibrated(options: Options) -> Mapping[str, int]:
    """ns that an event of each kind adds beyond what its two clock readings show."""
    kind = (options.stmts, options.c_functions, options.cpu)
    known = _costs.get(kind)
    if known is None:
        known = _costs[kind] = _calibrate(
            Options(stmts=options.stmts, slowops=int(options.c_functions), cpu=options.cpu,
                    include=("<calibration>",))
        )  # fmt: skip
    return known


def _calibrate(options: Options) -> dict[str, int]:
    work: dict[str, Any] = {"__name__": "calibration"}
    exec(compile(_PROGRAMS, "<calibration>", "exec"), work)
    cost = {
        name: _extra_time(work[name], options) // _EVENTS for name in ("lines", "calls", "c_calls")
    }
    line = cost["lines"] if options.stmts else 0
    call = max(cost["calls"] - 2 * line, 0)
    c_call = max(cost["c_calls"] - line, 0) if options.c_functions else 0
    return {
        "line": line,
        "enter": call // 2,
        "leave": call - call // 2,
        "c_enter": c_call // 2,
        "c_leave": c_call - c_call // 2,
        "none": 0,
    }


def _extra_time(function: Callable[[], object], options: Options) -> int:
    """ns by which a call of ``function`` seems longer when it is traced."""
    plain = min(_plain_time(function, options) for _ in range(_ROUNDS))
    traced = min(_traced_time(function, options) for _ in range(_ROUNDS))
    return max(traced - plain, 0)


def _plain_time(function: Callable[[], object], options: Options) -> int:
    now = Clock(options.cpu).now
    began = now()
    function()
    return now() - began


def _traced_time(function: Callable[[], object], options: Options) -> int:
    """ns that a tracer which knows of no cost yet charges to a call of ``function``."""
    clock = Clock(options.cpu)
    codes = Codes(FileTable(options))
    lanes = Lanes(options, clock, codes, Graph(options.max_tree_nodes))
    engine = Engine(options, clock, lanes, Deadline(clock, lanes))
    engine.running = True
    lane = lanes.of_thread()
    engine.start_here()
    function()
    engine.stop_here()
    return lane.elapsed
