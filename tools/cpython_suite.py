#!/usr/bin/env python3
"""CPython's own test suite with and without the profiler: it must not notice the difference.

    cpython_suite.py [--only PATTERN...] [--limit SECONDS] [--jobs N] [--state FILE] [--report]

Each test module of this interpreter's ``test`` package runs in a process of its own, first
plainly and, if it passes, under pynytprof. It passes there if the verdict is the same, if
as many tests ran and none was skipped that ran without us, and if the profile is sound. Network,
GUI and large-file tests are off, as they are by default in ``python -m test``.

What can't pass stands in tests/conformance/exceptions.ini, module by module or test by test,
with the reason. Excepted modules run as well: one that passes is reported.

What is found is kept in the state file; modules that are in it are not run again, unless
``--again`` names their outcome. Exit status 1 if a module failed because of us.
"""

from __future__ import annotations

import argparse
import configparser
import contextlib
import fnmatch
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path

EXCEPTIONS = Path(__file__).resolve().parent.parent / "tests/conformance/exceptions.ini"
VERSION = f"{sys.version_info[0]}.{sys.version_info[1]}"

# Packages whose modules take minutes together: each of their modules counts for itself.
SPLIT = re.compile(r"test_(asyncio|concurrent_futures|gdb|inspect|multiprocessing_\w+)")

# Outcomes. The first three are set by the run without us.
FAILS_PLAIN = "fails without us"
SKIPPED = "skipped without us"
SLOW = "over the limit without us"
PASSED = "passed"
EXCEPTED = "excepted"
NEEDLESS = "excepted, but passes"
FAILED = "FAILED"
LATE = "OVER THE LIMIT"
OUTCOMES = (PASSED, EXCEPTED, NEEDLESS, FAILED, LATE, SLOW, SKIPPED, FAILS_PLAIN)
OURS = (FAILED, LATE)

LINES_PAST_PERL = "nytprofhtml ignores lines from 65536 on"


# ---- What is excepted ----


@dataclass
class Exceptions:
    """Reasons by module, and patterns of single tests to leave out by module."""

    modules: dict[str, str] = field(default_factory=dict)
    tests: dict[str, list[str]] = field(default_factory=dict)


def read_exceptions(path: Path, version: str = VERSION) -> Exceptions:
    """Those for one version. A section is ``[MODULE]`` or ``[MODULE PATTERN...]``."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(path, encoding="utf-8")
    found = Exceptions()
    for title in parser.sections():
        module, *patterns = title.split()
        section = parser[title]
        reason = " ".join(section["reason"].split())
        if version not in section.get("python", version).split():
            continue
        if patterns:
            found.tests.setdefault(module, []).extend(patterns)
        else:
            found.modules[module] = reason
    return found


# ---- Which modules there are ----


def all_modules() -> list[str]:
    """Names as ``python -m test`` takes them."""
    package = importlib.util.find_spec("test")
    folders = package.submodule_search_locations if package else None
    if not folders:
        raise SystemExit("this Python has no test package")
    return sorted(_modules_in(Path(folders[0]), ""))


def _modules_in(folder: Path, prefix: str) -> Iterator[str]:
    for entry in folder.iterdir():
        name = entry.stem
        if not name.startswith("test_"):
            continue
        if (entry / "__init__.py").exists():
            if SPLIT.fullmatch(name):
                yield from _modules_in(entry, f"{prefix}{name}.")
            else:
                yield prefix + name
        elif entry.suffix == ".py":
            yield prefix + name


# ---- Running one module ----


@dataclass
class Run:
    """How one process of ``python -m test`` ended; ``status`` None: killed at the limit."""

    status: int | None
    seconds: float
    tests: int = 0
    skips: list[str] = field(default_factory=list)
    said: str = ""

    @property
    def passed(self) -> bool:
        return self.status == 0 and self.tests > len(self.skips)


@dataclass
class Result:
    """All that is known of one module."""

    outcome: str
    plain: Run
    ours: Run | None = None
    why: str = ""


def run_tests(
    module: str, python: Sequence[str], ignored: Iterable[str], limit: float, folder: Path
) -> Run:
    """Runs ``module`` with ``python`` (an interpreter and its options), in ``folder``."""
    report = folder / "junit.xml"
    command = [*python, "-m", "test", "--junit-xml", str(report)]
    for pattern in ignored:
        command += ["-i", pattern]
    output = folder / "output"
    begin = time.monotonic()
    with output.open("wb") as file:
        process = subprocess.Popen(
            [*command, module], cwd=folder, env=_environment(folder), stdin=subprocess.DEVNULL,
            stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
        status: int | None = None
        with contextlib.suppress(subprocess.TimeoutExpired):
            status = process.wait(limit)
        with contextlib.suppress(ProcessLookupError):  # what it left behind, too
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    seconds = time.monotonic() - begin
    said = output.read_text(encoding="utf-8", errors="replace")[-6000:]
    tests, skips = _read_report(report)
    return Run(status, round(seconds, 2), tests, skips, said)


def _environment(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if "NYTPROF" not in k and k[:6] != "PYTHON"}
    return {**kept, "PYTHONHASHSEED": "0", "TMPDIR": str(folder)}


def _read_report(path: Path) -> tuple[int, list[str]]:
    """How many tests ran, and the names of those that were skipped."""
    try:
        cases = list(ElementTree.parse(path).iter("testcase"))
    except (OSError, ElementTree.ParseError):
        return 0, []
    skips = sorted(case.get("name", "") for case in cases if case.find("skipped") is not None)
    return len(cases), skips


def examine(module: str, exceptions: Exceptions, limit: float) -> Result:
    """Runs ``module`` without and with us and compares."""
    ignored = exceptions.tests.get(module, [])
    with tempfile.TemporaryDirectory(prefix="suite-", ignore_cleanup_errors=True) as name:
        plain = run_tests(module, [sys.executable], ignored, limit, _new_folder(name, "plain"))
    if not plain.passed:
        if plain.status is None:
            return Result(SLOW, plain)
        return Result(FAILS_PLAIN if plain.status else SKIPPED, plain)
    with tempfile.TemporaryDirectory(prefix="suite-", ignore_cleanup_errors=True) as name:
        profile = Path(name, "profile", "nytprof.out")
        profile.parent.mkdir()
        python = [sys.executable, "-m", "pynytprof", "-q", "-o", str(profile)]
        larger = 8 * plain.seconds + 60
        ours = run_tests(module, python, ignored, larger, _new_folder(name, "ours"))
        why = _fault(plain, ours) or _unsound(profile)
    excepted = module in exceptions.modules
    if not why:
        plain.said = ours.said = ""
        return Result(NEEDLESS if excepted else PASSED, plain, ours)
    if excepted:
        return Result(EXCEPTED, plain, ours, why)
    return Result(LATE if ours.status is None else FAILED, plain, ours, why)


def _new_folder(parent: str, name: str) -> Path:
    folder = Path(parent, name)
    folder.mkdir()
    return folder


def _fault(plain: Run, ours: Run) -> str:
    if ours.status is None:
        return f"not at its end after {ours.seconds:.0f} s, {plain.seconds:.1f} s without us"
    if ours.status != 0:
        return f"exit status {ours.status}"
    if ours.tests != plain.tests:
        return f"{ours.tests} tests, {plain.tests} without us"
    more = Counter(ours.skips) - Counter(plain.skips)
    if more:
        return "skipped with us alone: " + ", ".join(sorted(more))
    return ""


def _unsound(profile: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pynytprof", "verify", str(profile)],
        capture_output=True, text=True,
    )  # fmt: skip
    said = (done.stdout + done.stderr).splitlines()
    # A module that long is CPython's idea; the profile tells of all its lines.
    found = [line for line in said if LINES_PAST_PERL not in line]
    return "profile: " + " ".join(found)[-2000:] if done.returncode and found else ""


# ---- The state, and what is told of it ----


def load_state(path: Path | None) -> dict[str, Result]:
    if path is None or not path.exists():
        return {}
    results = {}
    for module, entry in json.loads(path.read_text(encoding="utf-8"))["modules"].items():
        plain = Run(**entry.pop("plain"))
        ours = entry.pop("ours")
        results[module] = Result(plain=plain, ours=Run(**ours) if ours else None, **entry)
    return results


def save_state(path: Path | None, results: dict[str, Result]) -> None:
    if path is None:
        return
    state = {
        "python": sys.version,
        "modules": {module: asdict(result) for module, result in sorted(results.items())},
    }
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps(state, indent=1), encoding="utf-8")
    temporary.replace(path)


def report(results: dict[str, Result]) -> None:
    by_outcome = Counter(result.outcome for result in results.values())
    print(f"CPython {sys.version.split()[0]}: {len(results)} modules")
    for outcome in OUTCOMES:
        if not by_outcome[outcome]:
            continue
        print(f"{by_outcome[outcome]:5} {outcome}")
        if outcome == PASSED:
            continue
        for module, result in sorted(results.items()):
            if result.outcome == outcome:
                why = result.why.splitlines()[0] if result.why else ""
                print(f"        {module}{': ' if why else ''}{why}")
    both = [r for r in results.values() if r.ours is not None and r.outcome == PASSED]
    plain = sum(r.plain.seconds for r in both)
    ours = sum(r.ours.seconds for r in both if r.ours)
    tests = sum(r.plain.tests for r in both)
    print(f"Those passed: {tests} tests; {plain:.0f} s without us, {ours:.0f} s with us")


def wanted_modules(patterns: Sequence[str]) -> list[str]:
    modules = all_modules()
    if not patterns:
        return modules
    return [m for m in modules if any(fnmatch.fnmatchcase(m, p) for p in patterns)]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="CPython's own test suite under pynytprof")
    parser.add_argument("--only", metavar="PATTERN", nargs="+", default=[], help="these modules")
    parser.add_argument("--limit", type=float, default=30, metavar="SECONDS",
                        help="for a module without us (30); with us 8 times what it took and "
                        "a minute")  # fmt: skip
    parser.add_argument("--jobs", type=int, default=1, help="modules at a time (1)")
    parser.add_argument("--state", type=Path, metavar="FILE", help="kept and gone on from")
    parser.add_argument("--again", nargs="+", default=[], metavar="OUTCOME",
                        choices=OUTCOMES, help="run those again that ended so")  # fmt: skip
    parser.add_argument("--report", action="store_true", help="tell of the state, run nothing")
    options = parser.parse_args(argv)

    results = load_state(options.state)
    # A shell starts what runs in the background with SIGINT ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not options.report:
        exceptions = read_exceptions(EXCEPTIONS)
        todo = [
            m for m in wanted_modules(options.only)
            if m not in results or results[m].outcome in options.again
        ]  # fmt: skip
        with ThreadPoolExecutor(options.jobs) as pool:
            running = {pool.submit(examine, m, exceptions, options.limit): m for m in todo}
            for done in as_completed(running):
                module = running[done]
                results[module] = result = done.result()
                ours = f" -> {result.ours.seconds:.1f} s" if result.ours else ""
                why = f": {result.why.splitlines()[0]}" if result.why else ""
                print(f"{result.outcome:8} {module} {result.plain.seconds:.1f} s{ours}{why}",
                      flush=True)  # fmt: skip
                save_state(options.state, results)
    report(results)
    return 1 if any(result.outcome in OURS for result in results.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
