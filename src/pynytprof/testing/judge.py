"""What the session comes to: one profile of all, the table, the new baseline, annotations."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .. import convert
from . import baseline
from .recorder import Options, session_file
from .work import LineWork, Work

__all__ = ["Judge"]

PHASES = ("setup", "call", "teardown")

_SHARED = (
    "~ a share of a time that was measured for several lines together; "
    "--nytprof-set exactlines=1 measures each line"
)


class _Test:
    """All that was seen of one test."""

    def __init__(self) -> None:
        self.work: dict[str, Work] = {}
        self.growth: dict[str, Any] | None = None
        self.passed = True

    def seconds(self, *phases: str) -> float:
        return sum(self.work[phase].seconds for phase in phases or PHASES if phase in self.work)

    def hottest(self) -> LineWork | None:
        lines = [line for work in self.work.values() if (line := work.hottest())]
        return max(lines, key=lambda line: line.seconds, default=None)


class Judge:
    """Sees the reports of all processes."""

    def __init__(self, options: Options, config: pytest.Config) -> None:
        self._options = options
        self._config = config
        self._tests: dict[str, _Test] = {}
        self._errors: dict[str, int] = {}
        self._deselected = False
        self._said: list[str] = []
        self._clear()

    def _clear(self) -> None:
        """What an earlier session left: one's profiles are not the other's."""
        for phase in PHASES:
            for path in self._options.folder.glob(f"*.{phase}.out"):
                path.unlink(missing_ok=True)
        for path in self._options.folder.glob("session*.out"):
            path.unlink(missing_ok=True)

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        self._deselected |= bool(items)

    def pytest_runtest_logreport(self, report: Any) -> None:
        test = self._tests.setdefault(report.nodeid, _Test())
        test.passed &= report.outcome != "failed"
        found = getattr(report, "nytprof", None)
        if not found:
            return
        if found["error"]:
            self._errors[found["error"]] = self._errors.get(found["error"], 0) + 1
        if found["work"]:
            test.work[report.when] = Work.of_plain(found["work"])
        test.growth = found.get("growth") or test.growth

    # ---- The end ----

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self._merge()
        if self._options.update:
            self._update()

    def _all_work(self) -> Iterator[Work]:
        for test in self._tests.values():
            yield from test.work.values()

    def _merge(self) -> None:
        folder = self._options.folder
        parts = (
            [str(path) for path in sorted(folder.glob("session-*.out"))]
            if self._options.session
            else [work.profile for work in self._all_work() if work.profile]
        )
        if not parts:
            return
        try:
            convert.merge(parts, session_file(folder, ""))
        except (OSError, ValueError) as error:
            self._said.append(f"no profile of the whole session: {error}")

    def _update(self) -> None:
        options = self._options
        assert options.baseline_path is not None
        new = {
            name: baseline.Kept.of(test.work["call"])
            for name, test in self._tests.items()
            if "call" in test.work and test.passed
        }
        fresh = baseline.Baseline(options.python, options.stamp)
        old = options.baseline
        if old and (old.python, old.options) != (fresh.python, fresh.options):
            old = None  # other counts altogether
        gone = self._gone(old)
        try:
            baseline.write(options.baseline_path, baseline.updated(old, new, gone, fresh))
        except OSError as error:
            raise pytest.UsageError(f"pynytprof: {options.baseline_path}: {error}") from error
        dropped = f", {len(gone)} gone" if gone else ""
        self._said.append(f"baseline {options.baseline_path}: {len(new)} tests written{dropped}")

    def _gone(self, old: baseline.Baseline | None) -> set[str]:
        """Tests of the baseline whose files ran in full, without them."""
        if old is None or self._deselected or any("::" in arg for arg in self._config.args):
            return set()
        files = {name.partition("::")[0] for name in self._tests}
        return {
            name
            for name in old.tests
            if name not in self._tests and name.partition("::")[0] in files
        }

    # ---- What is shown ----

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        # On a terminal a long line would be broken; elsewhere, nothing is cut.
        most = 60 if terminalreporter.isatty else None
        rows = list(self._table(most))
        if rows or self._said or self._errors:
            terminalreporter.section("pynytprof")
        for row in rows:
            terminalreporter.write_line(row)
        for error, times in self._errors.items():
            terminalreporter.write_line(f"not profiled ({times} phases of tests): {error}")
        for text in (*self._said, *self._compared(), *self._where()):
            terminalreporter.write_line(text)
        if os.environ.get("GITHUB_ACTIONS") == "true":
            for text in self._annotations():
                terminalreporter.write_line(text)
        if self._options.markdown:
            self._write_markdown(Path(self._options.markdown))

    def _slowest(self) -> list[tuple[str, _Test]]:
        tests = [(name, test) for name, test in self._tests.items() if test.work]
        return sorted(tests, key=lambda item: item[1].seconds(), reverse=True)[: self._options.top]

    def _table(self, most: int | None) -> Iterator[str]:
        slowest = self._slowest()
        shared = False
        if slowest:
            yield f"{'setup':>9} {'call':>9} {'teardown':>9}  test, and its hottest line"
        for name, test in slowest:
            times = " ".join(f"{_time(test.seconds(phase)):>9}" for phase in PHASES)
            yield f"{times}  {name}"
            line = test.hottest()
            if line:
                where = f"{line.place.file}:{line.line}"
                figures = f"{line.count:,} x, {'~' if line.shared else ''}{_time(line.seconds)}"
                shared |= line.shared
                yield f"{'':>29}  {where}  {figures}  {line.place.text[:most]}"
        if shared:
            yield _SHARED

    def _compared(self) -> Iterator[str]:
        options = self._options
        if options.baseline is None or options.update:
            return
        ran = [name for name, test in self._tests.items() if "call" in test.work]
        known = options.baseline.tests
        new = sum(name not in known for name in ran)
        grown = sum(test.growth is not None for test in self._tests.values())
        less = sum(
            name in known and self._tests[name].work["call"].statements < known[name].statements
            for name in ran
        )
        yield (
            f"work compared with {options.baseline_path}: {len(ran) - new} tests, {grown} grew, "
            f"{less} do less, {new} new"
        )
        if new or less:
            yield "--nytprof-update keeps the new figures"

    def _where(self) -> Iterator[str]:
        whole = session_file(self._options.folder, "")
        if whole.exists():
            shown = os.path.relpath(whole, self._config.invocation_params.dir)
            yield f"all in one: {shown} (nytprof {shown}, nytprof html {shown})"

    def _annotations(self) -> Iterator[str]:
        for name, test in self._tests.items():
            if test.growth:
                growth = test.growth
                text = f"{name}: {growth['what'] or growth['summary']}. {growth['called']}"
                yield (
                    f"::error file={_property(growth['file'])},line={growth['line']},"
                    f"title=work grew::{_data(text)}"
                )

    def _markdown(self) -> Iterator[str]:
        grown = [(name, test.growth) for name, test in self._tests.items() if test.growth]
        if grown:
            yield "### Tests that do more work\n"
            yield "| test | work | line | called |\n| --- | --- | --- | --- |"
            for name, growth in grown:
                cells = (name, growth["summary"], growth["what"], growth["called"])
                yield "| " + " | ".join(map(_cell, cells)) + " |"
            yield ""
        for text in self._compared():
            yield f"{_cell(text)}\n"
        yield "### Slowest tests\n"
        yield "| setup | call | teardown | test | hottest line |"
        yield "| ---: | ---: | ---: | --- | --- |"
        for name, test in self._slowest():
            line = test.hottest()
            hottest = f"{line.place.file}:{line.line} ({line.count:,} x)" if line else ""
            times = [_time(test.seconds(phase)) for phase in PHASES]
            yield "| " + " | ".join(map(_cell, [*times, name, hottest])) + " |"

    def _write_markdown(self, path: Path) -> None:
        try:
            path.write_text("\n".join(self._markdown()) + "\n", encoding="utf-8")
        except OSError as error:
            raise pytest.UsageError(f"pynytprof: {path}: {error}") from error


def _time(seconds: float) -> str:
    if seconds >= 1:
        return f"{seconds:.2f} s"
    return f"{seconds * 1e3:.1f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.0f} us"


def _cell(text: str) -> str:
    """Inert in a table of Markdown."""
    for character in "\\`*_<>|[]":
        text = text.replace(character, "\\" + character)
    return " ".join(text.split())


def _data(text: str) -> str:
    """As the commands of GitHub's workflows want it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
