"""A program must not notice that it is profiled: output and exit status with and without us."""

from __future__ import annotations

import importlib.util
import py_compile
import signal
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from support import (
    PYTHON,
    TIME_LIMIT_S,
    TRACERS,
    Outcome,
    environment,
    holds,
    is_profile,
    outcome_of,
    profiling,
    wait_until,
)


def both(
    folder: Path, target: Sequence[str], tracer: str, *, stdin: str = "", flags: Sequence[str] = ()
) -> tuple[Outcome, Outcome]:
    """What the target does under Python alone, and under us."""
    plain = outcome_of([PYTHON, *flags, *target], folder, stdin=stdin)
    ours = outcome_of([*profiling(flags=flags), *target], folder, stdin=stdin, tracer=tracer)
    return plain, ours


SHOW_STATE = """\
'''A docstring.'''
import sys
def show(key, value):
    if key == '__loader__':
        value = getattr(value, 'name', value), getattr(value, 'path', None), type(value).__name__
    elif key == '__builtins__':
        value = value.__name__
    elif key == '__spec__' and value is not None:
        value = value.name, value.origin, value.parent
    return key, value
print(sorted(show(k, v) for k, v in globals().items() if k.startswith('__')))
print(sys.argv, sys.path)
print(sys.modules["__main__"].__dict__ is globals(), __name__, sys.flags.optimize)
"""

PROGRAMS = {
    "state": SHOW_STATE,
    "exit_int": "import sys; sys.exit(7)",
    "exit_text": "import sys; print('out'); sys.exit('a text')",
    "exit_none": "import sys; sys.exit()",
    "exit_true": "raise SystemExit(True)",
    "exit_object": "raise SystemExit((1, 2))",
    "exit_large": "raise SystemExit(256 + 3)",
    "uncaught": "def f(x):\n    return 1 / x\n\ndef g():\n    f(0)\n\ng()\n",
    "uncaught_chain": "try:\n    {}['k']\nexcept KeyError as e:\n    raise OSError('v') from e\n",
    "uncaught_in_context": "try:\n    1 / 0\nexcept Exception:\n    undefined_name\n",
    "uncaught_base": "class Odd(BaseException): pass\nraise Odd('x')\n",
    "syntax_error": "def f(:\n    pass\n",
    "indentation_error": "if 1:\nx = 1\n",
    "recursion": "def f(): f()\ntry:\n    f()\nexcept RecursionError:\n    print('deep')\n",
    "own_hook": "import sys\nsys.excepthook = lambda t, v, tb: print('hook', t.__name__, v, "
    "tb.tb_frame.f_code.co_name, tb.tb_next)\n1 / 0\n",
    "last_value": "import atexit, sys\natexit.register(lambda: print(type(sys.last_value).__name__,"
    " sys.last_traceback.tb_frame.f_code.co_name, sys.last_traceback.tb_next))\n1 / 0\n",
    "at_exit": "import atexit\natexit.register(print, 'first')\natexit.register(print, 'last')\n"
    "print('body')\n",
    "at_exit_raises": "import atexit\ndef f(): 1 / 0\natexit.register(f)\n",
    "thread_outlives_main": "import threading\n"
    "def work():\n    threading.main_thread().join()\n    print('thread')\n"
    "threading.Thread(target=work).start()\nprint('main')\n",
    "thread_raises": "import threading\n"
    "t = threading.Thread(target=lambda: 1 / 0, name='T')\nt.start()\nt.join()\nprint('on')\n",
    "keyboard_interrupt": "import os, signal\nos.kill(os.getpid(), signal.SIGINT)\nprint('no')\n",
    "interrupt_caught": "import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\n"
    "    for i in range(10**6): pass\nexcept KeyboardInterrupt:\n    print('caught')\n"
    "def f(x): return x\nprint(f(3))\n",
    "function_for_a_subinterpreter": "import sys\nif sys.version_info >= (3, 13):\n"
    "    import _interpreters\n    def f():\n        print('there', flush=True)\n"
    "    _interpreters.run_func(_interpreters.create(), f)\n",
    "terminated": "import os, signal\nprint('before', flush=True)\n"
    "os.kill(os.getpid(), signal.SIGTERM)\nwhile True: pass\n",
    "alarm_raises": "import signal\nclass Late(Exception): pass\n"
    "def late(*a): raise Late\nsignal.signal(signal.SIGALRM, late)\n"
    "try:\n    signal.setitimer(signal.ITIMER_REAL, 0.05)\n"
    "    while True:\n        x = 1\nexcept Late:\n    print('late')\n",
    "pickles": "import pickle\nclass C: pass\nprint(type(pickle.loads(pickle.dumps(C()))))\n",
    "del_at_end": "class D:\n    def __del__(self): print('gone')\nd = D()\n",
    "no_stdout": "import sys\nsys.stdout.close()\n",
    "imports_main": "import __main__\nprint(__main__.__file__)\n",
    "reads_stdin": "import sys\nprint(sys.stdin.read().upper())\n",
    "dataclass": "import dataclasses\n@dataclasses.dataclass\nclass C:\n    x: int\nprint(C(3))\n",
    "trace_is_hidden": "def f(n=[0]):\n    n[0] += 1\n    return n\nprint(f(), f())\n",
}


@pytest.fixture(params=TRACERS)
def tracer(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_script_is_as_without_us(name: str, tracer: str, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(PROGRAMS[name], encoding="utf-8")
    plain, ours = both(tmp_path, ["prog.py", "a", "-o", "--set", "b c"], tracer, stdin="some text")
    assert ours == plain
    not_run = name in ("syntax_error", "indentation_error")
    assert not_run or is_profile(tmp_path / "nytprof.out")


@pytest.mark.parametrize("name", ["state", "uncaught", "exit_int", "syntax_error"])
@pytest.mark.parametrize("how", ["-m module", "-m package", "-c", "-", "folder", "zip", "link"])
def test_other_ways_to_name_a_target(name: str, how: str, tracer: str, tmp_path: Path) -> None:
    text = PROGRAMS[name]
    package = tmp_path / "package"
    package.mkdir()
    (package / "__init__.py").write_text("print('package imported')\n")
    (package / "module.py").write_text(text)
    (package / "__main__.py").write_text(text)
    with zipfile.ZipFile(tmp_path / "prog.zip", "w") as archive:
        archive.writestr("__main__.py", text)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "link.py").symlink_to(package / "module.py")
    target = {
        "-m module": ["-m", "package.module"],
        "-m package": ["-m", "package"],
        "-c": ["-c", text],
        "-": ["-"],
        "folder": ["package"],
        "zip": ["prog.zip"],
        "link": ["elsewhere/link.py"],
    }[how]
    plain, ours = both(tmp_path, [*target, "-q", "x"], tracer, stdin=text if how == "-" else "")
    assert ours == plain


@pytest.mark.parametrize("path", ["./prog.py", "sub/../prog.py", "sub/prog.py"])
def test_paths_are_kept_as_python_keeps_them(path: str, tracer: str, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for place in (tmp_path / "prog.py", tmp_path / "sub" / "prog.py"):
        place.write_text(SHOW_STATE)
    plain, ours = both(tmp_path, [path], tracer)
    assert ours == plain


@pytest.mark.parametrize("flag", ["-I", "-O", "-E"])
def test_interpreter_flags(flag: str, tracer: str, tmp_path: Path) -> None:
    if flag != "-O" and importlib.util.find_spec("pynytprof.__main__") is not None:
        probe = outcome_of([PYTHON, flag, "-c", "import pynytprof"], tmp_path)
        if probe.status:
            pytest.skip("pynytprof is not installed, only on PYTHONPATH")
    (tmp_path / "prog.py").write_text(SHOW_STATE)
    plain, ours = both(tmp_path, ["prog.py"], tracer, flags=[flag])
    assert ours == plain


def test_safe_path(tracer: str, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(SHOW_STATE)
    if sys.version_info < (3, 11):
        pytest.skip("needs CPython 3.11 or later")
    plain, ours = both(tmp_path, ["prog.py"], tracer, flags=["-P"])
    assert ours == plain


def test_bytecode(tracer: str, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(SHOW_STATE)
    py_compile.compile(str(tmp_path / "prog.py"), str(tmp_path / "prog.pyc"))
    plain, ours = both(tmp_path, ["prog.pyc"], tracer)
    assert ours == plain


@pytest.mark.parametrize(
    "target",
    [["nothing.py"], ["-m", "nothing"], ["-m", "os.nothing"], ["empty"], ["-c", "x = = 1"]],
    ids=" ".join,
)
def test_targets_that_cannot_run(target: list[str], tracer: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    plain, ours = both(tmp_path, target, tracer)
    assert ours == plain
    assert plain.status in (1, 2)


def test_an_interrupted_program_dies_of_the_signal(tracer: str, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(PROGRAMS["keyboard_interrupt"])
    assert outcome_of([*profiling(), "prog.py"], tmp_path, tracer=tracer).status == -signal.SIGINT


LOOP = """\
import sys
def work():
    for i in range(1000):
        pass
work()
open('ready', 'w').write('ready')
while True:
    work()
"""


def test_a_killed_program_leaves_a_whole_profile(tracer: str, tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(LOOP)
    command = [*profiling(), "prog.py"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(PYNYTPROF_TRACER=tracer, PYNYTPROF_WRITER=tracer)
    ) as running:
        wait_until(holds(tmp_path / "ready", "ready"))
        running.kill()
    raw = (tmp_path / "nytprof.out").read_bytes()
    assert raw.startswith(b"NYTProf 5 0\n")
    assert b"\n#Snapshot" in raw
    assert raw.rstrip().endswith(b"%")  # the closing comment: the file is whole


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_terminated_program_completes_its_profile(
    number: signal.Signals, tracer: str, tmp_path: Path
) -> None:
    (tmp_path / "prog.py").write_text(LOOP)
    command = [*profiling(), "prog.py"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(PYNYTPROF_TRACER=tracer, PYNYTPROF_WRITER=tracer)
    ) as running:
        wait_until(holds(tmp_path / "ready", "ready"))
        running.send_signal(number)
        assert running.wait(TIME_LIMIT_S) == -number
    raw = (tmp_path / "nytprof.out").read_bytes()
    assert b"#Snapshot" not in raw


@pytest.mark.skipif("c" not in TRACERS, reason="no C tracer")
def test_audit_hooks_let_threads_end_at_any_event(tmp_path: Path) -> None:
    """Switching a thread's tracing on is none: the list of threads must not change then."""
    (tmp_path / "prog.py").write_text(
        "import sys, threading, time\n"
        "sys.addaudithook(lambda name, args: name == 'sys.settrace' and time.sleep(1e-5))\n"
        "seen = []\n"
        "for i in range(60):\n"
        "    ts = [threading.Thread(target=seen.append, args=(i,)) for _ in range(5)]\n"
        "    for t in ts: t.start()\n"
        "    for t in ts: t.join()\n"
        "print(len(seen))\n"
    )
    plain, ours = both(tmp_path, ["prog.py"], "c")
    assert ours == plain and plain.stdout == "300\n"
