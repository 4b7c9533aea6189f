"""What it costs to read, convert and merge profiles: `nytprof` beside Perl's tools.

Profiles of 10 M statements in random order (plain and deflated), of 10^9 statements of one line
as our writer has them, and of 1 M returns on some thousand call paths are made in a folder. Each
round runs every command once, ours and Perl's in turn. The table has medians with the smallest
and largest: CPU seconds and elapsed seconds, peak memory, and how many times more Perl's tool
takes. What zlib alone takes to inflate the same bytes is told below, to show its share.

    python bench/bench_reader.py [--rounds N] [--records N] [--nytprof PROGRAM] [--folder KEEP]
                                 [--patient] [--only NAME...]

Needs cc and Devel::NYTProf. With --patient Perl's loader reads the 10^9 statements as well.
"""

from __future__ import annotations

import argparse
import random
import shutil
import statistics
import struct
import subprocess
import tempfile
import time
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
PERL_LOAD = "Devel::NYTProf::Data->new({filename => $ARGV[0], quiet => 1})"
TICKS = b"10000000"


# ---- The profiles ----


def u32(value: int) -> bytes:
    if value < 0x80:
        return bytes([value])
    if value < 0x4000:
        return (value | 0x8000).to_bytes(2, "big")
    return (value | 0xC00000).to_bytes(3, "big")


def header(*more: bytes) -> bytes:
    lines = [b"NYTProf 5 0", b":basetime=1", b":application=bench", b":ticks_per_sec=" + TICKS]
    return b"\n".join([*lines, *more, b""])


def start(files: int) -> bytes:
    names = (b"@" + u32(f) + b"\0\0\x32\0\0'\x08/src/%03d" % f for f in range(1, files + 1))
    return b"P\x01\0" + struct.pack("<d", 1.0) + b"".join(names)


def end(seconds: float) -> bytes:
    return b":cumulative_overhead_ticks=0\np\x01" + struct.pack("<d", 1.0 + seconds)


def statements(rnd: random.Random, n: int) -> bytes:
    """In three files of 300 lines."""
    kinds = [
        b"+" + u32(rnd.randrange(128)) + u32(fid) + u32(line)
        for fid in (1, 2, 3)
        for line in range(1, 301)
        for _ in range(20)
    ]
    return b"".join(rnd.choices(kinds, k=n))


def returns(rnd: random.Random, n: int) -> Iterable[bytes]:
    """Walks over a tree of 5000 paths that leave out some of it, each in post-order."""
    names = [b"package%d::module::function%d" % (i % 17, i) for i in range(300)]
    depths, below = [1], [[] for _ in range(5000)]  # type: ignore[var-annotated]
    for node in range(1, 5000):
        parent = rnd.randrange(max(0, node - 400), node)
        while depths[parent] >= 25:
            parent = rnd.randrange(node)
        depths.append(depths[parent] + 1)
        below[parent].append(node)
    name_of = [rnd.choice(names) for _ in depths]
    while n > 0:
        stack = [(0, 0)]
        while stack:
            node, seen = stack.pop()
            if seen < len(below[node]):
                stack.append((node, seen + 1))
                if rnd.random() < 0.9:
                    stack.append((below[node][seen], 0))
                continue
            ticks, name = float(rnd.randrange(1, 1000)), name_of[node]
            yield b"<" + u32(depths[node]) + struct.pack("<dd", 3 * ticks, ticks)
            yield b"'" + u32(len(name)) + name
            n -= 1


def one_line(path: Path, times: int) -> None:
    from pynytprof import _cwrite

    def string(data: bytes) -> bytes:
        return struct.pack("<I", len(data)) + data

    pairs = {b":basetime": b"1", b":application": b"bench", b":ticks_per_sec": TICKS}
    with path.open("wb") as out, _cwrite.Writer(out, 1) as writer:
        writer.write_chunk(
            b"P",
            struct.pack("<IId", 1, 0, 1.0)
            + b"".join(string(x) for kv in pairs.items() for x in kv),
        )
        file = struct.pack("<6I", 1, 0, 0, 0x32, 0, 0) + string(b"/src/001")
        writer.write_chunk(b"F", file + struct.pack("<I", 0))
        spent = 33 * times // 10
        writer.write_chunk(b"S", struct.pack("<IIIIQQQ", 1, 7, 0, 0, times, spent, spent))
        writer.write_chunk(b"E", struct.pack("<IdQ", 1, 1.0 + spent / 1e7 + 1, 0))


def make_profiles(folder: Path, records: int) -> None:
    rnd = random.Random(1)
    body = start(3) + statements(rnd, records) + end(records / 1e4)
    (folder / "plain.out").write_bytes(header() + body)
    packed = zlib.compressobj(6, zlib.DEFLATED, 15, 9)
    stream = packed.compress(body) + packed.flush()
    (folder / "deflated.out").write_bytes(header() + b"z" + stream)
    for part in range(4):
        body = start(3) + statements(rnd, records // 4) + end(records / 1e4)
        (folder / f"part{part}.out").write_bytes(header() + body)
    tree = b"".join(returns(rnd, records // 10))
    (folder / "calls.out").write_bytes(header(b"!calls=1") + start(1) + tree + end(1e6))
    one_line(folder / "line.out", records * 100)


# ---- Measuring ----


@dataclass
class Taken:
    cpu: list[float] = field(default_factory=list)
    elapsed: list[float] = field(default_factory=list)
    peak: int = 0

    def add(self, result: Path) -> None:
        cpu, elapsed, peak = result.read_text().split()
        self.cpu.append(float(cpu))
        self.elapsed.append(float(elapsed))
        self.peak = max(self.peak, int(peak))

    def __str__(self) -> str:
        cpu, elapsed = map(statistics.median, (self.cpu, self.elapsed))
        low, high = min(self.cpu), max(self.cpu)
        return f"{cpu:7.3f} ({low:.3f}-{high:.3f})  {elapsed:7.3f}  {self.peak / 1024:6.1f} MB"


@dataclass
class Case:
    name: str
    ours: list[str]
    perls: list[str] = field(default_factory=list)
    stdin: str = ""
    ours_taken: Taken = field(default_factory=Taken)
    perls_taken: Taken = field(default_factory=Taken)

    def row(self) -> str:
        row = f"{self.name:24} {self.ours_taken}"
        if self.perls_taken.cpu:
            cpu = statistics.median(self.perls_taken.cpu) / statistics.median(self.ours_taken.cpu)
            elapsed = min(self.perls_taken.elapsed) / min(self.ours_taken.elapsed)
            row += f"  {self.perls_taken}  {cpu:5.1f}  {elapsed:5.1f}"
        return row


HEAD = (
    f"{'':24} {'CPU s (from-to)':>21}  {'elapsed':>7}  {'peak':>9}"
    f"  {'Perl: CPU s (from-to)':>21}  {'elapsed':>7}  {'peak':>9}  CPU x  least elapsed x"
)


def cases(nytprof: str, patient: bool) -> list[Case]:
    load = ["perl", "-MDevel::NYTProf::Data", "-e", PERL_LOAD]
    parts = [f"part{i}.out" for i in range(4)]
    to = ["-o", "made"]
    return [
        Case("load, plain", [nytprof, "info", "plain.out"], [*load, "plain.out"]),
        Case("load, deflated", [nytprof, "info", "deflated.out"], [*load, "deflated.out"]),
        Case("load, deflated, pipe", [nytprof, "info", "-"], stdin="deflated.out"),
        Case(
            "load, 100 x of one line",
            [nytprof, "info", "line.out"],
            [*load, "line.out"] if patient else [],
        ),
        Case(
            "collapsed",
            [nytprof, "convert", "--to", "collapsed", *to, "calls.out"],
            ["nytprofcalls", "calls.out"],
        ),
        Case(
            "merge, one", [nytprof, "merge", *to, "plain.out"], ["nytprofmerge", *to, "plain.out"]
        ),
        Case("merge, four", [nytprof, "merge", *to, *parts], ["nytprofmerge", *to, *parts]),
        Case("verify, plain", [nytprof, "verify", "plain.out"]),
        Case("verify, deflated", [nytprof, "verify", "deflated.out"]),
        Case("dump --jsonl", [nytprof, "dump", "--jsonl", *to, "plain.out"]),
    ]


def run(measure: str, command: list[str], folder: Path, stdin: str, taken: Taken) -> None:
    result = folder / "taken"
    source = (folder / stdin).open("rb") if stdin else subprocess.DEVNULL
    done = subprocess.run(
        [measure, str(result), *command],
        cwd=folder,
        stdin=source,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: status {done.returncode}: {done.stderr.decode()}")
    taken.add(result)


def zlib_alone(profile: Path) -> float:
    """CPU seconds to inflate, a block at a time as a reader does."""
    data = profile.read_bytes()
    at = data.index(b"z\x78") + 1
    begun = time.process_time()
    stream = zlib.decompressobj()
    while not stream.eof:
        stream.decompress(stream.unconsumed_tail or data[at : at + (1 << 18)], 1 << 18)
        at += 0 if stream.unconsumed_tail else 1 << 18
    return time.process_time() - begun


def bench(args: argparse.Namespace, folder: Path) -> None:
    measure = str(folder / "measure")
    subprocess.run(["cc", "-O2", "-o", measure, str(HERE / "measure.c")], check=True)
    if not (folder / "line.out").exists():
        make_profiles(folder, args.records)
    chosen = [c for c in cases(args.nytprof, args.patient) if not args.only or c.name in args.only]
    inflating = []
    for _ in range(args.rounds):
        for case in chosen:
            run(measure, case.ours, folder, case.stdin, case.ours_taken)
            if case.perls and not (case.ours[-1] == "line.out" and case.perls_taken.cpu):
                run(measure, case.perls, folder, case.stdin, case.perls_taken)
        inflating.append(zlib_alone(folder / "deflated.out"))
    print(f"{args.records:,} statements, {args.rounds} rounds: medians\n\n{HEAD}")
    for case in chosen:
        print(case.row())
    alone = statistics.median(inflating)
    print(f"\nzlib alone inflates deflated.out in {alone:.3f} s of CPU time", end="")
    for case in chosen:
        if case.name == "load, deflated":
            share = alone / statistics.median(case.ours_taken.cpu)
            print(f": {share:.0%} of what it takes to load it", end="")
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--nytprof", default=shutil.which("nytprof") or "nytprof")
    parser.add_argument("--folder", type=Path, help="keep the profiles here, or take them from it")
    parser.add_argument("--patient", action="store_true")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME")
    args = parser.parse_args()
    args.nytprof = str(Path(args.nytprof).resolve())
    if args.folder:
        args.folder.mkdir(parents=True, exist_ok=True)
        bench(args, args.folder.resolve())
        return
    with tempfile.TemporaryDirectory() as folder:
        bench(args, Path(folder))


if __name__ == "__main__":
    main()
