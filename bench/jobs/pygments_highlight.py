"""Pygments: a dozen modules of the standard library as HTML and as terminal text."""

import argparse
import ast
import difflib
import inspect
import textwrap

from pygments import highlight
from pygments.formatters import HtmlFormatter, Terminal256Formatter
from pygments.lexers import PythonLexer


def main() -> None:
    size = 0
    for module in (textwrap, ast, difflib, argparse):
        text = inspect.getsource(module)[:20_000]
        size += len(highlight(text, PythonLexer(), HtmlFormatter(linenos=True)))
        size += len(highlight(text, PythonLexer(), Terminal256Formatter()))
    print(size)


if __name__ == "__main__":
    main()
