"""Counts what a program does, by means of the standard library alone.

    oracle.py settrace|trace|cprofile PROGRAM RESULT

Runs PROGRAM as `__main__` and writes RESULT (JSON) after everything else, the program's
own atexit functions included. The first two give [file, line, count] for each line, the
third [caller, callee, calls], either as [file, first line, name]; the caller of a
thread's or the program's first function is null.
"""

from __future__ import annotations

import atexit
import cProfile
import json
import sys
import threading
import trace
import types
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

Result = Callable[[], list[Any]]


def by_settrace() -> Result:
    counts: Counter[tuple[str, int]] = Counter()

    def local(frame: types.FrameType, event: str, arg: object) -> Any:
        if event == "line":
            counts[frame.f_code.co_filename, frame.f_lineno] += 1
        return local

    threading.settrace(local)
    if sys.version_info >= (3, 11):
        sys.settrace(local)
    else:
        set_trace_in_c(lambda frame: counts.update([(frame.f_code.co_filename, frame.f_lineno)]))
    return lambda: [[file, line, n] for (file, line), n in counts.items()]


def set_trace_in_c(on_line: Callable[[types.FrameType], object]) -> None:
    """PyEval_SetTrace: 3.10's sys.settrace keeps alive what `del` would let go in a frame."""
    import ctypes

    def trace(_: int, frame: types.FrameType, what: int, __: int) -> int:
        if what == LINE:
            on_line(frame)
        return 0

    LINE = 2  # PyTrace_LINE
    kind = ctypes.CFUNCTYPE(
        ctypes.c_int, ctypes.c_void_p, ctypes.py_object, ctypes.c_int, ctypes.c_void_p
    )
    kept.append(kind(trace))
    ctypes.pythonapi.PyEval_SetTrace(kept[-1], None)


kept: list[object] = []  # that C has a pointer to


def by_trace_module() -> Result:
    tracer = trace.Trace(count=1, trace=0)
    threading.settrace(tracer.globaltrace)
    sys.settrace(tracer.globaltrace)
    return lambda: [[file, line, n] for (file, line), n in tracer.results().counts.items()]


def label(code: types.CodeType | str) -> list[Any]:
    if isinstance(code, str):
        return ["~", 0, code]
    return [code.co_filename, code.co_firstlineno, code.co_name]


def by_cprofile() -> Result:
    profiler = cProfile.Profile()
    profiler.enable()

    def edges() -> list[Any]:
        profiler.disable()
        entries: list[Any] = profiler.getstats()  # pstats would drop all but one of equal labels
        found: list[Any] = []
        roots: Counter[Any] = Counter()
        for entry in entries:
            roots[entry.code] += entry.callcount
            for call in entry.calls or ():
                found.append([label(entry.code), label(call.code), call.callcount])
                roots[call.code] -= call.callcount
        return found + [[None, label(code), n] for code, n in roots.items() if n]

    return edges


METHODS = {"settrace": by_settrace, "trace": by_trace_module, "cprofile": by_cprofile}


def main(method: str, program: str, result: str) -> None:
    code = compile(Path(program).read_bytes(), program, "exec", dont_inherit=True)
    module = types.ModuleType("__main__")
    module.__file__ = program
    sys.modules["__main__"] = module
    sys.argv = [program]
    sys.path[0] = str(Path(program).parent)

    def finish() -> None:
        sys.settrace(None)
        sys.setprofile(None)
        Path(result).write_text(json.dumps(counted()), encoding="utf-8")

    atexit.register(finish)
    counted = METHODS[method]()
    exec(code, module.__dict__)


if __name__ == "__main__":
    main(*sys.argv[1:])
