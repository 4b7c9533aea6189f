"""Tasks of queues: celery, rq and others that call a function for each."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from ..units import Names
from .choice import Choice

__all__ = ["Tasks"]

_F = TypeVar("_F", bound=Callable[..., Any])

_plain = Names("task")
_async = Names("task", asynchronous=True)


class Tasks:
    """A decorator of functions that a queue calls: some of the calls are profiled.

    The settings are :class:`Choice`'s, but for those that are about requests; ``every`` counts
    the calls of all its functions. A function's name is its label.
    """

    def __init__(self, folder: str = "nytprof-tasks", **settings: Any) -> None:
        for name in ("secret", "label"):
            if name in settings:
                raise TypeError(f"tasks have no {name}")
        self._choice = Choice(_plain, folder, **settings)

    def __call__(self, function: _F) -> _F:
        """``function``, under its own name, with some of its calls profiled."""
        label = f"{function.__module__}.{function.__qualname__}"
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def wrapper(*args: Any, **kwargs: Any) -> Any:
                task = self._choice.begin_as(label) if self._choice.wanted(None) else None
                if task is None:
                    return await function(*args, **kwargs)
                try:
                    return await _async(task.label)(function, *args, **kwargs)
                finally:
                    task.end()

        else:

            @functools.wraps(function)
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                task = self._choice.begin_as(label) if self._choice.wanted(None) else None
                if task is None:
                    return function(*args, **kwargs)
                try:
                    return _plain(task.label)(function, *args, **kwargs)
                finally:
                    task.end()

        return cast("_F", wrapper)
