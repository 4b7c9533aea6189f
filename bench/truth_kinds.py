"""Work of one kind each, for bench_truth.py: what profilers find hard to time fairly.

Every kind is a function that takes a number of units; `other` is what it is compared with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

LIMIT = 7
TABLE = {i: i + 1 for i in range(64)}


def _small(x: int) -> int:
    return x + 1


def small_calls(units: int) -> None:
    x = 0
    for _ in range(units):
        x = _small(x)


def cheap_lines(units: int) -> None:
    a = b = c = 0
    for i in range(units):
        a = i
        b = a
        c = b
        a = c
        b = a
        c = b


class _Point:
    def __init__(self) -> None:
        self.x = 0

    def step(self, by: int) -> int:
        self.x += by
        return self.x


def methods(units: int) -> None:
    point = _Point()
    for i in range(units):
        point.step(i)


def _numbers(units: int) -> Iterator[int]:
    for i in range(units):
        yield i


def generators(units: int) -> None:
    total = 0
    for number in _numbers(units):
        total += number


def c_functions(units: int) -> None:
    text = "some text"
    for i in range(units):
        len(text)
        abs(i)
        text.find("x")


def global_lines(units: int) -> None:
    found = 0
    for _ in range(units):
        if LIMIT > 3:
            found = TABLE[LIMIT]
        if TABLE:
            found = LIMIT


def comprehensions(units: int) -> None:
    for _ in range(units // 10 + 1):
        [i * i for i in range(10) if i & 1]


def _far() -> Callable[[int], None]:
    """A function whose loop stands 500 lines below its first line."""
    lines = ["def far_lines(units):", "    x = 0"]
    lines += ["    if units < 0:", *["        x = x + 1"] * 500]
    lines += [
        "    for i in range(units):",
        "        x = i",
        "        x = x + 1",
        "        x = x + i",
    ]
    names: dict[str, Callable[[int], None]] = {}
    exec(compile("\n".join(lines), "far_lines.py", "exec"), names)
    return names["far_lines"]


far_lines = _far()


def other(units: int) -> None:
    """Long lines of arithmetic, with next to no events for their time."""
    x = 1.0
    for i in range(units):
        x = (x * 1.0001 + i * 0.5 - x / 3.0) * (i & 15) + (x - i) * 0.25 + (i | 3) - (x * 0.125 + 2)
        x = -x / 7.0 + (i ^ 5) * 0.75 + (x * x - i) / (x * x + 1.0) + (i << 1) - (i >> 2) * 3.5


KINDS: dict[str, Callable[[int], None]] = {
    "small_calls": small_calls,
    "cheap_lines": cheap_lines,
    "methods": methods,
    "generators": generators,
    "c_functions": c_functions,
    "global_lines": global_lines,
    "comprehensions": comprehensions,
    "far_lines": far_lines,
}
