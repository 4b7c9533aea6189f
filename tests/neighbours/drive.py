"""drive.py NEIGHBOUR MODE - runs work.py in all orders of start and stop; prints JSON.

MODE: ``alone`` (the neighbour), ``ours`` (the profiler alone) or ``both``. The program's calls
are the same in all modes, so what a tool sees must not depend on who else is there.
"""

from __future__ import annotations

import cProfile
import faulthandler
import importlib
import json
import os
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pynytprof
from pynytprof.reader import read

# What is run lies beside this script; mypy does not look at it.
work: Any = importlib.import_module("work")
monitoring: Any = getattr(sys, "monitoring", None)
HERE = Path(__file__).resolve().parent
WORK = str(HERE / "work.py")


def is_work(frame: Any) -> bool:
    return bool(frame.f_code.co_filename == WORK)


class Neighbour:
    """What another tool finds out between its start and its stop."""

    def start(self) -> None:
        raise NotImplementedError

    def stop(self) -> None:
        raise NotImplementedError

    def found(self) -> Any:
        raise NotImplementedError


class Settrace(Neighbour):
    """A user of sys.settrace, in all threads that begin later."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def event(self, frame: Any, event: str, arg: Any) -> Any:
        if is_work(frame):
            self.seen[f"{event} {frame.f_lineno} {frame.f_code.co_name}"] += 1
            return self.event
        return None

    def start(self) -> None:
        threading.settrace(self.event)
        self.before = sys.gettrace()
        sys.settrace(self.event)
        assert sys.gettrace() == self.event

    def stop(self) -> None:
        assert sys.gettrace() == self.event
        sys.settrace(None)
        threading.settrace(None)
        assert sys.gettrace() is None
        assert self.before is None

    def found(self) -> Any:
        return dict(self.seen)


class QuietSettrace(Settrace):
    """One that switches lines off in some frames."""

    def event(self, frame: Any, event: str, arg: Any) -> Any:
        if is_work(frame) and frame.f_code.co_name in ("count", "catch", "numbers"):
            frame.f_trace_lines = False
        return super().event(frame, event, arg)


class Setprofile(Neighbour):
    """A user of sys.setprofile."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def event(self, frame: Any, event: str, arg: Any) -> None:
        if is_work(frame):
            name = arg.__name__ if event.startswith("c_") else ""
            self.seen[f"{event} {frame.f_code.co_name} {name}"] += 1

    def start(self) -> None:
        threading.setprofile(self.event)
        assert sys.getprofile() is None
        sys.setprofile(self.event)
        assert sys.getprofile() == self.event

    def stop(self) -> None:
        assert sys.getprofile() == self.event
        sys.setprofile(None)
        threading.setprofile(None)
        assert sys.getprofile() is None

    def found(self) -> Any:
        return dict(self.seen)


class CProfile(Neighbour):
    def __init__(self) -> None:
        self.profile = cProfile.Profile()

    def start(self) -> None:
        self.profile.enable()

    def stop(self) -> None:
        self.profile.disable()

    def found(self) -> Any:
        seen = {}
        entries: list[Any] = self.profile.getstats()
        for entry in entries:
            if getattr(entry.code, "co_filename", None) == WORK:
                calls = sorted(
                    (getattr(c.code, "co_name", str(c.code)), c.callcount, c.reccallcount)
                    for c in entry.calls or ()
                    if "start_new_thread" not in str(c.code)
                )
                key = f"{entry.code.co_name} {entry.code.co_firstlineno}"
                seen[key] = entry.callcount, entry.reccallcount, calls
        return seen


class Coverage(Neighbour):
    core = ""

    def __init__(self) -> None:
        import coverage

        os.environ["COVERAGE_CORE"] = self.core
        self.coverage = coverage.Coverage(data_file=None, include=[WORK], branch=False)

    def start(self) -> None:
        self.coverage.start()

    def stop(self) -> None:
        self.coverage.stop()

    def found(self) -> Any:
        return sorted(self.coverage.get_data().lines(WORK) or [])


class CoverageC(Coverage):
    core = "ctrace"


class CoveragePy(Coverage):
    core = "pytrace"


class CoverageSysmon(Coverage):
    core = "sysmon"


class Faulthandler(Neighbour):
    """Dumps all threads' stacks while we run; it must find what it would find."""

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile()  # noqa: SIM115

    def start(self) -> None:
        faulthandler.enable(self.file)

    def stop(self) -> None:
        faulthandler.dump_traceback(self.file)
        faulthandler.disable()

    def found(self) -> Any:
        self.file.seek(0)
        text = self.file.read().decode()
        return [line.split()[-1] for line in text.splitlines() if "drive.py" in line]


class Monitoring(Neighbour):
    """A user of sys.monitoring that disables places and starts all events again."""

    tool = 1

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def line(self, code: Any, line: int) -> Any:
        if code.co_filename != WORK:
            return monitoring.DISABLE
        self.seen[f"{code.co_name} {line}"] += 1
        if code.co_name == "once":
            monitoring.restart_events()
        return monitoring.DISABLE if line % 2 else None

    def start(self) -> None:
        events = monitoring.events
        monitoring.use_tool_id(self.tool, "neighbour")
        monitoring.register_callback(self.tool, events.LINE, self.line)
        # Without it CPython 3.13 has no LINE for some functions of one line.
        monitoring.register_callback(self.tool, events.PY_START, lambda code, offset: None)
        monitoring.restart_events()
        monitoring.set_events(self.tool, events.LINE | events.PY_START)

    def stop(self) -> None:
        monitoring.set_events(self.tool, 0)
        monitoring.register_callback(self.tool, monitoring.events.LINE, None)
        monitoring.register_callback(self.tool, monitoring.events.PY_START, None)
        monitoring.free_tool_id(self.tool)

    def found(self) -> Any:
        # How often a place that was disabled calls is a matter of how threads alternate.
        return sorted(self.seen)


KINDS: dict[str, type[Neighbour]] = {
    "settrace": Settrace,
    "quiet": QuietSettrace,
    "setprofile": Setprofile,
    "cprofile": CProfile,
    "ctrace": CoverageC,
    "pytrace": CoveragePy,
    "sysmon": CoverageSysmon,
    "faulthandler": Faulthandler,
    "monitoring": Monitoring,
}


class Ours:
    """What we find out of work.py, with the options given in the environment."""

    def __init__(self, path: str) -> None:
        options = json.loads(os.environ.get("DRIVE_OPTIONS", "{}"))
        self.path = path
        self.tracer = pynytprof.Tracer(path, options={"include": [WORK], **options})

    def start(self) -> None:
        self.tracer.start()

    def stop(self) -> None:
        self.tracer.stop()

    def found(self) -> Any:
        profile = read(self.path)
        fids = [fid for fid, file in profile.files.items() if file.name == WORK]
        lines = {line.line: line.count for line in profile.lines if line.fid in fids}
        calls = Counter(
            {f"{call.called} {call.line}": 0 for call in profile.calls if call.fid in fids}
        )
        for call in profile.calls:
            if call.fid in fids:
                calls[f"{call.called} {call.line}"] += call.count
        return {"lines": lines, "calls": calls}


class Nobody(Neighbour):
    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def found(self) -> Any:
        return None


def run(neighbour: Any, ours: Any, order: tuple[bool, bool]) -> dict[str, Any]:
    """`order`: whether the neighbour starts first, and whether it stops first."""
    starts: list[Callable[[], None]] = [neighbour.start, ours.start]
    stops: list[Callable[[], None]] = [neighbour.stop, ours.stop]
    if not order[0]:
        starts.reverse()
    if not order[1]:
        stops.reverse()
    starts[0]()
    work.first()
    starts[1]()
    work.work()
    stops[0]()
    work.last()
    stops[1]()
    return {"neighbour": neighbour.found(), "ours": ours.found()}


def main() -> None:
    kind, mode = sys.argv[1:]
    # From 3.12 on cProfile has one stack for all threads: they must not be mixed by chance.
    sys.setswitchinterval(10)
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        for order in ((True, True), (True, False), (False, True), (False, False)):
            neighbour: Neighbour = KINDS[kind]() if mode != "ours" else Nobody()
            name = f"{folder}/{len(results)}.out"
            ours: Any = Ours(name) if mode != "alone" else Nobody()
            results[str(order)] = run(neighbour, ours, order)
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
