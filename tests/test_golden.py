"""The program nytprof against what Perl's own reader made of the same profiles."""

from __future__ import annotations

import gzip
import json
import math
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

GOLDEN = Path(__file__).parent / "golden"
PROFILES = sorted(GOLDEN.glob("*/*.out"))
ODD = sorted((GOLDEN / "odd").glob("*.out"))

# Perl's reader never clears a buffer's UTF-8 mark: what follows a marked name is marked too.
STICKY = "utf8-sticky"

# Sound to Perl's loader, but not to verify, which speaks for all of Perl's tools.
STRICTER = {
    "callers-empty-caller": "nytprofhtml warns of a strange sub name",
    "callers-nan": "reports show times that are no numbers",
    "fid-dup-name": "links meet in one of two files of one name",
    "no-fids": "nytprofhtml refuses a profile without files",
    "ret-depth0": "nytprofcalls panics",
    "ret-missing-outer": "nytprofcalls panics",
    "ret-skip-up": "nytprofcalls panics",
    "sub-dot-name": "nytprofhtml warns of a strange sub name",
}


def name_of(path: Path) -> str:
    return path.stem


@pytest.fixture(scope="module")
def nytprof() -> str:
    program = os.environ.get("NYTPROF_BIN") or shutil.which("nytprof")
    if not program:
        pytest.skip("needs the program nytprof: set NYTPROF_BIN")
    return program


def run(program: str, *words: str | Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([program, *words], capture_output=True, timeout=60, check=False)


def expected_records(profile: Path) -> bytes | None:
    plain = profile.with_suffix(".records.jsonl")
    packed = profile.with_suffix(".records.jsonl.gz")
    if plain.exists():
        return plain.read_bytes()
    return gzip.decompress(packed.read_bytes()) if packed.exists() else None


def with_records() -> list[Path]:
    return [p for p in PROFILES if expected_records(p) is not None]


@pytest.mark.parametrize("profile", with_records(), ids=name_of)
def test_records_are_the_same_byte_for_byte(nytprof: str, profile: Path) -> None:
    done = run(nytprof, "dump", "--jsonl", profile)
    expected = expected_records(profile)
    assert expected is not None
    if profile.stem == "killed-compress6":
        # Perl loses what stood in its last buffer; every record that it has, we have.
        assert done.returncode == 4
        assert done.stdout.startswith(expected)
        assert len(done.stdout) > len(expected)
    elif profile.stem == STICKY:
        unmarked = done.stdout.replace(b'{"utf8":"m::\\u2603"}', b'"m::\\u2603"')
        assert unmarked == expected.replace(b'{"utf8":', b"").replace(b'"}', b'"')
    else:
        assert done.returncode == 0, done.stderr
        assert done.stdout == expected


def plain(value: Any) -> Any:
    """Without the traces that numbers and marks leave in Perl's dump."""
    if isinstance(value, dict):
        return {k.removesuffix(" (utf8-tagged)"): plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    if isinstance(value, str) and value.startswith("\x01F:"):
        return value[3:-1]
    return value


def differences(ours: Any, perls: Any, path: str = "") -> Iterator[str]:
    if isinstance(ours, dict) and isinstance(perls, dict):
        for key in sorted(ours.keys() | perls.keys()):
            if key in ours and key in perls:
                yield from differences(ours[key], perls[key], f"{path}/{key}")
            else:
                yield f"{path}/{key}: only in {'ours' if key in ours else 'Perl'}"
    elif isinstance(ours, list) and isinstance(perls, list) and len(ours) == len(perls):
        for i, (a, b) in enumerate(zip(ours, perls, strict=True)):
            yield from differences(a, b, f"{path}/{i}")
    elif isinstance(ours, float) or isinstance(perls, float):
        # Perl adds up doubles, we add up ticks: its sums of many are a little off.
        if not math.isclose(ours, perls, rel_tol=1e-11):
            yield f"{path}: {ours} is not {perls}"
    elif ours != perls:
        yield f"{path}: {ours!r} is not {perls!r}"


@pytest.mark.parametrize(
    "profile", [p for p in PROFILES if p.with_suffix(".json").exists()], ids=name_of
)
def test_the_loaded_profile_is_the_same(nytprof: str, profile: Path) -> None:
    done = run(nytprof, "dump", "--model", profile)
    assert done.returncode == 0, done.stderr
    perls = json.loads(profile.with_suffix(".json").read_bytes())
    assert list(differences(json.loads(done.stdout), plain(perls))) == []


def verdicts() -> dict[str, tuple[int, str]]:
    """Exit status and stderr of Perl's loader, by name."""
    lines = (GOLDEN / "odd" / "verdicts.tsv").read_text().splitlines()[1:]
    rows = (line.split("\t") for line in lines)
    return {row[0]: (int(row[1]), row[3] if len(row) > 3 else "") for row in rows}


# What Perl's reader refuses in mid-file: how many records are whole before it, the exit status of
# `dump --jsonl`, that of `dump --model`, which takes what breaks off as far as it goes, and why.
BROKEN = {
    "attr-eof": (20, 4, 4, "the file ends inside ATTRIBUTE (at offset 306)"),
    "bad-string-tag": (14, 4, 3, "not with 0x78, in SRC_LINE (at offset 239)"),
    "deflate-bad-adler": (15, 4, 3, "incorrect data check"),
    "deflate-corrupt": (7, 4, 3, "in NEW_FID (at offset 18 of the inflated data)"),
    "deflate-ends-midrecord": (
        15,
        4,
        4,
        "ends inside TIME_LINE (at offset 108 of the inflated data)",
    ),
    "deflate-gzip": (6, 4, 3, "incorrect header check"),
    "deflate-raw": (6, 4, 3, "incorrect header check"),
    "deflate-twice": (15, 4, 3, "begins a second time"),
    "hdr-major6": (0, 3, 3, "version 6.0"),
    "trunc-in-nv": (14, 4, 4, "ends inside PID_END (at offset 236)"),
    "trunc-in-time": (14, 4, 4, "ends inside TIME_LINE (at offset 236)"),
}

# What Perl's loader refuses or crashes on, though the records can be read: we load them, for no
# reference has to be followed. verify calls them fatal.
LOADED = {
    "callers-unknown-fid": "calls from a file that is not defined are kept under its number",
    "eval-unknown-parent": "an eval without the file that ran it is a file",
    "fid-after-time": "files are looked up at the end, when all are known",
    "fid-gap": "fids are keys, not indices",
    "fid-huge-70000": "fids are keys, not indices",
    "fid-undefined-time": "time of a file that is not defined is kept under its number",
    "sub-fid0": "a sub may be without a file",
    "sub-unknown-fid": "a sub may be in a file that is not defined",
}


def test_every_profile_is_compared_with_something() -> None:
    odd = {path.stem for path in ODD}
    assert verdicts().keys() == odd
    without_records = {p.stem for p in PROFILES if expected_records(p) is None}
    assert without_records == BROKEN.keys()
    without_model = {p.stem for p in PROFILES if not p.with_suffix(".json").exists()}
    assert without_model == BROKEN.keys() | LOADED.keys() | {"killed-compress6"}
    # Perl's loader refuses just these, and only those are we stricter with that it takes silently.
    refused = {name for name, (status, _) in verdicts().items() if status}
    assert refused == BROKEN.keys() | LOADED.keys()
    assert {name for name in STRICTER if verdicts()[name] != (0, "")} == set()


@pytest.mark.parametrize("name", BROKEN)
def test_what_perl_refuses_is_read_up_to_the_fault(nytprof: str, name: str) -> None:
    profile = GOLDEN / "odd" / f"{name}.out"
    count, dump, model, reason = BROKEN[name]
    done = run(nytprof, "dump", "--jsonl", profile)
    assert (done.returncode, done.stdout.count(b"\n")) == (dump, count)
    assert all(json.loads(line) for line in done.stdout.splitlines())
    assert reason in done.stderr.decode()
    loaded = run(nytprof, "dump", "--model", profile)
    assert loaded.returncode == model
    if model == 4:  # what is there, and why it is not all
        assert json.loads(loaded.stdout)["attributes"]["complete"] == ""
        assert reason in loaded.stderr.decode()
    else:
        assert loaded.stdout == b"" and loaded.stderr.startswith(done.stderr)


@pytest.mark.parametrize("name", LOADED)
def test_what_only_perls_loader_refuses_is_loaded(nytprof: str, name: str) -> None:
    profile = GOLDEN / "odd" / f"{name}.out"
    records = [json.loads(line) for line in (expected_records(profile) or b"").splitlines()]
    done = run(nytprof, "dump", "--model", profile)
    assert done.returncode == 0, done.stderr
    model = json.loads(done.stdout)
    times = [r for r in records if r[0] == "TIME_LINE"]
    counted = {(str(r[2]), str(r[3])): 0 for r in times}
    for fid, lines in model.get("time", {}).get("line", {}).items():
        for line, (_, count) in lines.items():
            counted[fid, line] += count
    assert sum(counted.values()) == len(times)
    assert set(model.get("subs", {})) == {r[4] for r in records if r[0] == "SUB_INFO"} | {
        r[8] for r in records if r[0] == "SUB_CALLERS" and r[3]
    }
    assert model["files"].keys() == {str(r[1]) for r in records if r[0] == "NEW_FID"}


@pytest.mark.parametrize("profile", ODD, ids=name_of)
def test_verdicts_on_odd_files_agree(nytprof: str, profile: Path) -> None:
    status, said = verdicts()[profile.stem]
    done = run(nytprof, "verify", "--json", profile)
    result = json.loads(done.stdout)
    if status:
        assert result["fatal"] > 0
        assert done.returncode == 1
    elif said.strip():
        assert result["fatal"] == 0
        assert result["warned"] > 0
    elif profile.stem not in STRICTER:
        assert (result["fatal"], result["warned"], done.returncode) == (0, 0, 0)
    else:
        assert result["fatal"] == 0
        assert done.returncode == 1


@pytest.mark.parametrize("profile", sorted((GOLDEN / "perl").glob("*.out")), ids=name_of)
def test_genuine_profiles_are_sound(nytprof: str, profile: Path) -> None:
    done = run(nytprof, "verify", profile)
    killed = profile.stem.startswith("killed")
    mark = "\N{BALLOT X}" if killed else "\N{CHECK MARK}"
    assert done.stdout.decode().startswith(f"{profile} {mark} ")
    assert done.returncode == (1 if killed else 0)


def open_and_close(profile: dict[str, Any]) -> None:
    """What speedscope demands of events: in order of time, and properly nested."""
    now, stack = profile["startValue"], []
    for event in profile["events"]:
        assert event["at"] >= now
        now = event["at"]
        if event["type"] == "O":
            stack.append(event["frame"])
        else:
            assert event["type"] == "C"
            assert stack.pop() == event["frame"]
    assert stack == []
    assert now == profile["endValue"]


@pytest.mark.parametrize("profile", PROFILES, ids=name_of)
def test_speedscope_files_are_well_formed(nytprof: str, profile: Path) -> None:
    done = run(nytprof, "speedscope", profile)
    if done.returncode == 3:
        assert verdicts()[profile.stem][0] != 0
        return
    lacks = (b"nothing of it can be shown", b"no call tree", b"no calls")
    assert done.returncode == (4 if any(word in done.stderr for word in lacks) else 0)
    scope = json.loads(done.stdout)
    assert scope["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    (only,) = scope["profiles"]
    assert only["type"] == "evented"
    assert only["unit"] == "nanoseconds"
    frames = scope["shared"]["frames"]
    assert all(isinstance(frame["name"], str) for frame in frames)
    assert all(isinstance(frame.get("file", ""), str) for frame in frames)
    assert all(type(frame.get("line", 0)) is int for frame in frames)
    assert isinstance(scope["name"], str) and isinstance(only["name"], str)
    assert scope["activeProfileIndex"] == 0
    assert all(type(event["frame"]) is int for event in only["events"])
    assert all(0 <= event["frame"] < len(frames) for event in only["events"])
    open_and_close(only)


def test_speedscope_has_all_the_time_of_the_calls(nytprof: str) -> None:
    profile = GOLDEN / "perl" / "recursion.out"
    records = [json.loads(line) for line in (expected_records(profile) or b"").splitlines()]
    ticks = sum(r[3] for r in records if r[0] == "SUB_RETURN")
    scope = json.loads(run(nytprof, "speedscope", profile).stdout)
    assert scope["profiles"][0]["endValue"] == ticks * 100  # ticks of 100 ns


@pytest.mark.parametrize("command", ["summary", "info"])
@pytest.mark.parametrize("profile", PROFILES, ids=name_of)
def test_reports_are_safe_for_terminals(nytprof: str, command: str, profile: Path) -> None:
    for options in ([], ["--all"] if command == "summary" else ["--width=100"]):
        done = run(nytprof, command, *options, profile)
        assert done.returncode in (0, 3)
        text = done.stdout.decode()  # valid UTF-8, whatever the profile holds
        assert not [c for c in text if ord(c) < 32 and c != "\n"]


@pytest.mark.parametrize("command", ["summary", "info"])
def test_reports_as_json_agree_with_the_model(nytprof: str, command: str) -> None:
    for profile in sorted((GOLDEN / "perl").glob("*.out")):
        report = json.loads(run(nytprof, command, "--json", profile).stdout)
        if not profile.with_suffix(".json").exists():
            assert report["complete"] is False
            continue
        perls = json.loads(profile.with_suffix(".json").read_bytes())["attributes"]
        if not profile.stem.startswith("killed"):  # whose calls Perl's loader does not count
            assert report["calls"] == perls["total_sub_calls"]
        assert math.isclose(report["statement_time"], perls["total_stmts_duration"], rel_tol=1e-11)
        assert report["complete"] is (perls["complete"] == "1")


def test_summary_ranks_lines_by_time_and_by_count(nytprof: str) -> None:
    profile = GOLDEN / "perl" / "loops.out"
    by_time = json.loads(run(nytprof, "summary", "--json", profile).stdout)["top_lines"]
    by_count = json.loads(
        run(nytprof, "summary", "--json", "--sort=count", "--top", "3", profile).stdout
    )["top_lines"]
    assert [r["time"] for r in by_time] == sorted((r["time"] for r in by_time), reverse=True)
    assert [r["count"] for r in by_count] == sorted((r["count"] for r in by_count), reverse=True)
    assert len(by_count) == 3


def test_summary_adds_files_up_and_lists_calls(nytprof: str) -> None:
    profile = GOLDEN / "perl" / "strevals.out"
    report = json.loads(run(nytprof, "summary", "--json", "--top", "1000", profile).stdout)
    lines, files = report["top_lines"], report["top_files"]
    for one in files:
        own = [line for line in lines if line["fid"] == one["fid"]]
        assert one["count"] == sum(line["count"] for line in own)
        assert math.isclose(one["time"], sum(line["time"] for line in own))
    assert {one["fid"] for one in files} == {line["fid"] for line in lines}
    for one in report["top_subs"]:
        to_it = [call for call in report["top_calls"] if call["called"] == one["name"]]
        assert one["calls"] == sum(call["calls"] for call in to_it)
        assert all(call["caller"] for call in to_it)
    times = [call["exclusive"] for call in report["top_calls"]]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_summary_keeps_to_its_width(nytprof: str, width: int) -> None:
    for profile in (GOLDEN / "perl" / "strevals.out", GOLDEN / "perl" / "packages.out"):
        for options, titles in (
            (["--all"], {"Lines", "Subs", "Files", "Calls"}),
            ([], {"Hottest lines of the project", "Functions of the project"}),
        ):
            done = run(nytprof, "summary", *options, "--width", str(width), profile)
            lines = done.stdout.decode().splitlines()
            assert max(map(len, lines)) <= width
            assert titles <= {line.partition(" (")[0] for line in lines}
            assert any("main::" in line or " -> " in line for line in lines)


def test_summary_cuts_nothing_off_a_terminal(nytprof: str) -> None:
    profile = GOLDEN / "perl" / "strevals.out"
    source = (GOLDEN / "perl" / "strevals.pl.txt").read_text().splitlines()
    text = run(nytprof, "summary", profile).stdout.decode()
    assert source[2] in text and len(source[2]) > 60
    assert "..." not in text.replace(source[2], "")


def test_summary_sorts_calls(nytprof: str) -> None:
    profile = GOLDEN / "perl" / "packages.out"
    for key, value in (("count", "calls"), ("incl", "inclusive")):
        done = run(nytprof, "summary", "--json", "--sort", key, profile)
        found = [call[value] for call in json.loads(done.stdout)["top_calls"]]
        assert found == sorted(found, reverse=True)
    done = run(nytprof, "summary", "--json", "--sort", "place", profile)
    places = [(call["fid"], call["line"]) for call in json.loads(done.stdout)["top_calls"]]
    assert places == sorted(places)


def test_source_listing_has_every_line_with_its_figures(nytprof: str) -> None:
    profile = GOLDEN / "perl" / "recursion.out"
    done = run(nytprof, "summary", "--source", "recursion.pl", profile)
    lines = done.stdout.decode().splitlines()
    source = (GOLDEN / "perl" / "recursion.pl.txt").read_text().splitlines()
    at = next(line for line in lines if line.endswith("   line")).index("line") + 4
    numbered = [line for line in lines if line[at - 7 : at].strip().isdigit()]
    assert [int(line[at - 7 : at]) for line in numbered] == list(range(1, len(source) + 1))
    assert [line[at + 2 :] for line in numbered] == source
    assert any("main::fib was called" in line for line in lines)
    assert run(nytprof, "summary", "--source", "no such file", profile).returncode == 2


def test_recursive_calls_show_their_recursive_time(nytprof: str) -> None:
    done = run(nytprof, "summary", "--source", "1", GOLDEN / "perl" / "recursion.out")
    recursive = [s for s in done.stdout.decode().splitlines() if s.endswith(" recursively")]
    assert any("called main::fib" in line for line in recursive)


def test_every_rule_of_verify_is_documented_and_tested() -> None:
    root = GOLDEN.parent.parent
    source = (root / "lib" / "verify" / "verify.c").read_text()
    rules = set(re.findall(r'NYT_(?:ODD|WARNED|FATAL), "([a-z0-9-]+)"', source))
    documented = (root / "docs" / "tools.md").read_text()
    tested = (root / "tests" / "c" / "test_verify.c").read_text()
    assert len(rules) > 40
    assert [rule for rule in sorted(rules) if f"`{rule}`" not in documented] == []
    assert [rule for rule in sorted(rules) if f'"{rule}"' not in tested] == []


class TestCommandLine:
    PROFILE = GOLDEN / "perl" / "min-calls.out"

    def test_exit_status_tells_what_went_wrong(self, nytprof: str, tmp_path: Path) -> None:
        assert run(nytprof, "verify", self.PROFILE).returncode == 0
        assert run(nytprof, "verify", GOLDEN / "odd" / "fid-gap.out").returncode == 1
        assert run(nytprof, "nonsense", self.PROFILE).returncode == 2
        assert run(nytprof, "verify", "--nonsense", self.PROFILE).returncode == 2
        assert run(nytprof, "summary", "--top", "x", self.PROFILE).returncode == 2
        assert run(nytprof, "summary", "--top").returncode == 2
        assert run(nytprof, "verify", tmp_path / "missing").returncode == 3
        assert run(nytprof, "summary", GOLDEN / "odd" / "hdr-major6.out").returncode == 3
        assert run(nytprof, "dump", GOLDEN / "odd" / "trunc-in-nv.out").returncode == 4

    def test_messages_name_file_reason_and_offset(self, nytprof: str) -> None:
        profile = GOLDEN / "odd" / "bad-string-tag.out"
        said, hint = run(nytprof, "summary", profile).stderr.decode().splitlines()
        assert said.startswith(f"nytprof: {profile}: ")
        assert said.endswith("(at offset 239)")
        assert hint == (
            "nytprof: --salvage shows what can be read of it; "
            f"'nytprof recover -o NEW {profile}' makes a sound profile"
        )

    def test_help_lists_every_command_and_its_options(self, nytprof: str) -> None:
        text = run(nytprof, "--help").stdout.decode()
        for command in ("verify", "summary", "info", "dump", "speedscope"):
            assert command in text
            assert "usage: nytprof " + command in run(nytprof, "help", command).stdout.decode()
        assert "--sort KEY" in run(nytprof, "summary", "-h").stdout.decode()
        assert run(nytprof, "--version").stdout.startswith(b"nytprof ")

    def test_quiet_verify_prints_failures_only(self, nytprof: str) -> None:
        done = run(nytprof, "verify", "-q", self.PROFILE, GOLDEN / "odd" / "fid-gap.out")
        assert done.returncode == 1
        assert done.stdout.decode().count("\n") == 1

    def test_output_goes_to_a_file(self, nytprof: str, tmp_path: Path) -> None:
        target = tmp_path / "records"
        assert run(nytprof, "dump", "--jsonl", "-o", target, self.PROFILE).stdout == b""
        assert target.read_bytes() == expected_records(self.PROFILE)

    def test_a_profile_may_come_from_a_pipe(self, nytprof: str) -> None:
        with self.PROFILE.open("rb") as pipe:
            done = subprocess.run(
                [nytprof, "dump", "--jsonl", "-"], stdin=pipe, capture_output=True, check=True
            )
        assert done.stdout == expected_records(self.PROFILE)

    def test_a_full_disk_is_reported(self, nytprof: str) -> None:
        if not os.path.exists("/dev/full"):
            pytest.skip("no /dev/full here")
        done = run(nytprof, "dump", "-o", "/dev/full", GOLDEN / "perl" / "bigcounts.out")
        assert done.returncode == 4
        assert b"cannot write" in done.stderr

    def test_colour_only_where_it_is_wanted(self, nytprof: str) -> None:
        assert b"\033[" not in run(nytprof, "summary", self.PROFILE).stdout
        assert b"\033[" in run(nytprof, "summary", "--color=always", self.PROFILE).stdout
