"""Files as C strings: ``embed.py FILE...`` writes a header, with ``embedded_SUFFIX`` of each."""

from __future__ import annotations

import sys
from pathlib import Path


def literal(line: str) -> str:
    """A line of text as a string of C; what is not ASCII as octal, so that no digit joins it."""
    data = line.encode()
    safe = (chr(c) if 32 <= c < 127 and chr(c) not in '"\\?' else f"\\{c:03o}" for c in data)
    return f'    "{"".join(safe)}"'


def main() -> None:
    for name in sys.argv[1:]:
        path = Path(name)
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        print(f"static const char embedded_{path.suffix[1:]}[] =")
        print("\n".join(map(literal, lines)) + ";")


main()
