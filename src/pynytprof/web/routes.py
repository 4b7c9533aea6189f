"""The routes of requests, as frameworks know them: for ``label=`` of the middlewares.

No framework is imported but the one that is used already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["django_route", "flask_route", "starlette_route"]

Label = Callable[[Mapping[str, Any]], str]


def flask_route(app: Any) -> Label:
    """Rules of a Flask application, ``/users/<int:id>``."""

    def route(environ: Mapping[str, Any]) -> str:
        rule, _ = app.url_map.bind_to_environ(environ).match(return_rule=True)
        return str(rule.rule)

    return route


def django_route(request: Mapping[str, Any]) -> str:
    """Routes of Django's ``urlpatterns``, under WSGI and ASGI."""
    from django.urls import resolve

    path = request.get("PATH_INFO") or request.get("path")
    return "/" + str(resolve(path).route)


def starlette_route(app: Any) -> Label:
    """Paths of a Starlette or FastAPI application, ``/users/{id}``."""

    def route(scope: Mapping[str, Any]) -> str:
        for one in app.routes:
            if one.matches(scope)[0].name == "FULL":
                return str(one.path)
        raise LookupError(scope["path"])

    return route
