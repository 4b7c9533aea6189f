"""Profiles in the formats of other tools, as those tools and Perl's exporters have them."""

from __future__ import annotations

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


@pytest.mark.parametrize("name", FORMATS)
def test_the_command_writes_what_the_function_does(
    door: Door, name: str, nasty: Path, tmp_path: Path
) -> None:
    done = door.raw("convert", "--to", name, "-o", tmp_path / "out", nasty)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert (tmp_path / "out").read_bytes() == exported(nasty, name)
    done = door.raw("convert", "--to", name, "-o", "-", nasty)
    assert (done.returncode, done.stdout, done.stderr) == (0, exported(nasty, name), b"")


@pytest.mark.parametrize("name", FORMATS)
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
         "csv, dot, json, lcov, pprof, pstats or speedscope"),
        (["--to", "collapsed", "twice"], "convert takes exactly one file"),
        (["--to", "collapsed", "--max-bytes", "0"],
         "invalid value '0' for --max-bytes: expected a positive number"),
        (["--to", "json", "--top", "3"], "--top does not apply to json"),
        (["--to", "dot", "--max-bytes", "1000"], "--max-bytes does not apply to dot"),
        (["--to", "pprof"], "pprof output is binary; use -o FILE"),
        (["--to", "csv"], "csv writes one file per source; use -o DIRECTORY"),
        (["--to", "csv", "-o", "-"], "csv writes one file per source; use -o DIRECTORY"),
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
    assert done.stderr.startswith(f"{door.name}: {nasty}: to stay within 1 bytes, 6 call paths of "
                                  "6.000000 s together")  # fmt: skip


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


def test_collapsed_keeps_the_largest() -> None:
    whole = collapsed(exported(PERL / "packages.out", "collapsed"))
    part = collapsed(exported(PERL / "packages.out", "collapsed", 100))
    assert 0 < len(part) < len(whole)
    assert part.items() <= whole.items()
    assert min(part.values()) >= max((whole - part).values())


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


def rows_of(text: Path) -> list[tuple[float, float, float, str]]:
    rows = [text_of(line) for line in text.read_bytes().splitlines() if line[:1] != b"#"]
    # Where it has no source, nytprofcsv writes two sentences instead.
    parts = (row.split(",", 3) for row in rows if row.count(",") >= 3)
    return [(float(time), float(calls), float(each), code) for time, calls, each, code in parts]


@pytest.mark.parametrize(
    "name", ["blocks1", "calls0", "closures", "loops", "onoff", "packages", "strevals", "utf8"]
)
def test_csv_is_what_nytprofcsv_writes(name: str, tmp_path: Path) -> None:
    """To the last digit but one: Perl adds times up in another order."""
    profile = PERL / f"{name}.out"
    perl("nytprofcsv", "-f", profile, "-o", tmp_path / "perl")
    ours = convert.to_csv(profile, tmp_path / "ours")
    expected = sorted(path.name for path in (tmp_path / "perl").glob("*-line.csv"))
    assert sorted(path.name for path in ours.iterdir()) == expected
    for text in expected:
        found, wanted = rows_of(ours / text), rows_of(tmp_path / "perl" / text)
        assert [row[3] for row in found] == [row[3] for row in wanted]
        for (time, calls, each, _), (time_, calls_, each_, _) in zip(found, wanted, strict=True):
            assert calls == calls_
            assert time == pytest.approx(time_, abs=1.1e-6)
            assert each == pytest.approx(each_, abs=1.1e-6)


def test_csv_of_nasty_names(door: Door, nasty: Path, tmp_path: Path) -> None:
    assert door.run("convert", "--to", "csv", "-o", tmp_path / "csv", nasty).returncode == 0
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


def test_csv_names_of_long_paths(tmp_path: Path) -> None:
    names = ["/" + "d" * 60 + "/e/f.py", "/x/" + "g" * 60, "h" * 60, "/" + "i" * 40 + "/abc.py"]
    chunks = [CHUNKS[0], *(file(i + 1, name) for i, name in enumerate(names)), CHUNKS[-1]]
    folder = convert.to_csv(write(tmp_path / "a.out", chunks), tmp_path / "csv")
    assert {path.name for path in folder.iterdir()} == {
        "f-py-1-line.csv",
        "TOOLONG-2-line.csv",
        "TOOLONG-3-line.csv",
        "i" * 40 + "-abc-py-4-line.csv",
    }


def test_csv_that_cannot_be_written_is_status_4(door: Door, small: Path, tmp_path: Path) -> None:
    target = tmp_path / "no" / "x"
    done = door.run("convert", "--to", "csv", "-o", target, small)
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


def test_lcov_has_the_counts_of_lines_and_subs(small: Path) -> None:
    assert exported(small, "lcov").decode().splitlines() == [
        "TN:", "SF:/src/a.py",
        "FN:1,a::(module)", "FN:1,a::f", "FN:9,a::idle",
        "FNDA:1,a::(module)", "FNDA:4,a::f", "FNDA:0,a::idle", "FNF:3", "FNH:2",
        "DA:2,4", "DA:3,1", "LF:2", "LH:2", "end_of_record",
    ]  # fmt: skip


def test_lcov_puts_a_sub_of_two_files_where_its_lines_are(tmp_path: Path) -> None:
    twice = sub(1, 1, 3, 4, "a::f") + sub(2, 2, 7, 9, "a::f") + sub(3, 2, 1, 1, "a::g")
    chunks = [CHUNKS[0], file(1, "/one.py"), file(2, "/two.py"), (b"D", twice), CHUNKS[-1]]
    path = write(tmp_path / "a.out", chunks)
    f = reader.read(path).subs["a::f"]
    records = exported(path, "lcov").decode().split("end_of_record\n")
    found = [record for record in records if "a::f" in record]
    assert len(found) == 1
    assert f.file and f"SF:{f.file.name}\n" in found[0] and f"FN:{f.first},a::f\n" in found[0]


def test_lcov_has_files_alone() -> None:
    text = exported(PERL / "strevals.out", "lcov").decode()
    files = reader.read(PERL / "strevals.out").files.values()
    assert any(one.is_eval for one in files)
    assert set(re.findall("(?m)^SF:(.*)$", text)) == {
        one.name for one in files if not one.is_eval and not one.name.startswith("(")
    }


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
    assert paths(part) <= paths(whole)
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
        ((("/src/a.py", "/src/a.py", 2),), [0, 1_000_000_000, 4]),
        ((("/src/a.py", "/src/a.py", 3),), [0, 500, 1]),
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


# ---- pstats ----


@pytest.mark.parametrize("profile", WITH_CALLS, ids=name_of)
def test_pstats_has_the_sums_of_the_profile(profile: Path, tmp_path: Path) -> None:
    stats: Any = pstats.Stats(str(convert.to_pstats(profile, tmp_path / "stats")))
    subs = [sub for sub in reader.read(profile).subs.values() if sub.calls]
    assert stats.total_calls == sum(sub.calls for sub in subs)
    assert stats.total_tt == pytest.approx(sum(sub.excl for sub in subs))
    found = {key[2]: figures for key, figures in stats.stats.items() if figures[1]}
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
