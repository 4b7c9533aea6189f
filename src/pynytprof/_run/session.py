"""A profile run: which tracer and writer serve it, and the file that comes of it.

The usual one, of the tracer and the writer in C, is ``pynytprof._ctrace.Session``: the same that
serves a program which Python itself runs. :class:`PySession` is for what is in Python: the
tracer there, the writer there, a writer of the user's. At most one runs in a process.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from .._writer import PyWriter, Writer, writer_class
from . import handover
from .engine import tracer_class
from .protocols import AnySession
from .py_session import PySession
from .settings import Settings, SettingsError
from .switch import Switch as PySwitch

try:
    from .. import _ctrace
except ImportError:
    _ctrace = None  # type: ignore[assignment]

if TYPE_CHECKING or _ctrace is None:
    Switch = PySwitch
else:
    Switch = _ctrace.Switch
    """The base of :class:`pynytprof.Tracer`."""


def _in_c(settings: Settings) -> bool:
    """Whether tracer and writer are both those in C.

    Raises SettingsError where PYNYTPROF_TRACER or PYNYTPROF_WRITER can't be followed.
    """
    if _ctrace is None or tracer_class(settings) is not _ctrace.Tracer:
        return False
    try:
        return writer_class() is not PyWriter
    except (ValueError, ImportError) as error:
        raise SettingsError(str(error)) from error


_adopted: AnySession | None = None


def adopt(session: AnySession) -> None:
    """Makes ``session`` that of the program itself."""
    global _adopted
    _adopted = session


def of_program() -> AnySession | None:
    """The session of the program itself, if pynytprof has started it."""
    if _adopted is not None or _ctrace is None:
        return _adopted
    found: AnySession | None = _ctrace.session_of_program()
    return found


def new(
    settings: Settings,
    *,
    writer: Writer | None = None,
    sources: Mapping[str, str] | None = None,
    application: str | None = None,
) -> AnySession:
    """A session for these settings; see :class:`PySession` for the rest. Raises SettingsError
    where a setting can't be followed."""
    if writer is not None or not _in_c(settings):
        return PySession(settings, writer=writer, sources=sources, application=application)
    text = handover.text_of(
        settings,
        application=application or handover.program_name() or "(interactive)",
        pid=os.getpid(),
        now=time.time(),
    )
    return _ctrace.Session(os.fsencode(text), sources)


def another(session: AnySession, file: str) -> AnySession:
    """A session like that one for another file."""
    if isinstance(session, PySession):
        return session.another(file)
    assert isinstance(session, _ctrace.Session)
    lines = session.settings + os.fsencode(handover.to_text([("file", file), ("base", file)]))
    return _ctrace.Session(lines, session.sources)
