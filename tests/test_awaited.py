"""Awaited time: how often lines of coroutines were suspended, and for how long."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from doors import Door
from payloads import START, TIMES, end, file, string
from process import WORK, profile
from support import run
from writing import WRITERS, written

from pynytprof import reader, verify

PROGRAM = """\
import asyncio
async def pause(seconds):
    await asyncio.sleep(seconds)                    # PAUSE
async def numbers(n):
    for i in range(n):
        await pause(0.002)                          # IN_GENERATOR
        yield i                                     # YIELD: nothing that it awaits
class Twice:
    def __await__(self):
        yield from asyncio.sleep(0).__await__()     # no coroutine's line
async def cancelled():
    await asyncio.sleep(60)                         # CANCELLED
async def main():
    for _ in range(20):
        await pause(0.005)                          # CALLER
    assert [n async for n in numbers(4)] == [0, 1, 2, 3]
    await asyncio.gather(*(pause(0.01) for _ in range(30)))
    await Twice()                                   # TWICE
    task = asyncio.create_task(cancelled())
    await asyncio.sleep(0.01)                       # SLEEP
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
    coroutine = pause(0.001)                        # suspended, and never goes on
    coroutine.send(None)
    coroutine.close()
asyncio.run(main())
"""


def line_of(name: str) -> int:
    lines = (WORK + PROGRAM).splitlines()
    return next(i for i, line in enumerate(lines, 1) if f"# {name}" in line)


PAUSE, IN_GENERATOR, YIELD, CANCELLED, CALLER, TWICE, SLEEP = map(
    line_of, ("PAUSE", "IN_GENERATOR", "YIELD", "CANCELLED", "CALLER", "TWICE", "SLEEP")
)


@pytest.fixture(scope="module")
def awaited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("coroutines")
    outcome = profile(folder, PROGRAM, "c")
    assert outcome.status == 0, outcome.stderr
    assert verify.verify(folder / "nytprof.out")
    return folder / "nytprof.out"


def test_lines_have_what_they_waited_for(awaited: Path) -> None:
    loaded = reader.read(awaited)
    file = next(file for file in loaded.files.values() if file.name.endswith("prog.py"))
    found = {one.line: one for one in loaded.awaits if one.fid == file.fid}
    counts = {line: one.count for line, one in found.items()}
    # The generator's loop is in main; 20, 4 and 30 waits, and one that was closed.
    assert {PAUSE: counts.pop(PAUSE), CALLER: counts.pop(CALLER)} == {PAUSE: 55, CALLER: 20}
    assert counts.pop(IN_GENERATOR) == 4
    assert (counts.pop(CANCELLED), counts.pop(TWICE), counts.pop(SLEEP)) == (1, 1, 1)
    assert YIELD not in counts
    # An event loop may be early by the resolution of its clock.
    assert found[PAUSE].time > 0.98 * (20 * 0.005 + 4 * 0.002 + 30 * 0.01)
    assert found[CALLER].time > 0.98 * 20 * 0.005
    assert found[SLEEP].time > 0.98 * 0.01
    line = next(line for line in file.lines if line.line == PAUSE)
    assert line.awaited == found[PAUSE]
    assert next(line for line in file.lines if line.line == YIELD).awaited is None


def test_it_is_no_time_of_the_thread(awaited: Path) -> None:
    loaded = reader.read(awaited)
    file = next(file for file in loaded.files.values() if file.name.endswith("prog.py"))
    times = {line.line: line.time for line in file.lines}
    waits = {one.line: one.time for one in loaded.awaits if one.fid == file.fid}
    assert sum(times.values()) < waits[PAUSE]
    assert not [text for text in loaded.comments if text.startswith("awaited")]


def test_reports_tell_it(awaited: Path, nytprof: Door) -> None:
    text = run([*nytprof.argv, awaited]).stdout
    assert "Awaited by the project" in text and f"prog.py:{PAUSE}" in text
    said = json.loads(run([*nytprof.argv, "summary", "--json", awaited]).stdout)["sentence"]
    if "was spent waiting" in said:  # a busy machine imports for longer than that
        assert f"prog.py:{PAUSE} in __main__::pause awaited longest, " in said
    source = run([*nytprof.argv, "source", "prog.py", awaited]).stdout
    assert "# awaited 55 times (" in source
    exported = json.loads(
        run([*nytprof.argv, "convert", "--to", "json", "-o", "-", awaited]).stdout
    )
    summary = json.loads(run([*nytprof.argv, "summary", "--json", awaited]).stdout)
    assert exported["awaited"] == summary["awaited"]
    assert {(one["line"], one["count"]) for one in summary["awaited"]} >= {
        (PAUSE, 55),
        (CALLER, 20),
    }


def test_merged_profiles_have_the_sum(awaited: Path, nytprof: Door, tmp_path: Path) -> None:
    merged = tmp_path / "merged.out"
    assert run([*nytprof.argv, "merge", "-o", merged, awaited, awaited]).returncode == 0
    one, two = reader.read(awaited).awaits, reader.read(merged).awaits
    assert [a.count * 2 for a in one] == [a.count for a in two]
    assert [a.time * 2 for a in one] == pytest.approx([a.time for a in two])


HEADER = {"basetime": "10", "application": "a.py", "ticks_per_sec": "10000000", "nv_size": "8"}


def made(path: Path, *comments: str, evals: tuple[str, ...] = ()) -> Path:
    """One file, /src/a.py, and texts that line 1 of it gave to exec; each has lines 1 and 2."""
    pairs = [(f":{key}", value) for key, value in HEADER.items()]
    pairs += [("!stmts", "1"), *(("#", comment) for comment in comments)]
    head = START.pack(300, 1, 10.0) + b"".join(string(t) for pair in pairs for t in pair)
    chunks = [(b"P", head), file(1, "/src/a.py", ("a()\n", "b()\n"))]
    for fid, text in enumerate(evals, 2):
        chunks += [file(fid, f"(eval {fid - 1})[/src/a.py:1]", (text, "b()\n"), 1, 1)]
    chunks += [
        (b"S", TIMES.pack(fid, line, 0, 0, 1, 10, 10))
        for fid in range(1, 2 + len(evals))
        for line in (1, 2)
    ]
    path.write_bytes(written(WRITERS["c"], [*chunks, end(300, 30.0)], 1))
    return path


def found(path: Path) -> list[tuple[str, int, int, float]]:
    loaded = reader.read(path)
    return [
        (loaded.files[one.fid].name, one.line, one.count, round(one.time, 6))
        for one in loaded.awaits
    ]


def test_no_line_is_lost_in_profiles_of_many_processes(tmp_path: Path, nytprof: Door) -> None:
    parts = [
        made(
            tmp_path / f"{part}.out", *(f"awaited 10000000 2 {n} /src/a.py" for n in range(1, 401))
        )
        for part in range(4)
    ]
    merged = tmp_path / "merged.out"
    assert nytprof.run("merge", "-o", merged, *parts).returncode == 0
    assert found(merged) == [("/src/a.py", line, 8, 4.0) for line in range(1, 401)]
    assert merged.read_bytes().count(b"#awaited ") == 400  # one for each line


def test_merged_texts_of_exec_keep_their_own(tmp_path: Path, nytprof: Door) -> None:
    """The first of one profile is the second of the other: numbers change."""
    comment = "awaited {} 1 2 (eval 1)[/src/a.py:1]"
    one = made(tmp_path / "1.out", comment.format(10_000_000), evals=("x()\n",))
    two = made(tmp_path / "2.out", comment.format(30_000_000), evals=("y()\n",))
    merged = tmp_path / "merged.out"
    assert nytprof.run("merge", "-o", merged, one, two).returncode == 0
    loaded = reader.read(merged)
    times = {loaded.files[a.fid].lines[0].source: a.time for a in loaded.awaits}
    assert times == {"x()\n": 1.0, "y()\n": 3.0}


def test_waits_for_a_processor_are_added_up(tmp_path: Path, nytprof: Door) -> None:
    parts = [made(tmp_path / f"{n}.out", "Processor waits: 5000000 ticks") for n in range(3)]
    merged = tmp_path / "merged.out"
    assert nytprof.run("merge", "-o", merged, *parts).returncode == 0
    assert b"#Processor waits: 15000000 ticks\n" in merged.read_bytes()
    assert json.loads(nytprof.run("summary", "--json", merged).stdout)["processor_wait"] == 1.5


@pytest.mark.parametrize(
    ("comment", "rule", "status"),
    [
        ("awaited 10 1 2", "awaited-malformed", 1),
        ("awaited -10 1 2 /src/a.py", "awaited-malformed", 1),
        ("awaited 10 1 2 /src/b.py", "awaited-file-unknown", 1),
        ("awaited 10 1 0 /src/a.py", "awaited-line-0", 0),
        ("Processor waits: 10", "waits-malformed", 1),
        ("unit 1 0", "unit-malformed", 1),
        ("unit 2 0 unit::x", "unit-number", 0),
    ],
)
def test_verify_tells_where_comments_are_wrong(
    comment: str, rule: str, status: int, tmp_path: Path, nytprof: Door
) -> None:
    path = made(tmp_path / "a.out", "awaited 10 1 2 /src/a.py", comment, "a note of the run")
    told = nytprof.run("verify", "--json", path)
    assert told.returncode == status
    (finding,) = json.loads(told.stdout)["findings"]
    offset = path.read_bytes().index(f"#{comment}\n".encode())
    assert (finding["rule"], finding["offset"]) == (rule, offset)
    plain = nytprof.run("verify", "-v", path).stdout
    assert str(path) in plain and str(finding["offset"]) in plain and finding["text"] in plain


def test_perls_tools_take_it_silently(awaited: Path, tmp_path: Path) -> None:
    program = shutil.which("nytprofcsv")
    assert program, "needs Debian's libdevel-nytprof-perl"
    done = run([program, "--file", awaited, "--out", tmp_path / "csv"])
    assert done.returncode == 0
    assert "awaited" not in done.stdout + done.stderr
