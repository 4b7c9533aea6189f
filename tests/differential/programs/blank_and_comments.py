# -*- coding: utf-8 -*-
"""Line numbers: comments, blank lines, form feeds, docstrings, continued lines.

Second paragraph.
"""

# a comment


def f():
    # comment first

    """not a docstring"""

    x = 1  # trailing

    # between
    if x:

        # inside

        x = 2

    return x




def g():
    """only a docstring"""


def h():
    ...


def k(): """on the line"""


f(); g(); h(); k()


# the end has no newline
f()