"""What a session is told to do, as the text that ``pynytprof._ctrace`` reads.

The same text goes from the command line to the interpreter that runs the program, from there to
its children, and from a :class:`pynytprof.Tracer` to its session; its form stands in
ext/session/settings.h.
"""

from __future__ import annotations

import os
import sys

from .._pure.paths import PACKAGE_PREFIX, working_folder
from .settings import Settings, excluded_prefixes, output_path, signal_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

VARIABLE = "PYNYTPROF_RUN"
"""Where the text is handed on; taken away before the program can look."""

START_FOLDER = os.path.join(PACKAGE_PREFIX, "_child")
"""Holds a sitecustomize.py, for where there is no pynytprof.pth."""

_START_FILE = "pynytprof.pth"
_found = False


def site_finds_us() -> None:
    """It reads ``pynytprof.pth`` at this moment; what it knows of its folders is not yet true."""
    global _found
    _found = True


def program_name() -> str:
    """What reports call the program: its script, or whose worker it is; as in begin.c."""
    script = sys.argv[0] if sys.argv else ""
    if script == "-c":
        text = sys.orig_argv[max(len(sys.orig_argv) - len(sys.argv), 0)]
        if "from multiprocessing." in text:
            return "multiprocessing worker"
        if "exec(eval(sys.stdin.readline()))" in text:
            return "execnet worker"
    return script


def start_folder() -> str:
    """What has to stand in PYTHONPATH so that a new interpreter finds us; nothing, if it
    comes upon our ``.pth`` file by itself."""
    if _found:
        return ""
    site = sys.modules.get("site")
    folder = os.path.dirname(os.path.dirname(PACKAGE_PREFIX))
    if site is None or not os.path.isfile(os.path.join(folder, _START_FILE)):
        return START_FOLDER
    folders = [*site.getsitepackages(), site.getusersitepackages() if site.ENABLE_USER_SITE else ""]
    return "" if any(_is_same(folder, f) for f in folders) else START_FOLDER


def _is_same(folder: str, other: str) -> bool:
    return folder == other or (os.path.exists(other) and os.path.samefile(folder, other))


def text_of(settings: Settings, *, application: str | None = None, pid: int, now: float) -> str:
    """The text for a session of the process ``pid`` that begins ``now``."""
    pairs = [(key, _word(value)) for key, value in settings.items().items()
             if not isinstance(value, tuple)]  # fmt: skip
    pairs += [("include", glob) for glob in settings.include]
    pairs += [("exclude", glob) for glob in settings.exclude]
    pairs += [("exclude_prefixes", prefix) for prefix in excluded_prefixes(settings.scope)]
    pairs += [
        ("file", output_path(settings, pid, now)),
        ("base", output_path(settings.replace(addpid=False), pid, now)),
        ("sigexit", ",".join(_numbers(settings.sigexit))),
        ("sigflush", ",".join(_numbers(settings.sigflush))),
        ("sigswitch", ",".join(_numbers(settings.sigswitch))),
        ("hide_prefix", PACKAGE_PREFIX),
    ]
    if settings.log:
        pairs.append(("log", os.path.join(working_folder(), settings.log)))
    if wants_talk(settings):
        pairs.append(("talk", "1"))
    if application is not None:
        pairs.append(("application", application))
    if settings.children and (folder := start_folder()):
        pairs.append(("start_folder", folder))
    return to_text(pairs)


def wants_talk(settings: Settings) -> bool:
    """Whether the profiler is to tell of its own work."""
    return settings.trace > 0 or os.environ.get("PYNYTPROF_DEBUG", "0") not in ("", "0")


def _word(value: object) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _numbers(names: str) -> Iterable[str]:
    return (str(signal_number(name)) for name in names.split(",") if name)


def to_text(pairs: Iterable[tuple[str, str]]) -> str:
    """One line for each pair."""
    return "".join(f"{key}={_escaped(value)}\n" for key, value in pairs)


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n")


def origin_of(environ: Mapping[str, str], file: str) -> str:
    """The lines that tell of the run that this process belongs to, if ``file`` is that of its
    first process: which must not be written over by a later one."""
    lines = [line for line in environ.get(VARIABLE, "").split("\n") if line.startswith("origin.")]
    theirs = next((line for line in lines if line.startswith("origin.file=")), "")
    same = theirs == "origin.file=" + _escaped(os.path.realpath(file))
    return "".join(f"{line}\n" for line in lines) if same else ""
