"""``start=init``: profiling begins where the main module's first imports end.

Until then nothing is traced but the main module's own lines, so that its imports take their
usual time.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Mapping
from types import CodeType, FrameType
from typing import Any

from .._pure.source import source_of_module


def after_imports(begin: Callable[[], None], sources: Mapping[str, str]) -> Callable[[], None]:
    """Calls ``begin`` once, at the first line of ``__main__`` that is not of its imports.

    ``sources`` are the texts of code that is in no file. A main module of unknown text
    begins with its first line; where nobody can watch for the line, ``begin`` is called at once.
    Returns what ends the waiting.
    """
    watch = _Watch(begin, sources)
    if not watch.arm():
        begin()
    return watch.disarm


def first_line(text: str) -> int | None:
    """The first line of the module after its docstring and imports; None: there is no other.

    ``if`` and ``try`` around nothing but imports are imports.
    """
    try:
        statements = ast.parse(text).body
    except (SyntaxError, ValueError):  # the file has changed since
        return 0
    for number, statement in enumerate(statements):
        docstring = (
            number == 0
            and isinstance(statement, ast.Expr)
            and isinstance(statement.value, ast.Constant)
        )
        if not docstring and not _imports(statement):
            decorators = getattr(statement, "decorator_list", [])
            lines: list[int] = [node.lineno for node in (statement, *decorators)]
            return min(lines)
    return None


def _imports(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.If):
        return all(map(_imports, (*statement.body, *statement.orelse)))
    if isinstance(statement, ast.Try):  # what follows may stand in for what is missing
        return all(map(_imports, statement.body))
    return isinstance(statement, (ast.Import, ast.ImportFrom, ast.Pass))


class _Wait:
    """What the ways of waiting for a line of the main module have in common."""

    def __init__(self, begin: Callable[[], None], sources: Mapping[str, str]) -> None:
        self._begin = begin
        self._sources = sources
        self._main = sys.modules["__main__"].__dict__
        self._line = 0

    def _is_main(self, frame: FrameType) -> bool:
        """Whether the frame is that of the main module's own code, whose line is now known."""
        name = frame.f_code.co_filename
        if frame.f_code.co_name != "<module>" or frame.f_globals is not self._main:
            return False
        text = self._sources.get(name) or source_of_module(name, self._main)
        if text:
            line = first_line(text)
            self._line = sys.maxsize if line is None else line
        return True


if sys.version_info >= (3, 12):
    _monitoring = sys.monitoring
    _events = _monitoring.events

    class _Watch(_Wait):
        """By ``sys.monitoring``: each function is looked at once."""

        _tool = -1

        def arm(self) -> bool:
            free = [tool for tool in (4, 3, 2) if _monitoring.get_tool(tool) is None]
            if not free:
                return False
            self._tool = free[0]
            _monitoring.use_tool_id(self._tool, "pynytprof")
            _monitoring.register_callback(self._tool, _events.PY_START, self._on_start)
            _monitoring.register_callback(self._tool, _events.LINE, self._on_line)
            _monitoring.restart_events()
            _monitoring.set_events(self._tool, _events.PY_START)
            return True

        def disarm(self) -> None:
            if self._tool >= 0:
                _monitoring.set_events(self._tool, 0)
                _monitoring.register_callback(self._tool, _events.PY_START, None)
                _monitoring.register_callback(self._tool, _events.LINE, None)
                _monitoring.free_tool_id(self._tool)
                self._tool = -1

        def _on_start(self, code: CodeType, offset: int) -> Any:
            if not self._is_main(sys._getframe(1)):
                return _monitoring.DISABLE
            _monitoring.set_events(self._tool, 0)
            _monitoring.set_local_events(self._tool, code, _events.LINE)
            return None

        def _on_line(self, code: CodeType, line: int) -> Any:
            if line >= self._line:
                _monitoring.set_local_events(self._tool, code, 0)
                self.disarm()
                self._begin()

else:

    class _Watch(_Wait):
        """By ``sys.settrace``, if nobody else uses it."""

        _armed = False

        def arm(self) -> bool:
            if sys.gettrace() is None:
                self._armed = True
                sys.settrace(self._on_call)
            return self._armed

        def disarm(self) -> None:
            if self._armed:
                self._armed = False
                sys.settrace(None)

        def _on_call(self, frame: FrameType, event: str, arg: Any) -> Any:
            return self._on_line if self._armed and self._is_main(frame) else None

        def _on_line(self, frame: FrameType, event: str, arg: Any) -> Any:
            if not self._armed or event != "line" or frame.f_lineno < self._line:
                return self._on_line
            self.disarm()
            frame.f_trace = None
            self._begin()
            return None
