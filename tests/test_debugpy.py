"""debugpy, the debugger behind most editors, in a profiled program: by its own protocol (DAP)."""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from support import PYTHON, TIME_LIMIT_S, environment, profiling, wait_until

from pynytprof import reader, verify

pytestmark = pytest.mark.slow  # debugpy is installed for the main Python alone

PROGRAM = """\
import debugpy
_, port = debugpy.listen(("127.0.0.1", 0))
with open("port.new", "w") as f:
    f.write(str(port))
import os
os.rename("port.new", "port")
debugpy.wait_for_client()
def add(n):
    total = 0
    for i in range(n):
        total += i
    return total
print(add(50))
"""
BREAKPOINT = 12


class Client:
    """Sets one breakpoint, goes on from each stop, and keeps where it stopped."""

    def __init__(self, port: int, program: Path) -> None:
        self._connection = socket.create_connection(("127.0.0.1", port), TIME_LIMIT_S)
        self._file = self._connection.makefile("rwb")
        self._program = program
        self._sent = 0
        self.stops: list[tuple[str, int]] = []

    def _send(self, command: str, **arguments: Any) -> None:
        self._sent += 1
        message = {"seq": self._sent, "type": "request", "command": command,
                   "arguments": arguments}  # fmt: skip
        body = json.dumps(message).encode()
        self._file.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self._file.flush()

    def _received(self) -> dict[str, Any] | None:
        length = 0
        while (line := self._file.readline()).strip():
            length = int(line.partition(b":")[2])
        message: dict[str, Any] | None = json.loads(self._file.read(length)) if length else None
        return message

    def run(self) -> None:
        self._send("initialize", adapterID="test", pathFormat="path")
        thread = 0
        while message := self._received():
            match message:
                case {"type": "response", "command": "initialize"}:
                    self._send("attach", justMyCode=False)
                case {"event": "initialized"}:
                    self._send("setBreakpoints", source={"path": str(self._program)},
                               breakpoints=[{"line": BREAKPOINT}])  # fmt: skip
                    self._send("configurationDone")
                case {"event": "stopped", "body": {"threadId": thread}}:
                    self._send("stackTrace", threadId=thread)
                case {"type": "response", "command": "stackTrace", "body": body}:
                    top = body["stackFrames"][0]
                    self.stops.append((top["name"], top["line"]))
                    self._send("continue", threadId=thread)
                case {"event": "terminated"}:
                    self._send("disconnect")
                    break
        self._file.close()
        self._connection.close()


def debugged(command: list[str], folder: Path) -> tuple[list[tuple[str, int]], str, int]:
    """Stops, output and exit status of the program that the command runs."""
    folder.mkdir()
    program = folder / "prog.py"
    program.write_text(PROGRAM)
    with open(folder / "output", "wb") as output:
        process = subprocess.Popen(
            [*command, "prog.py"],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        wait_until(lambda: (folder / "port").exists() or process.poll() is not None)
        assert process.poll() is None
        client = Client(int((folder / "port").read_text()), program)
        client.run()
        status = process.wait(TIME_LIMIT_S)
    finally:
        process.kill()
    return client.stops, (folder / "output").read_text(), status


def test_a_breakpoint_stops_a_profiled_program(tmp_path: Path) -> None:
    alone = debugged([PYTHON, "-Xfrozen_modules=off"], tmp_path / "alone")
    assert alone[0] == [("add", BREAKPOINT)]
    assert debugged(profiling(flags=["-Xfrozen_modules=off"]), tmp_path / "both") == alone
    out = tmp_path / "both" / "nytprof.out"
    assert verify.verify(out, quiet=True)
    lines = reader.read(out).find_file("prog.py").lines
    counts = {line.line: line.count for line in lines}
    assert [counts[n] for n in range(9, 14)] == [1, 51, 50, 1, 1]
