"""Programs at the limits: stacks as deep as they go, large modules, many threads.

Each knows how often its lines ran, and says so at its end: sys.settrace would change the depth
it can reach.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from chunks import Chunks
from support import TRACERS

pytestmark = pytest.mark.skipif("c" not in TRACERS, reason="the C tracer is not there")

Profiled = Callable[[str], Chunks]


def counts(chunks: Chunks) -> dict[int, int]:
    """Of the program's lines, over all threads."""
    found: dict[int, int] = {}
    for lane in chunks.lanes:
        for row in lane.lines:
            if chunks.files[row[0]][0].endswith("/program.py"):
                found[row[1]] = found.get(row[1], 0) + row[4]
    return found


def calls(chunks: Chunks, name: str) -> int:
    edges = [e for lane in chunks.lanes for e in lane.edges]
    return sum(e.count for e in edges if chunks.subs[e.callee][3] == f"__main__::{name}")


def test_recursion_to_the_interpreters_limit(profiled: Profiled) -> None:
    """The deepest call fails before it begins: it is no call."""
    chunks = profiled("""\
        depth = 0
        def fall():
            global depth
            depth += 1
            fall()
        def through_c(n=0):
            global depth
            depth += 1
            sorted([n], key=through_c)
        for function in (fall, through_c) * 2:
            try:
                function()
            except RecursionError:
                pass
        for _ in range(depth):
            pass
        """)
    found = counts(chunks)
    assert found[5] + found[9] == found[16]
    assert calls(chunks, "fall") == found[5] and calls(chunks, "through_c") == found[9]
    assert found[5] > 1000


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info < (3, 11), reason="needs CPython 3.11 or later")
def test_a_stack_of_a_hundred_thousand_frames(profiled: Profiled) -> None:
    chunks = profiled("""\
        import sys
        sys.setrecursionlimit(10**6)
        def down(n):
            if n == 0:
                return 0
            return down(n - 1) + 1
        def fall(n):
            if n == 0:
                raise ValueError
            fall(n - 1)
        def numbers(n):
            yield n
            if n:
                yield from numbers(n - 1)
        assert down(100000) == 100000
        try:
            fall(100000)
        except ValueError:
            pass
        assert sum(numbers(500)) == 125250
        """)
    found = counts(chunks)
    assert (found[4], found[5], found[6]) == (100001, 1, 100000)
    assert (found[8], found[9], found[10]) == (100001, 1, 100000)
    assert (found[12], found[13], found[14]) == (501, 501, 500)
    deepest = max(e.depth for lane in chunks.lanes for e in lane.edges)
    assert deepest == 100000


def test_a_module_of_very_many_lines(profiled: Profiled) -> None:
    """CPython itself takes quadratic time for flat code, so this one is of functions."""
    chunks = profiled("""\
        functions = 6000
        text = "".join(f"def f{i}(a):\\n    return a + {i}\\n\\n" for i in range(functions))
        text += "for i in range(2): pass\\n" * 300
        space = {}
        exec(text, space)
        assert sum(space[f"f{i}"](1) for i in range(functions)) == sum(range(functions + 1))
        """)
    (fid,) = chunks.parents
    rows = {r[1]: r[4] for lane in chunks.lanes for r in lane.lines if r[0] == fid}
    assert len(chunks.sources[fid]) == 3 * 6000 + 300
    assert all(rows[3 * i + 1] == rows[3 * i + 2] == 1 for i in range(6000))
    loops = {rows[3 * 6000 + i + 1] for i in range(300)}
    assert loops == {3}  # the header, and each turn's jump back to it


def test_many_short_threads_share_their_lanes(profiled: Profiled) -> None:
    chunks = profiled("""\
        import threading
        def work(n):
            total = 0
            for i in range(n):
                total += i
        for _ in range(1500):
            thread = threading.Thread(target=work, args=(3,))
            thread.start()
            thread.join()
        """)
    found = counts(chunks)
    assert len(chunks.lanes) <= 66
    assert (found[3], found[5]) == (1500, 4500)
    assert calls(chunks, "work") == 1500


def test_pools_and_threads_that_outlive_the_program(profiled: Profiled) -> None:
    chunks = profiled("""\
        import concurrent.futures, threading
        stop, started = threading.Event(), threading.Event()
        def daemon():
            started.set()
            stop.wait()
        def square(n):
            return n * n
        threading.Thread(target=daemon, daemon=True).start()
        started.wait()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(square, range(400))) == sum(n * n for n in range(400))
        """)
    found = counts(chunks)
    assert (found[4], found[5], found[7]) == (1, 1, 400)
    assert calls(chunks, "square") == 400 and calls(chunks, "daemon") == 1
    assert len(chunks.lanes) >= 3


def test_tasks_that_wait_cost_nothing(profiled: Profiled) -> None:
    """Resumptions are calls; two thousand tasks are one lane and one path."""
    chunks = profiled("""\
        import asyncio
        async def inner(n):
            await asyncio.sleep(0)
            return n
        async def task(n):
            total = 0
            for i in range(3):
                total += await inner(i)
            return total
        async def main():
            return sum(await asyncio.gather(*(task(i) for i in range(2000))))
        assert asyncio.run(main()) == 6000
        """)
    found = counts(chunks)
    assert (found[3], found[4], found[8], found[9]) == (6000, 6000, 6000, 2000)
    assert calls(chunks, "task") == 2000 * (1 + 3)
    assert calls(chunks, "inner") == 6000 * (1 + 1)
    assert chunks.facts["lanes"] == 1 and chunks.facts["resyncs"] == 0
    assert chunks.facts["paths"] < 10000  # nearly all of asyncio's imports


def test_two_interpreters_do_no_harm(profiled: Profiled) -> None:
    """What runs in a subinterpreter is not profiled; it takes the time of the line that ran it."""
    chunks = profiled("""\
        import sys
        if sys.version_info >= (3, 13):
            import _interpreters as interpreters
            run = interpreters.exec
        else:
            import _xxsubinterpreters as interpreters
            run = interpreters.run_string
        there = interpreters.create()
        text = "def f(n):\\n    return n\\nexec('for i in range(100): f(i)')\\nimport json"
        for _ in range(3):
            run(there, text)
        interpreters.destroy(there)
        exec("x = 1")
        """)
    found = counts(chunks)
    assert (found[11], found[12], found[13]) == (3, 1, 1)
    program = next(fid for fid, (name, _) in chunks.files.items() if name.endswith("/program.py"))
    ours = [fid for fid, (parent, _) in chunks.parents.items() if parent == program]
    assert [chunks.sources[fid] for fid in ours] == [["x = 1"]]
