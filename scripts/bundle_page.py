#!/usr/bin/env python3
"""The report's page, built from web/, as a C file: ``bundle_page.py OUTPUT.c``.

    bundle_page.py --dist       puts the bundle into the sdist that meson is making

The bundle is web/dist/page.js and page.css. They are built with npm if they are missing or
older than a source; an sdist brings them, so that its users need no npm. Without npm and
without a bundle the C file has empty texts, and a warning says what is missing.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).resolve().parent.parent / "web"
DIST = WEB / "dist"
BUNDLE = ("page.js", "page.css")
NAMES = {"page.js": "script", "page.css": "style"}


def _sources() -> list[Path]:
    return [*WEB.glob("*.json"), *WEB.glob("*.mjs"), *(WEB / "src").rglob("*.*")]


def is_fresh() -> bool:
    """Whether the bundle is there and no source is younger."""
    made = [DIST / name for name in BUNDLE]
    if not all(path.is_file() for path in made):
        return False
    if not (WEB / "src").is_dir():
        return True
    oldest = min(path.stat().st_mtime for path in made)
    return all(path.stat().st_mtime <= oldest for path in _sources())


def build() -> bool:
    """Builds the bundle with npm. False where there is none."""
    npm = shutil.which("npm")
    if npm is None:
        print(
            "The HTML page is left out: it is built with npm (Debian: apt-get install npm).",
            file=sys.stderr,
        )
        return False
    quiet = {**os.environ, "npm_config_update_notifier": "false"}
    for command in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
        subprocess.run([npm, *command], cwd=WEB, env=quiet, check=True, stdout=sys.stderr)
    return True


def c_text(name: str, data: bytes) -> str:
    """Definitions of the text, its length and its hash."""
    digest = base64.b64encode(hashlib.sha256(data).digest()).decode()
    lines = [
        '    "' + data[i : i + 100].decode("ascii").replace("\\", "\\\\").replace('"', '\\"')
        .replace("\n", "\\n").replace("?", "\\?") + '"'
        for i in range(0, len(data), 100)
    ]  # fmt: skip
    text = "\n".join(lines) or '    ""'
    return (
        f"const char nyt_page_{name}[] =\n{text};\n"
        f"const size_t nyt_page_{name}_len = {len(data)};\n"
        f'const char nyt_page_{name}_hash[] = "{digest}";\n'
    )


def main(output: Path) -> int:
    with (WEB / "package.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several builds may run at once
        there = is_fresh() or build() or all((DIST / name).is_file() for name in BUNDLE)
        texts = {
            NAMES[name]: (DIST / name).read_bytes().strip() if there else b"" for name in BUNDLE
        }
    definitions = "\n".join(c_text(name, data) for name, data in texts.items())
    output.write_text(f'#include "report/page_bundle.h"\n\n{definitions}')
    return 0


def into_dist() -> int:
    """Copies the bundle to where meson collects an sdist."""
    if not (is_fresh() or build()):
        return 1
    dist = Path(os.environ["MESON_DIST_ROOT"], "web", "dist")
    dist.mkdir(parents=True, exist_ok=True)
    for name in BUNDLE:
        shutil.copy(DIST / name, dist / name)
    return 0


if __name__ == "__main__":
    sys.exit(into_dist() if sys.argv[1] == "--dist" else main(Path(sys.argv[1])))
