"""Profiles of requests and tasks: middleware for WSGI and ASGI, a decorator; see docs/web.md."""

from .asgi import ASGIMiddleware
from .routes import django_route, flask_route, starlette_route
from .tasks import Tasks
from .wsgi import WSGIMiddleware

__all__ = [
    "ASGIMiddleware",
    "Tasks",
    "WSGIMiddleware",
    "django_route",
    "flask_route",
    "starlette_route",
]
