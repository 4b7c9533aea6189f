"""Mirrors ext/trace/source.c: files as a profile lists them, their texts, which are traced."""

from __future__ import annotations

import fnmatch
import io
import linecache
import re
import tokenize
from collections.abc import Mapping, Sequence
from typing import Any

from .names import BUILTINS_FILE
from .options import Options
from .paths import absolute_path, working_folder

VIA_STATEMENT = 0x02
VIA_SUB = 0x04
HAS_SOURCE = 0x30
FAKE = 0x80
NOT_A_FILE = 0x100

_NAMES_OF_TEXTS = {"<string>": "(-c)"}
_LINE_ENDS = re.compile(r"\r\n|\r|\n")


class SourceFile:
    """One file, string eval, or the place of the C functions."""

    __slots__ = ("blocks", "fid", "flags", "lines", "name", "parent", "parent_line")

    def __init__(self, fid: int, name: str, flags: int, lines: list[str]) -> None:
        self.fid = fid
        self.name = name
        self.flags = flags
        self.lines = lines
        self.parent = 0
        self.parent_line = 0
        self.blocks: list[int] | None = None  # by line, blocks.headers(); not found yet


NOTHING_YET = SourceFile(1, "(nothing yet)", NOT_A_FILE | HAS_SOURCE, ["\n"])
"""Perl's tools want a file, even if nothing has been run."""


def split_lines(text: str) -> list[str]:
    """``text`` in lines as Python's tokenizer sees them, each but the last with a newline."""
    parts = _LINE_ENDS.split(text)
    lines = [part + "\n" for part in parts[:-1]]
    if parts[-1]:
        lines.append(parts[-1])
    return lines


def decode_source(raw: bytes) -> str:
    """The text of a Python file, by its coding cookie; as Latin-1 if that doesn't do."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(raw).readline)
        return raw.decode(encoding)
    except (SyntaxError, LookupError, UnicodeError):
        return raw.decode("latin-1")


def read_source(path: str) -> list[str]:
    """The lines of the file at ``path``; none if it can't be read."""
    try:
        with open(path, "rb") as file:
            return split_lines(decode_source(file.read()))
    except (OSError, ValueError):
        return []


def _cached_source(filename: str) -> list[str]:
    """What ``linecache`` was told about a name that is no file (doctest, attrs, ...)."""
    entry: Any = linecache.cache.get(filename)
    if entry is None or len(entry) != 4:
        return []
    return split_lines("".join(entry[2]))


def _loader_source(module_globals: Mapping[str, Any]) -> list[str]:
    """The text that the module's loader has: a module in a zip file, for instance."""
    loader, name = module_globals.get("__loader__"), module_globals.get("__name__")
    get_source = getattr(loader, "get_source", None)
    if get_source is None or not isinstance(name, str):
        return []
    try:
        text = get_source(name)
    except Exception:  # a stranger's loader: its trouble must not become the program's
        return []
    return split_lines(text) if isinstance(text, str) else []


def source_of_module(filename: str, module_globals: Mapping[str, Any]) -> str:
    """The text of a module's code from ``filename``; empty if nobody has it."""
    return "".join(read_source(filename) or _loader_source(module_globals))


def _without_angles(name: str) -> str:
    """``<x>`` as ``(x)``: Perl's pages do not escape names."""
    return name.replace("<", "(").replace(">", ")")


class FileFilter:
    """Which files are traced.

    ``include`` and ``exclude`` are shell patterns for absolute paths in which ``*`` also
    matches ``/``; ``exclude_prefixes`` are plain beginnings of paths. A non-empty ``include``
    leaves out all files that it doesn't match.
    """

    def __init__(
        self,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        exclude_prefixes: Sequence[str] = (),
        hide_prefix: str = "",
    ) -> None:
        self._include = [re.compile(fnmatch.translate(glob)) for glob in include]
        self._exclude = [re.compile(fnmatch.translate(glob)) for glob in exclude]
        self._prefixes = tuple(exclude_prefixes)
        self._hide = hide_prefix

    def skips(self, path: str) -> bool:
        """Whether ``path`` is left out."""
        if self._hide and path.startswith(self._hide):
            return True
        if path.startswith(self._prefixes):
            return True
        if any(pattern.match(path) for pattern in self._exclude):
            return True
        return bool(self._include) and not any(p.match(path) for p in self._include)


class FileTable:
    """All files met so far, numbered from 1 in the order of meeting."""

    def __init__(self, options: Options) -> None:
        self.files: list[SourceFile] = []
        self._by_key: dict[str | tuple[str, int, int], SourceFile] = {}
        self._filter = FileFilter(
            options.include, options.exclude, options.exclude_prefixes, options.hide_prefix
        )
        self._savesrc = options.savesrc
        self._sources = dict(options.sources or {})
        self._evals = 0
        self._folder = working_folder()

    def skips(self, filename: str) -> bool:
        """Whether the file that a code object's ``co_filename`` names is not traced."""
        return self._filter.skips(absolute_path(filename, self._folder))

    def of_eval(self, filename: str, fid: int, line: int) -> SourceFile:
        """The file of module-level code without a file that ``line`` of another file runs."""
        key = (filename, fid, line)
        found = self._by_key.get(key)
        if found is None:
            self._evals += 1
            parent = self.files[fid - 1]
            # What linecache has under the name of the program's own text is that text.
            lines = [] if filename in self._sources else _cached_source(filename)
            name = f"(eval {self._evals})[{parent.name}:{line}]"
            found = self._add(key, name, VIA_STATEMENT | (HAS_SOURCE if lines else 0), lines)
            found.parent, found.parent_line = fid, line
        return found

    def of_code(self, filename: str, module_globals: Mapping[str, Any]) -> SourceFile:
        """The file that code object's ``co_filename`` names."""
        found = self._by_key.get(filename)
        if found is None:
            found = self._by_key[filename] = self._first_met(filename, module_globals)
        return found

    def of_builtins(self) -> SourceFile:
        """The place of the C functions."""
        found = self._by_key.get(BUILTINS_FILE)
        return found or self._add(BUILTINS_FILE, BUILTINS_FILE, FAKE | VIA_SUB, [])

    def _first_met(self, filename: str, module_globals: Mapping[str, Any]) -> SourceFile:
        if filename in self._sources:
            name = _NAMES_OF_TEXTS.get(filename, _without_angles(filename))
            lines = split_lines(self._sources[filename])
            return self._add(filename, name, NOT_A_FILE | HAS_SOURCE | VIA_STATEMENT, lines)
        if filename.startswith("<"):
            lines = self._source_of_unnamed(filename, module_globals)
            flags = NOT_A_FILE | VIA_STATEMENT | (HAS_SOURCE if lines else 0)
            return self._add(filename, _without_angles(filename), flags, lines)
        path = absolute_path(filename, self._folder)
        known = self._by_key.get(path)
        if known is not None:
            return known
        lines = (read_source(path) or _loader_source(module_globals)) if self._savesrc else []
        return self._add(path, path, VIA_STATEMENT | (HAS_SOURCE if lines else 0), lines)

    def _source_of_unnamed(self, filename: str, module_globals: Mapping[str, Any]) -> list[str]:
        lines = _cached_source(filename)
        path = module_globals.get("__file__")
        if lines or not self._savesrc or not filename.startswith("<frozen "):
            return lines
        return read_source(path) if isinstance(path, str) else []

    def _add(
        self, key: str | tuple[str, int, int], name: str, flags: int, lines: list[str]
    ) -> SourceFile:
        file = SourceFile(len(self.files) + 1, name, flags, lines)
        self.files.append(file)
        self._by_key[key] = file
        return file
