"""Profiles a program with a writer that only takes down what it is given.

    record_chunks.py PROGRAM RESULT

RESULT is JSON: "chunks", for each its [token, payload in hexadecimal], and "facts", what the
tracer has to tell. The tracer is chosen by
PYNYTPROF_TRACER.
"""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

from pynytprof.tracer import Tracer


class Recorder:
    def __init__(self) -> None:
        self.chunks: list[tuple[str, str]] = []
        self.closed = 0

    def write_chunk(self, token: bytes, payload: bytes) -> None:
        self.chunks.append((token.decode("ascii"), bytes(payload).hex()))

    def close(self) -> None:
        self.closed += 1


def main(program: str, result: str) -> None:
    code = compile(Path(program).read_bytes(), program, "exec", dont_inherit=True)
    module = types.ModuleType("__main__")
    module.__file__ = program
    sys.modules["__main__"] = module
    sys.argv = [program]
    sys.path[0] = str(Path(program).parent)
    recorder = Recorder()
    tracer = Tracer(writer=recorder)
    try:
        with tracer:
            exec(code, module.__dict__)
    except SystemExit:
        pass
    assert recorder.closed == 1
    told = {"chunks": recorder.chunks, "facts": tracer._session.tracer.facts()}
    Path(result).write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
