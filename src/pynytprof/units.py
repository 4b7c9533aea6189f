"""Units of work under names of their own: requests, jobs, steps.

A function that is called under a name has a place of that name in the call tree, and all that it
calls below. So ``nytprof tree --focus NAME`` and ``nytprof func NAME`` show one unit, also where
several overlap on one event loop or in several threads: each has a stack of its own.
"""

from __future__ import annotations

import functools
import inspect
import linecache
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from . import tracer as _tracer

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Names", "unit"]

_F = TypeVar("_F", bound=Callable[..., Any])

_PLAIN = "def unit(function, *args, **kwargs):\n    return function(*args, **kwargs)\n"
_ASYNC = "async def unit(function, *args, **kwargs):\n    return await function(*args, **kwargs)\n"
_MOST = 200
_REST = "(other)"


class Names:
    """Functions that call another one under a name; at most 200 names, then they share one.

    Not of this package's folder, which profiles don't show, but of a made-up file of the project.
    """

    def __init__(self, kind: str, *, asynchronous: bool = False) -> None:
        self.kind = kind
        self._text = _ASYNC if asynchronous else _PLAIN
        self._made: dict[str, Callable[..., Any]] = {}

    def __call__(self, name: str) -> Callable[..., Any]:
        found = self._made.get(name)
        if found is None and len(self._made) >= _MOST:
            name = _REST
            found = self._made.get(name)
        return found if found is not None else self._made.setdefault(name, self._new(name))

    def _new(self, name: str) -> Callable[..., Any]:
        path = os.path.abspath(f"({self.kind})")
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


class unit:
    """Profiles a unit of work: a function, under this name, or the body of a ``with``.

    ``@unit("import")`` and ``unit("import").run(f, x)`` call a function, or a coroutine's, under
    the name ``unit::import``. ``with unit("import"):`` profiles its body, whose lines stay those
    of the function around it. Units may be nested and may overlap; profiling is on while there is
    one, into the profile that :func:`pynytprof.enable_profile` switches.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __enter__(self) -> unit:
        _tracer.enable_profile()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        _tracer.disable_profile()

    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """``function(*args, **kwargs)`` as this unit; of a coroutine function a coroutine."""
        return self(function)(*args, **kwargs)

    def __call__(self, function: _F) -> _F:
        """``function`` as this unit, each time that it is called."""
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
