#!/usr/bin/env python3
"""Starts and stops the C tracer again and again: nothing may be left of it.

    restarts.py [TIMES]

Each time a new tracer sees a small program and writes its profile. After the first tenth,
which fills what is kept once a process, neither the number of objects nor, on a debug build,
the number of references may grow, nor memory by more than a little. Exit status 1 if one does.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pynytprof import _ctrace

PROGRAM = """\
import re
def f(n): return [g(i) for i in range(n)]
def g(i):
    try:
        return len(str(i)) / (i - 2)
    except ZeroDivisionError:
        return None
def h():
    yield from f(3)
list(h())
sorted([3, 1, 2], key=lambda x: -x)
exec("x = 1")
class C: pass
"""
MEMORY_MAY_GROW_MB = 4


def once(folder: Path) -> None:
    tracer = _ctrace.Tracer()
    namespace: dict[str, Any] = {"__name__": "m"}
    code = compile(PROGRAM, "program.py", "exec")
    tracer.start()
    exec(code, namespace)
    thread = threading.Thread(target=namespace["f"], args=(2,))
    thread.start()
    thread.join()
    tracer.stop()
    tracer.write_file(str(folder / "nytprof.out"), 1, b"")


def memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main(times: int) -> int:
    references: Callable[[], int] = getattr(sys, "gettotalrefcount", lambda: 0)
    with tempfile.TemporaryDirectory() as name:
        for _ in range(times // 10):
            once(Path(name))
        gc.collect()
        before = references(), len(gc.get_objects()), memory_mb()
        for _ in range(times - times // 10):
            once(Path(name))
        gc.collect()
        after = references(), len(gc.get_objects()), memory_mb()
    print(f"{times} times, between the first tenth and the end:")
    for what, old, new in zip(("references", "objects", "MB"), before, after, strict=True):
        print(f"{what}: {old:,.6g} to {new:,.6g}")
    # Each time would leave at least one.
    grown = after[0] - before[0] > times // 10 or after[1] - before[1] > times // 10
    return 1 if grown or after[2] - before[2] > MEMORY_MAY_GROW_MB else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
