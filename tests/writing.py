"""One profile by hand, through both writers, and what is in it."""

from __future__ import annotations

import io
import re
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from payloads import CALLS, START, TIMES, TREE, Chunk, end, file, start, string, sub

from pynytprof import _cwrite, _writer

MakeWriter = Callable[..., Any]
WRITERS = {"c": _cwrite.Writer, "py": _writer.PyWriter}
NV = struct.Struct("<d").pack


@pytest.fixture(params=WRITERS)
def make(request: pytest.FixtureRequest) -> MakeWriter:
    return WRITERS[request.param]


def written(make: MakeWriter, chunks: list[Chunk], compress: int) -> bytes:
    out = io.BytesIO()
    with make(out, compress) as writer:
        for token, payload in chunks:
            writer.write_chunk(token, payload)
    return out.getvalue()


def stream_of(profile: bytes) -> bytes:
    """The zlib stream of a compressed profile, and what is behind it."""
    return profile[profile.index(b"\nz\x78\x9c") + 2 :]


def inflated(profile: bytes) -> bytes:
    unpacker = zlib.decompressobj()
    plain = unpacker.decompress(stream_of(profile))
    assert unpacker.eof  # the checksum was right as well
    assert re.fullmatch(
        rb"#\n# Compressed %d bytes to \d+, ratio [\d.]+:1, data shrunk by -?[\d.]+%%\n"
        % len(plain),
        unpacker.unused_data,
    )
    return plain


SMALL = [
    (b"P", START.pack(300, 1, 10.0) + string(":basetime") + string("10") + string("!calls")
     + string("1") + string("#") + string("a note")),
    file(1, "/a.py", ("f()\n", "é")),
    file(2, "(eval 1)[/a.py:1]", (), 1, 1),
    (b"D", sub(2, 1, 1, 2, "a::f") + sub(1, 1, 0, 0, "builtins::len")),
    (b"S", TIMES.pack(1, 200, 0, 0, 3, 8, 9) + TIMES.pack(2, 1, 5, 6, 1, 0, 0)
     + TIMES.pack(1, 1, 0, 0, 0, 4, 4)),
    (b"C", CALLS.pack(1, 1, 0, 2, 1, 1.0, 0.5, 0.25, 7) + CALLS.pack(1, 1, 2, 1, 4, 0, 0, 0, 0)),
    (b"T", TREE.pack(2, 1, 3.0, 3.0) + TREE.pack(1, 2, 9.0, 6.0)),
    end(300, 12.0, 30),
    start(301, 300, 11.0),
    end(301, 12.0, 3),
]  # fmt: skip

SMALL_HEADER = b"NYTProf 5 0\n:basetime=10\n!calls=1\n#a note\n"

SMALL_RECORDS = b"".join(
    [
        b"P\x81\x2c\x01" + NV(10),
        b"@\x01\0\0\x32\0\0'\x05/a.py",
        b"S\x01\x01'\x04f()\nS\x01\x02'\x02\xc3\xa9",
        b"@\x02\x01\x01\x32\0\0'\x11(eval 1)[/a.py:1]",
        b"s\x01'\x04a::f\x01\x02",
        b"s\x01'\x0dbuiltins::len\0\0",
        b"c\0\0'\0\0" + NV(0) * 3 + b"\0'\x0dbuiltins::len",
        b"+\x03\x01\x80\xc8+\x03\x01\x80\xc8+\x02\x01\x80\xc8",
        b"*\0\x02\x01\x05\x06",
        b"-+\x04\x01\x01",
        b"c\x01\x01'\x0fpython::(start)\x01" + NV(1) + NV(0.5) + NV(0.25) + b"\x07'\x04a::f",
        b"c\x01\x01'\x04a::f\x04" + NV(0) * 3 + b"\0'\x0dbuiltins::len",
        b"<\x02" + NV(3) + NV(3) + b"'\x0dbuiltins::len",
        b"<\x01" + NV(9) + NV(6) + b"'\x04a::f",
        b"p\x81\x2c" + NV(12),
        b"P\x81\x2d\x81\x2c" + NV(11),
        b"p\x81\x2d" + NV(12),
        b":cumulative_overhead_ticks=33\n",
    ]
)
