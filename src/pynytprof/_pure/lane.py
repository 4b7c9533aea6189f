"""Mirrors ext/trace/lane.c and lane_time.c: what runs in each thread, and to whom its time goes.

Each thread has a lane: a stack of what runs, and tables that the time between two events is
added to. That interval is reckoned once, less our own cost, and then belongs to the line, the
sub's edge and the call path at the top of the stack, so all sums agree.
"""

from __future__ import annotations

import sys
import threading
import time
import types
from collections.abc import Callable
from typing import Any

from .clock import Clock
from .code import Code, Codes, EvalPlace
from .graph import (
    E_COUNT,
    E_DEPTH,
    E_EXCL,
    E_INCL,
    E_INNER,
    E_INNER_EXCL,
    E_RECI,
    NO_CALLS,
    EdgeKey,
    Graph,
    Node,
    add_edge,
)
from .options import Options
from .trace import CALLS, COUNT, EXCL, LineKey, add_figures

MAX_LANES = 64
"""With more, the lanes of ended threads become one."""

KINDS = ("line", "enter", "leave", "c_enter", "c_leave", "none")
"""Kinds of events by what they cost."""


class Activation:
    """A frame, or a C function called by one, that is running."""

    __slots__ = ("code", "edge", "entered", "frame", "is_c", "level", "line", "node", "pending",
                 "slot", "sub")  # fmt: skip

    def __init__(
        self, frame: types.FrameType, code: Code, sub: int, is_c: bool, entered: int
    ) -> None:
        self.frame = frame
        self.code = code
        self.sub = sub
        self.is_c = is_c
        self.entered = entered
        self.level = 0
        self.line = 0
        self.slot: list[int] | None = None
        self.pending = 0
        self.node: Node
        self.edge: list[int]


class Lane:
    """A thread: what it runs, and what it has run. Times in ns.

    ``began`` is by the shared clock, ``since`` and ``last`` by the tracer's. ``elapsed`` is
    the sum of all intervals less our cost, the clock by which activations are measured;
    ``debt`` our cost that no interval could bear yet.
    """

    __slots__ = ("_active", "_by_sub", "_graph", "_stmts", "began", "debt", "edges", "elapsed",
                 "ident", "last", "lines", "lost", "native_id", "overhead", "run", "since",
                 "stack")  # fmt: skip

    def __init__(self, options: Options, graph: Graph, began: int, now: int) -> None:
        self._stmts = options.stmts
        self._by_sub = options.lines_by_sub
        self._graph = graph
        self.ident = threading.get_ident()
        self.native_id = threading.get_native_id()
        self.stack: list[Activation] = []
        self._active: dict[int, int] = {}
        self.lines: dict[LineKey, list[int]] = {}
        self.edges: dict[EdgeKey, list[int]] = {}
        self.elapsed = self.debt = self.overhead = 0
        self.began = began
        self.since = self.last = now
        self.run = 0
        self.lost = False

    def charge(self, now: int, cost: int) -> None:
        """The interval up to ``now`` goes to the top of the stack, less what its end cost."""
        if not self.stack:
            self.since = self.last = now
            return
        gross = max(now - self.since, 0)
        due = cost + self.debt
        taken = min(gross, due)
        self.debt = due - taken
        self.overhead += taken
        net = gross - taken
        self.elapsed += net
        self.since = self.last = now
        top = self.stack[-1]
        top.edge[E_EXCL] += net
        if top.level:
            top.edge[E_INNER_EXCL] += net
        top.node.excl += net
        if top.slot is not None:
            top.slot[EXCL] += net
        else:
            top.pending += net

    def push(
        self, frame: types.FrameType, code: Code, sub: int, *, is_c: bool = False, counted: bool
    ) -> Activation:
        """``sub`` begins, called by the top of the stack."""
        activation = Activation(frame, code, sub, is_c, self.elapsed)
        caller = self.stack[-1] if self.stack else None
        if caller is None:
            key = (code.fid, 0, 0, sub)
        else:
            self.find_line(caller)
            key = (caller.code.fid, caller.line, caller.sub, sub)
        edge = self.edges.get(key)
        if edge is None:
            edge = self.edges[key] = [*NO_CALLS]
        activation.edge = edge
        activation.node = self._graph.child(caller.node if caller else self._graph.root, sub)
        activation.level = level = self._active.get(sub, 0)
        self._active[sub] = level + 1
        if counted:
            edge[E_COUNT] += 1
            edge[E_DEPTH] = max(edge[E_DEPTH], level)
            edge[E_INNER] += level > 0
        self.stack.append(activation)
        return activation

    def pop(self) -> None:
        """The top of the stack ends; the time up to now has been charged."""
        activation = self.stack[-1]
        self.find_line(activation)
        self.stack.pop()
        self._active[activation.sub] = activation.level
        self._hand_over(activation, self.stack[-1] if self.stack else None)

    def pop_all(self) -> None:
        """All of the stack ends."""
        while self.stack:
            self.pop()

    def _hand_over(self, activation: Activation, caller: Activation | None) -> None:
        """The inclusive time so far goes to the edge, and to the line of the call."""
        inclusive = self.elapsed - activation.entered
        activation.edge[E_RECI if activation.level else E_INCL] += inclusive
        if caller is not None and not activation.is_c:
            slot = caller.slot
            if slot is not None:
                slot[CALLS] += inclusive

    def settle(self) -> None:
        """What is open hands over what it has run, and runs on."""
        caller = None
        for activation in list(self.stack):
            self.find_line(activation)
            self._hand_over(activation, caller)
            activation.entered = self.elapsed
            caller = activation

    def start_line(self, activation: Activation, line: int) -> None:
        """A line starts; what ran before the first belongs to it."""
        slot = self._slot(activation, line)
        slot[COUNT] += 1
        if activation.slot is None:
            slot[EXCL] += activation.pending
            activation.pending = 0
        activation.slot = slot
        activation.line = line

    def place(self, activation: Activation, line: int) -> None:
        """``activation`` stands on ``line`` without starting it."""
        activation.line = line
        activation.slot = self._slot(activation, line)
        activation.slot[EXCL] += activation.pending
        activation.pending = 0

    def find_line(self, activation: Activation) -> None:
        """Gives an activation that has not started a line yet the one it stands on."""
        if activation.slot is None:
            self.place(activation, activation.frame.f_lineno or activation.code.first_line)
        elif not self._stmts and not activation.is_c:
            activation.line = activation.frame.f_lineno or activation.code.first_line

    def _slot(self, activation: Activation, line: int) -> list[int]:
        key = (activation.code.fid, line, activation.sub if self._by_sub else 0)
        slot = self.lines.get(key)
        if slot is None:
            slot = self.lines[key] = [0, 0, 0]
        return slot

    def stands_in(self, frame: types.FrameType) -> bool:
        """Whether ``frame`` is on the stack."""
        return any(a.frame is frame and not a.is_c for a in self.stack)

    def is_at(self, frame: types.FrameType) -> bool:
        """Whether ``frame`` is the top of the stack."""
        stack = self.stack
        return bool(stack) and stack[-1].frame is frame and not stack[-1].is_c

    def take_over(self, other: Lane) -> None:
        """Adds what another lane has run."""
        for key, figures in list(other.lines.items()):
            add_figures(self.lines.setdefault(key, [0, 0, 0]), figures)
        for edge_key, edge in list(other.edges.items()):
            add_edge(self.edges.setdefault(edge_key, [*NO_CALLS]), edge)
        self.elapsed += other.elapsed
        self.overhead += other.overhead
        self.last = max(self.last, other.last)


class Lanes:
    """The lanes of all threads. The engine calls enter, leave and line.

    ``costs`` has the ns that an event of each kind adds beyond what its clock readings show.
    ``settled`` is when the tables were whole last, by the shared clock. ``on_open_frame`` is
    called with each frame that is found open.
    """

    def __init__(self, options: Options, clock: Clock, codes: Codes, graph: Graph) -> None:
        self._options = options
        self._clock = clock
        self._codes = codes
        self._graph = graph
        self._hidden = options.hide_prefix or "\0"
        self._run = 0
        self.costs = dict.fromkeys(KINDS, 0)
        self.settled = time.perf_counter_ns()
        self.on_open_frame: Callable[[types.FrameType], object] = lambda frame: None
        self.forget()

    def forget(self) -> None:
        """Begins anew; costs stay."""
        self.list: list[Lane] = []
        self.local = threading.local()
        self._folded: Lane | None = None
        self.resyncs = 0

    # ---- Events ----

    def line(self, lane: Lane, frame: types.FrameType, now: int) -> None:
        """A line of ``frame`` starts."""
        if not lane.is_at(frame):
            self._resync(lane, frame, now)
        lane.charge(now, self.costs["line"])
        top = lane.stack[-1]
        lane.start_line(top, frame.f_lineno or top.code.first_line)

    def enter(self, lane: Lane, frame: types.FrameType, now: int) -> bool:
        """A frame starts, goes on after a yield, or has an exception thrown into it.

        False: it is not traced.
        """
        code = self._code_of(lane, frame)
        if not code.sub:
            return False
        self._expect_caller(lane, frame, now)
        lane.charge(now, self.costs["enter"])
        activation = lane.push(frame, code, code.sub, counted=True)
        if frame.f_lasti > code.start_offset:
            lane.place(activation, frame.f_lineno)
        return True

    def leave(self, lane: Lane, frame: types.FrameType, now: int) -> None:
        """A frame ends or yields."""
        if not lane.is_at(frame):
            if not lane.stands_in(frame):
                return
            self._resync(lane, frame, now)
        lane.charge(now, self.costs["leave"])
        lane.pop()

    def enter_c(self, lane: Lane, frame: types.FrameType, function: Any, now: int) -> None:
        """``frame`` calls a C function."""
        stack = lane.stack
        if not stack or stack[-1].frame is not frame:
            return  # called by code that is not traced
        if stack[-1].is_c:
            self._resync(lane, frame, now)
        lane.charge(now, self.costs["c_enter"])
        caller = stack[-1]
        lane.find_line(caller)
        sub = self._codes.c_sub(function)
        activation = lane.push(frame, caller.code, sub, is_c=True, counted=True)
        activation.slot, activation.line = caller.slot, caller.line

    def leave_c(self, lane: Lane, frame: types.FrameType, now: int) -> None:
        """A C function that ``frame`` called ends."""
        stack = lane.stack
        if stack and stack[-1].is_c and stack[-1].frame is frame:
            lane.charge(now, self.costs["c_leave"])
            lane.pop()

    # ---- Out of step ----

    def begin_again(self, lane: Lane, frame: types.FrameType | None, now: int) -> None:
        """Makes the stack anew: events have been lost. ``frame`` is to be its top."""
        self.resyncs += 1
        self._leave_all(lane, now)
        self._push_open_frames(lane, frame)

    def _leave_all(self, lane: Lane, now: int) -> None:
        if lane.stack:
            lane.charge(now, self.costs["leave"])
        lane.pop_all()

    def _expect_caller(self, lane: Lane, frame: types.FrameType, now: int) -> None:
        """Makes sure that the traced frame below ``frame`` is at the top of the stack."""
        back = frame.f_back
        if lane.stack and lane.stack[-1].frame is back:
            return
        while back is not None and not self._code_of(lane, back).sub:
            if self.is_hidden(back):
                return  # what stands below our own frames was settled at the start
            back = back.f_back
        if back is None:
            if lane.stack:
                self.resyncs += 1
                self._leave_all(lane, now)
        elif not lane.stack or lane.stack[-1].frame is not back:
            self._resync(lane, back, now)

    def _resync(self, lane: Lane, frame: types.FrameType, now: int) -> None:
        """Makes ``frame``, which runs or has called what runs, the top of the stack."""
        if lane.stands_in(frame):
            self.resyncs += 1
            lane.charge(now, self.costs["leave"])
            while not lane.is_at(frame):
                lane.pop()
            return
        self.begin_again(lane, frame, now)
        lane.since = now

    def _push_open_frames(self, lane: Lane, frame: types.FrameType | None) -> None:
        """Builds the stack from frames that began before we looked: not counted as calls."""
        frames: list[types.FrameType] = []
        while frame is not None:
            if not self.is_hidden(frame):
                frames.append(frame)
            elif frames:
                break  # our own frames have called the program; who called them is not of it
            frame = frame.f_back
        for frame in reversed(frames):
            code = self._code_of(lane, frame)
            if code.sub:
                activation = lane.push(frame, code, code.sub, counted=False)
                lane.place(activation, frame.f_lineno or code.first_line)
                self.on_open_frame(frame)

    def is_hidden(self, frame: types.FrameType) -> bool:
        """Whether ``frame`` is one of our own."""
        return frame.f_code.co_filename.startswith(self._hidden)

    def _code_of(self, lane: Lane, frame: types.FrameType) -> Code:
        known = self._codes.known(frame.f_code)
        return known or self._codes.first_met(frame, self._calling_place(lane, frame))

    def _calling_place(self, lane: Lane, frame: types.FrameType) -> EvalPlace | None:
        """The traced line that called ``frame``, if no profiler's frame is between them."""
        back = frame.f_back
        if back is None or not lane.stack or lane.stack[-1].frame is not back:
            return None
        return EvalPlace(lane.stack[-1].code.fid, back.f_lineno or 1)

    # ---- The table ----

    def here(self) -> Lane | None:
        """This thread's lane, if it has one."""
        return getattr(self.local, "lane", None)

    def begin_run(self) -> None:
        """Lanes that are there find their open frames anew."""
        self._run += 1

    def of_thread(self, frame: types.FrameType | None = None, *, open_frames: bool = True) -> Lane:
        """This thread's lane, its stack built from what is below ``frame`` or the caller."""
        lane = self.here()
        if lane is None:
            if len(self.list) >= MAX_LANES:
                self._fold_ended()
            lane = self.local.lane = self._new()
            self.list.append(lane)
        if lane.run != self._run:
            lane.run = self._run
            if open_frames:
                self._push_open_frames(lane, frame.f_back if frame else sys._getframe(1))
            lane.since = self._clock.now()
        return lane

    def _new(self) -> Lane:
        return Lane(self._options, self._graph, time.perf_counter_ns(), self._clock.now())

    def that_worked(self) -> list[Lane]:
        """The first, be it made up, and all others with events, whatever these cost."""
        first, *others = self.list or [self._new()]
        return [first, *(lane for lane in others if lane.elapsed or lane.edges or lane.lines)]

    def _fold_ended(self) -> None:
        alive = sys._current_frames()
        newest = {lane.ident: lane for lane in self.list}
        kept = []
        for lane in self.list:
            running = lane.ident in alive and newest[lane.ident] is lane
            if running or lane is self._folded or lane is self.list[0]:
                kept.append(lane)
                continue
            self._leave_all(lane, lane.last)
            if self._folded is None:
                self._folded = lane
                kept.append(lane)
            else:
                self._folded.take_over(lane)
        self.list = kept

    def leave_all(self) -> None:
        """All that is open ends."""
        for lane in self.list:
            self._leave_all(lane, self._now_in(lane))

    def settle(self) -> None:
        """After this the tables hold all time up to now, of what is open too."""
        for lane in self.list:
            if lane.stack:
                lane.charge(self._now_in(lane), self.costs["none"])
                lane.settle()

    def forgive(self, spent: int) -> None:
        """Takes ``spent`` ns, in which only we ran, out of all open intervals."""
        here = self.here()
        for lane in self.list:
            if lane.stack and (lane is here or not self._clock.cpu):
                lane.since += spent

    def _now_in(self, lane: Lane) -> int:
        """What the lane's clock shows now: with ``cpu`` each thread has its own."""
        if not self._clock.cpu or lane is self.here():
            return self._clock.now()
        now = self._clock.of_thread(lane.native_id)
        return lane.since if now is None else max(now, lane.since)
