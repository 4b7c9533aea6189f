"""Profiling from within a program: :class:`Tracer`, :func:`profile_script` and switches.

``python -m pynytprof.tracer [-o FILE] [-e CODE | SCRIPT ARGS...]`` profiles a program, as
``pynytprof`` does with more to choose from.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from ._session import Session
from ._settings import of_mapping

if TYPE_CHECKING:
    from types import TracebackType

    from ._writer import Writer

__all__ = ["Tracer", "disable_profile", "enable_profile", "finish_profile", "profile_script"]

_F = TypeVar("_F", bound=Callable[..., Any])
_DEFAULT_FILE = "nytprof.out"


class Tracer:
    """Profiles what runs between :meth:`start` and :meth:`stop`, in all threads.

    Also a context manager and a decorator; uses may be nested, the outermost counts. The
    profile at ``out_path`` is a valid file from the start on, is renewed every few seconds
    and complete after the last :meth:`stop`. ``writer`` is an object with ``write_chunk(token,
    payload)`` and ``close()`` that gets the profile instead, once, after the first last stop.
    ``options`` are settings by name, see ``docs/usage.md``.

    Raises :class:`pynytprof._settings.SettingsError` (a ValueError) for settings that make
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
        self._session = Session(settings, writer=writer)
        self._uses = 0

    @classmethod
    def _of(cls, session: Session) -> Tracer:
        """A Tracer for a session made elsewhere."""
        tracer = cls.__new__(cls)
        tracer._session = session
        tracer._uses = 0
        return tracer

    @property
    def path(self) -> str:
        """Where the profile is written."""
        return self._session.path

    @property
    def running(self) -> bool:
        """Whether it is counting."""
        return self._session.tracer.running

    @property
    def _line_hits(self) -> dict[tuple[int, int], list[int]]:
        """(file number, line) -> [times started, inclusive ticks, exclusive ticks] so far.

        A tick is 100 ns. May be read while profiling.
        """
        return self._session.tracer.line_hits()

    def start(self) -> None:
        """Begins or goes on. Raises RuntimeError if another session or tracer is at work."""
        self._start(open_frames=True)

    def _start(self, *, open_frames: bool) -> None:
        if self._uses == 0:
            self._session.start(open_frames=open_frames)
        self._uses += 1

    def stop(self) -> None:
        """Ends one use; with the last one the profile is written."""
        self._uses = max(self._uses - 1, 0)
        if self._uses == 0:
            self._session.stop()

    def __enter__(self) -> Tracer:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __call__(self, function: _F) -> _F:
        """``function`` with profiling while it runs."""
        if inspect.iscoroutinefunction(function):

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


_switched: Tracer | None = None


def enable_profile(file: str | os.PathLike[str] | None = None) -> None:
    """Begins profiling into ``file`` (``nytprof.out``), or goes on; calls may be nested.

    A ``file`` other than that of the profile being made finishes that and begins another.
    """
    global _switched
    if _switched is not None and file is not None and os.fspath(file) != _switched.path:
        finish_profile()
    if _switched is None:
        _switched = Tracer(file if file is not None else _DEFAULT_FILE)
    _switched.start()


def disable_profile() -> None:
    """Undoes one :func:`enable_profile`; with the last one profiling pauses."""
    if _switched is not None:
        _switched.stop()


def finish_profile() -> None:
    """Completes the profile; the next :func:`enable_profile` begins a new one."""
    global _switched
    if _switched is not None:
        tracer, _switched = _switched, None
        tracer._session.stop()


def adopt(session: Session, *, start: bool) -> None:
    """Makes ``session`` the one that :func:`enable_profile` and its sisters switch."""
    global _switched
    _switched = Tracer._of(session)
    if start:
        _switched._start(open_frames=False)


def profile_script(
    path: str | os.PathLike[str], out_path: str | os.PathLike[str] | None = None
) -> str:
    """Runs the script at ``path`` as ``__main__`` under the profiler; returns the profile's path.

    ``sys.argv``, ``sys.path[0]`` and ``__main__`` are as they were afterwards. What the script
    raises, SystemExit included, comes through once the profile is written.
    """
    from . import _runner

    target = _runner.Script(os.fspath(path), [])
    out = os.fspath(out_path) if out_path is not None else _DEFAULT_FILE
    session = Session(of_mapping({"file": out}), application=target.application)
    with _runner.as_main():
        target.prepare()
        session.start(open_frames=False)
        try:
            target.execute()
        finally:
            session.stop()
    return out


def main(argv: list[str] | None = None) -> int:
    """The older command line: ``[-o FILE] [-e CODE | SCRIPT ARGS...]``."""
    from . import cli

    return cli.tracer_main(argv)


if __name__ == "__main__":
    raise SystemExit(main())
