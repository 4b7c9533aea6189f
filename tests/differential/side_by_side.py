"""Runs programs by sys.settrace, by cProfile and under the tracer, all in this process.

    side_by_side.py

Each line of standard input is JSON, {"text": program}; so is each line of output, {"lines",
"calls", "chunks"} as oracle.py and record_chunks.py give them. The tracer is chosen by
PYNYTPROF_TRACER. Nothing of a program outlives its run, and the garbage collector has its
turn between runs alone.
"""

from __future__ import annotations

import contextlib
import gc
import io
import json
import sys
import types
import warnings
from collections.abc import Callable
from typing import Any

import oracle
from record_chunks import Recorder

from pynytprof.tracer import Tracer

FILE = "/generated/program.py"


def execute(text: str) -> None:
    """Compiles anew: code objects remember the tools that have looked at them."""
    module = types.ModuleType("generated")
    module.__file__ = FILE
    code = compile(text, FILE, "exec", dont_inherit=True)
    with contextlib.suppress(Exception):
        exec(code, module.__dict__)


def counted_by(method: Callable[[], oracle.Result], text: str) -> Any:
    counted = method()
    execute(text)
    sys.settrace(None)
    sys.setprofile(None)
    return counted()


def traced(text: str, options: dict[str, Any]) -> Any:
    recorder = Recorder()
    with Tracer(writer=recorder, options=options):
        execute(text)
    return recorder.chunks


def answer(text: str, options: dict[str, Any]) -> dict[str, Any]:
    answers = {}
    for name, run in (
        ("none", lambda: execute(text)),  # whatever is done once in a process is done now
        ("lines", lambda: counted_by(oracle.by_settrace, text)),
        ("calls", lambda: counted_by(oracle.by_cprofile, text)),
        ("chunks", lambda: traced(text, options)),
    ):
        answers[name] = run()
        gc.collect()
    return answers


def main() -> None:
    gc.disable()
    warnings.simplefilter("ignore")
    out = sys.stdout
    for line in sys.stdin:
        request = json.loads(line)
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            found = answer(request["text"], request["options"])
        print(json.dumps(found), file=out, flush=True)


if __name__ == "__main__":
    main()
