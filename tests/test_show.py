"""What people are shown of a profile: one function, one file, the call tree."""

from __future__ import annotations

import json
import math
import os
import re
import sys
from pathlib import Path

import pytest
from doors import Door
from payloads import START, TIMES, end, file, string
from support import profiling, run
from writing import WRITERS, written

from pynytprof.reader import read

SECOND = 10_000_000

PROGRAM = """\
import json
from shop import cart, stock

class Till:
    def pay(self, n):
        return cart.price(30 * n) + deep(n % 7)

def deep(n):
    return n if n == 0 else deep(n - 1)

def total(count):
    paid = 0
    till = Till()
    for n in range(count):
        paid += till.pay(n)
    return paid

print(total(300), stock.price(3), json.dumps([cart.price(n) for n in range(9)]))
"""
CART = """\
def price(n):
    return sum(sorted(range(n)))
"""
STOCK = """\
def price(n):
    return n
"""


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("show")
    (folder / "shop").mkdir()
    (folder / "shop" / "__init__.py").touch()
    (folder / "shop" / "cart.py").write_text(CART)
    (folder / "shop" / "stock.py").write_text(STOCK)
    (folder / "main.py").write_text(PROGRAM)
    # Raw: on 3.11 what is taken off for our events may bring lines as short as these to 0.
    done = run([*profiling(["--raw"]), "main.py"], folder)
    assert done.returncode == 0, done.stderr
    return folder / "nytprof.out"


def shown(door: Door, *words: str | Path) -> str:
    done = door.run(*words)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def columns_of_titles(text: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.endswith("line"))


# ---- The first screen ----


def test_waits_for_a_processor_are_told(door: Door, tmp_path: Path) -> None:
    ran = string(":ticks_per_sec") + string(str(SECOND))
    waited = ran + string("#") + string(f"Processor waits: {2 * SECOND} ticks")
    for name, rest in (("waited", waited), ("ran", ran)):
        chunks = [
            (b"P", START.pack(7, 1, 10.0) + rest),
            file(1, "/src/a.py", ("pass\n",)),
            (b"S", TIMES.pack(1, 1, 0, 0, 3, SECOND, SECOND)),
            end(7, 20.0, SECOND),
        ]
        (tmp_path / name).write_bytes(written(WRITERS["c"], chunks, 1))
    assert "(1.00 s of it the profiler's, 2.00 s waiting for a processor)" in shown(
        door, "summary", "--width", "200", tmp_path / "waited"
    )
    assert "waiting for" not in shown(door, "summary", tmp_path / "ran")


def test_the_first_screen_begins_with_the_answer(door: Door, profile: Path) -> None:
    text = shown(door, "summary", profile)
    first, _, rest = text.partition("\n\n")
    first = first.replace("\n", " ")
    assert first.startswith("main.py: ") and " on the clock" in first and "1 thread;" in first
    sentence = rest.partition("\n\n")[0].replace("\n", " ")
    assert re.fullmatch(r"\d[\d.]* % of the time .*; .*line that costs most is .*\.", sentence)
    titles = [line.partition(" (")[0] for line in text.splitlines() if line[:1].isalpha()]
    assert titles.index("Hottest lines of the project") < titles.index("Functions of the project")
    assert "shop/cart.py:2 in shop::cart::price" in text
    assert "called 309 times: 300 times by __main__::Till::pay (main.py:6)" in text
    assert re.search(r"^ > .* 309 +2      ?return sum\(sorted\(range\(n\)\)\)$", text, re.M)
    assert "(module)@1" not in text and str(profile.parent) not in text


def test_the_split_is_all_of_the_time(door: Door, profile: Path) -> None:
    report = json.loads(shown(door, "summary", "--json", profile))
    split = report["split"]
    parts = ("project", "packages", "library", "imports", "waiting")
    assert math.isclose(sum(split[part] for part in parts), split["total"])
    assert math.isclose(split["total"], report["statement_time"], rel_tol=0.1)
    hottest = report["hot_lines"][0]
    assert hottest["file"].endswith(("cart.py", "main.py"))
    assert hottest["time"] <= hottest["with_libraries"] <= hottest["inclusive"] * 1.001


THREADS = """\
import threading

def work(n):
    return sum(i for i in range(n))

others = [threading.Thread(target=work, args=(n,)) for n in (3000, 9000)]
for one in others: one.start()
for one in others: one.join()
"""


def test_threads_are_told_and_can_be_had_alone(nytprof: Door, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(THREADS)
    assert run([*profiling(), "prog.py"], tmp_path).returncode == 0
    path = tmp_path / "nytprof.out"
    text = shown(nytprof, "summary", path)
    assert ", 3 threads that took " in text.replace("\n", " ")
    assert "\nNext: func NAME, " in text
    listed = text.partition("Threads (3 of 3; --thread ID shows one)\n")[2].splitlines()[1:4]
    ids = [line.split()[0] for line in listed]
    counts = []
    for one in ids:
        report = json.loads(shown(nytprof, "summary", "--json", "-n999", "--thread", one, path))
        turns = [li["count"] for li in report["top_lines"]
                 if li["line"] == 4 and li["file"].endswith("prog.py")]  # fmt: skip
        counts += turns
        assert report["calls"] is None  # they are known of all together only
        assert report["hot_lines"][0]["inclusive"] is None
    whole = json.loads(shown(nytprof, "summary", "--json", "-n999", path))["top_lines"]
    (all_turns,) = [
        li["count"] for li in whole if li["line"] == 4 and li["file"].endswith("prog.py")
    ]
    assert len(counts) == 2 and sum(counts) == all_turns > 12000
    done = nytprof.run("summary", "--thread", "1", path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"nytprof: {path}: no thread 1 in this profile, but ")
    assert all(one in done.stderr for one in ids)


@pytest.fixture(scope="module", params=["--no-stmts", "--no-subs"])
def part(request: pytest.FixtureRequest, profile: Path) -> tuple[str, Path]:
    """A profile that lacks lines, or functions."""
    path = profile.parent / f"{request.param}.out"
    done = run([*profiling([request.param, "-o", str(path)]), "main.py"], profile.parent)
    assert done.returncode == 0, done.stderr
    return request.param, path


def test_what_was_not_counted_is_not_said_to_be_none(door: Door, part: tuple[str, Path]) -> None:
    option, path = part
    for command in ("summary", "explain"):
        text = shown(door, command, path).replace("\n", " ")
        said = ("lines not counted (stmts=0), ", "calls not counted (subs=0), ")
        assert (said[0] in text, said[1] in text) == (option == "--no-stmts", option == "--no-subs")
        assert " 0 calls" not in text and " 0 lines" not in text and "no time" not in text
        assert "the project" in text.partition(" % of the time ")[2]
    if option == "--no-subs":
        assert columns_of_titles(shown(door, "source", "cart.py", path)) == [
            "self",
            "count",
            "line",
        ]
        lines = json.loads(shown(door, "summary", "--json", path))["top_lines"]
        assert lines and all(line["inclusive"] is None for line in lines)
    else:
        assert "the project's function that costs most is " in text
        assert "% of the time)" not in shown(door, "func", "pay", path)


def test_who_starts_the_program_is_no_line(door: Door, profile: Path) -> None:
    text = shown(door, "source", "main.py", profile)
    assert "(start)" not in text and "called __main__ 1 time" not in text
    assert "# __main__ was called 1 time" in text


# ---- func ----


@pytest.mark.parametrize("name", ["pay", "Till.pay", "Till::pay", "__main__::Till::pay", "Till.*y"])
def test_a_function_by_its_name(name: str, door: Door, profile: Path) -> None:
    text = shown(door, "func", name, profile)
    assert text.startswith("__main__::Till::pay  main.py:5-6\ncalled 300 times: ")
    called_by, source, calls = (text.index(f"\n{t}\n") for t in ("Called by", "Source", "Calls"))
    assert re.search(r"^ +300 .* __main__::total +main.py:15$", text[called_by:source], re.M)
    assert re.search(r"^ >.* 300 +6      return cart.price", text[source:calls], re.M)
    assert re.search(r"^ +300 .* shop::cart::price +main.py:6$", text[calls:], re.M)


def test_several_functions_are_listed(door: Door, profile: Path) -> None:
    text = shown(door, "func", "price", profile)
    assert [line.split()[-2] for line in text.splitlines()[1:]] == [
        "shop::cart::price", "shop::stock::price"
    ]  # fmt: skip


def test_recursion_is_told(door: Door, profile: Path) -> None:
    text = shown(door, "func", "deep", profile)
    assert "recursive to a depth of 6" in text
    assert re.search(r"^ +\d+  \(rec.\) .* __main__::deep ", text, re.M)


def test_the_program_is_called_main(door: Door, profile: Path) -> None:
    assert shown(door, "func", "__main__", profile).startswith("__main__  main.py:1-")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["func", "prise"], "no function 'prise' in this profile; the nearest: shop::cart::price"),
        (["func", "[a"], "no function '[a' in this profile"),
        (["tree", "--focus", "totl"], "no function 'totl' in this profile; the nearest: "),
        (["source", "crat.py"], "no file 'crat.py' in this profile; the nearest: "),
        (["source", ".py"], "'.py' may be one of "),
    ],
)
def test_what_is_not_there_is_answered_with_the_nearest(
    words: list[str], said: str, door: Door, profile: Path
) -> None:
    done = door.run(*words, profile)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{door.name}: {profile}: {said}")


@pytest.mark.parametrize("command", ["func", "source"])
def test_a_name_is_required(command: str, door: Door) -> None:
    assert door.complaint(command) == f"{command} requires a name"


# ---- source ----


@pytest.mark.parametrize("name", ["cart.py", "shop/cart.py", "full"])
def test_a_source_by_its_name(name: str, door: Door, profile: Path) -> None:
    path = profile.parent / "shop" / "cart.py"
    text = shown(door, "source", str(path) if name == "full" else name, profile)
    assert text.startswith(f"{path}\n")
    assert "# shop::cart::price was called 309 times" in text
    assert text == shown(door, "summary", "--source", str(path), profile)


@pytest.mark.parametrize(
    ("width", "columns"),
    [
        (40, ["self", "line"]),
        (50, ["self", "count", "line"]),
        (60, ["self", "incl", "count", "line"]),
        (80, ["self", "incl", "count", "line"]),
        (0, ["self", "incl", "count", "line"]),
    ],
)
def test_narrow_sources_have_fewer_columns_and_the_beginning_of_the_code(
    width: int, columns: list[str], door: Door, profile: Path
) -> None:
    text = shown(door, "source", "cart.py", *([f"--width={width}"] if width else []), profile)
    assert columns_of_titles(text) == columns
    before, _, code = next(line for line in text.splitlines() if " return" in line).partition("ret")
    whole = CART.splitlines()[1].strip().removeprefix("ret")
    assert whole.startswith(code)
    assert code == whole or len(f"{before}ret{code}") == width


def test_where_nothing_is_cut_a_source_is_whole(door: Door, long_names: Path) -> None:
    text = shown(door, "source", "everything.py", long_names)
    for line in LONG.splitlines():
        assert any(shown_line.endswith(line) for shown_line in text.splitlines())
    notes = [line for line in text.splitlines() if line.lstrip().startswith("#")]
    assert f"# __main__::{LONG_NAME} was called 1,830 times, " in "\n".join(notes)
    assert all(line.count("#") == 1 for line in notes)


# ---- tree ----


def test_the_tree_has_all_of_the_time_once(door: Door, profile: Path) -> None:
    def check(node: dict[str, object]) -> float:
        children = node["children"]
        assert isinstance(children, list)
        parts = [node["exclusive"], node["not_shown"], node["time_of_smaller"]]
        incl = sum(map(check, children)) + sum(float(str(part)) for part in parts)
        assert math.isclose(incl, float(str(node["inclusive"])), abs_tol=1e-9)
        return incl

    split = json.loads(shown(door, "summary", "--json", profile))["split"]
    for words in ([], ["--min", "0"], ["--scope", "project"]):
        root = json.loads(shown(door, "tree", "--json", *words, profile))
        assert math.isclose(check(root), split["total"], rel_tol=1e-6)


def test_the_tree_folds_recursion_and_what_is_not_shown(door: Door, profile: Path) -> None:
    text = shown(door, "tree", "--min", "0", "--only", "main.py", profile)
    names = [re.split(r"[\u2502\u251c\u2514\u2500 ]+", line)[-1] for line in text.splitlines()]
    assert "shop::cart::price" not in text and "(not shown)" in text
    assert len([line for line in text.splitlines() if "__main__::deep (recursive)" in line]) == 1
    assert "builtins::sorted" not in names


def test_the_tree_below_one_function(door: Door, profile: Path) -> None:
    text = shown(door, "tree", "--focus", "pay", profile)
    first, *rest = text.splitlines()[1:]
    assert re.search(r" 100.0 % .* __main__::Till::pay +main.py:5$", first)
    assert any("shop::cart::price" in line for line in rest)
    assert "__main__::total" not in text


def test_without_a_call_tree_there_is_none_to_show(door: Door, profile: Path) -> None:
    done = run([*profiling(["--no-calls", "-o", "flat.out"]), "main.py"], profile.parent)
    assert done.returncode == 0
    said = door.run("tree", profile.parent / "flat.out")
    assert (said.returncode, said.stdout) == (4, "")
    assert said.stderr.endswith(
        ": there is no call tree in this profile: it was made with calls=0\n"
    )


@pytest.mark.parametrize("wrong", ["x", "101", "-1", "5%"])
def test_the_least_share_is_a_percentage(wrong: str, door: Door) -> None:
    assert door.complaint("tree", f"--min={wrong}", "x") == (
        f"invalid value '{wrong}' for --min: expected a percentage from 0 to 100"
    )


# What can be shown in 40 columns, and what needs 60.
NARROW = [["tree"], ["tree", "--min=0"], ["func", "pay"], ["func", "price"], ["summary"],
          ["source", "main.py"], ["info"]]  # fmt: skip


@pytest.mark.parametrize("width", [40, 60, 80, 200])
@pytest.mark.parametrize("words", NARROW, ids=" ".join)
def test_lines_are_not_wider(words: list[str], width: int, door: Door, profile: Path) -> None:
    text = shown(door, *words, f"--width={width}", profile)
    assert max(map(len, text.splitlines())) <= width
    done = door.run(*words, profile, env={**os.environ, "COLUMNS": str(width)})
    assert done.stdout == text


@pytest.mark.parametrize("words", [["summary", "--all"], ["diff"]], ids=" ".join)
def test_plain_lists_have_sixty_columns(words: list[str], door: Door, profile: Path) -> None:
    files = [profile] * (2 if words == ["diff"] else 1)
    text = shown(door, *words, "--width=40", *files)
    assert text == shown(door, *words, "--width=60", *files)
    assert max(map(len, text.splitlines())) <= 60


LONG_NAME = "_".join(["a_name_that_says_everything"] * 6)
LONG = f"""\
def {LONG_NAME}(n):
    return sum(range(n)) + ({LONG_NAME}(n - 1) if n else 0)
for n in range(60):
    {LONG_NAME}(n)
"""


@pytest.fixture(scope="module")
def long_names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("long")
    (folder / f"{LONG_NAME}.py").write_text(LONG)
    command = [sys.executable, "-m", "pynytprof", "-q", "-o", "long.out"]
    done = run([*command, f"{LONG_NAME}.py"], folder)
    assert done.returncode == 0, done.stderr
    return folder / "long.out"


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize(
    "words", [["tree"], ["func", LONG_NAME], ["summary"], ["summary", "--all"]]
)
def test_names_wider_than_a_line_keep_their_end(
    words: list[str], width: int, door: Door, long_names: Path
) -> None:
    text = shown(door, *words, f"--width={width}", long_names)
    assert max(map(len, text.splitlines())) <= width
    assert LONG_NAME not in text
    assert "..." in text and "ys_everything" in text
    assert LONG_NAME in shown(door, *words, long_names)


# ---- explain, guide ----


def test_the_least_budget_has_the_sentence(door: Door, profile: Path) -> None:
    least = shown(door, "explain", "--budget=1", profile)
    assert "% of the time" in least and "##" not in least
    size = len(least.encode())
    assert size < 700
    for budget in range(size, 1500, 150):
        assert len(shown(door, "explain", f"--budget={budget}", profile).encode()) <= budget


@pytest.mark.parametrize("budget", [0, 1500, 2000, 12000])
def test_an_explanation_keeps_to_its_budget(budget: int, door: Door, profile: Path) -> None:
    words = [f"--budget={budget}"] if budget else []
    text = shown(door, "explain", *words, profile)
    assert len(text.encode()) <= (budget or 4000)
    assert text.startswith("# Profile of `main.py`\n\n")
    assert f"Paths are relative to `{profile.parent}/`." in text
    assert "% of the time" in text and "## Hot lines of the project" in text
    assert text.count("```") % 2 == 0
    if budget == 12000:
        assert "`shop/cart.py:" in text


def test_what_a_lambda_calls_that_is_handed_on_counts_once(tmp_path: Path) -> None:
    (tmp_path / "frame.py").write_text("def apply(f, n):\n    return [f(i) for i in range(n)]\n")
    (tmp_path / "main.py").write_text("""\
import frame
def work(n):
    return sum(range(n * 9))
def all_of_it(n):
    return frame.apply(lambda i: work(i), n)
all_of_it(400)
""")
    assert run([*profiling(), "main.py"], tmp_path).returncode == 0
    profile = read(tmp_path / "nytprof.out")
    line = next(one for one in profile.lines if (one.source or "").strip().startswith("return fr"))
    assert profile.subs["__main__::work"].incl > 0
    assert line.incl <= 1.001 * (profile.subs["frame::apply"].incl + line.time)


def test_who_waits_for_a_thread_is_not_who_costs(nytprof: Door, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("""\
import threading
def work(count):
    total = 0
    for i in range(count):
        total += i % 7
thread = threading.Thread(target=work, args=(300000,))
thread.start()
thread.join()
""")
    assert run([*profiling(["--raw"]), "main.py"], tmp_path).returncode == 0
    report = json.loads(shown(nytprof, "summary", "--json", tmp_path / "nytprof.out"))
    assert "main.py:8" not in report["sentence"]
    assert report["split"]["waiting"] > 0
    assert all(line["line"] != 8 for line in report["hot_lines"][:2])


def test_an_explanation_tells_what_stands_out(door: Door, profile: Path) -> None:
    text = shown(door, "explain", "--budget", "20000", profile)
    assert len(shown(door, "explain", "--budget", "900", profile)) < len(text)
    facts = text.partition("## Facts\n")[2].split("\n\n")[0].strip().splitlines()
    assert facts and all(fact.startswith("- ") and fact.endswith(".") for fact in facts)
    assert not re.search(r"(?<!`)<stdlib>", text.partition("```")[0])  # no tag for HTML
    assert door.run("explain", "--only", "nothing", profile).returncode == 2


def test_source_may_hold_what_ends_a_block(door: Door, tmp_path: Path) -> None:
    (tmp_path / "fence.py").write_text('x = """\n```\n"""; y = sum(range(10000)) # ```\n')
    assert run([*profiling(), "fence.py"], tmp_path).returncode == 0
    text = shown(door, "explain", tmp_path / "nytprof.out")
    assert text.count("``````") == 2


def test_the_guide_is_one_page_of_what_there_is(door: Door) -> None:
    text = shown(door, "guide")
    assert 40 > text.count("\n") > 20
    assert max(map(len, text.splitlines())) <= 100
    commands = set(re.findall(rf"(?<!how to ask ){door.name} ([a-z]+)", text)) - {"about"}
    assert {"explain", "func", "source", "tree", "summary", "diff", "verify"} <= commands
    for command in commands:
        done = door.run("help", command)
        assert done.returncode == 0
        for option in re.findall(rf"{door.name} {command} (--[a-z]+)", text):
            assert option in done.stdout
