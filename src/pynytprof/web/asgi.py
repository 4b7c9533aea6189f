"""Middleware for ASGI: FastAPI, Starlette, Django, ... under uvicorn, hypercorn, ..."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from ..units import Names
from .choice import Choice

__all__ = ["ASGIMiddleware"]

_names = Names("web", asynchronous=True)


class ASGIMiddleware:
    """``app`` with some of its HTTP requests profiled; the settings are :class:`Choice`'s."""

    def __init__(self, app: Callable[..., Awaitable[None]], *args: Any, **settings: Any) -> None:
        self._app = app
        self._choice = Choice(_names, *args, **settings)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not self._choice.wanted(self._word(scope)):
            await self._app(scope, receive, send)
            return
        request = self._choice.begin(scope, scope["method"], scope["path"])
        if request is None:
            await self._app(scope, receive, send)
            return
        try:
            await _names(request.label)(self._app, scope, receive, send)
        finally:
            request.end()

    def _word(self, scope: Any) -> str | bytes | None:
        if not self._choice.on_demand:
            return None
        found: bytes | None = next((v for k, v in scope["headers"] if k == b"x-nytprof"), None)
        return self._choice.word(found, scope.get("query_string", b""))
