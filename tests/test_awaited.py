"""Awaited time: how often lines of coroutines were suspended, and for how long."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from doors import Door
from process import WORK, profile
from support import run

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


def test_perls_tools_take_it_silently(awaited: Path, tmp_path: Path) -> None:
    program = shutil.which("nytprofcsv")
    assert program, "needs Debian's libdevel-nytprof-perl"
    done = run([program, "--file", awaited, "--out", tmp_path / "csv"])
    assert done.returncode == 0
    assert "awaited" not in done.stdout + done.stderr
