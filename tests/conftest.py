"""What all Python tests share: the skips that are allowed, and what becomes of others."""

from __future__ import annotations

import os
import re
import signal
from typing import Any

import pytest
from doors import door, doors, nytprof
from process import tracer
from tracing import bench, session
from writing import make

__all__ = ["bench", "door", "doors", "make", "nytprof", "session", "tracer"]

# A skip is a test that did not run. These reasons are accepted; with --strict-skips, or where
# CI is set, any other one fails the run. Each pattern must match a whole reason.
ALLOWED_SKIPS: tuple[str, ...] = (
    # The machine, not the project, lacks something that the test is about.
    r"needs CPython \d+\.\d+ or later",
    r"needs CPython before \d+\.\d+(\.\d+)?",
    r"no /dev/full here",
    r"this Python has no test package",
    r"needs root",
)

# The terminal that the tests run on is not that of the programs which they run. Where pytest has
# imported readline, this has set the variables behind os.environ's back.
for _name in ("COLUMNS", "LINES"):
    os.environ.pop(_name, None)
    os.unsetenv(_name)

# A shell lets what it starts with & ignore SIGINT, and so would all programs that the tests start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# What these are about is the same on each CPython: test.sh runs them with the first one alone.
ONCE = {
    "test_architecture.py",
    "test_bench_truth.py",
    "test_completions.py",
    "test_consumers.py",
    "test_diff.py",
    "test_filtered.py",
    "test_install.py",
    "test_mcp.py",
    "test_packaging.py",
    "test_page.py",
    "test_perl_programs.py",
    "test_progress.py",
    "test_recover.py",
    "test_schema.py",
    "test_shared.py",
    "test_show.py",
    "test_tasks.py",
    "test_top.py",
    "test_version.py",
    "test_web.py",
}

_unexpected: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--strict-skips", action="store_true", help="skips that are not on the list are failures"
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "slow: left out of the quick set")
    config.addinivalue_line("markers", "alone: not in a worker of pytest-xdist's")
    config.addinivalue_line("markers", "once: the same on each CPython, so only with the first one")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name in ONCE:
            item.add_marker("once")


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return str(report.longrepr)


def _judge(report: pytest.TestReport | pytest.CollectReport) -> None:
    if not report.skipped or hasattr(report, "wasxfail"):
        return
    reason = _reason(report)
    if not any(re.fullmatch(pattern, reason) for pattern in ALLOWED_SKIPS):
        _unexpected.append(f"{report.nodeid}: {reason}")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    _judge(report)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    _judge(report)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """pytest-xdist tells of a worker's skipped tests, but not of a file skipped as a whole."""
    for skip in getattr(node, "workeroutput", {}).get("unexpected", ()):
        if skip not in _unexpected:
            _unexpected.append(skip)


def _strict(config: pytest.Config) -> bool:
    return bool(config.getoption("--strict-skips")) or os.environ.get("CI") == "true"


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["unexpected"] = _unexpected
    if _unexpected and _strict(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if not _unexpected:
        return
    verdict = "a failure" if _strict(config) else "would fail in CI"
    terminalreporter.section(f"skips that are not on the list in conftest.py ({verdict})")
    for line in _unexpected:
        terminalreporter.line(line)
