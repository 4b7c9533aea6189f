"""The HTML report in a real browser: what it shows, how it is used, and what it must not do."""

from __future__ import annotations

import base64
import csv
import html
import io
import itertools
import json
import random
import re
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from browser import VIEWS, Open, Tabs, downloaded, faults, go, rows, started
from doors import program
from payloads import CALLS, START, TIMES, TREE, end, file, lines, start, string, sub
from support import GOLDEN, PYTHON, TIME_LIMIT_S, run
from writing import WRITERS, written

from pynytprof import reader

if TYPE_CHECKING:
    from playwright.sync_api import Browser


TOP = Path(__file__).parent.parent
EXAMPLE = TOP / "examples" / "searchindex"
PERL = GOLDEN / "perl"
QUESTIONS = ("profile AND line", "name:run OR close", "chunk NOT lock")
SECOND = 10_000_000


# ---- Pages ----


def make(out: Path, profile: Path, *words: str | Path) -> Path:
    """The page of a profile."""
    done = run([program(), "html", "-q", profile, "-o", out, *words])
    assert (done.returncode, done.stderr) == (0, "")
    return out


def search(out: Path, questions: tuple[str, ...], limit: int) -> Path:
    """A profile of the example program, which reads our own sources.

    Nothing is taken off: a cost that was measured in a slow moment would hide its hot lines.
    """
    options = ["-q", "--set", "raw=1", "-o", str(out)]
    command = [PYTHON, "-m", "pynytprof", *options, str(EXAMPLE), str(TOP / "tests")]
    done = run([*command, "--limit", str(limit), *questions], out.parent)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Profiles and pages: search, before, compare; and of Perl: blocks, demo."""
    folder = tmp_path_factory.mktemp("pages")
    after = search(folder / "search.out", QUESTIONS, 12)
    before = search(folder / "before.out", QUESTIONS[:2], 6)
    make(folder / "search.html", after)
    make(folder / "before.html", before)
    make(folder / "compare.html", after, "--compare", before)
    for name in ("blocks1", "demo", "recursion", "strevals"):
        shutil.copy(PERL / f"{name}.out", folder)
        make(folder / f"{name}.html", folder / f"{name}.out")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as browser:
        yield browser


@pytest.fixture
def tab(browser: Browser) -> Iterator[Open]:
    """Opens pages; none of them may say anything on the console, or ask for anything."""
    tabs = Tabs(browser)
    yield tabs.open
    tabs.close()
    assert tabs.said == []


def model(profile: Path) -> dict[str, Any]:
    done = run([program(), "dump", "--model", profile])
    assert done.returncode == 0, done.stderr
    return cast("dict[str, Any]", json.loads(done.stdout))


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


# ---- One thread alone ----


def tables(page: str) -> dict[str, Any]:
    """What the page's own script reads."""
    packed = re.search(r'id="profile">([^<]*)<', page)
    assert packed
    text = zlib.decompress(base64.b64decode(packed[1]), wbits=-zlib.MAX_WBITS)
    return cast("dict[str, Any]", json.loads(text))


def test_lines_of_threads_add_up_to_those_of_all(tmp_path: Path) -> None:
    """Also of a thread that came twice, and where the profile can be read only once."""
    rnd = random.Random(5)
    chunks = [start(7, 1, ticks_per_sec=str(SECOND)), file(1, "/a.py")]
    for number in (7, 8, 9, 7, 10):
        chunks += [start(number, 1)] if len(chunks) > 2 else []
        ran = [line for line in range(1, 40) if rnd.random() < 0.7]
        chunks += [lines(rnd.randrange(1, 9), 70, line=line) for line in ran]
        chunks.append(end(number))
    out = tmp_path / "threads.out"
    out.write_bytes(written(WRITERS["c"], chunks, 1))
    page = make(tmp_path / "threads.html", out).read_text()
    piped = subprocess.run(
        [program(), "html", "-q", "-o", "-", "-"], input=out.read_bytes(), stdout=subprocess.PIPE,
        check=True, timeout=TIME_LIMIT_S,
    )  # fmt: skip
    assert piped.stdout.decode() == page
    found = tables(page)
    assert sorted(one["id"] for one in found["section"]) == [7, 8, 9, 10]
    for column in ("n", "t"):
        sums = [0] * len(found["line"][column])
        for one in found["section"]:
            for at, value in zip(itertools.accumulate(one["i"]), one[column], strict=True):
                sums[at] += value
        assert sums == found["line"][column]


@pytest.mark.parametrize("pid", [17497, 17498])
def test_a_discount_counts_in_its_own_process_alone(pid: int, tmp_path: Path) -> None:
    """The parent ended with one. Perl's reader, and so the profile of all, gives it to the child;
    the file of the child alone tells otherwise."""
    merged, child = (GOLDEN / "perl" / f"fork-{name}.out" for name in ("merged", "child1"))
    found = tables(make(tmp_path / "fork.html", merged).read_text())
    (section,) = (one for one in found["section"] if one["id"] == pid)
    every = list(itertools.accumulate(found["line"]["line"]))
    numbers = [every[at] for at in itertools.accumulate(section["i"])]
    alone = {one.line: one.count for one in reader.read(merged, thread=pid).lines if one.count}
    assert dict(zip(numbers, section["n"], strict=True)) == alone
    if pid == 17498:
        assert (
            alone == {one.line: one.count for one in reader.read(child).lines} == {1: 4, 4: 4, 5: 1}
        )
    assert {one.line: one.count for one in reader.read(merged).lines}[4] == 4


THREADS = """\
import threading
def left(n):
    for i in range(n):
        pass
def right(n):
    return [i for i in
            range(n)]
threads = [threading.Thread(target=left, args=(7000,)), threading.Thread(target=right, args=(900,))]
for thread in threads: thread.start()
for thread in threads: thread.join()
left(50)
"""


def lines_of(page: Any) -> dict[str, str]:
    """Line -> count of the source that is shown."""
    return {row[0]: row[1] for row in rows(page, "Annotated source") if row[0] and row[1]}


def test_shared_times_are_marked_and_explained_once(tab: Open, tmp_path: Path) -> None:
    """Where none is, the page is as it would be without them."""
    words = "a share of a time that was measured for several lines together"
    pages = {}
    for name, comment in (("marked", "shared 2 /a.py"), ("plain", "shared 2 /other.py")):
        out = tmp_path / f"{name}.out"
        head, payload = start(7, 1, application="a.py", ticks_per_sec=str(SECOND))
        chunks = [(head, payload + string("#") + string(comment))]
        chunks += [file(1, "/a.py", ("x = 1\n", "y = 2\n", "z = 3\n"))]
        chunks += [lines(2, 3 * SECOND), lines(1, 4 * SECOND, line=3), end(7, 30.0)]
        out.write_bytes(written(WRITERS["c"], chunks, 1))
        pages[name] = make(tmp_path / f"{name}.html", out)
    found = {name: tables(page.read_text())["line"] for name, page in pages.items()}
    assert found["marked"].pop("s") == [1, 0]
    assert found["marked"] == found["plain"]
    assert [page.read_text().count(f"<p>~ {words}") for page in pages.values()] == [1, 0]
    for name, expected in (("marked", "~3.00 s"), ("plain", "3.00 s")):
        page = tab(pages[name], "overview")
        assert page.get_by_text(words).count() == (name == "marked")
        assert expected in [
            cell.strip() for cell in page.locator("td.number .time").all_inner_texts()
        ]
        assert faults(page) == []
        go(page, "source")
        assert {row[2] for row in rows(page, "Annotated source")} == {"", expected, "4.00 s"}
        assert page.get_by_text(words).count() == (name == "marked")
        assert faults(page) == []


def test_changes_of_shared_times_are_marked(tab: Open, tmp_path: Path) -> None:
    words = "a share of a time that was measured for several lines together"
    made = []
    for second, comment in ((3, "shared 2-3 /a.py"), (4, "shared 1 /a.py")):
        out = tmp_path / f"{second}.out"
        head, payload = start(7, 1, application="a.py", ticks_per_sec=str(SECOND))
        chunks = [(head, payload + string("#") + string(comment))]
        chunks += [file(1, "/a.py", ("x = 1\n", "y = 2\n", "z = 3\n"))]
        chunks += [lines(2, second * SECOND), lines(1, 4 * SECOND, line=3), end(7, 30.0)]
        out.write_bytes(written(WRITERS["c"], chunks, 1))
        made.append(out)
    page = tab(make(tmp_path / "page.html", made[1], "--compare", made[0]), "compare")
    assert page.get_by_text(words).count() == 0
    page.get_by_label("Lines of").select_option(index=1)
    page.wait_for_selector('section.rows[aria-label="Changes by line"]')
    assert {row[0]: row[3] for row in rows(page, "Changes by line")} == {
        "/a.py:2": "~+1.00 s",
        "/a.py:3": "0",
    }
    assert page.get_by_text(words).count() == 1
    assert faults(page) == []


def test_threads_can_be_looked_at_alone(tab: Open, tmp_path: Path) -> None:
    (tmp_path / "threads.py").write_text(THREADS)
    out = tmp_path / "threads.out"
    profiled = run([sys.executable, "-m", "pynytprof", "-q", "-o", out, "threads.py"], cwd=tmp_path)
    assert profiled.returncode == 0, profiled.stderr
    page = tab(make(tmp_path / "threads.html", out), "threads")
    ids = [row[0] for row in rows(page, "Threads and processes")]
    assert len(ids) == 3
    loops = {}
    for number in ids:
        go(page, f"source?section={number}")
        assert faults(page) == []
        loops[number] = lines_of(page).get("4", "0")
        whole = run([program(), "source", "--thread", number, "threads.py", out]).stdout
        counted = [line.split() for line in whole.splitlines() if line.endswith("    pass")]
        assert loops[number] == (counted[0][-3] if len(counted[0]) > 3 else "0")
    assert sorted(loops.values()) == ["0", "50", "7,000"]
    left = next(number for number, count in loops.items() if count == "7,000")

    # Links keep to the thread; what is known of all together says so; the menu leads back.
    page.get_by_label("Thread or process").select_option("-1")
    go(page, "overview")
    assert f"Thread or process {left}" not in page.locator("main").inner_text()
    page.get_by_label("Thread or process").select_option(left)
    assert f"Thread or process {left} ran 14," in page.locator("main").inner_text()
    page.get_by_role("link", name="Functions", exact=True).click()
    assert "of all threads and processes together only" in page.locator("body").inner_text()
    page.get_by_role("link", name="Source", exact=True).click()
    page.wait_for_selector('section[aria-label="Annotated source"]')
    assert page.evaluate("location.hash").endswith(f"section={left}")
    assert lines_of(page)["4"] == "7,000" and "13" not in lines_of(page)
    page.get_by_label("Thread or process").select_option("-1")
    assert lines_of(page)["4"] == "7,050"


# ---- Every view ----


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", ["compare", "blocks1"])
def test_each_view_is_drawn_and_accessible(tab: Open, folder: Path, name: str, theme: str) -> None:
    page = tab(folder / f"{name}.html", "overview", color_scheme=theme)
    for view in VIEWS:
        go(page, view)
        assert page.locator("main").inner_text().strip(), view
        assert "cannot be shown" not in page.locator("main").inner_text(), view
        assert faults(page) == [], view


# Rows that are not as high as the scrolling counts on.
UNEVEN = """() => [...document.querySelectorAll('.rows tbody tr:not(.gap)')]
  .map(row => [row.getBoundingClientRect().height,
               parseFloat(getComputedStyle(row).getPropertyValue('--row'))])
  .filter(([high, wanted]) => Math.abs(high - wanted) > 0.1)"""


@pytest.mark.parametrize("name", ["search", "demo", "strevals", "recursion"])
def test_each_view_is_drawn(tab: Open, folder: Path, name: str) -> None:
    page = tab(folder / f"{name}.html", "overview")
    for view in VIEWS:
        go(page, view)
        assert "cannot be shown" not in page.locator("main").inner_text(), view
        assert page.locator("nav [aria-current=page]").count() == 1, view
        assert page.evaluate(UNEVEN) == [], view


def test_dialogs_and_the_call_tree_are_accessible(tab: Open, folder: Path) -> None:
    page = tab(folder / "search.html", "flame")
    page.locator("summary").click()
    assert faults(page) == []
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    assert faults(page) == []
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("document")
    page.wait_for_selector('[role="option"]')
    assert faults(page) == []


@pytest.mark.parametrize("width", [390, 640])
def test_no_view_is_wider_than_a_phone_or_twice_the_size(
    tab: Open, folder: Path, width: int
) -> None:
    page = tab(folder / "compare.html", viewport={"width": width, "height": 700})
    for view in VIEWS:
        go(page, view)
        room, needed = page.evaluate(
            "() => [document.documentElement.clientWidth, document.documentElement.scrollWidth]"
        )
        assert needed <= room, view


# ---- Numbers ----


def subs_of(profile: dict[str, Any]) -> dict[str, tuple[float, ...]]:
    return {
        name: (one["calls"], one["excl_time"], one["incl_time"], len(one["callers"]))
        for name, one in profile["subs"].items()
        if one["calls"]
    }


def near(value: str, seconds: float) -> bool:
    """To a tick, which is what the page counts in."""
    return abs(float(value) - seconds) < 2e-7


@pytest.mark.parametrize("name", ["search", "blocks1", "demo", "recursion", "strevals"])
def test_functions_have_the_numbers_of_the_model(tab: Open, folder: Path, name: str) -> None:
    expected = subs_of(model(folder / f"{name}.out"))
    page = tab(folder / f"{name}.html", "functions")
    shown = {row["Function"]: row for row in table(downloaded(page, "CSV"))}
    assert shown.keys() == expected.keys()
    for function, (calls, excl, incl, places) in expected.items():
        row = shown[function]
        assert int(row["Calls"]) == calls
        assert near(row["Own time"], excl) and near(row["With callees"], incl), function
        assert int(row["Places"]) == places


@pytest.mark.parametrize("name", ["search", "blocks1", "demo", "recursion"])
def test_lines_and_files_have_the_numbers_of_the_model(tab: Open, folder: Path, name: str) -> None:
    loaded = model(folder / f"{name}.out")
    lines = loaded["time"]["line"]
    page = tab(folder / f"{name}.html", "files")
    files = {row["File"]: row for row in table(downloaded(page, "CSV"))}
    names = {fid: one["filename"] for fid, one in loaded["files"].items()}
    sums = {
        names[fid]: [sum(x) for x in zip(*of.values(), strict=True)] for fid, of in lines.items()
    }
    assert files.keys() == sums.keys()
    for path, (seconds, count) in sums.items():
        assert int(files[path]["Statements"]) == count
        assert float(files[path]["Time"]) == pytest.approx(seconds, abs=2e-7)
    page.locator("main .rows a.place").first.click()
    page.wait_for_selector("section.source .rows tbody td")
    path = page.locator("section.source h2").get_attribute("title")
    (fid,) = [fid for fid, name in names.items() if name == path]
    rows = {row["line"]: row for row in table(downloaded(page, "CSV"))}
    source = loaded["files"][fid]["source"]
    for line, (seconds, count) in lines[fid].items():
        if line in rows:
            assert int(rows[line]["count"]) == count
            assert near(rows[line]["seconds"], seconds), line
            assert rows[line]["source"].lstrip("'") == source[int(line) - 1].rstrip("\r\n")
    assert sum(int(row["count"]) for row in rows.values()) > 0


def perls_functions(report: Path) -> dict[str, tuple[str, ...]]:
    """Calls, places and files of the table that nytprofhtml makes."""
    text = (report / "index-subs-excl.html").read_text("utf-8")
    found = {}
    for row in re.findall(r"<tr>(.*?)</tr>", text.split("<tbody>")[1], re.S):
        cells = [re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<td.*?</td>", row, re.S)]
        name = re.search(r"display: none;\">(.*?)</span>", row)
        assert name
        found[html.unescape(name[1]).replace("::::", "::")] = tuple(cells[:3])
    return found


@pytest.mark.parametrize("name", ["blocks1", "demo", "recursion"])
def test_perls_report_has_the_same_numbers(
    tab: Open, folder: Path, tmp_path: Path, name: str
) -> None:
    done = run(["nytprofhtml", "--file", folder / f"{name}.out", "--out", tmp_path / "perl"])
    assert done.returncode == 0, done.stderr
    page = tab(folder / f"{name}.html", "functions")
    ours = {
        row["Function"]: (row["Calls"], row["Places"], row["Files"])
        for row in table(downloaded(page, "CSV"))
    }
    assert ours == perls_functions(tmp_path / "perl")


# ---- Use ----


def test_the_answer_takes_no_click_and_the_callers_one(tab: Open, folder: Path) -> None:
    page = tab(folder / "search.html")
    sentence = page.locator("p.sentence").inner_text()
    told = re.search(r"costs most is (\S+):(\d+) in (\S+) \(.*\).*, called by (\S+) \(", sentence)
    assert told, sentence
    first = page.locator("article.excerpt").first
    assert first.locator(".row.hot .number").first.inner_text() == told[2]
    assert first.is_visible() and "#   " in first.inner_text()
    first.locator("h3 a.fn").click()
    callers = rows(page, f"Callers of {told[3]}")
    assert callers[0][0].endswith(told[4].split("::")[-1])
    assert re.search(r":\d+$", callers[0][1])


def test_what_changed_takes_one_click(tab: Open, folder: Path) -> None:
    page = tab(folder / "compare.html")
    assert "more statements" in page.locator("p.verdict").inner_text()
    page.get_by_role("link", name="What changed").click()
    grown = [row[1] for row in rows(page, "Changes by function")]
    assert grown[0].startswith("+")
    page.get_by_label("Lines of").select_option(label="documents.py")
    page.wait_for_selector('section.rows[aria-label="Changes by line"] tbody td')
    first = rows(page, "Changes by line")[0]
    assert first[0].startswith("documents.py:") and first[1].startswith("+")


GO = {
    "s": "source",
    "f": "functions",
    "l": "flame",
    "t": "treemap",
    "i": "imports",
    "d": "files",
    "c": "compare",
    "o": "overview",
}


def test_keys(tab: Open, folder: Path) -> None:
    page = tab(folder / "search.html")
    for key, view in GO.items():
        page.keyboard.press("g")
        page.keyboard.press(key)
        page.wait_for_function("view => location.hash.startsWith('#/' + view)", arg=view)
    page.keyboard.press("?")
    assert "next and previous hot line" in page.locator("dialog").inner_text()
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    page.keyboard.press("d")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.keyboard.press("/")
    page.keyboard.type("documents.py:47")
    page.wait_for_selector('[role="option"]')
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.hash.endsWith('line=47')")
    assert page.locator('tr[aria-current="true"] td').first.inner_text() == "47"
    page.keyboard.press("n")
    page.wait_for_function("() => !location.hash.endsWith('line=47')")
    page.keyboard.press("p")
    page.wait_for_function("() => location.hash.endsWith('line=47')")
    at = page.locator('tr[aria-current="true"]').bounding_box()
    assert at and 0 < at["y"] < 900


# Presses keys on the page, without waiting for what they do; null waits until a frame was drawn.
TYPE = """async keys => {
  for (const key of keys) {
    if (key === null) {
      await new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)));
      continue;
    }
    const how = { key, bubbles: true, cancelable: true };
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", how));
    await new Promise(done => setTimeout(done));
  }
}"""


def test_no_key_is_lost_while_the_page_draws(tab: Open, folder: Path) -> None:
    page = tab(folder / "search.html")
    page.evaluate(TYPE, ["g", "s", "g", None, "f"])
    page.wait_for_function("() => location.hash.startsWith('#/functions')")
    page.evaluate(TYPE, ["?"])
    assert page.locator("dialog.help").is_visible()
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    page.evaluate(TYPE, ["/"])
    assert page.evaluate("document.activeElement.tagName") == "INPUT"
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    page.evaluate(TYPE, ["g", "d", "d"])
    page.wait_for_function("() => location.hash.startsWith('#/files')")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_sorting_filtering_and_the_split(tab: Open, folder: Path) -> None:
    page = tab(folder / "search.html", "functions")
    calls = page.get_by_role("columnheader", name="Calls")
    calls.get_by_role("button").click()
    assert calls.get_attribute("aria-sort") == "descending"
    shown = [int(row[1].replace(",", "")) for row in rows(page, "Functions")]
    assert shown == sorted(shown, reverse=True)
    calls.get_by_role("button").click()
    assert calls.get_attribute("aria-sort") == "ascending"
    assert rows(page, "Functions")[0][1] == "1"
    page.get_by_label("Filter functions").fill("split_ident")
    page.wait_for_function("() => document.querySelectorAll('.rows tbody td.col-name').length < 5")
    assert "filter=split_ident" in page.url
    page.get_by_label("Filter functions").fill("")
    page.get_by_label("Whose code").select_option("library")
    page.wait_for_function("() => location.hash.includes('scope=library')")
    kinds = {row[-2] for row in rows(page, "Functions")}
    assert kinds <= {"standard library", "built in"}
    page.get_by_role("link", name="Overview").click()
    assert page.locator('.split [aria-pressed="true"] .what').inner_text() == "Standard library"


def test_links_and_the_way_back(tab: Open, folder: Path) -> None:
    page = tab(folder / "search.html", "source?file=0&line=1")
    name = page.locator("section.source h2").inner_text()
    page.get_by_role("link", name="Functions", exact=True).click()
    page.locator("main .rows td a.fn").first.click()
    page.wait_for_selector("div.function h2")
    page.go_back()
    page.wait_for_selector('section.rows[aria-label="Functions"]')
    page.go_back()
    assert page.locator("section.source h2").inner_text() == name
    page.reload()
    page.wait_for_selector("section.source h2")
    assert page.locator("section.source h2").inner_text() == name


def test_blocks_and_subs_of_perl_in_place(tab: Open, folder: Path) -> None:
    loaded = model(folder / "blocks1.out")
    page = tab(folder / "blocks1.html", "source")
    for key, level in (("2", "block"), ("3", "sub"), ("1", "line")):
        page.keyboard.press(key)
        page.wait_for_selector(f'button[aria-pressed="true"]:text-is("{level}")')
        counts = {row[0]: row[1] for row in rows(page, "Annotated source") if row[0]}
        expected = {line: str(count) for line, (_, count) in loaded["time"][level]["1"].items()}
        assert {line: n for line, n in counts.items() if n} == expected


def test_the_flame_graph_and_its_tree(tab: Open, folder: Path) -> None:
    page = tab(folder / "search.html", "flame")
    canvas = page.locator("canvas")
    canvas.click(position={"x": 100, "y": 50})
    page.wait_for_function("() => location.hash.includes('node=')")
    page.get_by_role("button", name="Whole program").click()
    page.get_by_role("button", name="Inverted").click()
    page.get_by_label("Find functions in the flame graph").fill("stem")
    page.get_by_role("button", name="Inverted").click()
    svg = downloaded(page, "SVG")
    assert svg.startswith("<svg ") and "documents::stem" in svg
    page.locator("summary").click()
    row = page.locator("table[role=treegrid] tbody tr")
    row.first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    focused = page.evaluate("document.activeElement.getAttribute('aria-level')")
    assert int(focused) == 3
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.getAttribute('aria-level')") == "2"
    page.keyboard.press("Enter")
    page.wait_for_selector("div.function h2")


def test_each_view_can_be_taken_away_as_markdown(tab: Open, folder: Path) -> None:
    page = tab(folder / "compare.html", permissions=["clipboard-read", "clipboard-write"])
    for view in (
        "overview",
        "source",
        "functions",
        "flame",
        "treemap",
        "imports",
        "files",
        "compare",
    ):
        go(page, view)
        page.get_by_role("button", name="Copy as Markdown").first.click()
        page.wait_for_function("() => /Copied/.test(document.querySelector('.said').innerText)")
        text = page.evaluate("navigator.clipboard.readText()")
        assert len(text) < 8000
        if view in ("overview", "source"):
            assert 800 < len(text) < 5000 and re.search(rf"{EXAMPLE}/\w+\.py", text), view
        go(page, "threads")
    link = page.get_by_role("link", name="Source")
    link.click()
    editor = page.get_by_role("link", name="Open in editor").get_attribute("href")
    assert editor and editor.startswith(f"vscode://file{EXAMPLE}/")


def test_all_rows_are_printed(tab: Open, folder: Path) -> None:
    page = tab(folder / "search.html", "functions")
    whole = int(page.locator("main .bar .dim").inner_text().replace(",", ""))
    assert len(rows(page, "Functions")) < min(whole, 100)
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert len(rows(page, "Functions")) == min(whole, 1000)
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert page.locator("section.rows").evaluate("e => getComputedStyle(e).overflow") == "visible"


# ---- A second profile ----

DROP = """([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name));
  window.dispatchEvent(new DragEvent("drop", { dataTransfer: data, cancelable: true }));
}"""


def test_a_second_page_is_dropped_in(tab: Open, folder: Path) -> None:
    page = tab(folder / "search.html")
    page.evaluate(DROP, ["before.html", (folder / "before.html").read_text("utf-8")])
    page.wait_for_selector('section.rows[aria-label="Changes by function"]')
    dropped = page.locator(".compare .sentence").inner_text()
    built = tab(folder / "compare.html", "compare")
    assert dropped == built.locator(".compare .sentence").inner_text()
    assert rows(page, "Changes by function") == rows(built, "Changes by function")


def test_a_second_profile_may_be_json(tab: Open, folder: Path, tmp_path: Path) -> None:
    before = tmp_path / "before.json"
    done = run([program(), "convert", "--to", "json", "-o", before, folder / "before.out"])
    assert done.returncode == 0, done.stderr
    page = tab(folder / "search.html", "compare")
    page.get_by_label("Report to compare with").set_input_files(before)
    page.wait_for_selector('section.rows[aria-label="Changes by function"]')
    built = tab(folder / "compare.html", "compare")
    ours = {row[0]: row[1] for row in rows(page, "Changes by function")}
    theirs = {row[0]: row[1] for row in rows(built, "Changes by function")}
    assert ours == theirs


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("x.html", "<p>another page", "it is no report written by nytprof html"),
        ("x.html", '<script id="profile">AAAA</script>', "the page's data is damaged"),
        ("x.json", "[1, 2", "it is no whole JSON"),
        ("x.json", '{"schema": 1}', "it is no profile that nytprof convert wrote"),
        ("x.out", "NYTProf 5 0\n", "make a page of it with nytprof html"),
        ("x", "", "it is no report written by nytprof html"),
    ],
)
def test_a_wrong_second_file_is_a_sentence(
    tab: Open, folder: Path, name: str, text: str, says: str
) -> None:
    page = tab(folder / "search.html")
    page.evaluate(DROP, [name, text])
    page.wait_for_function("() => document.querySelector('.said').innerText !== ''")
    assert page.locator(".said").inner_text().startswith(f"{name} cannot be compared: ")
    assert says in page.locator(".said").inner_text()
    assert page.locator("p.sentence").is_visible()


# ---- Without scripts; damaged pages ----


def test_without_scripts_the_answer_is_there(tab: Open, folder: Path) -> None:
    page = tab(folder / "search.html", java_script_enabled=False)
    shown = page.locator("body").inner_text()
    assert re.search(r"line that costs most is \w+\.py:\d+ in \w+::", shown)
    assert re.search(rf"{EXAMPLE}/\w+\.py:\d+", shown), shown
    assert page.locator("noscript table").count() == 2


@pytest.mark.parametrize("damage", ["cut", "other", "gone"])
def test_a_damaged_page_says_so(tab: Open, folder: Path, tmp_path: Path, damage: str) -> None:
    text = (folder / "blocks1.html").read_text("utf-8")
    block = re.search(r'id="profile">(.*?)</script>', text, re.S)
    assert block
    new = {"cut": block[1][:200], "other": "bm9uZQ==", "gone": None}[damage]
    if new is None:
        text = text.replace('id="profile"', 'id="elsewhere"')
    else:
        text = text.replace(block[1], new)
    (tmp_path / "damaged.html").write_text(text, encoding="utf-8")
    page = tab(tmp_path / "damaged.html")
    assert page.locator("#app").inner_text().startswith("This report cannot be shown: ")


@pytest.mark.parametrize("name", ["killed-compress0", "killed-compress6"])
def test_an_incomplete_profile_is_named(tab: Open, tmp_path: Path, name: str) -> None:
    page = tmp_path / "killed.html"
    done = run([program(), "html", "-q", PERL / f"{name}.out", "-o", page, "--salvage"])
    assert done.returncode == 0 and "the profile is incomplete" in done.stderr
    assert "The profile is incomplete: " in tab(page).locator("[role=note]").first.inner_text()


def test_a_snapshot_is_named(tab: Open, folder: Path, tmp_path: Path) -> None:
    whole = written(WRITERS["c"], [start(7, 1, basetime="10"), end(7, 20.0, 0)], 0)
    (tmp_path / "snapshot.out").write_bytes(whole + b"#Snapshot: the process was at work\n")
    done = run([program(), "html", "-q", tmp_path / "snapshot.out"], tmp_path)
    assert done.returncode == 0 and done.stderr.endswith(
        "snapshot.out: the profile is incomplete\n"
    )
    page = tab(tmp_path / "snapshot.html")
    assert "still running" in page.locator("[role=note]").first.inner_text()


# ---- Hostile names and sources ----

HOSTILE = (
    "</script><script>window.hacked=1</script>",
    '<img src=x onerror="window.hacked=1">',
    "a\u202eb\u2028c\u2029d\u2066e",
    "]]><!--<script>",
    '"onmouseover="window.hacked=1',
    "\x00\x1b[31m\x7f",
    "javascript:window.hacked=1",
    "=1+2",
)


def hostile_profile(out: Path, functions: int = 0) -> Path:
    """Each name is a file's, a function's and a line's; the last line has a million letters."""
    n = len(HOSTILE)
    names = [*HOSTILE, *(f"pkg.module_{i % 977}::function_{i}" for i in range(functions))]
    lines = (*(f"x = '{name}'  # {name}\n" for name in HOSTILE), "y" * 1_000_000 + "\n")
    header = {"basetime": "10", "application": HOSTILE[0], "ticks_per_sec": str(SECOND)}
    pairs = b"".join(string(f":{key}") + string(value) for key, value in header.items())
    chunks = [
        (b"P", START.pack(7, 1, 10.0) + pairs),
        *(file(i + 1, f"/src/{name}", lines) for i, name in enumerate(HOSTILE)),
        (b"D", b"".join(sub(i + 1, i % n + 1, i % n + 1, i % n + 1, name)
                        for i, name in enumerate(names))),
        (b"S", b"".join(TIMES.pack(i + 1, k + 1, 0, 0, 3, SECOND, SECOND)
                        for i in range(n) for k in range(n + 1))),
        (b"C", b"".join(CALLS.pack(1, 1, 0, i + 1, 1, 2.0, 1.0, 0, 0) for i in range(len(names)))),
        (b"T", b"".join(TREE.pack(i + 1, i + 1, (n - i) * SECOND, SECOND)
                        for i in reversed(range(n)))),
        end(7, 20.0, 0),
    ]  # fmt: skip
    out.write_bytes(written(WRITERS["c"], chunks, 1))
    return out


def test_hostile_names_and_sources_are_text(tab: Open, tmp_path: Path) -> None:
    out = make(tmp_path / "hostile.html", hostile_profile(tmp_path / "hostile.out"))
    made = out.read_text("utf-8")
    assert "<img" not in made and made.count("<script>") == 1
    assert not set("\u2028\u2029\u202e\u2066\x00\x1b") & set(made)
    page = tab(out)
    for view in VIEWS:
        for state in (view, f"{view}?file=0&fn=1&filter=%3Cscript%3E"):
            go(page, state)
            text = page.locator("body").inner_text()
            assert "cannot be shown" not in text
            assert not set("\u2028\u202e\u2066\x00\x1b") & set(text), view
    go(page, "functions")
    assert HOSTILE[1] in page.locator("main").inner_text()
    go(page, "source?file=0")
    assert page.locator("td.text").count() > 8
    assert page.evaluate("window.hacked") is None
    assert page.locator("img").count() == 0
    svg = downloaded(tab(out, "flame"), "SVG")
    assert "<script" not in svg and "<img" not in svg
    bare = tab(out, java_script_enabled=False)
    assert HOSTILE[0] in bare.locator("body").inner_text()


def test_a_hundred_thousand_functions(tab: Open, tmp_path: Path) -> None:
    profile = hostile_profile(tmp_path / "many.out", 100_000)
    out = make(tmp_path / "many.html", profile, "--max-size", "1000000")
    assert out.stat().st_size <= 1_000_000
    page = tab(out)
    notes = page.locator("[role=note]").all_inner_texts()
    assert any("functions with little time are left out" in note for note in notes)
    go(page, "functions")
    assert len(rows(page, "Functions")) < 200
    page.keyboard.press("/")
    page.keyboard.type("function_77")
    page.wait_for_selector('[role="option"]')


def test_thousands_of_files_with_long_names(tab: Open, tmp_path: Path) -> None:
    """Names that don't compress and are shown in part; the files with most time stay."""
    digits = random.Random(1)
    names = [f"/{digits.getrandbits(4 * 3000):x}/{i}.py" for i in range(2000)]
    header = {"basetime": "10", "application": names[0], "ticks_per_sec": str(SECOND)}
    pairs = b"".join(string(f":{key}") + string(value) for key, value in header.items())
    chunks = [
        (b"P", START.pack(7, 1, 10.0) + pairs),
        *(file(i + 1, name, ("pass\n",)) for i, name in enumerate(names)),
        (b"S", b"".join(TIMES.pack(i + 1, 1, 0, 0, 3, (i + 1) * SECOND, SECOND)
                        for i in range(len(names)))),
        end(7, 20.0, 0),
    ]  # fmt: skip
    profile = tmp_path / "names.out"
    profile.write_bytes(written(WRITERS["c"], chunks, 1))
    out = make(tmp_path / "names.html", profile, "--max-size", "1000000")
    assert out.stat().st_size <= 1_000_000
    page = tab(out)
    notes = page.locator("[role=note]").all_inner_texts()
    assert any("files with little time are left out" in note for note in notes)
    go(page, "files")
    shown = rows(page, "Files")
    assert shown[0][0].endswith("/1999.py") and "\u2026" in shown[0][0]


# ---- What can't be read or written ----


def test_what_cannot_be_written_leaves_no_half_page(folder: Path, tmp_path: Path) -> None:
    page = tmp_path / "nowhere" / "page.html"
    done = run([program(), "html", folder / "demo.out", "-o", page])
    assert (done.returncode, done.stdout) == (4, "") and str(page) in done.stderr
    if Path("/dev/full").exists():
        full = run([program(), "html", folder / "demo.out", "-o", "/dev/full"])
        assert (full.returncode, full.stdout) == (4, "") and "/dev/full" in full.stderr
    assert not list(tmp_path.rglob("*"))


def test_the_page_of_the_example_is_small(folder: Path) -> None:
    assert (folder / "search.html").stat().st_size <= 400_000


def test_the_same_profile_gives_the_same_page(folder: Path, tmp_path: Path) -> None:
    again = make(tmp_path / "again.html", folder / "search.out")
    assert again.read_bytes() == (folder / "search.html").read_bytes()
    with (folder / "search.out").open("rb") as profile:
        piped = subprocess.run([program(), "html", "-", "-o", "-"], stdin=profile,
                               capture_output=True, timeout=TIME_LIMIT_S, check=True)  # fmt: skip
    assert piped.stdout == again.read_bytes()


# ---- In notebooks ----


def test_a_notebook_shows_the_answer(folder: Path) -> None:
    shown = reader.read(folder / "search.out")._repr_html_()
    assert shown.startswith("<div class=nytprof><p class=sentence>") and len(shown) < 16_000
    assert re.search(r"line that costs most is \w+\.py:\d+ in \w+::", shown)
    told = re.search(r"line that costs most is \w+\.py:(\d+) in", shown)
    (hot,) = re.findall(r"<strong>(.*)</strong>", shown)
    taken = r"[\d.]+ (?:s|ms|us|ns)"
    assert told and re.match(rf" *{told[1]} +[\d,]+ +{taken} +{taken}  +\S", hot), hot
    assert shown.count("<table>") == 2 == shown.count("</table>")


def test_a_notebook_shows_hostile_names_as_text(tmp_path: Path) -> None:
    shown = reader.read(hostile_profile(tmp_path / "hostile.out"))._repr_html_()
    tags = set(re.findall(r"<[^>]*>", shown))
    assert {re.sub(r"[ >].*", "", tag) for tag in tags} == {
        "<div", "</div", "<p", "</p", "<h2", "</h2", "<table", "</table", "<tr", "<td", "<th",
        "<pre", "</pre", "<strong", "</strong",
    }  # fmt: skip
    assert not set("\u2028\u202e\u2066\x00\x1b") & set(shown)
    assert html.unescape(shown).count("onerror=") >= 2


def test_a_notebook_shows_a_profile_without_time(tmp_path: Path) -> None:
    (tmp_path / "none.out").write_bytes(written(WRITERS["c"], [start(7, 1), end(7, 20.0, 0)], 0))
    assert "holds no time" in reader.read(tmp_path / "none.out")._repr_html_()
