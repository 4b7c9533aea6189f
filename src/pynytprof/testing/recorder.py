"""Profiles the tests of one process, and judges each as it ends."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from .. import reader
from ..tracer import Tracer
from . import gate
from .baseline import Baseline, BaselineError, Kept, read
from .work import Work, of_profile

__all__ = ["Options", "load", "recorder", "session_file"]


@dataclass
class Options:
    """What the command line asks for."""

    root: str
    folder: Path
    session: bool
    settings: dict[str, Any]
    top: int
    python: str
    update: bool
    tolerance: gate.Tolerance
    markdown: str | None
    baseline_path: Path | None = None
    baseline: Baseline | None = None
    """None: there is none yet, or it is not asked for."""
    stamp: str = field(init=False)
    """The settings on which counts depend, as the baseline names them."""

    def __post_init__(self) -> None:
        self.stamp = " ".join(f"{key}={value}" for key, value in sorted(self.settings.items()))

    def expected(self, test: str) -> Kept | None:
        """The work that a test may do; None: it is new, or nothing is compared."""
        if self.baseline is None or self.update:
            return None
        return self.baseline.tests.get(test)


def load(options: Options, path: Path) -> None:
    """Reads the baseline. Raises BaselineError if it is damaged, or of other counts than ours."""
    options.baseline_path = path
    if options.update and not path.exists():
        return
    if not path.exists():
        raise BaselineError(f"{path}: no such baseline; --nytprof-update makes it")
    found = read(path)
    if options.update:
        options.baseline = found
        return
    for what, theirs, ours in (
        ("Python", found.python, options.python),
        ("settings", found.options, options.stamp),
    ):
        if theirs != ours:
            raise BaselineError(
                f"{path}: made with {what} {theirs}, and this is {what} {ours}: counts differ "
                "({python} in the file's name keeps one for each version)"
            )
    options.baseline = found


def session_file(folder: Path, worker: str) -> Path:
    """Of a whole session in one process."""
    return folder / (f"session-{worker}.out" if worker else "session.out")


def _file_name(test: str, phase: str) -> str:
    plain = re.sub(r"[^\w.-]+", "_", test)[-100:].strip("_")
    return f"{plain}-{hashlib.sha1(test.encode()).hexdigest()[:8]}.{phase}.out"


class _Profiling:
    """One profile at a time; one that can't be made is no failure of the test."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._tracer: Tracer | None = None
        self.error = ""

    def start(self, path: Path) -> None:
        self.error = ""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._tracer = Tracer(path, options=self._options.settings)
            self._tracer.start()
        except (OSError, RuntimeError, ImportError) as error:
            self._tracer, self.error = None, str(error)

    def stop(self) -> Path | None:
        """The profile's path; None: there is none."""
        tracer, self._tracer = self._tracer, None
        if tracer is None:
            return None
        tracer.stop()
        return Path(tracer.path)


class _EachTest:
    """A profile for each phase of each test."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._profiling = _Profiling(options)

    def _phase(self, item: pytest.Item, phase: str) -> Iterator[None]:
        self._profiling.start(self._options.folder / _file_name(item.nodeid, phase))
        try:
            yield
        finally:
            self._done(item, phase, self._profiling.stop())

    def _done(self, item: pytest.Item, phase: str, path: Path | None) -> None:
        work, error = None, self._profiling.error
        try:
            if path is not None:
                work = of_profile(reader.read(path), self._options.root)
                if phase != "call" and not work.lines:  # a fixture of pytest's own, or none
                    os.unlink(path)
                    work.profile = ""
        except (OSError, reader.ProfileError) as problem:
            work, error = None, str(problem)
        item.stash[_FOUND] = (phase, work, error)

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        yield from self._phase(item, "setup")

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        yield from self._phase(item, "call")

    @pytest.hookimpl(hookwrapper=True, trylast=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
        yield from self._phase(item, "teardown")

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Iterator[None]:
        outcome: Any = yield
        report = outcome.get_result()
        phase, work, error = item.stash.get(_FOUND, ("", None, ""))
        if phase != report.when:
            return
        report.nytprof = {"work": work.plain() if work else None, "error": error}
        if phase == "call" and work is not None:
            self._judge(report, work)

    def _judge(self, report: Any, work: Work) -> None:
        expected = self._options.expected(report.nodeid)
        growth = gate.grown(expected, work, self._options.tolerance) if expected else None
        if growth is None:
            return
        top = growth.lines[0] if growth.lines else None
        report.nytprof["growth"] = {
            "summary": growth.summary(),
            "text": growth.text(),
            "file": top.line.place.file if top else "",
            "line": top.line.line if top else 0,
            "what": top.text() if top else "",
            "called": gate.called(top.line) if top and top.line.callers else "",
        }
        if report.outcome == "passed" and not hasattr(report, "wasxfail"):
            report.outcome, report.longrepr = "failed", growth.text()


_FOUND = pytest.StashKey[tuple[str, "Work | None", str]]()


class _WholeSession:
    """One profile of all tests of this process, collection included."""

    def __init__(self, options: Options, worker: str) -> None:
        self._profiling = _Profiling(options)
        self._path = session_file(options.folder, worker)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionstart(self) -> None:
        self._profiling.start(self._path)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        self._profiling.stop()

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        if self._profiling.error:
            terminalreporter.write_line(f"pynytprof: no profile: {self._profiling.error}")


def recorder(options: Options, config: pytest.Config) -> object:
    """The plugin that profiles in this process."""
    if not options.session:
        return _EachTest(options)
    worker: str = getattr(config, "workerinput", {}).get("workerid", "")
    return _WholeSession(options, worker)
