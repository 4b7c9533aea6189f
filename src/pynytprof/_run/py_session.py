"""A session whose tracer or writer is in Python, or whose writer is the user's.

The profile is kept as sums, so a whole and valid file can be written at any moment. The twin of
ext/session/session.c.
"""

from __future__ import annotations

import atexit
import functools
import os
import sys
import sysconfig
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from typing import Any

from .._writer import Writer
from . import exits as _ends
from . import messages as _talk
from . import processes as _processes
from .engine import new_tracer
from .header import header, notes
from .messages import complain
from .output import Output
from .processes import SNAPSHOT_NOTE
from .protocols import AnySession
from .settings import Settings, SettingsError, output_path, signal_number

try:
    from .. import _ctrace
except ImportError:
    _ctrace = None  # type: ignore[assignment]

_active: PySession | None = None

_lock = threading.RLock()
_switching = False
"""Whether a session is being switched: other threads wait, a signal's handler can't."""


def _set_active(session: PySession | None) -> None:
    global _active
    _active = session
    if _ctrace is not None:
        _ctrace.occupy(session.path if session is not None else None)


def active() -> AnySession | None:
    """The session that runs, or is paused, in this process."""
    if _active is not None or _ctrace is None:
        return _active
    found: AnySession | None = _ctrace.active_session()
    return found


def _make_place() -> None:
    """Lets a session of ours begin: another that is paused, or that nobody in this process has
    asked for, is completed. Raises RuntimeError if there is one at work."""
    other = active()
    if isinstance(other, PySession) and other.inherited:
        other._stop()
    elif other is not None and not isinstance(other, PySession):
        if other.inherited or other.paused:
            other.finish()
    other = active()
    if other is not None:
        raise RuntimeError(
            f"a profile is being written to {other.path} already; "
            "one session can run in a process at a time"
        )


def _after_fork_of_any() -> None:
    """The thread that has held the lock may not be in this process."""
    global _lock, _switching
    _lock, _switching = threading.RLock(), False


os.register_at_fork(after_in_child=_after_fork_of_any)


def _at_exit_if_alive(session: PySession) -> None:
    """Has ``session`` completed when the program ends, without keeping it alive till then."""

    def complete() -> None:
        still = alive()
        if still is not None:
            still._at_exit()

    alive = weakref.ref(session, lambda _: atexit.unregister(complete))
    atexit.register(complete)


class PySession:
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
        self.tracer = new_tracer(settings, sources)
        self._sources = sources
        path = output_path(settings, os.getpid(), self._basetime)
        self._output = Output(path, writer)
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
        self.uses = 0
        self.paused = False

    def _begin_run(self) -> _processes.Origin:
        """This process is the first of its run."""
        named = self.settings.replace(addpid=False)
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

    def another(self, file: str) -> PySession:
        """A session like this one for another file."""
        return PySession(self.settings.replace(file=file), sources=self._sources,
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

    def use(self, *, open_frames: bool = True) -> None:
        """Switches it on once more. The first time it begins, or goes on.

        The frames that are open then are the program's, unless ``open_frames`` is false. Raises
        RuntimeError if another session runs in this process.
        """
        with _lock:
            self._switch(lambda: self._use(open_frames))

    def release(self, *, pause: bool = False) -> None:
        """Undoes one :meth:`use`; with the last one the whole profile is written. With ``pause``,
        too: what is in Python has no quicker way."""
        with _lock:
            self._switch(self._release)

    def finish(self) -> None:
        """Undoes all :meth:`use`, and writes the whole profile."""
        with _lock:
            self._switch(self._finish)

    @staticmethod
    def _switch(what: Callable[[], None]) -> None:
        global _switching
        if _switching:
            raise RuntimeError("profiling is being switched on or off at this very moment")
        _switching = True
        try:
            what()
        finally:
            _switching = False

    def _use(self, open_frames: bool) -> None:
        if self.uses == 0 or _active is not self:
            self._start(open_frames)
        self.uses += 1

    def _release(self) -> None:
        self.uses = max(self.uses - 1, 0)
        if self.uses == 0:
            self._stop()

    def _finish(self) -> None:
        self.uses = 0
        self._stop()

    def _start(self, open_frames: bool) -> None:
        if os.getpid() != self._pid:
            self._become_child()
        if _active is self or self._dropped:
            return
        self.arrange_end()
        _make_place()
        if not self._started and not self.inherited:
            _processes.clear_temporaries(self._output.path)
        _ends.watch(_numbers(self.settings.sigexit), self._end, self._go_on)
        try:
            _set_active(self)
            self._started = True
            if self.settings.children and self._output.can_rename:
                _processes.pass_on(self.settings, self.origin)
            self._start_tracer(open_frames)
        except BaseException:
            self.tracer.stop()
            _set_active(None)
            self._let_go()
            raise

    def _start_tracer(self, open_frames: bool) -> None:
        """Starts it, with a valid file on disk before the program goes on.

        What runs once it has started must call nothing of the standard library that is
        written in Python: that would be in the profile.
        """
        self._write(SNAPSHOT_NOTE, only_file=True)
        self._arrange_snapshots()
        self.tracer.start(open_frames=open_frames)

    def _stop(self) -> None:
        """Pauses, and writes the whole profile."""
        if _active is not self:
            return
        if os.getpid() != self._pid:
            self.drop()  # forked behind Python's back
            return
        self.tracer.stop()
        try:
            self._write("", only_file=False)
        except BaseException:  # of a signal's handler: the profile is wanted all the same
            self._write("", only_file=False)
            raise
        finally:
            _set_active(None)
            self._let_go()

    def drop(self) -> None:
        """Forgets the profile: this process leaves the file to another one."""
        self._dropped = True
        if _active is self:
            self.tracer.stop()
            self._let_go()
            _set_active(None)
        self.tracer.forget()

    def _let_go(self) -> None:
        _ends.unwatch()
        if self.settings.children:
            _processes.pass_on_no_more()

    # ---- The process ends, or there are two ----

    def _end(self, how: str) -> None:
        """Completes the profile, with which it may go on; ``how``: see :func:`_ends.watch`."""
        if _active is not self or os.getpid() != self._pid or not self._minds(how):
            return
        if not self._output.can_rename:
            self._stop()
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
            self._snapshot()

    def _at_exit(self) -> None:
        try:
            self._finish()
        except KeyboardInterrupt:
            self._finish()  # whoever is impatient wants the profile all the same
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
        self.tracer.stop()
        self.tracer.forget()
        _ends.watch(_numbers(self.settings.sigexit), self._end, self._go_on)
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
        if hasattr(tracer, "on_interval"):
            tracer.on_interval(self.settings.snapshot, self._snapshot)

    def _snapshot(self) -> None:
        """Unless the profile is being written already."""
        if not self._writing:
            self._write(SNAPSHOT_NOTE, only_file=True)

    def _header(self, note: str) -> bytes:
        told = notes(self.tracer.facts(), note)
        run = self.origin.run if self.inherited else ""
        return header(self.settings, self._application, self._basetime, told, run)

    def _write(self, note: str, *, only_file: bool) -> None:
        """Errors are told once; the profiled program must not notice them. Where the writer is
        ours, what is no such error comes from a handler of the program's signals, and is its."""
        if self._only_forks or (only_file and not self._output.can_rename):
            return
        self._writing = True
        try:
            self._output.write(self.tracer, self.settings.compress, self._header(note))
        except OSError as error:
            self._report(error.strerror or str(error))
        except Exception as error:
            if self._output.writer is None and not isinstance(error, MemoryError):
                raise
            self._report(f"{type(error).__name__}: {error}")
        finally:
            self._writing = False

    def _report(self, reason: str) -> None:
        if not self._failed:
            self._failed = True
            where = "the writer given" if self._output.writer is not None else self.path
            complain(f"can't write the profile to {where}: {reason}")


def _numbers(names: str) -> list[int]:
    return [number for name in names.split(",") if name and (number := signal_number(name))]


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
