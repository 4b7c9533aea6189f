"""Mirrors ext/trace/graph.c: who called whom.

Edges (calling line, calling sub, called sub) stand in each lane; all lanes share one tree of
call paths. It has a cap, past which a path's time stays with the longest part of it that the
tree holds.
"""

from __future__ import annotations

from collections.abc import Sequence

from .trace import add_figures

E_COUNT, E_INCL, E_EXCL, E_RECI, E_DEPTH, E_INNER, E_INNER_EXCL = range(7)
"""Fields of an edge's figures; times in ns. Inner: how many of the calls found another activation
of the called sub, and what of the exclusive time is theirs."""

NO_CALLS = (0, 0, 0, 0, 0, 0, 0)

EdgeKey = tuple[int, int, int, int]
"""fid and line of the call, calling sub, called sub."""


class Node:
    """A path of calls."""

    __slots__ = ("children", "excl", "sub")

    def __init__(self, sub: int) -> None:
        self.sub = sub
        self.excl = 0
        self.children: dict[int, Node] = {}


class Graph:
    """The tree of call paths; its root stands for nobody: no sub, no time."""

    def __init__(self, max_nodes: int) -> None:
        self._max_nodes = max_nodes
        self.forget()

    def forget(self) -> None:
        """Begins anew."""
        self.root = Node(0)
        self.nodes = 0
        self.folds = 0

    def child(self, parent: Node, sub: int) -> Node:
        """The node of ``sub`` below ``parent``; ``parent`` itself where the tree can't grow."""
        child = parent.children.get(sub)
        if child is None:
            if self.nodes >= self._max_nodes:
                self.folds += 1
                return parent
            self.nodes += 1
            child = parent.children[sub] = Node(sub)
        return child

    def time(self) -> int:
        """ns of all paths."""
        total, pending = 0, list(self.root.children.values())
        while pending:
            node = pending.pop()
            total += node.excl
            pending.extend(node.children.values())
        return total


def add_edge(total: list[int], more: Sequence[int]) -> None:
    """Adds an edge's figures to those of the same edge elsewhere."""
    depth = max(total[E_DEPTH], more[E_DEPTH])
    add_figures(total, more)
    total[E_DEPTH] = depth


def parted(edge: Sequence[int]) -> list[Sequence[int]]:
    """Outermost calls, and apart from them those within others, where there are both."""
    count, incl, excl, reci, depth, inner, inner_excl = edge
    if not 0 < inner < count:
        return [edge[:E_INNER]]
    return [(count - inner, incl, excl - inner_excl, 0, 0), (inner, 0, inner_excl, reci, depth)]
