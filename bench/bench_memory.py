"""Memory of a service that runs for long: it must level off.

    python bench/bench_memory.py [--rounds N] [--reports N] [--plain]

The service's work is of the kind that makes ever new objects: functions and classes by exec,
modules' code by compile, closures, named tuples, threads, tasks, generators, exceptions. After
each tenth of the rounds the table has one row: the process's resident memory, and what the tracer
holds. --plain: without the profiler.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import contextlib
import gc
import threading
from collections.abc import Iterator
from typing import Any


class Nobody:
    """A writer that keeps nothing."""

    def write_chunk(self, token: bytes, payload: bytes) -> None: ...

    def close(self) -> None: ...


def resident_kb() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4


def handlers(number: int) -> None:
    """Code that is new each time, and code that comes again."""
    space: dict[str, Any] = {}
    exec(f"def handler_{number}(x):\n{chr(10) * (number % 40)}    return x + {number}\n", space)
    space[f"handler_{number}"](1)
    exec(compile(f"class C{number}:\n    x = {number}\n", f"<template {number}>", "exec"), space)
    eval("[x + 1 for x in range(3)]")
    vars(collections)["namedtuple"](f"Row{number}", ["left", "right"])(1, 2)
    other = (lambda: 1).__code__.replace(co_name=f"renamed_{number % 10}")
    exec(other, space)


def in_a_thread() -> None:
    thread = threading.Thread(target=sum, args=(map(int, "123"),))
    thread.start()
    thread.join()


async def task(number: int) -> int:
    await asyncio.sleep(0)
    return number


async def tasks() -> None:
    await asyncio.gather(*(task(i) for i in range(10)))


def numbers() -> Iterator[int]:
    with contextlib.suppress(ValueError):
        yield 1
        yield 2
        raise ValueError


def one_round(number: int) -> None:
    handlers(number)
    in_a_thread()
    if number % 10 == 0:
        asyncio.run(tasks())
    next(numbers())
    list(numbers())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100_000)
    parser.add_argument("--reports", type=int, default=10)
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    tracer = None
    if not options.plain:
        from pynytprof.tracer import Tracer

        tracer = Tracer(writer=Nobody())
        tracer.start()
    print("rounds  resident_kb   codes   edges   paths   files  lanes")
    for number in range(1, options.rounds + 1):
        one_round(number)
        if number % (options.rounds // options.reports) == 0:
            gc.collect()
            facts = tracer._session.tracer.facts() if tracer else collections.defaultdict(int)
            held = [facts[key] for key in ("codes", "edges", "paths", "files", "lanes")]
            row = " ".join(f"{n:7}" for n in held)
            print(f"{number:7} {resident_kb():12} {row}", flush=True)
    if tracer:
        tracer.stop()


if __name__ == "__main__":
    main()
