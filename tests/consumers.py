"""The programs that our exports are for: each opens a file and says what it makes of it.

``python tests/consumers.py`` writes docs/consumers.md, the table of formats and consumers, from
what they say here and now.
"""

from __future__ import annotations

import base64
import csv
import gzip
import html
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


def function_ns(profile: Path) -> float:
    return sum(sub.excl for sub in reader.read(profile).subs.values()) * 1e9


def path_ns(profile: Path) -> float:
    """All time of its call tree, or without one of its functions, or lines."""
    read = reader.read(profile)
    if len(read.tree) > 1:
        return sum(node.excl for node in read.tree[1:]) * 1e9 / read.header.ticks_per_sec
    return function_ns(profile) or statement_ns(profile)


def calls_of(profile: Path) -> int:
    return sum(sub.calls for sub in reader.read(profile).subs.values())


# ---- One function each: an export and the profile it is of ----


def callgrind_annotate(out: Path, profile: Path) -> None:
    text = run("callgrind_annotate", "--inclusive=yes", "--auto=no", "--threshold=100", out)
    (total,) = re.findall(r"([\d,]+) \(100\.0%\)  PROGRAM TOTALS", text)
    measured = {statement_ns(profile)}
    tolerance = 2000
    if profile.with_name("prog.pl").exists():
        # Perl measures functions and lines by themselves: they differ by some microseconds a call,
        # and by as much as one of both has waited for a processor between the other's two readings.
        measured.add(function_ns(profile) or statement_ns(profile))
        tolerance += calls_of(profile) * 5000
    assert min(measured) - tolerance <= whole(total) <= max(measured) + tolerance
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


def devtools_cpuprofile(out: Path, profile: Path) -> None:
    """Chrome's own reader of the format, from its DevTools: the package has its sources."""
    if not (NPM / "chrome-devtools-frontend").exists():
        raise Missing("chrome-devtools-frontend from npm")
    bundle = NPM.parent / "devtools.mjs"
    model = "chrome-devtools-frontend/front_end/models/cpu_profile/CPUProfileDataModel.ts"
    if not bundle.exists():
        script = NPM.parent / "devtools-in.mjs"
        script.write_text(f"""
            import {{ CPUProfileDataModel }} from {json.dumps(model)};
            import fs from "node:fs";
            const read = new CPUProfileDataModel(JSON.parse(fs.readFileSync(process.argv[2])));
            const self = {{}}, lines = {{}};
            for (const node of read.nodes()) {{
                self[node.functionName] = (self[node.functionName] || 0) + node.self;
                for (const one of node.positionTicks || [])
                    lines[one.line] = (lines[one.line] || 0) + one.ticks;
            }}
            console.log(JSON.stringify({{ total: read.total, self, lines }}));
        """)
        run(NPM / ".bin" / "esbuild", script, "--bundle", "--platform=node", "--format=esm",
            f"--outfile={bundle}.part", "--log-level=error")  # fmt: skip
        Path(f"{bundle}.part").replace(bundle)
    read = json.loads(run("node", bundle, out))
    assert abs(read["total"] * 1e6 - path_ns(profile)) <= 2000
    assert (
        abs(sum(read["self"].values()) * 1e6 - path_ns(profile)) <= 1e-3 * path_ns(profile) + 2000
    )
    for name in names_of(profile):
        assert any(one == name or one.startswith(f"{name} x ") for one in read["self"]), name
    assert read["lines"]


def in_speedscope(out: Path, profile: Path) -> None:
    """Its own page in a real browser: the table of functions that it makes of the file."""
    page = NPM / "speedscope" / "dist" / "release" / "index.html"
    if not page.exists():
        raise Missing("speedscope from npm")
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise Missing("Chromium")
    script = out.with_name(out.name + ".js")
    data = base64.b64encode(out.read_bytes()).decode()
    script.write_text(f"speedscope.loadFileFromBase64({json.dumps(out.name)}, {json.dumps(data)})")
    dom = run_browser(browser, f"{page.as_uri()}#localProfilePath={script}&view=sandwich")
    rows = re.findall(r"<tr [^>]*>(<td .*?)</tr>", dom)
    shown = [[html.unescape(re.sub("<[^>]*>", "", cell)) for cell in re.findall("<td.*?</td>", row)]
             for row in rows]  # fmt: skip
    assert shown, dom[:300]
    read = reader.read(profile)
    if len(read.tree) > 1:
        own: dict[str, float] = {}
        for node in read.tree[1:]:
            own[node.name] = own.get(node.name, 0) + node.excl / read.header.ticks_per_sec
        for _, self_time, name in shown[:5]:
            (number, unit), *_ = re.findall(r"^([\d.]+)(\D+) \(", self_time)
            seconds = float(number) * {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1}[unit]
            expected = own[name.partition(" x ")[0]]
            assert abs(seconds - expected) <= 2e-6 + 0.01 * expected, (name, self_time, expected)


def run_browser(browser: str, address: str) -> str:
    """The page as it is when it has come to rest."""
    done = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files",
         "--window-size=1200,900", "--virtual-time-budget=20000", "--dump-dom", address],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    return done.stdout


def python_protobuf(out: Path, profile: Path) -> None:
    """pprof's message, decoded by Google's library for Python from the numbers of its fields."""
    try:
        from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    except ImportError:
        raise Missing("protobuf") from None
    kinds = {"i": 3, "u": 4, "s": 9, "m": 11, "b": 8}
    messages = {
        "Profile": "sample_type:1rm:ValueType sample:2rm:Sample mapping:3rm:Mapping "
        "location:4rm:Location function:5rm:Function string_table:6rs time_nanos:9i "
        "duration_nanos:10i period_type:11m:ValueType period:12i comment:13ri "
        "default_sample_type:14i",
        "ValueType": "type:1i unit:2i",
        "Sample": "location_id:1ru value:2ri label:3rm:Label",
        "Label": "key:1i str:2i num:3i num_unit:4i",
        "Mapping": "id:1u memory_start:2u memory_limit:3u file_offset:4u filename:5i "
        "build_id:6i has_functions:7b has_filenames:8b has_line_numbers:9b has_inline_frames:10b",
        "Location": "id:1u mapping_id:2u address:3u line:4rm:Line is_folded:5b",
        "Line": "function_id:1u line:2i column:3i",
        "Function": "id:1u name:2i system_name:3i filename:4i start_line:5i",
    }
    file = descriptor_pb2.FileDescriptorProto(name="p.proto", package="p", syntax="proto3")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field in fields.split():
            found = re.fullmatch(r"(\w+):(\d+)(r?)([iusmb])(?::(\w+))?", field)
            assert found
            message.field.add(
                name=found[1], number=int(found[2]), label=3 if found[3] else 1,
                type=kinds[found[4]], type_name=f".p.{found[5]}" if found[5] else None,
            )  # fmt: skip
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    decoded: Any = message_factory.GetMessageClass(pool.FindMessageTypeByName("p.Profile"))()
    decoded.ParseFromString(gzip.decompress(out.read_bytes()))
    assert not list(unknown_fields(decoded))
    text = decoded.string_table
    assert text[0] == ""
    units = [(text[one.type], text[one.unit]) for one in decoded.sample_type]
    column = units.index(("time", "nanoseconds"))
    total = sum(sample.value[column] for sample in decoded.sample)
    assert abs(total - path_ns(profile)) <= 1000
    names = {text[function.name] for function in decoded.function}
    for name in names_of(profile):
        assert any(one == name or one.startswith(f"{name} x ") for one in names), name
    known = {location.id for location in decoded.location}
    assert {one for sample in decoded.sample for one in sample.location_id} <= known
    functions = {function.id for function in decoded.function}
    assert {one.function_id for place in decoded.location for one in place.line} <= functions


def unknown_fields(message: Any) -> Any:
    from google.protobuf import unknown_fields as unknown

    return unknown.UnknownFieldSet(message)


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
    tested: tuple[str, ...] = ()
    """The programs whose profiles the tests give it, where it takes seconds; else all."""

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
    Consumer("cpuprofile", "Chrome's DevTools", devtools_cpuprofile,
             npm_version("chrome-devtools-frontend")),
    Consumer("cpuprofile", "speedscope in Chromium", in_speedscope, npm_version("speedscope"),
             tested=("python", "perl subs=0")),
    Consumer("csv", "Python's csv", python_csv, lambda: ".".join(map(str, sys.version_info[:2]))),
    Consumer("dot", "Graphviz", graphviz, says(r"version (\S+)", "dot", "-V")),
    Consumer("lcov", "genhtml", genhtml, says(r"version (\S+)", "genhtml", "--version")),
    Consumer("lcov", "lcov_cobertura", lcov_cobertura, from_pip("lcov_cobertura")),
    Consumer("pprof", "go tool pprof", pprof, says(r"go([\d.]+)", "go", "version")),
    Consumer("pprof", "Python's protobuf", python_protobuf, from_pip("protobuf")),
    Consumer("pstats", "pstats", python_pstats,
             lambda: ".".join(map(str, sys.version_info[:2]))),
    Consumer("pstats", "snakeviz", snakeviz, from_pip("snakeviz")),
    Consumer("pstats", "tuna", tuna, from_pip("tuna")),
    Consumer("pstats", "flameprof", flameprof, from_pip("flameprof"), "needs calls"),
    Consumer("pstats", "gprof2dot", gprof2dot_pstats, from_pip("gprof2dot")),
    Consumer("speedscope", "speedscope's schema", speedscope_schema, npm_version("speedscope")),
    Consumer("speedscope", "speedscope in Chromium", in_speedscope, npm_version("speedscope"),
             tested=("python", "perl subs=0")),
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


NOTES = (
    "\nTried by hand: genhtml 2.0, 2.3.1 and 2.5 of lcov's repository.\n\n"
    "Not tried: VS Code's viewer of `cpuprofile` (vscode-js-profile-core is not on npm; the row of"
    " node has its sums, that of\nChrome's DevTools the reader of those who made the format). The"
    " Firefox Profiler is on npm neither, so that nothing of its\nown could check a format of its"
    " own; it opens `cpuprofile`, as its importer for Chrome's and Node's profiles says (any\n"
    "object with samples, timeDeltas, startTime and endTime), and samples it anew every 0.5 ms.\n"
)


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
    lines.append(NOTES)
    TABLE.write_text("".join(lines))


if __name__ == "__main__":
    main()
