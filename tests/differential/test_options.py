"""What can be switched off or on: each combination is a sound profile with the right numbers.

Blocks and subs are told apart here by what `ast` says of the program, and the sums that
Perl's reader has for them are compared with those of its lines.
"""

from __future__ import annotations

import ast
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from support import TRACERS, run
from views import Cell, View, perl_commands, profile

from pynytprof.verify import verify

PROGRAM = '''\
"""Each line belongs to one sub."""
import sys

def named(function):
    return function

if sys.argv:
    plenty = """a string
    of two lines"""

    @named
    @named
    def area(n):
        total = 0
        for i in range(n):
            if i % 2:
                total += i
            elif i == 4:
                total += len(str(i))
            else:
                with open(__file__) as file:
                    total += len(file.read(i))
        else:
            total += 1
        while total > 10:
            total //= 2
            try:
                total -= int("x")
            except ValueError:
                total -= 1
            finally:
                total += 0
        return total

async def ask(n):
    async for item in items(n):
        if item:
            print(item)

async def items(n):
    for i in range(n):
        yield i

def outer():
    def inner(x):
        if x:
            return sorted(
                [3, 2,
                 x],
            )
        return None

    return [inner(0), inner(1)]

for k in range(3):
    print(area(6 + k))
    if k == 1:
        outer()
try:
    ask(3).send(None)
except StopIteration:
    pass
else:
    sys.exit(1)
'''


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("options") / "program.py"
    path.write_text(PROGRAM)
    return path


def options(**settings: int) -> list[str]:
    return [f"--set={key}={value}" for key, value in settings.items()]


@pytest.fixture(scope="module")
def made(program: Path) -> Callable[[str, Sequence[str]], Path]:
    """(tracer, options) -> the profile."""
    known: dict[tuple[str, ...], Path] = {}

    def of(tracer: str, given: Sequence[str]) -> Path:
        key = tracer, *given
        if key not in known:
            out = program.parent / f"{len(known)}.out"
            known[key] = profile(out, [*given, program], tracer=tracer)
        return known[key]

    return of


@pytest.fixture(scope="module")
def usual(made: Callable[[str, Sequence[str]], Path]) -> View:
    """The program's profile with no options."""
    return View(made(TRACERS[-1], []))


Made = Callable[[str, Sequence[str]], Path]


# ---- Blocks ----


def first_line(statement: ast.stmt) -> int:
    lines: list[int] = [n.lineno for n in getattr(statement, "decorator_list", [])]
    return min([statement.lineno, *lines])


class Blocks(ast.NodeVisitor):
    """By line: the first lines of the block and of the sub, from the program's syntax."""

    def __init__(self, text: str) -> None:
        self.lines = text.split("\n")
        self.found: dict[int, tuple[int, int]] = {}
        self.suite(ast.parse(text).body, 1, 1)

    def suite(self, body: Iterable[ast.stmt], block: int, sub: int) -> None:
        for statement in body:
            assert statement.end_lineno is not None
            for line in range(first_line(statement), statement.end_lineno + 1):
                self.found[line] = block, sub
            self.inside(statement, sub)

    def inside(self, statement: ast.stmt, sub: int) -> None:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            first = first_line(statement)
            self.suite(statement.body, first, first)
            return
        self.suite(getattr(statement, "body", []), statement.lineno, sub)
        for handler in getattr(statement, "handlers", []):
            self.suite(handler.body, handler.lineno, sub)
        for word in ("orelse", "finalbody"):
            rest: list[ast.stmt] = getattr(statement, word, [])
            if rest:
                elif_ = self.lines[rest[0].lineno - 1].lstrip().startswith("elif")
                if elif_:
                    self.inside(rest[0], sub)
                else:
                    self.suite(rest, self.header(rest[0].lineno, word), sub)

    def header(self, line: int, word: str) -> int:
        sought = {"orelse": "else:", "finalbody": "finally:"}[word]
        while self.lines[line - 1].strip() != sought:
            line -= 1
        return line


def sums(cells: Iterable[Cell]) -> tuple[dict[int, float], Counter[int]]:
    seconds: dict[int, float] = {}
    counts: Counter[int] = Counter()
    for file, line, time, count in cells:
        if file.endswith("program.py"):
            seconds[line] = seconds.get(line, 0) + time
            counts[line] += count
    return seconds, counts


@pytest.mark.parametrize("tracer", TRACERS)
def test_perl_sees_the_sums_of_blocks_and_subs(tracer: str, made: Made) -> None:
    view = View(made(tracer, ["--blocks"]))
    found = Blocks(PROGRAM).found
    lines = [cell for cell in view.lines if cell[0].endswith("program.py")]
    assert len({found[line][0] for _, line, _, _ in lines}) > 15
    for cells, which in ((view.blocks, 0), (view.by_sub, 1)):
        expected, counts = sums((f, found[line][which], s, n) for f, line, s, n in lines)
        seconds, counted = sums(cells)
        assert counted == counts
        assert seconds == pytest.approx(expected, abs=1e-9)
    # Everywhere, and not only in the program: three views of the same time.
    whole = view.seconds()
    assert sum(cell[2] for cell in view.blocks) == pytest.approx(whole)
    assert sum(cell[2] for cell in view.by_sub) == pytest.approx(whole)
    assert view.options["blocks"] == "1"


@pytest.mark.parametrize("tracer", TRACERS)
def test_a_subs_first_line_is_where_its_sums_stand(tracer: str, made: Made) -> None:
    """The view by sub finds the subs that it links to."""
    view = View(made(tracer, ["--blocks"]))
    firsts = {(sub.file, sub.first) for sub in view.subs.values()}
    assert {(file, line) for file, line, _, _ in view.by_sub} <= firsts


def test_without_text_a_sub_is_one_block(made: Made) -> None:
    view = View(made(TRACERS[-1], ["--blocks", "--no-savesrc"]))
    assert view.blocks == view.by_sub


def test_without_blocks_there_are_none(usual: View) -> None:
    assert (usual.blocks, usual.by_sub, usual.options["blocks"]) == ([], [], "0")


# ---- Combinations ----

SWITCHES = ("stmts", "subs", "calls", "slowops", "blocks")
COMBINATIONS = [
    options(**dict(zip(SWITCHES, values, strict=True)))
    for values in [
        *((*four, 0) for four in itertools.product((0, 1), repeat=4)),
        (1, 0, 1, 1, 1),
        (0, 1, 1, 1, 1),
    ]
]
ALONE = [options(**{key: 0}) for key in SWITCHES[:-1]]


@pytest.mark.parametrize("given", COMBINATIONS, ids=" ".join)
def test_each_combination(given: list[str], made: Made, usual: View) -> None:
    path = made(TRACERS[-1], given)
    on = {text.split("=")[1]: text.endswith("1") for text in given}
    assert verify(path, quiet=True)
    view = View(path)
    told = {key: view.options[key] == "1" for key in SWITCHES}
    assert told == {
        **on,
        "calls": on["calls"] and on["subs"],
        "blocks": on["blocks"] and on["stmts"],
    }
    assert bool(view.lines) == on["stmts"] and bool(view.blocks) == told["blocks"]
    assert bool(view.edges) == bool(view.subs) == on["subs"]
    assert bool(view.returns) == told["calls"]
    if on["stmts"]:
        assert of_program(view.lines) == of_program(usual.lines)
    if on["subs"]:
        assert calls_of_program(view) == calls_of_program(usual)
        c_functions = [sub for sub in view.subs.values() if sub.label[0] == "~"]
        assert bool(c_functions) == on["slowops"]
    exclusive = sum(edge.excl for edge in view.edges)
    if on["stmts"] and on["subs"]:
        assert exclusive == pytest.approx(view.seconds(), abs=2e-6)
    if told["calls"]:
        ticks = sum(excl for _, _, _, excl in view.returns)
        assert ticks / 1e7 == pytest.approx(exclusive, abs=2e-6)
    assert max(exclusive, view.seconds()) <= float(view.attributes["profiler_duration"])


def of_program(lines: Iterable[Cell]) -> dict[int, int]:
    return {line: count for file, line, _, count in lines if file.endswith("program.py")}


def calls_of_program(view: View) -> dict[str, int]:
    """By callee: where C functions are none, others call what they called."""
    return {name: sub.calls for name, sub in view.subs.items() if sub.file.endswith("program.py")}


@pytest.mark.slow
@pytest.mark.parametrize("given", [*ALONE, COMBINATIONS[0], ["--blocks"]], ids=" ".join)
def test_perls_tools_are_silent(given: list[str], made: Made, tmp_path: Path) -> None:
    path = made(TRACERS[-1], given)
    for command in perl_commands(path, tmp_path):
        done = run(command)
        said = [
            line
            for line in done.stderr.splitlines()
            if line.strip() and not line.startswith(("Extracting ", "Generating subroutine stack"))
        ]
        assert (done.returncode, said) == (0, []), command


@pytest.mark.slow
def test_perls_pages_show_blocks_and_subs(made: Made, tmp_path: Path) -> None:
    run(["nytprofhtml", "-f", made(TRACERS[-1], ["--blocks"]), "-o", tmp_path])
    pages = {page.name.rsplit("-", 1)[1] for page in tmp_path.glob("*program*.html")}
    assert pages == {"line.html", "block.html", "sub.html"}
