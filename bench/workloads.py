"""Small CPU-bound programs for the benchmarks. Each function does one run's work.

Pure Python, single-threaded, no input or output, about a twentieth of a second each
without a profiler. All functions are module-level, so that a profiler that has to be told
which functions to look at (line_profiler) can be told of all of them.

    workloads.py NAME       runs one of them
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator


def fib_number(n: int) -> int:
    return n if n < 2 else fib_number(n - 1) + fib_number(n - 2)


def fib() -> None:
    fib_number(26)


def tight() -> None:
    total = 0
    for i in range(900_000):
        total += i & 3


def builtins() -> None:
    text = "some text of middling length"
    total = 0
    for i in range(220_000):
        total += len(text) + abs(-i) + min(i, 7)


def nbody() -> None:
    bodies = [[float(i), i * 0.5, i * 0.25, 0.0, 0.1 * i, 0.0, 1.0 + i] for i in range(5)]
    pairs = [(a, b) for i, a in enumerate(bodies) for b in bodies[i + 1 :]]
    for _ in range(4_500):
        for first, second in pairs:
            dx = first[0] - second[0]
            dy = first[1] - second[1]
            dz = first[2] - second[2]
            pull = 0.001 / (dx * dx + dy * dy + dz * dz + 0.01) ** 1.5
            first[3] -= dx * second[6] * pull
            first[4] -= dy * second[6] * pull
            first[5] -= dz * second[6] * pull
            second[3] += dx * first[6] * pull
            second[4] += dy * first[6] * pull
            second[5] += dz * first[6] * pull
        for body in bodies:
            body[0] += 0.001 * body[3]
            body[1] += 0.001 * body[4]
            body[2] += 0.001 * body[5]


class Packet:
    def __init__(self, kind: int, size: int) -> None:
        self.kind = kind
        self.size = size


class Task:
    """A link of a chain of small objects that hand packets on, as in Richards' scheduler."""

    def __init__(self, following: Task | None) -> None:
        self.following = following
        self.queue: list[Packet] = []
        self.handled = 0

    def accept(self, packet: Packet) -> None:
        self.queue.append(packet)

    def waiting(self) -> bool:
        return bool(self.queue)

    def step(self) -> None:
        packet = self.queue.pop()
        self.handled += packet.size
        self.pass_on(packet)

    def pass_on(self, packet: Packet) -> None:
        if self.following is not None:
            self.following.accept(packet)


class Counter(Task):
    def pass_on(self, packet: Packet) -> None:
        if packet.kind % 2:
            super().pass_on(packet)


def scheduler() -> None:
    tasks: list[Task] = []
    for number in range(12):
        kind = Counter if number % 3 == 0 else Task
        tasks.append(kind(tasks[-1] if tasks else None))
    for number in range(9_000):
        tasks[-1].accept(Packet(number, number % 5))
        for task in tasks:
            if task.waiting():
                task.step()


def encode_string(value: str) -> str:
    out = ['"']
    for character in value:
        if character in '"\\':
            out.append("\\")
        out.append(character)
    out.append('"')
    return "".join(out)


def encode(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield encode_string(value)
    elif isinstance(value, dict):
        yield "{"
        for number, (key, item) in enumerate(value.items()):
            if number:
                yield ","
            yield encode_string(key)
            yield ":"
            yield from encode(item)
        yield "}"
    elif isinstance(value, list):
        yield "["
        for number, item in enumerate(value):
            if number:
                yield ","
            yield from encode(item)
        yield "]"
    else:
        yield repr(value)


def json_encode() -> None:
    data = {"names": ["a", "bb"] * 5, "numbers": list(range(20)), "nested": [{"x": 1.5}] * 10}
    for _ in range(600):
        "".join(encode(data))


def text() -> None:
    line = "the quick brown fox jumps over the lazy dog"
    counts: dict[str, int] = {}
    for number in range(8_000):
        for word in line.split():
            if word.startswith("q"):
                word = word.upper()
            key = word.strip().lower() + str(number % 3)
            counts[key] = counts.get(key, 0) + 1


def numbers(n: int) -> Iterator[int]:
    for i in range(n):
        yield i ^ 1


def evens(source: Iterator[int]) -> Iterator[int]:
    for i in source:
        if i % 2 == 0:
            yield i


def generators() -> None:
    for _ in range(45):
        sum(i * i for i in evens(numbers(12_000)))


def check(n: int) -> int:
    if n % 3 == 0:
        raise ValueError(n)
    return n


def exceptions() -> None:
    total = 0
    for i in range(250_000):
        try:
            total += check(i)
        except ValueError as error:
            total -= len(error.args)


WORKLOADS: dict[str, Callable[[], None]] = {
    function.__name__: function
    for function in (
        fib,
        tight,
        builtins,
        nbody,
        scheduler,
        json_encode,
        text,
        generators,
        exceptions,
    )
}

if __name__ == "__main__":
    WORKLOADS[sys.argv[1]]()
