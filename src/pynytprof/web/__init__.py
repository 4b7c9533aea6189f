"""Profiles of requests: middleware for WSGI and ASGI; see docs/web.md."""

from .asgi import ASGIMiddleware
from .routes import django_route, flask_route, starlette_route
from .wsgi import WSGIMiddleware

__all__ = [
    "ASGIMiddleware",
    "WSGIMiddleware",
    "django_route",
    "flask_route",
    "starlette_route",
]
