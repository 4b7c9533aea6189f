"""Mirrors ext/trace/module.c: the tracer in Python, where that in C can't run; its oracle."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .calibrate import calibrated
from .chunks import WriteChunk
from .clock import Clock
from .code import Codes
from .deadline import Deadline
from .emit import Emitter
from .engine_settrace import NAME, Engine
from .graph import Graph
from .lane import Lanes
from .options import Options
from .source import FileTable


class PyTracer:
    """Counts and times what the program runs between :meth:`start` and :meth:`stop`.

    The arguments are those of :class:`.options.Options`.
    """

    def __init__(self, **options: Any) -> None:
        self._options = Options(**options)
        self._clock = Clock(self._options.cpu)
        self._files = FileTable(self._options)
        self._codes = Codes(self._files)
        self._graph = Graph(self._options.max_tree_nodes if self._options.subs else 0)
        self._lanes = Lanes(self._options, self._clock, self._codes, self._graph)
        self._deadline = Deadline(self._clock, self._lanes)
        self._engine = Engine(self._options, self._clock, self._lanes, self._deadline)
        self._emitter = Emitter(
            self._options, self._clock, self._files, self._codes, self._graph, self._lanes
        )

    @property
    def running(self) -> bool:
        """Whether it counts."""
        return self._engine.running

    def start(self, *, open_frames: bool = True) -> None:
        """Begins, or goes on, counting in all threads that Python lets us reach.

        Frames that are open are found, not counted as calls; with ``open_frames`` false those
        of this thread are passed over: they are not the program's. Raises RuntimeError where
        another tracer (a debugger, coverage) is at work.
        """
        if self.running:
            return
        self._engine.refuse_company()
        if not self._options.raw and not any(self._lanes.costs.values()):
            self._lanes.costs = dict(calibrated(self._options))
        self._lanes.begin_run()
        self._engine.running = True
        self._lanes.of_thread(open_frames=open_frames)
        self._engine.start()

    def stop(self) -> None:
        """Pauses: the tables stay, open frames hand over what they have run."""
        if not self.running:
            return
        self._lanes.settled = time.perf_counter_ns()
        self._engine.running = False
        self._engine.stop()
        self._lanes.leave_all()

    def forget(self) -> None:
        """Forgets all figures, as in a process just forked; what is known of files and code stays.

        While running: the next event finds what is open, as at the start.
        """
        self._graph.forget()
        self._lanes.forget()
        self._engine.errors = 0

    def on_interval(self, seconds: float, function: Callable[[], object]) -> None:
        """Calls ``function`` at an event about every ``seconds`` while running.

        The time it takes is nobody's. ``seconds`` 0 ends that.
        """
        self._deadline.set(seconds, function)

    def line_hits(self) -> dict[tuple[int, int], list[int]]:
        """(fid, line) -> [count, inclusive ticks, exclusive ticks], of all threads."""
        self._settle()
        return self._emitter.line_hits()

    def emit(self, write_chunk: WriteChunk, header: bytes) -> None:
        """Hands the whole profile, as it is now, to ``write_chunk``.

        ``header`` is the first ``P`` chunk's encoded pairs; ``!calls`` becomes 0 if the call
        tree holds no time. Works while running too: open frames count with what they have run
        so far. What ``write_chunk`` raises comes through.
        """
        began, before = time.perf_counter_ns(), self._clock.now()
        self._settle()
        self._emitter.emit(write_chunk, header, began)
        self._lanes.forgive(self._clock.now() - before)

    def _settle(self) -> None:
        if self.running:
            self._lanes.settled = time.perf_counter_ns()
        self._lanes.settle()

    def facts(self) -> dict[str, int | str]:
        """What is worth telling of this run."""
        lanes, costs = self._lanes.list, self._lanes.costs
        return {
            "engine": NAME,
            "clock": self._clock.name,
            "files": len(self._files.files),
            "codes": len(self._codes),
            "edges": len({key for lane in lanes for key in list(lane.edges)}),
            "paths": self._graph.nodes,
            "lanes": len(lanes),
            "resyncs": self._lanes.resyncs,
            "folded_calls": self._graph.folds,
            "uncounted_lines": self._emitter.uncounted_lines(),
            "internal_errors": self._engine.errors,
            "ns_per_line": costs["line"],
            "ns_per_call": costs["enter"] + costs["leave"],
            "ns_per_c_call": costs["c_enter"] + costs["c_leave"],
        }
