"""Which lines of a code object follow from others, without being looked at: its basic blocks."""

from __future__ import annotations

import contextlib
import dis
import io
import itertools
import re
import sys
from pathlib import Path
from types import CodeType, FrameType

import pytest

if sys.version_info < (3, 12):
    pytest.skip("needs CPython 3.12 or later", allow_module_level=True)

from pynytprof._ctrace import line_blocks

TOP = Path(__file__).parent.parent
Place = tuple[int, int]


def blocks_of(code: CodeType) -> list[list[Place]]:
    blocks = line_blocks(code)
    assert blocks is not None
    return blocks


def lines_of(text: str) -> list[list[int]]:
    """By block, the lines of the first function in the text."""
    module = compile(text, "<text>", "exec")
    code = next(c for c in module.co_consts if isinstance(c, CodeType))
    return [[line for _, line in block] for block in blocks_of(code)]


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("def f(a):\n a = 1\n b = 2\n return b\n", [[2, 3, 4]]),
        ("def f(a):\n if a:\n  b = 1\n  c = 2\n d = 3\n e = 4\n", [[3, 4], [5, 6]]),
        ("def f(a):\n for i in a:\n  b = 1\n  c = 2\n return 1\n", [[3, 4]]),
        ("def f(a):\n a = 1\n b = yield\n c = 1\n d = 1\n", [[2, 3], [4, 5]]),
        ("def f(a):\n a = 1\n raise a\n b = 1\n", [[2, 3]]),
        ("def f(a):\n b = a(1,\n  2,\n  3)\n return b\n", [[2, 3, 4, 2, 5]]),
        ("def f(a): return a\n", []),
        ("def f(a):\n return a\n", []),
    ],
)
def test_blocks(text: str, blocks: list[list[int]]) -> None:
    assert lines_of(text) == blocks


# Its argument tells the event where the loop began; it goes nowhere.
NO_JUMPS = {"END_ASYNC_FOR"}


def test_all_jumps_are_known() -> None:
    text = (TOP / "ext/trace/flow.c").read_text(encoding="utf-8")
    known = re.search(r"static int jump_target.*?\n}", text, re.DOTALL)
    assert known is not None
    for opcode in set(dis.hasjrel) | set(dis.hasjabs):
        name = dis.opname[opcode]
        if opcode >= 256 or name.startswith("INSTRUMENTED"):  # the compiler's, and a tool's
            continue
        if name not in NO_JUMPS:
            assert f"case {name}:" in known[0]


class Follower:
    """Holds what a program does to what its blocks say, by LINE events."""

    TOOL = 3

    def __init__(self) -> None:
        self.next_of: dict[tuple[CodeType, int], int | None] = {}
        self.before: dict[tuple[CodeType, int], int] = {}
        self.expected: dict[FrameType, int] = {}
        self.at: dict[FrameType, int] = {}
        self.known: set[CodeType] = set()
        self.wrong: list[str] = []
        self.derived = 0

    def learn(self, code: CodeType) -> None:
        self.known.add(code)
        for block in blocks_of(code):
            for (here, _), (there, _) in itertools.pairwise(block):
                self.next_of[code, here] = there
                self.before[code, there] = here

    def on_line(self, code: CodeType, line: int) -> None:
        if code.co_filename == __file__:  # it runs already when events begin
            return
        if code not in self.known:
            self.learn(code)
        frame = sys._getframe(1)
        here = frame.f_lasti
        expected = self.expected.pop(frame, None)
        if expected is not None and expected != here:
            self.wrong.append(f"{code.co_name}:{line} at {here}, not at {expected}")
        if (code, here) in self.before:
            self.derived += 1
            if self.at.get(frame) != self.before[code, here]:
                self.wrong.append(f"{code.co_name}:{line} at {here} comes from elsewhere")
        self.at[frame] = here
        following = self.next_of.get((code, here))
        if following is not None:
            self.expected[frame] = following

    def on_leave(self, code: CodeType, offset: int, _: object) -> None:
        frame = sys._getframe(1)
        if frame.f_code is code and frame in self.expected:
            self.wrong.append(f"{code.co_name} is left at {offset}, within a block")

    def on_raise(self, code: CodeType, offset: int, error: BaseException) -> None:
        frame = sys._getframe(1)
        if frame.f_code is code:
            self.expected.pop(frame, None)
            self.at.pop(frame, None)

    def run(self, code: CodeType) -> None:
        monitoring = sys.monitoring
        events = monitoring.events
        calls = {
            events.LINE: self.on_line,
            events.PY_RETURN: self.on_leave,
            events.PY_YIELD: self.on_leave,
            events.RAISE: self.on_raise,
            events.PY_THROW: self.on_raise,
        }
        monitoring.use_tool_id(self.TOOL, "follower")
        try:
            for event, call in calls.items():
                monitoring.register_callback(self.TOOL, event, call)
            monitoring.set_events(self.TOOL, sum(calls))
            with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
                exec(code, {"__name__": "followed"})
        finally:
            monitoring.set_events(self.TOOL, 0)
            for event in calls:
                monitoring.register_callback(self.TOOL, event, None)
            monitoring.free_tool_id(self.TOOL)


# Those that do what a test's process can't bear.
ALONE = {"threads", "imports", "exits", "global_state", "large_function", "uncaught_in_callback"}
PROGRAMS = [
    path
    for path in sorted((TOP / "tests/differential/programs").glob("*.py"))
    if path.stem not in ALONE
]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda path: path.stem)
def test_what_runs_follows_the_blocks(program: Path) -> None:
    follower = Follower()
    follower.run(compile(program.read_bytes(), str(program), "exec"))
    assert not follower.wrong, "\n".join(follower.wrong[:10])
    assert follower.derived
