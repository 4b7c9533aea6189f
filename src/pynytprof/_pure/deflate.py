"""Mirrors lib/format/fixed_codes.c, run_block.c, time_block.c and name_block.c: deflate by hand.

They use the codes that the format has fixed (RFC 1951, 3.2.6). docs/format.md tells which bytes are
matches.
"""

from __future__ import annotations

import struct

_MATCH_MAX, _MATCH_MIN = 258, 3


class _Bits:
    """Bits, the first of a byte lowest; those of a Huffman code come highest first."""

    def __init__(self) -> None:
        self.value = 0
        self.n = 0

    def put(self, bits: int, n: int) -> None:
        self.value |= bits << self.n
        self.n += n

    def code(self, code: int, n: int) -> None:
        self.put(int(format(code, f"0{n}b")[::-1], 2), n)

    def symbol(self, symbol: int) -> None:
        """Of literals and lengths, in the codes that deflate has fixed."""
        if symbol < 144:
            self.code(0x30 + symbol, 8)
        elif symbol < 256:
            self.code(0x190 + symbol - 144, 9)
        elif symbol < 280:
            self.code(symbol - 256, 7)
        else:
            self.code(0xC0 + symbol - 280, 8)

    def match(self, length: int, distance: int) -> None:
        more = length - _MATCH_MIN
        extra = max(more.bit_length() - 3, 0)
        if length == _MATCH_MAX:
            self.symbol(285)
        else:
            self.symbol(257 + 4 * extra + (more >> extra))
            self.put(more & (1 << extra) - 1, extra)
        more = distance - 1
        extra = max(more.bit_length() - 2, 0)
        self.code(2 * extra + (more >> extra), 5)
        self.put(more & (1 << extra) - 1, extra)

    def matches(self, left: int, distance: int) -> None:
        """As long as can be, but so that none is left that would be too short."""
        while left:
            length = min(left, _MATCH_MAX)
            if 0 < left - length < _MATCH_MIN:
                length -= _MATCH_MIN
            self.match(length, distance)
            left -= length

    def take(self) -> bytes:
        """The bytes that are whole."""
        whole = self.n // 8
        taken = (self.value & (1 << 8 * whole) - 1).to_bytes(whole, "little")
        self.value >>= 8 * whole
        self.n %= 8
        return taken

    def end(self) -> bytes:
        """The block ends, and an empty stored one follows."""
        self.symbol(256)
        self.put(0, 3)
        self.put(0, -self.n % 8)
        return self.take() + b"\0\0\xff\xff"


def run_block(record: bytes, times: int) -> bytes:
    """Equal records, deflated."""
    bits = _Bits()
    bits.put(2, 3)
    for byte in record:
        bits.symbol(byte)
    bits.matches(len(record) * (times - 1), len(record))
    return bits.end()


class TimeBlock:
    """Runs of equal records, each mostly like the one before it."""

    def __init__(self) -> None:
        self.inflated = 0  # bytes
        self._packed = bytearray()
        self._bits = _Bits()
        self._last = b""

    def add(self, record: bytes, times: int) -> None:
        if not self.inflated:
            self._bits.put(2, 3)
        last, most = self._last, min(len(record), len(self._last))
        head = _equal(record[:most], last)
        tail = _equal(record[head:][::-1], last[head:][::-1])
        self._bits.matches(head, len(last))
        for byte in record[head : len(record) - tail]:
            self._bits.symbol(byte)
        self._bits.matches(tail, len(record))
        self._bits.matches(len(record) * (times - 1), len(record))
        self._packed += self._bits.take()
        self.inflated += len(record) * times
        self._last = record

    def end(self) -> bytes:
        return bytes(self._packed) + self._bits.end()


def _equal(left: bytes, right: bytes) -> int:
    """How many bytes both begin with; 0 if that is no match."""
    n = 0
    for ours, theirs in zip(left, right, strict=False):
        if ours != theirs:
            break
        n += 1
    return n if n >= _MATCH_MIN else 0


# ---- Records of calls ---------------------------------------------------------------------

_MATCH_BACK = 32768
_PREFIX_MIN = 4  # bytes worth a match: of what two names begin with,
_ZEROS_MIN = 4  # and of the zeros that a figure begins with
_NV = struct.Struct("<d")


class NameBlock:
    """Most of what records of calls hold is names that were there before: it is known where."""

    def __init__(self) -> None:
        self._last: dict[int, int] = {}  # by name: where it stood last
        self._before = 0  # bytes in earlier blocks
        self._begin()

    def _begin(self) -> None:
        self.plain = bytearray()
        self._packed = bytearray()
        self._bits = _Bits()
        self._bits.put(2, 3)
        self._name = b""  # the last one, and where it stands
        self._name_at = 0

    def _literals(self, data: bytes) -> None:
        for byte in data:
            self._bits.symbol(byte)
        self.plain += data

    def _matches(self, data: bytes, back: int) -> None:
        self._bits.matches(len(data), back)
        self.plain += data

    def number(self, data: bytes) -> None:
        """Bytes that are not known to come again."""
        self._literals(data)

    def figures(self, *values: float) -> None:
        """Whole numbers begin with zeros; and often one is the same as that before it."""
        for value in values:
            data = _NV.pack(value)
            zeros = len(data) - len(data.lstrip(b"\0"))
            if self.plain[-8:] == data:
                self._matches(data, 8)
                continue
            if zeros >= _ZEROS_MIN:
                self._literals(data[:1])
                self._matches(data[1:zeros], 1)
                data = data[zeros:]
            self._literals(data)

    def name(self, key: int, text: bytes, head: int) -> None:
        """A string, whose first `head` bytes tell its length; `key` tells it from others."""
        at, start = len(self.plain), len(self.plain) + head
        whole = self._before + at
        last = self._last.get(key, -1)
        if last >= self._before and whole - last <= _MATCH_BACK and len(text) >= _MATCH_MIN:
            self._matches(text, whole - last)
        else:
            equal = 0
            for ours, theirs in zip(text[head:], self._name, strict=False):
                if ours != theirs:
                    break
                equal += 1
            self._literals(text[:head])
            if equal >= _PREFIX_MIN and start - self._name_at <= _MATCH_BACK:
                self._matches(text[head : head + equal], start - self._name_at)
                head += equal
            self._literals(text[head:])
        self._last[key] = whole
        self._name, self._name_at = bytes(self.plain[start:]), start

    def end_record(self) -> None:
        """What is whole of it leaves the bits, so that they stay few."""
        self._packed += self._bits.take()

    def end(self) -> tuple[bytes, bytes]:
        """The records and the block; the next record begins another one."""
        packed = bytes(self._packed) + self._bits.end()
        plain = bytes(self.plain)
        self._before += len(plain)
        self._begin()
        return plain, packed
