"""Units of work under names of their own: requests, jobs, steps.

A function that is called under a name has a place of that name in the call tree, and all that it
calls below. So ``nytprof tree --focus NAME`` and ``nytprof func NAME`` show one unit, also where
several overlap on one event loop or in several threads: each has a stack of its own.
"""

from __future__ import annotations

import contextlib
import functools
import linecache
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from . import tracer as _tracer

if TYPE_CHECKING:
    from types import FrameType, TracebackType

__all__ = ["Names", "unit"]

_F = TypeVar("_F", bound=Callable[..., Any])

# lib/model/scope.c knows the function by its first line.
_PLAIN = "def unit(function, *args, **kwargs):\n    return function(*args, **kwargs)\n"
_ASYNC = "async def unit(function, *args, **kwargs):\n    return await function(*args, **kwargs)\n"
_MOST = 200
_REST = "(other)"


class Names:
    """Functions that call another one under a name; at most 200 names, then they share one.

    Not of this package's folder, which profiles don't show, but of a made-up file, which reports
    take for a package's.
    """

    def __init__(self, kind: str, *, asynchronous: bool = False) -> None:
        self.kind = kind
        self._text = _ASYNC if asynchronous else _PLAIN
        self._path = os.path.abspath(f"({kind})")  # now: it may be profiled later
        self._made: dict[str, Callable[..., Any]] = {}

    def __call__(self, name: str) -> Callable[..., Any]:
        found = self._made.get(name)
        if found is None and len(self._made) >= _MOST:
            name = _REST
            found = self._made.get(name)
        return found if found is not None else self._made.setdefault(name, self._new(name))

    def _new(self, name: str) -> Callable[..., Any]:
        path = self._path
        lines = self._text.splitlines(keepends=True)
        linecache.cache[path] = (len(self._text), None, lines, path)
        space: dict[str, Any] = {"__name__": self.kind}
        exec(compile(self._text, path, "exec"), space)
        function = space["unit"]
        function.__qualname__ = name  # where code objects have no such name: before 3.11
        function.__code__ = function.__code__.replace(co_name=name)
        if sys.version_info >= (3, 11):
            function.__code__ = function.__code__.replace(co_qualname=name)
        return cast("Callable[..., Any]", function)


_plain = Names("unit")
_async = Names("unit", asynchronous=True)


def _frame_of_with(frame: FrameType | None) -> FrameType | None:
    """The frame whose ``with`` it is, also by way of contextlib's ExitStack. None: ours."""
    while frame is not None and frame.f_code.co_filename == contextlib.__file__:
        frame = frame.f_back
    return None if frame is None or frame.f_code.co_filename == __file__ else frame


class _Opened:
    """A ``with`` that is open: in which frame, and what ends it (0: nothing need be ended).

    No named tuple: making one would run code that is not of this file, and be profiled.
    """

    __slots__ = ("frame", "number", "tracer")

    def __init__(self, frame: int, tracer: Any, number: int) -> None:
        self.frame = frame
        self.tracer = tracer
        self.number = number


class unit:
    """Profiles a unit of work: a function, under this name, or the body of a ``with``.

    ``@unit("import")`` and ``unit("import").run(f, x)`` call a function, or a coroutine's, under
    the name ``unit::import``. What the body of ``with unit("import"):`` runs, and calls, stands
    below that name as well; its lines stay those of the function around it. Units may be nested and
    may overlap, also where coroutines wait in them; profiling is on while there is one, into the
    profile that :func:`pynytprof.enable_profile` switches.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._open: list[_Opened] = []

    def __enter__(self) -> unit:
        function = _plain(self.name)
        _tracer.enable_profile()
        tracer, number = _tracer.current(), 0
        begin = getattr(tracer, "begin_unit", None)
        frame = _frame_of_with(sys._getframe(1))
        if begin is not None and frame is not None:
            number = begin(frame, function)
        self._open.append(_Opened(id(frame), tracer, number))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        opened = self._take(id(_frame_of_with(sys._getframe(1))))
        if opened.number:
            opened.tracer.end_unit(opened.number)
        _tracer.disable_profile()

    def _take(self, frame: int) -> _Opened:
        """What was opened last in this frame; uses of one unit may overlap. Else the last one."""
        at = len(self._open) - 1
        while at > 0 and self._open[at].frame != frame:
            at -= 1
        if at >= 0 and self._open[at].frame != frame:
            at = len(self._open) - 1
        opened: _Opened = self._open.pop(at)
        return opened

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """``function(*args, **kwargs)`` as this unit; of a coroutine function a coroutine."""
        return self(function)(*args, **kwargs)

    def __call__(self, function: _F) -> _F:
        """``function`` as this unit, each time that it is called."""
        import inspect  # not for a `with` alone: it takes as long as all the rest

        if inspect.iscoroutinefunction(function):
            call = _async(self.name)

            @functools.wraps(function)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return await call(function, *args, **kwargs)

        else:
            call = _plain(self.name)

            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                with self:
                    return call(function, *args, **kwargs)

        return cast("_F", wrapper)
