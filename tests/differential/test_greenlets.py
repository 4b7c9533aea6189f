"""Stacks that are exchanged behind CPython's back: each is left and found as it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from chunks import Chunks

Profiled = Callable[[str], Chunks]
pytestmark = pytest.mark.slow  # greenlet and gevent are installed for the main Python alone


def calls(chunks: Chunks) -> Counter[tuple[str, str]]:
    """(caller, callee) -> count, of the program's own functions."""
    found: Counter[tuple[str, str]] = Counter()
    for edge in chunks.lanes[0].edges:
        caller = chunks.subs[edge.caller][3] if edge.caller else "-"
        callee = chunks.subs[edge.callee][3]
        file = chunks.files[chunks.subs[edge.callee][0]][0]
        own = callee.rpartition("::")[2]
        # Before 3.12 comprehensions have frames of their own.
        if file.endswith("/program.py") and not own.startswith(("(module)", "listcomp")):
            found[caller, callee] += edge.count
    return found


def depth(chunks: Chunks, name: str) -> int:
    """How deep the function of the program has recurred."""
    edges = chunks.lanes[0].edges
    return max(e.depth for e in edges if chunks.subs[e.callee][3] == f"__main__::{name}")


SWITCHES = """\
    import greenlet, time
    main = greenlet.getcurrent()
    def busy(seconds):
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            pass
    def inner(seconds):
        busy(seconds)
        main.switch()
        return seconds
    def short(n):
        for _ in range(n):
            inner(0)
    def long(n):
        for _ in range(n):
            inner(0.001)
    def deep(n):
        if n:
            return deep(n - 1)
        main.switch()
    def fails(n):
        try:
            inner(0)
        finally:
            busy(0)
    jobs = [greenlet.greenlet(f) for f in (short, long, short, deep, deep, fails)]
    for job in jobs:
        job.switch(5)
    try:
        jobs.pop().throw(ValueError)
    except ValueError:
        pass
    while jobs:
        for job in jobs:
            job.switch()
        jobs = [job for job in jobs if not job.dead]
    """


def test_greenlets_have_stacks_of_their_own(profiled: Profiled) -> None:
    chunks = profiled(SWITCHES)
    assert calls(chunks) == {
        ("-", "__main__::short"): 2,
        ("-", "__main__::long"): 1,
        ("-", "__main__::deep"): 2,
        ("-", "__main__::fails"): 1,
        ("__main__::short", "__main__::inner"): 10,
        ("__main__::long", "__main__::inner"): 5,
        ("__main__::fails", "__main__::inner"): 1,
        ("__main__::fails", "__main__::busy"): 1,
        ("__main__::inner", "__main__::busy"): 16,
        ("__main__::deep", "__main__::deep"): 10,
    }
    assert chunks.facts["resyncs"] == 0
    assert (depth(chunks, "inner"), depth(chunks, "deep")) == (0, 5)  # no other's frames below


def test_the_programs_own_trace_function_is_called_too(profiled: Profiled) -> None:
    chunks = profiled("""\
        import greenlet
        seen = []
        greenlet.settrace(lambda event, args: seen.append(event))
        main = greenlet.getcurrent()
        def pause():
            main.switch()
        def there():
            pause()
        def idle():
            pause()
        one, two = greenlet.greenlet(idle), greenlet.greenlet(there)
        one.switch()
        two.switch()
        one.switch()
        assert seen == ["switch"] * 6, seen
        """)  # fmt: skip
    assert sum(calls(chunks).values()) == 4
    assert depth(chunks, "pause") == 0


def test_gevent(profiled: Profiled) -> None:
    chunks = profiled("""\
        import gevent, gevent.pool
        def leaf(n):
            gevent.sleep(0)
            return n
        def loop(n):
            for i in range(n):
                leaf(i)
            return n
        def summed(n):
            return sum(leaf(i) for i in range(n))
        def chain(n):
            return chain(n - 1) if n else gevent.sleep(0.001)
        jobs = [gevent.spawn(f, 5) for f in (loop, summed, chain) for _ in range(50)]
        gevent.joinall(jobs)
        assert sum(gevent.pool.Pool(5).imap_unordered(loop, range(20))) == 190
        """)  # fmt: skip
    found = calls(chunks)
    assert found["__main__::loop", "__main__::leaf"] == 50 * 5 + 190
    assert found["__main__::chain", "__main__::chain"] == 250
    assert [found["-", f"__main__::{name}"] for name in ("loop", "summed", "chain")] == [70, 50, 50]
    assert sum(n for (_, callee), n in found.items() if callee == "__main__::leaf") == 690
    assert chunks.facts["resyncs"] == 0
