"""Mirrors ext/trace/names.c: Python's names as a NYTProf profile writes them.

Pure functions: the same input gives the same name in every run. Each name has the form
``package::sub``; it holds only characters that all readers of profiles can stand.
"""

from __future__ import annotations

import itertools
import re
import types
from collections.abc import Iterable, Iterator
from typing import NamedTuple

MAX_NAME_BYTES = 500 - 16
"""Names are cut to this length: Perl's own limit, less room for what tells equal ones apart."""

_MAX_MODULE_BYTES = 240
"""A module's name leaves room for that of the sub."""

_NO_NAME = "(empty)"
"""Stands for a part of a name that has no characters."""

BUILTINS_FILE = "(builtins)"
"""The made-up file that C functions are listed in."""

NO_MODULE = "(unknown)"
"""The package of code whose globals have no ``__name__``."""

CO_OPTIMIZED = 0x1

_UNSAFE = re.compile(r"[^\x80-\U0010ffffA-Za-z0-9_.@:()\[\]'/+-]")
_GENERIC = "<generic parameters of "


class Sub(NamedTuple):
    """What tells subs of the same name apart. Lines 0 and 0: a C function."""

    name: str
    file_name: str
    first_line: int
    last_line: int


def safe(text: str) -> str:
    """``text`` with every character that a reader might trip over replaced by ``_``."""
    return _UNSAFE.sub("_", text)


def cut(name: str, limit: int = MAX_NAME_BYTES) -> str:
    """``name`` shortened to at most ``limit`` bytes of UTF-8, in whole characters and parts."""
    raw = name.encode("utf-8", "replace")
    if len(raw) < limit:
        return name
    return raw[:limit].decode("utf-8", "ignore").rstrip(":")


def is_class_body(code: types.CodeType) -> bool:
    """Class bodies and module bodies keep their names in a dictionary; functions don't."""
    return not code.co_flags & CO_OPTIMIZED and code.co_name != "<module>"


def _module(name: str) -> str:
    """What stands before the last ``::`` for all subs of a module."""
    parts = (safe(part) or _NO_NAME for part in (name or NO_MODULE).split("."))
    return cut("::".join(parts), _MAX_MODULE_BYTES)


def _parts(qualname: str) -> list[str]:
    """What stands between the dots outside of angles."""
    parts = [""]
    angles = 0
    for c in qualname:
        angles += (c == "<") - (c == ">")
        if c == "." and angles <= 0:
            parts.append("")
            angles = 0
        else:
            parts[-1] += c
    return parts


def _component(part: str, line: int) -> str:
    if not part:
        return _NO_NAME
    if part == "<module>":
        return "(module)"
    if part.startswith(_GENERIC):
        return f"generic@{line}"
    if len(part) > 2 and part.startswith("<") and part.endswith(">"):
        return f"{safe(part[1:-1])}@{line}"
    return safe(part)


def python_sub(module: str, qualname: str, first_line: int, class_body: bool) -> str:
    """The name of a sub written in Python.

    ``module`` is the ``__name__`` of its globals, ``qualname`` its qualified name
    (``<module>`` for a module's own code, ``<eval>`` for what ``exec`` was given),
    ``first_line`` where it begins (for ``<eval>`` the line that ran it).
    """
    parts = [_component(p, first_line) for p in _parts(qualname) if p != "<locals>"] or [_NO_NAME]
    if class_body:
        parts.append("(class)")
    return cut("::".join([_module(module), *parts]))


_TYPE_MRO = type.__dict__["__mro__"].__get__
_TYPE_DICT = type.__dict__["__dict__"].__get__
_METHOD_KINDS = (
    types.MethodDescriptorType,
    types.ClassMethodDescriptorType,
    types.BuiltinFunctionType,
    staticmethod,
)


def _defining_type(owner: type, name: str) -> type | None:
    """The class of ``owner``'s MRO whose own C method ``name`` is; None if there is none."""
    for cls in _TYPE_MRO(owner):
        if isinstance(_TYPE_DICT(cls).get(name), _METHOD_KINDS):
            found: type = cls
            return found
    return None


def _type_package(cls: type) -> list[str]:
    module = getattr(cls, "__module__", None)
    parts = cls.__qualname__.split(".")
    if isinstance(module, str) and module != "builtins":
        parts = module.split(".") + parts
    return parts


def c_sub(function: types.BuiltinFunctionType) -> str:
    """The name of a built-in function, or of a C method bound to something."""
    name = function.__name__
    owner = function.__self__
    module = getattr(function, "__module__", None)
    if owner is None or isinstance(owner, types.ModuleType):
        package = (module if isinstance(module, str) else NO_MODULE).split(".")
    else:
        cls = _defining_type(owner, name) if isinstance(owner, type) else None
        package = _type_package(cls or _defining_type(type(owner), name) or type(owner))
    return cut("::".join([_module(".".join(package)), safe(name) or _NO_NAME]))


def settle(subs: Iterable[Sub]) -> list[str]:
    """One name for each sub, in the order given, all different.

    Of the subs of one name the first by file name and lines, string evals last, keeps it
    bare; the others get
    ``@LINE`` and, where that is taken too, ``.2``, ``.3``. C functions of one name must have
    been made one before.
    """
    subs = list(subs)
    names = [""] * len(subs)
    taken: set[str] = set()
    order = sorted(
        range(len(subs)), key=lambda i: (subs[i].name, _is_eval(subs[i]), *subs[i][1:], i)
    )
    later = []
    for i in order:
        if subs[i].name in taken:
            later.append(i)
        else:
            taken.add(subs[i].name)
            names[i] = subs[i].name
    for i in later:
        names[i] = next(n for n in _alternatives(subs[i]) if n not in taken)
        taken.add(names[i])
    return names


def _is_eval(sub: Sub) -> bool:
    return sub.file_name.startswith("(eval ")


def _alternatives(sub: Sub) -> Iterator[str]:
    yield f"{sub.name}@{sub.first_line}"
    for number in itertools.count(2):
        yield f"{sub.name}@{sub.first_line}.{number}"


def nested_codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """The code objects directly within ``code``."""
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield constant


def nested_qualname(qualname: str, code: types.CodeType, inner: types.CodeType) -> str:
    """The qualified name of ``inner``, which stands in ``code`` named ``qualname``.

    Python 3.11 and later know it (``co_qualname``); for 3.10 this derives it.
    """
    known = getattr(inner, "co_qualname", None)
    if isinstance(known, str):
        return known
    if code.co_name == "<module>":
        return inner.co_name
    if code.co_flags & CO_OPTIMIZED:
        return f"{qualname}.<locals>.{inner.co_name}"
    return f"{qualname}.{inner.co_name}"


def qualnames_in(module_code: types.CodeType) -> dict[tuple[str, int], str]:
    """(name, first line) -> qualified name, for all code within a module's code."""
    found: dict[tuple[str, int], str] = {}
    pending = [(module_code, "<module>")]
    while pending:
        code, qualname = pending.pop()
        found.setdefault((code.co_name, code.co_firstlineno), qualname)
        for inner in nested_codes(code):
            pending.append((inner, nested_qualname(qualname, code, inner)))
    return found


def lines_of(code: types.CodeType) -> list[int]:
    """The distinct lines that ``code`` itself (not what is nested in it) has, ascending."""
    return sorted({line for _, _, line in code.co_lines() if line is not None and line > 0})


def last_line(code: types.CodeType) -> int:
    """The largest line of ``code`` and all code nested in it."""
    last, pending = code.co_firstlineno, [code]
    while pending:
        current = pending.pop()
        last = max([last, *lines_of(current)])
        pending.extend(nested_codes(current))
    return last
