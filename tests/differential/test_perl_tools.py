"""Every tool of Devel::NYTProf takes our profiles without a murmur and shows the right numbers."""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest
from support import TRACERS, run
from views import PROGRAMS, View, perl_commands, program_names

ViewOf = Callable[[str, str], View]
ProfileOf = Callable[[str, str], Path]

# nytprofhtml says these on every profile that has a call stream.
NOTES = {
    "Extracting subroutine call data ...",
    "Extracting subroutine links",
    "Generating subroutine stack flame graph ...",
}
# The first of them with many calls.
MANY = re.compile(r"Extracting subroutine call data \(There were \d+ of them, .*")
# Perl's own warning, on paths of more than 100 calls, from its recursive walk of the stacks.
DEEP = re.compile(r"Deep recursion on .*")

SHOWN = [
    name
    for name in [
        "loops",
        "recursion",
        "generators",
        "coroutines",
        "exec_and_eval",
        "imports",
        "one_line_functions",
        "unicode_names",
        "classes",
        "py312_type_parameters",
    ]
    if name in program_names()
]


def complaints(stderr: str) -> list[str]:
    said = [line for line in stderr.splitlines() if line.strip()]
    return [
        line
        for line in said
        if line not in NOTES and not DEEP.fullmatch(line) and not MANY.fullmatch(line)
    ]


@pytest.mark.parametrize("tracer", TRACERS)
@pytest.mark.parametrize("program", program_names())
def test_the_quick_tools_are_silent(
    program: str, tracer: str, profile_of: ProfileOf, tmp_path: Path
) -> None:
    made = profile_of(program, tracer)
    for command in perl_commands(made, tmp_path)[1:]:
        done = run(command, cwd=tmp_path)
        assert (done.returncode, complaints(done.stderr)) == (0, []), command[0]


FORKS = """\
import os
def child(n):
    total = 0
    for i in range(n):
        total += i
    exec("for i in range(9): pass")
    os._exit(0)
for n in (10, 20, 30):
    if os.fork() == 0:
        child(n)
    os.wait()
"""


def test_profiles_of_forks_and_what_is_merged_of_them(tmp_path: Path) -> None:
    (tmp_path / "forks.py").write_text(FORKS)
    made = tmp_path / "nytprof.out"
    profiler = [sys.executable, "-m", "pynytprof", "-q", "--merge=keep"]
    done = run([*profiler, "-o", made, tmp_path / "forks.py"])
    assert (done.returncode, done.stderr) == (0, "")
    parts = sorted(tmp_path.glob("nytprof.out.*"))
    assert len(parts) == 3
    for path in (made, parts[0]):
        (tmp_path / "results").mkdir(exist_ok=True)
        for command in perl_commands(path, tmp_path / "results"):
            done = run(command, cwd=tmp_path)
            assert (done.returncode, complaints(done.stderr)) == (0, []), command[0]
    counts = View(made).line_counts()
    assert counts[str(tmp_path / "forks.py"), 5] == 10 + 20 + 30


@pytest.mark.parametrize("tracer", TRACERS)
@pytest.mark.parametrize("program", ["loops", "recursion", "exec_and_eval", "imports"])
def test_merging_a_profile_with_itself_doubles_it(
    program: str, tracer: str, profile_of: ProfileOf, view_of: ViewOf, tmp_path: Path
) -> None:
    made = profile_of(program, tracer)
    done = run(["nytprofmerge", "-o", tmp_path / "twice.out", made, made])
    assert (done.returncode, done.stderr) == (0, "")
    once, twice = view_of(program, tracer), View(tmp_path / "twice.out")
    assert twice.line_counts() == {k: 2 * n for k, n in once.line_counts().items()}
    assert {s.name: s.calls for s in twice.subs.values()} == {
        s.name: 2 * s.calls for s in once.subs.values()
    }


class Page(HTMLParser):
    """Anchors, links and rows of one page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for key, value in attrs:
            if value is None:
                continue
            if key in ("id", "name"):
                self.anchors.add(value)
            elif key == "href" and tag in ("a", "link"):
                self.links.append(value)


def dead_links(folder: Path) -> list[str]:
    pages = {p.name: Page(p) for p in folder.glob("*.html")}
    dead = []
    for name, page in pages.items():
        for link in page.links:
            target, anchor = urldefrag(unquote(link))
            if re.match(r"[a-z]+:", link):
                continue  # elsewhere: the profiler's home, source files
            if target.endswith(".dot"):
                continue  # per file they are made only for profiles with blocks; Perl's own too
            if not (folder / (target or name)).exists():
                dead.append(f"{name}: {link}")
            elif anchor and (to := pages.get(target or name)) is not None:
                if anchor not in to.anchors:
                    dead.append(f"{name}: {link}")
    return dead


ROW = re.compile(r'<tr><td class="h"><a name="(\d+)"></a>\d+</td><td[^>]*>(\d*)</td>', re.DOTALL)


def counts_on_page(page: Path) -> dict[int, int]:
    found = ROW.findall(page.read_text(encoding="utf-8"))
    return {int(line): int(count) for line, count in found if count}


def page_of(folder: Path, file: str) -> Path:
    """The line report of a source file: the index knows its name."""
    index = (folder / "index.html").read_text(encoding="utf-8")
    for link in re.findall(r'href="([^"]+-line\.html)"', index):
        page = folder / html.unescape(unquote(link))
        text = page.read_text(encoding="utf-8")
        title = re.search(r"Filename</td>\s*<td[^>]*>(.*?)</td>", text, re.DOTALL)
        if title and file in html.unescape(re.sub(r"<[^>]*>", "", title[1])):
            return page
    raise AssertionError(f"no page for {file}")


@pytest.mark.parametrize("tracer", TRACERS)
@pytest.mark.parametrize("program", SHOWN)
def test_nytprofhtml(
    program: str, tracer: str, profile_of: ProfileOf, view_of: ViewOf, tmp_path: Path
) -> None:
    done = run(["nytprofhtml", "-f", profile_of(program, tracer), "-o", tmp_path])
    assert (done.returncode, complaints(done.stderr)) == (0, [])
    assert dead_links(tmp_path) == []

    # Its script cuts names to the width of their boxes, which depends on times, by bytes.
    svg = (tmp_path / "all_stacks_by_time.svg").read_text(encoding="utf-8", errors="replace")
    assert svg.count("<rect") > 2
    assert "__main__::(module)" in html.unescape(svg)

    file = str(PROGRAMS / f"{program}.py")
    view = view_of(program, tracer)
    expected = {line: n for (name, line), n in view.line_counts().items() if name == file}
    page = page_of(tmp_path, file)
    assert counts_on_page(page) == expected
    text = html.unescape(re.sub(r"<[^>]*>", "", page.read_text(encoding="utf-8")))
    for sub in view.subs.values():
        if sub.file == file and sub.calls:
            times = ":" if sub.calls == 1 else f" {sub.calls} times"
            assert f"within {sub.name} which was called{times}" in text
