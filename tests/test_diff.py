"""What changed from one profile to another: what is matched, what is told, and what fails."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from doors import Door
from support import profiling
from test_convert import NASTY
from test_reader import CALLS, END, SECOND, START, TIMES, file, string, sub, write

from pynytprof import convert
from pynytprof.diff import Change, Diff, ProfileError, compare

PERL = Path(__file__).parent / "golden" / "perl"

# ---- Profiles by hand ----

Chunk = tuple[bytes, bytes]


def profile(path: Path, *chunks: Chunk, scale: int = SECOND, seconds: float = 10.0) -> Path:
    header = {":basetime": "10", ":application": "a.py", ":ticks_per_sec": str(scale)}
    text = b"".join(string(key) + string(value) for key, value in header.items())
    begin, end = (b"P", START.pack(7, 1, 10.0) + text), (b"E", END.pack(7, 10.0 + seconds, 0))
    return write(path, [begin, *chunks, end])


def ran(fid: int, *rows: tuple[int, int, float], scale: int = SECOND) -> Chunk:
    """(line, count, seconds) each."""
    return b"S", b"".join(
        TIMES.pack(fid, n, 0, 0, count, int(t * scale), int(t * scale)) for n, count, t in rows
    )


def subs(*rows: tuple[int, int, int, int, str]) -> Chunk:
    return b"D", b"".join(sub(*row) for row in rows)


def call(fid: int, line: int, by: int, called: int, count: int, seconds: float) -> Chunk:
    return b"C", CALLS.pack(fid, line, by, called, count, seconds, seconds, 0, 0)


def by_text(changes: list[Change]) -> dict[str | None, Change]:
    found = {change.name and change.name.strip(): change for change in changes}
    assert len(found) == len(changes)
    return found


def changed(diff: Diff) -> list[Change]:
    return [
        change
        for change in [*diff.lines, *diff.subs, *diff.calls]
        if not (change.before and change.after)
        or change.count_change
        or change.excl_change
        or change.incl_change
    ]


def moves(diff: Diff) -> set[tuple[str | None, int, int]]:
    """Text and both numbers of each line that is in both."""
    return {
        (line.name and line.name.strip(), line.before.line, line.after.line)
        for line in diff.lines
        if line.before and line.after
    }


SOURCE = ("import os\n", "def f(n):\n", "    return n + 1\n", "def g():\n", "    f(1)\n", "g()\n")
RAN = ((1, 1, 0.1), (2, 1, 0.1), (3, 4, 0.4), (4, 1, 0.1), (5, 4, 0.5), (6, 1, 0.1))


def usual(path: Path, name: str = "/src/pkg/a.py", *, scale: int = SECOND) -> Path:
    return profile(
        path,
        file(1, name, SOURCE),
        subs((1, 1, 2, 3, "a::f"), (2, 1, 4, 5, "a::g"), (3, 1, 1, 6, "a::(module)")),
        ran(1, *RAN, scale=scale),
        call(1, 6, 3, 2, 1, 0.9),
        call(1, 5, 2, 1, 4, 0.4),
        scale=scale,
    )


# ---- What is the same ----


def test_identical_profiles_have_no_changes(tmp_path: Path) -> None:
    one = usual(tmp_path / "1")
    diff = compare(one, one)
    assert changed(diff) == []
    assert len(diff.lines) == 6 and len(diff.subs) == 2 and len(diff.calls) == 2
    assert "No line, sub or call changed." in diff.text(min_change="0")
    total = diff.totals["total"]
    assert total.is_time and total.before == total.after == pytest.approx(1.3)


@pytest.mark.parametrize(
    "path", sorted(PERL.parent.glob("*/*.out")), ids=lambda path: str(path.stem)
)
def test_every_profile_is_equal_to_itself(path: Path) -> None:
    try:
        diff = compare(path, path, salvage=True)
    except ProfileError:
        assert path.stem == "hdr-major6"
        return
    assert changed(diff) == []


def test_another_scale_of_ticks_is_no_change(tmp_path: Path) -> None:
    diff = compare(usual(tmp_path / "1"), usual(tmp_path / "2", scale=1000))
    assert "No line, sub or call changed." in diff.text()
    for line in diff.lines:
        assert line.before and line.after
        assert line.before.excl == pytest.approx(line.after.excl)


@pytest.mark.parametrize(
    "name", ["/home/other/work/pkg/a.py", "pkg/a.py", "C:\\work\\pkg\\a.py", "/elsewhere/a.py"]
)
def test_another_checkout_is_no_change(name: str, tmp_path: Path) -> None:
    assert changed(compare(usual(tmp_path / "1"), usual(tmp_path / "2", name))) == []


def test_a_renamed_file_is_found_by_its_subs_and_by_its_text(tmp_path: Path) -> None:
    by_subs = compare(usual(tmp_path / "1"), usual(tmp_path / "2", "/src/b.py"))
    assert changed(by_subs) == []
    # A module of Python: its name is in all names.
    renamed = profile(
        tmp_path / "3",
        file(1, "/src/b.py", SOURCE),
        subs((1, 1, 2, 3, "b::f"), (2, 1, 4, 5, "b::g"), (3, 1, 1, 6, "b::(module)")),
        ran(1, *RAN),
        call(1, 6, 3, 2, 1, 0.9),
        call(1, 5, 2, 1, 4, 0.4),
    )
    diff = compare(usual(tmp_path / "1"), renamed)
    assert changed(diff) == []
    assert {s.before.name: s.name for s in diff.subs if s.before} == {
        "a::f": "b::f",
        "a::g": "b::g",
    }


def test_a_renamed_file_without_source_is_found_by_its_subs(tmp_path: Path) -> None:
    def one(path: Path, name: str) -> Path:
        named = subs((1, 1, 2, 3, "main::f"), (2, 1, 4, 5, "main::g"))
        return profile(path, file(1, name), named, ran(1, (2, 1, 0.1), (9, 5, 0.5)))

    diff = compare(one(tmp_path / "1", "/src/a.pl"), one(tmp_path / "2", "/src/b.pl"))
    assert changed(diff) == []


def statements(path: Path, name: str, *lines: str) -> Path:
    rows = [(i + 1, i + 1, 0.1) for i in range(len(lines))]
    return profile(path, file(1, name, tuple(f"{line}\n" for line in lines)), ran(1, *rows))


def test_a_renamed_file_needs_more_than_one_line_in_common(tmp_path: Path) -> None:
    """Lines that are short or stand twice are no proof, but follow where there is some."""
    one = statements(tmp_path / "1", "/a.py", "import os, sys", "x = 1", "x = 1", "y += 1")
    two = statements(tmp_path / "2", "/b.py", "import os, sys", "x = 1", "x = 1", "y += 1")
    assert changed(compare(one, two)) == []
    many = [f"statement_{i}()" for i in range(5)]
    three = statements(tmp_path / "3", "/a.py", "import os, sys", "x = 1", *many)
    others = [f"other_{i}_one()" for i in range(5)]
    four = statements(tmp_path / "4", "/b.py", "import os, sys", "x = 1", *others)
    assert moves(compare(three, four)) == {("import os, sys", 1, 1)}


def test_a_file_of_which_nothing_is_known_is_found_by_its_name(tmp_path: Path) -> None:
    one = profile(tmp_path / "1", file(1, "/x/main.pl"), ran(1, (1, 1, 0.1)))
    two = profile(tmp_path / "2", file(1, "/y/main.pl"), ran(1, (1, 1, 0.1)))
    assert changed(compare(one, two)) == []


def test_files_that_share_nothing_are_not_one(tmp_path: Path) -> None:
    one = profile(tmp_path / "1", file(1, "/x/__init__.py", ("alpha = 1  # first\n",)),
                  subs((1, 1, 1, 1, "x::(module)")), ran(1, (1, 1, 1.0)))  # fmt: skip
    two = profile(tmp_path / "2", file(1, "/y/__init__.py", ("omega = 2  # second\n",)),
                  subs((1, 1, 1, 1, "y::(module)")), ran(1, (1, 1, 1.0)))  # fmt: skip
    diff = compare(one, two)
    assert [(c.before is None, c.after is None) for c in diff.lines] == [
        (True, False),
        (False, True),
    ]


def test_files_of_one_name_are_told_apart_by_their_folders(tmp_path: Path) -> None:
    def one(path: Path, top: str, order: tuple[str, ...]) -> Path:
        chunks = [file(i + 1, f"{top}/{name}/util.py") for i, name in enumerate(order)]
        rows = [ran(i + 1, (1, len(name), 0.1)) for i, name in enumerate(order)]
        return profile(path, *chunks, *rows)

    diff = compare(
        one(tmp_path / "1", "/old/lib", ("a", "bb", "ccc")),
        one(tmp_path / "2", "/new/place/lib", ("ccc", "a", "bb")),
    )
    assert changed(diff) == []


# ---- Code that moves ----


def test_lines_move_with_their_text(tmp_path: Path) -> None:
    source = ("import os\n", "# a note\n", "\n", *SOURCE[1:3], "\n", *SOURCE[3:])
    moved = profile(
        tmp_path / "2",
        file(1, "/src/pkg/a.py", source),
        subs((1, 1, 4, 5, "a::f"), (2, 1, 7, 8, "a::g"), (3, 1, 1, 9, "a::(module)")),
        ran(1, (1, 1, 0.1), (4, 1, 0.1), (5, 4, 0.4), (7, 1, 0.1), (8, 4, 0.5), (9, 1, 0.1)),
        call(1, 9, 3, 2, 1, 0.9),
        call(1, 8, 2, 1, 4, 0.4),
    )
    diff = compare(usual(tmp_path / "1"), moved)
    assert changed(diff) == []
    assert ("return n + 1", 3, 5) in moves(diff)


def test_subs_that_change_places_take_their_lines_along(tmp_path: Path) -> None:
    """Also those lines that stand in both of them."""
    f = ("def f():\n", "    x = 0\n", "    x = x + 1\n", "    return x\n")
    g = ("def g():\n", "    x = 0\n", "    x = x - 1\n", "    return x\n")

    def one(path: Path, first: str, second: str, text: tuple[str, ...], counts: list[int]) -> Path:
        rows = [(i + 1, count, 0.1) for i, count in enumerate(counts)]
        ranges = subs((1, 1, 1, 4, f"m::{first}"), (2, 1, 5, 8, f"m::{second}"))
        return profile(path, file(1, "/m.py", text), ranges, ran(1, *rows))

    diff = compare(
        one(tmp_path / "1", "f", "g", f + g, [1, 2, 3, 4, 5, 6, 7, 8]),
        one(tmp_path / "2", "g", "f", g + f, [5, 6, 7, 8, 1, 2, 3, 4]),
    )
    assert changed(diff) == []
    assert {(a, b) for _, a, b in moves(diff)} == {
        (1, 5), (2, 6), (3, 7), (4, 8), (5, 1), (6, 2), (7, 3), (8, 4)
    }  # fmt: skip


def test_lines_move_into_another_indentation_and_another_file(tmp_path: Path) -> None:
    one = profile(
        tmp_path / "1",
        file(1, "/m.py", ("first_statement()\n", "second_statement()\n", "third_statement()\n")),
        file(2, "/n.py", ("something_else()\n",)),
        ran(1, (1, 1, 0.1), (2, 2, 0.2), (3, 3, 0.3)),
        ran(2, (1, 1, 0.1)),
    )
    two = profile(
        tmp_path / "2",
        file(1, "/m.py", ("first_statement()\n", "if True:\n", "\tsecond_statement()\n")),
        file(2, "/n.py", ("something_else()\n", "    third_statement()\n")),
        ran(1, (1, 1, 0.1), (2, 1, 0.1), (3, 2, 0.2)),
        ran(2, (1, 1, 0.1), (2, 3, 0.3)),
    )
    diff = compare(one, two)
    assert [c.name for c in changed(diff)] == ["if True:\n"]
    assert {("second_statement()", 2, 3), ("third_statement()", 3, 2)} <= moves(diff)


def test_names_with_line_numbers_follow_their_lines(tmp_path: Path) -> None:
    """The lambda that is on line 3 now is not the one that was there."""

    def one(path: Path, skip: int, root: str) -> Path:
        text = ("\n",) * skip + ("a = sorted(b, key=lambda x: x)\n", "\n", "c = map(lambda y: y)\n")
        first, second = skip + 1, skip + 3
        return profile(
            path,
            file(1, f"{root}/m.py", text),
            subs((1, 1, first, first, f"m::lambda@{first}"),
                 (2, 1, second, second, f"m::lambda@{second}"),
                 (3, 1, second, second, f"m::__ANON__[{root}/m.py:{second}]"),
                 (4, 1, 1, second, "m::(module)")),
            call(1, first, 4, 1, 10, 0.1),
            call(1, second, 4, 2, 20, 0.2),
            call(1, second, 4, 3, 30, 0.3),
        )  # fmt: skip

    diff = compare(one(tmp_path / "1", 0, "/a"), one(tmp_path / "2", 2, "/b"))
    assert changed(diff) == []
    pairs = {(s.before.name, s.after.name) for s in diff.subs if s.before and s.after}
    assert pairs == {
        ("m::lambda@1", "m::lambda@3"),
        ("m::lambda@3", "m::lambda@5"),
        ("m::__ANON__[/a/m.py:3]", "m::__ANON__[/b/m.py:5]"),
    }
    assert all(c.before and c.after for c in diff.calls)


def test_names_with_line_numbers_whose_lines_were_edited(tmp_path: Path) -> None:
    """One of its kind is found by the rest of its name, one of two by all of it."""

    def one(path: Path, line: int, *texts: str) -> Path:
        source = ("\n",) * (line - 1) + tuple(f"{text}\n" for text in texts)
        places = range(line, line + len(texts))
        named = [(i + 1, 1, at, at, f"m::f::lambda@{at}") for i, at in enumerate(places)]
        calls = [call(1, at, 0, i + 1, 3, 0.3) for i, at in enumerate(places)]
        return profile(path, file(1, "/m.py", source), subs(*named), *calls)

    only = compare(
        one(tmp_path / "1", 1, "a = lambda: 1 + 1"), one(tmp_path / "2", 5, "a = lambda: 2 + 2")
    )
    assert changed(only) == []
    two = compare(
        one(tmp_path / "3", 1, "a = lambda: 1 + 1", "b = lambda: 1 + 1"),
        one(tmp_path / "4", 1, "a = lambda: 2 + 2", "b = lambda: 2 + 2"),
    )
    assert changed(two) == []


def test_a_sub_that_moves_to_another_module_takes_all_its_lines_along(tmp_path: Path) -> None:
    """Also those that stand in others, too."""
    f = ("def find_it(x):\n", "    x += 1\n", "    return x\n")
    g = ("def g(x):\n", "    x += 1\n", "    return x\n")

    def one(path: Path, module: str, first: int, a: tuple[str, ...], b: tuple[str, ...]) -> Path:
        fid = 1 if module == "a" else 2
        other = (2, 1, 1 + 3 * (first == 1 and fid == 1), 3 + 3 * (first == 1 and fid == 1), "a::g")
        rows = [(first + i, 7 + i, 0.1) for i in range(3)]
        return profile(path, file(1, "/a.py", a), file(2, "/b.py", b),
                       subs((1, fid, first, first + 2, f"{module}::find_it"), other),
                       ran(fid, *rows), call(fid, first, 0, 1, 5, 0.1))  # fmt: skip

    diff = compare(
        one(tmp_path / "1", "a", 1, f + g, ("something_else()\n",)),
        one(tmp_path / "2", "b", 2, g, ("something_else()\n", *f)),
    )
    assert changed(diff) == []
    assert [(s.before and s.before.name, s.name) for s in diff.subs] == [
        ("a::find_it", "b::find_it")
    ]


def test_evals_are_matched_by_place_and_source(tmp_path: Path) -> None:
    def evaluated(fid: int, line: int, text: str) -> Chunk:
        token, payload = file(fid, f"(eval {fid})[/m.py:{line}]", (text,))
        parent = (1).to_bytes(4, "little") + line.to_bytes(4, "little")
        return token, payload[:4] + parent + payload[12:]

    def one(path: Path, line: int, *texts: str) -> Path:
        chunks = [evaluated(i + 2, line, text) for i, text in enumerate(texts)]
        rows = [ran(i + 2, (1, len(text), 0.1)) for i, text in enumerate(texts)]
        source = ("\n",) * (line - 1) + ("exec(code_of_the_user)\n",)
        return profile(path, file(1, "/m.py", source), *chunks, ran(1, (line, 1, 0.1)), *rows)

    same = compare(one(tmp_path / "1", 1, "x", "yy"), one(tmp_path / "2", 3, "yy", "x"))
    assert changed(same) == []
    other = compare(one(tmp_path / "1", 1, "x", "yy"), one(tmp_path / "3", 1, "yy", "zzz"))
    assert {c.name: (c.before is None, c.after is None) for c in changed(other)} == {
        "x": (False, True),
        "zzz": (True, False),
    }


def test_without_source_lines_go_by_number_within_their_sub(tmp_path: Path) -> None:
    def one(path: Path, first: int) -> Path:
        return profile(
            path,
            file(1, "/m.py"),
            subs((1, 1, first, first + 5, "m::f"), (2, 1, 1, 100, "m::(module)")),
            ran(1, (1, 1, 0.1), (first, 1, 0.1), (first + 2, 7, 0.7), (90, 1, 0.1)),
        )

    diff = compare(one(tmp_path / "1", 10), one(tmp_path / "2", 50))
    assert changed(diff) == []
    assert moves(diff) == {(None, 1, 1), (None, 10, 50), (None, 12, 52), (None, 90, 90)}
    # With source on one side only, numbers are all there is.
    half = profile(tmp_path / "3", file(1, "/m.py", ("x\n",) * 100),
                   subs((1, 1, 10, 15, "m::f")), ran(1, (10, 1, 0.1), (12, 7, 0.7)))  # fmt: skip
    assert {(a, b) for _, a, b in moves(compare(one(tmp_path / "1", 10), half))} == {
        (1, 1), (10, 10), (12, 12), (90, 90)
    }  # fmt: skip


# ---- What changed ----


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """f became slower, g is gone, h is new."""
    after = profile(
        tmp_path / "after.out",
        file(1, "/src/pkg/a.py", (*SOURCE[:3], "def h():\n", "    f(2)\n", "h()\n")),
        subs((1, 1, 2, 3, "a::f"), (2, 1, 4, 5, "a::h"), (3, 1, 1, 6, "a::(module)")),
        ran(1, (1, 1, 0.1), (2, 1, 0.1), (3, 6, 0.8), (4, 1, 0.1), (5, 6, 0.6), (6, 1, 0.1)),
        call(1, 6, 3, 2, 1, 1.4),
        call(1, 5, 2, 1, 6, 0.8),
    )
    return usual(tmp_path / "before.out"), after


def test_new_gone_and_changed_subs(two: tuple[Path, Path]) -> None:
    diff = compare(*two)
    found = by_text(diff.subs)
    assert found["a::h"].before is None and found["a::g"].after is None
    f = found["a::f"]
    assert f.count_change == 2
    assert f.excl_change == pytest.approx(0.4)
    edges = {(c.after or c.before).caller: c for c in diff.calls if c.name == "a::f"}  # type: ignore[union-attr]
    assert edges["a::h"].before is None and edges["a::g"].after is None
    lines = by_text(diff.lines)
    assert lines["f(1)"].after is None and lines["f(2)"].before is None
    assert lines["return n + 1"].count_change == 2
    totals = diff.totals
    assert (totals["subs.new"].after, totals["subs.gone"].after, totals["subs.changed"].after) == (
        1, 1, 1
    )  # fmt: skip
    assert (totals["calls"].before, totals["calls"].after) == (5, 7)


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_backwards_is_the_opposite(form: str, two: tuple[Path, Path]) -> None:
    there, back = compare(*two), compare(*reversed(two))
    key = lambda c: (str(c.name), str(c.before), str(c.after))  # noqa: E731
    for kind in ("lines", "subs", "calls"):
        mirrored = [Change(c.after, c.before) for c in getattr(back, kind)]
        assert sorted(mirrored, key=key) == sorted(getattr(there, kind), key=key)
    if form == "json":
        forth, again = (json.loads(diff.json(sort="place")) for diff in (there, back))
        assert forth["totals"]["total"]["change"] == -again["totals"]["total"]["change"]
        assert forth["subs"]["new"] == again["subs"]["gone"] == 1
    else:
        forth, again = (getattr(diff, form)() for diff in (there, back))
        assert ("+2" in forth) and ("-2" in again)


@pytest.mark.parametrize("source", [SOURCE, ()], ids=["source", "no source"])
def test_a_line_that_was_open_at_the_start_ran_in_neither(
    source: tuple[str, ...], tmp_path: Path
) -> None:
    """Whether the profiler saw any time of it is a matter of chance."""
    one, two = (
        profile(path, file(1, "/src/pkg/a.py", source), ran(1, *RAN[:-1], *more))
        for path, more in ((tmp_path / "1", ()), (tmp_path / "2", [(6, 0, 3e-7)]))
    )
    for diff in (compare(one, two), compare(two, one)):
        assert [c for c in diff.lines if c.count_change] == []
        lines = diff.totals["lines.count"]
        assert lines.before == lines.after == 11
        assert [diff.totals[f"lines.{kind}"].after for kind in ("new", "gone", "changed")] == [
            0, 0, 0
        ]  # fmt: skip
        assert "No line, sub or call changed." in diff.text()
    slow = profile(tmp_path / "3", file(1, "/src/pkg/a.py", source), ran(1, *RAN[:-1], (6, 0, 3.0)))
    assert "No line, sub or call changed." not in compare(one, slow).text()


def test_real_runs_differ_by_what_was_edited(tmp_path: Path) -> None:
    text = (
        "def fib(n):\n    return n if n < 2 else fib(n - 1) + fib(n - 2)\n"
        "def main():\n    for i in range(10):\n        fib(8)\n    print(sorted([3, 1], "
        "key=lambda x: -x))\nmain()\n"
    )
    edited = "import sys\n\n" + text.replace("    for i", "    if sys:\n        pass\n    for i")
    runs = []
    for name, source in (("one", text), ("two", edited)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "prog.py").write_text(source)
        runs.append(folder / "out")
        words = ["-m", "pynytprof", "-q", "-o", str(runs[-1]), str(folder / "prog.py")]
        subprocess.run([sys.executable, *words], check=True, stdout=subprocess.DEVNULL)
    diff = compare(*runs)
    counts = {c.name and c.name.strip(): c.count_change for c in diff.lines if c.count_change}
    assert counts == {"import sys": 1, "if sys:": 1, "pass": 1}
    assert [c.name for c in diff.subs if not (c.before and c.after) or c.count_change] == []
    assert any(s.before.name != s.name for s in diff.subs if s.before)  # the lambda moved


# ---- Forms ----


def test_json_follows_its_schema(two: tuple[Path, Path]) -> None:
    diff = compare(*two)
    data = json.loads(diff.json(conditions=["calls>+0", "total>10s"]))
    assert data["schema"] == 1
    assert data["before"] == {
        "path": str(two[0]),
        "application": "a.py",
        "complete": True,
        "snapshot": False,
    }
    assert set(data["totals"]) == {"total", "duration", "active", "lines.count", "calls"}
    assert data["totals"]["calls"] == {
        "unit": "count", "before": 5, "after": 7, "change": 2, "percent": 40
    }  # fmt: skip
    (gone,) = [s for s in data["subs"]["list"] if s["change"] == "gone"]
    assert (gone["before"]["name"], gone["after"], gone["count_change"]) == ("a::g", None, -1)
    (edited,) = [s for s in data["lines"]["list"] if (s["after"] or {}).get("source") == "h()\n"]
    assert (edited["change"], edited["before"]["source"]) == ("changed", "g()\n")
    (new, *_) = [s for s in data["subs"]["list"] if s["change"] == "new"]
    assert (new["before"], new["percent"]) == (None, None)
    assert data["work_differs"] is True and data["machine_factor"] == 1
    assert {one["kind"] for one in data["work"]} <= {"calls", "line"}
    for kind in ("lines", "subs", "calls"):
        entries = data[kind]
        assert len(entries["list"]) == entries["changed"] + entries["new"] + entries["gone"]
    assert data["options"] == {}
    assert [c["met"] for c in data["conditions"]] == [True, False]
    assert data["conditions"][0]["text"] == diff.check("calls>+0").text
    assert len(json.loads(diff.json(top=1))["lines"]["list"]) == 1


def test_sorting_and_top(two: tuple[Path, Path]) -> None:
    diff = compare(*two)

    def order(sort: convert.Sort) -> list[float]:
        entries = json.loads(diff.json(sort=sort))["lines"]["list"]
        key = {"time": "exclusive_change", "count": "count_change"}.get(sort, "")
        return [abs(e[key]) if key else (e["after"] or e["before"])["line"] for e in entries]

    assert order("time") == sorted(order("time"), reverse=True)
    assert order("count") == sorted(order("count"), reverse=True)
    assert order("place") == sorted(order("place"))
    assert "Lines (2 of " in diff.text(top=2)


# ---- Work first ----


def stem(path: Path, loop: str, calls: tuple[int, int], **how: float) -> Path:
    """A function that is called ten times, and calls ``len`` and ``sorted`` so often."""
    source = (
        "def stem(word):\n",
        f"    for suffix in {loop}:\n",
        "        len(suffix)\n",
        "stem()\n",
    )
    seconds = how.get("seconds", 1.0)
    return profile(
        path,
        file(1, "/src/pkg/documents.py", source),
        file(2, "(builtins)"),
        subs((1, 1, 1, 3, "pkg::stem"), (2, 2, 0, 0, "builtins::len"),
             (3, 2, 0, 0, "builtins::sorted"), (4, 1, 1, 4, "pkg::(module)")),
        ran(1, (2, 110, seconds), (3, 100, seconds), (4, 10, seconds), (1, 1, seconds)),
        call(1, 4, 4, 1, 10, seconds * 2),
        *(call(1, line, 1, called, count, seconds * count / 1000)
          for line, called, count in ((3, 2, calls[0]), (2, 3, calls[1])) if count),
    )  # fmt: skip


def first_lines(door: Door, *paths: Path | str, n: int = 3) -> list[str]:
    return run(door, *paths).stdout.splitlines()[1:n]


SEARCHINDEX = Path(__file__).resolve().parent.parent / "examples" / "searchindex"


def test_a_seeded_slowdown_of_a_real_program_is_named_first(nytprof: Door, tmp_path: Path) -> None:
    """One `sorted()` in the loop of documents.py:46. Its order changes, so other counts do, too."""
    made = []
    (tmp_path / "text").mkdir()
    for name in ("consumers.py", "support.py"):
        shutil.copy(Path(__file__).parent / name, tmp_path / "text")
    for folder, loop in (("before", "in SUFFIXES:"), ("after", "in sorted(SUFFIXES):")):
        program = shutil.copytree(SEARCHINDEX, tmp_path / folder / "searchindex")
        code = (program / "documents.py").read_text()
        assert code.count("for suffix in SUFFIXES:") == 1
        (program / "documents.py").write_text(code.replace("in SUFFIXES:", loop))
        made.append(tmp_path / f"{folder}.out")
        words = [*profiling(["-o", str(made[-1])]), str(program), str(tmp_path / "text"), "run"]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, cwd=tmp_path)
    first, *_ = first_lines(nytprof, *made, n=4)
    assert re.fullmatch(
        r"[\d,]+ more calls of builtins::sorted, from documents::stem,"
        r" (\S*/)?documents\.py:46 \(\+.*\)", first
    )  # fmt: skip


def test_the_cause_comes_first(door: Door, tmp_path: Path) -> None:
    """The edited line is one line, and its own count did not change."""
    before = stem(tmp_path / "a", "SUFFIXES", (100, 0))
    after = stem(tmp_path / "b", "sorted(SUFFIXES)", (100, 10))
    assert first_lines(door, before, after, n=2) == [
        "10 more calls of builtins::sorted, from pkg::stem, documents.py:2 (+10.0 ms)"
    ]
    done = run(door, "--annotations", before, after)
    assert done.stdout == (
        "::warning file=documents.py,line=2::10 more calls of builtins::sorted, from pkg::stem, "
        "documents.py:2 (+10.0 ms)\n"
    )
    diff = compare(before, after)
    assert ("for suffix in sorted(SUFFIXES):", 2, 2) in moves(diff)
    assert "- `10 more calls of builtins::sorted" in diff.markdown()


def test_what_a_caller_explains_is_no_cause(door: Door, tmp_path: Path) -> None:
    """Twice as many calls of f are twice as many of all that it calls."""

    def one(path: Path, times: int) -> Path:
        source = ("def f():\n", "    g()\n", "def g():\n", "    pass\n", "for i in x: f()\n")
        return profile(
            path,
            file(1, "/m.py", source),
            subs((1, 1, 1, 2, "m::f"), (2, 1, 3, 4, "m::g"), (3, 1, 1, 5, "m::(module)")),
            ran(1, (2, 10 * times, 0.1), (4, 30 * times, 0.1), (5, 1, 0.1)),
            call(1, 5, 3, 1, 10 * times, 0.1),
            call(1, 2, 1, 2, 30 * times, 0.2),
            call(1, 1, 0, 3, 1, 0.5),
        )

    lines = first_lines(door, one(tmp_path / "a", 1), one(tmp_path / "b", 2))
    assert lines[0].startswith("10 more calls of m::f, from m::(module), /m.py:5 ")
    assert lines[1].split()[0] == "before"


def test_a_call_that_waited_once_does_not_come_first(door: Door, tmp_path: Path) -> None:
    """One of the 3 calls of f took 5 s on a busy machine; what costs are the 90 more of g."""

    def one(path: Path, f: tuple[int, float], g: tuple[int, float]) -> Path:
        source = ("def f():\n", "    pass\n", "def g():\n", "    pass\n", "for i in x: f(), g()\n")
        return profile(
            path,
            file(1, "/m.py", source),
            subs((1, 1, 1, 2, "m::f"), (2, 1, 3, 4, "m::g"), (3, 1, 1, 5, "m::(module)")),
            ran(1, (2, f[0], f[1]), (4, g[0], g[1]), (5, 1, 0.1)),
            call(1, 5, 3, 1, *f),
            call(1, 5, 3, 2, *g),
            call(1, 1, 0, 3, 1, 6.0),
        )

    before = one(tmp_path / "a", (3, 5.0), (10, 0.01))
    after = one(tmp_path / "b", (2, 0.002), (100, 0.1))
    for paths, change in (((before, after), "90 more"), ((after, before), "90 fewer")):
        assert first_lines(door, *paths)[0].startswith(f"{change} calls of m::g, from m::(module)")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1.0, "No difference in work: all counts are equal."),
        (2.0, "No difference in work: all counts are equal; everything took 2.00 times as long: "
              "the machine, not the program."),
    ],
)  # fmt: skip
def test_equal_counts_are_no_difference_in_work(
    door: Door, seconds: float, said: str, tmp_path: Path
) -> None:
    rows = [(i, 10, 0.01 * i) for i in range(1, 9)]
    source = tuple(f"statement_{i}()\n" for i in range(1, 9))

    def one(path: Path, factor: float) -> Path:
        return profile(path, file(1, "/m.py", source),
                       ran(1, *((i, n, t * factor) for i, n, t in rows)))  # fmt: skip

    assert first_lines(door, one(tmp_path / "a", 1), one(tmp_path / "b", seconds), n=2) == [said]


def test_times_that_moved_alone_are_no_machine(door: Door, tmp_path: Path) -> None:
    def one(path: Path, *times: float) -> Path:
        source = tuple(f"statement_{i}()\n" for i in range(len(times)))
        return profile(path, file(1, "/m.py", source),
                       ran(1, *((i + 1, 10, t) for i, t in enumerate(times))))  # fmt: skip

    a, b = one(tmp_path / "a", 1, 1, 1, 1, 1, 1), one(tmp_path / "b", 5, 1, 1, 2, 1, 1)
    assert first_lines(door, a, b, n=2) == [
        "No difference in work: all counts are equal; times alone moved (total +83.3%)."
    ]


def test_of_several_runs_the_least_counts(door: Door, tmp_path: Path) -> None:
    """And a time that lies among those of the other side has not changed."""

    def one(name: str, first: float, second: float) -> Path:
        return profile(tmp_path / name, file(1, "/m.py", ("alpha = 1\n", "omega = 2\n")),
                       ran(1, (1, 10, first), (2, 10, second)))  # fmt: skip

    before = [one("a1", 1.0, 1.0), one("a2", 3.0, 1.1)]
    after = [one("b1", 2.0, 5.0), one("b2", 2.5, 6.0)]
    done = run(door, *before, "--", *after)
    assert done.returncode == 0
    assert (
        "Times are the least of 2 and 2 runs; the totals spread by 105.0% and 21.4%." in done.stdout
    )
    rows = [line for line in done.stdout.splitlines() if "m.py:" in line and "runs" not in line]
    assert len(rows) == 1 and "omega = 2" in rows[0] and "+4.00 s" in rows[0]


def test_of_several_runs_the_median_may_count(door: Door, tmp_path: Path) -> None:
    def one(name: str, first: float, second: float) -> Path:
        return profile(tmp_path / name, file(1, "/m.py", ("alpha = 1\n", "omega = 2\n")),
                       ran(1, (1, 10, first), (2, 10, second)))  # fmt: skip

    before = [one("a1", 1.0, 1.0), one("a2", 3.0, 1.5), one("a3", 2.0, 9.0)]
    after = [one("b1", 2.0, 12.0), one("b2", 2.5, 10.0)]
    done = run(door, "--take", "median", *before, "--", *after)
    assert "Times are the medians of 3 and 2 runs; the totals spread by " in done.stdout
    (row,) = [r for r in done.stdout.splitlines() if "m.py:" in r and "runs" not in r]
    assert "omega = 2" in row and "+9.50 s" in row  # 1.5 -> 11.0
    report = json.loads(run(door, "--take", "median", "--json", *before, "--", *after).stdout)
    assert report["totals"]["total"]["before_range"] == [2.0, 11.0]
    assert report["totals"]["total"]["before"] == 4.5
    assert run(door, "--take", "mean", *before, "--", *after).returncode == 2


def test_python_compares_several_runs(tmp_path: Path) -> None:
    def one(name: str, time: float, count: int = 10) -> Path:
        return profile(
            tmp_path / name, file(1, "/m.py", ("alpha = 1\n",)), ran(1, (1, count, time))
        )

    before, after = [one("a1", 1.0), one("a2", 3.0, 12), one("a3", 2.0)], [one("b1", 4.0)]
    (line,) = compare(before, after).lines
    assert line.before and line.after
    assert (line.before.excl, line.before.excl_least, line.before.excl_most) == (1.0, 1.0, 3.0)
    assert (line.before.count_least, line.before.count_most) == (10, 12)
    diff = compare(before, after[0], take="median")
    (line,) = diff.lines
    assert line.before and line.before.excl == 2.0
    total = diff.totals["total"]
    assert (total.before, total.before_least, total.before_most) == (2.0, 1.0, 3.0)
    assert "medians of 3 and 1 runs" in diff.text()
    with pytest.raises(ValueError, match="nothing to compare"):
        compare([], after)
    with pytest.raises(KeyError):
        compare(before, after, take="mean")  # type: ignore[arg-type]


def test_counts_that_vary_within_a_side_are_no_change(door: Door, tmp_path: Path) -> None:
    def one(name: str, count: int) -> Path:
        return profile(tmp_path / name, file(1, "/m.py", ("alpha = 1\n",)), ran(1, (1, count, 1.0)))

    runs = [one("a1", 10), one("a2", 14)], [one("b1", 12), one("b2", 13)]
    lines = first_lines(door, *runs[0], "--", *runs[1], n=2)
    assert lines == ["No difference in work: all counts are equal."]
    assert first_lines(door, runs[0][0], runs[1][0], n=2) != lines


def test_stubs_of_overload_are_not_the_function(tmp_path: Path) -> None:
    def one(path: Path, *names: str) -> Path:
        source = tuple(f"def getitem_{i}(): ...\n" for i in range(3))
        return profile(path, file(1, "/m.py", source[3 - len(names):]),
                       subs(*((i + 1, 1, i + 1, i + 1, name) for i, name in enumerate(names))),
                       call(1, 1, 0, len(names), 1000, 0.5))  # fmt: skip

    before = one(tmp_path / "a", "m::R::getitem")
    after = one(tmp_path / "b", "m::R::getitem", "m::R::getitem@2", "m::R::getitem@3")
    for diff in (compare(before, after), compare(after, before)):
        assert [c.count_change for c in [*diff.subs, *diff.calls]] == [0, 0]
        assert not diff.check("sub:m::R::getitem.calls>+0").met


def test_small_changes_of_time_are_left_out(tmp_path: Path) -> None:
    def one(path: Path, *seconds: float) -> Path:
        rows = [(i + 1, 1, t) for i, t in enumerate(seconds)]
        return profile(path, file(1, "/m.py"), ran(1, *rows))

    diff = compare(
        one(tmp_path / "1", 1.0, 1.0, 1e-5, 1.0), one(tmp_path / "2", 1.02, 1.2, 9e-5, 1)
    )

    def lines(min_change: str | None) -> list[int]:
        entries = json.loads(diff.json(sort="place", min_change=min_change))["lines"]["list"]
        return [entry["after"]["line"] for entry in entries]

    assert lines(None) == [2]
    assert lines("0") == [1, 2, 3]
    assert lines("1%") == [1, 2, 3]
    assert lines("50%") == [3]
    assert lines("10ms") == [1, 2]
    with pytest.raises(ValueError, match="'5' is no least change"):
        diff.text(min_change="5")


def nasty(path: Path, times_: int) -> Path:
    n = len(NASTY)
    named = subs(*((i + 1, 1, i + 1, i + 1, name) for i, name in enumerate(NASTY)))
    texts = ("  a | b `c` <b>{}</b> \x1b[31m\\|\n", "a | b{}", "a ` b{}", "a \\ b{}", "<i>{}")
    text = tuple(texts[i % len(texts)].format(i) for i in range(n))
    rows = [(i + 1, times_, 0.1 * times_) for i in range(n)]
    calls = [call(1, i + 1, i, i + 1, times_, 0.1 * times_) for i in range(1, n)]
    return profile(path, file(1, '/src/"new\nfi|le";.py', text), named, ran(1, *rows), *calls)


def cells(row: str) -> list[str]:
    """As GitHub cuts a row of a table."""
    return re.split(r"(?<!\\)\|", row)[1:-1]


def test_nasty_names_harm_nobody(tmp_path: Path) -> None:
    diff = compare(nasty(tmp_path / "1", 1), nasty(tmp_path / "2", 5))
    text = diff.text()
    assert not [c for c in text if ord(c) < 32 and c != "\n"]
    assert all(len(line) <= 100 for line in text.splitlines())
    markdown = diff.markdown()
    assert not [c for c in markdown if ord(c) < 32 and c != "\n"]
    rows = [line for line in markdown.splitlines() if line.startswith("|")]
    assert len(rows) > 20
    assert {len(cells(row)) for row in rows} == {5, 6}
    outside = re.sub(r"`[^`]*`|</?code>", "", markdown)
    assert "<" not in outside and "`" not in outside
    names = {(s["after"] or s["before"])["name"] for s in json.loads(diff.json())["subs"]["list"]}
    assert names == set(NASTY[1:])


@pytest.mark.parametrize("width", [10, 60, 80, 200])
def test_text_keeps_to_its_width(width: int, two: tuple[Path, Path]) -> None:
    lines = compare(*two).text(width=width).splitlines()
    assert max(map(len, lines)) <= max(width, 60)


def test_a_large_file_is_matched_in_no_time(tmp_path: Path) -> None:
    n = 100_000
    lines = [f"value_{i % 5000} = compute({i})\n" if i % 3 else "pass\n" for i in range(n)]
    edited = [*lines[:100], "new line here\n", *lines[100:50_000], *lines[50_010:]]
    rows = [(i, 1, 1e-6) for i in range(1, n - 20, 7)]
    one = profile(tmp_path / "1", file(1, "/m.py", tuple(lines)), ran(1, *rows))
    two = profile(tmp_path / "2", file(1, "/m.py", tuple(edited)), ran(1, *rows))
    diff = compare(one, two)
    shifted = {b - a for _, a, b in moves(diff)}
    assert shifted == {0, 1, -9}


def test_an_import_is_told_by_who_imports(tmp_path: Path) -> None:
    """Not by the machinery that runs a module's body."""
    (tmp_path / "more.py").write_text("values = [n * n for n in range(30)]\n")
    sides = []
    for side, text in enumerate(("import base\n", "import base, more\n")):
        (tmp_path / "base.py").write_text("x = 1\n")
        (tmp_path / "lib.py").write_text(text)
        (tmp_path / "main.py").write_text("import lib\n")
        command = [*profiling(), "-o", f"{side}.out", "main.py"]
        subprocess.run(command, cwd=tmp_path, check=True)
        sides.append(tmp_path / f"{side}.out")
    first = compare(*sides).text(width=0).splitlines()[1]
    assert re.match(r"1 more import of more, by lib \(module\), lib\.py \(\+", first)
    back = compare(*reversed(sides)).text(width=0).splitlines()[1]
    assert re.match(r"1 fewer import of more, by lib \(module\), lib\.py \(-", back)


# ---- Both doors, and their status ----


def run(door: Door, *words: str | Path) -> subprocess.CompletedProcess[str]:
    return door.run("diff", *words)


def test_the_command_writes_what_the_functions_do(door: Door, two: tuple[Path, Path]) -> None:
    diff = compare(*two)
    assert run(door, *two).stdout == diff.text(width=0)
    assert run(door, "--json", *two).stdout == diff.json()
    assert run(door, "--markdown", "--top=2", "--sort=count", *two).stdout == diff.markdown(
        top=2, sort="count"
    )
    assert run(door, "--min-change", "0", "--width", "70", *two).stdout == diff.text(
        min_change="0", width=70
    )
    assert "\033[31m" in run(door, "--color", "always", *two).stdout


def test_conditions_decide_on_the_status(door: Door, two: tuple[Path, Path]) -> None:
    assert run(door, *two).returncode == 0
    done = run(door, "--fail-if", "total>+50%", "--fail-if", "sub:a::f.calls>+1", *two)
    assert done.returncode == 1
    assert done.stderr == f"{door.name}: failed: sub:a::f.calls>+1: a::f 4 became 6 (+2, +50.0%)\n"
    assert "failed: sub:a::f.calls>+1" in done.stdout
    assert "passed: total>+50%: 1.3 s became 1.8 s (+0.5 s, +38.5%)" in done.stdout
    assert run(door, "--fail-if=total>+50%", *two).returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--fail-if", "total>+5"], "invalid value 'total>+5' for --fail-if: the unit is missing"),
        (["--fail-if", "nothing>+5%"], "there is no such figure"),
        (["--fail-if", "sub:no::such.incl>+5%"], "in neither profile (at character 5)"),
        (["--min-change", "5"], "invalid value '5' for --min-change: expected a percentage"),
        (["--sort", "name"],
         "invalid value 'name' for --sort: expected time, incl, count or place"),
        (["--json", "--markdown"], "--json and --markdown exclude each other"),
        (["third"], "diff takes two files, or several runs: BEFORE ... -- AFTER ..."),
        (["--annotations", "--json"], "--annotations and other forms exclude each other"),
    ],
)  # fmt: skip
def test_wrong_usage_is_status_2(
    door: Door, words: list[str], said: str, two: tuple[Path, Path]
) -> None:
    assert said in door.complaint("diff", *words, *two)


def test_what_cannot_be_read_or_written(door: Door, two: tuple[Path, Path], tmp_path: Path) -> None:
    done = run(door, two[0], tmp_path / "nowhere")
    assert (done.returncode, done.stdout) == (3, "")
    assert str(tmp_path / "nowhere") in done.stderr
    no_profile = PERL / "demo.json"
    assert run(door, no_profile, two[1]).returncode == 3
    assert run(door, "-o", tmp_path / "no" / "out", *two).returncode == 4
    assert run(door, "-o", tmp_path / "out", *two).stdout == ""
    assert (tmp_path / "out").read_text("utf-8") == compare(*two).text(width=0)
    killed = PERL / "killed-compress0.out"
    done = run(door, killed, killed)
    assert (done.returncode, done.stderr.count("incomplete")) == (0, 2)
    assert "(incomplete)" in done.stdout


def test_the_functions_raise(tmp_path: Path, two: tuple[Path, Path]) -> None:
    with pytest.raises(FileNotFoundError):
        compare(two[0], tmp_path / "nowhere")
    with pytest.raises(ProfileError):
        compare(PERL / "demo.json", two[0])
    with pytest.raises(ValueError, match=r"there is no > or < \(at character 6\)"):
        compare(*two).check("total")
    assert compare(PERL / "killed-compress0.out", two[1]).incomplete == [
        str(PERL / "killed-compress0.out")
    ]


def test_perls_profiles_of_one_program_differ_by_their_options() -> None:
    """Built-ins are subs in one of them; neither lines nor other subs differ."""
    diff = compare(PERL / "slowops0.out", PERL / "slowops2.out")
    assert [c.name for c in diff.lines if c.count_change or not c.before or not c.after] == []
    new = {c.name for c in diff.subs if c.before is None}
    assert new and all("CORE:" in str(name) for name in new)
    assert [c.name for c in diff.subs if c.after is None] == []
    assert "the option slowops was 0, is 2." in diff.text()
    assert "the option `slowops` was `0`, is `2`." in diff.markdown()
    assert json.loads(diff.json())["options"] == {"slowops": ["0", "2"]}
