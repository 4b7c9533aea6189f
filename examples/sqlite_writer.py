"""A writer of one's own: a profile into an SQLite database.

A tracer hands its figures to any object with ``write_chunk(token, payload)`` and ``close()``;
what is in a payload is told in ``docs/format.md``. This one fills four tables, which can then be
asked anything:

    python examples/sqlite_writer.py profile.db script.py [ARG...]
    sqlite3 profile.db 'SELECT file, line, count, ticks FROM hot LIMIT 10'

Or from a program, with any code between ``with`` and the end of the block:

    with Tracer(writer=SqliteWriter("profile.db")):
        work()
"""

from __future__ import annotations

import runpy
import sqlite3
import struct
import sys
from collections.abc import Callable, Iterator

from pynytprof import Tracer

SCHEMA = """
CREATE TABLE file (fid INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE source (fid INTEGER, line INTEGER, text TEXT, PRIMARY KEY (fid, line));
CREATE TABLE sub (id INTEGER PRIMARY KEY, fid INTEGER, first INTEGER, last INTEGER, name TEXT);
CREATE TABLE line (thread INTEGER, fid INTEGER, line INTEGER, count INTEGER,
                   ticks INTEGER, inclusive_ticks INTEGER);
CREATE TABLE call (thread INTEGER, fid INTEGER, line INTEGER, caller INTEGER, called INTEGER,
                   count INTEGER, inclusive REAL, exclusive REAL);
CREATE VIEW hot AS
    SELECT file.name AS file, line.line, SUM(count) AS count, SUM(ticks) AS ticks, text
    FROM line JOIN file USING (fid) LEFT JOIN source USING (fid, line)
    GROUP BY fid, line.line ORDER BY ticks DESC;
"""

START, FILE, SUB = struct.Struct("<IId"), struct.Struct("<6I"), struct.Struct("<4I")
LINES, CALLS = struct.Struct("<4I3Q"), struct.Struct("<4IQ3dI")


def strings(payload: bytes, at: int) -> Iterator[tuple[str, int]]:
    """(text, where it ends) of each string from offset `at`."""
    while at < len(payload):
        (length,) = struct.unpack_from("<I", payload, at)
        at += 4 + length
        yield payload[at - length : at].decode("utf-8", "replace"), at


class SqliteWriter:
    """Puts chunks into the tables of a new database at `path`."""

    def __init__(self, path: str) -> None:
        self._db = sqlite3.connect(path)
        self._db.executescript(SCHEMA)
        self._thread = 0
        self._takers: dict[bytes, Callable[[bytes], None]] = {
            b"P": self._start,
            b"F": self._file,
            b"D": self._subs,
            b"S": self._lines,
            b"C": self._calls,
        }

    def write_chunk(self, token: bytes, payload: bytes, /) -> None:
        """Takes one chunk; the call tree (T) and the ends of sections (E) are not kept."""
        take = self._takers.get(token)
        if take:
            take(payload)

    def close(self) -> None:
        """Makes all of it permanent."""
        self._db.commit()
        self._db.close()

    def _start(self, payload: bytes) -> None:
        self._thread = START.unpack_from(payload)[0]

    def _file(self, payload: bytes) -> None:
        fid = FILE.unpack_from(payload)[0]
        name, end = next(strings(payload, FILE.size))
        self._db.execute("INSERT INTO file VALUES (?, ?)", (fid, name))
        lines = enumerate(strings(payload, end + 4), 1)  # 4: the number of lines
        self._db.executemany(
            "INSERT INTO source VALUES (?, ?, ?)", ((fid, n, text) for n, (text, _) in lines)
        )

    def _subs(self, payload: bytes) -> None:
        at = 0
        while at < len(payload):
            fields = SUB.unpack_from(payload, at)
            name, at = next(strings(payload, at + SUB.size))
            self._db.execute("INSERT INTO sub VALUES (?, ?, ?, ?, ?)", (*fields, name))

    def _lines(self, payload: bytes) -> None:
        self._db.executemany(
            "INSERT INTO line VALUES (?, ?, ?, ?, ?, ?)",
            (
                (self._thread, fid, line, count, ticks, inclusive)
                for fid, line, _, _, count, ticks, inclusive in LINES.iter_unpack(payload)
            ),
        )

    def _calls(self, payload: bytes) -> None:
        self._db.executemany(
            "INSERT INTO call VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            ((self._thread, *item[:7]) for item in CALLS.iter_unpack(payload)),
        )


def main() -> int:
    if len(sys.argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    database, sys.argv = sys.argv[1], sys.argv[2:]
    with Tracer(writer=SqliteWriter(database)):
        runpy.run_path(sys.argv[0], run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main())
