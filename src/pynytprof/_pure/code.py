"""Mirrors ext/trace/code.c: what is true of a code object, or C function, found once.

Equal code objects (same file, module, qualified name, first line and line table) share one
entry, so that code which is made again and again takes memory once.
"""

from __future__ import annotations

import dis
import sys
import types
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

from . import names
from .source import FileTable, SourceFile

_GENERATOR_FLAGS = 0x20 | 0x80 | 0x100 | 0x200
_RESUME = dis.opmap.get("RESUME")


class EvalPlace(NamedTuple):
    """The traced line that runs a text."""

    fid: int
    line: int


class Code:
    """What is true of a code object. ``sub`` 0: it is not traced."""

    __slots__ = ("fid", "first_line", "start_offset", "sub")

    def __init__(self, fid: int, sub: int, first_line: int, start: int) -> None:
        self.fid = fid
        self.sub = sub
        self.first_line = first_line
        self.start_offset = start


class Codes:
    """All code objects met so far, and the subs made of them and of C functions.

    A sub's number is its place in ``subs``, from 1; ``sub_fids`` has their files.
    """

    def __init__(self, files: FileTable) -> None:
        self._files = files
        self.subs: list[names.Sub] = []
        self.sub_fids: list[int] = []
        self.module_subs: set[int] = set()
        self._by_id: dict[int, tuple[weakref.ref[types.CodeType], Code]] = {}
        self._distinct: dict[tuple[object, ...], Code] = {}
        self._qualnames: dict[str, dict[tuple[str, int], str]] = {}
        self._sub_of_c: dict[str, int] = {}
        self._c_methods: dict[tuple[int, str], tuple[Callable[[], object], int]] = {}

    def __len__(self) -> int:
        return len(self._distinct)

    def known(self, code: types.CodeType) -> Code | None:
        """The entry of a code object that has been met before."""
        known = self._by_id.get(id(code))
        return known[1] if known is not None and known[0]() is code else None

    def first_met(self, frame: types.FrameType, place: EvalPlace | None) -> Code:
        """Makes the entry of the code of ``frame``; ``place`` is where its caller stands."""
        code = frame.f_code
        if self._files.skips(code.co_filename):
            return self._add(code, Code(0, 0, code.co_firstlineno, -1))
        module = frame.f_globals.get("__name__")
        if not isinstance(module, str):
            module = names.NO_MODULE
        file = self._file_of(frame, place)
        return self._register(file, module, self._qualname(code, file), code)

    def _add(self, code: types.CodeType, info: Code) -> Code:
        self._by_id[id(code)] = (weakref.ref(code), info)
        return info

    def _file_of(self, frame: types.FrameType, place: EvalPlace | None) -> SourceFile:
        code = frame.f_code
        filename = code.co_filename
        if place is not None and filename.startswith("<") and code.co_name == "<module>":
            if not filename.startswith("<frozen "):
                return self._files.of_eval(filename, *place)
        return self._files.of_code(code, frame.f_globals)

    def _qualname(self, code: types.CodeType, file: SourceFile) -> str:
        known = getattr(code, "co_qualname", None)
        if isinstance(known, str):
            return known
        if code.co_name == "<module>":
            return code.co_name
        table = self._qualnames.get(file.name)
        if table is None:
            try:
                tree = compile("".join(file.lines), file.name, "exec", dont_inherit=True)
                table = names.qualnames_in(tree)
            except (SyntaxError, ValueError):
                table = {}
            self._qualnames[file.name] = table
        return table.get((code.co_name, code.co_firstlineno), code.co_name)

    def _register(self, file: SourceFile, module: str, qualname: str, code: types.CodeType) -> Code:
        """Makes subs of ``code`` and of all code nested in it."""
        info = self._distinct_code(file, module, qualname, code)
        for inner in names.nested_codes(code):
            if self.known(inner) is None:
                inner_name = names.nested_qualname(qualname, code, inner)
                self._register(file, module, inner_name, inner)
        return self._add(code, info)

    def _distinct_code(
        self, file: SourceFile, module: str, qualname: str, code: types.CodeType
    ) -> Code:
        first = code.co_firstlineno
        table = code.co_lnotab if _RESUME is None else code.co_linetable
        key = (file.fid, module, qualname, first, table)
        info = self._distinct.get(key)
        if info is None:
            sub = self._python_sub(file, module, qualname, code)
            info = self._distinct[key] = Code(file.fid, sub, max(first, 1), _start_offset(code))
        return info

    def _python_sub(
        self, file: SourceFile, module: str, qualname: str, code: types.CodeType
    ) -> int:
        first, whole = code.co_firstlineno, code.co_name == "<module>"
        if file.parent and whole:
            name = names.python_sub(module, "<eval>", file.parent_line, class_body=False)
        else:
            name = names.python_sub(module, qualname, first, names.is_class_body(code))
        sub = self._new_sub(name, file, 1 if whole else max(first, 1), names.last_line(code))
        if whole:
            self.module_subs.add(sub)
        return sub

    def _new_sub(self, name: str, file: SourceFile, first: int, last: int) -> int:
        self.subs.append(names.Sub(name, file.name, first, last))
        self.sub_fids.append(file.fid)
        return len(self.subs)

    def c_sub(self, function: Any) -> int:
        """The sub of a built-in function, or of a C method bound to something."""
        owner = function.__self__
        holder = owner if isinstance(owner, (type, types.ModuleType)) else type(owner)
        key = (id(holder), function.__name__)
        known = self._c_methods.get(key)
        if known is not None and known[0]() is holder:
            return known[1]
        name = names.c_sub(function)
        sub = self._sub_of_c.get(name)
        if sub is None:
            sub = self._sub_of_c[name] = self._new_sub(name, self._files.of_builtins(), 0, 0)
        self._c_methods[key] = (weakref.ref(holder), sub)
        return sub


def _start_offset(code: types.CodeType) -> int:
    """``f_lasti`` up to which a frame of ``code`` is only starting, not going on."""
    if not code.co_flags & _GENERATOR_FLAGS:
        return sys.maxsize
    if _RESUME is None:
        return -1
    raw = code.co_code
    for offset in range(0, len(raw), 2):
        if raw[offset] == _RESUME and not raw[offset + 1] & 3:
            return offset
    return -1
