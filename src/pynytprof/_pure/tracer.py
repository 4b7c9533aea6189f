"""The tracer in Python: the fallback where the C tracer can't run, and its oracle.

``sys.settrace`` tells of lines and of frames that are entered and left, ``sys.setprofile`` of
C functions. Each thread has a lane: a stack of what runs, and tables that the time between two
events is added to. That interval is reckoned once, less our own cost, and then belongs to
the line, the sub's edge and the call path at the top of the stack, so all sums agree.
"""

from __future__ import annotations

import dis
import os
import sys
import threading
import time
import types
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from . import blocks as _blocks
from . import chunks as _chunks
from . import names as _names
from .files import NOTHING_YET, FileFilter, FileTable, SourceFile

PACKAGE_PREFIX = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
MAX_LANES = 64
"""With more, the lanes of ended threads become one."""

NS_PER_TICK = 100

_GENERATOR_FLAGS = 0x20 | 0x80 | 0x100 | 0x200
_RESUME = dis.opmap.get("RESUME")

COUNT, EXCL, CALLS = range(3)
"""Fields of a line's figures: times started, exclusive ns, inclusive ns of calls made on it."""

E_COUNT, E_INCL, E_EXCL, E_RECI, E_DEPTH = range(5)
"""Fields of an edge's figures; times in ns."""

LineKey = tuple[int, int, int]
"""fid, line, and with ``blocks`` the sub, else 0."""
EdgeKey = tuple[int, int, int, int]
TraceFunction = Callable[[types.FrameType, str, Any], Any]
WriteChunk = Callable[[bytes, bytes], object]

_tracing: PyTracer | None = None


class _Code:
    """What is true of a code object. ``sub`` 0: it is not traced."""

    __slots__ = ("file", "first_line", "start_offset", "sub")

    def __init__(self, file: SourceFile | None, sub: int, first_line: int, start: int) -> None:
        self.file = file
        self.sub = sub
        self.first_line = first_line
        self.start_offset = start


class _Node:
    """A path of calls; all lanes share one tree."""

    __slots__ = ("children", "excl", "sub")

    def __init__(self, sub: int) -> None:
        self.sub = sub
        self.excl = 0
        self.children: dict[int, _Node] = {}


class _Activation:
    """A frame, or a C function called by one, that is running."""

    __slots__ = ("code", "edge", "entered", "fid", "frame", "is_c", "level", "line", "node",
                 "pending", "slot", "sub")  # fmt: skip

    def __init__(
        self, frame: types.FrameType, code: _Code, sub: int, is_c: bool, entered: int
    ) -> None:
        self.frame = frame
        self.code = code
        self.fid = code.file.fid if code.file else 0
        self.sub = sub
        self.is_c = is_c
        self.entered = entered
        self.level = 0
        self.line = 0
        self.slot: list[int] | None = None
        self.pending = 0
        self.node: _Node
        self.edge: list[int]


class _Lane:
    """A thread: what it runs, and what it has run. Times in ns.

    ``began`` is by the clock on the wall, ``since`` and ``last`` by the tracer's.
    ``elapsed`` is the sum of all intervals less our cost, the clock by which activations are
    measured; ``debt`` our cost that no interval could bear yet.
    """

    __slots__ = ("active", "began", "debt", "edges", "elapsed", "ident", "last", "lines", "lost",
                 "native_id", "overhead", "run", "since", "stack")  # fmt: skip

    def __init__(self, began: int, now: int) -> None:
        self.ident = threading.get_ident()
        self.native_id = threading.get_native_id()
        self.stack: list[_Activation] = []
        self.active: dict[int, int] = {}
        self.lines: dict[LineKey, list[int]] = {}
        self.edges: dict[EdgeKey, list[int]] = {}
        self.elapsed = self.debt = self.overhead = 0
        self.began = began
        self.since = self.last = now
        self.run = 0
        self.lost = False


class PyTracer:
    """Counts and times what the program runs between :meth:`start` and :meth:`stop`.

    ``stmts``, ``subs`` and ``slowops`` switch lines, subs and C functions off; ``blocks`` has
    each line tell its block and sub. ``include``,
    ``exclude`` and ``exclude_prefixes`` are those of :class:`._files.FileFilter`; files under
    ``hide_prefix`` (this package) are never traced. ``raw`` leaves our own cost in the times.
    The tree of call paths holds ``max_tree_nodes``; paths beyond are folded into their
    beginnings. ``sources`` gives the texts of code objects that come from no file. ``cpu``
    measures each thread's processor time.
    """

    def __init__(
        self,
        *,
        stmts: bool = True,
        blocks: bool = False,
        subs: bool = True,
        slowops: int = 1,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        exclude_prefixes: Sequence[str] = (),
        hide_prefix: str = PACKAGE_PREFIX,
        raw: bool = False,
        max_tree_nodes: int = 1_000_000,
        savesrc: bool = True,
        sources: Mapping[str, str] | None = None,
        cpu: bool = False,
    ) -> None:
        self.running = False
        self._cpu = cpu
        self._clock = time.thread_time_ns if cpu else time.perf_counter_ns
        self._stmts = stmts
        self._blocks = blocks and stmts
        self._headers: dict[int, list[int]] = {}
        self._module_subs: set[int] = set()
        self._subs_wanted = subs
        self._slowops = bool(slowops) and subs
        self._raw = raw
        self._max_nodes = max_tree_nodes if subs else 0
        self._filter = FileFilter(include, exclude, exclude_prefixes, hide_prefix)
        self._hide_prefix = hide_prefix or "\0"
        self._files = FileTable(savesrc=savesrc, sources=sources)
        self._subs: list[_names.Sub] = []
        self._sub_fids: list[int] = []
        self._sub_of_c: dict[str, int] = {}
        self._c_methods: dict[tuple[int, str], tuple[Callable[[], object], int]] = {}
        self._codes: dict[int, tuple[weakref.ref[types.CodeType], _Code]] = {}
        self._known: dict[tuple[object, ...], _Code] = {}
        self._qualnames: dict[str, dict[tuple[str, int], str]] = {}
        self._forget_figures()
        self._run = 0
        self._wall_start = time.time()
        self._mono_start = self._settled = time.perf_counter_ns()
        self._cost = dict.fromkeys(_KINDS, 0)
        self._deadline = 0
        self._interval = 0
        self._on_interval: Callable[[], object] | None = None
        # One object each for the life of the tracer, so that `is` can tell whether it is set.
        self._trace_function: TraceFunction = self._trace
        self._profile_function: TraceFunction = self._profile

    def _forget_figures(self) -> None:
        self._root = _Node(0)
        self._nodes = 0
        self._lanes: list[_Lane] = []
        self._folded: _Lane | None = None
        self._tls = threading.local()
        self._resyncs = self._folds = self._errors = 0

    # ---- Starting and stopping ----

    def start(self, *, open_frames: bool = True) -> None:
        """Begins, or goes on, counting in all threads that Python lets us reach.

        Frames that are open are found, not counted as calls; with ``open_frames`` false those
        of this thread are passed over: they are not the program's. Raises RuntimeError where
        another tracer (a debugger, coverage) is at work.
        """
        global _tracing
        if self.running:
            return
        _refuse_company(self._slowops)
        if not self._raw and not any(self._cost.values()):
            self._cost = dict(_calibrated(self._stmts, self._slowops, self._cpu))
        self._run += 1
        self.running = True
        _tracing = self
        self._lane_of_thread(open_frames=open_frames)
        self._install()

    def stop(self) -> None:
        """Pauses: the tables stay, open frames hand over what they have run."""
        global _tracing
        if not self.running:
            return
        self._settled = time.perf_counter_ns()
        self.running = False
        _uninstall()
        if _tracing is self:
            _tracing = None
        for lane in self._lanes:
            for activation in lane.stack:
                if activation.frame.f_trace is self._trace_function:
                    activation.frame.f_trace = None
            self._leave_all(lane, self._clock_of(lane))

    def forget(self) -> None:
        """Forgets all figures, as in a process just forked; what is known of files and code stays.

        While running: the next event finds what is open, as at the start.
        """
        self._forget_figures()

    def on_interval(self, seconds: float, function: Callable[[], object]) -> None:
        """Calls ``function`` at an event about every ``seconds`` while running.

        The time it takes is nobody's. ``seconds`` 0 ends that.
        """
        self._interval = int(seconds * 1e9)
        self._on_interval = function if seconds else None
        self._deadline = time.perf_counter_ns() + self._interval

    def _install(self) -> None:
        trace = self._trace_function
        profile = self._profile_function if self._slowops else None
        threading.settrace(trace)
        threading.setprofile(profile)
        if sys.version_info >= (3, 12):
            # Not threading's functions of that name: the second would be in the profile.
            sys._settraceallthreads(trace)
            sys._setprofileallthreads(profile)
        else:
            sys.settrace(trace)
            sys.setprofile(profile)

    def _rearm(self, lane: _Lane, frame: types.FrameType, event: str, now: int) -> None:
        """Puts the hooks back that CPython took away because one of them raised."""
        self._resyncs += 1
        self._leave_all(lane, now)
        self._push_open_frames(lane, frame if event.startswith("c_") else frame.f_back)
        if event == "call" and self._enter_frame(lane, frame, now):
            self._watch_lines(frame)
        if self._slowops and sys.getprofile() is None:
            sys.setprofile(self._profile_function)
        if sys.gettrace() is None:
            sys.settrace(self._trace_function)
        lane.lost = False

    # ---- Events ----

    def _trace(self, frame: types.FrameType, event: str, arg: Any) -> TraceFunction | None:
        """``sys.settrace``'s function, global and local."""
        now = self._clock()
        if not self.running:
            sys.settrace(None)
            return None
        try:
            try:
                lane: _Lane = self._tls.lane
            except AttributeError:
                lane = self._lane_of_thread(frame)
            if event == "line":
                self._line(lane, frame, now)
            elif event == "call":
                if not self._enter_frame(lane, frame, now):
                    return None
            elif event == "return":
                self._leave_frame(lane, frame, now)
            else:
                return self._trace_function
            if self._interval and time.perf_counter_ns() >= self._deadline:
                self._interval_is_over()
            if not self._raw:
                spent = self._clock() - now
                lane.since += spent
                lane.overhead += spent
        except BaseException as error:
            if not self._is_ours(error):
                self._tls.lane.lost = True
                raise
        return self._trace_function

    def _profile(self, frame: types.FrameType, event: str, arg: Any) -> None:
        """``sys.setprofile``'s function: C functions; and a watch over the other hook."""
        now = self._clock()
        if not self.running:
            sys.setprofile(None)
            return
        try:
            lane: _Lane | None = getattr(self._tls, "lane", None)
            if lane is None:
                return
            if (lane.lost or sys.gettrace() is None) and not self._is_hidden(frame):
                self._rearm(lane, frame, event, now)
            if event == "c_call":
                self._enter_c(lane, frame, arg, now)
            elif event in ("c_return", "c_exception"):
                self._leave_c(lane, frame, now)
            else:
                return
            if not self._raw:
                spent = self._clock() - now
                lane.since += spent
                lane.overhead += spent
        except BaseException as error:
            if not self._is_ours(error):
                self._tls.lane.lost = True
                raise

    def _is_ours(self, error: BaseException) -> bool:
        """Whether we raised it; a signal handler's exception belongs to the program."""
        if isinstance(error, KeyboardInterrupt):
            return False
        last = error.__traceback__
        while last is not None and last.tb_next is not None:
            last = last.tb_next
        ours = last is not None and last.tb_frame.f_code.co_filename == __file__
        self._errors += ours
        return ours

    def _line(self, lane: _Lane, frame: types.FrameType, now: int) -> None:
        stack = lane.stack
        if not stack or stack[-1].frame is not frame or stack[-1].is_c:
            self._resync(lane, frame, now)
        self._charge(lane, now, "line")
        activation = stack[-1]
        line = frame.f_lineno or activation.code.first_line
        slot = self._slot(lane, activation, line)
        slot[COUNT] += 1
        if activation.slot is None:
            slot[EXCL] += activation.pending
            activation.pending = 0
        activation.slot = slot
        activation.line = line

    def _enter_frame(self, lane: _Lane, frame: types.FrameType, now: int) -> bool:
        """A frame starts, goes on after a yield, or has an exception thrown into it."""
        code = self._code_of(frame)
        if not code.sub:
            return False
        self._expect_caller(lane, frame, now)
        self._charge(lane, now, "enter")
        activation = self._push(lane, frame, code, code.sub, counted=True)
        if frame.f_lasti > code.start_offset:
            self._place(lane, activation, frame.f_lineno)
        if not self._stmts:
            frame.f_trace_lines = False
        return True

    def _leave_frame(self, lane: _Lane, frame: types.FrameType, now: int) -> None:
        stack = lane.stack
        if not stack or stack[-1].frame is not frame or stack[-1].is_c:
            if not any(a.frame is frame and not a.is_c for a in stack):
                return
            self._resync(lane, frame, now)
        self._charge(lane, now, "leave")
        self._pop(lane)

    def _enter_c(self, lane: _Lane, frame: types.FrameType, function: Any, now: int) -> None:
        stack = lane.stack
        if not stack or stack[-1].frame is not frame:
            return  # called by code that is not traced
        if stack[-1].is_c:
            self._resync(lane, frame, now)
        self._charge(lane, now, "c_enter")
        caller = stack[-1]
        self._find_line(lane, caller)
        activation = self._push(lane, frame, caller.code, self._c_sub(function), is_c=True,
                                counted=True)  # fmt: skip
        activation.slot, activation.line = caller.slot, caller.line

    def _leave_c(self, lane: _Lane, frame: types.FrameType, now: int) -> None:
        stack = lane.stack
        if stack and stack[-1].is_c and stack[-1].frame is frame:
            self._charge(lane, now, "c_leave")
            self._pop(lane)

    def _interval_is_over(self) -> None:
        function, self._on_interval = self._on_interval, None
        if function is None:
            return
        began, before = time.perf_counter_ns(), self._clock()
        function()
        now = time.perf_counter_ns()
        # Snapshots of a large profile must not take more than 1 % of the run.
        self._interval = max(self._interval, 100 * (now - began))
        self._deadline = now + self._interval
        self._on_interval = function
        self._forgive(self._clock() - before)

    # ---- Time ----

    def _charge(self, lane: _Lane, now: int, kind: str) -> None:
        """The interval up to ``now`` goes to the top of the stack, less what ``kind`` cost."""
        if not lane.stack:
            lane.since = lane.last = now
            return
        gross = max(now - lane.since, 0)
        due = self._cost[kind] + lane.debt
        taken = min(gross, due)
        lane.debt = due - taken
        lane.overhead += taken
        net = gross - taken
        lane.elapsed += net
        lane.since = lane.last = now
        top = lane.stack[-1]
        top.edge[E_EXCL] += net
        top.node.excl += net
        if top.slot is not None:
            top.slot[EXCL] += net
        else:
            top.pending += net

    def _push(
        self,
        lane: _Lane,
        frame: types.FrameType,
        code: _Code,
        sub: int,
        *,
        is_c: bool = False,
        counted: bool,
    ) -> _Activation:
        activation = _Activation(frame, code, sub, is_c, lane.elapsed)
        caller = lane.stack[-1] if lane.stack else None
        if caller is None:
            key = (activation.fid, 0, 0, sub)
        else:
            self._find_line(lane, caller)
            key = (caller.fid, caller.line, caller.sub, sub)
        edge = lane.edges.get(key)
        if edge is None:
            edge = lane.edges[key] = [0, 0, 0, 0, 0]
        activation.edge = edge
        activation.node = self._child(caller.node if caller else self._root, sub)
        activation.level = level = lane.active.get(sub, 0)
        lane.active[sub] = level + 1
        if counted:
            edge[E_COUNT] += 1
            edge[E_DEPTH] = max(edge[E_DEPTH], level)
        lane.stack.append(activation)
        return activation

    def _pop(self, lane: _Lane) -> None:
        """The top of the stack ends; the time up to now has been charged."""
        activation = lane.stack[-1]
        self._find_line(lane, activation)
        lane.stack.pop()
        lane.active[activation.sub] = activation.level
        inclusive = lane.elapsed - activation.entered
        activation.edge[E_RECI if activation.level else E_INCL] += inclusive
        if lane.stack and not activation.is_c:
            slot = lane.stack[-1].slot
            if slot is not None:
                slot[CALLS] += inclusive

    def _find_line(self, lane: _Lane, activation: _Activation) -> None:
        """Gives an activation that has not started a line yet the one it stands on."""
        if activation.slot is None:
            line = activation.frame.f_lineno or activation.code.first_line
            self._place(lane, activation, line)
        elif not self._stmts and not activation.is_c:
            activation.line = activation.frame.f_lineno or activation.code.first_line

    def _place(self, lane: _Lane, activation: _Activation, line: int) -> None:
        activation.line = line
        activation.slot = self._slot(lane, activation, line)
        activation.slot[EXCL] += activation.pending
        activation.pending = 0

    def _slot(self, lane: _Lane, activation: _Activation, line: int) -> list[int]:
        key = (activation.fid, line, activation.sub if self._blocks else 0)
        slot = lane.lines.get(key)
        if slot is None:
            slot = lane.lines[key] = [0, 0, 0]
        return slot

    def _child(self, parent: _Node, sub: int) -> _Node:
        child = parent.children.get(sub)
        if child is None:
            if self._nodes >= self._max_nodes:
                self._folds += 1
                return parent
            self._nodes += 1
            child = parent.children[sub] = _Node(sub)
        return child

    def _leave_all(self, lane: _Lane, now: int) -> None:
        if lane.stack:
            self._charge(lane, now, "leave")
        while lane.stack:
            self._pop(lane)

    # ---- Out of step ----

    def _expect_caller(self, lane: _Lane, frame: types.FrameType, now: int) -> None:
        """Makes sure that the traced frame below ``frame`` is at the top of the stack."""
        back = frame.f_back
        if lane.stack and lane.stack[-1].frame is back:
            return
        while back is not None and not self._code_of(back).sub:
            if self._is_hidden(back):
                return  # what stands below our own frames was settled at the start
            back = back.f_back
        if back is None:
            if lane.stack:
                self._resyncs += 1
                self._leave_all(lane, now)
        elif not lane.stack or lane.stack[-1].frame is not back:
            self._resync(lane, back, now)

    def _resync(self, lane: _Lane, frame: types.FrameType, now: int) -> None:
        """Makes ``frame``, which runs or has called what runs, the top of the stack."""
        self._resyncs += 1
        stack = lane.stack
        if any(a.frame is frame and not a.is_c for a in stack):
            self._charge(lane, now, "leave")
            while stack[-1].frame is not frame or stack[-1].is_c:
                self._pop(lane)
            return
        self._leave_all(lane, now)
        self._push_open_frames(lane, frame)
        lane.since = now

    def _push_open_frames(self, lane: _Lane, frame: types.FrameType | None) -> None:
        """Builds the stack from frames that began before we looked: not counted as calls."""
        frames: list[types.FrameType] = []
        while frame is not None:
            if not self._is_hidden(frame):
                frames.append(frame)
            elif frames:
                break  # our own frames have called the program; who called them is not of it
            frame = frame.f_back
        for frame in reversed(frames):
            code = self._code_of(frame)
            if code.sub:
                activation = self._push(lane, frame, code, code.sub, counted=False)
                self._place(lane, activation, frame.f_lineno or code.first_line)
                self._watch_lines(frame)

    def _is_hidden(self, frame: types.FrameType) -> bool:
        return frame.f_code.co_filename.startswith(self._hide_prefix)

    def _watch_lines(self, frame: types.FrameType) -> None:
        frame.f_trace = self._trace_function
        frame.f_trace_lines = self._stmts

    # ---- Lanes ----

    def _lane_of_thread(
        self, frame: types.FrameType | None = None, *, open_frames: bool = True
    ) -> _Lane:
        """This thread's lane, its stack built from what is below ``frame`` or the caller."""
        lane: _Lane | None = getattr(self._tls, "lane", None)
        if lane is None:
            if len(self._lanes) >= MAX_LANES:
                self._fold_ended()
            lane = self._tls.lane = _Lane(time.perf_counter_ns(), self._clock())
            self._lanes.append(lane)
        if lane.run != self._run:
            lane.run = self._run
            if open_frames:
                self._push_open_frames(lane, frame.f_back if frame else sys._getframe(1))
            lane.since = self._clock()
        return lane

    def _fold_ended(self) -> None:
        alive = sys._current_frames()
        newest = {lane.ident: lane for lane in self._lanes}
        kept = []
        for lane in self._lanes:
            running = lane.ident in alive and newest[lane.ident] is lane
            if running or lane is self._folded or lane is self._lanes[0]:
                kept.append(lane)
            elif self._folded is None:
                self._leave_all(lane, lane.last)
                self._folded = lane
                kept.append(lane)
            else:
                self._leave_all(lane, lane.last)
                _add_lane(self._folded, lane)
        self._lanes = kept

    # ---- Code objects and C functions, once each ----

    def _code_of(self, frame: types.FrameType) -> _Code:
        code = frame.f_code
        known = self._codes.get(id(code))
        if known is not None and known[0]() is code:
            return known[1]
        info = self._register(frame, code)
        self._codes[id(code)] = (weakref.ref(code), info)
        return info

    def _register(self, frame: types.FrameType, code: types.CodeType) -> _Code:
        filename = code.co_filename
        if self._filter.skips(self._files.absolute(filename)):
            return _Code(None, 0, code.co_firstlineno, -1)
        module = frame.f_globals.get("__name__")
        if not isinstance(module, str):
            module = _names.NO_MODULE
        file = self._file_of(frame, code)
        qualname = self._qualname(code, file)
        return self._register_all(file, module, qualname, code)

    def _file_of(self, frame: types.FrameType, code: types.CodeType) -> SourceFile:
        filename = code.co_filename
        if filename.startswith("<") and code.co_name == "<module>":
            caller = self._calling_activation(frame)
            if caller is not None and not filename.startswith("<frozen "):
                parent = caller.code.file
                assert parent is not None
                return self._files.of_eval(filename, parent, caller.frame.f_lineno or 1)
        return self._files.of_code(filename, frame.f_globals)

    def _calling_activation(self, frame: types.FrameType) -> _Activation | None:
        """The activation that called ``frame``, if it is traced and no profiler's frame is."""
        lane: _Lane | None = getattr(self._tls, "lane", None)
        back = frame.f_back
        if lane is None or not lane.stack or lane.stack[-1].frame is not back:
            return None
        return lane.stack[-1]

    def _qualname(self, code: types.CodeType, file: SourceFile) -> str:
        known = getattr(code, "co_qualname", None)
        if isinstance(known, str):
            return known
        if code.co_name == "<module>":
            return code.co_name
        table = self._qualnames.get(file.name)
        if table is None:
            try:
                tree = compile("".join(file.lines), file.name, "exec", dont_inherit=True)
                table = _names.qualnames_in(tree)
            except (SyntaxError, ValueError):
                table = {}
            self._qualnames[file.name] = table
        return table.get((code.co_name, code.co_firstlineno), code.co_name)

    def _register_all(
        self, file: SourceFile, module: str, qualname: str, code: types.CodeType
    ) -> _Code:
        """Makes subs of ``code`` and of all code nested in it."""
        info = self._register_one(file, module, qualname, code)
        for inner in _names.nested_codes(code):
            known = self._codes.get(id(inner))
            if known is None or known[0]() is not inner:
                inner_name = _names.nested_qualname(qualname, code, inner)
                registered = self._register_all(file, module, inner_name, inner)
                self._codes[id(inner)] = (weakref.ref(inner), registered)
        return info

    def _register_one(
        self, file: SourceFile, module: str, qualname: str, code: types.CodeType
    ) -> _Code:
        first = code.co_firstlineno
        key = (file.fid, module, qualname, first, code.co_lnotab if _RESUME is None
               else code.co_linetable)  # fmt: skip
        info = self._known.get(key)
        if info is None:
            if file.parent and code.co_name == "<module>":
                name = _names.python_sub(module, "<eval>", file.parent_line, class_body=False)
            else:
                name = _names.python_sub(module, qualname, first, _names.is_class_body(code))
            range_start = 1 if code.co_name == "<module>" else first
            sub = self._new_sub(name, file, max(range_start, 1), _names.last_line(code))
            if code.co_name == "<module>":
                self._module_subs.add(sub)
            info = self._known[key] = _Code(file, sub, max(first, 1), _start_offset(code))
        return info

    def _new_sub(self, name: str, file: SourceFile, first: int, last: int) -> int:
        self._subs.append(_names.Sub(name, file.name, first, last))
        self._sub_fids.append(file.fid)
        return len(self._subs)

    def _c_sub(self, function: Any) -> int:
        owner = function.__self__
        holder = owner if isinstance(owner, (type, types.ModuleType)) else type(owner)
        key = (id(holder), function.__name__)
        known = self._c_methods.get(key)
        if known is not None and known[0]() is holder:
            return known[1]
        name = _names.c_sub(function)
        sub = self._sub_of_c.get(name)
        if sub is None:
            sub = self._sub_of_c[name] = self._new_sub(name, self._files.of_builtins(), 0, 0)
        self._c_methods[key] = (weakref.ref(holder), sub)
        return sub

    # ---- What has been found out ----

    def line_hits(self) -> dict[tuple[int, int], list[int]]:
        """(fid, line) -> [count, inclusive ticks, exclusive ticks], of all threads."""
        self._settle()
        total: dict[tuple[int, int], list[int]] = {}
        for lane in self._lanes:
            for key, figures in lane.lines.items():
                _add_to(total.setdefault(key[:2], [0, 0, 0]), figures)
        return {
            key: [n, (excl + calls) // NS_PER_TICK, excl // NS_PER_TICK]
            for key, (n, excl, calls) in total.items()
        }

    def facts(self) -> dict[str, int | str]:
        """What is worth telling of this run."""
        return {
            "engine": "sys.settrace",
            "clock": "thread cpu" if self._cpu else "perf_counter",
            "files": len(self._files.files),
            "codes": len(self._known),
            "edges": len({key for lane in self._lanes for key in lane.edges}),
            "paths": self._nodes,
            "lanes": len(self._lanes),
            "resyncs": self._resyncs,
            "folded_calls": self._folds,
            "uncounted_lines": self._uncounted_lines(),
            "internal_errors": self._errors,
            "ns_per_line": self._cost["line"],
            "ns_per_call": self._cost["enter"] + self._cost["leave"],
            "ns_per_c_call": self._cost["c_enter"] + self._cost["c_leave"],
        }

    def _uncounted_lines(self) -> int:
        figures = (f for lane in self._lanes for f in lane.lines.values())
        return sum(f[EXCL] > 0 and not f[COUNT] for f in figures)

    def emit(self, write_chunk: WriteChunk, header: bytes) -> None:
        """Hands the whole profile, as it is now, to ``write_chunk``.

        ``header`` is the first ``P`` chunk's encoded pairs; ``!calls`` becomes 0 if the call
        tree holds no time. Works while running too: open frames count with what they have run
        so far. What ``write_chunk`` raises comes through.
        """
        began, before = time.perf_counter_ns(), self._clock()
        self._settle()
        lanes = self._lanes or [_Lane(began, before)]
        lanes = [lane for i, lane in enumerate(lanes) if i == 0 or lane.elapsed]
        pid = os.getpid()
        for index, lane in enumerate(lanes):
            ident = lane.native_id if index else pid
            parent = pid if index else os.getppid()
            pairs = self._complete(header) if index == 0 else b""
            write_chunk(b"P", _chunks.start(ident, parent, self._wall(lane.began), pairs))
            if index == 0:
                self._emit_tables(write_chunk, lanes)
            elif self._stmts:
                _chunks.write_lines(write_chunk, self._line_items(lane))
            ticks = lane.overhead // NS_PER_TICK
            write_chunk(b"E", _chunks.end(ident, self._wall_end(lane, began), ticks))
        self._forgive(self._clock() - before)

    def _complete(self, header: bytes) -> bytes:
        """``header`` as it can be said only when the tables are whole."""
        if _tree_time(self._root):
            return header
        return header.replace(_chunks.pairs([("!calls", "1")]), _chunks.pairs([("!calls", "0")]))

    def _emit_tables(self, write_chunk: WriteChunk, lanes: Sequence[_Lane]) -> None:
        last_lines: dict[int, int] = {}
        for sub, fid in zip(self._subs, self._sub_fids, strict=True):
            last_lines[fid] = max(last_lines.get(fid, 0), sub.last_line)
        for file in self._files.files or [NOTHING_YET]:
            write_chunk(b"F", _chunks.file(file, last_lines.get(file.fid, 0)))
        if self._subs_wanted:
            names = _names.settle(self._subs)
            subs = enumerate(zip(self._subs, self._sub_fids, names, strict=True), 1)
            _chunks.write_subs(
                write_chunk,
                ((i, fid, s.first_line, s.last_line, name) for i, (s, fid, name) in subs),
            )
        if self._stmts:
            _chunks.write_lines(write_chunk, self._line_items(lanes[0]))
        if self._subs_wanted:
            _chunks.write_edges(write_chunk, _edge_items(lane.edges for lane in lanes))
            _chunks.write_paths(write_chunk, _path_items(self._root))

    def _line_items(self, lane: _Lane) -> Iterator[_chunks.LineItem]:
        places: dict[tuple[int, int, int, int], list[int]] = {}
        for (fid, line, sub), figures in lane.lines.items():
            block, first = self._block_of(fid, line, sub) if sub else (0, 0)
            _add_to(places.setdefault((fid, line, block, first), [0, 0, 0]), figures)
        exclusive, in_calls = _Ticks(), _Ticks()
        for place, (count, excl, calls) in sorted(places.items()):
            ticks = exclusive.of(excl)
            yield (*place, count, ticks, ticks + in_calls.of(calls))

    def _block_of(self, fid: int, line: int, sub: int) -> tuple[int, int]:
        """The first lines of the block and of the sub that the line of ``sub`` stands in."""
        headers = self._headers.get(fid)
        if headers is None:
            headers = self._headers[fid] = _blocks.headers(self._files.files[fid - 1].lines)
        first = self._subs[sub - 1].first_line
        module = sub in self._module_subs
        return _blocks.block_of(headers, line, first, module=module), first

    def _settle(self) -> None:
        """Lets open activations hand over what they have run, and run on."""
        if self.running:
            self._settled = time.perf_counter_ns()
        for lane in self._lanes:
            stack = list(lane.stack)
            if not stack:
                continue
            self._charge(lane, self._clock_of(lane), "none")
            for i, activation in enumerate(stack):
                self._find_line(lane, activation)
                inclusive = lane.elapsed - activation.entered
                activation.entered = lane.elapsed
                activation.edge[E_RECI if activation.level else E_INCL] += inclusive
                slot = stack[i - 1].slot if i else None
                if slot is not None and not activation.is_c:
                    slot[CALLS] += inclusive

    def _forgive(self, spent: int) -> None:
        """Takes ``spent`` ns, in which only we ran, out of all open intervals."""
        here = getattr(self._tls, "lane", None)
        for lane in self._lanes:
            if lane.stack and (lane is here or not self._cpu):
                lane.since += spent

    def _clock_of(self, lane: _Lane) -> int:
        """What the lane's clock shows now: with ``cpu`` each thread has its own."""
        if not self._cpu or lane is getattr(self._tls, "lane", None):
            return self._clock()
        # The kernel's number of the clock; pthread_getcpuclockid() does not stand ended threads.
        try:
            return max(time.clock_gettime_ns(~lane.native_id << 3 | 6), lane.since)
        except (OSError, OverflowError):
            return lane.since

    def _wall(self, mono: int) -> float:
        return self._wall_start + (mono - self._mono_start) / 1e9

    def _wall_end(self, lane: _Lane, now: int) -> float:
        """A section lasts at least as long as its lines' times: Perl's reader insists."""
        worked = lane.began + lane.elapsed + lane.overhead
        if self._cpu:
            last = self._settled if lane in self._lanes[:1] else lane.began
        else:
            last = now if lane.stack else lane.last
        last = max(last, worked)
        # Doubles of this size have steps of a quarter of the microseconds added.
        return self._wall(last) + 2e-6


# ---- Tables to chunks ----


class _Ticks:
    """Turns ns into ticks, carrying the remainder so that sums stay exact."""

    def __init__(self) -> None:
        self._rest = 0

    def of(self, ns: int) -> int:
        ticks, self._rest = divmod(ns + self._rest, NS_PER_TICK)
        return ticks


def _edge_items(tables: Iterable[Mapping[EdgeKey, Sequence[int]]]) -> Iterator[_chunks.EdgeItem]:
    """A call that was open when profiling began counts as one: no reader takes none."""
    total: dict[EdgeKey, list[int]] = {}
    for table in tables:
        for key, edge in table.items():
            _add_edge(total.setdefault(key, [0, 0, 0, 0, 0]), edge)
    for key, (count, incl, excl, reci, depth) in sorted(total.items()):
        yield (*key, max(count, 1), incl / 1e9, excl / 1e9, reci / 1e9, depth)


def _path_items(root: _Node) -> Iterator[_chunks.PathItem]:
    """The tree in post-order; a path's inclusive ticks are exactly those of its parts."""
    exclusive = _Ticks()
    stack = [(root, iter(root.children.values()))]
    inclusive = [0]
    while True:
        node, children = stack[-1]
        child = next(children, None)
        if child is not None:
            stack.append((child, iter(child.children.values())))
            inclusive.append(0)
            continue
        stack.pop()
        if not stack:
            return
        excl = exclusive.of(node.excl)
        incl = excl + inclusive.pop()
        inclusive[-1] += incl
        yield len(stack), node.sub, incl, excl


def _tree_time(root: _Node) -> int:
    total, pending = 0, list(root.children.values())
    while pending:
        node = pending.pop()
        total += node.excl
        pending.extend(node.children.values())
    return total


def _add_to(total: list[int], more: Sequence[int]) -> None:
    for i, value in enumerate(more):
        total[i] += value


def _add_edge(total: list[int], more: Sequence[int]) -> None:
    depth = max(total[E_DEPTH], more[E_DEPTH])
    _add_to(total, more)
    total[E_DEPTH] = depth


def _add_lane(into: _Lane, lane: _Lane) -> None:
    for key, figures in lane.lines.items():
        _add_to(into.lines.setdefault(key, [0, 0, 0]), figures)
    for edge_key, edge in lane.edges.items():
        _add_edge(into.edges.setdefault(edge_key, [0, 0, 0, 0, 0]), edge)
    into.elapsed += lane.elapsed
    into.overhead += lane.overhead
    into.last = max(into.last, lane.last)


# ---- The hooks ----


def _refuse_company(profile: bool) -> None:
    holder = sys.gettrace() or (sys.getprofile() if profile else None)
    if holder is not None:
        kind = "trace" if sys.gettrace() else "profile"
        raise RuntimeError(
            f"another {kind} function is at work ({holder!r}): a debugger, coverage or "
            "profiler; it must be switched off first"
        )


def _uninstall() -> None:
    sys.setprofile(None)
    sys.settrace(None)
    threading.settrace(None)
    threading.setprofile(None)
    if sys.version_info >= (3, 12):
        threading.settrace_all_threads(None)
        threading.setprofile_all_threads(None)


def _start_offset(code: types.CodeType) -> int:
    """``f_lasti`` up to which a frame of ``code`` is only starting, not going on."""
    if not code.co_flags & _GENERATOR_FLAGS:
        return sys.maxsize
    if _RESUME is None:
        return -1
    raw = code.co_code
    for offset in range(0, len(raw), 2):
        if raw[offset] == _RESUME and not raw[offset + 1] & 3:
            return offset
    return -1


# ---- Our own cost ----

_KINDS = ("line", "enter", "leave", "c_enter", "c_leave", "none")
_EVENTS = 60
_ROUNDS = 7
_costs: dict[tuple[bool, bool, bool], dict[str, int]] = {}

_WORK = f"""
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


def _calibrated(stmts: bool, slowops: bool, cpu: bool) -> Mapping[str, int]:
    """ns that an event of each kind adds beyond what its two clock readings show."""
    known = _costs.get((stmts, slowops, cpu))
    if known is None:
        known = _costs[stmts, slowops, cpu] = _calibrate(stmts, slowops, cpu)
    return known


def _calibrate(stmts: bool, slowops: bool, cpu: bool) -> dict[str, int]:
    work: dict[str, Any] = {"__name__": "calibration"}
    exec(compile(_WORK, "<calibration>", "exec"), work)
    cost = {
        name: _extra_time(work[name], stmts, slowops, cpu) // _EVENTS
        for name in ("lines", "calls", "c_calls")
    }
    line = cost["lines"] if stmts else 0
    call = max(cost["calls"] - 2 * line, 0)
    c_call = max(cost["c_calls"] - line, 0) if slowops else 0
    return {
        "line": line,
        "enter": call // 2,
        "leave": call - call // 2,
        "c_enter": c_call // 2,
        "c_leave": c_call - c_call // 2,
        "none": 0,
    }


def _extra_time(function: Callable[[], object], stmts: bool, slowops: bool, cpu: bool) -> int:
    """ns by which a call of ``function`` seems longer when it is traced."""
    plain = min(_plain_time(function, cpu) for _ in range(_ROUNDS))
    traced = min(_traced_time(function, stmts, slowops, cpu) for _ in range(_ROUNDS))
    return max(traced - plain, 0)


def _plain_time(function: Callable[[], object], cpu: bool) -> int:
    clock = time.thread_time_ns if cpu else time.perf_counter_ns
    began = clock()
    function()
    return clock() - began


def _traced_time(function: Callable[[], object], stmts: bool, slowops: bool, cpu: bool) -> int:
    """ns that a tracer which knows of no cost yet charges to a call of ``function``."""
    tracer = PyTracer(stmts=stmts, slowops=int(slowops), include=["<calibration>"], cpu=cpu)
    tracer._run = 1
    tracer.running = True
    lane = tracer._lane_of_thread()
    if slowops:
        sys.setprofile(tracer._profile_function)
    sys.settrace(tracer._trace_function)
    function()
    sys.setprofile(None)  # first, for it watches over the other
    sys.settrace(None)
    return lane.elapsed
