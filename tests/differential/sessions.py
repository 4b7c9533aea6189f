"""Several tracers in one process, one after the other; prints each one's line counts.

    sessions.py

Each line of output is JSON: {line of this file: count} of the one session.
"""

from __future__ import annotations

import json
import struct

from pynytprof.tracer import Tracer


class Lines:
    """A writer that keeps the counts of this file's lines."""

    def __init__(self) -> None:
        self.fid = 0
        self.counts: dict[int, int] = {}

    def write_chunk(self, token: bytes, payload: bytes) -> None:
        if token == b"F":
            fid, size = struct.unpack_from("<I", payload)[0], struct.unpack_from("<I", payload, 24)
            if payload[28 : 28 + size[0]].decode() == __file__:
                self.fid = fid
        elif token == b"S":
            for fid, line, _, _, count, _, _ in struct.iter_unpack("<IIIIQQQ", payload):
                if fid == self.fid:
                    self.counts[line] = self.counts.get(line, 0) + count

    def close(self) -> None:
        print(json.dumps(self.counts))


def work(turns: int) -> int:
    total = 0
    for turn in range(turns):
        total += turn
    return total


def main() -> None:
    sessions = [Tracer(writer=Lines()) for _ in range(3)]
    for turns, session in enumerate(sessions, 1):
        with session:
            work(turns * 10)


if __name__ == "__main__":
    main()
