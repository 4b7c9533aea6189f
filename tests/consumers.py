"""The programs that our exports are for: each opens a file and says what it makes of it.

``python tests/consumers.py`` writes docs/consumers.md, the table of formats and consumers, from
what they say here and now.
"""

from __future__ import annotations

import csv
import importlib.metadata
import json
import os
import pstats
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pynytprof import convert, reader

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "consumers.md"
BIN = Path(sys.executable).parent
# Where scripts/setup.sh puts what comes from npm.
NPM = ROOT / "build-test" / "consumers" / "node_modules"
FLAMEGRAPH = Path("/usr/share/perl5/Devel/NYTProf/flamegraph.pl")


class Missing(Exception):
    """The consumer is not installed."""


def run(*words: str | Path) -> str:
    """What it prints; it must not complain."""
    program = shutil.which(str(words[0]), path=f"{BIN}{os.pathsep}{os.environ['PATH']}")
    if program is None:
        raise Missing(str(words[0]))
    # Scripts of pip's start `python`: that must be this one.
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [program, *map(str, words[1:])], capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not re.search("(?i)error|traceback|main binary", done.stderr), done.stderr
    return done.stdout


def whole(text: str) -> int:
    return int(text.replace(",", ""))


def statement_ns(profile: Path) -> float:
    """All time of a profile that measured lines."""
    return sum(line.time for line in reader.read(profile).lines) * 1e9


def path_ns(profile: Path) -> float:
    """All time of its call tree, or without one of its functions, or lines."""
    read = reader.read(profile)
    if len(read.tree) > 1:
        return sum(node.excl for node in read.tree[1:]) * 1e9 / read.header.ticks_per_sec
    return sum(sub.excl for sub in read.subs.values()) * 1e9 or statement_ns(profile)


def calls_of(profile: Path) -> int:
    return sum(sub.calls for sub in reader.read(profile).subs.values())


# ---- One function each: an export and the profile it is of ----


def callgrind_annotate(out: Path, profile: Path) -> None:
    text = run("callgrind_annotate", "--inclusive=yes", "--auto=no", "--threshold=100", out)
    (total,) = re.findall(r"([\d,]+) \(100\.0%\)  PROGRAM TOTALS", text)
    # Perl measures functions and lines by themselves: they differ by some microseconds a call.
    tolerance = calls_of(profile) * 5000 if profile.with_name("prog.pl").exists() else 1000
    assert abs(whole(total) - statement_ns(profile)) <= tolerance + 1000
    for percent in re.findall(r"\(\s*([\d.]+)%\)  \S*:__main__::\(module\)$", text, re.MULTILINE):
        assert float(percent) > 90  # all that these programs do


def gprof2dot_callgrind(out: Path, profile: Path) -> None:
    assert run("gprof2dot", "-f", "callgrind", "-n0", "-e0", out).count("label=") >= 2


def gprof2dot_pstats(out: Path, profile: Path) -> None:
    assert "digraph" in run("gprof2dot", "-f", "pstats", "-n0", "-e0", out)


def flamegraph_pl(out: Path, profile: Path) -> None:
    if not FLAMEGRAPH.exists():
        raise Missing("Devel::NYTProf's flamegraph.pl")
    image = run("perl", FLAMEGRAPH, out)
    xml.etree.ElementTree.fromstring(image)
    for name in names_of(profile):
        assert f"{name} (" in image or f"{name} x " in image, name


def names_of(profile: Path) -> list[str]:
    """Of the program's own functions that took time and so have a place in all pictures."""
    read = reader.read(profile)
    return [
        sub.name
        for sub in read.subs.values()
        if sub.calls and sub.excl > 1e-4 and re.fullmatch(r"(main|__main__)::\w+", sub.name)
    ]  # fmt: skip


def pprof(out: Path, profile: Path) -> None:
    top = run("go", "tool", "pprof", "-top", "-nodecount=10000", "-nodefraction=0", "-unit=ns", out)
    (total,) = re.findall(r"Total samples = (\d+)ns", top)
    assert abs(int(total) - path_ns(profile)) <= 1000
    shown = re.findall(r"^ *\S+ +[\d.]+% +[\d.]+% +\S+ +[\d.]+%  (.*)$", top, re.MULTILINE)
    assert shown
    for name in names_of(profile):
        assert any(one == name or one.startswith(f"{name} x ") for one in shown), name
    for name in shown:  # nothing in parentheses vanishes
        assert not name.endswith("::") and name
    lines = run("go", "tool", "pprof", "-top", "-sample_index=line_time", "-unit=ns", out)
    (total,) = re.findall(r"of (\d+)ns total", lines)
    assert abs(int(total) - statement_ns(profile)) <= statement_ns(profile) * 1e-3 + 1000


def genhtml(out: Path, profile: Path) -> None:
    folder = out.with_suffix(".pages")
    run("genhtml", "--quiet", "-o", folder, out)
    pages = [page.read_text("utf-8", "replace") for page in folder.rglob("*.gcov.html")]
    assert pages
    own = str(next(f.name for f in reader.read(profile).files.values() if "/prog." in f.name))
    (page,) = folder.rglob(f"{Path(own).name}.gcov.html")
    (line,) = re.findall(r"class=\"lineCov\"> *(\d+)[^\n]*MARK", page.read_text("utf-8"))
    assert int(line) == 7


def lcov_cobertura(out: Path, profile: Path) -> None:
    result = out.with_suffix(".xml")
    run("lcov_cobertura", out, "-o", result)
    tree = xml.etree.ElementTree.parse(result)
    hits = {line.get("hits") for line in tree.iter("line")}
    assert "7" in hits


def python_pstats(out: Path, profile: Path) -> None:
    stats: Any = pstats.Stats(str(out))
    assert stats.total_calls >= calls_of(profile)


def snakeviz(out: Path, profile: Path) -> None:
    try:
        from snakeviz.stats import json_stats, table_rows
    except ImportError:
        raise Missing("snakeviz") from None
    stats = pstats.Stats(str(out))
    assert table_rows(stats) and json_stats(stats) is not None


def tuna(out: Path, profile: Path) -> None:
    try:
        from tuna._runtime_profile import read_runtime_profile
    except ImportError:
        raise Missing("tuna") from None
    tree: Any = read_runtime_profile(str(out))
    assert tree["children"]


def flameprof(out: Path, profile: Path) -> None:
    image = run("flameprof", out)
    assert image.count("<rect") > 1


def speedscope_schema(out: Path, profile: Path) -> None:
    try:
        import jsonschema
    except ImportError:
        raise Missing("jsonschema") from None
    path = NPM / "speedscope" / "dist" / "release" / "file-format-schema.json"
    if not path.exists():
        raise Missing("speedscope from npm")
    schema = json.loads(path.read_text())
    data = json.loads(out.read_text())
    jsonschema.validate(data, schema)
    (only,) = data["profiles"]
    assert abs(only["endValue"] - path_ns(profile)) <= 1e-9 * path_ns(profile) + len(only["events"])


def node_cpuprofile(out: Path, profile: Path) -> None:
    """What VS Code's viewer computes: self time of nodes from samples, and each line's ticks."""
    script = """
        const p = JSON.parse(require('fs').readFileSync(process.argv[1]));
        const nodes = new Map(p.nodes.map(n => [n.id, {...n, self: 0}]));
        let last = p.endTime - p.startTime - p.timeDeltas[0];
        for (let i = 0; i + 1 < p.timeDeltas.length; i++) {
            nodes.get(p.samples[i]).self += p.timeDeltas[i + 1]; last -= p.timeDeltas[i + 1];
        }
        nodes.get(p.samples[p.timeDeltas.length - 1]).self += last;
        const total = n => n.self + (n.children || []).reduce((s, c) => s + total(nodes.get(c)), 0);
        const ticks = n => (n.positionTicks || []).reduce((s, t) => s + t.ticks, 0);
        for (const n of nodes.values())
            if (n.self !== n.hitCount || (n.positionTicks && ticks(n) !== n.hitCount))
                throw new Error(`node ${n.id}`);
        console.log(total(nodes.get(1)));
    """
    micros = int(run("node", "-e", script, out))
    assert abs(micros - path_ns(profile) / 1000) <= 1


def python_csv(out: Path, profile: Path) -> None:
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, strict=True))
    assert abs(sum(float(row["exclusive_seconds"]) for row in rows) * 1e9
               - statement_ns(profile)) <= 1000  # fmt: skip
    assert all(None not in row and None not in row.values() for row in rows)


def graphviz(out: Path, profile: Path) -> None:
    xml.etree.ElementTree.fromstring(run("dot", "-Tsvg", out))


# ---- All of them ----


def from_pip(name: str) -> Callable[[], str]:
    return lambda: importlib.metadata.version(name)


def says(pattern: str, *words: str) -> Callable[[], str]:
    def version() -> str:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        (found,) = re.findall(pattern, done.stdout + done.stderr)[:1]
        return str(found)

    return version


def npm_version(name: str) -> Callable[[], str]:
    return lambda: str(json.loads((NPM / name / "package.json").read_text())["version"])


@dataclass(frozen=True)
class Consumer:
    format: str
    name: str
    check: Callable[[Path, Path], None]
    version: Callable[[], str]
    note: str = ""
    """What it does not take, if anything: profiles without calls."""

    @property
    def id(self) -> str:
        return f"{self.format}-{self.name}"


CONSUMERS = [
    Consumer("callgrind", "callgrind_annotate", callgrind_annotate,
             says(r"callgrind_annotate-(\S+)", "callgrind_annotate", "--version")),
    Consumer("callgrind", "gprof2dot", gprof2dot_callgrind, from_pip("gprof2dot"),
             "needs calls"),
    Consumer("collapsed", "flamegraph.pl", flamegraph_pl,
             says(r"([\d.]+)", "perl", "-MDevel::NYTProf::Core", "-e",
                  "print Devel::NYTProf::Core->VERSION")),
    Consumer("cpuprofile", "node, as VS Code's viewer adds up", node_cpuprofile,
             says(r"v(\S+)", "node", "--version")),
    Consumer("csv", "Python's csv", python_csv, lambda: ".".join(map(str, sys.version_info[:2]))),
    Consumer("dot", "Graphviz", graphviz, says(r"version (\S+)", "dot", "-V")),
    Consumer("lcov", "genhtml", genhtml, says(r"version (\S+)", "genhtml", "--version")),
    Consumer("lcov", "lcov_cobertura", lcov_cobertura, from_pip("lcov_cobertura")),
    Consumer("pprof", "go tool pprof", pprof, says(r"go([\d.]+)", "go", "version")),
    Consumer("pstats", "pstats", python_pstats,
             lambda: ".".join(map(str, sys.version_info[:2]))),
    Consumer("pstats", "snakeviz", snakeviz, from_pip("snakeviz")),
    Consumer("pstats", "tuna", tuna, from_pip("tuna")),
    Consumer("pstats", "flameprof", flameprof, from_pip("flameprof"), "needs calls"),
    Consumer("pstats", "gprof2dot", gprof2dot_pstats, from_pip("gprof2dot")),
    Consumer("speedscope", "speedscope's schema", speedscope_schema, npm_version("speedscope")),
]  # fmt: skip

# ---- The programs whose profiles they get ----

PYTHON = """\
import asyncio
import sys
sys.setrecursionlimit(20000)
class Shop:
    rate = 1
def total(n):
    return sum(range(n))
def never():
    return 1
def deep(n):
    return deep(n - 1) if n else total(100000)
async def order(n):
    await asyncio.sleep(0)
    return total(n)
async def day():
    return await asyncio.gather(*(order(100000) for _ in range(3)))
exec("def late(n):\\n    return total(n)\\nlate(100000)")
for i in range(6):
    total(100000)  # MARK
asyncio.run(day())
deep(1500)
"""
# The line that is marked runs seven times: the loop ends with none.
PYTHON = PYTHON.replace("range(6)", "range(7)")

PERL = """\
use strict;
use File::Spec;
use List::Util qw(sum);
use Text::Wrap;
sub work { my $n = shift; my $s = 0; for my $i (1..$n) { $s += $i; } return $s; }
sub never { return 1; }
for my $i (1..7) {
    work(2000);  # MARK
}
my $f = sub { work(2000) };
$f->();
eval "work(2000); 1" or die;
my $length = length(wrap("", " ", "a b c " x 50)) + length(File::Spec->catfile("a", "b"));
"""

PROGRAMS: dict[str, tuple[str, str]] = {
    "python": ("prog.py", ""),
    "python --no-calls": ("prog.py", "--no-calls"),
    "perl": ("prog.pl", ""),
    "perl nameevals=0": ("prog.pl", "nameevals=0"),
    "perl nameanonsubs=0": ("prog.pl", "nameanonsubs=0"),
    "perl start=init": ("prog.pl", "start=init"),
    "perl subs=0": ("prog.pl", "subs=0"),
    "perl calls=0": ("prog.pl", "calls=0"),
}


def profile_of(program: str, folder: Path) -> Path:
    """Runs it in a folder of its own."""
    name, option = PROGRAMS[program]
    (folder / name).write_text(PERL if name.endswith(".pl") else PYTHON)
    env = {key: value for key, value in os.environ.items() if "NYTPROF" not in key}
    if name.endswith(".pl"):
        env["NYTPROF"] = ":".join(filter(None, ["file=nytprof.out", option]))
        command = ["perl", "-d:NYTProf", str(folder / name)]
    else:
        options = [option] if option else []
        command = [sys.executable, "-m", "pynytprof", "-q", *options, str(folder / name)]
    subprocess.run(command, cwd=folder, env=env, check=True, capture_output=True)
    return folder / "nytprof.out"


def export(profile: Path, name: str) -> Path:
    out = profile.with_suffix(convert.FORMATS[name].suffix)
    with out.open("wb") as file:
        convert.export(profile, name, file.write)
    return out


def takes(consumer: Consumer, program: str) -> bool:
    return not (consumer.note == "needs calls" and program.endswith(" subs=0"))


def rows() -> list[tuple[str, str]]:
    """What the table has to have in its first two columns."""
    return [(f"`{consumer.format}`", consumer.name) for consumer in CONSUMERS]


def main() -> None:
    import tempfile
    import warnings

    warnings.simplefilter("ignore")
    lines = [
        "# Who takes our exports\n\n",
        "Made by `python tests/consumers.py`, which `tests/test_consumers.py` shares its checks",
        " with: each consumer opens the\nexports of profiles by pynytprof and by Perl, with the",
        " options that leave something out, and its figures are compared\nwith the profile's.\n\n",
        "| format | consumer | version | " + " | ".join(PROGRAMS) + " |\n",
        "|---|---|---|" + "---|" * len(PROGRAMS) + "\n",
    ]
    with tempfile.TemporaryDirectory() as folder:
        profiles = {}
        for number, program in enumerate(PROGRAMS):
            (Path(folder) / str(number)).mkdir()
            profiles[program] = profile_of(program, Path(folder) / str(number))
        for consumer in CONSUMERS:
            verdicts = []
            for program, profile in profiles.items():
                if takes(consumer, program):
                    consumer.check(export(profile, consumer.format), profile)
                verdicts.append("takes it" if takes(consumer, program) else consumer.note)
            lines.append(f"| `{consumer.format}` | {consumer.name} | {consumer.version()} | "
                         + " | ".join(verdicts) + " |\n")  # fmt: skip
    lines.append("\nTried by hand: genhtml 2.0, 2.3.1 and 2.5 of lcov's repository.\n")
    TABLE.write_text("".join(lines))


if __name__ == "__main__":
    main()
