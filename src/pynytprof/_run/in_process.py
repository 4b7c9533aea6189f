"""The program run by us, in our own process: where Python can't be had to run it itself.

Then modules that we need are loaded before it, and our frames lie below its own.
"""

from __future__ import annotations

import atexit
import os
import re
import sys
from collections.abc import Callable
from typing import NoReturn

from . import session as _sessions
from . import start as _start
from . import target as _targets
from .messages import complain
from .protocols import AnySession
from .settings import Settings, SettingsError


def run(target: _targets.Target, settings: Settings, *, quiet: bool) -> NoReturn:
    """Runs the target and leaves as it does. Raises SettingsError where it can't be profiled."""
    try:
        target.prepare()
    except _targets.TargetError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(error.status) from None
    except BaseException as error:
        _targets.leave_with(error)
        raise
    begin_late = _begin(target, settings, quiet)
    try:
        target.execute()
    except SystemExit:
        raise
    except BaseException as error:
        _targets.leave_with(error)
        raise
    finally:
        begin_late()
    raise SystemExit(0)


def _begin(target: _targets.Target, settings: Settings, quiet: bool) -> Callable[[], None]:
    """Begins when ``start`` says. Returns what is to be called once the target has ended."""
    settings = settings.replace(exclude=(*settings.exclude, *target.exclude))
    try:
        session = _sessions.new(settings, sources=target.sources, application=target.application)
        if not quiet:
            atexit.register(_tell, session, os.getpid())
        _sessions.adopt(session)
        session.arrange_end()
        if settings.start == "begin":
            session.use(open_frames=False)
        elif settings.start == "init":
            stop_waiting = _start.after_imports(
                lambda: _begin_late(session, open_frames=True), target.sources
            )
    except (RuntimeError, ImportError, ValueError, OSError) as error:
        raise SettingsError(str(error)) from error

    def at_the_end() -> None:
        if settings.start == "init":
            stop_waiting()
        if settings.start in ("init", "end"):
            _begin_late(session, open_frames=False)

    return at_the_end


def _begin_late(session: AnySession, *, open_frames: bool) -> None:
    """Begins, unless it has begun already. The program must not notice a failure."""
    if session.started:
        return
    try:
        session.use(open_frames=open_frames)
    except Exception as error:
        complain(f"can't profile: {error}")


def _tell(session: AnySession, pid: int) -> None:
    """Says where the profile is, once it is complete."""
    if os.getpid() != pid or session.failed:
        return
    if session.started:
        path = session.path
        plain = re.fullmatch(r"[\w/.+=:,@%][\w/.+=:,@%-]*", path, re.ASCII)
        complain(f"profile written to {path}" + (f"; to read it: nytprof {path}" if plain else ""))
    else:
        complain("profiling was never switched on, so there is no profile")
