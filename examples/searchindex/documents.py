"""Finding files and taking them apart into words."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]{2,}")
HUMP = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
SUFFIXES = ("ations", "ation", "ings", "ing", "ers", "er", "ies", "ed", "es", "s")


@dataclass(frozen=True)
class Document:
    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    def words(self) -> Iterator[str]:
        for found in WORD.finditer(self.text):
            yield from split_identifier(found.group())

    def defined_names(self) -> Iterator[str]:
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                yield from split_identifier(node.name)


def split_identifier(identifier: str) -> Iterator[str]:
    """`HTTPServer_loop` is http, server, loop; each as its stem."""
    for part in identifier.split("_"):
        for hump in HUMP.findall(part):
            if len(hump) > 2:
                yield stem(hump.lower())


def stem(word: str) -> str:
    for suffix in SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) > 3:
            return word[: -len(suffix)]
    return word


def find_documents(folder: Path, limit: int) -> Iterator[Document]:
    paths = (p for p in sorted(folder.rglob("*.py")) if "test" not in p.parts)
    for path in itertools.islice(paths, limit):
        try:
            text = path.read_text(encoding="utf-8")
            document = Document(str(path.relative_to(folder)), text)
            document.tree  # noqa: B018  (a file that does not parse is left out here)
        except (OSError, UnicodeDecodeError, SyntaxError, ValueError):
            continue
        yield document
