#!/usr/bin/env python3
"""Starts and stops the C tracer again and again: nothing may be left of it.

    restarts.py [TIMES]

Each time a new tracer sees a small program and writes its profile. Calibration, nine tenths
of the time that this takes, is part of every tenth start only; the others are raw. After the
first tenth, which fills what is kept once a process, neither the number of objects nor, on a
debug build, the number of references may grow, nor memory by more than a little. Exit status
1 if one does.
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


def once(folder: Path, raw: bool) -> None:
    tracer = _ctrace.Tracer(raw=raw)
    namespace: dict[str, Any] = {"__name__": "m"}
    code = compile(PROGRAM, "program.py", "exec")
    tracer.start()
    exec(code, namespace)
    thread = threading.Thread(target=namespace["f"], args=(2,))
    thread.start()
    thread.join()
    tracer.stop()
    tracer.emit(lambda token, payload: None, b"")


def memory_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def state() -> tuple[int, int, float]:
    """References (of a debug build; else 0), objects, memory."""
    gc.collect()
    references: Callable[[], int] = getattr(sys, "gettotalrefcount", lambda: 0)
    return references(), len(gc.get_objects()), memory_mb()


def main(times: int) -> int:
    step = max(times // 10, 1)
    before = after = state()
    with tempfile.TemporaryDirectory() as name:
        for done in range(1, times + 1):
            once(Path(name), raw=done % 10 != 0)
            if done % step == 0:
                after = state()
                total, objects, mb = after
                print(f"{done:,} times: {total:,} references, {objects:,} objects, {mb:.1f} MB",
                      flush=True)  # fmt: skip
            if done == step:
                before = after
    # Each time would leave at least one.
    grown = max(after[0] - before[0], after[1] - before[1]) > step
    return 1 if grown or after[2] - before[2] > MEMORY_MAY_GROW_MB else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000))
