"""What the HTML page costs: made, beside Perl's nytprofhtml, and looked at, in Chromium.

Two profiles are made: a wide one (400 files of 400 lines, 8000 functions, 24000 calling lines)
and one of 10 M statements. `nytprof html` and nytprofhtml make their reports of each in turn; the
table has elapsed and CPU seconds, bytes, and how many times more nytprofhtml takes. Then a page of
100,000 lines in 400 files with 20,000 functions is opened: first paint, the time until the first
screen is there and takes input, the time that each key in the search takes, the JavaScript heap,
and frames in which a row was missing while the list of functions was scrolled.

    python bench/bench_page.py [--rounds N] [--nytprof PROGRAM] [--folder KEEP] [--no-perl]
                               [--no-browser] [--check]

Needs Devel::NYTProf, Playwright (`pip install playwright`) and Debian's chromium. With --check the
status is 1 if one of the bounds that the table names is missed.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import struct
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench_reader import end, header, start, statements

SECOND = 10_000_000


# ---- The profiles ----


def string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<I", len(data)) + data


@dataclass(frozen=True)
class Shape:
    files: int
    lines: int
    """In each file."""
    subs: int
    edges: int


WIDE = Shape(files=400, lines=400, subs=8000, edges=24_000)
LARGE = Shape(files=400, lines=250, subs=20_000, edges=60_000)

TEXTS = (
    "    for item in items[{0}:]:\n",
    "        total += weigh(item, {0}) * factor\n",
    "    if total > {0} and not self.done:\n",
    "        return self.table.get(key_{0}, None)\n",
    "    # {0} is enough for all that we have seen\n",
)


def source(rnd: random.Random, lines: int) -> bytes:
    texts = (rnd.choice(TEXTS).format(rnd.randrange(1000)) for _ in range(lines))
    return struct.pack("<I", lines) + b"".join(string(text) for text in texts)


def write_profile(path: Path, shape: Shape) -> None:
    """Files with their sources, all of their lines run, and calls from everywhere to everywhere."""
    from pynytprof import _cwrite

    rnd = random.Random(1)
    per_file = shape.subs // shape.files
    pairs = {"basetime": "1", "application": "bench", "ticks_per_sec": str(SECOND), "calls": "1"}
    head = b"".join(string(f":{key}") + string(value) for key, value in pairs.items())
    with path.open("wb") as out, _cwrite.Writer(out, 1) as writer:
        writer.write_chunk(b"P", struct.pack("<IId", 1, 0, 1.0) + head)
        for fid in range(1, shape.files + 1):
            name = string(f"/src/package{fid % 17}/module{fid}.py")
            body = struct.pack("<6I", fid, 0, 0, 0x32, 0, 0) + name + source(rnd, shape.lines)
            writer.write_chunk(b"F", body)
        for fid in range(1, shape.files + 1):
            writer.write_chunk(b"D", subs_of(shape, fid, per_file))
        for fid in range(1, shape.files + 1):
            writer.write_chunk(b"S", times_of(rnd, shape, fid))
        writer.write_chunk(b"C", b"".join(calls(rnd, shape)))
        writer.write_chunk(b"T", b"".join(tree(rnd, shape)))
        writer.write_chunk(b"E", struct.pack("<IdQ", 1, 100.0, 0))


def subs_of(shape: Shape, fid: int, n: int) -> bytes:
    length = shape.lines // n
    made = b""
    for i in range(n):
        first = i * length + 1
        number = (fid - 1) * n + i + 1
        name = string(f"package{fid % 17}::module{fid}::Class{i % 5}::function_{number}")
        made += struct.pack("<4I", number, fid, first, first + length - 1) + name
    return made


def times_of(rnd: random.Random, shape: Shape, fid: int) -> bytes:
    def one(line: int) -> bytes:
        ticks = int(rnd.paretovariate(0.8) * 10)
        return struct.pack("<IIIIQQQ", fid, line, 0, 0, 1 + ticks // 7, ticks, ticks)

    return b"".join(one(line) for line in range(1, shape.lines + 1))


def calls(rnd: random.Random, shape: Shape) -> list[bytes]:
    """From a line within its caller; each function is called at least once."""
    per_file = shape.subs // shape.files
    length = shape.lines // per_file
    made = []
    for i in range(shape.edges):
        called = i % shape.subs + 1
        caller = rnd.randrange(shape.subs)
        fid, line = caller // per_file + 1, caller % per_file * length + 1 + rnd.randrange(length)
        excl = rnd.paretovariate(0.9) * 1e-6
        count = 1 + rnd.randrange(500)
        made.append(
            struct.pack("<IIIIQdddI", fid, line, caller + 1, called, count, 3 * excl, excl, 0, 0)
        )
    return made


def tree(rnd: random.Random, shape: Shape) -> list[bytes]:
    """Paths of 12 functions, returned from in order."""
    made = []
    for _ in range(shape.subs // 12):
        path = [rnd.randrange(shape.subs) + 1 for _ in range(12)]
        for depth in range(12, 0, -1):
            ticks = float(rnd.randrange(1, 1000))
            made.append(struct.pack("<IIdd", depth, path[depth - 1], 13 * ticks, ticks))
    return made


def make_statements(path: Path, n: int) -> None:
    body = start(3) + statements(random.Random(1), n) + end(n / 1e4)
    path.write_bytes(header() + body)


# ---- Made ----


def timed(command: list[str]) -> tuple[float, float]:
    """Elapsed and CPU seconds."""
    began = time.perf_counter()
    process = os.posix_spawnp(command[0], command, os.environ, file_actions=QUIET)
    _, status, usage = os.wait4(process, 0)
    if status:
        sys.exit(f"{' '.join(command)}: status {os.waitstatus_to_exitcode(status)}")
    return time.perf_counter() - began, usage.ru_utime + usage.ru_stime


QUIET = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0),
         (os.POSIX_SPAWN_DUP2, 1, 2)]  # fmt: skip


def size_of(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(f.stat().st_size for f in path.rglob("*") if f.is_file())


def compare(folder: Path, name: str, nytprof: str, rounds: int, with_perl: bool) -> list[float]:
    """Prints a line for each program; how many times faster and smaller ours is."""
    profile, page, report = folder / f"{name}.out", folder / f"{name}.html", folder / f"{name}.perl"
    ours, perls = [], []
    for _ in range(rounds):
        ours.append(timed([nytprof, "html", "-q", str(profile), "-o", str(page)]))
        if with_perl:
            shutil.rmtree(report, ignore_errors=True)
            perls.append(timed(["nytprofhtml", "-f", str(profile), "-o", str(report)]))
    kinds = [("nytprof html", ours, page)] + ([("nytprofhtml", perls, report)] if perls else [])
    middle = {}
    for who, taken, made in kinds:
        elapsed, cpu = (statistics.median(column) for column in zip(*taken, strict=True))
        middle[who] = (elapsed, cpu, size_of(made))
        print(f"{name:12} {who:14} {elapsed:9.2f} s {cpu:9.2f} s CPU {size_of(made):12,} bytes")
    if not perls:
        return []
    factors = [p / o for o, p in zip(middle["nytprof html"], middle["nytprofhtml"], strict=True)]
    print(f"{name:12} {'factor':14} {factors[0]:9.1f}   {factors[1]:9.1f}       {factors[2]:12.1f}")
    return factors


# ---- Looked at ----

SHOWN = """() => new Promise(resolve => requestAnimationFrame(() => setTimeout(() => resolve({
  ready: performance.now(),
  paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN,
}))))"""

# A key is through when the frame that shows what it found has been made.
KEY = """text => new Promise(resolve => {
  const input = document.querySelector('dialog input');
  const began = performance.now();
  input.value = text;
  input.dispatchEvent(new Event('input', { bubbles: true }));
  requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began)));
})"""

# After each frame, every place of the list must show a row.
SCROLL = """() => new Promise(resolve => {
  const box = document.querySelector('section.rows');
  let frames = 0, missing = 0, slow = 0, last = performance.now();
  function look() {
    const edge = box.getBoundingClientRect();
    for (const y of [edge.top + 40, edge.top + edge.height / 2, edge.bottom - 10]) {
      const at = document.elementFromPoint(edge.left + 60, y);
      if (!at?.closest('tbody tr:not(.gap)')) missing++;
    }
    const now = performance.now();
    if (now - last > 50) slow++;
    last = now;
    if (++frames === 200) return resolve({ frames, missing, slow });
    box.scrollTop += 400;
    requestAnimationFrame(() => setTimeout(look));
  }
  look();
})"""


def metric(client: Any, name: str) -> float:
    metrics = client.send("Performance.getMetrics")["metrics"]
    return float(next(one["value"] for one in metrics if one["name"] == name))


def browse(page_file: Path) -> dict[str, float]:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    address = page_file.resolve().as_uri()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        browser.new_page().goto("about:blank")
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        client = page.context.new_cdp_session(page)
        client.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto(address)
        page.wait_for_selector("main p.sentence")
        found: dict[str, Any] = page.evaluate(SHOWN)
        found["cpu"] = 1000 * metric(client, "TaskDuration")
        page.goto(f"{address}#/functions")
        page.wait_for_selector("section.rows td")
        found |= page.evaluate(SCROLL)
        page.keyboard.press("/")
        page.wait_for_selector("dialog[open] input")
        word = "module77::function_15"
        keys = [page.evaluate(KEY, word[:n]) for n in range(1, len(word) + 1)]
        found |= {"key": statistics.median(keys), "worst key": max(keys)}
        page.keyboard.press("Escape")
        for view in ("source", "flame?libraries=1", "treemap", "overview"):
            page.goto(f"{address}#/{view}")
            page.wait_for_timeout(300)
        client.send("HeapProfiler.collectGarbage")
        found["heap"] = metric(client, "JSHeapUsedSize") / 1e6
        browser.close()
    return found


BOUNDS = {
    "paint": (500, "first paint, ms"),
    "ready": (1500, "first screen takes input, ms"),
    "cpu": (1500, "the main thread's processor time up to there, ms"),
    "key": (50, "a key in the search, ms"),
    "worst key": (50, "the slowest key, ms"),
    "heap": (200, "JavaScript heap, MB"),
    "missing": (0, "places without a row in 200 frames of scrolling"),
}


def look(page: Path, rounds: int) -> bool:
    seen = [browse(page) for _ in range(rounds)]
    fine = True
    print(f"\nChromium, {size_of(page):,} bytes: 100,000 lines, 400 files, 20,000 functions")
    for key, (bound, what) in BOUNDS.items():
        value = statistics.median(one[key] for one in seen)
        fine &= value <= bound
        print(f"{what:50} {value:8.1f}   (at most {bound})")
    return fine


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--nytprof", default=shutil.which("nytprof") or "nytprof")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--no-perl", action="store_true")
    parser.add_argument("--no-browser", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    fine = True
    with tempfile.TemporaryDirectory() as made:
        folder = options.folder or Path(made)
        folder.mkdir(exist_ok=True)
        write_profile(folder / "wide.out", WIDE)
        write_profile(folder / "large.out", LARGE)
        make_statements(folder / "statements.out", 10_000_000)
        perl = not options.no_perl
        wide = compare(folder, "wide", options.nytprof, options.rounds, perl)
        many = compare(folder, "statements", options.nytprof, options.rounds, perl)
        if perl:
            fine &= wide[0] >= 20 and wide[2] >= 10 and many[0] >= 5
        if not options.no_browser:
            timed([options.nytprof, "html", "-q", str(folder / "large.out"),
                   "-o", str(folder / "large.html")])  # fmt: skip
            fine &= look(folder / "large.html", options.rounds)
    return 0 if fine or not options.check else 1


if __name__ == "__main__":
    sys.exit(main())
