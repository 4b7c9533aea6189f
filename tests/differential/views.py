"""Profiles of programs, and other people's view of them."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from payloads import Edge
from support import PYTHON, run

HERE = Path(__file__).resolve().parent
PROGRAMS = HERE / "programs"

# Code made from strings has no file; all of it goes under this name.
EVAL = "<eval>"

# (file, line, seconds, count)
Cell = tuple[str, int, float, int]

# (file, first line, name) of a sub; file "~" and line 0 for a C function.
Sub = tuple[str, int, str]


def fits(program: Path) -> bool:
    """Whether this interpreter knows the program's syntax (`py312_...` needs 3.12)."""
    gate = re.match(r"py3(\d+)_", program.name)
    return gate is None or sys.version_info >= (3, int(gate[1]))


def program_names() -> list[str]:
    return [p.stem for p in sorted(PROGRAMS.glob("*.py")) if fits(p)]


def profile(
    out: Path, target: Sequence[str | Path], *, tracer: str, cwd: Path | None = None, **env: str
) -> Path:
    """Profiles `target` (what follows the options on the command line) into `out`."""
    done = run(
        [PYTHON, "-m", "pynytprof", "-q", "-o", out, *target],
        cwd=cwd,
        PYNYTPROF_TRACER=tracer,
        **env,
    )
    assert done.returncode == 0, f"status {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr}"
    assert done.stderr == "", done.stderr
    assert out.exists(), done.stderr
    return out


def oracle(method: str, program: Path, result: Path) -> Any:
    done = run([PYTHON, HERE / "oracle.py", method, program, result])
    assert done.returncode == 0, done.stderr
    return json.loads(result.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class SubInfo:
    name: str
    file: str
    first: int
    last: int
    calls: int = 0
    inclusive: float = 0.0
    exclusive: float = 0.0
    recursive: float = 0.0
    depth: int = 0

    @property
    def label(self) -> Sub:
        if self.first == 0:
            return ("~", 0, self.name.rpartition("::")[2])
        name = python_name(self.name)
        if name == "eval" and plain_file(self.file) == EVAL:
            name = "<module>"  # the code itself that exec or eval was given
        return (self.file, self.first, name)


class View:
    """A profile as Perl's own reader sees it."""

    def __init__(self, path: Path) -> None:
        done = run(["perl", HERE / "dump.pl", path])
        assert done.returncode == 0 and done.stderr == "", done.stderr
        raw = json.loads(done.stdout)
        self.attributes: dict[str, str] = raw["attributes"]
        self.options: dict[str, str] = raw["options"]
        # Of many evals on one line the loader keeps one, with the figures of all.
        self.names: defaultdict[int, str] = defaultdict(lambda: "(eval merged)")
        self.names.update({0: "", **{fid: name for fid, name, *_ in raw["files"]}})
        self.sources: dict[str, list[str] | None] = {
            name: source for _, name, _, _, source in raw["files"]
        }
        self.lines = self._by_line(raw["lines"])
        self.blocks = self._by_line(raw["blocks"])
        self.by_sub = self._by_line(raw["by_sub"])
        self.subs: dict[str, SubInfo] = {
            name: SubInfo(name, self.names[fid], *rest) for name, fid, *rest in raw["subs"]
        }
        self.edges: list[Edge[str]] = [
            Edge(self.names[fid], *rest) for fid, *rest in raw["edges"] if fid
        ]
        self.returns: list[tuple[int, str, float, float]] = [tuple(r) for r in raw["returns"]]

    def _by_line(self, cells: list[tuple[int, int, float, int]]) -> list[Cell]:
        return [
            (self.names[fid], line, seconds, count)
            for fid, line, seconds, count in cells
            if fid in self.names
        ]

    def seconds(self) -> float:
        return sum(seconds for _, _, seconds, _ in self.lines)

    def line_counts(self) -> Counter[tuple[str, int]]:
        counts: Counter[tuple[str, int]] = Counter()
        for file, line, _, count in self.lines:
            counts[plain_file(file), line] += count
        return counts

    def call_counts(self) -> Counter[tuple[Sub | None, Sub]]:
        counts: Counter[tuple[Sub | None, Sub]] = Counter()
        for edge in self.edges:
            counts[self.label(edge.caller), not_none(self.label(edge.callee))] += edge.count
        return counts

    def label(self, name: str) -> Sub | None:
        """None for callers that are no sub: what is outside of the profiled program."""
        sub = self.subs.get(name)
        if sub is None:
            return None
        file, line, python = sub.label
        return (plain_file(file), line, python)


def not_none(sub: Sub | None) -> Sub:
    assert sub is not None
    return sub


def plain_file(name: str) -> str:
    """One name for a file from the profile and from a code object."""
    if name.startswith("(eval ") or re.fullmatch(r"<(?!frozen ).*>", name):
        return EVAL
    frozen = re.fullmatch(r"<(frozen .*)>", name)
    return f"({frozen[1]})" if frozen else name


def python_name(name: str) -> str:
    """`co_name` from the name of a sub: `m::f::lambda@3` is `<lambda>`."""
    *outer, last = name.split("::")
    last = re.sub(r"(?<=.)(@\d+(\.\d+)?)+$", "", last)
    if last == "(module)":
        return "<module>"
    if last == "(class)":
        return re.sub(r"(@\d+(\.\d+)?)+$", "", outer[-1])
    if last == "generic":
        return "<generic>"
    if last in {"lambda", "listcomp", "setcomp", "dictcomp", "genexpr"}:
        return f"<{last}>"
    return last


def code_name(name: str) -> str:
    """The other way: `co_name`, made equal where names of subs can't say as much."""
    if name.startswith("<generic parameters of"):
        return "<generic>"
    return name


def c_name(text: str) -> str:
    """The bare name in cProfile's words for a C function."""
    for pattern in (
        r"<built-in method (?:[\w.]+\.)?(\w+)(?: of .*)?>",
        r"<(?:method|slot wrapper|method-wrapper) '(\w+)'(?: of .*)?>",
        r"<built-in function (?:[\w.]+\.)?(\w+)>",
    ):
        found = re.fullmatch(pattern, text)
        if found:
            return found[1]
    return text


def cprofile_label(
    entry: Sequence[Any] | None, called: Callable[[str], str] = plain_file
) -> Sub | None:
    if entry is None:
        return None
    file, line, name = entry
    if file == "~":
        return ("~", 0, c_name(name))
    return (called(file), line, code_name(name))


def is_program(file: str) -> bool:
    return file.startswith(str(PROGRAMS))


def perl_commands(made: Path, out: Path) -> list[list[str | Path]]:
    """Each of Devel::NYTProf's tools on a profile, results under `out`.

    nytprofpf came with 6.12, but is not in Debian's packages of later versions.
    """
    commands: list[list[str | Path]] = [
        ["nytprofhtml", "-f", made, "-o", out / "html"],
        ["nytprofcsv", "-f", made, "-o", out / "csv"],
        ["nytprofcg", "-f", made, "-o", out / "callgrind.out"],
        ["nytprofcalls", made],
        ["nytprofmerge", "-o", out / "merged.out", made],
    ]
    if shutil.which("nytprofpf"):
        commands.append(["nytprofpf", "-f", made, "-o", out / "pf.txt"])
    return commands


def differences(ours: Counter[Any], theirs: Counter[Any]) -> str:
    """One line for each key on which the two disagree; nothing if they agree."""
    return "".join(
        f"\n{key}: ours {ours[key]}, theirs {theirs[key]}"
        for key in sorted(ours.keys() | theirs.keys(), key=repr)
        if ours[key] != theirs[key]
    )
