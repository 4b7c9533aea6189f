"""The server for assistants, as a client of the protocol's own library sees it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from support import TIME_LIMIT_S, environment, profiling, run

mcp: Any = pytest.importorskip("mcp")

PROGRAM = "def f(n):\n    return sum(range(n))\n\nfor n in range(300):\n    f(n)\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mcp")
    (folder / "prog.py").write_text(PROGRAM)
    assert run([*profiling(), "prog.py"], folder).returncode == 0
    return folder


def asked(folder: Path, question: Callable[[Any], Awaitable[Any]]) -> Any:
    """What a client gets from a server that works in this folder."""

    async def ask() -> Any:
        server = mcp.StdioServerParameters(
            command=sys.executable, args=["-m", "pynytprof", "mcp"], env=environment(), cwd=folder
        )
        async with mcp.Client(server) as client:
            return await question(client)

    return asyncio.run(asyncio.wait_for(ask(), TIME_LIMIT_S))


def answer(folder: Path, tool: str, **arguments: object) -> tuple[str, bool]:
    """The text, and whether it is an error."""
    result = asked(folder, lambda client: client.call_tool(tool, arguments))
    return "".join(part.text for part in result.content), bool(result.is_error)


def test_there_are_five_tools_that_only_read(folder: Path) -> None:
    tools = asked(folder, lambda client: client.list_tools()).tools
    assert [tool.name for tool in tools] == ["explain", "func", "source", "tree", "diff"]
    for tool in tools:
        assert tool.description and tool.annotations.read_only_hint


def test_they_answer_as_the_commands_do(folder: Path) -> None:
    for tool, arguments, words in (
        ("explain", {}, ["explain"]),
        ("explain", {"budget": 1500, "only": "prog.py"},
         ["explain", "--budget=1500", "--only=prog.py"]),
        ("func", {"name": "f"}, ["func", "f"]),
        ("source", {"name": "prog.py", "file": "nytprof.out"}, ["source", "prog.py"]),
        ("tree", {"focus": "f", "least_percent": 0}, ["tree", "--focus=f", "--min=0"]),
        ("diff", {"before": "nytprof.out", "after": "nytprof.out"},
         ["diff", "--markdown", "nytprof.out", "nytprof.out"]),
    ):  # fmt: skip
        done = run([sys.executable, "-m", "pynytprof", *words], folder)
        assert done.returncode == 0 and done.stdout
        assert answer(folder, tool, **arguments) == (done.stdout, False)


def test_what_cannot_be_answered_is_an_error_with_its_reason(folder: Path) -> None:
    text, is_error = answer(folder, "func", name="ff")
    assert is_error and "no function 'ff' in this profile; the nearest: __main__::f" in text
    text, is_error = answer(folder, "explain", file="none.out")
    assert is_error and "none.out: cannot open" in text
    text, is_error = answer(folder, "explain", file="--output=stolen")
    assert is_error and not (folder / "stolen").exists()


def test_it_tells_how_it_is_used(folder: Path) -> None:
    for words in (["mcp", "--help"], ["help", "mcp"]):
        done = run([sys.executable, "-m", "pynytprof", *words], folder)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout.startswith("usage: pynytprof mcp\n")


def test_without_the_package_it_says_what_is_missing(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c",
         "import sys; sys.modules['mcp'] = None\n"
         "from pynytprof import cli; sys.exit(cli.main(['mcp']))"],
        cwd=folder, env=environment(), capture_output=True, text=True, timeout=TIME_LIMIT_S,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "pynytprof: mcp needs the package mcp, version 2: pip install 'pynytprof[mcp]'\n"
    )
