"""The definitions of a module, however deep."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple


class Definition(NamedTuple):
    name: str
    depth: int
    line: int


def outline(node: ast.AST, path: str = "", depth: int = 0) -> Iterator[Definition]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            name = f"{path}.{child.name}" if path else child.name
            yield Definition(name, depth + 1, child.lineno)
            yield from outline(child, name, depth + 1)
        else:
            yield from outline(child, path, depth)
