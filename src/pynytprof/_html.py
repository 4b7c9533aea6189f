"""``pynytprof html``: the report of Perl's nytprofhtml."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from . import convert
from ._arguments import Parser

FINE, UNREADABLE, INCOMPLETE = 0, 3, 4
"""As of all commands: the table is in docs/tools.md."""

TEXT = "make an HTML report with Perl's nytprofhtml"


def parser() -> Parser:
    """What reads the words behind the command."""
    made = Parser(prog="pynytprof html", description=TEXT)
    made.add_argument("-o", "--output", metavar="DIR",
                      help="the directory of the report (nytprof beside the profile)")  # fmt: skip
    made.add_argument("files", nargs="+", metavar="FILE")
    return made


def run(argv: Sequence[str]) -> int:
    """Runs the command; returns its exit status."""
    options = parser().parse_args(argv)
    for path in options.files:
        try:
            print(convert.to_html(path, options.output))
        except FileNotFoundError as error:
            _complain(f"{path}: {error.strerror}" if error.strerror else str(error))
            return UNREADABLE
        except RuntimeError as error:
            _complain(f"{path}: {error}")
            return INCOMPLETE
    return FINE


def _complain(message: str) -> None:
    print(f"pynytprof: {message}", file=sys.stderr)
