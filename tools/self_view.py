#!/usr/bin/env python3
"""What a program sees of itself, with and without pynytprof, in all ways to run one.

    self_view.py [--details] [PYTHON...]

Each PYTHON (this one) has pynytprof. Prints a table in Markdown for each: a row for each thing that
is looked at, a column for each way. "=": both views are equal; a number: they differ as it says in
the list below the tables, which is EXPECTED; else, and always with --details, what differs. Exit
status 1 if anything differs that is not in EXPECTED.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

VIEW = """\
import sys
modules = sorted(sys.modules)
frame, frames = sys._getframe(), []
while frame:
    frames.append(frame.f_code.co_name)
    frame = frame.f_back
def down(n):
    global deepest
    deepest = n
    down(n + 1)
try:
    down(1)
except RecursionError:
    pass
import os
fds = []
for fd in os.listdir('/proc/self/fd'):
    try:
        fds.append((int(fd), os.readlink('/proc/self/fd/' + fd)))
    except OSError:
        pass
import _signal, _thread, atexit
handlers = [repr(_signal.getsignal(n)) for n in sorted(_signal.valid_signals())]
caught = [line for line in open('/proc/self/status') if line.startswith(('SigCgt', 'SigIgn'))]
monitoring = getattr(sys, 'monitoring', None)
spec = __spec__ and (__spec__.name, __spec__.origin)
view = {
    'argv': sys.argv,
    'orig_argv': sys.orig_argv,
    'executable': sys.executable,
    'flags': repr(sys.flags),
    'path': sys.path,
    'path_importer_cache': sorted(sys.path_importer_cache),
    'modules': modules,
    'main': sorted(k for k in globals() if k.startswith('__')),
    'file': globals().get('__file__'),
    'spec': spec,
    'frames': frames,
    'depth': deepest,
    'environment': sorted(os.environ.items()),
    'fds': sorted(fds),
    'lowest_free_fd': os.open('/dev/null', os.O_RDONLY),
    'signal_handlers': handlers,
    'caught_signals': caught,
    'threads': len(os.listdir('/proc/self/task')),
    'exit_handlers': atexit._ncallbacks(),
    'hooks': repr((sys.gettrace(), sys.getprofile(), sys.excepthook, sys.displayhook)),
    'tools': monitoring and [monitoring.get_tool(i) for i in range(6)],
    'umask': os.umask(0o22),
    'cwd': os.getcwd(),
    'command_line': open('/proc/self/cmdline').read().split('\\0'),
}
import json
with open(os.environ['VIEW'], 'w') as out:
    json.dump(view, out)
"""

WAYS = ("script", "folder", "zip", "-m", "-m package", "-c", "-", "script in a folder")

EXPECTED = {
    "modules": "the package's empty door and the extension",
    "path_importer_cache": "folders looked into for these",
    "fds": "three descriptors of ours, out of the way",
    "caught_signals": "those that end the program, and one that wakes it",
    "signal_handlers": "the one that wakes it",
    "exit_handlers": "one, first: so the profile is completed last",
    "tools": "one sys.monitoring tool",
    "command_line": "/proc and ps show the words of the command, as they were typed",
    "standard input": "a pipe that the program comes through is a file when it runs",
}
"""What may differ, and why."""

OURS = {"pynytprof", "pynytprof._ctrace"}


def _prepare(folder: Path) -> None:
    (folder / "prog.py").write_text(VIEW)
    (folder / "app").mkdir()
    (folder / "app" / "__main__.py").write_text(VIEW)
    (folder / "pack").mkdir()
    (folder / "pack" / "__init__.py").write_text("")
    (folder / "pack" / "__main__.py").write_text(VIEW)
    (folder / "pack" / "prog.py").write_text(VIEW)
    with zipfile.ZipFile(folder / "app.zip", "w") as archive:
        archive.writestr("__main__.py", VIEW)


def _target(way: str) -> list[str]:
    return {
        "script": ["prog.py"],
        "folder": ["app"],
        "zip": ["app.zip"],
        "-m": ["-m", "pack.prog"],
        "-m package": ["-m", "pack"],
        "-c": ["-c", VIEW],
        "-": ["-"],
        "script in a folder": ["pack/prog.py"],
    }[way]


def _look(command: list[str], folder: Path, way: str) -> dict[str, Any]:
    """What the program sees if it is run so."""
    seen = folder / "view.json"
    env = {k: v for k, v in os.environ.items() if "NYTPROF" not in k}
    env |= {"VIEW": str(seen), "PYTHONDONTWRITEBYTECODE": "1"}
    with open(folder / "prog.py" if way == "-" else os.devnull, "rb") as given:
        subprocess.run(command, cwd=folder, env=env, stdin=given, check=True, timeout=60,
                       stdout=subprocess.DEVNULL)  # fmt: skip
    view: dict[str, Any] = json.loads(seen.read_text())
    seen.unlink()
    return view


def views(python: str, way: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Without us, and with us."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _prepare(folder)
        words = [*_target(way), "a", "-q"]
        plain = _look([python, *words], folder, way)
        ours = _look([python, "-m", "pynytprof", "-q", *words], folder, way)
    return plain, ours


def difference(key: str, plain: Any, ours: Any) -> str:
    """In a few words; nothing if there is none."""
    if plain == ours:
        return ""
    if isinstance(plain, list) and isinstance(ours, list):
        more = [str(x) for x in ours if x not in plain]
        less = [str(x) for x in plain if x not in ours]
        return " ".join([*(f"+{x}" for x in more), *(f"-{x}" for x in less)]) or "order"
    return f"{plain} -> {ours}"


def unexpected(python: str, way: str) -> dict[str, str]:
    """What differs and should not."""
    plain, ours = views(python, way)
    found = {key: difference(key, plain[key], ours[key]) for key in plain}
    if set(ours["modules"]) - set(plain["modules"]) <= OURS and not (
        set(plain["modules"]) - set(ours["modules"])
    ):
        del found["modules"]
    return {key: text for key, text in found.items() if text and key not in EXPECTED}


def cell(key: str, plain: Any, ours: Any, details: bool) -> str:
    found = difference(key, plain, ours)
    if found and key in EXPECTED and not details:
        return str([*EXPECTED].index(key) + 1)
    return found.replace("|", "/") or "="


def table(python: str, details: bool) -> list[str]:
    """The lines of the table for one Python."""
    version = subprocess.run([python, "--version"], capture_output=True, text=True, check=True)
    both = {way: views(python, way) for way in WAYS}
    lines = [f"| {version.stdout.strip()} | {' | '.join(WAYS)} |", "|---" * (len(WAYS) + 1) + "|"]
    for key in both["script"][0]:
        cells = [cell(key, plain[key], ours[key], details) for plain, ours in both.values()]
        lines.append(f"| {key} | {' | '.join(cells)} |")
    return lines


def main(words: list[str]) -> int:
    pythons = [os.path.abspath(word) for word in words if word != "--details"]
    wrong = 0
    for python in pythons or [sys.executable]:
        print("\n".join(table(python, "--details" in words)), end="\n\n")
        for way in WAYS:
            for key, text in unexpected(python, way).items():
                wrong += 1
                print(f"{python} {way}: {key}: {text}", file=sys.stderr)
    for number, (key, reason) in enumerate(EXPECTED.items(), 1):
        print(f"{number}. {key}: {reason}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
