"""Profiling from within a program: :class:`Tracer`, :func:`profile_script` and switches.

``python -m pynytprof.tracer [-o FILE] [-e CODE | SCRIPT ARGS...]`` profiles a program, as
``pynytprof`` does with more to choose from.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ._run import session as _sessions
from ._run.protocols import AnySession
from ._run.settings import of_mapping

if TYPE_CHECKING:
    from ._run import target as _target
    from ._writer import Writer

__all__ = [
    "Tracer",
    "disable_profile",
    "enable_profile",
    "finish_profile",
    "profile_command",
    "profile_script",
]

_F = TypeVar("_F", bound=Callable[..., Any])
_DEFAULT_FILE = "nytprof.out"


class Tracer(_sessions.Switch):
    """Profiles what runs between :meth:`start` and :meth:`stop`, in all threads.

    Also a context manager and a decorator; uses may be nested, and in several threads: profiling
    goes on until the last one ends. The
    profile at ``out_path`` is a valid file from the start on, is renewed every few seconds
    and complete after the last :meth:`stop`. ``writer`` is an object with ``write_chunk(token,
    payload)`` and ``close()`` that gets the profile instead, once, after the first last stop.
    ``options`` are settings by name, see ``docs/usage.md``.

    Raises :class:`pynytprof._run.settings.SettingsError` (a ValueError) for settings that make
    no sense.
    """

    def __init__(
        self,
        out_path: str | os.PathLike[str] = _DEFAULT_FILE,
        *,
        writer: Writer | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        settings = of_mapping({"file": os.fspath(out_path), **(options or {})})
        self._session = _sessions.new(settings, writer=writer)

    @classmethod
    def _of(cls, session: AnySession) -> Tracer:
        """A Tracer for a session made elsewhere."""
        tracer = cls.__new__(cls)
        tracer._session = session
        return tracer

    @property
    def path(self) -> str:
        """Where the profile is written."""
        return self._session.path

    @property
    def running(self) -> bool:
        """Whether it is counting."""
        return bool(self._session.tracer.running)

    @property
    def _line_hits(self) -> dict[tuple[int, int], list[int]]:
        """(file number, line) -> [times started, inclusive ticks, exclusive ticks] so far.

        A tick is 100 ns. May be read while profiling.
        """
        hits: dict[tuple[int, int], list[int]] = self._session.tracer.line_hits()
        return hits

    def __call__(self, function: _F) -> _F:
        """``function`` with profiling while it runs.

        Of a generator or coroutine: from its first step until it ends, with what else
        runs while it waits.
        """
        import inspect  # large: only decorators need it

        if inspect.isasyncgenfunction(function):

            @functools.wraps(function)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                with self:
                    inner = function(*args, **kwargs)
                    try:
                        step = inner.asend(None)
                        while True:
                            try:
                                item = await step
                            except StopAsyncIteration:
                                return
                            try:
                                sent = yield item
                            except GeneratorExit:
                                raise
                            except BaseException as error:
                                step = inner.athrow(error)
                            else:
                                step = inner.asend(sent)
                    finally:
                        await inner.aclose()

        elif inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return (yield from function(*args, **kwargs))

        elif inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await function(*args, **kwargs)

        else:

            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return function(*args, **kwargs)

        return wrapper  # type: ignore[return-value]


_lock = threading.RLock()
"""Orders threads. Handlers of signals may come in between: each step below is one by itself."""

_current: dict[str, Tracer] = {}
"""The one that is switched, under this name."""
_NAME = "switched"
_met: AnySession | None = None
"""The session of the program itself, once it is known here."""


def _after_fork() -> None:
    """The thread that has held the lock may not be in this process."""
    global _lock
    _lock = threading.RLock()


os.register_at_fork(after_in_child=_after_fork)


def _meet_program() -> None:
    """If pynytprof has started this program, its session is the one to be switched."""
    global _met
    session = _sessions.of_program()
    if session is not None and session is not _met:
        _met = session
        _current[_NAME] = Tracer._of(session)


def enable_profile(file: str | os.PathLike[str] | None = None) -> None:
    """Begins profiling into ``file`` (``nytprof.out``), or goes on; calls may be nested.

    A ``file`` other than that of the profile being made finishes that and begins another,
    with the same settings.
    """
    with _lock:
        _meet_program()
        old = _current.get(_NAME)
        if old is not None and file is not None and os.fspath(file) != old.path:
            finish_profile()
            another = Tracer._of(_sessions.another(old._session, os.fspath(file)))
            _current.setdefault(_NAME, another).start()
        elif old is None:
            _current.setdefault(_NAME, Tracer(file if file is not None else _DEFAULT_FILE)).start()
        else:
            old.start()


def disable_profile() -> None:
    """Undoes one :func:`enable_profile`; with the last one profiling pauses. The file is
    complete after :func:`finish_profile`, or at the end of the program."""
    with _lock:
        _meet_program()
        current = _current.get(_NAME)
        if current is not None:
            current._session.release(pause=True)


def finish_profile() -> None:
    """Completes the profile; the next :func:`enable_profile` begins a new one."""
    with _lock:
        _meet_program()
        current = _current.pop(_NAME, None)
        if current is not None:
            current._session.finish()


def current() -> Any:
    """What counts for the profile that is switched: a C or a Python tracer, or None."""
    tracer = _current.get(_NAME)
    return tracer._session.tracer if tracer is not None else None


def profile_script(
    path: str | os.PathLike[str], out_path: str | os.PathLike[str] | None = None
) -> str:
    """Runs the script at ``path`` as ``__main__`` under the profiler; returns the profile's path.

    ``sys.argv``, ``sys.path[0]`` and ``__main__`` are as they were afterwards. What the script
    raises, SystemExit included, comes through once the profile is written.
    """
    from ._run import target  # large: few programs do this

    return _profile(target.Script(os.fspath(path), []), out_path)


def profile_command(code: str, out_path: str | os.PathLike[str] | None = None) -> str:
    """Runs ``code`` as :func:`profile_script` does a script; returns the profile's path."""
    from ._run import target

    return _profile(target.Code(code, []), out_path)


def _profile(target: _target.Target, out_path: str | os.PathLike[str] | None) -> str:
    out = os.fspath(out_path) if out_path is not None else _DEFAULT_FILE
    session = _sessions.new(
        of_mapping({"file": out}), sources=target.sources, application=target.application
    )
    with target.as_main():
        target.prepare()
        session.use(open_frames=False)
        try:
            target.execute()
        finally:
            session.finish()
    return out


def main(argv: list[str] | None = None) -> int:
    """The older command line: ``[-o FILE] [-e CODE | SCRIPT ARGS...]``."""
    from .cli import tracer_main

    return tracer_main(argv)


def cli() -> int:
    """:func:`main` with the words of the command line."""
    return main()


if __name__ == "__main__":
    raise SystemExit(main())
