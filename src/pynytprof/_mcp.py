"""``pynytprof mcp``: a server for assistants, by the Model Context Protocol on stdin and stdout.

It answers questions about profiles with what the commands of the same names write, and changes
nothing. It needs the package ``mcp``, which ``pip install pynytprof[mcp]`` brings.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import TypeVar

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.types import ToolAnnotations

_Tool = TypeVar("_Tool", bound=Callable[..., str])

_INSTRUCTIONS = """\
Profiles of Python (or Perl) programs, made by `pynytprof SCRIPT` as nytprof.out. Begin with
explain; then func for one function, source for one file, tree for who calls whom, diff for
what a change did. Counts are exact, times are without the profiler's own."""

server = MCPServer("pynytprof", instructions=_INSTRUCTIONS)


def _tool(function: _Tool) -> _Tool:
    """Offers a function to clients, by its name and with its docstring."""
    hints = ToolAnnotations(read_only_hint=True, open_world_hint=False)
    server.tool(annotations=hints, structured_output=False)(function)
    return function


def _answer(command: str, *words: str, options: list[str]) -> str:
    """What ``pynytprof COMMAND`` writes. Standard input is the client's: no command gets it."""
    done = subprocess.run(
        [sys.executable, "-m", "pynytprof", command, *options, "--", *words],
        stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", errors="replace",
        check=False,
    )  # fmt: skip
    if done.returncode > 1 and not done.stdout:
        raise ToolError(done.stderr.strip() or f"{command} ended with status {done.returncode}")
    return done.stdout + (f"\n{done.stderr}" if done.stderr else "")


@_tool
def explain(file: str = "nytprof.out", budget: int = 4000, only: str = "") -> str:
    """Where the time of a program went: a Markdown account of a profile within `budget` bytes.

    The sentence, the parts (project, packages, standard library, imports, waiting), the hottest
    lines of the project with source, callers and callees, functions, and facts that stand out.
    `only` is a glob of files, such as "shop/*".
    """
    options = [f"--budget={budget}"] + ([f"--only={only}"] if only else [])
    return _answer("explain", file, options=options)


@_tool
def func(name: str, file: str = "nytprof.out") -> str:
    """One function: its callers, its source with the figures of each line, and what it calls.

    `name` is the function's name or its end ("Cart.add"), or a regular expression; where several
    fit, they are listed.
    """
    return _answer("func", name, file, options=[])


@_tool
def source(name: str, file: str = "nytprof.out") -> str:
    """One source file, named by the end of its path, with self and inclusive time and count."""
    return _answer("source", name, file, options=[])


@_tool
def tree(
    file: str = "nytprof.out", focus: str = "", least_percent: float = 2, scope: str = "all"
) -> str:
    """The call tree. `focus` names a function: only what is below it.

    `scope` is all, site or project. Branches that take less than `least_percent` of the time are
    folded.
    """
    options = [f"--min={least_percent}", f"--scope={scope}"]
    return _answer("tree", file, options=options + ([f"--focus={focus}"] if focus else []))


@_tool
def diff(before: str, after: str) -> str:
    """What changed from one profile to another, in Markdown: lines, functions and calls."""
    return _answer("diff", before, after, options=["--markdown"])


def main() -> int:
    """Serves until standard input ends."""
    server.run("stdio")
    return 0
