"""The line tables of code objects, which we read ourselves, against the interpreter's reading."""

from __future__ import annotations

import contextlib
import sysconfig
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest
import support

if "c" not in support.TRACERS:
    pytest.skip("the tracer in C is not there", allow_module_level=True)

from pynytprof._ctrace import line_costs, line_ranges

LIBRARY = Path(sysconfig.get_path("stdlib"))


def codes_in(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes_in(constant)


def expected(code: CodeType) -> list[tuple[int, int, int]]:
    """By co_lines(); CPython 3.11 does not put neighbours on one line together."""
    ranges: list[tuple[int, int, int]] = []
    for start, end, line in code.co_lines():
        number = -1 if line is None else line
        if ranges and ranges[-1][2] == number:
            start = ranges.pop()[0]
        ranges.append((start, end, number))
    return ranges


def compiled(path: Path) -> CodeType | None:
    with warnings.catch_warnings(), contextlib.suppress(SyntaxError, ValueError):
        warnings.simplefilter("ignore")
        return compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
    return None


@pytest.mark.parametrize("pattern", ["[a-m]*.py", "[n-z]*.py", "asyncio/*.py", "email/*.py"])
def test_the_library_is_read_as_co_lines_reads_it(pattern: str) -> None:
    found = [code for path in LIBRARY.glob(pattern) if (code := compiled(path))]
    assert len(found) > 10
    for module in found:
        for code in codes_in(module):
            assert line_ranges(code) == expected(code), (code.co_filename, code.co_name)


LONG = "x = 1\n" * 3 + "\n" * 70_000 + "y = [\n" + "0,\n" * 300 + "]\n"
GENERATED = "def f(a):\n" + "\n" * 300 + "    return (a +\n" + "\n" * 200 + "  a)\n"


@pytest.mark.parametrize("text", ["", "pass", LONG, GENERATED, "async def f():\n  await x\n"])
def test_lines_far_apart(text: str) -> None:
    for code in codes_in(compile(text, "far.py", "exec")):
        assert line_ranges(code) == expected(code)


def test_lines_that_go_back_and_lines_before_the_first() -> None:
    code = compile("a = (\n1\n+\nb)\nfor c in a:\n    d = c", "back.py", "exec")
    for first in (1, 100, 2**30):
        moved = code.replace(co_firstlineno=first)
        assert line_ranges(moved) == expected(moved)


def test_the_same_table_from_another_first_line() -> None:
    """What was read last is kept: it is that of one table and one first line."""
    code = compile("a = 1\nb = 2\n", "same.py", "exec")
    moved = code.replace(co_firstlineno=50)
    for _ in range(2):
        assert line_ranges(code) == expected(code)
        assert line_ranges(moved) == expected(moved)


BACK = "def f(a):\n" + "    a = (a +\n" + "\n" * 50 + "  a)\n" + "    a = [a,\n 1, 2, a]\n"
MANY = "".join(f"x{i} = [\n{i}, x]\n" for i in range(3000))
EDGE = "x = 1\n" + "\n" * 4094 + "y = 1\n"


@pytest.mark.parametrize("text", ["", "pass", LONG, GENERATED, BACK, MANY, EDGE, "\n" + EDGE])
def test_each_line_of_the_code_once(text: str) -> None:
    """In code of few lines and of many, near each other and far apart."""
    for code in codes_in(compile(text, "lines.py", "exec")):
        lines = sorted({line for _, _, line in expected(code) if line > 0})
        assert list(line_costs(code)) == (lines or [1])


def test_only_code_has_lines() -> None:
    with pytest.raises(TypeError):
        line_ranges("text")  # type: ignore[arg-type]
