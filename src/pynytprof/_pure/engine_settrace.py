"""Mirrors ext/trace/engine_settrace.c: CPython's events -> enter, leave and line of the lanes.

``sys.settrace`` tells of lines and of frames that are entered and left, ``sys.setprofile`` of
C functions. Both are set thread by thread.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import types
from typing import Any

from .clock import Clock
from .deadline import Deadline
from .lane import Lane, Lanes
from .options import Options
from .trace import TraceFunction

NAME = "sys.settrace"

_OURS = os.path.dirname(__file__) + os.sep


class Engine:
    """The two hooks. ``errors`` counts what went wrong within them."""

    def __init__(self, options: Options, clock: Clock, lanes: Lanes, deadline: Deadline) -> None:
        self.running = False
        self.errors = 0
        self._now = clock.now
        self._lanes = lanes
        self._deadline = deadline
        self._stmts = options.stmts
        self._c_functions = options.c_functions
        self._raw = options.raw
        # One object each for the life of the engine, so that `is` can tell whether it is set.
        self._trace_function: TraceFunction = self._trace
        self._profile_function: TraceFunction = self._profile
        lanes.on_open_frame = self._watch_lines

    def refuse_company(self) -> None:
        """Raises RuntimeError where another tracer (a debugger, coverage) is at work."""
        holder = sys.gettrace() or (sys.getprofile() if self._c_functions else None)
        if holder is not None:
            kind = "trace" if sys.gettrace() else "profile"
            raise RuntimeError(
                f"another {kind} function is at work ({holder!r}): a debugger, coverage or "
                "profiler; it must be switched off first"
            )

    def start(self) -> None:
        """Sets the hooks in all threads that Python lets us reach."""
        trace = self._trace_function
        profile = self._profile_function if self._c_functions else None
        threading.settrace(trace)
        threading.setprofile(profile)
        if sys.version_info >= (3, 12):
            # Not threading's functions of that name: the second would be in the profile.
            sys._settraceallthreads(trace)
            sys._setprofileallthreads(profile)
        else:
            self.start_here()

    def start_here(self) -> None:
        """Sets the hooks in this thread alone."""
        sys.settrace(self._trace_function)
        sys.setprofile(self._profile_function if self._c_functions else None)

    def stop(self) -> None:
        """Takes the hooks away."""
        self.stop_here()
        threading.settrace(None)
        threading.setprofile(None)
        if sys.version_info >= (3, 12):
            threading.settrace_all_threads(None)
            threading.setprofile_all_threads(None)
        for lane in self._lanes.list:
            for activation in lane.stack:
                if activation.frame.f_trace is self._trace_function:
                    activation.frame.f_trace = None

    def stop_here(self) -> None:
        """Takes the hooks of this thread alone away."""
        sys.setprofile(None)  # first, for it watches over the other
        sys.settrace(None)

    def _watch_lines(self, frame: types.FrameType) -> None:
        frame.f_trace = self._trace_function
        frame.f_trace_lines = self._stmts

    def _trace(self, frame: types.FrameType, event: str, arg: Any) -> TraceFunction | None:
        """``sys.settrace``'s function, global and local."""
        now = self._now()
        if not self.running:
            sys.settrace(None)
            return None
        lanes = self._lanes
        try:
            try:
                lane: Lane = lanes.local.lane
            except AttributeError:
                lane = lanes.of_thread(frame)
            if event == "line":
                lanes.line(lane, frame, now)
            elif event == "call":
                if not lanes.enter(lane, frame, now):
                    return None
                if not self._stmts:
                    frame.f_trace_lines = False
            elif event == "return":
                lanes.leave(lane, frame, now)
            else:
                return self._trace_function
            deadline = self._deadline
            if deadline.interval and time.perf_counter_ns() >= deadline.at:
                deadline.work()
            if not self._raw:
                spent = self._now() - now
                lane.since += spent
                lane.overhead += spent
        except BaseException as error:
            if not self._is_ours(error):
                lanes.local.lane.lost = True
                raise
        return self._trace_function

    def _profile(self, frame: types.FrameType, event: str, arg: Any) -> None:
        """``sys.setprofile``'s function: C functions; and a watch over the other hook."""
        now = self._now()
        if not self.running:
            sys.setprofile(None)
            return
        lanes = self._lanes
        try:
            lane = lanes.here()
            if lane is None:
                return
            if (lane.lost or sys.gettrace() is None) and not lanes.is_hidden(frame):
                self._rearm(lane, frame, event, now)
            if event == "c_call":
                lanes.enter_c(lane, frame, arg, now)
            elif event in ("c_return", "c_exception"):
                lanes.leave_c(lane, frame, now)
            else:
                return
            if not self._raw:
                spent = self._now() - now
                lane.since += spent
                lane.overhead += spent
        except BaseException as error:
            if not self._is_ours(error):
                lanes.local.lane.lost = True
                raise

    def _rearm(self, lane: Lane, frame: types.FrameType, event: str, now: int) -> None:
        """Puts the hooks back that CPython took away because one of them raised."""
        self._lanes.begin_again(lane, frame if event.startswith("c_") else frame.f_back, now)
        if event == "call" and self._lanes.enter(lane, frame, now):
            self._watch_lines(frame)
        if self._c_functions and sys.getprofile() is None:
            sys.setprofile(self._profile_function)
        if sys.gettrace() is None:
            sys.settrace(self._trace_function)
        lane.lost = False

    def _is_ours(self, error: BaseException) -> bool:
        """Whether we raised it; a signal handler's exception belongs to the program."""
        if isinstance(error, KeyboardInterrupt):
            return False
        last = error.__traceback__
        while last is not None and last.tb_next is not None:
            last = last.tb_next
        ours = last is not None and last.tb_frame.f_code.co_filename.startswith(_OURS)
        self.errors += ours
        return ours
