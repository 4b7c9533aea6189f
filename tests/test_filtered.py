"""Profiles of some files only: what is left out is a part of the lines that called it."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
import subprocess
from pathlib import Path

import pytest
from doors import Door
from support import profiling, run

from pynytprof import convert
from pynytprof.reader import Profile, read

MAIN = """\
import threading
import layer

def back(n):
    return sum(range(n)) + own(n)

def own(n):
    total = 0
    for i in range(n):
        total += i
    return total

def through(n):
    return layer.pass_on(back, n)

for n in range(50):
    through(n)
thread = threading.Thread(target=own, args=(500,))
thread.start()
thread.join()
own(7)
"""
LAYER = """\
def pass_on(function, n):
    busy(n)
    return sorted(deeper(function, n) for _ in range(2))[0]

def deeper(function, n):
    return function(n)

def busy(n):
    count = 0
    for _ in range(n * 20):
        count += 1
    return count
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filtered")
    (folder / "main.py").write_text(MAIN)
    (folder / "layer.py").write_text(LAYER)
    # Raw: what lines and subs have to pay for our events cannot bring some of them to 0.
    done = run([*profiling(["--raw"]), "main.py"], folder)
    assert done.returncode == 0, done.stderr
    return folder / "nytprof.out"


@pytest.fixture(scope="module")
def whole(path: Path) -> Profile:
    return read(path)


@pytest.fixture(scope="module")
def part(path: Path) -> Profile:
    return read(path, only=["main.py"])


def line(profile: Profile, text: str) -> tuple[int, float]:
    (found,) = (one for one in profile.lines if (one.source or "").strip() == text)
    return found.count, found.time


def sub(profile: Profile, name: str) -> tuple[int, float, float]:
    found = profile.subs[name]
    return found.calls, found.excl, found.incl


def test_only_what_is_shown_is_left(whole: Profile, part: Profile) -> None:
    assert {one.file.name for one in part.lines if one.file} == {
        str(Path(whole.path).parent / "main.py")
    }
    names = set(part.subs)
    assert {"__main__::back", "__main__::own", "builtins::sum"} <= names
    assert not any(name.startswith("layer::") for name in names)
    assert "builtins::sorted" in whole.subs and "builtins::sorted" not in names
    assert part.header.calls == sum(part.subs[name].calls for name in names) < whole.header.calls


def test_counts_stay_and_the_time_goes_to_the_line_that_called(
    whole: Profile, part: Profile
) -> None:
    for text in ("total += i", "return sum(range(n)) + own(n)"):
        assert line(part, text) == line(whole, text)
    calls, time = line(part, "return layer.pass_on(back, n)")
    left_out = {name for name in whole.subs if name.startswith("layer::") and "(" not in name}
    assert len(left_out) == 4
    below = sum(whole.subs[name].excl for name in (*left_out, "builtins::sorted"))
    assert calls == 50
    own = line(whole, "return layer.pass_on(back, n)")[1]
    assert time == pytest.approx(own + below, rel=0.001, abs=1e-6)


def test_subs_called_by_way_of_what_is_left_out_are_called_by_what_is_not(part: Profile) -> None:
    (call,) = part.subs["__main__::back"].callers
    assert (call.caller, call.line, call.count) == ("__main__::through", 14, 100)
    assert sub(part, "__main__::back")[0] == 100


def test_inclusive_times_stay(whole: Profile, part: Profile) -> None:
    for name in ("__main__::back", "__main__::own", "__main__::through"):
        assert sub(part, name)[2] == pytest.approx(sub(whole, name)[2])
        assert sub(part, name)[1] >= sub(whole, name)[1]


def collapsed(door: Door, path: Path, *words: str) -> dict[str, int]:
    text = door.run("convert", "--to", "collapsed", *words, path).stdout
    return {
        stack: int(ticks) for stack, _, ticks in (one.rpartition(" ") for one in text.splitlines())
    }


def test_the_call_tree_keeps_the_time_below_what_is_shown(door: Door, path: Path) -> None:
    whole, part = collapsed(door, path), collapsed(door, path, "--only", "main.py")
    assert not any("layer" in stack for stack in part)
    assert any(stack.endswith("__main__::through;__main__::back") for stack in part)
    roots = sum(ticks for stack, ticks in whole.items() if stack.startswith("__main__"))
    assert sum(part.values()) == pytest.approx(roots, rel=0.01)


FORMATS = ["callgrind", "csv", "dot", "json", "lcov", "speedscope", "cpuprofile", "collapsed"]


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_shows_what_is_left_alone(name: str, nytprof: Door, path: Path) -> None:
    done = nytprof.run("convert", "--to", name, "--exclude", "layer.py", path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "main.py" in done.stdout or "__main__" in done.stdout
    assert "layer::" not in done.stdout and "count += 1" not in done.stdout


def test_scopes_are_those_of_profiling(nytprof: Door, path: Path) -> None:
    text = nytprof.run("convert", "--to", "csv", "--scope", "project", path).stdout
    files = {row["file"] for row in csv.DictReader(io.StringIO(text))}
    assert {Path(name).name for name in files} == {"main.py", "layer.py"}


def test_info_counts_what_is_left(door: Door, path: Path) -> None:
    whole = json.loads(door.run("info", "--json", path).stdout)
    part = json.loads(door.run("info", "--json", "--only", "main.py", path).stdout)
    assert 0 < part["statements"] < whole["statements"]
    assert 0 < part["calls"] < whole["calls"]
    assert "Only some of its files" in door.run("info", "--only", "main.py", path).stdout


def test_func_is_looked_for_among_what_is_shown(door: Door, path: Path) -> None:
    text = door.run("func", "back", "--only", "main.py", path).stdout
    assert "called 100 times" in text and "builtins::sum" in text and "layer" not in text
    assert "layer.py:6" in door.run("func", "back", path).stdout
    done = door.run("func", "back", "--exclude", "main.py", path)
    assert done.returncode == 2
    assert "no function 'back' in what --only, --exclude and --scope leave" in done.stderr


def test_source_tells_callers_that_are_shown(door: Door, path: Path) -> None:
    text = door.run("source", "main.py", "--only", "main.py", path).stdout
    lines = [one.strip() for one in text.splitlines()]
    at = next(i for i, one in enumerate(lines) if one.startswith("# __main__::back was called"))
    assert lines[at + 1] == "#   and from 1 other place"
    assert door.run("source", "layer.py", "--only", "main.py", path).returncode == 2


def test_a_diff_of_some_files_sees_no_others(door: Door, path: Path, tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text(MAIN)
    (tmp_path / "layer.py").write_text(LAYER.replace("n * 20", "n * 21"))
    assert run([*profiling(), "main.py"], tmp_path).returncode == 0
    after = tmp_path / "nytprof.out"
    assert "layer.py:10" in door.run("diff", path, after).stdout
    done = door.run("diff", "--only", "main.py", path, after)
    assert done.returncode == 0
    assert done.stdout.splitlines()[1].startswith("No difference in work")
    met = door.run("diff", "--fail-if", "lines.count>+0", path, after)
    assert met.returncode == 1
    met = door.run("diff", "--only", "main.py", "--fail-if", "lines.count>+0", path, after)
    assert met.returncode == 0


def test_the_page_has_what_is_left_alone(nytprof: Door, path: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert nytprof.run("html", "--only", "main.py", "-o", page, path).returncode == 0
    text = page.read_text()
    assert "through" in text and "layer::busy" not in text
    assert nytprof.run("html", "-o", page, path).returncode == 0
    assert "layer::busy" in page.read_text()


@pytest.mark.parametrize(
    "words",
    [("summary",), ("tree",), ("explain",), ("info",), ("html", "-o", "page.html"),
     ("convert", "--to", "csv"), ("func", "back"), ("source", "main.py")],
)  # fmt: skip
def test_a_filter_that_leaves_nothing_is_said(
    words: tuple[str, ...], nytprof: Door, path: Path, tmp_path: Path
) -> None:
    done = nytprof.run(*words, "--only", "nothing.py", path, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "no file of this profile is left by --only, --exclude and --scope" in done.stderr


@pytest.mark.parametrize("command", ["merge", "recover", "verify", "dump"])
def test_where_there_is_nothing_to_choose_the_error_says_where_there_is(
    command: str, nytprof: Door, path: Path
) -> None:
    done = nytprof.run(command, "--only", "main.py", path)
    assert done.returncode == 2
    assert f"{command} has no option '--only', but html, summary, func, " in done.stderr
    done = nytprof.run("html", "--perl", "--scope", "project", path)
    assert done.returncode == 2 and "Perl's report is of the whole profile" in done.stderr


def threads(whole: Profile) -> list[int]:
    return [process.pid for process in whole.processes]


def test_lines_of_one_thread_in_other_formats(nytprof: Door, path: Path, whole: Profile) -> None:
    counts = []
    for number in threads(whole):
        done = nytprof.run("convert", "--to", "csv", "--thread", str(number), path)
        assert done.returncode == 0
        rows = csv.DictReader(io.StringIO(done.stdout))
        counts.append(sum(int(r["count"]) for r in rows if r["source"].strip() == "total += i"))
        alone = read(path, thread=number)
        assert line(alone, "total += i")[0] == counts[-1]
    assert counts[1:] == [500]
    assert sum(counts) == line(whole, "total += i")[0]


def test_calls_of_one_thread_are_not_known_and_that_is_said(
    nytprof: Door, path: Path, whole: Profile
) -> None:
    number = str(threads(whole)[1])
    done = nytprof.run("func", "own", "--thread", number, path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Calls, imports and waits are known of all threads together only" in done.stdout
    assert re.search(r" 500 +\d+ +total \+= i", done.stdout)
    done = nytprof.run("convert", "--to", "speedscope", "--thread", number, path)
    assert done.returncode == 4
    assert "calls are known of all threads together only: lines are shown" in done.stderr
    assert (
        "tree has no option '--thread', but " in nytprof.run("tree", "--thread", "1", path).stderr
    )


FORKS = """\
import asyncio, os, sys, threading

def work(n):
    total = 0
    for i in range(n):
        total += i
    return total

async def wait():
    await asyncio.sleep(0.001)

def threads(a, b):
    one = threading.Thread(target=work, args=(a,))
    one.start()
    work(b)
    one.join()

for size in (300, 7000):
    child = os.fork()
    if child == 0:
        threads(size, size + 11)
        os._exit(0)
    os.waitpid(child, 0)
threads(50, 60)
asyncio.run(wait())
"""


@pytest.fixture(scope="module")
def forks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("forks")
    (folder / "main.py").write_text(FORKS)
    done = run([*profiling(["--merge"]), "main.py"], folder)
    assert done.returncode == 0, done.stderr
    return folder / "nytprof.out"


def test_a_process_has_the_lines_of_its_threads(nytprof: Door, forks: Path) -> None:
    whole = read(forks)
    owners = {one.pid: one.process for one in whole.processes}
    processes = sorted(pid for pid, owner in owners.items() if pid == owner)
    assert len(owners) == 6 and len(processes) == 3
    turns = {}
    for process in processes:
        of_threads = [line(read(forks, thread=one), "total += i")[0]
                      for one, owner in owners.items() if owner == process]  # fmt: skip
        alone = read(forks, process=process)
        turns[process] = line(alone, "total += i")[0]
        assert turns[process] == sum(of_threads) and len(of_threads) == 2
        assert alone.awaits == [] != whole.awaits
        text = nytprof.run("source", "--process", str(process), "main.py", forks).stdout
        assert re.search(rf"^.* {turns[process]:,} +6          total \+= i$", text, re.M)
    assert sorted(turns.values()) == [110, 611, 14011]
    assert sum(turns.values()) == line(whole, "total += i")[0]


def test_formats_of_one_process_claim_nothing_of_its_calls(nytprof: Door, forks: Path) -> None:
    first = str(read(forks).processes[0].pid)
    made = {}
    for name in ("json", "csv", "lcov"):
        done = nytprof.run("convert", "--to", name, "--process", first, forks)
        assert (
            done.returncode == 0 and "calls are known of all threads together only" in done.stderr
        )
        made[name] = done.stdout
    report = json.loads(made["json"])
    assert report["call_count"] is None and report["calls"] == []
    assert all("inclusive_seconds" not in one for one in report["lines"])
    rows = list(csv.DictReader(io.StringIO(made["csv"])))
    assert rows and all(row["inclusive_seconds"] == "" for row in rows)
    assert "\nDA:6," in made["lcov"] and "FN:" not in made["lcov"] and "FNF:0" in made["lcov"]
    whole = json.loads(nytprof.run("convert", "--to", "json", forks).stdout)
    assert {one["id"]: one["process_id"] for one in whole["processes"]} == {
        one.pid: one.process for one in read(forks).processes
    }
    assert any(one["inclusive_seconds"] > one["exclusive_seconds"] for one in whole["lines"])


def test_what_is_one_process_says_what_it_lacks(nytprof: Door, forks: Path) -> None:
    first = str(read(forks).processes[0].pid)
    text = nytprof.run("summary", forks).stdout
    assert ", 3 processes with 6 threads that took " in text.replace("\n", " ")
    assert "--thread ID or --process ID shows one" in text
    for words in (["summary"], ["source", "main.py"], ["func", "work"], ["explain"]):
        text = nytprof.run(*words, "--process", first, forks).stdout.replace("\n", " ")
        assert text.count("Calls, imports and waits are known of all threads together only") == 1
        assert "waited" not in text and "called" not in text and " 0 calls" not in text
    done = nytprof.run("source", "--process", "1", "main.py", forks)
    assert done.returncode == 2 and f": no process 1 in this profile, but {first}, " in done.stderr
    assert nytprof.complaint("func", "--process=1", "--thread=1", "work", forks) == (
        "--thread and --process exclude each other"
    )
    with pytest.raises(LookupError, match="no process 1"):
        read(forks, process=1)


def test_merged_profiles_without_a_list_of_processes_are_refused(
    nytprof: Door, forks: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old.out"
    plain = tmp_path / "plain.out"
    convert.merge([forks], plain, compress=0)
    listed = re.search(rb"#Processes: [0-9 ]+\n", plain.read_bytes())
    assert listed
    old.write_bytes(plain.read_bytes().replace(listed[0], b""))
    assert nytprof.run("verify", old).returncode == 0
    for process in read(forks).processes[:2]:
        done = nytprof.run("summary", "--process", str(process.pid), old)
        assert done.returncode == 2
        assert "it does not tell which threads are whose" in done.stderr
    with pytest.raises(LookupError, match="which threads are whose"):
        read(old, process=read(old).processes[0].pid)


def test_awaits_of_what_is_left_out_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "layer.py").write_text(
        "import asyncio\nasync def pause():\n    await asyncio.sleep(0)\n"
    )
    (tmp_path / "main.py").write_text(
        "import asyncio, layer\nasync def main():\n    await layer.pause()\nasyncio.run(main())\n"
    )
    assert run([*profiling(), "main.py"], tmp_path).returncode == 0
    path = tmp_path / "nytprof.out"
    files = {one.fid: Path(one.name).name for one in read(path).files.values()}
    assert {files[one.fid] for one in read(path).awaits} >= {"layer.py", "main.py"}
    assert {files[one.fid] for one in read(path, only=["main.py"]).awaits} == {"main.py"}


def test_wrong_arguments(path: Path) -> None:
    with pytest.raises(LookupError, match="no thread 999999999"):
        read(path, thread=999999999)
    with pytest.raises(KeyError):
        read(path, scope="nothing")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="too many patterns"):
        read(path, only=["x"] * 101)


def test_perl_profiles_are_narrowed_too(nytprof: Door) -> None:
    golden = Path(__file__).parent / "golden" / "perl"
    for name in itertools.islice(sorted(golden.glob("*.out")), 40):
        done = nytprof.run("convert", "--to", "callgrind", "--only", "*.pl", name)
        assert done.returncode in (0, 2, 3, 4), done.stderr
        assert not isinstance(done, subprocess.TimeoutExpired)
