"""Profiles as Python objects, judged, and as other things."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from pynytprof import _writer, convert, reader, verify
from pynytprof.verify import Severity

SECOND = 10**7

# ---- A profile, by chunks of docs/format.md ----

START, END = struct.Struct("<IId"), struct.Struct("<IdQ")
TIMES, CALLS, TREE = struct.Struct("<IIIIQQQ"), struct.Struct("<IIIIQdddI"), struct.Struct("<IIdd")


def string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<I", len(data)) + data


def file(fid: int, name: str, lines: tuple[str, ...] = ()) -> tuple[bytes, bytes]:
    head = struct.pack("<6I", fid, 0, 0, 0x32, 0, 0) + string(name)
    return b"F", head + struct.pack("<I", len(lines)) + b"".join(map(string, lines))


def sub(ident: int, fid: int, first: int, last: int, name: str) -> bytes:
    return struct.pack("<4I", ident, fid, first, last) + string(name)


HEADER = {":basetime": "10", ":application": "a.py", ":ticks_per_sec": "10000000", "!calls": "1"}

CHUNKS = [
    (b"P", START.pack(7, 1, 10.0) + string("#") + string("a note")
     + b"".join(string(key) + string(value) for key, value in HEADER.items())),
    file(1, "/src/a.py", ("def f():\n", "    len('é')\n", "f()")),
    file(2, "(builtins)"),
    (b"D", sub(1, 1, 1, 2, "a::f") + sub(2, 2, 0, 0, "builtins::len")
     + sub(3, 1, 1, 3, "a::(module)") + sub(4, 1, 9, 9, "a::idle")),
    (b"S", TIMES.pack(1, 2, 0, 0, 4, SECOND, SECOND) + TIMES.pack(1, 3, 0, 0, 1, 5, SECOND)),
    (b"C", CALLS.pack(1, 0, 0, 3, 1, 1.5, 0.5, 0, 0) + CALLS.pack(1, 3, 3, 1, 4, 1.0, 0.75, 0, 0)
     + CALLS.pack(1, 2, 1, 2, 4, 0.25, 0.25, 0.125, 2)),
    (b"T", TREE.pack(3, 2, SECOND / 4, SECOND / 4) + TREE.pack(2, 1, SECOND, SECOND * 3 / 4)
     + TREE.pack(1, 3, SECOND * 3 / 2, SECOND / 2)),
    (b"E", END.pack(7, 12.0, SECOND // 2)),
]  # fmt: skip


def write(path: Path, chunks: list[tuple[bytes, bytes]]) -> Path:
    with _writer.PyWriter(path) as writer:
        for token, payload in chunks:
            writer.write_chunk(token, payload)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(tmp_path / "a.out", CHUNKS)


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A profile without its end, compressed: cut in the middle of the stream."""
    whole = write(tmp_path / "whole.out", CHUNKS).read_bytes()
    path = tmp_path / "broken.out"
    path.write_bytes(whole[:-90])
    return path


# ---- read ----


def test_what_was_written_is_read(path: Path) -> None:
    profile = reader.read(path)
    assert profile.attributes["application"] == "a.py"
    assert profile.attributes["cumulative_overhead_ticks"] == str(SECOND // 2)
    assert profile.options == {"calls": "1"}
    assert profile.comments[0] == "a note"
    assert profile.processes == [reader.Process(7, 1, True, True, 10.0, 12.0)]
    assert profile.lines == [
        reader.Line(1, 2, 4, SECOND, 1.0),
        reader.Line(1, 3, 1, 5, 5e-7),
    ]
    assert profile.calls == [
        reader.Call("a::(module)", 1, 0, 1, 1.5, 0.5, 0, 0, ("python::(start)",)),
        reader.Call("a::f", 1, 3, 4, 1.0, 0.75, 0, 0, ("a::(module)",)),
        reader.Call("builtins::len", 1, 2, 4, 0.25, 0.25, 0.125, 2, ("a::f",)),
    ]
    assert profile.fault is None


def test_the_header_has_the_sums(path: Path) -> None:
    header = reader.read(path).header
    assert (header.major, header.minor, header.ticks_per_sec) == (5, 0, SECOND)
    assert (header.complete, header.timed, header.blocks) == (True, True, False)
    assert (header.start, header.end, header.duration, header.active) == (10.0, 12.0, 2.0, 1.5)
    assert (header.statements, header.discounted, header.calls) == (5, 0, 9)
    assert header.size <= path.stat().st_size
    assert header.inflated > 100


def test_files_bring_their_source(path: Path) -> None:
    files = reader.read(path).files
    assert files[1].name == "/src/a.py"
    assert files[1].source == {1: "def f():\n", 2: "    len('é')\n", 3: "f()"}
    assert files[2].source == {}
    assert not files[1].is_eval


def test_subs_have_kinds_and_ranges(path: Path) -> None:
    subs = reader.read(path).subs
    f, length, idle = subs["a::f"], subs["builtins::len"], subs["a::idle"]
    assert (f.kind, f.fid, f.first, f.last, f.calls) == (reader.SubKind.CODE, 1, 1, 2, 4)
    assert (length.kind, length.reci, length.depth) == (reader.SubKind.XSUB, 0.125, 2)
    assert (idle.calls, idle.incl) == (0, 0)


def test_the_tree_leads_back_to_its_root(path: Path) -> None:
    root, module, f, length = reader.read(path).tree
    assert (root.name, module.name, f.name, length.name) == (
        "", "a::(module)", "a::f", "builtins::len")  # fmt: skip
    assert (module.parent, f.parent, length.parent) == (0, 1, 2)
    assert (f.depth, f.incl, f.excl) == (2, SECOND, SECOND * 3 / 4)


def test_names_in_latin_1_are_read_as_such(tmp_path: Path) -> None:
    path = tmp_path / "latin.out"
    path.write_bytes(
        b"NYTProf 5 0\n:ticks_per_sec=1\n@\x01\0\0\0\0\0'\x02\xe9a@\x02\0\0\0\0\0'\x03\xc3\xa9b"
    )
    assert [file.name for file in reader.read(path).files.values()] == ["éa", "éb"]


def test_a_file_that_breaks_off_is_read_as_far_as_it_goes(broken: Path) -> None:
    profile = reader.read(broken)
    assert not profile.header.complete
    assert profile.fault
    assert profile.files[1].name == "/src/a.py"


def test_what_is_no_profile_is_a_profile_error(tmp_path: Path) -> None:
    path = tmp_path / "no.out"
    path.write_bytes(b"hello\n")
    with pytest.raises(reader.ProfileError, match=r"no\.out: .* \(at offset 0\)"):
        reader.read(path)
    assert issubclass(reader.ProfileError, ValueError)


def test_a_missing_file_is_an_os_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        reader.read(tmp_path / "nowhere")
    assert caught.value.filename == str(tmp_path / "nowhere")


# ---- verify ----


def test_a_sound_profile_is_true_and_a_line(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify.verify(path)
    count = reader.read(path).header.records
    assert capsys.readouterr().out == f"{path} ✓ {count} records\n"
    assert verify.verify(path, quiet=True)
    assert capsys.readouterr().out == ""


def test_a_broken_profile_is_false_and_says_where(
    broken: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not verify.verify(broken, quiet=True)
    assert capsys.readouterr().out.startswith(f"{broken} ✗ ")
    worst = verify.findings(broken).worst
    assert worst is not None
    assert worst.severity is Severity.FATAL
    assert worst.rule
    assert not verify.findings(broken).sound


def test_an_open_section_is_found(tmp_path: Path) -> None:
    verdict = verify.findings(write(tmp_path / "open.out", CHUNKS[:-1]))
    assert not verdict.sound


def test_verify_as_a_program(path: Path, broken: Path, tmp_path: Path) -> None:
    run = [sys.executable, "-m", "pynytprof.verify", "-q"]
    assert subprocess.run([*run, path], capture_output=True, check=False).returncode == 0
    done = subprocess.run([*run, path, broken], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.count("\n")) == (1, 1)
    done = subprocess.run([*run, tmp_path / "no"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (
        3, f"pynytprof: {tmp_path / 'no'}: No such file or directory\n")  # fmt: skip


# ---- convert ----


def test_the_summary_names_the_slowest(path: Path) -> None:
    text = convert.summary(path)
    assert "/src/a.py:2" in text
    assert "a::f" in text
    assert "\x1b" not in text
    assert "\x1b" in convert.summary(path, colour=True)
    assert json.loads(convert.summary(path, json=True, top=1))
    assert len(convert.summary(path, top=1)) < len(text)


def test_the_summary_of_something_else_is_an_error(path: Path) -> None:
    with pytest.raises(ValueError, match="no such report"):
        convert.summary(path, top=-1)


@pytest.mark.parametrize("file", [1, "/src/a.py", "a.py"])
def test_the_source_of_one_file(path: Path, file: str | int) -> None:
    assert "len('é')" in convert.source(path, file)


@pytest.mark.parametrize("file", [9, "b.py"])
def test_the_source_of_no_file(path: Path, file: str | int) -> None:
    with pytest.raises(LookupError, match="there is no file"):
        convert.source(path, file)


def test_info_and_dump_tell_facts(path: Path) -> None:
    assert "a note" in convert.info(path)
    assert json.loads(convert.info(path, json=True))
    assert "NEW_FID" in convert.dump(path)


def test_speedscope_holds_the_tree(path: Path) -> None:
    target = convert.to_speedscope(path)
    assert target == path.with_name("a.out.speedscope.json")
    data = json.loads(target.read_text(encoding="utf-8"))
    assert data["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    assert "a::f" in [frame["name"] for frame in data["shared"]["frames"]]


def test_json_of_the_whole_and_of_each_record(path: Path, tmp_path: Path) -> None:
    model = json.loads(convert.to_model(path, tmp_path / "m.json").read_text(encoding="utf-8"))
    assert model["attributes"]["application"] == "a.py"
    rows = convert.to_jsonl(path).read_text(encoding="utf-8").splitlines()
    assert json.loads(rows[0]) == ["VERSION", 5, 0]
    assert len(rows) == reader.read(path).header.records


def test_a_failed_conversion_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "no.out"
    path.write_bytes(b"hello\n")
    for convert_to in (convert.to_speedscope, convert.to_model, convert.to_jsonl):
        with pytest.raises(convert.ProfileError):
            convert_to(path)
    assert list(tmp_path.iterdir()) == [path]


def test_html_is_made_by_perl(path: Path, tmp_path: Path) -> None:
    index = convert.to_html(path, tmp_path / "html")
    assert "a.py" in index.read_text(encoding="utf-8")


def test_html_without_perl_names_the_package(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(FileNotFoundError, match="libdevel-nytprof-perl"):
        convert.to_html(path)


def test_html_of_what_perl_refuses_has_its_words(tmp_path: Path) -> None:
    path = tmp_path / "no.out"
    path.write_bytes(b"hello\n")
    with pytest.raises(RuntimeError, match="nytprofhtml failed: "):
        convert.to_html(path)
    with pytest.raises(FileNotFoundError):
        convert.to_html(tmp_path / "nowhere")
