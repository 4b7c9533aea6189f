"""Mirrors absolute_path() of ext/trace/source.c: folders and absolute paths.

A module of its own because it needs nothing else: what starts a profiled run uses it too.
"""

from __future__ import annotations

import os

PACKAGE_PREFIX = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
"""What the paths of this package's files begin with."""


def working_folder() -> str:
    """The current folder; nothing if it has been removed, which is no trouble of ours."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def absolute_path(filename: str, folder: str) -> str:
    """``filename`` as seen from ``folder``; names in angle brackets stay as they are."""
    if filename.startswith("<"):
        return filename
    return os.path.normpath(os.path.join(folder, filename))
