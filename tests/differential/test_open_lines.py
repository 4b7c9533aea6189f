"""A line that was open when profiling began has time, but was never started: nobody counts it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from support import TRACERS, run
from test_perl_tools import complaints
from views import View, perl_commands

from pynytprof import convert, reader, verify

# Line 6 is open when profiling begins and sleeps; so is line 9, which may take a tick or none.
PROGRAM = """\
import sys
import time
from pynytprof import Tracer
tracer = Tracer(sys.argv[1])
def begin():
    tracer.start(); time.sleep(0.02)
    return 1
def main():
    begin()
    time.sleep(0.001)
    tracer.stop()
main()
"""
OPEN, COUNTED = (6, 9), {7: 1, 10: 1, 11: 1}


@pytest.fixture(params=[f"{tracer}-{writer}" for tracer in TRACERS for writer in ("c", "py")])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    tracer, writer = request.param.split("-")
    program, out = tmp_path / "program.py", tmp_path / "nytprof.out"
    program.write_text(PROGRAM, encoding="utf-8")
    done = run([sys.executable, program, out], PYNYTPROF_TRACER=tracer, PYNYTPROF_WRITER=writer)
    assert (done.returncode, done.stderr) == (0, "")
    return out


def lines_of(path: Path) -> dict[int, tuple[int, float]]:
    """(count, seconds) of the lines of the program."""
    profile = reader.read(path)
    (fid,) = [file.fid for file in profile.files.values() if file.name.endswith("/program.py")]
    return {line.line: (line.count, line.time) for line in profile.lines if line.fid == fid}


def test_our_tools_count_no_execution(made: Path, tmp_path: Path) -> None:
    lines = lines_of(made)
    assert {line: lines[line][0] for line in COUNTED} == COUNTED
    assert [lines[line][0] for line in OPEN if line in lines] in ([0], [0, 0])
    assert lines[6][1] >= 0.02
    assert verify.findings(made).worst is None
    summary = json.loads(convert.summary(made, json=True, top=1000))
    assert summary["statements"] == sum(COUNTED.values())
    (csv,) = convert.to_nytprofcsv(made, tmp_path / "csv").glob("*program-py*")
    rows = [row.split(",", 3) for row in csv.read_text("utf-8").splitlines() if row[0] != "#"]
    assert [row[1] for row in rows if "tracer.start()" in row[3]] == ["0"]
    text = convert.to_json(made, tmp_path / "json").read_text("utf-8")
    assert sum(line["count"] for line in json.loads(text)["lines"]) == sum(COUNTED.values())


def test_merged_with_itself_it_has_no_count_either(made: Path, tmp_path: Path) -> None:
    convert.merge([made, made], tmp_path / "merged.out")
    merged = lines_of(tmp_path / "merged.out")
    assert {line: count for line, (count, _) in merged.items()} == {
        line: 2 * count for line, (count, _) in lines_of(made).items()
    }
    assert verify.findings(tmp_path / "merged.out").worst is None


def test_perls_tools_take_it_in_silence(made: Path, tmp_path: Path) -> None:
    for command in perl_commands(made, tmp_path):
        done = run(command, cwd=tmp_path)
        assert (done.returncode, complaints(done.stderr)) == (0, []), command[0]
    for path in (made, tmp_path / "merged.out"):
        counts = View(path).line_counts()
        ours = {line: count for (file, line), count in counts.items() if "program.py" in file}
        assert {line: ours.get(line, 0) for line in (*OPEN, *COUNTED)} == {
            **dict.fromkeys(OPEN, 0), **COUNTED
        }  # fmt: skip
    index = (tmp_path / "html" / "index.html").read_text("utf-8")
    # As on Perl's own profiles that began in the middle of a statement.
    (unaccounted,) = re.findall(r"\(-(\d+) statements are unaccounted for\)", index)
    assert int(unaccounted) == sum(count == 0 for count, _ in lines_of(made).values())
