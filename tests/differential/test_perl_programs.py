"""Programs in Perl, profiled by Devel::NYTProf as it is installed here, and read by both sides.

What it writes depends on its options, so each program runs under several sets of them that have
every pair of values between them. For each profile our dump, model, CSV, callgrind, collapsed
and merged output are compared with those of Perl's own tools.
"""

from __future__ import annotations

import itertools
import json
import math
import os
import re
import shutil
import subprocess
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fixtures import Shared
from support import environment
from test_convert import Callgrind, collapsed, exported, rows_of
from test_golden import differences, plain
from views import HERE

from pynytprof import _cread, convert, verify

PERL = HERE / "perl"
DUMP = HERE.parent / "golden" / "dump.pl"
PROGRAMS = ["recursion", "evals", "closures", "xsubs", "packages", "fork", "dies", "utf8", "loops"]

# ---- Programs and options ----

OPTIONS: dict[str, tuple[int, ...]] = {
    "compress": (6, 0, 1, 9),
    "calls": (1, 0, 2),
    "slowops": (2, 0, 1),
    "blocks": (0, 1),
    "stmts": (1, 0),
    "savesrc": (1, 0),
    "leave": (1, 0),
}
Pair = tuple[tuple[str, int], tuple[str, int]]


def covering_rows() -> list[dict[str, int]]:
    """Few rows in which every pair of values of two options stands; the first has no 0 but one."""
    names = list(OPTIONS)
    values = {name: [(name, value) for value in OPTIONS[name]] for name in names}
    missing: dict[Pair, None] = {
        pair: None
        for a, b in itertools.combinations(names, 2)
        for pair in itertools.product(values[a], values[b])
    }
    rows = []

    def covered(row: dict[str, int]) -> list[Pair]:
        items = [(name, row[name]) for name in names if name in row]
        return [pair for pair in itertools.combinations(items, 2) if pair in missing]

    while missing:
        row = dict(next(iter(missing)))
        for name in names:
            if name not in row:
                best = max(OPTIONS[name], key=lambda v: len(covered({**row, name: v})))
                row[name] = best
        for pair in covered(row):
            del missing[pair]
        rows.append(row)
    return rows


class Case(NamedTuple):
    """A program, and the options that it is profiled with."""

    program: str
    options: str

    def __str__(self) -> str:
        return f"{self.program}-{self.options.replace(':', ',')}"


ROWS = [":".join(f"{name}={row[name]}" for name in OPTIONS) for row in covering_rows()]
QUICK = [
    Case(PROGRAMS[(i + shift) % len(PROGRAMS)], row)
    for i, row in enumerate(ROWS)
    for shift in (0, 4)
]
ALL = [Case(program, row) for program in PROGRAMS for row in ROWS]
CASES = [
    *QUICK,
    *(pytest.param(case, marks=pytest.mark.slow) for case in ALL if case not in QUICK),
]
each_case = pytest.mark.parametrize("case", CASES, ids=str)


def test_every_pair_of_options_and_every_program_has_a_quick_case() -> None:
    for a, b in itertools.combinations(OPTIONS, 2):
        for x, y in itertools.product(OPTIONS[a], OPTIONS[b]):
            assert any({f"{a}={x}", f"{b}={y}"} <= set(row.split(":")) for row in ROWS)
    assert {case.program for case in QUICK} == {path.stem for path in PERL.glob("*.pl")}
    assert len(ROWS) < 20


# ---- Profiles, and what Perl makes of them ----


def perl(*words: str | Path, **env: str) -> bytes:
    program = shutil.which(str(words[0]))
    if program is None:
        pytest.skip("needs Devel::NYTProf")
    done = subprocess.run(
        [program, *words[1:]], cwd=PERL, env=environment(**env), capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


class Profiled(NamedTuple):
    """The profiles of one run; of more than one process only if it forked."""

    case: Case
    paths: list[Path]
    models: list[dict[str, Any]]
    """As Perl's loader has them."""


def run_case(case: Case, folder: Path) -> list[Path]:
    folder.mkdir()
    out = folder / "nytprof.out"
    forks = case.program == "fork"
    settings = f"file={out}:{case.options}" + (":addpid=1" if forks else "")
    perl("perl", "-d:NYTProf", f"{case.program}.pl", NYTPROF=settings)
    paths = sorted(folder.iterdir(), key=lambda path: (path.stat().st_ctime, path.name))
    assert len(paths) == (5 if forks else 1)
    return paths


def model_by_perl(profile: Path) -> dict[str, Any]:
    perl("perl", DUMP, profile, profile.with_name(profile.name + ".perl"))
    return known_model(profile)


def known_model(profile: Path) -> dict[str, Any]:
    text = profile.with_name(profile.name + ".perl.json").read_text()
    return plain(json.loads(text))  # type: ignore[no-any-return]


Runner = Callable[[Case], Profiled]


@pytest.fixture(scope="module")
def profiled(shared: Shared) -> Runner:
    """Each case is run once."""
    known: dict[Case, Profiled] = {}

    def make(case: Case, folder: Path) -> None:
        paths = run_case(case, folder)
        for path in paths:
            model_by_perl(path)
        (folder / "order").write_text("\n".join(path.name for path in paths))

    def run(case: Case) -> Profiled:
        if case not in known:
            name = re.sub(r"\W+", "-", f"perl-{case}")  # "=" and "," mean something to NYTPROF
            folder = shared(name, lambda folder: make(case, folder))
            paths = [folder / name for name in (folder / "order").read_text().split("\n")]
            known[case] = Profiled(case, paths, [known_model(path) for path in paths])
        return known[case]

    return run


# ---- The same profile, read by both ----


def by_us(profile: Path) -> tuple[bytes, dict[str, Any]]:
    records: list[bytes] = []
    model: list[bytes] = []
    _cread.dump(profile, records.append, True)
    _cread.Profile(profile).model(model.append)
    return b"".join(records), json.loads(b"".join(model))


@each_case
def test_records_and_model_are_those_of_perl(case: Case, profiled: Runner) -> None:
    run = profiled(case)
    for path, model in zip(run.paths, run.models, strict=True):
        records, ours = by_us(path)
        assert records == path.with_name(path.name + ".perl.records.jsonl").read_bytes()
        assert list(differences(ours, model)) == []


@each_case
def test_what_perl_writes_is_sound(case: Case, profiled: Runner) -> None:
    for path in profiled(case).paths:
        verdict = verify.findings(path)
        assert verdict.worst is None, str(verdict.worst)


# ---- The same profile, converted by both ----


@each_case
def test_collapsed_is_what_nytprofcalls_writes(case: Case, profiled: Runner) -> None:
    run = profiled(case)
    for path, model in zip(run.paths, run.models, strict=True):
        expected = collapsed(perl("nytprofcalls", path))
        ours = collapsed(exported(path, "collapsed"))
        if expected:
            assert ours == expected
        else:  # without a call tree each sub stands by itself
            timed = {
                unnumbered(name) for name, sub in model["subs"].items() if sub["excl_time"] > 0
            }
            assert {unnumbered(name) for name in ours} == timed


Row = tuple[float, float, float, str]
NO_LINE = {"Profile data that couldn't be associated with a specific line:": "(no line)"}


def csv_of(folder: Path) -> dict[str, tuple[str, list[Row]]]:
    """By fid: the text's name, and its rows."""
    return {
        path.stem.rsplit("-", 2)[1]: (path.name, rows_of(path))
        for path in folder.glob("*-line.csv")
    }


@pytest.fixture(scope="module")
def includes() -> list[str]:
    """nytprofcsv cuts the folders of @INC, as it is in its own process, off the names."""
    return perl("perl", "-e", r'print map { "$_\n" } @INC').decode().split()


@each_case
def test_csv_is_what_nytprofcsv_writes(
    case: Case, profiled: Runner, includes: list[str], tmp_path: Path
) -> None:
    run = profiled(case)
    for i, (path, model) in enumerate(zip(run.paths, run.models, strict=True)):
        perl("nytprofcsv", "-f", path, "-o", tmp_path / f"perl{i}")
        expected = csv_of(tmp_path / f"perl{i}")
        ours = csv_of(convert.to_nytprofcsv(path, tmp_path / f"ours{i}"))
        assert ours.keys() == expected.keys()
        for fid, (name, rows) in expected.items():
            our_name, our_rows = ours[fid]
            file = model["files"][fid]
            assert our_name == name or any(folder in file["filename"] for folder in includes)
            if file["source"]:
                texts = [NO_LINE.get(row[3], row[3]) for row in rows]
                assert [row[3] for row in our_rows] == texts
            lines = model.get("time", {}).get("line", {}).get(fid, {})
            uncounted = sum(count == 0 for _, count in lines.values())
            figures = with_figures(rows)
            ours_as_perls = as_perl_counts(with_figures(our_rows), figures, uncounted)
            same_figures(ours_as_perls, figures, is_whole(file))


def is_whole(file: dict[str, Any]) -> bool:
    """Where the profile has no source, nytprofcsv opens the file of that name. If there is none,
    as for evals, it writes the first lines only."""
    return bool(file["source"]) or os.path.exists(file["filename"])


def with_figures(rows: list[Row]) -> list[tuple[float, float, float]]:
    return [row[:3] for row in rows if row[:2] != (0, 0)]


def as_perl_counts(
    ours: list[tuple[float, float, float]], perls: list[tuple[float, float, float]], few: int
) -> list[tuple[float, float, float]]:
    """nytprofcsv gives lines that have time but no count a count of 1; so few of them there are."""
    rows = [
        perl if (calls, perl[1]) == (0, 1) else (time, calls, each)
        for (time, calls, each), perl in zip(ours, perls, strict=False)
    ]
    assert sum(row != own for row, own in zip(rows, ours, strict=False)) <= few
    return rows + ours[len(rows) :]


def same_figures(
    ours: list[tuple[float, float, float]], perls: list[tuple[float, float, float]], all_: bool
) -> None:
    """To the last digit but one: Perl adds times up in another order."""
    assert len(ours) == len(perls) or not all_
    assert [calls for _, calls, _ in ours][: len(perls)] == [calls for _, calls, _ in perls]
    for (time, _, each), (time_, _, each_) in zip(ours, perls, strict=False):
        assert time == pytest.approx(time_, abs=1.1e-6)
        assert each == pytest.approx(each_, abs=1.1e-6)


def without_lines(sums: Counter[tuple[str, str, int]]) -> Counter[tuple[str, str]]:
    totals: Counter[tuple[str, str]] = Counter()
    for (caller, called, _), number in sums.items():
        totals[caller, called] += number
    return totals


def as_perl_joins(
    found: Counter[tuple[str, str, int]], expected: Counter[tuple[str, str, int]]
) -> Counter[tuple[str, str, int]]:
    """Where subs called one from the same line, nytprofcg has a caller "a or b" with the sum;
    ours is each with its own."""
    joined = Counter(found)
    for callers, called, line in expected:
        for caller in callers.split(" or ") if " or " in callers else ():
            joined[callers, called, line] += joined.pop((caller, called, line), 0)
    return joined


@each_case
def test_callgrind_has_the_figures_of_nytprofcg(
    case: Case, profiled: Runner, tmp_path: Path
) -> None:
    """Perl cuts each time to whole microseconds. A call that an eval makes has there the line
    that ran the eval, and its own with us: where there are evals, lines are left out."""
    run = profiled(case)
    for path, model in zip(run.paths, run.models, strict=True):
        perl("nytprofcg", "-f", path, "-o", tmp_path / "perl")
        expected = Callgrind((tmp_path / "perl").read_bytes())
        found = Callgrind(exported(path, "callgrind"))
        counts = as_perl_joins(found.counts, expected.counts)
        if any(file["is_eval"] for file in model["files"].values()):
            assert without_lines(counts) == without_lines(expected.counts)
        else:
            assert counts == expected.counts
        cut = without_lines(expected.counts)
        inclusive = without_lines(as_perl_joins(found.inclusive, expected.inclusive))
        for edge, microseconds in without_lines(expected.inclusive).items():
            assert -0.001 <= inclusive[edge] / 1000 - microseconds < 1.001 * cut[edge]
        for name, microseconds in expected.own.items():
            assert -0.001 <= found.own[name] / 1000 - microseconds < 1.001
        # Of a sub without a first line, nytprofcg writes a cost that has none either.
        unknown = {name for name, sub in model["subs"].items() if sub["first_line"] is None}
        assert set(found.own) - set(expected.own) <= {"(outside of subs)"} | unknown


# ---- Many profiles, merged by both, seen through Perl's reader ----

Sums = dict[tuple[Any, ...], float]


def unnumbered(name: str) -> str:
    """Both number evals anew, each in its own way."""
    return re.sub(r"\(eval \d+\)", "(eval)", name)


def line_sums(models: list[dict[str, Any]]) -> tuple[Sums, Sums]:
    """Seconds and counts by level, file and line. Figures of evals that the loader merged are
    there under both fids, but only one of them is a file; it has the sum of their lines, but not
    of their blocks and subs, which are left out."""
    seconds: Counter[tuple[Any, ...]] = Counter()
    counts: Counter[tuple[Any, ...]] = Counter()
    for model in models:
        for level, by_fid in model.get("time", {}).items():
            for fid in by_fid.keys() & model["files"].keys():
                file = model["files"][fid]
                if file["is_eval"] and level != "line":
                    continue
                for line, (time, count) in by_fid[fid].items():
                    key = level, unnumbered(file["filename"]), line
                    seconds[key] += time
                    counts[key] += count
    return dict(seconds), dict(counts)


def call_sums(models: list[dict[str, Any]]) -> Sums:
    sums: Counter[tuple[Any, ...]] = Counter()
    for model in models:
        for name, sub in model["subs"].items():
            for call in sub["callers"]:
                file = model["files"].get(str(call["fid"]), {"filename": ""})
                callers = tuple(sorted(map(unnumbered, call["by"])))
                place = unnumbered(name), unnumbered(file["filename"]), call["line"]
                for unit in ("count", "incl", "excl", "reci"):
                    sums[place, callers, unit] += call[unit]
    return dict(+sums)


def of_any_caller(sums: Sums) -> Sums:
    joined: dict[tuple[Any, ...], float] = defaultdict(float)
    for (place, _, unit), number in sums.items():
        joined[place, unit] += number
    return joined


def sub_places(model: dict[str, Any]) -> set[tuple[Any, ...]]:
    return {
        (
            unnumbered(name),
            unnumbered(model["files"][str(sub["fid"])]["filename"]),
            *(sub[key] for key in ("first_line", "last_line", "kind", "recur_max_depth")),
        )
        for name, sub in model["subs"].items()
    }


def unequal(ours: Sums, perls: Sums) -> Iterator[str]:
    for key in ours.keys() | perls.keys():
        a, b = ours.get(key, 0), perls.get(key, 0)
        if not math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9):
            yield f"{key}: {a} is not {b}"


BLOCKS = next(row for row in ROWS if "blocks=1:stmts=1" in row and "leave=1" in row)
MERGED = [
    Case("recursion", ROWS[0]), Case("closures", ROWS[1]), Case("xsubs", ROWS[0]),
    Case("packages", ROWS[2]), Case("fork", ROWS[0]), Case("fork", ROWS[3]), Case("dies", ROWS[1]),
    Case("utf8", ROWS[4]), Case("loops", ROWS[5]), Case("evals", ROWS[0]),
    Case("dies", BLOCKS),
]  # fmt: skip
MERGED_SLOWLY = [case for case in ALL if case not in MERGED]


@pytest.mark.parametrize(
    "case",
    [*MERGED, *(pytest.param(case, marks=pytest.mark.slow) for case in MERGED_SLOWLY)],
    ids=str,
)
def test_merged_is_what_nytprofmerge_makes(case: Case, profiled: Runner, tmp_path: Path) -> None:
    paths, models = profiled(case).paths, profiled(case).models
    if len(paths) == 1:
        again = run_case(case, tmp_path / "again")
        paths, models = [*paths, *again], [*models, *map(model_by_perl, again)]
    assert convert.merge(paths, tmp_path / "ours").complete
    perl("nytprofmerge", "-o", tmp_path / "perls", *paths)
    ours, perls = model_by_perl(tmp_path / "ours"), model_by_perl(tmp_path / "perls")
    assert list(unequal(call_sums([ours]), call_sums([perls]))) == []
    # The loader joins the callers of one line, whose figures can't be told apart any more.
    assert list(unequal(of_any_caller(call_sums([ours])), of_any_caller(call_sums(models)))) == []
    assert sub_places(ours) == sub_places(perls)
    (seconds, counts), (seconds_, counts_) = line_sums([ours]), line_sums([perls])
    apart = line_sums(models)[1]
    assert list(unequal(seconds, seconds_)) == []
    assert counts == apart
    # Perl's profiles end with a DISCOUNT that nothing follows. nytprofmerge copies it, and the
    # first statement of the next one is not counted.
    assert all(n < len(paths) for n in per_level(Counter(apart) - Counter(counts_)).values())
    assert not Counter(counts_) - Counter(apart)


def per_level(sums: Counter[tuple[Any, ...]]) -> Counter[str]:
    return Counter(level for level, _, _ in sums.elements())
