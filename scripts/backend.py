"""What pip builds the package with: meson-python, but for ``pip install -e .``.

meson-python's editable installation builds anew at each import. For that it needs the ninja and
the meson that pip had put into a temporary environment, and that are gone; and it would run in
every program that is profiled. Here an editable installation is plain: what the build makes (the
extension modules, ``_version.py``) is put beside the sources, and a ``.pth`` file names their
folder. A change of Python is there at once, a change of C after another ``pip install -e .``.
"""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import mesonpy  # type: ignore[import-untyped]
from mesonpy import (
    build_sdist,
    build_wheel,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
]

MADE = ("*.so", "*/_version.py")
"""What the build makes of the package. The rest are sources, which are never written to."""
SOURCES = Path(__file__).resolve().parent.parent / "src"
PACKAGE = "pynytprof/"

get_requires_for_build_editable = get_requires_for_build_wheel


def put_beside_sources(name: str, data: bytes) -> None:
    """What the build made. A file is replaced, not written to: a process may have it mapped."""
    path = SOURCES / name
    if path.exists() and path.read_bytes() == data:
        return
    new = path.with_name(path.name + ".new")
    new.write_bytes(data)
    new.replace(path)


def record_line(name: str, data: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"


def make_editable(wheel: Path, target: Path) -> None:
    """The wheel without the package's files, but with a line that says where these are."""
    record, lines = "", ""
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            data = old.read(info)
            if info.filename.startswith(PACKAGE):
                if any(fnmatch.fnmatch(info.filename, pattern) for pattern in MADE):
                    put_beside_sources(info.filename, data)
            elif info.filename.endswith(".dist-info/RECORD"):
                record = info.filename
            else:
                new.writestr(info, data)
                lines += record_line(info.filename, data)
        path = f"{SOURCES}\n".encode()
        new.writestr("__editable__.pynytprof.pth", path)
        lines += record_line("__editable__.pynytprof.pth", path)
        new.writestr(record, f"{lines}{record},,\n")


def build_editable(
    wheel_directory: str,
    config_settings: dict[str, Any] | None = None,
    metadata_directory: str | None = None,
) -> str:
    """PEP 660. The build's folder is kept, so that the next one takes seconds."""
    folder = f"build/editable-{sys.implementation.cache_tag}"
    settings = {"build-dir": folder, **(config_settings or {})}
    with tempfile.TemporaryDirectory() as temporary:
        name: str = mesonpy.build_wheel(temporary, settings, metadata_directory)
        make_editable(Path(temporary, name), Path(wheel_directory, name))
    return name
