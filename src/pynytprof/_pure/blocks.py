"""Which block each line of a text stands in: what ``blocks=1`` is told by.

A block is a suite of a compound statement, called after the line on which its header (``for``,
``else``, ``def``, ...) begins; a sub's lines that stand in none within it are the sub's own.
"""

from __future__ import annotations

import tokenize
from collections.abc import Sequence

_NOT_CODE = (tokenize.NL, tokenize.COMMENT, tokenize.ENDMARKER, tokenize.ENCODING)


def headers(lines: Sequence[str]) -> list[int]:
    """By line, from 1: the first line of the header of its suite; 0 for what is in none."""
    found = [0] * (len(lines) + 1)
    suites, first, previous = [0], 0, 0
    rest = iter(lines)
    try:
        for kind, _, (line, _), _, _ in tokenize.generate_tokens(lambda: next(rest, "")):
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
