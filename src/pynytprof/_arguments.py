"""argparse, in a form that the manual page and completion can ask for its options."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any


class Parser(argparse.ArgumentParser):
    """Keeps what was added to it. Options are spelled out: none may be abbreviated."""

    def __init__(self, *, words: Mapping[str, Sequence[str]] | None = None, **kwargs: Any) -> None:
        self.added: list[argparse.Action] = []
        self.words = words or {}
        """By destination: what an argument may be, where that is a closed list."""
        super().__init__(allow_abbrev=False, **kwargs)

    def add_argument(self, *args: Any, **kwargs: Any) -> argparse.Action:
        action = super().add_argument(*args, **kwargs)
        self.added.append(action)
        return action

    def options(self) -> list[argparse.Action]:
        """Without what is told apart by its place alone."""
        return [action for action in self.added if action.option_strings]

    def explain(self, action: argparse.Action) -> str | None:
        """The help of an option; None: it has none of its own."""
        if action.help in (None, argparse.SUPPRESS):
            return None
        return action.help % {**vars(action), "prog": self.prog} if action.help else None
