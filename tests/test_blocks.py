"""The suites of a text as both tracers find them: the same, whatever stands in it."""

from __future__ import annotations

import struct
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pynytprof._pure import blocks as _blocks
from pynytprof._pure.source import decode_source, split_lines
from pynytprof.tracer import Tracer

if find_spec("pynytprof._ctrace"):
    from pynytprof._ctrace import block_headers
else:
    pytest.skip("no C tracer", allow_module_level=True)


TEXTS = {
    "nothing": ("", [0]),
    "one line": ("x = 1", [0, 0]),
    "suites": (
        "if a:\n  b\n  if c:\n     d\n  e\nelse:\n f\ng\n",
        [0, 0, 1, 1, 3, 1, 0, 6, 0],
    ),
    "two end at once": ("for a in b:\n if c:\n  d\ne\n", [0, 0, 1, 2, 0]),
    "on one line": ("if a: b; c\nd\n", [0, 0, 0]),
    "blank lines and comments": ("if a:\n\n# no\n  b\n # no\n\n  c\n", [0, 0, 0, 0, 1, 0, 0, 1]),
    "brackets": ("if f(\n1,\n  [2\n]):\n  g(\n)\nh\n", [0, 0, 0, 0, 0, 1, 1, 0]),
    "comment in brackets": ("f(  # (\n1)\nwith a:\n  b\n", [0, 0, 0, 0, 3]),
    "backslash": ("if a and \\\n   b:\n  c = \\\n1\nd\n", [0, 0, 0, 1, 1, 0]),
    "backslash before a statement": ("x = 1\n\\\nif x:\n  y\n  z\n", [0, 0, 0, 0, 3, 3]),
    "backslash in a suite": (
        "if a:\n  b\n\\\n  c\n  \\\n\\\n      d\n  \\\ne\n\\\n\nf\n",
        [0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0],
    ),
    "backslash before a blank line": (
        "if a:\n  if b:\n\\\n    c\n\\\n\n    d\n  e\n",
        [0, 0, 1, 0, 2, 0, 0, 2, 1],
    ),
    "strings": ("if a:\n  '''x\ny\n  \\''' + \"'\"\n z'''\n  b\n", [0, 0, 1, 1, 1, 1, 1]),
    "prefixes": ("if a:\n  Rb'\\'' + u'#' + f'{b}' + rf'\\{b}'\nc\n", [0, 0, 1, 0]),
    "string with backslash": ("if a:\n  b = 'c\\\nd'\n  e\n", [0, 0, 1, 1, 1]),
    "fields": (
        "if a:\n  f'{b!r:{c}}{{' + f'''{\nd:>{e\n}}}}'''\n  f\"{'}'}\"\ng\n",
        [0, 0, 1, 1, 1, 1, 0],
    ),
    "names of characters": ("if a:\n  f'\\N{EM DASH}{b}' + '\\N{EM DASH}'\nc\n", [0, 0, 1, 0]),
    "tabs": ("if a:\n\tb\n\tif c:\n\t\td\nif e:\n  \tf\n", [0, 0, 1, 1, 3, 0, 5]),
    "form feeds": ("if a:\n  b\n\fc\n  \f  \n", [0, 0, 1, 0, 0]),
    "no end of line": ("if a:\n  b", [0, 0, 1]),
    "decorators": ("if a:\n @b(\n  1)\n def c():\n  d\n", [0, 0, 1, 1, 1, 4]),
    "lambda in a field": ("if a:\n  f'{(lambda: 1)()}'\n  b\n", [0, 0, 1, 1]),
    "unicode": ("if é:\n  ü = 'ß'\n", [0, 0, 1]),
}
if sys.version_info >= (3, 12):
    TEXTS["nested quotes"] = (
        "if a:\n  f'{b['c'] + f'{d}'}' + f'{\n{'e': 1}['e']:{f''}}'\n  g\nh\n",
        [0, 0, 1, 1, 1, 0],
    )


@pytest.mark.parametrize(("text", "expected"), TEXTS.values(), ids=list(TEXTS))
def test_texts(text: str, expected: list[int]) -> None:
    compile(text, "text", "exec")
    lines = split_lines(text)
    assert block_headers(lines) == expected
    assert _blocks.headers(lines) == expected


# What statements may look like; `{}` stands for their indentation.
SIMPLE = [
    "x", "x; y", "f(\n1)", "x = \\\n  1", "'''a\n  \\\n'''", "f'{x}'", "x = [\n\n  # [\n]",
    "'#' # '",
]  # fmt: skip
HEADERS = [
    "if x:", "while x: # :", "for x in (\n1,):", "with x:", "def f(\n):", "@g\n{}def f():",
    "class A:",
]  # fmt: skip


class Text:
    """A text in the making, and what is to be found in it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.expected = [0]

    def __repr__(self) -> str:
        return repr("".join(self.lines))

    def add(self, lines: str, header: int) -> int:
        """Adds lines of that header; the number of the first."""
        first = len(self.lines) + 1
        for line in lines.split("\n"):
            self.lines.append(f"{line}\n")
            self.expected.append(header)
        return first


@st.composite
def texts(draw: st.DrawFn) -> Text:
    text = Text()

    def begin(indent: str) -> str:
        """Adds lines that hold no code; how the statement after them may be indented."""
        for line in draw(st.lists(st.sampled_from(["", " ", "\t# no", "# '''"]), max_size=2)):
            text.add(line, 0)
        # CPython takes tabs before a backslash for what they are not, and refuses the text.
        where = ["", indent] if "\t" not in indent else [""]
        alone = draw(st.lists(st.sampled_from(where), max_size=2))
        for before in alone:
            text.add(f"{before}\\", 0)
        free = bool(indent) and indent in alone
        return draw(st.sampled_from(["", indent, "   ", "\t"])) if free else indent

    def suite(indent: str, header: int, depth: int) -> None:
        for _ in range(draw(st.integers(1, 3))):
            at = begin(indent)
            compound = depth > 0 and draw(st.booleans())
            statement = draw(st.sampled_from(HEADERS if compound else SIMPLE))
            first = text.add(at + statement.replace("{}", indent), header)
            if compound:
                first += statement.startswith("@")
                deeper = indent + draw(st.sampled_from([" ", "    ", "\t"]))
                suite(deeper, first, depth - 1)
                if statement == "if x:" and draw(st.booleans()):
                    suite(deeper, text.add(f"{begin(indent)}else:", header), depth - 1)

    suite("", 0, 3)
    return text


@given(texts())
@settings(deadline=None)
def test_made_up_texts(text: Text) -> None:
    compile("".join(text.lines), "text", "exec")
    assert block_headers(text.lines) == text.expected
    assert _blocks.headers(text.lines) == text.expected


LIBRARY = Path(sysconfig.get_paths()["stdlib"])
HARD = """
_pydecimal.py argparse.py ast.py asyncio/base_events.py cgitb.py dataclasses.py enum.py inspect.py
lib2to3/pygram.py pydoc.py pydoc_data/topics.py test/test_fstring.py test/test_grammar.py
test/test_patma.py test/test_string_literals.py tkinter/ttk.py typing.py xml/dom/minidom.py
zipfile.py
"""


@pytest.mark.parametrize("name", [name for name in HARD.split() if (LIBRARY / name).exists()])
def test_both_find_the_same_in_the_standard_library(name: str) -> None:
    lines = split_lines(decode_source((LIBRARY / name).read_bytes()))
    found = block_headers(lines)
    assert found == _blocks.headers(lines)
    assert name.startswith("pydoc_data") or any(found)


BROKEN = ["'", "'''", "f'{", "f'{a:{", "(", ")", "}", "\\", "if a:\n  'b\n  c\n", "f'{a:b'\nc\n"]


@pytest.mark.parametrize("text", [*BROKEN, "\0(\n"])
def test_broken_texts_do_no_harm(text: str) -> None:
    lines = text.splitlines(keepends=True)
    assert len(block_headers(lines)) == len(lines) + 1
    assert len(_blocks.headers(lines)) == len(lines) + 1


def test_depth_has_its_limits() -> None:
    deep = "".join(" " * depth + "if a:\n" for depth in range(300)) + "f'{" * 1000
    assert len(block_headers(deep.splitlines(keepends=True))) == 302
    with pytest.raises(TypeError):
        block_headers([1])  # type: ignore[list-item]


PROGRAM = """\
class A:
    x = [
        n for n in (1, 2)
    ]
    if x:
        y = 1
    @staticmethod
    def m(
        a=1):
        while a:
            a -= 1; b = a
            if b: return (lambda:
                a + 1)()
A.m(2)
for f in [lambda: 0]:
    if f():
        pass
    else:
        exec("if 1:\\n  x = 1\\n")
"""
PLACES = {
    (1, 1, 1), (2, 1, 1), (5, 1, 1), (6, 5, 1), (7, 1, 1), (8, 1, 1),
    (10, 7, 7), (11, 10, 7), (12, 10, 7), (13, 12, 12), (14, 1, 1), (15, 1, 1),
    (15, 15, 15), (16, 15, 1), (19, 18, 1),
}  # fmt: skip
# Comprehensions have frames of their own before 3.12, lambdas a line before their text's, and from
# 3.14 on a default that is a constant is made where the decorators are.
VARYING = {(3, 1, 1), (2, 2, 2), (3, 2, 2), (12, 12, 12), (9, 1, 1)}


@pytest.mark.parametrize("kind", ["py", "c"])
def test_lines_tell_block_and_sub(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: set[tuple[int, int, int]] = set()

    class Lines:
        def write_chunk(self, token: bytes, payload: bytes) -> None:
            if token == b"S":
                for fid, line, block, sub, *_ in struct.iter_unpack("<4I3Q", payload):
                    assert fid == 1
                    found.add((line, block, sub))

        def close(self) -> None:
            pass

    monkeypatch.setenv("PYNYTPROF_TRACER", kind)
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    code = compile(PROGRAM, str(program), "exec")
    tracer = Tracer(writer=Lines(), options={"blocks": 1, "include": [str(program)]})
    with tracer:
        exec(code, {"__name__": "program"})
    assert PLACES <= found <= PLACES | VARYING
