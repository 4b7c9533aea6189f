"""Threads: a section for each."""

from __future__ import annotations

import os
import sys
import threading

import pytest
from tracing import Bench, Profile

pytestmark = pytest.mark.alone  # many programs run in this very process


THREADS = """\
import threading
def work(n):
    for i in range(n):
        pass
def start(count):
    for n in range(count):
        t = threading.Thread(target=work, args=(10,))
        t.start()
        t.join()
start(COUNT)
"""


def test_each_thread_has_a_section(bench: Bench) -> None:
    profile = bench.run(THREADS.replace("COUNT", "3"))
    assert len(profile.lanes) == 4
    assert profile.lanes[0][0] == os.getpid()
    assert {parent for _, parent in profile.lanes[1:]} == {os.getpid()}
    for table in profile.lines[1:]:
        assert table[1, 3][0] == 11
    assert profile.total("m::work").count == 3


def test_many_threads_share_a_section_once_they_have_ended(bench: Bench) -> None:
    profile = bench.run(THREADS.replace("COUNT", "150"))
    assert len(profile.lanes) <= 66
    assert sum(table.get((1, 3), (0, 0, 0))[0] for table in profile.lines) == 150 * 11
    assert profile.total("m::work").count == 150


def test_threads_that_run_already(bench: Bench) -> None:
    if bench.kind == "py" and sys.version_info < (3, 12):
        pytest.skip("needs CPython 3.12 or later")
    text = (
        "import threading\n"
        "go, done, stop = threading.Semaphore(0), threading.Semaphore(0), []\n"
        "def work():\n    while not stop:\n        go.acquire(); done.release()\n"
    )
    tracer, code, module = bench.make(text)
    exec(code, module)
    thread = threading.Thread(target=module["work"])
    thread.start()
    tracer.start()
    try:
        for _ in range(5):  # turns of the thread, of which the first was begun before
            module["go"].release()
            module["done"].acquire()
    finally:
        tracer.stop()
        module["stop"].append(True)
        module["go"].release()
        thread.join()
    profile = Profile()
    tracer.emit(profile.write_chunk, b"")
    assert any(table.get((1, 5), (0, 0, 0))[0] > 1 for table in profile.lines)


MADE_BY_C = """\
import ctypes
libc = ctypes.CDLL(None)
def work(n):
    return n * 2
def body(_):
    for n in range(5):
        work(n)
run = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)(body)
for _ in range(3):
    thread = ctypes.c_ulong()
    assert libc.pthread_create(ctypes.byref(thread), None, run, None) == 0
    libc.pthread_join(thread, None)
"""


@pytest.mark.parametrize("bench", ["c"], indirect=True)
def test_threads_that_c_code_makes(bench: Bench) -> None:
    profile = bench.run(MADE_BY_C)
    assert profile.total("m::work").count == 15
    assert sum(table.get((1, 6), (0, 0, 0))[0] for table in profile.lines) == 3 * 6
