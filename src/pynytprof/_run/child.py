"""A session in Python in a new interpreter that the profiled program has started.

Called by ``pynytprof._ctrace.begin``; sessions in C have ext/session/begin.c for this.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any

from .handover import program_name
from .processes import Origin, part_name
from .py_session import PySession
from .session import adopt
from .settings import KEYS, Settings

_HELPERS = re.compile(
    r"(?:import sys; )?from multiprocessing\.(resource_tracker|forkserver) import main"
)
"""What multiprocessing starts for itself and ends later than the program: no part of this. What
the second forks is."""

_SPAWNED = re.compile(r"(?<=spawn_main\()[^)]*")
"""What differs between the texts of processes that multiprocessing spawns."""


def take_over(given: str) -> None:
    """In a new interpreter, before its program: what ``processes.pass_on`` was told is done."""
    told = json.loads(given)
    origin = Origin(*told["origin"])
    values: Any = {k: tuple(v) if isinstance(v, list) else v for k, v in told["settings"].items()}
    # Another version's may differ.
    settings = Settings(**{key: values[key] for key in values if key in KEYS})
    text = _command_text()
    helper = _HELPERS.match(text) if text else None
    if helper is None or helper[1] == "forkserver":
        _begin(settings, origin, text, only_forks=helper is not None)


def _command_text() -> str | None:
    """What follows ``-c``."""
    if sys.argv[:1] != ["-c"]:
        return None
    return sys.orig_argv[len(sys.orig_argv) - len(sys.argv)]


def _begin(settings: Settings, origin: Origin, text: str | None, *, only_forks: bool) -> None:
    path = part_name(origin.base, os.getpid(), origin.run)
    session = PySession(
        settings.replace(file=path, addpid=False, addtimestamp=False),
        sources={"<string>": _SPAWNED.sub("...", text)} if text else None,
        application=program_name() or None,
        origin=origin,
        only_forks=only_forks,
    )
    adopt(session)
    session.arrange_end()
    if settings.start in ("begin", "init"):
        session.use(open_frames=False)
