"""Middleware for WSGI: Flask, Django, ... under gunicorn, uWSGI, ..."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ..units import Names
from .choice import Choice, Profiled

__all__ = ["WSGIMiddleware"]

_names = Names("web")
_bodies = Names("web.body")


class _Body:
    """What is left of a response: each part is made under the request's name, as ``web.body``."""

    def __init__(self, parts: Iterable[bytes], call: Callable[..., Any], done: Profiled) -> None:
        self._parts = parts
        self._iterator = iter(parts)
        self._call = call
        self._done = done

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            part: bytes = self._call(next, self._iterator)
        except BaseException:
            self._done.end()
            raise
        return part

    def close(self) -> None:
        """The server's last word on it."""
        try:
            close = getattr(self._parts, "close", None)
            if close is not None:
                self._call(close)
        finally:
            self._done.end()


class WSGIMiddleware:
    """``app`` with some of its requests profiled; the settings are :class:`Choice`'s."""

    def __init__(self, app: Callable[..., Iterable[bytes]], *args: Any, **settings: Any) -> None:
        self._app = app
        self._choice = Choice(_names, *args, **settings)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not self._choice.wanted(self._word(environ)):
            return self._app(environ, start_response)
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        request = self._choice.begin(environ, method, path)
        if request is None:
            return self._app(environ, start_response)
        call = _names(request.label)
        try:
            parts: Iterable[bytes] = call(self._app, environ, start_response)
        except BaseException:
            request.end()
            raise
        if isinstance(parts, (list, tuple)):
            request.end()
            return parts
        return _Body(parts, _bodies(request.label), request)

    def _word(self, environ: dict[str, Any]) -> str | bytes | None:
        if not self._choice.on_demand:
            return None
        query: str = environ.get("QUERY_STRING", "")
        return self._choice.word(environ.get("HTTP_X_NYTPROF"), query.encode("latin-1", "replace"))
