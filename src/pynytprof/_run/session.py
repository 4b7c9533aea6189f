"""A profile run: which tracer and writer serve it, and the file that comes of it.

The profile is kept as sums, so a whole and valid file can be written at any moment. Files are
written under a temporary name in the same folder and renamed; what is no regular file (a
pipe, a device) and a writer of the user's get one pass, at the end.
"""

from __future__ import annotations

import atexit
import contextlib
import dataclasses
import functools
import os
import platform
import signal
import stat
import sys
import sysconfig
import time
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from .._pure import chunks as _chunks
from .._pure.paths import PACKAGE_PREFIX
from .._version import VERSION
from .._writer import PyWriter, Writer, open_writer, writer_class
from . import exits as _ends
from . import messages as _talk
from . import processes as _processes
from .settings import Settings, SettingsError, excluded_prefixes, output_path

SNAPSHOT_SECONDS = 3.0
MAX_TREE_NODES = 1_000_000
TICKS_PER_SECOND = 10_000_000
SNAPSHOT_NOTE = "Snapshot: the program was still running"

# Found out here, because it takes code of the standard library, which a profile would show.
_PYTHON_VERSION = platform.python_version()
_IMPLEMENTATION = platform.python_implementation()

_active: Session | None = None


class AnyTracer(Protocol):
    """What the C tracer and the Python tracer have in common."""

    running: bool

    def start(self, *, open_frames: bool = True) -> None: ...
    def stop(self) -> None: ...
    def forget(self) -> None: ...
    def emit(self, write_chunk: Callable[[bytes, bytes], object], header: bytes) -> None: ...
    def line_hits(self) -> dict[tuple[int, int], list[int]]: ...
    def facts(self) -> dict[str, Any]: ...


def complain(message: str) -> None:
    """One line on stderr, if there is one."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"pynytprof: {message}\n")
        sys.stderr.flush()


def _tracer_class(settings: Settings) -> Any:
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
        try:
            from .. import _ctrace
        except ImportError as error:
            if wanted == "c":
                raise SettingsError(f"PYNYTPROF_TRACER=c: no C tracer: {error}") from error
            warnings.warn(
                f"the C tracer can't be loaded ({error}); the one in Python is much slower",
                RuntimeWarning,
                stacklevel=2,
            )
        else:
            return _ctrace.Tracer
    from .._pure.tracer import PyTracer

    return PyTracer


def _new_tracer(settings: Settings, sources: Mapping[str, str] | None) -> AnyTracer:
    tracer: AnyTracer = _tracer_class(settings)(
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
    )
    if _talk.wanted():
        _talk.say(f"tracer: {type(tracer).__module__}.{type(tracer).__name__}")
    return tracer


def _writes_itself(tracer: Any, writer: Writer | None) -> bool:
    """Whether the tracer writes files without a writer of ours: the one in C does.

    Raises SettingsError where ``PYNYTPROF_WRITER`` can't be followed.
    """
    if writer is not None:
        return False
    try:
        chosen = writer_class()
    except (ValueError, ImportError) as error:
        raise SettingsError(str(error)) from error
    return chosen is not PyWriter and hasattr(tracer, "write_file")


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
}
"""What the numbers of a profile can't tell by themselves, by the tracer's name for it."""


def _header(
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
        attributes[_processes.RUN_ATTRIBUTE] = run
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


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps off the signals that writing can bring upon the one who writes."""
    noisy = {signal.SIGPIPE, signal.SIGXFSZ}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, noisy)
    try:
        yield
    finally:
        for number in noisy & signal.sigpending():
            signal.sigtimedwait({number}, 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Output:
    """Where the profile goes: a path, or a writer of the user's."""

    def __init__(self, path: str, writer: Writer | None, *, tracer_writes: bool) -> None:
        self.writer = writer
        self.tracer_writes = tracer_writes
        self.shown = path
        self.can_rename = writer is None and self._is_regular_or_absent() and self._has_room()
        # The links of /dev/stdout and /dev/fd/N lead to names that can't be opened.
        self.path = os.path.realpath(path) if self.can_rename else os.path.abspath(path)
        self.base = self.path  # to which children's names are added
        self._temporary = _processes.temporary_stem(self.path)
        self._written = 0

    def of_child(self, run: str) -> _Output:
        """Where the forked process that asks writes its own."""
        path = _processes.part_name(self.base, os.getpid(), run)
        output = _Output(path, None, tracer_writes=self.tracer_writes)
        output.base = self.base
        return output

    def _is_regular_or_absent(self) -> bool:
        try:
            return stat.S_ISREG(os.stat(self.shown).st_mode)
        except FileNotFoundError:
            return True
        except OSError:
            return False

    def _has_room(self) -> bool:
        """Whether there can be a file beside it: else an old one is overwritten, at the end."""
        folder = os.path.dirname(os.path.realpath(self.shown))
        return os.access(folder, os.W_OK) or not os.access(self.shown, os.W_OK)

    def write(self, tracer: Any, level: int, header: bytes, *, final: bool) -> None:
        """The whole profile. Raises OSError, or what the user's writer raises."""
        if tracer.running:
            self._write(tracer, level, header, final=final)
        else:
            with _quiet():
                self._write(tracer, level, header, final=final)

    def _write(self, tracer: Any, level: int, header: bytes, *, final: bool) -> None:
        told_of = final and _talk.wanted()  # by the writer, chunk for chunk
        if self.writer is not None:
            tracer.emit(self.writer.write_chunk, header)
            self.writer.close()
        elif not self.can_rename:
            self._write_to(self.path, tracer, level, header)
        elif self.tracer_writes and not told_of:
            tracer.write_file(self.path, level, header)
        else:
            self._write_and_rename(tracer, level, header)

    def _write_and_rename(self, tracer: AnyTracer, level: int, header: bytes) -> None:
        self._written += 1  # a signal may have us write while we write
        temporary = f"{self._temporary}.{os.getpid()}-{self._written}.tmp"
        try:
            self._write_to(temporary, tracer, level, header)
            os.replace(temporary, self.path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise

    @staticmethod
    def _write_to(path: str, tracer: AnyTracer, level: int, header: bytes) -> None:
        writer = open_writer(path, compress=level)
        try:
            tracer.emit(writer.write_chunk, header)
        except BaseException:
            with contextlib.suppress(Exception):
                writer.close()
            raise
        writer.close()


def _at_exit_if_alive(session: Session) -> None:
    """Has ``session`` completed when the program ends, without keeping it alive till then."""

    def complete() -> None:
        still = alive()
        if still is not None:
            still._at_exit()

    alive = weakref.ref(session, lambda _: atexit.unregister(complete))
    atexit.register(complete)


class Session:
    """One profile run of this process. At most one runs at a time.

    ``application`` is what the report calls the program. ``origin`` tells of the run that has
    led to this process, if it is not the first. With ``only_forks`` its own profile is not
    written, but those of forked children are. Raises SettingsError where a setting can't be
    followed.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        writer: Writer | None = None,
        sources: Mapping[str, str] | None = None,
        application: str | None = None,
        origin: _processes.Origin | None = None,
        only_forks: bool = False,
    ) -> None:
        if sysconfig.get_config_var("Py_GIL_DISABLED"):
            raise SettingsError("free-threaded builds of Python are not supported yet")
        self.settings = settings
        _talk.configure(settings.trace, settings.log)
        self._basetime = time.time()
        self.tracer = _new_tracer(settings, sources)
        self._sources = sources
        writes = _writes_itself(self.tracer, writer)
        path = output_path(settings, os.getpid(), self._basetime)
        self._output = _Output(path, writer, tracer_writes=writes)
        self._application = application or sys.argv[0] or "(interactive)"
        self._pid = os.getpid()
        self.inherited = origin is not None
        self.origin = origin or self._begin_run()
        self._output.base = self.origin.base
        self._forks_left = settings.forkdepth
        self._only_forks = only_forks
        self._failed = False
        self._writing = False
        self._dropped = False
        self._registered = False
        self._started = False

    def _begin_run(self) -> _processes.Origin:
        """This process is the first of its run."""
        named = dataclasses.replace(self.settings, addpid=False)
        base = output_path(named, self._pid, self._basetime)
        run = f"{self._pid}.{time.time_ns()}"
        return _processes.Origin(os.path.realpath(base), self._output.path, run, self._pid)

    @property
    def path(self) -> str:
        """The profile's path as the user gave it."""
        return self._output.shown

    @property
    def started(self) -> bool:
        """Whether it has ever run."""
        return self._started

    @property
    def failed(self) -> bool:
        """Whether the profile could not be written; the reason was told then."""
        return self._failed

    def another(self, file: str) -> Session:
        """A session like this one for another file."""
        return Session(dataclasses.replace(self.settings, file=file), sources=self._sources,
                       application=self._application)  # fmt: skip

    def arrange_end(self) -> None:
        """Has the profile completed when the program ends.

        Exit handlers that the program has made by now come after that, others before.
        """
        if not self._registered:
            self._registered = True
            if self.settings.merge == "0":
                _at_exit_if_alive(self)
            else:
                atexit.register(self._at_exit)
            _watch_forks()

    def start(self, *, open_frames: bool = True) -> None:
        """Begins or goes on. Raises RuntimeError if another session runs in this process.

        The frames that are open then are the program's, unless ``open_frames`` is false. One
        that nobody in this process has asked for is completed to make place.
        """
        global _active
        if os.getpid() != self._pid:
            self._become_child()
        if _active is self or self._dropped:
            return
        if _active is not None and _active.inherited:
            _active.stop()
        if _active is not None:
            raise RuntimeError(
                f"a profile is being written to {_active.path} already; "
                "one session can run in a process at a time"
            )
        self.arrange_end()
        if not self._started and not self.inherited:
            _processes.clear_temporaries(self._output.path)
        self._started = True
        _active = self
        _ends.watch(_numbers(self.settings.sigexit), self.finish, self._go_on)
        try:
            if self.settings.children and self._output.can_rename:
                _processes.pass_on(self.settings, self.origin)
            self._start_tracer(open_frames)
        except BaseException:
            _active = None
            self._let_go()
            raise

    def _start_tracer(self, open_frames: bool) -> None:
        """Starts it, with a valid file on disk before the program goes on.

        What runs once it has started must call nothing of the standard library that is
        written in Python: that would be in the profile. The tracer in C writes files itself.
        """
        if self._output.tracer_writes:
            self.tracer.start(open_frames=open_frames)
            self._arrange_snapshots()
            self._write(SNAPSHOT_NOTE, only_file=True)
        else:
            self._write(SNAPSHOT_NOTE, only_file=True)
            self._arrange_snapshots()
            self.tracer.start(open_frames=open_frames)

    def stop(self) -> None:
        """Pauses, and writes the whole profile."""
        global _active
        if _active is not self:
            return
        if os.getpid() != self._pid:
            self.drop()  # forked behind Python's back
            return
        self.tracer.stop()
        self._write("", only_file=False)
        _active = None
        self._let_go()

    def drop(self) -> None:
        """Forgets the profile: this process leaves the file to another one."""
        global _active
        self._dropped = True
        if _active is self:
            self.tracer.stop()
            self._let_go()
            _active = None
        self.tracer.forget()

    def _let_go(self) -> None:
        _ends.unwatch()
        if self.settings.children:
            _processes.pass_on_no_more()

    # ---- The process ends, or there are two ----

    def finish(self, how: str) -> None:
        """Completes the profile, with which it may go on; ``how``: see :func:`_ends.watch`."""
        if _active is not self or os.getpid() != self._pid or not self._minds(how):
            return
        if not self._output.can_rename:
            self.stop()
            return
        self._write("", only_file=True)
        if how in ("_exit", "exit"):
            self._merge()

    def _minds(self, how: str) -> bool:
        if how == "signal":
            return True
        return self.settings.libcexit if how == "exit" else self.settings.posix_exit

    def _go_on(self) -> None:
        """The process has not ended: the file is no whole profile any more."""
        if _active is self:
            self._arrange_snapshots()
            if not self._output.tracer_writes:
                self._snapshot()

    def _at_exit(self) -> None:
        try:
            self.stop()
        except KeyboardInterrupt:
            self.stop()  # whoever is impatient wants the profile all the same
            raise
        self._merge()

    def _merge(self) -> None:
        """Makes one file of all, in the process with which all began."""
        if self.settings.merge == "0" or os.getpid() != self.origin.pid or self._failed:
            return
        _processes.merge(self.origin, self.settings, complain)

    def after_fork(self) -> None:
        """In a forked child: starts anew with what is open now, and a file of its own."""
        self._become_child()
        if self._dropped:
            return
        if not self._output.tracer_writes:
            self.tracer.stop()
        self.tracer.forget()
        _ends.watch(_numbers(self.settings.sigexit), self.finish, self._go_on)
        if self._output.tracer_writes:
            self._arrange_snapshots()
            self._write(SNAPSHOT_NOTE, only_file=True)
        else:
            self._start_tracer(open_frames=True)

    def _become_child(self) -> None:
        self._pid = os.getpid()
        follow = self._forks_left != 0 and self._output.can_rename
        if not follow or self._dropped:
            self.drop()
            return
        self._forks_left = max(self._forks_left - 1, -1)
        self._output = self._output.of_child(self.origin.run)
        self._basetime = time.time()
        self._only_forks = self._failed = False
        self.inherited = True
        if not self.tracer.running:
            self.tracer.forget()

    def _arrange_snapshots(self) -> None:
        tracer: Any = self.tracer
        if not self._output.can_rename:
            return
        if self._only_forks:
            return
        if self._output.tracer_writes:
            tracer.set_snapshot(self._output.path, self.settings.compress,
                                self._header(SNAPSHOT_NOTE), SNAPSHOT_SECONDS)  # fmt: skip
        elif hasattr(tracer, "on_interval"):
            tracer.on_interval(SNAPSHOT_SECONDS, self._snapshot)

    def _snapshot(self) -> None:
        """Unless the profile is being written already."""
        if not self._writing:
            self._write(SNAPSHOT_NOTE, only_file=True)

    def _header(self, note: str) -> bytes:
        facts = self.tracer.facts()
        notes = [f"Engine {facts['engine']}, clock {facts['clock']}"]
        notes += [f"{facts[key]} {text}" for key, text in _TELLING.items() if facts.get(key)]
        notes += [note] if note else []
        run = self.origin.run if self.inherited else ""
        return _header(self.settings, self._application, self._basetime, notes, run)

    def _write(self, note: str, *, only_file: bool) -> None:
        """Errors are told once; the profiled program must not notice them."""
        if self._only_forks or (only_file and not self._output.can_rename):
            return
        self._writing = True
        try:
            self._output.write(
                self.tracer, self.settings.compress, self._header(note), final=not only_file
            )
        except OSError as error:
            self._report(error.strerror or str(error))
        except Exception as error:
            self._report(f"{type(error).__name__}: {error}")
        finally:
            self._writing = False

    def _report(self, reason: str) -> None:
        if not self._failed:
            self._failed = True
            where = "the writer given" if self._output.writer is not None else self.path
            complain(f"can't write the profile to {where}: {reason}")


def active() -> Session | None:
    """The session that runs in this process."""
    return _active


def _numbers(names: str) -> list[int]:
    return [int(getattr(signal, f"SIG{name.upper()}")) for name in names.split(",") if name]


@functools.cache
def _watch_forks() -> None:
    """Once a process: what is registered can't be taken back."""
    os.register_at_fork(after_in_child=_after_fork)


def _after_fork() -> None:
    if _active is None:
        return
    if _processes.only_execs(sys._getframe(1)):
        _active.drop()
    else:
        _active.after_fork()
