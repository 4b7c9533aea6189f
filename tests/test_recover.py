"""Broken profiles become sound ones with all that they still hold."""

from __future__ import annotations

import gzip
import re
import shutil
import struct
import subprocess
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from doors import Door
from test_merge import faults, line_sums, path_sums, run
from test_reader import CHUNKS, SECOND, write

from pynytprof import convert, reader

GOLDEN = Path(__file__).parent / "golden"
PROFILES = sorted(GOLDEN.glob("*/*.out"))
# In these there is no file, or what there is cannot be told from damage.
HOPELESS = {"deflate-corrupt", "deflate-gzip", "deflate-raw", "hdr-major6", "no-fids"}
LOADER = (
    "use Devel::NYTProf::Data; Devel::NYTProf::Data->new({filename => $_, quiet => 1}) for @ARGV"
)


def loads_in_perl(paths: list[Path]) -> None:
    if shutil.which("nytprofhtml") is None:
        pytest.skip("needs Devel::NYTProf")
    done = subprocess.run(["perl", "-e", LOADER, *paths], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_every_sample_is_recovered_or_refused(tmp_path: Path) -> None:
    made = []
    for profile in PROFILES:
        out = tmp_path / f"{profile.parent.name}-{profile.name}"
        try:
            convert.recover(profile, out)
        except reader.ProfileError:
            assert profile.stem in HOPELESS or not reads_at_all(profile)
            assert not out.exists()
            continue
        assert faults(out) == [], profile.name
        made.append(out)
    assert len(made) > len(PROFILES) - 20
    loads_in_perl(made)


def reads_at_all(profile: Path) -> bool:
    try:
        return bool(reader.read(profile, salvage=True).files)
    except reader.ProfileError:
        return False


@pytest.mark.parametrize("name", ["killed-compress0", "killed-compress6"])
def test_of_a_killed_program_all_records_are_kept(name: str, tmp_path: Path) -> None:
    profile = GOLDEN / "perl" / f"{name}.out"
    done = convert.recover(profile, tmp_path / "out")
    before, after = reader.read(profile), reader.read(tmp_path / "out")
    assert line_sums(after) == line_sums(before)
    assert after.header.complete and not before.header.complete
    assert any("did not end" in note.text for note in done.notes)
    assert done.notes[-1].path is None and "were read; kept" in done.notes[-1].text


def truncations(profile: Path) -> Iterator[bytes]:
    whole = profile.read_bytes()
    for size in range(0, len(whole), 7):
        yield whole[:size]


@pytest.mark.parametrize("name", ["compress0", "calls2", "recursion", "demo-ff", "min-calls"])
def test_whatever_is_left_is_kept(name: str, tmp_path: Path) -> None:
    """Cut at every 7th byte: what reads at all becomes sound and keeps its sums."""
    made, cut = [], tmp_path / "cut"
    for i, data in enumerate(truncations(GOLDEN / "perl" / f"{name}.out")):
        cut.write_bytes(data)
        out = tmp_path / f"{i}.out"
        if not reads_at_all(cut):
            with pytest.raises(reader.ProfileError):
                convert.recover(cut, out)
            continue
        convert.recover(cut, out)
        assert faults(out) == [], i
        kept, held = line_sums(reader.read(out)), line_sums(reader.read(cut))
        for key, value in held.items():
            assert kept[key] == (max(value, 1) if key[2] == "count" else value), i
        made.append(out)
    assert made
    loads_in_perl(made)


def damaged(profile: Path, step: int) -> Iterator[bytes]:
    """One byte in `step` is lost: first one, then twenty in a row."""
    whole = profile.read_bytes()
    for at in range(13, len(whole), step):
        for value, width in ((0xFF, 1), (0, 1), (0xFF, 20)):
            if whole[at : at + width] != bytes([value]) * width:
                yield whole[:at] + bytes([value]) * width + whole[at + width :]


def counts_by_line(profile: reader.Profile, known: set[int]) -> Counter[int]:
    """Over all files but those that were made up for fids that no file had, and line 0: what
    stands there is damage that looks like a record, and recover() says so."""
    made_up = re.compile(r"\(unknown file (\d+)\)")
    counts: Counter[int] = Counter()
    for line in profile.lines:
        unknown = made_up.fullmatch(profile.files[line.fid].name)
        if line.line and not (unknown and int(unknown[1]) not in known):
            counts[line.line] += line.count
    return counts


@pytest.mark.parametrize(
    ("name", "step", "least"),
    [
        ("compress0", 101, 0.9),
        ("demo", 83, 0.9),
        ("demo-ff", 47, 0.6),
        ("calls2", 61, 0.7),
        ("recursion", 173, 0.5),
    ],
)
def test_nothing_is_invented_behind_damage(
    name: str, step: int, least: float, tmp_path: Path
) -> None:
    """Bytes that are no record any more; of others that look like one nobody can know."""
    profile = GOLDEN / "perl" / f"{name}.out"
    whole = reader.read(profile)
    true, made, kept = counts_by_line(whole, set(whole.files)), [], []
    for i, data in enumerate(damaged(profile, step)):
        cut, out = tmp_path / "damaged", tmp_path / f"{i}.out"
        cut.write_bytes(data)
        try:
            done = convert.recover(cut, out)
        except reader.ProfileError:
            continue
        made.append(out)
        assert faults(out) == [], i
        counts = counts_by_line(reader.read(out), set(whole.files))
        kept.append(sum(counts.values()) / sum(true.values()))
        if not any("checksum is wrong" in note.text for note in done.notes):
            assert all(n <= max(true[line], 1) for line, n in counts.items()), i
    assert len(made) > 20
    assert sum(kept) / len(kept) > least
    loads_in_perl(made)


def glued(pieces: list[bytes]) -> bytes:
    """A stream as our writers make it: each piece from a fresh state, ended by a full flush."""
    packed = []
    for piece in pieces:
        squeeze = zlib.compressobj(6, zlib.DEFLATED, -15, 9)
        packed.append(squeeze.compress(piece) + squeeze.flush(zlib.Z_FULL_FLUSH))
    check = zlib.adler32(b"".join(pieces)).to_bytes(4, "big")
    return b"z\x78\x9c" + b"".join(packed) + b"\x03\0" + check


def test_of_a_stream_in_pieces_only_the_damaged_one_is_lost(tmp_path: Path) -> None:
    begin = b"NYTProf 5 0\n:basetime=1\n:application=a\n:ticks_per_sec=10000000\n"
    first = b"P\x01\0" + struct.pack("<d", 1.0) + b"@\x01\0\0\x32\0\0'\x02/a"
    pieces = [
        b"".join(b"+%c\x01%c" % (i * 7 % 90, line) for i in range(300)) for line in range(1, 9)
    ]
    last = b":cumulative_overhead_ticks=0\np\x01" + struct.pack("<d", 9.0)
    whole = begin + glued([first, *pieces, last])
    cut, out = tmp_path / "damaged", tmp_path / "out"
    marks = [m.end() for m in re.finditer(rb"\0\0\xff\xff", whole)]
    for lost in range(1, 9):
        data = bytearray(whole)
        data[(marks[lost - 1] + marks[lost]) // 2] ^= 0xFF
        cut.write_bytes(data)
        done = convert.recover(cut, out)
        assert not done.complete and faults(out) == []
        counts = {line.line: line.count for line in reader.read(out).lines}
        # The DISCOUNT of the first statement behind it may have been lost as well.
        expected = {line: 300 - (line == lost + 1) for line in range(1, 9) if line != lost}
        assert counts == expected
        place = f"bytes {marks[lost - 1]} to {marks[lost] - 1} "
        assert any(note.text.startswith(place) and note.lossy for note in done.notes)


def test_calls_that_never_returned_stand_above_those_that_did(tmp_path: Path) -> None:
    whole = tmp_path / "whole.out"
    write(whole, CHUNKS)
    data = b"".join((
        b"NYTProf 5 0\n:ticks_per_sec=10000000\n@\x01\0\0\x32\0\0'\x02/a+\x0a\x01\x01",
        b"<\x03" + 2 * bytes(7) + b"\x00\x00" + b"'\x04m::f",
    ))  # fmt: skip
    (tmp_path / "cut").write_bytes(data)
    convert.recover(tmp_path / "cut", tmp_path / "out")
    paths = [path for path, unit in path_sums(reader.read(tmp_path / "out")) if unit == "excl"]
    assert paths == [(), ("main::(unfinished)",), ("main::(unfinished)", "m::f")]


def test_impossible_times_become_0(tmp_path: Path) -> None:
    done = convert.recover(GOLDEN / "odd" / "callers-nan.out", tmp_path / "out")
    assert any(note.lossy and "not finite" in note.text for note in done.notes)
    assert all(call.incl >= 0 for call in reader.read(tmp_path / "out").calls)


@pytest.mark.parametrize(
    "comment",
    [
        b"awaited much",
        b"Processor waits: Compressed at level 1",
        b"unit 1 twice the name",
        b"of unit 1 or 2",
        b"units untold 3 times",
        b"shared 3,x /a.py",
    ],
)
def test_comments_that_should_tell_of_figures_and_do_not_are_dropped(
    comment: bytes, tmp_path: Path
) -> None:
    whole = write(tmp_path / "whole.out", CHUNKS).read_bytes()
    broken = tmp_path / "broken.out"
    broken.write_bytes(whole.replace(b"NYTProf 5 0\n", b"NYTProf 5 0\n#" + comment + b"\n#kept\n"))
    out = tmp_path / "sound.out"
    convert.recover(broken, out)
    assert faults(out) == []
    assert comment not in out.read_bytes() and b"#kept\n" in out.read_bytes()


def test_unknown_files_get_a_name(tmp_path: Path) -> None:
    done = convert.recover(GOLDEN / "odd" / "fid-undefined-time.out", tmp_path / "out")
    names = [f.name for f in reader.read(tmp_path / "out").files.values()]
    assert any(name.startswith("(unknown file ") for name in names)
    assert any(note.lossy and "not defined" in note.text for note in done.notes)


def test_a_sound_profile_stays_what_it_is(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.out", CHUNKS)
    done = convert.recover(whole, tmp_path / "out")
    before, after = reader.read(whole), reader.read(tmp_path / "out")
    assert done.complete and not any(note.lossy for note in done.notes)
    assert (after.lines, after.subs, after.calls) == (before.lines, before.subs, before.calls)
    assert after.processes == before.processes
    assert after.header.ticks_per_sec == SECOND


def test_exit_status(door: Door, tmp_path: Path) -> None:
    out, broken = tmp_path / "out", GOLDEN / "perl" / "killed-compress6.out"
    status, talk = run(door, "recover", "-o", out, broken)
    assert (status, "records were read; kept" in talk) == (0, True)
    assert "ends inside its compressed data (at offset" in talk
    assert run(door, "recover", "-o", out, GOLDEN / "odd" / "no-fids.out")[0] == 3
    assert run(door, "recover", "-o", out, tmp_path / "nowhere")[0] == 3
    assert door.complaint("recover", "-o", out, broken, broken) == "recover takes exactly one file"
    assert door.complaint("recover", broken) == "recover requires -o FILE"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


# ---- Without making a new one ----


@pytest.mark.parametrize("compress", [0, 1])
@pytest.mark.parametrize("zipped", [False, True])
def test_salvage_is_as_good_as_recover(
    door: Door, compress: int, zipped: bool, tmp_path: Path
) -> None:
    """From a file and from a stream, also of a file that gzip made."""
    name = "compress0" if compress == 0 else "demo-ff"
    data = bytearray((GOLDEN / "perl" / f"{name}.out").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 300] = b"\x20" * 300
    path = tmp_path / "damaged.out"
    path.write_bytes(gzip.compress(data) if zipped else data)
    refused = door.run("summary", path)
    assert refused.returncode == 3
    assert "--salvage" in refused.stderr and " recover -o NEW " in refused.stderr
    convert.recover(path, tmp_path / "sound.out")
    expected = reader.read(tmp_path / "sound.out")
    found = reader.read(path, salvage=True)
    assert not found.header.complete
    assert [(i.count, i.time) for i in found.lines] == [(i.count, i.time) for i in expected.lines]
    # A new profile has one return of each path: only what is not lost can be counted in both.
    assert {s.name for s in found.subs.values() if s.calls} == {
        s.name for s in expected.subs.values() if s.calls
    }
    told = door.run("summary", "--salvage", path)
    streamed = door.run("summary", "--salvage", "-", stdin=path.open("rb"))
    assert told.returncode == streamed.returncode == 0
    assert told.stdout.splitlines()[1:] == streamed.stdout.splitlines()[1:]


@pytest.mark.parametrize("command", ["summary", "info", "verify", "dump", "convert", "diff"])
def test_gzipped_profiles_are_read(door: Door, command: str, tmp_path: Path) -> None:
    """Also one in several members, as `cat` and `split` leave them."""
    plain = GOLDEN / "perl" / "demo.out"
    data = plain.read_bytes()
    (tmp_path / "demo.out").write_bytes(data)
    zipped = tmp_path / "z" / "demo.out"
    zipped.parent.mkdir()
    zipped.write_bytes(gzip.compress(data[:100]) + gzip.compress(data[100:]) + b"\0" * 8)
    more: dict[str, list[str | Path]] = {
        "convert": ["--to", "json"],
        "diff": [tmp_path / "demo.out"],
    }
    words = more.get(command, [])
    expected = door.run(command, *words, "demo.out", cwd=tmp_path)
    found = door.run(command, *words, "demo.out", cwd=zipped.parent)
    assert (found.returncode, found.stdout) == (expected.returncode, expected.stdout)
    assert expected.returncode == 0 and expected.stdout


def test_damage_in_gzip_itself_is_told(door: Door, tmp_path: Path) -> None:
    data = bytearray(gzip.compress((GOLDEN / "perl" / "compress0.out").read_bytes()))
    data[len(data) // 2] ^= 0xFF
    (tmp_path / "a.out").write_bytes(data)
    done = door.run("summary", tmp_path / "a.out")
    assert done.returncode == 3 or "incomplete" in done.stdout
    assert "Traceback" not in done.stderr
