"""Profiles in the formats of other tools, as those tools and Perl's exporters have them."""

from __future__ import annotations

import csv
import gzip
import html
import io
import json
import os
import pstats
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from doors import Door
from test_reader import CALLS, CHUNKS, END, SECOND, START, TIMES, TREE, file, string, sub, write

from pynytprof import convert, reader

PERL = Path(__file__).parent / "golden" / "perl"
# Profiles that Perl's loader takes and that have calls.
WITH_CALLS = sorted(
    PERL / f"{name}.out"
    for name in (
        "blocks1", "calls2", "closures", "compress1", "demo", "dieeval", "fork-merged", "min-calls",
        "packages", "recursion", "slowops1", "slowops2", "strevals", "utf8", "xsubs",
    )
)  # fmt: skip
SUFFIXES = {name: to.suffix for name, to in convert.FORMATS.items()}
FORMATS = [name for name, to in convert.FORMATS.items() if not to.folder]
# lcov's need the files that a profile is about.
SELF_CONTAINED = [name for name in FORMATS if name != "lcov"]
LIMITED = [name for name, to in convert.FORMATS.items() if to.limited]

# Names such as only a hostile file has: each of them means something in some format.
NASTY = [
    "a::new\nline", "a::semi;colon", 'a::quo"te', "a::x\x1b[31m", "a::bell\x07=(1)", "a::\u20ac",
]  # fmt: skip


def name_of(path: Path) -> str:
    return path.stem


def perl(tool: str, *words: str | Path) -> bytes:
    program = shutil.which(tool)
    if program is None:
        pytest.skip("needs Devel::NYTProf")
    return subprocess.run([program, *words], capture_output=True, check=True).stdout


def exported(profile: Path, name: str, max_bytes: int = 0) -> bytes:
    out = io.BytesIO()
    convert.export(profile, name, out.write, max_bytes)
    return out.getvalue()


def text_of(data: bytes) -> str:
    """As pynytprof takes what Perl writes: each line by itself is UTF-8 or Latin-1."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write(tmp_path / "small.out", CHUNKS)


@pytest.fixture
def nasty(tmp_path: Path) -> Path:
    """Subs with the names NASTY, each called once by the one before it."""
    n = len(NASTY)
    subs = b"".join(sub(i + 1, 1, i + 1, i + 1, name) for i, name in enumerate(NASTY))
    calls = b"".join(CALLS.pack(1, i, i, i + 1, 1, float(n - i), 1.0, 0, 0) for i in range(n))
    tree = b"".join(TREE.pack(i + 1, i + 1, (n - i) * SECOND, SECOND) for i in reversed(range(n)))
    lines = b"".join(TIMES.pack(1, i + 1, 0, 0, 1, SECOND, (n - i) * SECOND) for i in range(n))
    header = {":basetime": "10", ":application": 'a"\x1b', ":ticks_per_sec": "10000000"}
    chunks = [
        (b"P", START.pack(7, 1, 10.0) + b"".join(string(k) + string(v) for k, v in header.items())),
        file(1, '/src/"new\nfile";.py', tuple(f"  line {i} \x1b;,\n" for i in range(n))),
        (b"D", subs), (b"S", lines), (b"C", calls), (b"T", tree),
        (b"E", END.pack(7, 20.0, 0)),
    ]  # fmt: skip
    return write(tmp_path / "nasty.out", chunks)


# ---- The command ----


@pytest.mark.parametrize("name", SELF_CONTAINED)
def test_the_command_writes_what_the_function_does(
    door: Door, name: str, nasty: Path, tmp_path: Path
) -> None:
    done = door.raw("convert", "--to", name, "-o", tmp_path / "out", nasty)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (tmp_path / "out").read_bytes() == exported(nasty, name)
    done = door.raw("convert", "--to", name, "-o", "-", nasty)
    assert (done.returncode, done.stdout, done.stderr) == (0, exported(nasty, name), b"")


@pytest.mark.parametrize("name", SELF_CONTAINED)
def test_each_format_has_a_function(name: str, small: Path) -> None:
    target = getattr(convert, f"to_{name}")(small)
    assert target == small.with_name(small.name + SUFFIXES[name])
    assert target.read_bytes() == exported(small, name)


def test_text_goes_to_stdout(door: Door, small: Path) -> None:
    done = door.raw("convert", "--to", "collapsed", small)
    assert (done.returncode, done.stdout) == (0, exported(small, "collapsed"))
    done = door.raw("convert", "--to=collapsed", "-", stdin=small.open("rb"))
    assert (done.returncode, done.stdout) == (0, exported(small, "collapsed"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "convert requires --to FORMAT"),
        (["--to", "nothing"], "invalid value 'nothing' for --to: expected callgrind, collapsed, "
         "cpuprofile, csv, dot, json, lcov, nytprofcsv, pprof, pstats or speedscope"),
        (["--to", "collapsed", "twice"], "convert takes exactly one file"),
        (["--to", "collapsed", "--max-bytes", "0"],
         "invalid value '0' for --max-bytes: expected a positive number"),
        (["--to", "json", "--top", "3"], "--top does not apply to json"),
        (["--to", "dot", "--max-bytes", "1000"], "--max-bytes does not apply to dot"),
        (["--to", "pprof"], "pprof output is binary; use -o FILE"),
        (["--to", "nytprofcsv"], "nytprofcsv writes one file per source; use -o DIRECTORY"),
        (["--to", "nytprofcsv", "-o", "-"],
         "nytprofcsv writes one file per source; use -o DIRECTORY"),
        (["--to", "csv", "-o", "never", "--max-bytes", "1"], "--max-bytes does not apply to csv"),
    ],
)  # fmt: skip
def test_wrong_usage_is_status_2(door: Door, words: list[str], said: str, small: Path) -> None:
    assert door.complaint("convert", *words, small) == said


# ---- Limits ----


@pytest.mark.parametrize("name", LIMITED)
@pytest.mark.parametrize("profile", [PERL / "packages.out", PERL / "slowops2.out"], ids=name_of)
def test_a_limit_is_kept(name: str, profile: Path) -> None:
    whole = exported(profile, name)
    limit = len(whole) * 3 // 4
    assert 0 < len(exported(profile, name, limit)) <= limit
    assert exported(profile, name, 1 << 20) == whole


@pytest.mark.parametrize("name", LIMITED)
def test_what_is_left_out_is_told(door: Door, name: str, nasty: Path) -> None:
    done = door.run("convert", "--to", name, "--max-bytes", "1", "-o", os.devnull, nasty)
    assert done.returncode == 0
    assert done.stderr.startswith(
        f"{door.name}: {nasty}: to stay within 1 bytes, 6 call paths were left out, and their "
        "6.000000 s given to those above them"
    )


# ---- What a profile does not have ----

CALL_TREES = ["collapsed", "cpuprofile", "json", "pprof", "speedscope"]
NO_TREE = "no call tree (calls=0): functions are shown without their callers"
NO_CALLS = "no calls (subs=0): lines are shown without functions"
NOTHING = "nothing of it can be shown in this format"


def without(path: Path, tokens: bytes) -> Path:
    return write(path, [chunk for chunk in CHUNKS if chunk[0] not in tokens])


@pytest.mark.parametrize(
    ("tokens", "said", "formats"),
    [
        (b"T", NO_TREE, {"collapsed", "cpuprofile", "pprof", "speedscope"}),
        (b"TC", NO_CALLS,
         {"callgrind", "collapsed", "cpuprofile", "dot", "pprof", "pstats", "speedscope"}),
        (b"TCS", NOTHING, {*SELF_CONTAINED}),
    ],
)  # fmt: skip
def test_nothing_is_missing_in_silence(
    door: Door, tokens: bytes, said: str, formats: set[str], tmp_path: Path
) -> None:
    """And what there is instead, is there."""
    path = without(tmp_path / "a.out", tokens)
    for name in SELF_CONTAINED:
        done = door.raw("convert", "--to", name, "-o", tmp_path / name, path)
        if name in formats:
            message = f"{door.name}: {path}: {said}\n"
            assert (done.returncode, done.stderr.decode()) == (4, message), name
        else:
            assert (done.returncode, done.stderr) == (0, b""), name
    if said == NO_TREE:
        assert collapsed((tmp_path / "collapsed").read_bytes()) == {
            "a::(module)": SECOND // 2, "a::f": SECOND * 3 // 4, "builtins::len": SECOND // 4
        }  # fmt: skip
    if said == NO_CALLS:
        lines = {"/src/a.py;/src/a.py:2": SECOND, "/src/a.py;/src/a.py:3": 5}
        assert collapsed((tmp_path / "collapsed").read_bytes()) == lines
        stats: Any = pstats.Stats(str(tmp_path / "pstats"))
        assert stats.stats["/src/a.py", 2, "(line)"] == (4, 4, 1.0, 1.0, {})
        assert Callgrind((tmp_path / "callgrind").read_bytes()).own.total() == 1_000_000_500


def test_a_function_warns_of_what_is_missing(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="no call tree"):
        convert.to_speedscope(without(tmp_path / "a.out", b"T"))


# ---- Depth and order ----


def recursive(path: Path, levels: int, *cycle: str, deepest: str = "m::leaf") -> Path:
    """`cycle` called again and again, a second each call; then once `deepest`."""
    names = ["m::(module)", *cycle, deepest]
    subs = b"".join(sub(i + 1, 1, i + 1, i + 1, name) for i, name in enumerate(names))
    path_of_subs = [1, *(2 + i % len(cycle) for i in range(levels)), len(names)]
    tree = b"".join(
        TREE.pack(depth, path_of_subs[depth - 1], SECOND * (len(path_of_subs) - depth + 1), SECOND)
        for depth in range(len(path_of_subs), 0, -1)
    )
    calls = b"".join(CALLS.pack(1, 1, 0, i + 1, levels, 1.0, 1.0, 0, 0) for i in range(len(names)))
    chunks = [CHUNKS[0], file(1, "/m.py"), (b"D", subs), (b"C", calls), (b"T", tree), CHUNKS[-1]]
    return write(path, chunks)


def test_deep_recursion_is_one_frame(door: Door, tmp_path: Path) -> None:
    path = recursive(tmp_path / "a.out", 15000, "m::deep")
    assert collapsed(exported(path, "collapsed")) == {
        "m::(module)": SECOND,
        "m::(module);m::deep x 15000": 15000 * SECOND,
        "m::(module);m::deep x 15000;m::leaf": SECOND,
    }
    for name in CALL_TREES:
        done = door.raw("convert", "--to", name, "-o", tmp_path / name, path)
        assert (done.returncode, done.stderr.decode()) == (
            0,
            f"{door.name}: {path}: recursion is shown as one frame; the deepest has 15000 levels\n",
        )
        assert (tmp_path / name).stat().st_size < 2000
    paths = json.loads((tmp_path / "json").read_text())["paths"]
    assert paths[1]["sub"] == "m::deep" and paths[1]["recursion_levels"] == 15000


def test_mutual_recursion_is_one_round(tmp_path: Path) -> None:
    path = recursive(tmp_path / "a.out", 3000, "m::a", "m::b", "m::c")
    assert collapsed(exported(path, "collapsed")) == {
        "m::(module)": SECOND,
        "m::(module);m::a x 1000": 1000 * SECOND,
        "m::(module);m::a x 1000;m::b x 1000": 1000 * SECOND,
        "m::(module);m::a x 1000;m::b x 1000;m::c x 1000": 1000 * SECOND,
        "m::(module);m::a x 1000;m::b x 1000;m::c x 1000;m::leaf": SECOND,
    }


def test_recursion_that_can_be_read_is_left_as_it_is(tmp_path: Path) -> None:
    path = recursive(tmp_path / "a.out", 100, "m::a")
    assert len(exported(path, "collapsed").splitlines()) == 102


def test_what_is_too_deep_is_cut_and_told(door: Door, tmp_path: Path) -> None:
    path = recursive(tmp_path / "a.out", 3000, *(f"m::f{i}" for i in range(3000)))
    found = collapsed(exported(path, "collapsed"))
    assert max(one.count(";") for one in found) == 999
    assert found.total() == 3002 * SECOND
    done = door.run("convert", "--to", "collapsed", "-o", os.devnull, path)
    assert done.stderr == (
        f"{door.name}: {path}: 2002 call paths are deeper than 1000 frames, and cut there\n"
    )


def test_a_limit_loses_no_time(tmp_path: Path) -> None:
    path = recursive(tmp_path / "a.out", 60, "m::a")
    whole = collapsed(exported(path, "collapsed")).total()
    assert collapsed(exported(path, "collapsed", 200)).total() == whole
    stacks = json.loads(exported(path, "speedscope", 2000))["profiles"][0]
    assert stacks["endValue"] == whole * 100
    found = json.loads(exported(path, "json", 8000))["paths"]
    assert 0 < len(found) < 60
    assert sum(one["exclusive_seconds"] for one in found) == pytest.approx(whole / SECOND)
    samples = Pprof(exported(path, "pprof", 6000)).samples
    assert 0 < len(samples) < 60
    assert sum(values[0] for _, values in samples) == whole * 100
    assert Cpuprofile(exported(path, "cpuprofile", 6000)).micros.total() == whole // 10


@pytest.mark.parametrize("order", [("a", "b", "c"), ("c", "a", "b")])
def test_paths_come_in_the_order_of_first_calls(order: tuple[str, ...], tmp_path: Path) -> None:
    """Also if a path comes again later, as it does in Perl's profiles."""
    ids = {"a": 1, "b": 2, "c": 3}
    subs = b"".join(sub(i, 1, i, i, f"m::{name}") for name, i in ids.items())
    tree = b"".join(TREE.pack(1, ids[name], SECOND, SECOND) for name in order + order[:1])
    chunks = [CHUNKS[0], file(1, "/m.py"), (b"D", subs), (b"T", tree), CHUNKS[-1]]
    path = write(tmp_path / "a.out", chunks)
    expected = [f"m::{name}" for name in order]
    assert [
        text.split()[0] for text in exported(path, "collapsed").decode().splitlines()
    ] == expected
    data = json.loads(exported(path, "speedscope"))
    names = [frame["name"] for frame in data["shared"]["frames"]]
    events = data["profiles"][0]["events"]
    assert [names[event["frame"]] for event in events if event["type"] == "O"] == expected


# ---- collapsed ----


def collapsed(data: bytes) -> Counter[str]:
    """Ticks by path."""
    sums: Counter[str] = Counter()
    for line in data.split(b"\n")[:-1]:
        path, _, ticks = text_of(line).rpartition(" ")
        sums[path] += int(ticks)
    return sums


@pytest.mark.parametrize("profile", WITH_CALLS, ids=name_of)
def test_collapsed_is_what_nytprofcalls_writes(profile: Path) -> None:
    expected = perl("nytprofcalls", profile)
    assert collapsed(exported(profile, "collapsed")) == collapsed(expected)
    assert len(exported(profile, "collapsed").splitlines()) == len(expected.splitlines())


def test_collapsed_paths_of_nasty_names(nasty: Path) -> None:
    lines = exported(nasty, "collapsed").decode().splitlines()
    assert len(lines) == len(NASTY)
    assert lines[-1] == (
        'a::new?line;a::semi?colon;a::quo"te;a::x?[31m;a::bell?=(1);a::\u20ac 10000000'
    )


def test_collapsed_keeps_the_largest_and_all_time() -> None:
    """What is left out is in the nearest path above that stays."""
    whole = collapsed(exported(PERL / "packages.out", "collapsed"))
    part = collapsed(exported(PERL / "packages.out", "collapsed", 300))
    assert 0 < len(part) < len(whole)
    assert part.total() == whole.total()
    expected: Counter[str] = Counter()
    for path, ticks in whole.items():
        names = path.split(";")
        above = (";".join(names[:i]) for i in range(len(names), 0, -1))
        expected[next((one for one in above if one in part), "(left out)")] += ticks
    assert part == +expected
    least = min(whole[one] for one in part if one in whole)
    assert least >= max(ticks for one, ticks in whole.items() if one not in part)


# ---- callgrind ----


class Callgrind:
    """What a file in Callgrind's format says, names resolved; times are as in the file."""

    def __init__(self, data: bytes) -> None:
        self.own: Counter[str] = Counter()
        self.lines: Counter[tuple[str, str, int]] = Counter()
        self.counts: Counter[tuple[str, str, int]] = Counter()
        self.inclusive: Counter[tuple[str, str, int]] = Counter()
        self._names: dict[str, str] = {}
        here: dict[str, str] = {}
        call: tuple[int, str] | None = None
        for line in map(text_of, data.split(b"\n")):
            key, equals, value = line.partition("=")
            if line[:1].isdigit():
                number, time = map(int, line.split())
                if call:
                    edge = (here["fn"], here["cfn"], number)
                    self.counts[edge] += call[0]
                    self.inclusive[edge] += time
                else:
                    self.own[here["fn"]] += time
                    self.lines[here["fl"], here["fn"], number] += time
                call = None
            elif key == "calls":
                call = (int(value.split()[0]), value)
            elif equals and key in {"fl", "fi", "fn", "cfl", "cfi", "cfn"}:
                here[key] = self._name("n" if key.endswith("n") else "l", value)

    def _name(self, kind: str, value: str) -> str:
        ident, _, name = value.partition(") ")
        if ident[:1] != "(" or not ident[1:].rstrip(")").isdigit():
            return value
        key = kind + ident.rstrip(")")
        return self._names.setdefault(key, name) if name else self._names[key]


# Calls from string evals have in nytprofcg the line that ran the eval, here their own.
NO_EVALS = [path for path in WITH_CALLS if path.stem not in ("strevals", "utf8")]


@pytest.mark.parametrize("profile", NO_EVALS, ids=name_of)
def test_callgrind_has_the_calls_of_nytprofcg(profile: Path, tmp_path: Path) -> None:
    perl("nytprofcg", "-f", profile, "-o", tmp_path / "perl")
    expected = Callgrind((tmp_path / "perl").read_bytes())
    found = Callgrind(exported(profile, "callgrind"))
    assert found.counts == expected.counts
    for edge, microseconds in expected.inclusive.items():  # Perl cuts each to whole ones
        assert 0 <= found.inclusive[edge] / 1000 - microseconds < 1.001 * expected.counts[edge]
    for name, microseconds in expected.own.items():
        assert 0 <= found.own[name] / 1000 - microseconds < 1.001
    assert set(found.own) - set(expected.own) <= {"(outside of subs)"}


def test_callgrind_puts_time_on_lines(small: Path) -> None:
    found = Callgrind(exported(small, "callgrind"))
    assert found.lines == {
        ("/src/a.py", "a::f", 2): SECOND * 75,  # less what len() took
        ("(builtins)", "builtins::len", 0): SECOND * 25,
        ("/src/a.py", "a::(module)", 3): 500,
        ("/src/a.py", "a::(module)", 1): SECOND * 50 - 500,
    }
    assert found.counts["a::f", "builtins::len", 2] == 4


def test_callgrind_annotate_takes_nasty_names(nasty: Path) -> None:
    program = shutil.which("callgrind_annotate")
    if program is None:
        pytest.skip("needs valgrind")
    target = convert.to_callgrind(nasty)
    done = subprocess.run([program, "--tree=both", target], capture_output=True, check=True)
    assert done.stderr == b""
    assert "6,000,000,000 (100.0%)  PROGRAM TOTALS" in done.stdout.decode()
    assert "a::semi;colon" in done.stdout.decode()


# ---- csv ----


def test_csv_is_one_table(small: Path) -> None:
    text = exported(small, "csv").decode()
    assert text.splitlines(keepends=True)[0].endswith("\r\n")
    assert list(csv.DictReader(io.StringIO(text, newline=""))) == [
        {"file": "/src/a.py", "line": "2", "count": "4", "exclusive_seconds": "1",
         "inclusive_seconds": "1", "sub": "a::f", "source": "    len('é')"},
        {"file": "/src/a.py", "line": "3", "count": "1", "exclusive_seconds": "5e-07",
         "inclusive_seconds": "1.0000005", "sub": "a::(module)", "source": "f()"},
    ]  # fmt: skip


def test_csv_keeps_names_and_sources(nasty: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(exported(nasty, "csv").decode(), newline="")))
    assert len(rows) == len(NASTY) and {row["file"] for row in rows} == {'/src/"new?file";.py'}
    assert rows[1]["source"] == "  line 1 ?;,"


# ---- nytprofcsv ----


def rows_of(text: Path) -> list[tuple[float, float, float, str]]:
    rows = [text_of(line) for line in text.read_bytes().splitlines() if line[:1] != b"#"]
    # Where it has no source, nytprofcsv writes two sentences instead.
    parts = (row.split(",", 3) for row in rows if row.count(",") >= 3)
    return [(float(time), float(calls), float(each), code) for time, calls, each, code in parts]


@pytest.mark.parametrize(
    "name", ["blocks1", "calls0", "closures", "loops", "onoff", "packages", "strevals", "utf8"]
)
def test_nytprofcsv_is_what_nytprofcsv_writes(name: str, tmp_path: Path) -> None:
    """To the last digit but one: Perl adds times up in another order."""
    profile = PERL / f"{name}.out"
    perl("nytprofcsv", "-f", profile, "-o", tmp_path / "perl")
    ours = convert.to_nytprofcsv(profile, tmp_path / "ours")
    expected = sorted(path.name for path in (tmp_path / "perl").glob("*-line.csv"))
    assert sorted(path.name for path in ours.iterdir()) == expected
    for text in expected:
        found, wanted = rows_of(ours / text), rows_of(tmp_path / "perl" / text)
        assert [row[3] for row in found] == [row[3] for row in wanted]
        for (time, calls, each, _), (time_, calls_, each_, _) in zip(found, wanted, strict=True):
            assert calls == calls_
            assert time == pytest.approx(time_, abs=1.1e-6)
            assert each == pytest.approx(each_, abs=1.1e-6)


def test_nytprofcsv_of_nasty_names(door: Door, nasty: Path, tmp_path: Path) -> None:
    assert door.run("convert", "--to", "nytprofcsv", "-o", tmp_path / "csv", nasty).returncode == 0
    (text,) = (tmp_path / "csv").iterdir()
    assert text.name == "src-new-file-;-py-1-line.csv"
    lines = text.read_text("utf-8").splitlines()
    assert [line[:1] for line in lines[:5]] == ["#", "#", "#", "#", "0"]
    assert lines[3:7] == [
        "# Format: time,calls,time/call,code",
        "0.000000,0,0.000000,(no line)",
        "1.000000,1,1.000000,line 0 ?;,",
        "1.000000,1,1.000000,line 1 ?;,",
    ]


def test_nytprofcsv_names_of_long_paths(tmp_path: Path) -> None:
    names = ["/" + "d" * 60 + "/e/f.py", "/x/" + "g" * 60, "h" * 60, "/" + "i" * 40 + "/abc.py"]
    chunks = [CHUNKS[0], *(file(i + 1, name) for i, name in enumerate(names)), CHUNKS[-1]]
    folder = convert.to_nytprofcsv(write(tmp_path / "a.out", chunks), tmp_path / "csv")
    assert {path.name for path in folder.iterdir()} == {
        "f-py-1-line.csv",
        "TOOLONG-2-line.csv",
        "TOOLONG-3-line.csv",
        "i" * 40 + "-abc-py-4-line.csv",
    }


def test_nytprofcsv_that_cannot_be_written_is_status_4(
    door: Door, small: Path, tmp_path: Path
) -> None:
    target = tmp_path / "no" / "x"
    done = door.run("convert", "--to", "nytprofcsv", "-o", target, small)
    assert (done.returncode, done.stderr) == (
        4, f"{door.name}: {target}: cannot write: No such file or directory\n"
    )  # fmt: skip


# ---- dot ----


class Dot:
    """What `dot` makes of a graph: the texts of nodes, of edges, and of the caption."""

    def __init__(self, data: bytes) -> None:
        program = shutil.which("dot")
        if program is None:
            pytest.skip("needs Graphviz")
        done = subprocess.run([program, "-Tjson0"], input=data, capture_output=True, check=True)
        assert done.stderr == b""
        graph = json.loads(done.stdout)
        labels = {one["_gvid"]: one["label"].split("\\n") for one in graph["objects"]}
        clusters = [one["_gvid"] for one in graph["objects"] if one["name"].startswith("cluster_")]
        self.caption = graph["label"].split("\\n")
        self.packages = [labels.pop(number)[0] for number in clusters]
        self.nodes = list(labels.values())
        self.edges = {
            (labels[edge["tail"]][0], labels[edge["head"]][0]): edge["label"].split("\\n")
            for edge in graph.get("edges", [])
        }


def test_dot_has_subs_and_calls(small: Path) -> None:
    found = Dot(exported(small, "dot"))
    assert found.caption == ["a.py: 1.50 s", "3 of 3 subs", "2 of 2 edges between them"]
    assert sorted(found.nodes) == [
        ["(module)", "exclusive 500 ms (33.3 %)", "inclusive 1.50 s (100.0 %)", "1 call"],
        ["f", "exclusive 750 ms (50.0 %)", "inclusive 1.00 s (66.7 %)", "4 calls"],
        ["len", "exclusive 250 ms (16.7 %)", "inclusive 250 ms (16.7 %)", "4 calls"],
    ]
    assert found.packages == ["a", "builtins"]
    assert found.edges == {("(module)", "f"): ["4", "1.00 s"], ("f", "len"): ["4", "250 ms"]}


def test_what_took_longest_is_reddest(small: Path) -> None:
    text = exported(small, "dot").decode()
    found = dict(re.findall(r'label="([^\\"]+)[^"]*" fillcolor="0 ([0-9.]+) 1"', text))
    assert sorted(found, key=lambda name: float(found[name])) == ["len", "(module)", "f"]
    assert all(0 < float(saturation) <= 1 for saturation in found.values())


def test_a_picture_says_what_it_left_out(small: Path) -> None:
    out = io.BytesIO()
    convert.export(small, "dot", out.write, top=2)
    found = Dot(out.getvalue())
    assert found.caption == [
        "a.py: 1.50 s", "2 of 3 subs; the others took 250 ms (16.7 %) themselves",
        "1 of 1 edges between them",
    ]  # fmt: skip
    assert set(found.edges) == {("(module)", "f")}


@pytest.mark.parametrize("profile", WITH_CALLS, ids=name_of)
def test_dot_edges_are_the_calls_of_the_profile(profile: Path) -> None:
    out = io.BytesIO()
    convert.export(profile, "dot", out.write, top=1000)
    found = Dot(out.getvalue())
    subs = {name: one for name, one in reader.read(profile).subs.items() if one.calls}
    assert len(found.nodes) == len(subs)
    calls: Counter[tuple[str, str]] = Counter()
    for call in reader.read(profile).calls:
        for caller in [call.caller]:
            if caller in subs and call.count:
                calls[caller.rpartition("::")[2], call.called.rpartition("::")[2]] += call.count
    assert set(found.edges) <= set(calls)
    if f"{len(calls)} of {len(calls)} edges" in found.caption[-1]:
        for pair, edge in found.edges.items():
            assert edge[0] == f"{calls[pair]:,}"


def test_dot_keeps_nasty_names(nasty: Path) -> None:
    text = exported(nasty, "dot")
    assert len(Dot(text).nodes) == len(NASTY)
    assert b'label="semi;colon\\n' in text and b'label="quo\\"te\\n' in text
    assert b'label="new?line' in text and b"\x1b" not in text


def test_dot_escapes_what_graphviz_would_expand(tmp_path: Path) -> None:
    names = ["a::\\N\\G", "a::&lt;b&#62;", "a::<i>", "b::" + "\u20ac" * 100]
    subs = b"".join(sub(i + 1, 1, 1, 1, name) for i, name in enumerate(names))
    calls = b"".join(CALLS.pack(1, 1, 0, i + 1, 1, 1.0, 1.0, 0, 0) for i in range(len(names)))
    chunks = [CHUNKS[0], CHUNKS[1], (b"D", subs), (b"C", calls), CHUNKS[-1]]
    program = shutil.which("dot")
    if program is None:
        pytest.skip("needs Graphviz")
    picture = subprocess.run(
        [program, "-Tsvg", convert.to_dot(write(tmp_path / "a.out", chunks))],
        capture_output=True, check=True,
    ).stdout.decode()  # fmt: skip
    texts = [html.unescape(text) for text in re.findall(r"<text[^>]*>([^<]*)</text>", picture)]
    assert {"\\N\\G", "&lt;b&#62;", "<i>", "\u20ac" * 60 + "..."} <= set(texts)


# ---- lcov ----


def with_file(path: Path, source: Path, chunks: list[tuple[bytes, bytes]] = CHUNKS) -> Path:
    """The chunks with another file than /src/a.py, which need not exist."""
    own = file(1, str(source), ("def f():\n", "    len('é')\n", "f()"))
    return write(path, [own if chunk == chunks[1] else chunk for chunk in chunks])


def test_lcov_has_the_counts_of_lines_and_subs(tmp_path: Path) -> None:
    """Each sub's first line is among the lines: genhtml 2 refuses it otherwise."""
    source = tmp_path / "a.py"
    source.write_text("one\n")
    profile = with_file(tmp_path / "a.out", source)
    assert convert.to_lcov(profile).read_text().splitlines() == [
        "TN:", f"SF:{source}",
        "FN:1,a::(module)", "FN:1,a::f", "FN:9,a::idle",
        "FNDA:1,a::(module)", "FNDA:4,a::f", "FNDA:0,a::idle", "FNF:3", "FNH:2",
        "DA:1,0", "DA:2,4", "DA:3,1", "DA:9,0", "LF:4", "LH:2", "end_of_record",
    ]  # fmt: skip


def test_lcov_of_perl_has_what_genhtml_can_make_sense_of(tmp_path: Path) -> None:
    """It takes a sub to last until the next one: one that never ran must hold no line that did, and
    one that did run some line."""
    source = tmp_path / "a.pl"
    source.write_text("one\n")
    named = ((1, "m::never"), (4, "m::idle"), (6, "m::xs"), (8, "m::used"))
    subs = b"".join(sub(i + 1, 1, line, line, name) for i, (line, name) in enumerate(named))
    calls = b"".join(CALLS.pack(1, 9, 0, i, 3, 0.1, 0.1, 0, 0) for i in (3, 4))
    lines = b"".join(TIMES.pack(1, line, 0, 0, 1, 5, 5) for line in (2, 9))
    chunks = [CHUNKS[0], file(1, str(source)), (b"D", subs), (b"S", lines), (b"C", calls),
              CHUNKS[-1]]  # fmt: skip
    text = exported(write(tmp_path / "a.out", chunks), "lcov").decode()
    assert re.findall("FN:(.*)", text) == ["4,m::idle", "6,m::xs", "8,m::used"]
    assert re.findall("DA:([0-9]+,[0-9]+)$", text, re.MULTILINE) == [
        "2,1", "4,0", "6,3", "8,0", "9,1"
    ]  # fmt: skip


def test_lcov_puts_a_sub_of_two_files_where_its_lines_are(tmp_path: Path) -> None:
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text("x\n")
    twice = sub(1, 1, 3, 4, "a::f") + sub(2, 2, 7, 9, "a::f") + sub(3, 2, 1, 1, "a::g")
    files = [file(i + 1, str(tmp_path / name)) for i, name in enumerate(("one.py", "two.py"))]
    path = write(tmp_path / "a.out", [CHUNKS[0], *files, (b"D", twice), CHUNKS[-1]])
    f = reader.read(path).subs["a::f"]
    records = exported(path, "lcov").decode().split("end_of_record\n")
    found = [record for record in records if "a::f" in record]
    assert len(found) == 1
    assert f.file and f"SF:{f.file.name}\n" in found[0] and f"FN:{f.first},a::f\n" in found[0]


def test_lcov_has_files_alone_and_tells_which_are_missing(door: Door, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("x\n")
    names = [str(tmp_path / "a.py"), "/no/z.pyz/__main__.py", "(builtins)", "<string>"]
    chunks = [CHUNKS[0], *(file(i + 1, name) for i, name in enumerate(names)),
              (b"S", b"".join(TIMES.pack(fid, 1, 0, 0, 1, 5, 5) for fid in (1, 2))),
              CHUNKS[-1]]  # fmt: skip
    path = write(tmp_path / "a.out", chunks)
    done = door.run("convert", "--to", "lcov", path)
    assert (done.returncode, done.stderr) == (
        0, f'{door.name}: {path}: files that do not exist were left out: "/no/z.pyz/__main__.py"\n'
    )  # fmt: skip
    assert re.findall("(?m)^SF:(.*)$", done.stdout) == names[:1]


def test_lcov_tells_of_no_empty_module(door: Door, tmp_path: Path) -> None:
    for name in ("empty.py", "emptied.py"):
        (tmp_path / name).touch()
    chunks = [CHUNKS[0], file(1, str(tmp_path / "empty.py")), file(2, str(tmp_path / "emptied.py")),
              (b"S", b"".join(TIMES.pack(*at, 0, 0, 1, 5, 5) for at in ((1, 1), (2, 1), (2, 9)))),
              CHUNKS[-1]]  # fmt: skip
    done = door.run("convert", "--to", "lcov", write(tmp_path / "a.out", chunks))
    assert done.stdout == ""
    assert done.stderr.count(".py") == 1 and "emptied.py" in done.stderr


def test_genhtml_takes_it(tmp_path: Path) -> None:
    """Names that mean something in a tracefile included."""
    program = shutil.which("genhtml")
    if program is None:
        pytest.skip("needs lcov")
    (tmp_path / "a,b.py").write_text("one\ntwo\nthree\n")
    names = ["a::1,2", "a::new\nDA:3,7", *NASTY]
    subs = b"".join(sub(i + 1, 1, 1, 1, name) for i, name in enumerate(names))
    chunks = [CHUNKS[0], file(1, str(tmp_path / "a,b.py")), (b"D", subs),
              (b"S", TIMES.pack(1, 2, 0, 0, 12345, 1, 1)), CHUNKS[-1]]  # fmt: skip
    tracefile = convert.to_lcov(write(tmp_path / "a.out", chunks))
    done = subprocess.run(
        [program, "--quiet", "-o", tmp_path / "pages", tracefile], capture_output=True, check=True
    )
    assert done.stderr == b""
    (page,) = (tmp_path / "pages").rglob("a,b.py.gcov.html")
    assert re.search(r"12345.*two", page.read_text())
    assert not re.search(r"7 .*three", page.read_text())


# ---- json ----


def path_of(paths: list[dict[str, Any]], index: int | None) -> tuple[str, ...]:
    if index is None:
        return ()
    assert paths[index]["parent"] is None or paths[index]["parent"] < index
    return (*path_of(paths, paths[index]["parent"]), paths[index]["sub"])


@pytest.mark.parametrize("profile", [*WITH_CALLS, PERL / "killed-compress0.out"], ids=name_of)
def test_json_holds_what_the_reader_reads(profile: Path) -> None:
    data = json.loads(exported(profile, "json"))
    expected = reader.read(profile)
    assert data["complete"] == expected.header.complete
    assert data["duration_seconds"] == expected.header.duration
    assert data["attributes"] == expected.attributes
    assert [process["id"] for process in data["processes"]] == [p.pid for p in expected.processes]
    merged = {fid for fid, file in expected.files.items() if file.merged_into}
    assert {f["fid"] for f in data["files"]} == set(expected.files) - merged
    for one in data["subs"]:
        wanted = expected.subs[one["name"]]
        assert (one["call_count"], one["fid"]) == (wanted.calls, wanted.fid)
        assert (one["inclusive_seconds"], one["exclusive_seconds"]) == (wanted.incl, wanted.excl)
    assert len(data["subs"]) == len(expected.subs)
    assert [
        (c["called"], c["fid"], c["line"], c["call_count"], c["caller"]) for c in data["calls"]
    ] == [(c.called, c.fid, c.line, c.count, c.caller) for c in expected.calls]
    assert [
        (line["fid"], line["line"], line["count"], line["exclusive_seconds"])
        for line in data["lines"]
    ] == [(i.fid, i.line, i.count, i.time) for i in expected.lines if i.fid not in merged]


def test_json_paths_and_sources(small: Path) -> None:
    data = json.loads(exported(small, "json"))
    assert [path_of(data["paths"], i) for i in range(3)] == [
        ("a::(module)",),
        ("a::(module)", "a::f"),
        ("a::(module)", "a::f", "builtins::len"),
    ]
    assert [one["exclusive_seconds"] for one in data["paths"]] == [0.5, 0.75, 0.25]
    assert data["lines"][0]["source"] == "    len('é')\n"


def test_limited_json_keeps_whole_paths() -> None:
    def paths(data: Any) -> set[tuple[str, ...]]:
        return {path_of(data["paths"], i) for i in range(len(data["paths"]))}

    text = exported(PERL / "packages.out", "json")
    whole = json.loads(text)
    part = json.loads(exported(PERL / "packages.out", "json", len(text) - 600))
    assert 0 < len(part["paths"] + part["lines"]) < len(whole["paths"] + whole["lines"])
    assert paths(part) <= paths(whole) | {("(left out)",)}
    assert part["subs"] == whole["subs"]


def test_json_keeps_nasty_names(nasty: Path) -> None:
    data = json.loads(exported(nasty, "json"))
    assert sorted(one["name"] for one in data["subs"]) == sorted(NASTY)
    assert path_of(data["paths"], 5) == tuple(NASTY)


# ---- pprof ----


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if data[at - 1] < 0x80:
            return value, at


def fields(data: bytes) -> dict[int, list[Any]]:
    """A message of protocol buffers: numbers and bytes by field."""
    found: dict[int, list[Any]] = {}
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        assert key & 7 in (0, 2)
        value: Any
        value, at = varint(data, at)
        if key & 7 == 2:
            value, at = data[at : at + value], at + value
        found.setdefault(key >> 3, []).append(value)
    return found


def numbers(packed: bytes) -> list[int]:
    found, at = [], 0
    while at < len(packed):
        value, at = varint(packed, at)
        found.append(value)
    return found


class Pprof:
    """Samples as (frames from the outermost, values); frames are (function, file, line)."""

    def __init__(self, data: bytes) -> None:
        profile = fields(gzip.decompress(data))
        strings = [text.decode() for text in profile[6]]
        assert strings[0] == ""
        functions = {}
        for one in map(fields, profile.get(5, [])):
            functions[one[1][0]] = (strings[one[2][0]], strings[one.get(4, [0])[0]])
        locations = {}
        for one in map(fields, profile.get(4, [])):
            (line,) = map(fields, one[4])
            locations[one[1][0]] = (*functions[line[1][0]], line[2][0])
        self.types = [(strings[one[1][0]], strings[one[2][0]]) for one in map(fields, profile[1])]
        self.default = strings[profile[14][0]]
        self.seconds = (profile[9][0] / 1e9, profile[10][0] / 1e9)
        self.samples = [
            (tuple(locations[i] for i in reversed(numbers(one[1][0]))), numbers(one[2][0]))
            for one in map(fields, profile.get(2, []))
        ]


def test_pprof_has_paths_and_lines(small: Path) -> None:
    found = Pprof(exported(small, "pprof"))
    assert found.types == [
        ("time", "nanoseconds"), ("line_time", "nanoseconds"), ("line_count", "count")
    ]  # fmt: skip
    assert found.default == "time"
    assert found.seconds == (10.0, 2.0)
    module, f = ("a::(module)", "/src/a.py", 1), ("a::f", "/src/a.py", 1)
    assert found.samples == [
        ((module,), [500_000_000, 0, 0]),
        ((module, f), [750_000_000, 0, 0]),
        ((module, f, ("builtins::len", "(builtins)", 0)), [250_000_000, 0, 0]),
        ((("a::f", "/src/a.py", 2),), [0, 1_000_000_000, 4]),
        ((("a::(module)", "/src/a.py", 3),), [0, 500, 1]),
    ]


@pytest.mark.parametrize("profile", WITH_CALLS, ids=name_of)
def test_pprof_paths_are_those_of_nytprofcalls(profile: Path) -> None:
    sums: Counter[str] = Counter()
    for frames, values in Pprof(exported(profile, "pprof")).samples:
        if values[0]:
            path = ";".join(name for name, _, _ in frames)
            sums[re.sub(r"\((\w*eval) \d+\)(?=\[)", r"(\1 0)", path)] += values[0] // 100
    assert sums == +collapsed(perl("nytprofcalls", profile))


def test_pprof_of_a_profile_without_calls() -> None:
    found = Pprof(exported(PERL / "calls0.out", "pprof"))
    subs = reader.read(PERL / "calls0.out").subs
    for (frame, *rest), values in found.samples:
        if values[0]:
            assert not rest
            assert values[0] == pytest.approx(subs[frame[0]].excl * 1e9, abs=1)
    assert sum(values[0] > 0 for _, values in found.samples) == sum(
        s.excl > 0 for s in subs.values()
    )


def test_pprof_keeps_nasty_names(nasty: Path) -> None:
    found = Pprof(exported(nasty, "pprof"))
    assert [frame[0] for frame in max(frames for frames, _ in found.samples[:6])] == NASTY


# ---- cpuprofile ----


class Cpuprofile:
    """What such a file says, checked as its viewers rely on it."""

    def __init__(self, data: bytes) -> None:
        self.data: dict[str, Any] = json.loads(data)
        self.nodes = {node["id"]: node for node in self.data["nodes"]}
        self.parents = {
            child: node["id"] for node in self.data["nodes"] for child in node.get("children", [])
        }
        assert len(self.nodes) == len(self.data["nodes"])
        assert set(self.parents) == set(self.nodes) - {1}
        self.micros: Counter[tuple[str, ...]] = Counter()
        samples, deltas = self.data["samples"], self.data["timeDeltas"]
        assert len(samples) == len(deltas)
        ends = [*deltas[1:], self.data["endTime"] - self.data["startTime"] - sum(deltas)]
        for sample, micros in zip(samples, ends, strict=True):
            assert micros == self.nodes[sample]["hitCount"] > 0
            self.micros[self.path_of(sample)] += micros
        self.lines: Counter[tuple[str, int]] = Counter()
        for node in self.data["nodes"]:
            ticks = node.get("positionTicks", [])
            assert node["hitCount"] == sum(tick["ticks"] for tick in ticks) or not ticks
            for tick in ticks:
                self.lines[node["callFrame"]["url"], tick["line"]] += tick["ticks"]

    def path_of(self, node: int) -> tuple[str, ...]:
        names: list[str] = []
        while node in self.parents:
            names.insert(0, self.nodes[node]["callFrame"]["functionName"])
            node = self.parents[node]
        return tuple(names)


def test_cpuprofile_has_paths_and_lines(small: Path) -> None:
    found = Cpuprofile(exported(small, "cpuprofile"))
    assert found.micros == {
        ("a::(module)", "a::f", "builtins::len"): 250_000,
        ("a::(module)", "a::f"): 750_000,
        ("a::(module)",): 500_000,
    }
    assert found.lines == {("/src/a.py", 2): 750_000, ("/src/a.py", 3): 500_000}
    assert found.nodes[3]["callFrame"] == {
        "functionName": "a::f", "scriptId": "0", "url": "/src/a.py", "lineNumber": 0,
        "columnNumber": 0,
    }  # fmt: skip
    assert found.data["startTime"] == 10_000_000 and found.data["endTime"] == 11_500_000


@pytest.mark.parametrize("profile", WITH_CALLS, ids=name_of)
def test_cpuprofile_paths_are_those_of_collapsed(profile: Path) -> None:
    found = Cpuprofile(exported(profile, "cpuprofile")).micros
    expected = collapsed(exported(profile, "collapsed"))
    assert found.total() == pytest.approx(expected.total() / 10, abs=1)
    for path, micros in found.items():
        joined = re.sub(r"\((\w*eval) \d+\)(?=\[)", r"(\1 0)", ";".join(path))
        assert micros <= expected[joined] / 10 + 1


def test_cpuprofile_keeps_nasty_names(nasty: Path) -> None:
    assert tuple(NASTY) in Cpuprofile(exported(nasty, "cpuprofile")).micros


# ---- pstats ----


@pytest.mark.parametrize("profile", WITH_CALLS, ids=name_of)
def test_pstats_has_the_sums_of_the_profile(profile: Path, tmp_path: Path) -> None:
    stats: Any = pstats.Stats(str(convert.to_pstats(profile, tmp_path / "stats")))
    subs = [sub for sub in reader.read(profile).subs.values() if sub.calls]
    names = {sub.name for sub in subs}
    roots = {key[2]: figures for key, figures in stats.stats.items() if key[2] not in names}
    assert stats.total_calls == sum(sub.calls for sub in subs) + len(roots)
    for name, figures in roots.items():
        called = [c.incl for c in reader.read(profile).calls if c.caller == name]
        assert figures == (1, 1, 0, pytest.approx(sum(called)), {})
    assert stats.total_tt == pytest.approx(sum(sub.excl for sub in subs))
    found = {key[2]: figures for key, figures in stats.stats.items() if key[2] in names}
    assert len(found) == len(subs)
    for one in subs:
        primitive, calls, own, time, callers = found[one.name]
        assert (calls, own, time) == (one.calls, pytest.approx(one.excl), pytest.approx(one.incl))
        assert primitive == calls if one.depth == 0 else 0 < primitive < calls
        assert sum(caller[0] for caller in callers.values()) <= calls
        assert set(callers) <= set(stats.stats)


def test_pstats_prints_callers_and_callees(small: Path) -> None:
    out = io.StringIO()
    stats = pstats.Stats(str(convert.to_pstats(small)), stream=out)
    stats.sort_stats("cumulative").print_stats()
    stats.print_callers()
    stats.print_callees()
    assert "9 function calls (7 primitive calls) in 1.500 seconds" in out.getvalue()
    everything: Any = stats
    assert everything.stats["/src/a.py", 1, "a::f"] == (
        4, 4, 0.75, 1.0, {("/src/a.py", 1, "a::(module)"): (4, 4, 0.75, 1.0)}
    )  # fmt: skip
    assert list(everything.stats["~", 0, "builtins::len"][4]) == [("/src/a.py", 1, "a::f")]


def test_pstats_numbers_of_any_size(tmp_path: Path) -> None:
    count = 2**45 + 2**31 + 12345
    call = CALLS.pack(1, 2, 3, 1, count, 1.0, 1.0, 0, 0)
    chunks = [(b"C", call) if token == b"C" else (token, rest) for token, rest in CHUNKS]
    path = write(tmp_path / "big.out", chunks)
    stats: Any = pstats.Stats(str(convert.to_pstats(path)))
    assert stats.stats["/src/a.py", 1, "a::f"][:2] == (count, count)


def test_pstats_keeps_nasty_names(nasty: Path) -> None:
    stats: Any = pstats.Stats(str(convert.to_pstats(nasty)))
    assert {name for _, _, name in stats.stats} == set(NASTY)
    assert {file for file, _, _ in stats.stats} == {'/src/"new\nfile";.py'}


# ---- speedscope ----


def test_a_limited_speedscope_file_is_well_formed() -> None:
    data: dict[str, Any] = json.loads(exported(PERL / "packages.out", "speedscope", 1500))
    profile, stack = data["profiles"][0], []
    for event in profile["events"]:
        if event["type"] == "O":
            stack.append(event["frame"])
        else:
            assert stack.pop() == event["frame"]
    assert not stack and profile["events"]
    frames = range(len(data["shared"]["frames"]))
    assert {event["frame"] for event in profile["events"]} == set(frames)
