"""Counts over modules of CPython's own tests and what they test, against the standard library.

test_stdlib_tests.py [MODULE...]    by hand: says how much was compared, and differences
"""

from __future__ import annotations

import importlib.util
import json
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support import TRACERS, run
from views import EVAL, HERE, View, cprofile_label, differences, not_none, plain_file, profile

# Test modules that do the same in every run, traced or not, and the modules in Python that
# they are about. Not among them: those that look at the stack, skip tests under sys.settrace,
# or have threads. test_yield_from looks at the stack, and on 3.11 cProfile's calls in it are
# wrong: CPython 3.11 sends no call event where throw() ends the inner generator and the outer one
# goes on, but a return event for it, and so cProfile loses a level. In test_types it names
# dict's methods after what a subclass has in their place.
MODULES: dict[str, list[str]] = {
    "test_abc": [],
    "test_argparse": ["argparse"],
    "test_bisect": ["bisect"],
    "test_calendar": ["calendar"],
    "test_cmd": ["cmd"],
    "test_configparser": ["configparser"],
    "test_copy": ["copy"],
    "test_csv": ["csv"],
    "test_dataclasses": [],
    "test_dictviews": [],
    "test_enum": [],
    "test_fnmatch": ["fnmatch"],
    "test_fractions": ["fractions"],
    "test_graphlib": ["graphlib"],
    "test_heapq": ["heapq"],
    "test_html": ["html"],
    "test_htmlparser": ["html.parser"],
    "test_optparse": ["optparse"],
    "test_reprlib": [],
    "test_shlex": ["shlex"],
    "test_string": [],
    "test_textwrap": ["textwrap"],
    "test_with": [],
}
NO_CALLS = {"test_enum"}  # it has threads, which cProfile does not keep apart
QUICK = ["test_textwrap", "test_reprlib", "test_shlex"]

# All that is tested is imported anew. No collections:
# a generator that one closes would have whatever runs at that moment as its caller (test_with).
DRIVER = """\
import gc, io, random, sys, unittest
gc.disable()
for name in {!r}:
    sys.modules.pop(name, None)
random.seed(1)
suite = unittest.defaultTestLoader.loadTestsFromName("test.{}")
result = unittest.TextTestRunner(io.StringIO()).run(suite)
print(result.testsRun, len(result.failures), len(result.errors))
"""


@dataclass
class Comparison:
    """How much was compared, and where they differ."""

    lines: int
    starts: int
    calls: int
    found: str


def file_of(module: str) -> str | None:
    spec = importlib.util.find_spec(module)
    return spec.origin if spec else None


def oracle_alone(method: str, program: Path, result: Path, tested: list[str]) -> Any:
    """The oracle's answer where unittest, and what is tested, is yet to be imported, as it is in
    the profiled program, which has nobody's modules but Python's own when it begins."""
    code = (
        "import sys\n"
        "sys.path.insert(0, sys.argv.pop(1))\n"
        "import oracle\n"
        "for name in list(sys.modules):\n"
        f"    if name in {tested} or name.partition('.')[0] == 'unittest':\n"
        "        del sys.modules[name]\n"
        "oracle.main(*sys.argv[1:])\n"
    )
    done = run([sys.executable, "-c", code, HERE, method, program, result])
    assert done.returncode == 0, done.stderr
    return json.loads(result.read_text(encoding="utf-8"))


def compare(module: str, folder: Path) -> Comparison:
    """Line counts with sys.settrace's, call counts with cProfile's."""
    program = folder / "driver.py"
    tested = MODULES.get(module, [])
    program.write_text(DRIVER.format(tested, module), encoding="utf-8")
    files = {file_of(f"test.{module}"), *map(file_of, tested)}
    view = View(profile(folder / "nytprof.out", [program], tracer=TRACERS[-1]))

    def of_files(counts: Counter[tuple[str, int]]) -> Counter[Any]:
        return Counter({place: n for place, n in counts.items() if place[0] in files})

    def between(calls: Counter[Any]) -> Counter[Any]:
        return Counter({
            pair: n for pair, n in calls.items()
            if any(sub and sub[0] in files for sub in pair)
            and not any(sub and sub[0] == EVAL for sub in pair)  # names of evals are not Python's
            and not pair[1][0].startswith("(frozen importlib")
        })  # fmt: skip

    theirs: Counter[tuple[str, int]] = Counter()
    for file, line, count in oracle_alone("settrace", program, folder / "lines.json", tested):
        theirs[plain_file(file), line] += count
    their_lines = of_files(theirs)
    found = differences(of_files(view.line_counts()), their_lines)

    calls: Counter[Any] = Counter()
    if module in NO_CALLS:
        return Comparison(len(their_lines), sum(their_lines.values()), 0, found)
    for caller, callee, count in oracle_alone("cprofile", program, folder / "calls.json", tested):
        calls[cprofile_label(caller), not_none(cprofile_label(callee))] += count
    their_calls = between(calls)
    found += differences(between(view.call_counts()), their_calls)
    return Comparison(len(their_lines), sum(their_lines.values()), sum(their_calls.values()), found)


@pytest.mark.skipif(
    not importlib.util.find_spec("test.test_support"), reason="this Python has no test package"
)
@pytest.mark.parametrize(
    "module",
    [m if m in QUICK else pytest.param(m, marks=pytest.mark.slow) for m in MODULES],
)
def test_counts(module: str, tmp_path: Path) -> None:
    result = compare(module, tmp_path)
    assert result.lines > 50 and (result.calls > 50 or module in NO_CALLS)
    assert not result.found, result.found


def main(modules: list[str]) -> None:
    total: Counter[str] = Counter()
    for module in modules or list(MODULES):
        with tempfile.TemporaryDirectory() as folder:
            result = compare(module, Path(folder))
        different = result.found.count("\n")
        compared = f"{result.lines} lines, {result.starts} starts, {result.calls} calls"
        print(f"{module}: {compared}, {different} differ", flush=True)
        for line in result.found.split("\n")[1:6]:
            print(f"    {line}")
        if not different:
            total.update(modules=1, lines=result.lines, starts=result.starts, calls=result.calls)
    print("Equal:", dict(total))


if __name__ == "__main__":
    main(sys.argv[1:])
