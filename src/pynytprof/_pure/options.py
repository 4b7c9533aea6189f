"""Mirrors ext/trace/options.c: the arguments of the tracer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .paths import PACKAGE_PREFIX


class Options(NamedTuple):
    """What to count, and of which files.

    ``stmts``, ``subs`` and ``slowops`` switch lines, subs and C functions off; ``blocks`` has
    each line tell its block and sub. ``include``, ``exclude`` and ``exclude_prefixes`` are
    those of :class:`.source.FileFilter`; files under ``hide_prefix`` (this package) are never
    traced. ``raw`` leaves our own cost in the times. The tree of call paths holds
    ``max_tree_nodes``; paths beyond are folded into their beginnings. ``sources`` gives the
    texts of code objects that come from no file. ``cpu`` measures each thread's processor time.
    ``exact_lines`` is what this tracer always has; collections (``gc``) it does not tell.
    """

    stmts: bool = True
    blocks: bool = False
    subs: bool = True
    slowops: int = 1
    include: Sequence[str] = ()
    exclude: Sequence[str] = ()
    exclude_prefixes: Sequence[str] = ()
    hide_prefix: str = PACKAGE_PREFIX
    raw: bool = False
    max_tree_nodes: int = 1_000_000
    savesrc: bool = True
    sources: Mapping[str, str] | None = None
    cpu: bool = False
    exact_lines: bool = True
    gc: bool = False

    @property
    def c_functions(self) -> bool:
        """Whether C functions are subs."""
        return bool(self.slowops) and self.subs

    @property
    def lines_by_sub(self) -> bool:
        """Whether lines are counted for each sub on its own."""
        return self.blocks and self.stmts
