"""Programs of known shape under one of the tracers, in this process; and what it handed over."""

from __future__ import annotations

import importlib
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from payloads import Edge
from support import TRACERS

import pynytprof
from pynytprof._pure.tracer import PyTracer
from pynytprof.tracer import finish_profile

TICKS_PER_S = 10_000_000

# A sleep takes at least as long as it says, however busy the machine is; a clock that is set by
# another one over some hundredths of a second is right to some hundredths.
NEARLY = 0.9

SLEEPS = """\
from time import sleep
def f():
    sleep(0.02)
def g():
    x = 1
    f()
    sleep(0.03)
g()
"""


def tracer_class(name: str) -> Any:
    return PyTracer if name == "py" else importlib.import_module("pynytprof._ctrace").Tracer


@dataclass
class File:
    name: str
    parent: int
    parent_line: int
    flags: int
    lines: list[str]


@dataclass
class Profile:
    """Chunks, decoded."""

    header: list[tuple[str, str]] = field(default_factory=list)
    lanes: list[tuple[int, int]] = field(default_factory=list)  # id, parent
    files: dict[int, File] = field(default_factory=dict)
    subs: dict[int, tuple[int, int, int, str]] = field(default_factory=dict)
    lines: list[dict[tuple[int, int], tuple[int, int, int]]] = field(default_factory=list)
    edges: list[Edge[int]] = field(default_factory=list)
    tree: list[tuple[int, int, float, float]] = field(default_factory=list)
    durations: list[float] = field(default_factory=list)
    overheads: list[int] = field(default_factory=list)  # ticks
    closed: int = 0

    def write_chunk(self, token: bytes, payload: bytes) -> None:
        getattr(self, "_take_" + token.decode())(bytes(payload))

    def close(self) -> None:
        self.closed += 1

    @staticmethod
    def _strings(payload: bytes, at: int) -> Iterator[str]:
        while at < len(payload):
            (size,) = struct.unpack_from("<I", payload, at)
            yield payload[at + 4 : at + 4 + size].decode("utf-8")
            at += 4 + size

    def _take_P(self, payload: bytes) -> None:
        ident, parent, self._start = struct.unpack_from("<IId", payload)
        self.lanes.append((ident, parent))
        self.lines.append({})
        words = list(self._strings(payload, 16))
        self.header += zip(words[::2], words[1::2], strict=True)

    def _take_F(self, payload: bytes) -> None:
        fid, parent, parent_line, flags, _, _, size = struct.unpack_from("<7I", payload)
        name = payload[28 : 28 + size].decode("utf-8")
        lines = list(self._strings(payload, 32 + size))
        self.files[fid] = File(name, parent, parent_line, flags, lines)

    def _take_D(self, payload: bytes) -> None:
        at = 0
        while at < len(payload):
            sub, fid, first, last, size = struct.unpack_from("<5I", payload, at)
            name = payload[at + 20 : at + 20 + size].decode("utf-8")
            self.subs[sub] = fid, first, last, name
            at += 20 + size

    def _take_S(self, payload: bytes) -> None:
        for fid, line, _, _, count, excl, incl in struct.iter_unpack("<4I3Q", payload):
            self.lines[-1][fid, line] = count, excl, incl

    def _take_C(self, payload: bytes) -> None:
        self.edges += [Edge(*e) for e in struct.iter_unpack("<4IQ3dI", payload)]

    def _take_T(self, payload: bytes) -> None:
        self.tree += struct.iter_unpack("<IIdd", payload)

    def _take_E(self, payload: bytes) -> None:
        _, end, overhead = struct.unpack("<IdQ", payload)
        self.durations.append(end - self._start)
        self.overheads.append(overhead)

    # ---- Questions ----

    def name(self, sub: int) -> str:
        return self.subs[sub][3] if sub else "-"

    def names(self) -> set[str]:
        return {name for _, _, _, name in self.subs.values()}

    def counts(self, fid: int = 1) -> dict[int, int]:
        return {
            line: figures[0]
            for table in self.lines
            for (f, line), figures in table.items()
            if f == fid
        }

    def calls(self) -> dict[tuple[str, int, str], int]:
        """(caller, line, callee) -> count."""
        found: dict[tuple[str, int, str], int] = {}
        for e in self.edges:
            key = self.name(e.caller), e.line, self.name(e.callee)
            found[key] = found.get(key, 0) + e.count
        return found

    def total(self, callee: str) -> Edge[int]:
        """All edges to one sub, summed."""
        found = [e for e in self.edges if self.name(e.callee) == callee]
        assert found, f"no call of {callee}: {sorted(self.names())}"
        return Edge(
            0, 0, 0, 0,
            sum(e.count for e in found),
            sum(e.incl for e in found),
            sum(e.excl for e in found),
            sum(e.reci for e in found),
            max(e.depth for e in found),
        )  # fmt: skip

    def paths(self) -> dict[tuple[str, ...], float]:
        """Path of names from the root -> exclusive ticks."""
        found: dict[tuple[str, ...], float] = {}
        path: list[str] = []
        for depth, sub, _, excl in reversed(self.tree):
            del path[depth - 1 :]
            path.append(self.name(sub))
            found[tuple(path)] = found.get(tuple(path), 0) + excl
        return found


def seconds(profile: Profile, line: int, which: int) -> float:
    return profile.lines[0][1, line][which] / TICKS_PER_S


@dataclass
class Bench:
    """Runs programs under one of the tracers."""

    kind: str
    folder: Path

    def run(self, text: str, *, name: str = "prog.py", **options: Any) -> Profile:
        profile = Profile()
        tracer, code, module = self.make(text, name=name, **options)
        tracer.start()
        try:
            exec(code, module)
        finally:
            tracer.stop()
        tracer.emit(profile.write_chunk, b"")
        return profile

    def make(self, text: str, *, name: str = "prog.py", **options: Any) -> tuple[Any, Any, Any]:
        """A tracer that sees only the program (and C functions), the program, its globals."""
        path = self.folder / name
        if not path.exists():
            path.write_text(text, encoding="utf-8", newline="")
        options.setdefault("include", (str(self.folder / "*"), "<*"))
        options.setdefault("exclude", ("<frozen *",))
        options.setdefault("hide_prefix", os.path.dirname(pynytprof.__file__) + os.sep)
        tracer = tracer_class(self.kind)(**options)
        return tracer, compile(text, str(path), "exec"), {"__name__": "m", "__file__": str(path)}


@pytest.fixture(params=TRACERS)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    if "PYTEST_XDIST_WORKER" in os.environ:
        pytest.fail("pytest-xdist's own frames would be in the profiles: mark the file `alone`")
    return Bench(request.param, tmp_path)


# ---- Sessions, as users have them ----


@pytest.fixture
def session(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: Any) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    for variable in [v for v in os.environ if "NYTPROF" in v]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("PYNYTPROF_TRACER", request.param)
    monkeypatch.setenv("PYNYTPROF_WRITER", request.param)
    yield tmp_path
    finish_profile()


both_tracers = pytest.mark.parametrize("session", TRACERS, indirect=True)
