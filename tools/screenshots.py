#!/usr/bin/env python3
"""Makes the pictures of the HTML report in docs/images, from a run of the example program.

    python tools/screenshots.py [--nytprof PROGRAM] [--folder FOLDER]

Needs Playwright and Pillow (`pip install playwright pillow`) and Debian's chromium. The program
reads the standard library's asyncio and json, so that a run of it looks alike everywhere.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Literal

TOP = Path(__file__).resolve().parent.parent
EXAMPLE = TOP / "examples" / "searchindex"
QUESTIONS = ("loop AND task", "name:run OR close", "queue NOT lock")

# Name of the picture: which page, which view, which theme, how high.
PICTURES: dict[str, tuple[str, str, Literal["light", "dark"], int]] = {
    "overview": ("page", "overview", "light", 690),
    "source": ("page", "source", "light", 560),
    "flame-dark": ("page", "flame?libraries=1", "dark", 560),
    "compare": ("compare", "compare", "light", 470),
}


def profile(out: Path, questions: tuple[str, ...]) -> Path:
    library = Path(json.__file__).parent.parent
    command = [sys.executable, "-m", "pynytprof", "-q", "-o", str(out), str(EXAMPLE)]
    asked = [*command, str(library / "asyncio"), *questions]
    subprocess.run(asked, check=True, stdout=subprocess.DEVNULL)
    return out


def shrunk(picture: Path) -> None:
    """With a palette: a third of the bytes, and no difference to the eye."""
    from PIL import Image

    with Image.open(picture) as image:
        small = image.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    small.save(picture, optimize=True)


def take(pages: dict[str, Path], folder: Path) -> None:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, (page, view, theme, height) in PICTURES.items():
            tab = browser.new_page(
                viewport={"width": 1200, "height": height}, color_scheme=theme, locale="en-GB"
            )
            tab.goto(f"{pages[page].as_uri()}#/{view}")
            tab.wait_for_selector("main > *")
            tab.wait_for_timeout(300)
            tab.screenshot(path=folder / f"{name}.png")
            tab.close()
            shrunk(folder / f"{name}.png")
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--nytprof", default=shutil.which("nytprof") or "nytprof")
    parser.add_argument("--folder", type=Path, default=TOP / "docs" / "images")
    options = parser.parse_args()
    options.folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        after = profile(Path(made, "after.out"), QUESTIONS)
        before = profile(Path(made, "before.out"), (*QUESTIONS[:1], "--limit", "12"))
        pages = {"page": Path(made, "page.html"), "compare": Path(made, "compare.html")}
        html = [options.nytprof, "html", "-q", after]
        subprocess.run([*html, "-o", pages["page"]], check=True)
        subprocess.run([*html, "-o", pages["compare"], "--compare", before], check=True)
        take(pages, options.folder)


if __name__ == "__main__":
    main()
