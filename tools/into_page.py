#!/usr/bin/env python3
"""Puts what comes through standard input into a page, in the place of what is there.

    self_view.py ... | into_page.py PAGE NAME

The place is between the lines `<!-- NAME -->` and `<!-- end of NAME -->`.
"""

from __future__ import annotations

import sys
from pathlib import Path


def main(page: str, name: str) -> int:
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->\n"
    text = Path(page).read_text(encoding="utf-8")
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        print(f"into_page.py: {page} has no place called {name}", file=sys.stderr)
        return 1
    new = f"{before}{begin}\n{sys.stdin.read().strip()}\n\n{end}{after}"
    Path(page).write_text(new, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
