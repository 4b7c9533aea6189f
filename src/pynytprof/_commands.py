"""The commands of ``pynytprof`` that work on profiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence

COMMANDS: dict[str, tuple[str, Callable[[Sequence[str]], int]]] = {}
"""Name -> (what it does, function from the arguments to the exit status)."""


def overview() -> str:
    """One line for each command."""
    return "\n".join(f"  {name:<12}{text}" for name, (text, _) in COMMANDS.items())


def run(name: str, argv: Sequence[str]) -> int:
    """Runs the command ``name``; returns its exit status."""
    return COMMANDS[name][1](argv)
