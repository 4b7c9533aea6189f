"""Profiles that are switched on and off while signals come, other threads do the same, or
processes fork."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from support import PYTHON, TIME_LIMIT_S, TRACERS, environment, is_complete

from pynytprof import reader, verify

# Much to write: a signal most likely comes while a profile is being completed.
AGAIN_AND_AGAIN = """
import pynytprof, signal, sys, threading, time
space = {}
exec(compile("".join(f"def f{i}(x): return x\\n" for i in range(1500)), "/x/m.py", "exec"), space)
functions = [f for f in space.values() if callable(f)]
tracer = pynytprof.Tracer("t.out", options={"raw": True})
def loop():
    while True:
        with tracer:
            for f in functions: f(1)
"""

LOOPS = {
    "in a thread": "threading.Thread(target=loop, daemon=True).start()\nprint('up', flush=True)\n"
    "while True: time.sleep(0.01)\n",
    "where our own signal is taken": "for n in range(signal.SIGRTMIN, signal.SIGRTMAX + 1):\n"
    "    signal.signal(n, print)\nprint('up', flush=True)\nloop()\n",
}


@pytest.mark.parametrize("where", LOOPS)
def test_no_sigterm_is_lost_while_profiles_begin_and_end(where: str, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(AGAIN_AND_AGAIN + LOOPS[where])
    for i in range(12):
        with subprocess.Popen([PYTHON, "prog.py"], cwd=tmp_path, env=environment(),
                              stdout=subprocess.PIPE) as program:  # fmt: skip
            assert program.stdout and program.stdout.readline() == b"up\n"
            time.sleep(i * 0.013)
            program.terminate()
            try:
                assert program.wait(20) == -signal.SIGTERM
            finally:
                program.kill()


def run(text: str, folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """A program that measures what events cost, which takes its time, at each first start."""
    (folder / "prog.py").write_text(text)
    done = subprocess.run([PYTHON, "prog.py"], cwd=folder, capture_output=True, text=True,
                          env=environment(PYNYTPROF_CALIBRATION="fresh", **more),
                          timeout=TIME_LIMIT_S)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done


TWO_STARTS = """
import pynytprof, random, sys, threading, time
sys.setswitchinterval(1e-5)
refused = []
def work(n): return work(n - 1) if n else 0
def use(me):
    options = {"stmts": me % 2 == 0, "slowops": me // 2 % 2, "raw": me == 3}
    for i in range(40):
        barrier.wait()
        try:
            with pynytprof.Tracer(f"{me}.out", options=options): work(20)
        except RuntimeError as error:
            refused.append(str(error))
barrier = threading.Barrier(4)
threads = [threading.Thread(target=use, args=(n,)) for n in range(4)]
for t in threads: t.start()
for t in threads: t.join()
assert all("already" in text for text in refused), refused
with pynytprof.Tracer("last.out"): work(3)
assert pynytprof.open_profile("last.out").subs["__main__::work"].calls == 4
assert not hasattr(sys, "monitoring") or not any(map(sys.monitoring.get_tool, (2, 3, 4)))
"""


def test_tracers_that_threads_start_at_once_are_refused_or_work(tmp_path: Path) -> None:
    for i in range(3):
        run(TWO_STARTS, tmp_path)
        for file in tmp_path.glob("*.out"):
            assert verify.verify(file, quiet=True), (i, file)


def test_one_tracer_may_be_used_by_threads_at_once(tmp_path: Path) -> None:
    text = """
import pynytprof, sys, threading
sys.setswitchinterval(1e-5)
def work(): pass
tracer = pynytprof.Tracer("t.out")
def use():
    barrier.wait()
    for i in range(25):
        with tracer: work()
barrier = threading.Barrier(4)
threads = [threading.Thread(target=use) for n in range(4)]
for t in threads: t.start()
for t in threads: t.join()
assert not tracer.running
print(pynytprof.open_profile("t.out").subs["__main__::work"].calls)
"""
    assert run(text, tmp_path).stdout == "100\n"


# Not in a loop: at its jump CPython 3.13 itself loses the place of an exception beside any tool.
HANDLERS = """
import pynytprof, signal, sys, time
class Timeout(Exception): pass
def handler(*args):
    global fired
    fired += 1
    raise Timeout
signal.signal(signal.SIGALRM, handler)
fired = delivered = 0
for i in range(60):
    t = pynytprof.Tracer("t.out", options={"stmts": i % 2, "slowops": i // 2 % 2})
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0002 + i * 0.0007)
        with t:
            time.sleep(0.5)
    except Timeout:
        delivered += 1
    # 3.14 looks for signals between a lock's, or a profile's, start and the body of its `with`.
    if sys.version_info[:2] == (3, 14) and t.running: t.stop()
    assert not t.running, i
    assert not hasattr(sys, "monitoring") or not any(map(sys.monitoring.get_tool, (2, 3, 4)))
print(fired, delivered)
"""


def test_exceptions_of_handlers_arrive_and_leave_nothing_on(tmp_path: Path) -> None:
    assert run(HANDLERS, tmp_path).stdout == "60 60\n"


def test_a_handler_may_switch_while_it_is_being_switched(tmp_path: Path) -> None:
    """SIGUSR1 toggles; two come one shortly after the other, at any moment of a start."""
    text = """
import os, pynytprof, pynytprof.tracer, signal, sys, threading, time
on = False
def toggle(*args):
    global on
    on = not on
    pynytprof.enable_profile("u.out") if on else pynytprof.disable_profile()
def work(): pass
signal.signal(signal.SIGUSR1, toggle)
def kill(gap):
    os.kill(os.getpid(), signal.SIGUSR1)
    time.sleep(gap)
    os.kill(os.getpid(), signal.SIGUSR1)
gap = float(sys.stdin.readline())
killer = threading.Thread(target=kill, args=(gap,))
killer.start()
while killer.is_alive(): time.sleep(0.001)
if on: toggle()  # both signals came as one
toggle()
work()
toggle()
pynytprof.finish_profile()
assert not hasattr(sys, "monitoring") or not any(map(sys.monitoring.get_tool, (2, 3, 4)))
print(pynytprof.open_profile("u.out").subs["__main__::work"].calls)
"""
    (tmp_path / "prog.py").write_text(text)
    for gap in (0, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03):
        done = subprocess.run([PYTHON, "prog.py"], cwd=tmp_path, capture_output=True, text=True,
                              env=environment(PYNYTPROF_CALIBRATION="fresh"), input=f"{gap}\n",
                              timeout=TIME_LIMIT_S)  # fmt: skip
        assert (done.stdout, done.stderr) == ("1\n", ""), gap
        assert is_complete(tmp_path / "u.out")


@pytest.mark.parametrize("how", ["enable", "tracer"])
@pytest.mark.parametrize("tracer", TRACERS)
def test_locks_are_free_in_forked_children(how: str, tracer: str, tmp_path: Path) -> None:
    text = f"""
import faulthandler, os, pynytprof, threading, time, warnings
warnings.simplefilter("ignore")
t = pynytprof.Tracer("t.out")
def switch():
    if {how == "enable"}:
        pynytprof.enable_profile("a.out"); pynytprof.disable_profile()
    else:
        with t: pass
def again():
    while not stop: switch()
stop = False
thread = threading.Thread(target=again)
thread.start()
hung = 0
for i in range(20):
    time.sleep(0.004)
    pid = os.fork()
    if pid == 0:
        faulthandler.dump_traceback_later(20, exit=True)
        switch()
        os._exit(0)
    hung += os.waitpid(pid, 0)[1] != 0
stop = True
thread.join()
print(hung)
"""
    (tmp_path / "prog.py").write_text(text)
    done = subprocess.run([PYTHON, "prog.py"], cwd=tmp_path, capture_output=True, text=True,
                          env=environment(PYNYTPROF_TRACER=tracer, PYNYTPROF_WRITER=tracer),
                          timeout=TIME_LIMIT_S)  # fmt: skip
    assert (done.stdout, done.stderr) == ("0\n", "")


# ---- What others do with what is ours ----

monitoring = pytest.mark.skipif(sys.version_info < (3, 12), reason="needs CPython 3.12 or later")


@monitoring
def test_our_callbacks_are_for_nobody_to_call(tmp_path: Path) -> None:
    text = """
import pynytprof, sys
m = sys.monitoring
kept = []
events = "LINE INSTRUCTION JUMP PY_START PY_RESUME PY_THROW PY_RETURN PY_YIELD CALL C_RETURN"
for event in events.split():
    t = pynytprof.Tracer("t.out", options={"raw": True})
    with t:
        tool = next(i for i in (4, 3, 2) if m.get_tool(i) == "pynytprof")
        callback = m.register_callback(tool, getattr(m.events, event), None)
        for args in ((), (1,), (1, 2), (None, None), ("x", "y", "z"), (1, None, 2, 3)):
            try: callback(*args)
            except TypeError: pass
        for call in (lambda: callback(), lambda: callback(code=1), lambda: callback(1, None)):
            try: call()
            except TypeError: continue
            sys.exit(f"{event}: no TypeError")
    kept.append(callback)
def code(): pass
with pynytprof.Tracer("u.out"):
    for callback in kept:
        for n in range(5):
            try: callback(*(code.__code__, 1, 1, 1)[:n])
            except TypeError: continue
            sys.exit("called while another runs")
"""
    run(text, tmp_path)


@monitoring
def test_a_tool_that_has_taken_our_id_keeps_it(tmp_path: Path) -> None:
    text = """
import pynytprof, sys
m = sys.monitoring
def f(): pass
t = pynytprof.Tracer("t.out", options={"raw": True})
t.start()
f()
tool = next(i for i in (4, 3, 2) if m.get_tool(i) == "pynytprof")
m.free_tool_id(tool)
m.use_tool_id(tool, "other")
m.register_callback(tool, m.events.PY_START, lambda *args: None)
m.set_events(tool, m.events.PY_START)
f()
t.stop()
print(m.get_tool(tool), m.get_events(tool) == m.events.PY_START)
print(*pynytprof.open_profile("t.out").comments, sep="\\n")
with t: f()
print(pynytprof.open_profile("t.out").subs["__main__::f"].calls, m.get_tool(tool))
"""
    out = run(text, tmp_path).stdout
    assert out.startswith("other True\n")
    assert "another tool took pynytprof's place in sys.monitoring" in out
    assert out.endswith(" other\n")


@monitoring
@pytest.mark.parametrize("wanted", ["4", "4, 3", "range(6)"])
def test_a_program_gets_the_tool_ids_that_it_asks_for(wanted: str, tmp_path: Path) -> None:
    text = f"""
import pynytprof, sys
m = sys.monitoring
def f(): pass
t = pynytprof.Tracer("t.out", options={{"raw": True}})
t.start()
f()
for i in {wanted if "range" in wanted else f"({wanted},)"}: m.use_tool_id(i, "mine")
f()
t.stop()
print([i for i in range(6) if m.get_tool(i)])
print(pynytprof.open_profile("t.out").subs["__main__::f"].calls)
print("took pynytprof's place" in str(pynytprof.open_profile("t.out").comments))
"""
    expected = {"4": "[4]\n2\nFalse\n", "4, 3": "[3, 4]\n2\nFalse\n"}
    assert run(text, tmp_path).stdout == expected.get(wanted, "[0, 1, 2, 3, 4, 5]\n1\nTrue\n")


# ---- Want of memory, and tables that grow ----


def test_one_failed_allocation_does_not_end_the_profile(tmp_path: Path) -> None:
    pytest.importorskip("_testcapi", reason="this Python has no test package")
    text = """
import _testcapi, threading, sys
code = compile("def fresh(x):\\n    return x + 1\\nfresh(1)\\n", "/x/mod.py", "exec")
def busy(n):
    for i in range(n): later(i)
def later(i): pass
busy(10)
place = int(sys.argv[1])
try:
    _testcapi.set_nomemory(place, place + 1)
    exec(code, {"__name__": "q", "__builtins__": __builtins__})
except MemoryError: pass
finally: _testcapi.remove_mem_hooks()
for _ in range(2):
    thread = threading.Thread(target=busy, args=(1000,))
    thread.start()
    thread.join()
"""
    (tmp_path / "prog.py").write_text(text)
    told = 0
    for place in range(2, 40, 3):
        done = subprocess.run([PYTHON, "-m", "pynytprof", "-q", "prog.py", str(place)],
                              cwd=tmp_path, env=environment(), capture_output=True,
                              text=True, timeout=TIME_LIMIT_S)  # fmt: skip
        if done.returncode:  # the program itself has had no memory
            continue
        profile = reader.read(tmp_path / "nytprof.out")
        assert verify.verify(tmp_path / "nytprof.out", quiet=True)
        assert profile.subs["__main__::later"].calls == 2010, place
        says = "errors in the profiler itself" in str(profile.comments)
        assert says == ("out of memory" in done.stderr), (place, done.stderr)
        told += says
    assert told


NO_MEMORY = """
import _testcapi, sys
told = []
sys.unraisablehook = lambda one: told.append(str(one.err_msg))
def caught(function, *at):
    keep = [n + 10**6 for n in range(200)]
    _testcapi.set_nomemory(*at)
    try: function()
    except MemoryError: return 1
    finally: _testcapi.remove_mem_hooks()
    return 0
def new():
    names = {}
    exec(compile("def first():\\n    return [1]\\n", f"/x/{len(told)}.py", "exec"), names)
    return names["first"]
print(0 < sum(caught(new(), place, place + 1) for place in range(60)) < 60)
caught(new(), 0, 0)
print(told)
"""


def test_the_program_is_told_nothing_of_allocations_of_ours(tmp_path: Path) -> None:
    pytest.importorskip("_testcapi", reason="this Python has no test package")
    (tmp_path / "prog.py").write_text(NO_MEMORY)
    done = subprocess.run([PYTHON, "-m", "pynytprof", "-q", "prog.py"], cwd=tmp_path,
                          env=environment(), capture_output=True,
                          text=True, timeout=TIME_LIMIT_S)  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "True\n[]\n"), done.stderr


@pytest.mark.parametrize("end", ["os._exit(3)", "os.kill(os.getpid(), 15); time.sleep(60)"])
def test_tables_may_grow_while_the_writer_in_python_writes(end: str, tmp_path: Path) -> None:
    text = f"""
import os, threading, time
def churn(k):
    i = 0
    while True:
        text = f"def f{{k}}_{{i}}(x):\\n    return len([x])\\nf{{k}}_{{i}}(1)\\n"
        exec(compile(text, f"/nowhere/mod{{k}}_{{i}}.py", "exec"), {{}})
        i += 1
for k in range(3): threading.Thread(target=churn, args=(k,), daemon=True).start()
time.sleep(0.3)
{end}
"""
    (tmp_path / "prog.py").write_text(text)
    done = subprocess.run([PYTHON, "-m", "pynytprof", "-q", "prog.py"], cwd=tmp_path,
                          env=environment(PYNYTPROF_WRITER="py"), capture_output=True,
                          text=True, timeout=TIME_LIMIT_S)  # fmt: skip
    assert (done.returncode, done.stderr) == (3 if "exit" in end else -15, "")
    assert verify.verify(tmp_path / "nytprof.out", quiet=True)


STARTS_WITHIN_A_START = """
import gc, os, pynytprof
def work(): return sum(range(3))
def start(name):
    tracer = pynytprof.Tracer(name)
    try:
        tracer.start()
    except RuntimeError as error:
        assert "already" in str(error), error
    return tracer
def child(n):
    inner = []
    def collected(phase, info):
        if phase == "start":
            inner.append(start("inner.out") if len(inner) == n else None)
    gc.callbacks.append(collected)
    gc.set_threshold(1)
    outer = start("outer.out")
    gc.callbacks.clear()
    gc.set_threshold(700)
    work()
    for tracer in inner[n:n + 1] + [outer]: tracer.stop()
import pynytprof._ctrace, pynytprof.tracer     # CPython 3.11 has faults within imports
for n in range(0, 60, 3):
    pid = os.fork()
    if not pid:
        child(n)
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    assert status == 0, (n, status)
"""


def test_a_start_within_a_start(tmp_path: Path) -> None:
    """A collection of garbage may run the program's code in the midst of a start."""
    run(STARTS_WITHIN_A_START, tmp_path)
