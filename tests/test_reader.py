"""Profiles as Python objects, judged, and as other things."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from pynytprof import _writer, convert, open_profile, reader, verify
from pynytprof.verify import Severity

SECOND = 10**7
GOLDEN = Path(__file__).parent / "golden" / "perl"

# ---- A profile, by chunks of docs/format.md ----

START, END = struct.Struct("<IId"), struct.Struct("<IdQ")
TIMES, CALLS, TREE = struct.Struct("<IIIIQQQ"), struct.Struct("<IIIIQdddI"), struct.Struct("<IIdd")


def string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<I", len(data)) + data


def file(
    fid: int, name: str, lines: tuple[str, ...] = (), flags: int = 0x32
) -> tuple[bytes, bytes]:
    head = struct.pack("<6I", fid, 0, 0, flags, 0, 0) + string(name)
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
    assert profile.processes == [(7, 1, True, True, 10.0, 12.0, 7)]
    assert profile.lines == [
        reader.Line(1, 2, 4, SECOND, 1.0, 1.0, False),
        reader.Line(1, 3, 1, 5, 5e-7, 1 + 5e-7, False),
    ]
    assert profile.calls == [
        reader.Call("a::(module)", 1, 0, 1, 1, 1.5, 0.5, 0, 0, "python::(start)"),
        reader.Call("a::f", 1, 3, 4, 4, 1.0, 0.75, 0, 0, "a::(module)"),
        reader.Call("builtins::len", 1, 2, 4, 2, 0.25, 0.25, 0.125, 2, "a::f"),
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


# ---- From one thing to another ----


def test_what_is_read_leads_to_what_it_belongs_to(path: Path) -> None:
    profile = open_profile(path)
    hottest = profile.hottest_lines(1)[0]
    assert (hottest.line, hottest.source) == (2, "    len('é')\n")
    assert hottest.file is profile.files[1]
    assert [call.called for call in hottest.calls] == ["builtins::len"]
    f = profile.hottest_subs(1)[0]
    assert f is not None and f.file is profile.files[1]
    assert [(call.caller, call.source) for call in f.callers] == [("a::(module)", "f()")]
    assert [call.sub.kind for call in f.callees] == [reader.SubKind.XSUB]
    assert [line.line for line in f.lines] == [2]
    idle = profile.subs["a::idle"]
    assert (idle.callers, idle.callees, idle.lines) == ([], [], [])
    names = ["builtins::len", "a::f"]
    assert [sub.name for sub in profile.hottest_subs(2, by="calls")] in (names, names[::-1])
    assert profile.hottest_subs(9, by="incl")[0].name == "a::(module)"


def test_files_have_lines_subs_and_calls(path: Path) -> None:
    profile = reader.read(path)
    file = profile.find_file("a.py")
    assert file is profile.find_file(1) is profile.find_file("/src/a.py")
    assert (file.count, file.time, file.parent) == (5, 1.0000005, None)
    assert file.lines == list(profile.lines)
    assert [sub.name for sub in file.subs] == ["a::(module)", "a::f", "a::idle"]
    assert [call.line for call in file.calls] == [0, 2, 3]
    with pytest.raises(LookupError, match=r"no file 'b\.py'"):
        profile.find_file("b.py")


def test_evals_have_a_parent() -> None:
    profile = reader.read(GOLDEN / "strevals.out")
    evals = [file for file in profile.files.values() if file.is_eval]
    assert evals
    for file in evals:
        assert file.parent is profile.files[file.eval_fid]


def test_call_paths_lead_down_and_up(path: Path) -> None:
    profile = reader.read(path)
    assert profile.root.caller is None and profile.root.path == ()
    (module,) = profile.root.children
    (f,) = module.children
    (length,) = f.children
    assert length.path == ("a::(module)", "a::f", "builtins::len")
    assert length.children == [] and length.caller == f
    assert (f.incl_time, f.excl_time) == (1.0, 0.75)
    assert f.sub == profile.subs["a::f"] and profile.root.sub is None


@pytest.mark.parametrize("name", ["strevals", "packages", "recursion", "utf8"])
def test_all_ways_lead_to_the_same_figures(name: str) -> None:
    profile = reader.read(GOLDEN / f"{name}.out")
    calls = list(profile.calls)
    for sub in profile.subs.values():
        assert sub == profile.subs[sub.name]
        assert sub.callers == [call for call in calls if call.called == sub.name]
        assert sub.callees == [call for call in calls if call.caller == sub.name]
    files = [file for file in profile.files.values() if not file.merged_into]
    assert sorted(call.called for file in files for call in file.calls) == sorted(
        call.called for call in calls
    )
    tree = list(profile.tree)
    assert [node.index for node in tree] == list(range(len(tree)))
    for node in tree:
        assert node.children == [one for one in tree[1:] if one.parent == node.index]


def test_lists_are_sequences(path: Path) -> None:
    lines = reader.read(path).lines
    assert (len(lines), lines[-1], lines[0:1], lines[::-1]) == (
        2, lines[1], [lines[0]], [lines[1], lines[0]])  # fmt: skip
    assert lines[1] in lines and lines == [*lines] and lines != []
    with pytest.raises(IndexError):
        lines[2]
    assert (repr(lines), repr(reader.read(path).subs)) == ("<2 lines>", "<4 subs>")


def test_subs_are_a_mapping() -> None:
    subs = reader.read(GOLDEN / "utf8.out").subs
    assert len(subs) == len(list(subs)) == len(dict(subs))
    assert all(subs[name].name == name for name in subs)
    assert "nothing" not in subs and "\ud800" not in subs
    with pytest.raises(KeyError):
        subs["nothing"]


def test_objects_tell_what_they_are(path: Path, broken: Path) -> None:
    profile = reader.read(path)
    assert repr(profile) == f"<Profile {str(path)!r}: a.py, 2 s, 5 statements, 9 calls>"
    assert repr(reader.read(broken)).endswith(", incomplete>")
    line = "Line(fid=1, line=2, count=4, ticks=10000000, time=1.0, incl=1.0, shared=False)"
    assert repr(profile.lines[0]) == line


def test_lines_by_block_and_sub() -> None:
    profile = reader.read(GOLDEN / "blocks1.out")
    assert profile.header.blocks
    total = sum(line.ticks for line in profile.lines)
    for level in reader.Level:
        lines = profile.lines_by(level)
        assert lines and sum(line.ticks for line in lines) == total
    assert len(profile.lines_by(reader.Level.SUB)) < len(profile.lines)


def test_a_large_profile_does_not_become_objects(tmp_path: Path) -> None:
    n = 20_000
    paths = b"".join(TREE.pack(2, 1 + i % 2, 1, 1) for i in range(n)) + TREE.pack(1, 3, n + 1, 1)
    calls = b"".join(CALLS.pack(1, i, 3, 1, 1, 0.0, 0.0, 0, 0) for i in range(1, n))
    chunks = {**dict(CHUNKS[:2]), b"C": calls, b"T": paths}
    order = [*CHUNKS[:4], (b"S", b"".join(TIMES.pack(1, i, 0, 0, 1, 1, 1) for i in range(1, n))),
             (b"C", chunks[b"C"]), (b"T", chunks[b"T"]), CHUNKS[-1]]  # fmt: skip
    path = write(tmp_path / "large.out", order)
    tracemalloc.start()
    profile = reader.read(path)
    assert (len(profile.lines), len(profile.calls), len(profile.subs)) == (n - 1, n - 1, 4)
    assert sum(line.count for line in profile.lines) == n - 1
    assert profile.calls[n - 2].line == n - 1
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_500_000


# ---- records ----


def test_records_are_those_of_dump(path: Path) -> None:
    for profile in (path, GOLDEN / "calls2.out", GOLDEN / "blocks1.out", GOLDEN / "utf8.out"):
        target = convert.to_jsonl(profile, path.with_name("records"))
        dumped = [json.loads(line) for line in target.read_text().splitlines()]
        dumped = [record for record in dumped if record[0] not in ("ATTRIBUTE", "OPTION")]
        records = [
            record
            for record in reader.records(profile)
            if not isinstance(record, reader.Attribute | reader.Option)
        ]
        assert len(records) == len(dumped)
        for record, (name, *fields) in zip(records, dumped, strict=True):
            assert type(record).__name__.upper() == name.replace("_", "")
            values = [one["utf8"] if isinstance(one, dict) else one for one in fields]
            if isinstance(record, reader.SubInfo):  # Perl hands fields out in another order
                assert [record.fid, record.first, record.last, record.name] == values
            elif isinstance(record, reader.SubCallers):
                by, (fid, line, caller, *numbers, called) = values, record
                assert by == [fid, line, *numbers, called, caller]
            else:
                assert list(record) == values


def test_records_have_names_and_places(path: Path) -> None:
    first, *rest = reader.records(path)
    assert isinstance(first, reader.Version)
    assert (first, first.major, first.offset, first.inflated) == ((5, 0), 5, 0, False)
    found = 0
    for record in rest:
        match record:
            case reader.TimeLine(ticks=ticks, fid=1, line=2):
                found += 1
                assert ticks > 0 and record.inflated
            case reader.NewFid(fid, _, _, _, _, _, name):
                assert name == {1: "/src/a.py", 2: "(builtins)"}[fid]
    assert found == 4
    offsets = [record.offset for record in rest if record.inflated]
    assert offsets == sorted(offsets) and len(set(offsets)) == len(offsets)
    assert repr(first) == "pynytprof.reader.Version(major=5, minor=0)"


def test_records_of_a_broken_file_end_with_an_error(broken: Path, tmp_path: Path) -> None:
    seen: list[reader.Record] = []
    with pytest.raises(reader.ProfileError, match=r"broken\.out: .*at offset"):
        seen.extend(reader.records(broken))
    assert reader.read(broken).fault
    records = reader.records(broken)
    for _ in range(reader.read(broken).header.records):
        next(records)
    with pytest.raises(reader.ProfileError):
        next(records)
    assert list(records) == []  # and that is all
    with pytest.raises(FileNotFoundError):
        reader.records(tmp_path / "nothing")


def test_the_head_of_a_file(path: Path) -> None:
    head = reader.read_head(path)
    assert head.version == (5, 0)
    assert head.comments[0] == "a note"
    assert head.attributes == {":basetime"[1:]: "10", "application": "a.py",
                               "ticks_per_sec": "10000000"}  # fmt: skip
    assert head.options == {"calls": "1"}
    assert path.read_bytes()[head.size : head.size + 1] in b"zP#"


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
    assert (done.returncode, done.stderr.startswith(f"pynytprof: {tmp_path / 'no'}: ")) == (3, True)


# ---- convert ----


def test_the_summary_names_the_slowest(path: Path) -> None:
    text = convert.summary(path)
    assert "a.py:2 in a::f" in text
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


def test_what_converts_takes_a_profile_that_was_read(path: Path) -> None:
    profile = reader.read(path)
    path.unlink()
    assert convert.to_json(profile) == path.with_name("a.out.profile.json")
    assert "a::f" in convert.summary(profile)
    assert "a.py" in convert.info(profile)
    assert "len('é')" in convert.source(profile, "a.py")
    assert convert.to_nytprofcsv(profile).is_dir()
    assert convert.to_model(profile).exists()


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


def test_a_killed_program_has_the_subs_of_its_calls() -> None:
    """Perl writes what subs took together at the end: here there are but the calls."""
    perl = Path(__file__).parent / "golden" / "perl"
    profile = reader.read(perl / "killed-compress0.out")
    returned = sum(node.returns for node in profile.tree)
    assert sum(sub.calls for sub in profile.subs.values()) == returned
    excl = sum(node.excl for node in profile.tree) / profile.header.ticks_per_sec
    assert sum(sub.excl for sub in profile.subs.values()) == pytest.approx(excl)
    assert {call.called for call in profile.calls} == set(profile.subs)
