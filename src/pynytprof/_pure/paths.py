"""Mirrors absolute_path() of ext/trace/source.c: folders and absolute paths.

A module of its own because it needs nothing else: what starts a profiled run uses it too.
"""

from __future__ import annotations

import os
import stat

PACKAGE_PREFIX = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
"""What the paths of this package's files begin with."""


def working_folder() -> str:
    """The current folder; nothing if it has been removed, which is no trouble of ours."""
    try:
        return os.getcwd()
    except OSError:
        return ""


def absolute_path(filename: str, folder: str) -> str:
    """``filename`` as seen from ``folder``; names in angle brackets stay as they are.

    Where a folder is a link, ``..`` behind it leads elsewhere: then the path stays as it is.
    """
    if filename.startswith("<"):
        return filename
    whole = os.path.join(folder, filename)
    plain = os.path.normpath(whole)
    if plain == whole or "/.." not in whole or not os.path.exists(whole):
        return plain
    return plain if os.path.exists(plain) and os.path.samefile(plain, whole) else whole


def identity(path: str) -> tuple[int, int, int, int] | None:
    """By which a file is found under another path: a number may be given again, to another."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
