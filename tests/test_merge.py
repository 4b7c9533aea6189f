"""Many profiles become one: the sums, what is matched with what, and what Perl makes of it."""

from __future__ import annotations

import itertools
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from doors import Door
from test_reader import CALLS, CHUNKS, END, SECOND, START, TIMES, TREE, file, string, sub, write

from pynytprof import convert, reader
from pynytprof.verify import Severity, findings

GOLDEN = Path(__file__).parent / "golden"
PERL = GOLDEN / "perl"
FORK, CHILD = PERL / "fork.out", PERL / "fork-child1.out"


def faults(path: Path) -> list[str]:
    return [f.text for f in findings(path).findings if f.severity > Severity.ODD]


def merged(paths: list[Path], out: Path) -> reader.Profile:
    done = convert.merge(paths, out)
    assert done.complete
    assert faults(out) == []
    return reader.read(out)


def perl(tool: str, *words: str | Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which(tool)
    if program is None:
        pytest.skip("needs Devel::NYTProf")
    return subprocess.run(
        [program, *words], capture_output=True, encoding="utf-8", errors="replace", check=True
    )


def header(pid: int, start: float, **pairs: str) -> tuple[bytes, bytes]:
    known = {"basetime": str(int(start)), "application": "a.py", "ticks_per_sec": str(SECOND)}
    items = {f":{key}": value for key, value in {**known, **pairs}.items()} | {"!calls": "1"}
    text = b"".join(string(key) + string(value) for key, value in items.items())
    return b"P", START.pack(pid, 1, start) + text


def end(pid: int, at: float, overhead: int = 0) -> tuple[bytes, bytes]:
    return b"E", END.pack(pid, at, overhead)


def times(*rows: tuple[int, int, int, int]) -> tuple[bytes, bytes]:
    """(fid, line, count, ticks) each."""
    return b"S", b"".join(TIMES.pack(f, n, 0, 0, count, t, t) for f, n, count, t in rows)


@pytest.fixture
def first(tmp_path: Path) -> Path:
    return write(tmp_path / "first.out", CHUNKS)


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """The same program, a file more and in another order, calls it has in common and not."""
    chunks = [
        header(8, 20.0),
        file(1, "/src/new.py", ("pass\n",)),
        file(2, "/src/a.py", ("def f():\n", "    len('é')\n", "f()")),
        (b"D", sub(1, 2, 1, 2, "a::f") + sub(2, 1, 1, 1, "new::g")),
        times((2, 2, 3, 300), (1, 1, 10**5, 2**33)),
        (b"C", CALLS.pack(2, 3, 0, 1, 2**33, 800.0, 790.0, 0.5, 3)
         + CALLS.pack(1, 1, 1, 2, 5, 0.25, 0.25, 0.0, 0)),
        (b"T", TREE.pack(2, 2, 5.0, 5.0) + TREE.pack(1, 1, 25.0, 20.0)),
        end(8, 1020.0, 70),
    ]  # fmt: skip
    return write(tmp_path / "second.out", chunks)


# ---- Sums ----


def line_sums(profile: reader.Profile) -> Counter[tuple[str, int, str]]:
    sums: Counter[tuple[str, int, str]] = Counter()
    for line in profile.lines:
        name = profile.files[line.fid].name
        sums[name, line.line, "count"] += line.count
        sums[name, line.line, "ticks"] += line.ticks
    return sums


def call_sums(profile: reader.Profile) -> Counter[tuple[str, int, str, str]]:
    sums: Counter[tuple[str, int, str, str]] = Counter()
    for call in profile.calls:
        name = profile.files[call.fid].name
        sums[name, call.line, call.called, "count"] += call.count
        for unit in ("incl", "excl", "reci"):
            sums[name, call.line, call.called, unit] += round(getattr(call, unit) * SECOND)
    return sums


def path_sums(profile: reader.Profile) -> Counter[tuple[tuple[str, ...], str]]:
    sums: Counter[tuple[tuple[str, ...], str]] = Counter()
    paths: list[tuple[str, ...]] = []
    for i, node in enumerate(profile.tree):
        paths.append((*paths[node.parent], node.name) if i else ())
        sums[paths[i], "incl"] += round(node.incl)
        sums[paths[i], "excl"] += round(node.excl)
    return sums


def test_lines_calls_and_paths_are_summed(first: Path, second: Path, tmp_path: Path) -> None:
    a, b = reader.read(first), reader.read(second)
    both = merged([first, second], tmp_path / "both.out")
    assert line_sums(both) == line_sums(a) + line_sums(b)
    assert call_sums(both) == call_sums(a) + call_sums(b)
    assert path_sums(both) == path_sums(a) + path_sums(b)
    assert both.subs["a::f"].depth == 3
    assert sorted(f.name for f in both.files.values()) == ["(builtins)", "/src/a.py", "/src/new.py"]
    assert both.header.duration == a.header.duration + b.header.duration
    assert [p.pid for p in both.processes] == [7, 8]


def test_the_header_is_of_all(first: Path, second: Path, tmp_path: Path) -> None:
    both = merged([second, first], tmp_path / "both.out")
    assert both.attributes["basetime"] == "10"
    assert both.attributes["application"] == "a.py (2 runs)"
    assert both.attributes["cumulative_overhead_ticks"] == str(SECOND // 2 + 70)
    assert both.options == {"calls": "1"}
    assert "Merged from 2 profiles" in both.comments


def test_programs_are_named_as_by_nytprofmerge(tmp_path: Path) -> None:
    made = [
        write(tmp_path / f"{i}.out", [header(i, 10.0 + i, application=name),
                                      file(1, "/a"), end(i, 20.0 + i)])
        for i, name in enumerate(["b", "a", "c", "a"], 1)
    ]  # fmt: skip
    both = merged(made, tmp_path / "both.out")
    assert both.attributes["application"] == "a (2 runs), b and c"


def test_order_makes_no_difference(first: Path, second: Path, tmp_path: Path) -> None:
    results = set()
    for order in itertools.permutations([first, second, FORK, CHILD]):
        out = tmp_path / "out"
        convert.merge(order, out)
        results.add(out.read_bytes())
    assert len(results) == 1


def test_one_profile_stays_what_it_is(first: Path, tmp_path: Path) -> None:
    before = reader.read(first)
    after = merged([first], tmp_path / "one.out")
    assert line_sums(after) == line_sums(before)
    assert after.subs == before.subs
    assert after.calls == before.calls
    assert after.files == before.files
    assert after.attributes == before.attributes
    assert after.comments[0] == before.comments[0]


def counts_of(path: Path, thread: int = 0) -> dict[int, int]:
    return {one.line: one.count for one in reader.read(path, thread=thread).lines if one.count}


def test_lines_stay_with_their_process(tmp_path: Path) -> None:
    out = tmp_path / "out"
    convert.merge([FORK, CHILD], out)
    assert counts_of(out, 17497) == counts_of(FORK)
    assert counts_of(out, 17498) == counts_of(CHILD)
    again = tmp_path / "again"  # a process that came twice has one sum
    convert.merge([out, CHILD], again)
    assert counts_of(again, 17497) == counts_of(FORK)
    assert counts_of(again, 17498) == {line: 2 * n for line, n in counts_of(CHILD).items()}


@pytest.mark.parametrize("n", [64, 65])
def test_lines_of_very_many_processes_are_one_sum(n: int, tmp_path: Path) -> None:
    for number in range(1, n + 1):
        chunks = [header(number, number), file(1, "/a.py"), times((1, number, number, number)),
                  end(number, number + 1)]  # fmt: skip
        write(tmp_path / f"{number}.out", chunks)
    out = tmp_path / "out"
    convert.merge(list(tmp_path.glob("*.out")), out)
    assert counts_of(out) == {number: number for number in range(1, n + 1)}
    assert faults(out) == []
    assert counts_of(out, 1) == ({1: 1} if n == 64 else counts_of(out))
    assert counts_of(out, 7) == ({7: 7} if n == 64 else {})


def test_the_result_may_be_one_of_the_inputs(first: Path, second: Path, tmp_path: Path) -> None:
    apart = merged([first, second], tmp_path / "apart.out")
    assert line_sums(merged([first, second], first)) == line_sums(apart)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["apart.out", "first.out", "second.out"]


def test_blocks_stay_blocks(tmp_path: Path) -> None:
    source = PERL / "blocks1.out"
    convert.merge([source, source], tmp_path / "twice.out")
    once, twice = (convert.to_model(p, tmp_path / f"{i}.json").read_text()
                   for i, p in enumerate([source, tmp_path / "twice.out"]))  # fmt: skip
    assert '"block"' in once and '"block"' in twice
    assert reader.read(tmp_path / "twice.out").header.blocks


def test_memory_goes_with_lines_and_not_with_records(tmp_path: Path) -> None:
    many = 10**7
    paths = [
        write(tmp_path / f"{pid}.out", [header(pid, 10.0), file(1, "/a"), times((1, 1, many, many)),
                                        end(pid, 200.0)])
        for pid in (1, 2)
    ]  # fmt: skip
    both = merged(paths, tmp_path / "both.out")
    assert [(line.count, line.ticks) for line in both.lines] == [(2 * many, 2 * many)]


# ---- What is matched, and what is not ----


def small(
    path: Path, pid: int, name: str, lines: tuple[str, ...], subs: bytes, flags: int = 0x32
) -> Path:
    return write(path, [header(pid, 10.0 + pid), file(1, name, lines, flags), (b"D", subs),
                        times((1, 1, 1, 10)),
                        (b"C", CALLS.pack(1, 1, 0, 1, pid, 1e-6, 1e-6, 0.0, 0)),
                        (b"T", TREE.pack(1, 1, 10.0, 10.0)), end(pid, 11.0 + pid)])  # fmt: skip


def test_subs_of_one_name_in_two_files_stay_two(tmp_path: Path) -> None:
    paths = [
        small(tmp_path / "1", 1, "/x/prog.py", ("x\n",), sub(1, 1, 1, 1, "__main__::f")),
        small(tmp_path / "2", 2, "/y/other one.py", ("y\n",), sub(1, 1, 1, 1, "__main__::f")),
        small(tmp_path / "3", 3, "/z/prog.py", ("z\n",), sub(1, 1, 1, 1, "__main__::f")),
        small(tmp_path / "4", 4, "/a/prog.py", ("z\n",), sub(1, 1, 1, 1, "__main__::f")),
    ]
    both = merged(paths, tmp_path / "both.out")
    assert {name: (both.files[s.fid].name, s.calls) for name, s in both.subs.items()} == {
        "__main__::f": ("/x/prog.py", 1),
        "__main__::f@other_one.py": ("/y/other one.py", 2),
        "__main__::f@prog.py": ("/z/prog.py", 3),
        "__main__::f@prog.py.2": ("/a/prog.py", 4),
    }
    assert {node.name for node in both.tree[1:]} == set(both.subs)


def test_texts_from_no_file_are_told_apart_by_what_they_say(tmp_path: Path) -> None:
    """Each child that ran `python -c` has a "(-c)" of its own."""
    paths = [
        small(tmp_path / str(i), i, "(-c)", (text,), sub(1, 1, 1, 1, "__main__::f"), 0x132)
        for i, text in enumerate(("work()\n", "rest()\n", "work()\n", "play()\n"), 1)
    ]
    done = convert.merge(paths, tmp_path / "both.out")
    both = reader.read(tmp_path / "both.out")
    assert done.notes == []
    assert {f.name: f.source for f in both.files.values()} == {
        "(-c)": {1: "work()\n"}, "(-c)-1": {1: "rest()\n"}, "(-c)-2": {1: "play()\n"}
    }  # fmt: skip
    assert sorted(line.count for line in both.lines) == [1, 1, 2]


def test_a_c_function_is_one_wherever_it_was_put(tmp_path: Path) -> None:
    paths = [
        small(tmp_path / "1", 1, "/a.pl", ("x\n",), sub(1, 1, 0, 0, "List::Util::sum")),
        small(tmp_path / "2", 2, "/b.pl", ("y\n",), sub(1, 1, 0, 0, "List::Util::sum")),
    ]
    both = merged(paths, tmp_path / "both.out")
    assert [(s.name, s.calls) for s in both.subs.values()] == [("List::Util::sum", 3)]


def test_other_lines_and_other_text_draw_one_warning_each(tmp_path: Path) -> None:
    paths = [
        small(tmp_path / "1", 1, "/a.py", ("old\n",), sub(1, 1, 1, 1, "a::f")),
        small(tmp_path / "2", 2, "/a.py", ("new\n",), sub(1, 1, 1, 2, "a::f")),
        small(tmp_path / "3", 3, "/a.py", ("newer\n",), sub(1, 1, 1, 3, "a::f")),
    ]
    done = convert.merge(reversed(paths), tmp_path / "both.out")
    assert done.notes == [
        (True, str(paths[1]), "the file /a.py has another text here: the first one stays"),
        (True, str(paths[1]), "the sub a::f is on lines 1 to 2 here: it stays on 1 to 1"),
    ]
    both = reader.read(tmp_path / "both.out")
    assert faults(tmp_path / "both.out") == []
    assert both.files[1].source == {1: "old\n"}
    assert (both.subs["a::f"].last, both.subs["a::f"].calls) == (1, 6)


def test_another_scale_is_converted(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "1", [header(1, 10.0), file(1, "/a"), times((1, 1, 1, 10)), end(1, 11.0)]),
        write(tmp_path / "2", [header(2, 20.0, ticks_per_sec="1000"), file(1, "/a"),
                               times((1, 1, 1, 7)), end(2, 21.0, 3)]),
    ]  # fmt: skip
    done = convert.merge(paths, tmp_path / "both.out")
    assert [note.text for note in done.notes] == [
        "times in 1/1000 s are made times in 1/10000000 s"
    ]
    both = reader.read(tmp_path / "both.out")
    assert both.lines[0].ticks == 10 + 7 * SECOND // 1000
    assert both.attributes["cumulative_overhead_ticks"] == str(3 * SECOND // 1000)


def eval_file(fid: int, number: int, text: str) -> tuple[bytes, bytes]:
    token, payload = file(fid, f"(eval {number})[/a:3]", (text,))
    parent = (1).to_bytes(4, "little") + (3).to_bytes(4, "little")
    return token, payload[:4] + parent + payload[12:]


def test_evals_are_matched_by_place_and_source(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "1", [header(1, 10.0), file(1, "/a"), eval_file(2, 1, "x"),
                               times((2, 1, 1, 10)), end(1, 11.0)]),
        write(tmp_path / "2", [header(2, 20.0), file(1, "/a"), eval_file(2, 1, "y"),
                               eval_file(3, 2, "x"), times((2, 1, 1, 100), (3, 1, 1, 1000)),
                               end(2, 21.0)]),
    ]  # fmt: skip
    both = merged(paths, tmp_path / "both.out")
    by_source = {f.source[1]: f for f in both.files.values() if f.is_eval}
    ticks = {line.fid: line.ticks for line in both.lines}
    assert ticks[by_source["x"].fid] == 1010
    assert ticks[by_source["y"].fid] == 100
    names = [f.name for f in by_source.values()]
    assert len(set(names)) == 2 and all(n.endswith(")[/a:3]") for n in names)


def test_different_options_stay_those_of_the_first(tmp_path: Path) -> None:
    done = convert.merge([CHILD, FORK], tmp_path / "both.out")
    assert done.complete
    assert [tuple(note) for note in done.notes] == [
        (False, str(CHILD), "option 'forkdepth' is '-2' here and stays '-1'")
    ]


# ---- As nytprofmerge, where it is right ----


def callers(profile: reader.Profile) -> set[tuple[str, int, str, int, str]]:
    return {(profile.files[c.fid].name, c.line, c.called, c.depth, c.caller) for c in profile.calls}


def same_numbers(ours: reader.Profile, theirs: reader.Profile) -> None:
    assert call_sums(ours) == call_sums(theirs)
    assert callers(ours) == callers(theirs)
    assert path_sums(ours) == path_sums(theirs)
    assert {f.name: f.source for f in ours.files.values() if not f.merged_into} == {
        f.name: f.source for f in theirs.files.values() if not f.merged_into
    }
    ignored = {"total_stmts_measured", "total_stmts_discounted"}
    assert {k: v for k, v in ours.attributes.items() if k not in ignored} == {
        k: v for k, v in theirs.attributes.items() if k not in ignored
    }
    assert [(p.pid, p.start, p.end) for p in ours.processes] == [
        (p.pid, p.start, p.end) for p in theirs.processes
    ]


PAIRS = [(FORK, CHILD), *((PERL / f"{name}.out",) * 2 for name in (
    "packages", "recursion", "utf8-greek", "xsubs", "demo", "calls0", "slowops1"))]  # fmt: skip


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: str(pair[0].stem))
def test_numbers_are_those_of_nytprofmerge(pair: tuple[Path, Path], tmp_path: Path) -> None:
    convert.merge(pair, tmp_path / "ours.out")
    perl("nytprofmerge", "-o", tmp_path / "theirs.out", *pair)
    ours, theirs = reader.read(tmp_path / "ours.out"), reader.read(tmp_path / "theirs.out")
    assert faults(tmp_path / "ours.out") == []
    same_numbers(ours, theirs)
    apart = line_sums(reader.read(pair[0])) + line_sums(reader.read(pair[1]))
    got, perls = line_sums(ours), line_sums(theirs)
    assert {k: v for k, v in got.items() if k[2] == "ticks"} == {
        k: v for k, v in perls.items() if k[2] == "ticks"
    }
    assert +got == +apart
    # Perl's own profiles end with a DISCOUNT that nothing follows. nytprofmerge copies it, and
    # the first statement of the next input is not counted.
    assert sum((+got - perls).values()) <= 1


@pytest.mark.parametrize("pair", PAIRS[:3], ids=lambda pair: str(pair[0].stem))
def test_perls_tools_take_the_result(pair: tuple[Path, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    convert.merge(pair, out)
    assert perl("nytprofcsv", "--file", out, "--out", tmp_path / "csv").stderr == ""
    assert perl("nytprofcalls", out).stderr == ""
    assert perl("nytprofcg", "--file", out, "--out", tmp_path / "cg").stderr == ""
    usual = ("Extracting", "Generating subroutine stack flame graph")
    done = perl("nytprofhtml", "--file", out, "--out", tmp_path / "html")
    assert [line for line in done.stderr.splitlines() if not line.startswith(usual)] == []


def test_real_runs_add_up(tmp_path: Path) -> None:
    program = tmp_path / "prog.py"
    program.write_text(
        "import sys\ndef f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)\n"
        "for i in range(int(sys.argv[1])):\n    f(5)\n"
    )
    runs = []
    for times_ in ("3", "40"):
        runs.append(tmp_path / f"{times_}.out")
        words = ["-m", "pynytprof", "-q", "-o", str(runs[-1]), str(program), times_]
        subprocess.run([sys.executable, *words], check=True)
    both = merged(runs, tmp_path / "both.out")
    counts = {line.line: line.count for line in both.lines
              if both.files[line.fid].name == str(program)}  # fmt: skip
    assert (counts[3], counts[5]) == (43 * 15, 43)
    assert both.subs["__main__::f"].calls == 43 * 15


# ---- Incomplete inputs, and the doors ----


def test_what_breaks_off_is_merged_as_far_as_it_goes(first: Path, tmp_path: Path) -> None:
    killed = PERL / "killed-compress6.out"
    done = convert.merge([first, killed], tmp_path / "both.out")
    assert not done.complete
    assert all(note.path == str(killed) for note in done.notes if note.lossy)
    assert faults(tmp_path / "both.out") == []
    both = reader.read(tmp_path / "both.out")
    whole, part = reader.read(first), reader.read(killed)
    assert line_sums(both) == line_sums(whole) + line_sums(part)


def run(door: Door, *words: str | Path) -> tuple[int, str]:
    done = door.run(*words)
    assert done.stdout == ""
    return done.returncode, done.stderr


def test_exit_status(door: Door, first: Path, second: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(door, "merge", "-o", out, first, second) == (0, "")
    assert faults(out) == []
    before = out.read_bytes()
    assert door.complaint("merge", first, second) == "merge requires -o FILE"
    for unreadable in (tmp_path / "nowhere", GOLDEN / "odd" / "hdr-major6.out"):
        status, talk = run(door, "merge", "-o", out, first, unreadable)
        assert (status, talk.startswith(f"{door.name}: {unreadable}: ")) == (3, True)
    assert out.read_bytes() == before
    status, talk = run(door, "merge", "-o", out, first, PERL / "killed-compress0.out")
    assert (status, "did not end" in talk) == (4, True)
    assert run(door, "merge", "-q", "-o", out, FORK, CHILD) == (0, "")
    assert run(door, "merge", "-o", tmp_path / "no" / "out", first)[0] == 4
    assert sorted(p.name for p in tmp_path.iterdir()) == ["first.out", "out", "second.out"]


def test_the_command_writes_what_the_function_does(
    door: Door, first: Path, second: Path, tmp_path: Path
) -> None:
    assert run(door, "merge", "-o", tmp_path / "command", second, first) == (0, "")
    convert.merge([first, second], tmp_path / "function")
    assert (tmp_path / "command").read_bytes() == (tmp_path / "function").read_bytes()
    piped = door.raw("merge", "-o", "-", first, second)
    assert (piped.returncode, piped.stdout) == (0, (tmp_path / "command").read_bytes())


def test_nothing_to_merge_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="nothing to merge"):
        convert.merge([], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
