"""Profiles as other things: text, JSON, HTML, and what other tools read.

All but HTML is done by libnytprof; HTML by Perl's ``nytprofhtml``.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from . import _cread
from ._cread import ProfileError

__all__ = [
    "FORMATS",
    "Format",
    "LeftOut",
    "Merged",
    "Note",
    "ProfileError",
    "dump",
    "info",
    "merge",
    "recover",
    "source",
    "summary",
    "to_callgrind",
    "to_collapsed",
    "to_csv",
    "to_dot",
    "to_html",
    "to_json",
    "to_jsonl",
    "to_lcov",
    "to_model",
    "to_pprof",
    "to_pstats",
    "to_speedscope",
]

StrPath = str | os.PathLike[str]
Write = Callable[[bytes], object]
Sort = Literal["time", "incl", "count", "place"]
SORTS: dict[Sort, int] = {"time": 0, "incl": 1, "count": 2, "place": 3}


def _text(report: Callable[[Write], None]) -> str:
    out = io.BytesIO()
    report(out.write)
    return out.getvalue().decode("utf-8", "replace")


def summary(
    path: StrPath,
    *,
    top: int = 15,
    sort: Sort = "time",
    width: int = 100,
    colour: bool = False,
    json: bool = False,
) -> str:
    """The lines, subs, files and calls that took most, for terminals of `width` columns.

    What comes from the profile is made harmless for terminals. Raises OSError, ProfileError.
    """
    profile = _cread.Profile(path)
    return _text(
        lambda write: profile.summary(
            write,
            top=top,
            sort=SORTS[sort],
            width=width,
            colour=colour,
            json=json,
            path=os.fspath(path),
        )
    )


def source(path: StrPath, file: str | int, *, width: int = 100, colour: bool = False) -> str:
    """The source of one file with its figures.

    `file` is a fid, or the end of a name. Raises OSError, ProfileError, and LookupError if
    the profile has no such file.
    """
    profile = _cread.Profile(path)
    fid = _fid_of(profile, file)
    return _text(lambda write: profile.summary(write, width=width, colour=colour, fid=fid))


def _fid_of(profile: _cread.Profile, file: str | int) -> int:
    """By fid, or by the end of a name: the whole name wins, and the first otherwise."""
    names = {fid: name for fid, name, *_, merged_into in profile.files() if not merged_into}
    if isinstance(file, int):
        found = [file] if file in names else []
    else:
        found = [fid for fid, name in names.items() if name == file]
        found += [fid for fid, name in names.items() if name.endswith(file)]
    if not found:
        raise LookupError(f"there is no file {file!r} in the profile")
    return found[0]


def info(path: StrPath, *, json: bool = False) -> str:
    """What the file says of itself: version, processes, counts, attributes, options."""
    profile = _cread.Profile(path)
    return _text(lambda write: profile.info(write, json=json, path=os.fspath(path)))


def dump(path: StrPath) -> str:
    """Every record of the file, one a line, with its offset."""
    return _text(lambda write: _cread.dump(path, write))


# ---- To files ----


@contextlib.contextmanager
def _new_file(out: Path) -> Iterator[BinaryIO]:
    """A file that appears under its name when it is whole."""
    part = out.with_name(f"{out.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            yield file
        part.replace(out)
    finally:
        part.unlink(missing_ok=True)


def _target(path: StrPath, out: StrPath | None, suffix: str) -> Path:
    return Path(out) if out is not None else Path(f"{os.fspath(path)}{suffix}")


# ---- To profiles ----


class Note(NamedTuple):
    """Something that was found on the way."""

    lossy: bool
    """Something is missing in the result, or had to be made up."""
    path: str | None
    """The profile that it is about; None: the result."""
    text: str


class Merged(NamedTuple):
    """What became of some profiles."""

    path: Path
    complete: bool
    """All of them were whole, and their processes had ended."""
    notes: list[Note]


def _write_profile(
    out: StrPath, make: Callable[[Write], tuple[bool, list[tuple[bool, str | None, str]]]]
) -> Merged:
    target = Path(os.path.realpath(out))
    is_special = target.exists() and not target.is_file()
    with target.open("wb") if is_special else _new_file(target) as file:
        complete, notes = make(file.write)
    return Merged(Path(out), complete, [Note(*note) for note in notes])


def merge(paths: Iterable[StrPath], out: StrPath, *, compress: int = 1) -> Merged:
    """Adds profiles up and writes them as one; ``out`` may be one of ``paths``.

    Their order makes no difference. ``compress`` is zlib's level, 0 to 9. A profile that
    breaks off is taken as far as it goes. Raises OSError, ProfileError; then nothing is written.
    """
    names = [os.fsencode(path) for path in paths]
    return _write_profile(out, lambda write: _cread.merge(names, write, compress))


def recover(path: StrPath, out: StrPath, *, compress: int = 1) -> Merged:
    """Writes a sound profile with all that a broken one still holds.

    Raises OSError, and ProfileError if that is nothing; then nothing is written.
    """
    return _write_profile(out, lambda write: _cread.recover(path, write, compress))


class LeftOut(NamedTuple):
    """What an export that may not get longer did not take, smallest first."""

    paths: int
    seconds: float
    lines: int


class Format(NamedTuple):
    """A format that profiles can be exported to."""

    name: str
    suffix: str
    """What files of this format end with."""
    binary: bool
    """Nothing for terminals."""
    limited: bool
    """It can be kept below a number of bytes."""
    picture: bool
    """It can be kept below a number of subs."""
    folder: bool
    """It is several files."""
    text: str
    """What it is, in a few words."""


FORMATS = {row[0]: Format(*row) for row in _cread.formats()}


def _export(path: StrPath, out: StrPath | None, name: str, top: int = 0) -> Path:
    target = _target(path, out, FORMATS[name].suffix)
    profile = _cread.Profile(path)
    with _new_file(target) as file:
        profile.export(name, file.write, 0, top)
    return target


def export(
    profile: _cread.Profile, name: str, write: Write, max_bytes: int = 0, top: int = 0
) -> LeftOut:
    """Passes the profile to ``write`` in the format ``name``.

    It gets at most ``max_bytes`` long (0: as long as it is); a picture has at most ``top``
    subs (0: 40). Raises ValueError for a format that does not exist or that has no such limit.
    """
    if name in FORMATS and max_bytes and not FORMATS[name].limited:
        raise ValueError(f"{name} cannot be limited")
    if name in FORMATS and top and not FORMATS[name].picture:
        raise ValueError(f"{name} is no picture")
    return LeftOut(*profile.export(name, write, max_bytes, top))


def to_callgrind(path: StrPath, out: StrPath | None = None) -> Path:
    """Writes subs, lines and calls for KCachegrind; returns where, by default NAME.callgrind.

    Raises OSError, ProfileError.
    """
    return _export(path, out, "callgrind")


def to_collapsed(path: StrPath, out: StrPath | None = None) -> Path:
    """Writes call paths as flamegraph.pl reads them, ``a;b;c TICKS``; returns where.

    `out` is by default the profile's name and ``.collapsed.txt``. Raises OSError, ProfileError.
    """
    return _export(path, out, "collapsed")


def to_csv(path: StrPath, out_dir: StrPath | None = None) -> Path:
    """Writes a text for each file, ``seconds,count,seconds each,source`` a line.

    Returns the folder that has them, by default the profile's name and ``.csv``; it is
    made if it is missing. Raises OSError, ProfileError.
    """
    folder = _target(path, out_dir, FORMATS["csv"].suffix)
    profile = _cread.Profile(path)
    folder.mkdir(exist_ok=True)
    with contextlib.ExitStack() as current:
        write: Write

        def begin(name: str) -> None:
            nonlocal write
            current.close()
            write = current.enter_context((folder / name).open("wb")).write

        profile.csv(begin, lambda data: write(data))
    return folder


def to_dot(path: StrPath, out: StrPath | None = None, *, top: int = 40) -> Path:
    """Draws the call graph of the ``top`` subs for Graphviz; returns where, by default NAME.dot.

    Raises OSError, ProfileError.
    """
    return _export(path, out, "dot", top)


def to_json(path: StrPath, out: StrPath | None = None) -> Path:
    """Writes the whole profile as one JSON object; returns where, by default NAME.profile.json.

    ``docs/tools.md`` has its members. Raises OSError, ProfileError.
    """
    return _export(path, out, "json")


def to_lcov(path: StrPath, out: StrPath | None = None) -> Path:
    """Writes how often lines and subs ran for genhtml; returns where, by default NAME.lcov.

    Raises OSError, ProfileError.
    """
    return _export(path, out, "lcov")


def to_pprof(path: StrPath, out: StrPath | None = None) -> Path:
    """Writes the call tree and the lines for pprof; returns where, by default NAME.pb.gz.

    Raises OSError, ProfileError.
    """
    return _export(path, out, "pprof")


def to_pstats(path: StrPath, out: StrPath | None = None) -> Path:
    """Writes what ``pstats.Stats(file)`` loads; returns where, by default NAME.pstats.

    Times are seconds. Raises OSError, ProfileError.
    """
    return _export(path, out, "pstats")


def to_speedscope(path: StrPath, out: StrPath | None = None) -> Path:
    """Writes the call tree for https://www.speedscope.app; returns where.

    Without a call tree it is the subs, flat. `out` is by default the profile's name and
    ``.speedscope.json``. Raises OSError, ProfileError.
    """
    return _export(path, out, "speedscope")


def to_model(path: StrPath, out: StrPath | None = None) -> Path:
    """Writes all but the call tree as one JSON object; by default to NAME.json."""
    target = _target(path, out, ".json")
    profile = _cread.Profile(path)
    with _new_file(target) as file:
        profile.model(file.write)
    return target


def to_jsonl(path: StrPath, out: StrPath | None = None) -> Path:
    """Writes every record as a JSON array on a line of its own; by default to NAME.jsonl."""
    target = _target(path, out, ".jsonl")
    with _new_file(target) as file:
        _cread.dump(path, file.write, True)
    return target


def to_html(path: StrPath, out_dir: StrPath | None = None) -> Path:
    """Has Perl's ``nytprofhtml`` make its report; returns the page to begin with.

    `out_dir` is by default ``nytprof`` beside the profile. Raises FileNotFoundError if
    the profile or the program is missing, RuntimeError with its words if that failed.
    """
    profile = Path(path)
    if not profile.is_file():
        raise FileNotFoundError(2, "No such profile", os.fspath(path))
    program = shutil.which("nytprofhtml")
    if program is None:
        raise FileNotFoundError(
            "nytprofhtml is not installed; on Debian it is in the package libdevel-nytprof-perl"
        )
    folder = Path(out_dir) if out_dir is not None else profile.parent / "nytprof"
    done = subprocess.run(
        [program, "--file", os.fspath(profile), "--out", os.fspath(folder)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    index = folder / "index.html"
    if done.returncode or not index.is_file():
        raise RuntimeError(f"nytprofhtml failed: {done.stderr.strip() or done.returncode}")
    return index
