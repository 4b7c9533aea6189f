"""Mirrors ext/trace/source.c: files as a profile lists them, their texts, which are traced."""

from __future__ import annotations

import fnmatch
import io
import linecache
import re
import tokenize
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Union

from .names import BUILTINS_FILE, nested_codes
from .options import Options
from .paths import absolute_path, identity, working_folder

VIA_STATEMENT = 0x02
VIA_SUB = 0x04
HAS_SOURCE = 0x30
FAKE = 0x80
NOT_A_FILE = 0x100

_NAMES_OF_TEXTS = {"<string>": "(-c)"}
_NO_MARKUP = str.maketrans('<>"', "()'")
"""Perl's pages do not escape paths."""

_Key = Union[str, "tuple[str, int, int]", "tuple[int, int, int, int]"]

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


def _loader_source(path: str, module_globals: Mapping[str, Any], folder: str) -> list[str]:
    """The text that the module's loader has of ``path``: in a zip file, for instance.

    Code of any name may run with a module's globals; the loader has the module's text alone.
    ``folder`` is what its path may be relative to.
    """
    loader: Any = module_globals.get("__loader__")
    name: Any = module_globals.get("__name__")
    try:
        if hasattr(loader, "get_filename"):
            origin = loader.get_filename(name)
        else:
            origin = module_globals["__spec__"].origin
        if absolute_path(origin, folder) != path:
            return []
        text = loader.get_source(name)
    except Exception:  # a stranger's loader: its trouble must not become the program's
        return []
    return split_lines(text) if isinstance(text, str) else []


def _frozen_source(filename: str, module_globals: Mapping[str, Any]) -> list[str]:
    """A frozen module's globals may tell where its text lies; not those of other modules."""
    path = module_globals.get("__file__")
    spec = module_globals.get("__spec__")
    module_names = (module_globals.get("__name__"), getattr(spec, "name", None))
    if not isinstance(path, str) or filename[len("<frozen ") : -1] not in module_names:
        return []
    return read_source(path)


def source_of_module(filename: str, module_globals: Mapping[str, Any]) -> str:
    """The text of a module's code from ``filename``; empty if nobody has it."""
    folder = working_folder()
    path = absolute_path(filename, folder)
    return "".join(read_source(filename) or _loader_source(path, module_globals, folder))


class GivenText:
    """A text that came from no file: of ``-c`` or standard input.

    Other code may bear its name, which is ``<string>`` where nothing else is said.
    """

    def __init__(self, filename: str, text: str) -> None:
        self.lines = split_lines(text)
        self._filename = filename
        self._text = text
        self._codes: set[tuple[object, ...]] | None = None

    def has(self, code: types.CodeType) -> bool:
        """Whether ``code`` is made of this text."""
        if self._codes is None:
            try:
                whole = compile(self._text, self._filename, "exec", dont_inherit=True)
            except (SyntaxError, ValueError):
                return True  # it has been compiled in another way: by its name, then
            self._codes = set(_identities(whole))
        return _identity(code) in self._codes


def _identities(code: types.CodeType) -> Iterator[tuple[object, ...]]:
    yield _identity(code)
    for inner in nested_codes(code):
        yield from _identities(inner)


def _identity(code: types.CodeType) -> tuple[object, ...]:
    """What is equal for code of equal text. Code objects that are watched are not equal."""
    constants = tuple(
        _identity(c) if isinstance(c, types.CodeType) else (type(c), c) for c in code.co_consts
    )
    return (code.co_name, code.co_firstlineno, code.co_code, code.co_linetable, code.co_names,
            code.co_varnames, constants)  # fmt: skip


def _without_angles(name: str) -> str:
    """``<x>`` as ``(x)``: Perl's pages do not escape names."""
    return name.replace("<", "(").replace(">", ")")


def _name_of_given(filename: str) -> str:
    return _NAMES_OF_TEXTS.get(filename, _without_angles(filename))


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
        self._by_key: dict[_Key, SourceFile] = {}
        self._filter = FileFilter(
            options.include, options.exclude, options.exclude_prefixes, options.hide_prefix
        )
        self._savesrc = options.savesrc
        self._given = {n: GivenText(n, text) for n, text in (options.sources or {}).items()}
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
            lines = self._source_of_unnamed(filename)
            name = f"(eval {self._evals})[{parent.name}:{line}]"
            found = self._add(key, name, VIA_STATEMENT | (HAS_SOURCE if lines else 0), lines)
            found.parent, found.parent_line = fid, line
        return found

    def of_code(self, code: types.CodeType, module_globals: Mapping[str, Any]) -> SourceFile:
        """The file that a code object's ``co_filename`` names."""
        filename = code.co_filename
        given = self._given.get(filename)
        if given is not None and given.has(code):
            return self._of_given(filename, given)
        found = self._by_key.get(filename)
        if found is None:
            found = self._by_key[filename] = self._first_met(filename, module_globals)
        return found

    def _of_given(self, filename: str, given: GivenText) -> SourceFile:
        key = (filename, 0, 0)
        found = self._by_key.get(key)
        name = _name_of_given(filename)
        flags = NOT_A_FILE | HAS_SOURCE | VIA_STATEMENT
        return found or self._add(key, name, flags, given.lines)

    def of_builtins(self) -> SourceFile:
        """The place of the C functions."""
        found = self._by_key.get(BUILTINS_FILE)
        return found or self._add(BUILTINS_FILE, BUILTINS_FILE, FAKE | VIA_SUB, [])

    def _first_met(self, filename: str, module_globals: Mapping[str, Any]) -> SourceFile:
        if filename.startswith("<"):
            lines = self._source_of_unnamed(filename)
            if not lines and self._savesrc and filename.startswith("<frozen "):
                lines = _frozen_source(filename, module_globals)
            flags = NOT_A_FILE | VIA_STATEMENT | (HAS_SOURCE if lines else 0)
            name = _without_angles(filename)
            if filename in self._given and name == _name_of_given(filename):
                name += " (version 2)"
            return self._add(filename, name, flags, lines)
        path = absolute_path(filename, self._folder)
        same = identity(path)
        known = self._by_key.get(path) or (self._by_key.get(same) if same else None)
        if known is not None:
            return known
        lines = []
        if self._savesrc:
            lines = read_source(path) or _loader_source(path, module_globals, self._folder)
            lines = lines or _cached_source(filename)  # a notebook's cell, say
        flags = VIA_STATEMENT | (HAS_SOURCE if lines else 0)
        made = self._add(path, path.translate(_NO_MARKUP), flags, lines)
        if same:
            self._by_key[same] = made
        return made

    def _source_of_unnamed(self, filename: str) -> list[str]:
        # What linecache has under the name of the program's own text is that text.
        return [] if filename in self._given else _cached_source(filename)

    def _add(self, key: _Key, name: str, flags: int, lines: list[str]) -> SourceFile:
        file = SourceFile(len(self.files) + 1, name, flags, lines)
        self.files.append(file)
        self._by_key[key] = file
        return file
