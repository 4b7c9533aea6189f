"""Lines whose time is a share of one that was measured for several lines together: marked in the
file, kept by what is made of it, and told with a `~`."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import struct
from pathlib import Path

import pytest
from doors import Door
from payloads import START, TIMES, Chunk, end, file, string, sub
from support import run
from writing import WRITERS, written

from pynytprof import notebook, reader, verify
from pynytprof.diff import compare

WORDS = "a share of a time that was measured for several lines together"
SECOND = 10_000_000
SOURCE = tuple(f"line_{n}()\n" for n in range(1, 7))


def chunks(*comments: str, name: str = "/src/a.py", second: int = 0) -> list[Chunk]:
    """Lines 1, 2, 3, 5 of a file, a second and more each, and line 6 with no time."""
    header = {"basetime": "10", "application": "a.py", "ticks_per_sec": str(SECOND), "nv_size": "8"}
    pairs = [(f":{key}", value) for key, value in header.items()]
    pairs += [("!stmts", "1"), *(("#", comment) for comment in comments)]
    lines = [(1, 1, 1), (2, 10, 2), (3, 10, 3), (5, 4, 1), (6, 1, 0)]
    made = [(b"P", START.pack(300, 1, 10.0) + b"".join(string(t) for pair in pairs for t in pair))]
    made += [file(1, name, SOURCE)]
    if second:
        made += [file(2, "/src/b.py", SOURCE)]
    made += [(b"D", sub(1, 1, 1, 6, "a::f"))]
    made += [
        (b"S", TIMES.pack(fid, line, 0, 0, n, t * SECOND, t * SECOND))
        for fid in range(1, 2 + bool(second))
        for line, n, t in lines
    ]
    return [*made, end(300, 30.0)]


def write(path: Path, *comments: str, **how: object) -> Path:
    path.write_bytes(written(WRITERS["c"], chunks(*comments, **how), 1))  # type: ignore[arg-type]
    return path


@pytest.fixture
def marked(tmp_path: Path) -> Path:
    return write(tmp_path / "marked.out", "shared 2-3,6,9-12 /src/a.py")


def shared_lines(path: Path, name: str = "/src/a.py") -> list[int]:
    loaded = reader.read(path)
    found = next(one for one in loaded.files.values() if one.name == name)
    return [line.line for line in found.lines if line.shared]


def test_lines_that_took_time_are_marked(marked: Path) -> None:
    assert shared_lines(marked) == [2, 3]  # 6 took none, and others were not run
    assert not any(text.startswith("shared") for text in reader.read(marked).comments)
    assert verify.verify(marked)


def test_both_writers_write_them_alike() -> None:
    made = {written(writer, chunks("shared 2-3 /src/a.py"), 1) for writer in WRITERS.values()}
    assert len(made) == 1 and b"\n#shared 2-3 /src/a.py\n" in made.pop()


@pytest.mark.parametrize(
    "comments",
    [
        ["shared 2 /src/a.py", "shared 3 /src/a.py", "shared 2-3 /src/a.py"],
        ["shared 1-4294967295 /src/b.py", "shared 2,3 /src/a.py"],
        ["shared 5-4 /src/a.py", "shared 1,x /src/a.py", "shared 1", "shared 2-3 /src/a.py"],
        [f"note {i}" for i in range(1000)] + ["shared 2-3 /src/a.py"],
    ],
    ids=["several", "of no file", "malformed", "behind many comments"],
)
def test_comments_of_any_kind(comments: list[str], tmp_path: Path) -> None:
    assert shared_lines(write(tmp_path / "a.out", *comments)) == [2, 3]


def test_malformed_ones_are_found_and_stay_comments(tmp_path: Path, nytprof: Door) -> None:
    path = write(tmp_path / "a.out", "shared 5-4 /src/a.py")
    assert reader.read(path).comments[0] == "shared 5-4 /src/a.py"
    assert "shared-malformed" in nytprof.run("verify", "--json", path).stdout
    assert nytprof.run("verify", path).returncode == 0  # it is odd, and no fault


# ---- What is made of it ----


def test_merged_profiles_have_the_marks_of_all(tmp_path: Path, nytprof: Door) -> None:
    one = write(tmp_path / "1.out", "shared 2,5 /src/a.py", "shared 1 /src/b.py", second=1)
    two = write(tmp_path / "2.out", "shared 2-3 /src/a.py", "shared 8 /nowhere.py")
    three = write(tmp_path / "3.out", "shared 4294967295 /src/c.py", name="/src/c.py")
    merged = tmp_path / "merged.out"
    assert nytprof.run("merge", "-o", merged, one, two, three).returncode == 0
    assert verify.verify(merged)
    assert shared_lines(merged) == [2, 3, 5]
    assert shared_lines(merged, "/src/b.py") == [1]
    assert shared_lines(merged, "/src/c.py") == []
    marks = {row for row in merged.read_bytes().split(b"\n") if row.startswith(b"#shared")}
    assert marks == {
        b"#shared 2-3,5 /src/a.py",
        b"#shared 1 /src/b.py",
        b"#shared 4294967295 /src/c.py",
    }


def test_one_profile_that_is_written_again_keeps_them(tmp_path: Path, nytprof: Door) -> None:
    many = ",".join(str(line) for line in range(2, 20_000, 2))
    path = write(tmp_path / "a.out", f"shared {many} /src/a.py", "shared 1 /src/a.py")
    again = tmp_path / "again.out"
    assert nytprof.run("recover", "-o", again, path).returncode == 0
    assert shared_lines(again) == [1, 2]
    # Of a file that breaks off texts that are too long would be taken for damage.
    assert max(len(row) for row in again.read_bytes().split(b"\n") if b"#shared" in row) < 5000


def test_perls_nytprofmerge_keeps_them(marked: Path, tmp_path: Path) -> None:
    program = shutil.which("nytprofmerge")
    assert program, "needs Debian's libdevel-nytprof-perl"
    merged = tmp_path / "merged.out"
    done = run([program, "--out", merged, marked, marked])
    assert (done.returncode, done.stderr) == (0, "")
    assert shared_lines(merged) == [2, 3]


def test_perls_tools_take_them_silently(marked: Path, tmp_path: Path) -> None:
    plain = write(tmp_path / "plain.out")
    for name in ("nytprofcsv", "nytprofhtml"):
        program = shutil.which(name)
        assert program, "needs Debian's libdevel-nytprof-perl"
        said = [
            run([program, "--file", path, "--out", tmp_path / f"{name}-{path.stem}"])
            for path in (marked, plain)
        ]
        assert [done.returncode for done in said] == [0, 0]
        assert said[0].stderr == said[1].stderr
        assert "shared" not in said[0].stdout + said[0].stderr


# ---- Reports ----

TO_CSV = ["convert", "--to", "csv", "-o", "-"]
REPORTS = [
    [],
    ["summary", "--all"],
    ["source", "a.py"],
    ["func", "a::f"],
    ["explain"],
    ["top"],
]


@pytest.mark.parametrize("words", REPORTS, ids=lambda words: " ".join(words) or "first screen")
def test_reports_mark_these_times_and_say_once_what_it_means(
    words: list[str], marked: Path, tmp_path: Path, nytprof: Door
) -> None:
    plain = tmp_path / "plain" / "marked.out"
    plain.parent.mkdir()
    write(plain)
    with_marks, without = (
        nytprof.run(*words, path.name, cwd=path.parent).stdout for path in (marked, plain)
    )
    assert "~" not in without and WORDS not in without
    assert with_marks.count(WORDS) == 1
    rows = with_marks.replace(f"~ {WORDS}", "").splitlines()
    assert {"2.00 s", "3.00 s"} == {row[row.index("~") + 1 :][:6] for row in rows if "~" in row}
    # Columns are where they were.
    told = with_marks.split("\n~ ")[0].splitlines()
    expected = without.splitlines()
    changed = [(a, b) for a, b in zip(told, expected, strict=False) if a != b and "~" in a]
    assert changed and all(a.replace("~", " ") == b for a, b in changed)


def test_cells_of_notebooks_mark_them(marked: Path, tmp_path: Path) -> None:
    told = {}
    for path in (marked, write(tmp_path / "plain.out")):
        profile = reader.read(path)
        lines = {line.line: line for line in profile.files[1].lines}
        source = dict(enumerate(SOURCE, 1))
        cells = notebook.Cells(profile, [notebook._Cell("cell 1", source, lines, 1)])
        assert repr(cells).count(WORDS) == (path == marked)
        html = cells._repr_html_().split("<details>")[0]
        assert html.count(WORDS) == html.count("<p>") == (path == marked)
        told[path == marked] = (repr(cells).split("\n\n")[0], html.split("<p>")[0])
    assert "~2 s" in told[True][0] and ">~2 s<" in told[True][1]
    assert told[True][1].replace("~", "") == told[False][1]
    assert told[True][0].replace("~", " ") == told[False][0]


def test_where_none_is_shown_nothing_is_said(tmp_path: Path, nytprof: Door) -> None:
    path = write(tmp_path / "a.out", "shared 2 /src/b.py", second=1)
    said = nytprof.run("source", "a.py", path).stdout
    assert "line_2" in said and "~" not in said
    assert "~" in nytprof.run("source", "b.py", path).stdout


def test_programs_are_told(marked: Path, tmp_path: Path, nytprof: Door) -> None:
    plain = write(tmp_path / "plain.out")
    wanted = {2: True, 3: True}
    for words, key in ((["summary", "--json"], "top_lines"), (["summary", "--json"], "hot_lines"),
                       (["convert", "--to", "json", "-o", "-"], "lines")):  # fmt: skip
        made, before = (json.loads(nytprof.run(*words, path).stdout) for path in (marked, plain))
        assert {row["line"]: row["shared"] for row in made[key] if "shared" in row} == wanted
        assert not [row for row in before[key] if "shared" in row]
    made, before = (
        list(csv.DictReader(io.StringIO(nytprof.run(*TO_CSV, path).stdout)))
        for path in (marked, plain)
    )
    assert {row["line"] for row in made if row["shared"] == "1"} == {"2", "3"}
    assert {row["shared"] for row in made} == {"0", "1"}
    assert "shared" not in before[0]
    assert [{**row, "shared": ""} for row in made] == [{**row, "shared": ""} for row in before]


def test_a_hostile_file_costs_no_more_than_another(tmp_path: Path) -> None:
    """Each of many comments has the whole file."""
    path = tmp_path / "a.out"
    comments = ["shared 1-4294967295 /src/a.py"] * 20_000
    made = chunks(*comments)
    made.insert(-1, (b"S", b"".join(struct.pack("<IIIIQQQ", 1, n, 0, 0, 1, 1, 1)
                                    for n in range(10, 60_000))))  # fmt: skip
    path.write_bytes(written(WRITERS["c"], made, 1))
    assert len(shared_lines(path)) == 60_000 - 10 + 4


# ---- What changed ----


@pytest.fixture
def two(tmp_path: Path) -> tuple[Path, Path]:
    """Line 2 is shared in the later one, 3 in both, 5 in the earlier one; all took longer."""
    before = write(tmp_path / "before.out", "shared 3,5 /src/a.py")
    after = tmp_path / "after.out"
    made = chunks("shared 2-3 /src/a.py")
    made.insert(
        -1, (b"S", b"".join(TIMES.pack(1, n, 0, 0, 0, SECOND, SECOND) for n in (1, 2, 3, 5)))
    )
    after.write_bytes(written(WRITERS["c"], made, 1))
    return before, after


LINES_OF_DIFF = {
    "line_1()": ("2.00 s", "+1.00 s"),
    "line_2()": ("~3.00 s", "~+1.00 s"),
    "line_3()": ("~4.00 s", "~+1.00 s"),
    "line_5()": ("2.00 s", "~+1.00 s"),
}


def test_diff_marks_lines_that_are_shared_in_one_of_both(
    two: tuple[Path, Path], nytprof: Door
) -> None:
    text = nytprof.run("diff", *two).stdout
    plain = text.split("\nLines: ")[1].split("\n\n")[0]
    for line, (after, change) in LINES_OF_DIFF.items():
        assert re.search(rf" {re.escape(after)} +{re.escape(change)} .*{re.escape(line)}", plain)
    assert text.count(WORDS) == 1
    head = text.split("\nLines: ")[0]
    assert "~" not in head  # sums of all lines were measured
    incl = nytprof.run("diff", "--sort", "incl", *two).stdout
    assert "~" not in incl


def test_markdown_and_json_of_diff_tell_it(two: tuple[Path, Path], nytprof: Door) -> None:
    table = nytprof.run("diff", "--markdown", *two).stdout
    for line, (after, change) in LINES_OF_DIFF.items():
        assert re.search(
            rf"\| {re.escape(after)} \| {re.escape(change)} \|.*{re.escape(line)}", table
        )
    assert table.count(WORDS) == 1
    data = json.loads(nytprof.run("diff", "--json", *two).stdout)
    sides = [
        (change["after"]["line"], change["before"].get("shared"), change["after"].get("shared"))
        for change in data["lines"]["list"]
    ]
    expected = [(1, None, None), (2, None, True), (3, True, True), (5, True, None)]
    assert sorted(sides) == expected
    found = {
        (one.after.line, one.before.shared, one.after.shared)
        for one in compare(*two).lines
        if one.before and one.after and one.after.line < 6
    }
    assert found == {(line, bool(before), bool(after)) for line, before, after in expected}


def test_of_several_runs_one_is_enough(two: tuple[Path, Path], nytprof: Door) -> None:
    before, after = two
    text = nytprof.run("diff", after, after, "--", before, after, "--min-change", "0").stdout
    assert "~" not in text.split("\nLines: ")[-1] or text.count(WORDS) == 1
    (line,) = [one for one in compare([after], [before, after]).lines
               if one.after and one.after.line == 2]  # fmt: skip
    assert line.after and line.after.shared


def test_without_marks_diff_is_as_it_was(two: tuple[Path, Path], nytprof: Door) -> None:
    before = write(two[0].parent / "plain.out")
    text = nytprof.run("diff", before, before.with_name("before.out")).stdout
    assert "~" not in text and WORDS not in text
