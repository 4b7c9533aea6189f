"""Programs that others wrote: profiled without a difference, their profiles sound for Perl."""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from support import TRACERS, run
from test_perl_tools import complaints
from views import View, perl_commands, profile

pytestmark = pytest.mark.slow

TRACER = TRACERS[-1]
STDLIB = Path(sysconfig.get_path("stdlib"))
SITE = Path(sysconfig.get_path("purelib"))


def compile_all(folder: Path) -> list[str | Path]:
    """compileall over two packages of the standard library."""
    for package in ("json", "email"):
        shutil.copytree(STDLIB / package, folder / package, ignore=lambda *_: {"__pycache__"})
    return ["-m", "compileall", "-q", "-f", folder / "json", folder / "email"]


def json_tool(folder: Path) -> list[str | Path]:
    """json.tool on a file of 20 MB (0.5 MB where the tracer in Python is the only one)."""
    size = 20_000_000 if TRACER == "c" else 500_000
    pick = random.Random(1)
    items = []
    length = 0
    while length < size:
        text = "".join(chr(pick.choice((97, 98, 233, 0x4E2D))) for _ in range(2000))
        item = {"name": text, "values": [pick.random() for _ in range(20)], "none": None}
        length += len(json.dumps(item))
        items.append(item)
    (folder / "big.json").write_text(json.dumps(items), encoding="utf-8")
    return ["-m", "json.tool", folder / "big.json", folder / "pretty.json"]


def pip_list(folder: Path) -> list[str | Path]:
    return ["-m", "pip", "--disable-pip-version-check", "list"]


def toolz_tests(folder: Path) -> list[str | Path]:
    """pytest over a part of the tests that the toolz package brings."""
    options = ["-q", "-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={folder}"]
    tests = SITE / "toolz" / "tests"
    return ["-m", "pytest", *options, tests / "test_dicttoolz.py", tests / "test_itertoolz.py"]


def benchmark(folder: Path) -> list[str | Path]:
    """The Richards benchmark of pyperformance, once."""
    program = SITE / "pyperformance/data-files/benchmarks/bm_richards/run_benchmark.py"
    return [program, "--debug-single-value"]


PROGRAMS: list[Callable[[Path], list[str | Path]]] = [
    compile_all,
    json_tool,
    pip_list,
    toolz_tests,
    benchmark,
]


@pytest.fixture(scope="module", params=PROGRAMS, ids=lambda p: p.__name__)
def real(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param.__name__)
    return profile(folder / "nytprof.out", request.param(folder), tracer=TRACER, cwd=folder)


TOOLS = [str(command[0]) for command in perl_commands(Path(), Path())]


@pytest.mark.parametrize("tool", TOOLS)
def test_perl_tool(real: Path, tool: str, tmp_path: Path) -> None:
    command = perl_commands(real, tmp_path)[TOOLS.index(tool)]
    done = run(command, cwd=tmp_path)
    # A comment of the profiled source that looks like Perl's `# line N` is none of our doing.
    said = [c for c in complaints(done.stderr) if not c.startswith("Ignoring '")]
    assert (done.returncode, said) == (0, [])


def test_the_profile_is_whole(real: Path) -> None:
    view = View(real)
    assert view.attributes["complete"] == "1"
    duration = float(view.attributes["profiler_duration"])
    assert 0 < view.seconds() <= duration * 1.01
    assert sum(view.line_counts().values()) > 1000
    assert all(sub.calls >= 0 and sub.exclusive >= 0 for sub in view.subs.values())


def test_our_verifier_agrees(real: Path) -> None:
    done = run([sys.executable, "-m", "pynytprof", "verify", real])
    assert (done.returncode, done.stderr) == (0, "")
