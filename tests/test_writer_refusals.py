"""Chunks that break the rules of docs/format.md are refused, by both writers in the same words."""

from __future__ import annotations

import io
import random
from typing import Any

import pytest
from payloads import (
    CALLS,
    END,
    FILE,
    START,
    TIMES,
    TREE,
    end,
    file,
    start,
    string,
    sub,
)
from writing import (
    SMALL,
    SMALL_HEADER,
    SMALL_RECORDS,
    MakeWriter,
    written,
)

from pynytprof import _cwrite, _writer

OPEN = SMALL[:4]  # a section with two files and two subs

BAD: list[tuple[bytes, bytes, int, str]] = [
    (b"X", b"", 0, "chunk ?: unknown token, byte 88"),
    (b"\xf0", b"", 0, "chunk ?: unknown token, byte 240"),
    (b"P", START.pack(9, 300, 0), 0, "chunk P: the section before has not ended"),
    (b"F", FILE.pack(3, 0, 0, 0, 0, 0)[:-1], 0, "chunk F: ends in the middle of an item"),
    (b"F", file(3, "abc")[1][:-5], 0, "chunk F: ends in the middle of an item"),
    (b"F", file(3, "abc")[1][:-1], 0, "chunk F: ends in the middle of an item"),
    (b"F", file(3, "a", ("xy", "z"))[1][:-1], 39, "chunk F: ends in the middle of an item"),
    (b"F", file(3, "a", ("xy",))[1] + b"!", 39, "chunk F: bytes behind the last item"),
    (b"F", file(4, "a")[1], 0, "chunk F: fids must be dense and in order, not 4"),
    (b"F", file(1, "a")[1], 0, "chunk F: fids must be dense and in order, not 1"),
    (b"F", file(3, "a", (), 3, 1)[1], 0, "chunk F: unknown parent fid 3"),
    (b"D", sub(3, 1, 1, 1, "a::b")[:-1], 0, "chunk D: ends in the middle of an item"),
    (b"D", sub(3, 1, 1, 1, "a::b") + b"1", 24, "chunk D: ends in the middle of an item"),
    (b"D", sub(0, 1, 1, 1, "a::b"), 0, "chunk D: impossible sub id 0"),
    (b"D", sub(2**24, 1, 1, 1, "a::b"), 0, "chunk D: impossible sub id 16777216"),
    (b"D", sub(2, 1, 1, 1, "a::b"), 0, "chunk D: a second definition of sub id 2"),
    (b"D", sub(3, 1, 1, 1, "") * 2, 20, "chunk D: a second definition of sub id 3"),
    (b"D", sub(3, 3, 1, 1, "a::b"), 0, "chunk D: unknown fid 3"),
    (b"D", sub(3, 0, 1, 1, "a::b"), 0, "chunk D: unknown fid 0"),
    (b"S", b"12345", 0, "chunk S: ends in the middle of an item"),
    (b"S", TIMES.pack(0, 1, 0, 0, 1, 1, 1), 0, "chunk S: unknown fid 0"),
    (b"S", TIMES.pack(3, 1, 0, 0, 1, 1, 1), 0, "chunk S: unknown fid 3"),
    (b"S", TIMES.pack(1, 1, 0, 0, 2**48 + 1, 1, 1), 0, "chunk S: impossible count"),
    (b"S", TIMES.pack(1, 1, 0, 0, 1, 1, 1) + b"1", 40, "chunk S: ends in the middle of an item"),
    (b"C", CALLS.pack(0, 1, 1, 1, 1, 0, 0, 0, 0), 0, "chunk C: unknown fid 0"),
    (b"C", CALLS.pack(1, 1, 9, 1, 1, 0, 0, 0, 0), 0, "chunk C: unknown sub id 9"),
    (b"C", CALLS.pack(1, 1, 1, 0, 1, 0, 0, 0, 0), 0, "chunk C: unknown sub id 0"),
    (b"C", CALLS.pack(1, 1, 1, 1, 2**63, 0, 0, 0, 0), 0, "chunk C: impossible count"),
    (b"C", CALLS.pack(1, 1, 1, 1, 1, 0, 0, float("nan"), 0), 0, "chunk C: a time is not finite"),
    (b"T", TREE.pack(0, 1, 0, 0), 0, "chunk T: not in post-order: depth 0"),
    (b"T", TREE.pack(3, 1, 0, 0) + TREE.pack(1, 1, 0, 0), 24,
     "chunk T: not in post-order: depth 1"),
    (b"T", TREE.pack(1, 9, 0, 0), 0, "chunk T: unknown sub id 9"),
    (b"T", TREE.pack(1, 1, float("inf"), 0), 0, "chunk T: a time is not finite"),
    (b"E", b"", 0, "chunk E: ends in the middle of an item"),
    (b"E", END.pack(300, 0, 0) + b"1", 0, "chunk E: bytes behind the last item"),
    (b"E", END.pack(301, 0, 0), 0, "chunk E: the open section has another id than 301"),
    (b"E", END.pack(300, float("-inf"), 0), 0, "chunk E: a time is not finite"),
    (b"U", b"123", 0, "chunk U: ends in the middle of an item"),
    (b"U", b"12345", 0, "chunk U: bytes behind the last item"),
]  # fmt: skip


def test_a_refused_chunk_is_named_and_leaves_no_trace(make: MakeWriter) -> None:
    out = io.BytesIO()
    writer = make(out, 0)
    with pytest.raises(ValueError, match="chunk S: no section is open"):
        writer.write_chunk(b"S", b"")
    for token, payload in OPEN:
        writer.write_chunk(token, payload)
    for token, payload, offset, reason in BAD:
        with pytest.raises(ValueError) as caught:  # noqa: PT011
            writer.write_chunk(token, payload)
        assert str(caught.value) == f"{reason} (at byte {offset} of the payload)"
    for token, payload in SMALL[len(OPEN) :]:
        writer.write_chunk(token, payload)
    writer.close()
    assert out.getvalue() == SMALL_HEADER + SMALL_RECORDS


def damaged(rnd: random.Random, token: bytes, payload: bytes) -> bytes:
    """Cut, longer, or with another byte; counts of lines stay what they are."""
    kind = rnd.randrange(4)
    if kind == 0:
        return payload[: rnd.randrange(len(payload) + 1)]
    if kind == 1:
        return payload + rnd.randbytes(rnd.randrange(1, 60))[: 15 if token == b"S" else 60]
    at = rnd.randrange(len(payload)) if token != b"S" else rnd.randrange(4)
    return payload[:at] + bytes([rnd.choice([0, 1, 2, 3, 0x7F, 0xFF])]) + payload[at + 1 :]


def told(writer: Any, token: bytes, payload: bytes) -> str:
    try:
        writer.write_chunk(token, payload)
    except ValueError as error:
        return str(error)
    return "fine"


@pytest.mark.parametrize("seed", range(40))
def test_both_writers_refuse_the_same_damage_with_the_same_words(seed: int) -> None:
    rnd = random.Random(seed)
    outs = io.BytesIO(), io.BytesIO()
    in_c, in_python = _cwrite.Writer(outs[0]), _writer.PyWriter(outs[1])
    for token, payload in SMALL:
        for chunk in [damaged(rnd, token, payload) for _ in range(8)] + [payload]:
            assert told(in_c, token, chunk) == told(in_python, token, chunk)
    in_c.close()
    in_python.close()
    assert outs[0].getvalue() == outs[1].getvalue()


@pytest.mark.parametrize(
    ("pairs", "reason"),
    [
        (("", "x"), "a key must begin with"),
        (("basetime", "x"), "a key must begin with"),
        ((":a=b", "x"), "newline or = in a key"),
        (("!a\nb", "x"), "newline or = in a key"),
        ((":a", "x\ny"), "newline in a value"),
        ((":a",), "ends in the middle"),
    ],
)
def test_headers_are_checked(make: MakeWriter, pairs: tuple[str, ...], reason: str) -> None:
    payload = START.pack(1, 0, 0) + string(":fine") + string("1") + b"".join(map(string, pairs))
    with make(io.BytesIO(), 1) as writer, pytest.raises(ValueError, match=reason) as caught:
        writer.write_chunk(b"P", payload)
    assert "(at byte 30 of" in str(caught.value)


def test_only_the_first_section_has_a_header(make: MakeWriter) -> None:
    with make(io.BytesIO()) as writer:
        for token, payload in (start(1, 0), end(1)):
            writer.write_chunk(token, payload)
        with pytest.raises(ValueError, match="only the first section"):
            writer.write_chunk(*start(2, 1, late="1"))


def test_calls_must_be_closed_before_their_section(make: MakeWriter) -> None:
    with make(io.BytesIO()) as writer:
        for token, payload in OPEN:
            writer.write_chunk(token, payload)
        writer.write_chunk(b"T", TREE.pack(3, 1, 0, 0))
        with pytest.raises(ValueError, match="lacks the return at depth 2"):
            writer.write_chunk(*end(300))


@pytest.mark.parametrize("token", [b"", b"PP"])
def test_a_token_is_one_byte(make: MakeWriter, token: bytes) -> None:
    with make(io.BytesIO()) as writer, pytest.raises(ValueError, match="one byte, not"):
        writer.write_chunk(token, b"")


def test_any_buffer_is_a_payload(make: MakeWriter) -> None:
    as_views = [(token, memoryview(bytearray(payload))) for token, payload in SMALL]
    assert written(make, as_views, 1) == written(make, SMALL, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize("level", [-1, 10])
def test_levels_are_zlib_s(make: MakeWriter, level: int) -> None:
    with pytest.raises(ValueError, match=f"compress must be 0 to 9, not {level}"):
        make(io.BytesIO(), level)
