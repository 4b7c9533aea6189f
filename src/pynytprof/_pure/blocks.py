"""Mirrors ext/trace/blocks.c: which block each line of a text stands in, for ``blocks=1``.

A block is a suite of a compound statement, called after the line on which its header (``for``,
``else``, ``def``, ...) begins; a sub's lines that stand in none within it are the sub's own.
"""

from __future__ import annotations

import sys
import tokenize
from collections.abc import Callable, Iterator, Sequence

_NOT_CODE = (tokenize.NL, tokenize.COMMENT, tokenize.ENDMARKER, tokenize.ENCODING)


def _joined(lines: Sequence[str], is_within: Callable[[int], bool]) -> Iterator[str]:
    """The lines, but a statement's first ones that are only a backslash are blank.

    CPython goes by the first of them that is indented, or by where code begins; ``tokenize`` of
    3.11 and before by the very first, and may then refuse the rest of the text.
    """
    indent = ""
    for number, line in enumerate(lines):
        if line.strip(" \t\f") == "\\\n" and not is_within(number):
            indent = indent or line[:-2].rpartition("\f")[2]
            yield "\n"
        else:
            yield indent + line.lstrip(" \t\f") if indent and line.strip() else line
            indent = ""


def headers(lines: Sequence[str]) -> list[int]:
    """By line, from 1: the first line of the header of its suite; 0 for what is in none."""
    found = [0] * (len(lines) + 1)
    suites, first, previous, ended = [0], 0, 0, 0
    rest = iter(lines)
    if sys.version_info < (3, 12):
        rest = _joined(lines, lambda before: first > 0 or ended < before)
    try:
        for kind, _, (line, _), _, _ in tokenize.generate_tokens(lambda: next(rest, "")):
            if kind in (tokenize.NEWLINE, tokenize.NL):
                ended = line
            if kind == tokenize.INDENT:
                suites.append(previous)
            elif kind == tokenize.DEDENT:
                suites.pop()
            elif kind == tokenize.NEWLINE:
                found[first : line + 1] = [suites[-1]] * (line + 1 - first)
                previous, first = first, 0
            elif kind not in _NOT_CODE and not first:
                first = line
    except (SyntaxError, tokenize.TokenError):
        pass  # no text that was compiled
    return found


def block_of(found: Sequence[int], line: int, first: int, *, module: bool) -> int:
    """The first line of the block of a line of the sub that begins at ``first``."""
    if line >= len(found) or first >= len(found):
        return first
    header = found[line]
    if module:
        return header or first
    return first if header < first or found[header] == found[first] else header
