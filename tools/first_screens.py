#!/usr/bin/env python3
"""The first screen of five real jobs: does it name the project's own hottest line, and its caller?

    first_screens.py [--python PYTHON] [--folder FOLDER] [--only NAME ...]

The jobs are a pytest run, a Flask and a FastAPI application, a pandas script and a command-line
program, small, but with the real packages below them (`pip install pytest flask fastapi httpx
pandas`, for PYTHON). Which of their lines costs most is known, as there is no other that is near
it: it is marked with HOT. With --folder the screens are drawn there, in 80 and 200 columns,
which needs Playwright and Pillow, and Debian's chromium. Exit status 1 if a screen fails.
"""

from __future__ import annotations

import argparse
import html
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROWS = 44
WIDTHS = (80, 200)


@dataclass(frozen=True)
class Job:
    name: str
    title: str
    command: list[str]
    """What follows `pynytprof`."""
    caller: str
    """Who calls the function with the hot line, as the screen has it."""
    files: dict[str, str]


JOBS = [
    Job("pytest", "pytest -q", ["-m", "pytest", "-q", "-p", "no:cacheprovider"],
        "test_prices::test_a_large_basket", {
            "prices.py": """\
RATES = {code: 1 + code / 97 for code in range(400)}

def discount(amount, code):
    best = 0.0
    for other in RATES:
        best = max(best, RATES[other] * (other % 7 == code % 7))  # HOT
    return amount - best

def total(basket):
    return sum(price * count for price, count in basket)
""",
            "test_prices.py": """\
import pytest
from prices import discount, total

def test_a_large_basket():
    for amount in range(3000):
        assert discount(amount, amount % 11) <= amount

@pytest.mark.parametrize("count", range(20))
def test_total(count):
    assert total([(2, 1)] * count) == 2 * count
""",
        }),
    Job("flask", "a Flask application", ["app.py"], "flask::app::Flask::dispatch_request", {
        "app.py": """\
import sqlite3
from flask import Flask, render_template_string

app = Flask(__name__)
db = sqlite3.connect(":memory:", check_same_thread=False)
PAGE = "{% for e in entries %}<li>{{ e[0] }}: {{ e[1] }}</li>{% endfor %}"

def fill(n):
    db.execute("create table entry (n integer, text text)")
    db.executemany("insert into entry values (?, ?)", ((i, f"entry {i}") for i in range(n)))

@app.get("/")
def index():
    entries = db.execute("select n, text from entry").fetchall()
    return render_template_string(PAGE, entries=entries)  # HOT

@app.get("/hello")
def hello():
    return "hello"

fill(1500)
client = app.test_client()
for _ in range(60):
    assert client.get("/").status_code == 200
    client.get("/hello")
""",
    }),
    Job("fastapi", "a FastAPI application", ["api.py"], "__main__::nearest", {
        "api.py": """\
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import BaseModel

app = FastAPI()
PLACES = [(n * 37 % 180, n * 73 % 360) for n in range(16000)]

class Place(BaseModel):
    lat: float
    lon: float

def distance(a, b):
    return abs(a[0] - b[0]) + min(abs(a[1] - b[1]), 360 - abs(a[1] - b[1]))  # HOT

@app.get("/nearest")
async def nearest(lat: float, lon: float) -> Place:
    found = PLACES[0]
    for place in PLACES:
        if distance(place, (lat, lon)) < 3:
            found = place
    return Place(lat=found[0], lon=found[1])

with TestClient(app) as client:
    for n in range(120):
        assert client.get("/nearest", params={"lat": n % 90, "lon": n}).status_code == 200
""",
    }),
    Job("pandas", "a pandas script", ["report.py"],
        "__main__::report", {
        "report.py": """\
import pandas as pd

def orders(n):
    return pd.DataFrame({
        "customer": [f"c{i % 500}" for i in range(n)],
        "price": [i % 37 + 0.5 for i in range(n)],
        "count": [i % 5 for i in range(n)],
    })

def by_row(frame):
    return frame.apply(lambda row: row["price"] * row["count"], axis=1)  # HOT

def report(frame):
    frame["value"] = by_row(frame)
    return frame.groupby("customer").agg({"value": ["sum", "mean"], "count": "sum"})

print(report(orders(60000)).head(3))
""",
    }),
    Job("cli", "a command-line program", ["-m", "words", "300000"], "words::count::tally", {
        "words/__init__.py": "",
        "words/__main__.py": """\
import argparse
from words.count import tally
from words.text import make

def main():
    parser = argparse.ArgumentParser(prog="words")
    parser.add_argument("size", type=int)
    parser.add_argument("--top", type=int, default=3)
    options = parser.parse_args()
    for word, count in tally(make(options.size))[:options.top]:
        print(count, word)

main()
""",
        "words/text.py": """\
def make(size):
    return " ".join(f"word{(i * i) % 997}," for i in range(size))
""",
        "words/count.py": """\
import re
from collections import Counter

MARKS = ".,;:!?"

def clean(word):
    for mark in MARKS:
        word = word.strip().replace(mark, "").lower()  # HOT
    return word

def tally(text):
    counts = Counter()
    for word in re.split(r"\\s+", text):
        counts[clean(word)] += 1
    return counts.most_common()
""",
    }),
]  # fmt: skip


def run(words: list[str], cwd: Path) -> str:
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(words)}: status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def hot_line(job: Job) -> str:
    """As "count.py:8"."""
    for name, text in job.files.items():
        for number, line in enumerate(text.splitlines(), 1):
            if line.endswith("# HOT"):
                return f"{Path(name).name}:{number}"
    raise LookupError(job.name)


def profile(job: Job, python: str, folder: Path) -> Path:
    for name, text in job.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text.replace("  # HOT", ""))
    run([python, "-m", "pynytprof", "-q", *job.command], folder)
    return folder / "nytprof.out"


def screen(python: str, path: Path, width: int, colour: str = "never") -> str:
    words = [python, "-m", "pynytprof", "summary", "--width", str(width), "--color", colour]
    return run([*words, str(path)], path.parent)


def faults(job: Job, text: str) -> list[str]:
    """What the sentence and the first hot line should say, and don't."""
    plain = " ".join(text.split())
    sentence, _, rest = plain.partition("Hottest lines of the project")
    place = hot_line(job)
    first = re.search(r"\d % (.*?) \d+ ns|\d % (.*)", rest)
    block = first.group(0) if first else ""
    return [
        f"{where} does not name {what}"
        for where, part in (("the sentence", sentence), ("the first hot line", block))
        for what in (place, job.caller)
        if what not in part
    ]


# ---- Pictures ----

COLOURS = {"1": "font-weight:bold", "2": "opacity:.6", "31": "color:#ff7b72", "32": "color:#7ee787"}
PAGE = """<!DOCTYPE html><meta charset="utf-8"><style>
body {{ margin: 0; background: #0d1117 }}
pre {{ margin: 0; padding: 14px 16px; color: #e6edf3; font: 13px/1.35 "DejaVu Sans Mono", monospace;
display: inline-block; min-width: {width}ch }}
b {{ color: #79c0ff; font-weight: normal }}</style><pre>{text}</pre>"""


def as_html(text: str, command: str, width: int) -> str:
    """What a terminal of 44 rows makes of it."""
    rows = text.splitlines()[: ROWS - 1]
    body, is_open = "", 0
    for part in re.split(r"(\x1b\[\d*m)", "\n".join(rows)):
        code = re.fullmatch(r"\x1b\[(\d*)m", part)
        if not code:
            body += html.escape(part)
        elif code[1] in COLOURS:
            body += f'<span style="{COLOURS[code[1]]}">'
            is_open += 1
        else:
            body += "</span>" * is_open
            is_open = 0
    return PAGE.format(width=width, text=f"<b>$ {html.escape(command)}</b>\n{body}")


def draw(pages: dict[str, str], folder: Path) -> None:
    from PIL import Image
    from playwright.sync_api import sync_playwright

    folder.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, page in pages.items():
            tab = browser.new_page(viewport={"width": 1800, "height": 900})
            tab.set_content(page)
            target = folder / f"{name}.png"
            tab.locator("pre").screenshot(path=target)
            tab.close()
            with Image.open(target) as image:
                small = image.convert("RGB").quantize(32, dither=Image.Dither.NONE)
            small.save(target, optimize=True)
        browser.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", nargs="*", default=[job.name for job in JOBS])
    options = parser.parse_args()
    pages: dict[str, str] = {}
    failed = False
    for job in JOBS:
        if job.name not in options.only:
            continue
        with tempfile.TemporaryDirectory() as made:
            path = profile(job, options.python, Path(made))
            found: list[str] = []
            for width in WIDTHS:
                found += faults(job, screen(options.python, path, width))
                text = screen(options.python, path, width, "always")
                command = "pynytprof -q " + " ".join(job.command) + "; nytprof"
                pages[f"terminal-{job.name}-{width}"] = as_html(text, command, width)
        print(f"{job.title:24} {hot_line(job):14} {'; '.join(found) or 'named, with its caller'}")
        failed = failed or bool(found)
    if options.folder:
        draw(pages, options.folder)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
