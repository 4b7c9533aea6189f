"""Profiles as other things: text, JSON, HTML, and what other tools read.

All but HTML is done by libnytprof; HTML by Perl's ``nytprofhtml``. What takes a profile takes a
path or, if it has been read, a :class:`reader.Profile`.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

from . import _cread
from ._cread import Format, LeftOut, Note, ProfileError
from .reader import Profile, raw_profile

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
    "to_cpuprofile",
    "to_csv",
    "to_dot",
    "to_html",
    "to_json",
    "to_jsonl",
    "to_lcov",
    "to_model",
    "to_nytprofcsv",
    "to_pprof",
    "to_pstats",
    "to_speedscope",
]

StrPath = str | os.PathLike[str]
Source = StrPath | Profile
Write = Callable[[bytes], object]
Sort = Literal["time", "incl", "count", "place"]
SORTS: dict[Sort, int] = {"time": 0, "incl": 1, "count": 2, "place": 3}


def _path(profile: Source) -> str:
    return profile.path if isinstance(profile, Profile) else os.fspath(profile)


def _text(report: Callable[[Write], None]) -> str:
    out = io.BytesIO()
    report(out.write)
    return out.getvalue().decode("utf-8", "replace")


def summary(
    profile: Source,
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
    raw = raw_profile(profile)
    return _text(
        lambda write: raw.summary(
            write,
            top=top,
            sort=SORTS[sort],
            width=width,
            colour=colour,
            json=json,
            path=_path(profile),
        )
    )


def source(profile: Source, file: str | int, *, width: int = 100, colour: bool = False) -> str:
    """The source of one file with its figures.

    `file` is a fid, or the end of a name. Raises OSError, ProfileError, and LookupError if
    the profile has no such file.
    """
    profile = profile if isinstance(profile, Profile) else Profile(profile)
    raw, fid = raw_profile(profile), profile.find_file(file).fid
    return _text(lambda write: raw.summary(write, width=width, colour=colour, fid=fid))


def info(profile: Source, *, width: int = 100, colour: bool = False, json: bool = False) -> str:
    """What the file says of itself: version, processes, counts, attributes, options."""
    raw = raw_profile(profile)
    return _text(
        lambda write: raw.info(write, width=width, colour=colour, json=json, path=_path(profile))
    )


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


def _target(profile: Source, out: StrPath | None, suffix: str) -> Path:
    return Path(out) if out is not None else Path(f"{_path(profile)}{suffix}")


# ---- To profiles ----


class Merged(NamedTuple):
    """What became of some profiles."""

    path: Path
    complete: bool
    """All of them were whole, and their processes had ended."""
    notes: list[Note]


def _write_profile(out: StrPath, make: Callable[[Write], tuple[bool, list[Note]]]) -> Merged:
    target = Path(os.path.realpath(out))
    is_special = target.exists() and not target.is_file()
    with target.open("wb") if is_special else _new_file(target) as file:
        complete, notes = make(file.write)
    return Merged(Path(out), complete, notes)


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


FORMATS = {form.name: form for form in _cread.formats()}


_NOT_SHOWN = (
    "",
    "no call tree (calls=0): functions are shown without their callers",
    "no calls (subs=0): lines are shown without functions",
    "nothing of it can be shown in this format",
)


def _export(profile: Source, out: StrPath | None, name: str, top: int = 0) -> Path:
    """Warns of a profile that lacks what the format is about."""
    target = _target(profile, out, FORMATS[name].suffix)
    raw = raw_profile(profile)
    with _new_file(target) as file:
        done = raw.export(name, file.write, 0, top)
    if done.shown:
        warnings.warn(f"{_path(profile)}: {name}: {_NOT_SHOWN[done.shown]}", stacklevel=3)
    return target


def export(profile: Source, name: str, write: Write, max_bytes: int = 0, top: int = 0) -> LeftOut:
    """Passes the profile to ``write`` in the format ``name``.

    It gets at most ``max_bytes`` long (0: as long as it is); a picture has at most ``top``
    subs (0: 40). Raises ValueError for a format that does not exist or that has no such limit.
    """
    if name in FORMATS and max_bytes and not FORMATS[name].limited:
        raise ValueError(f"{name} cannot be limited")
    if name in FORMATS and top and not FORMATS[name].picture:
        raise ValueError(f"{name} is no picture")
    return raw_profile(profile).export(name, write, max_bytes, top)


def to_callgrind(profile: Source, out: StrPath | None = None) -> Path:
    """Writes subs, lines and calls for KCachegrind; returns where, by default NAME.callgrind.

    Raises OSError, ProfileError.
    """
    return _export(profile, out, "callgrind")


def to_collapsed(profile: Source, out: StrPath | None = None) -> Path:
    """Writes call paths as flamegraph.pl reads them, ``a;b;c TICKS``; returns where.

    `out` is by default the profile's name and ``.collapsed.txt``. Raises OSError, ProfileError.
    """
    return _export(profile, out, "collapsed")


def to_cpuprofile(profile: Source, out: StrPath | None = None) -> Path:
    """Writes the call tree and the lines as V8 does, for VS Code; returns where.

    `out` is by default the profile's name and ``.cpuprofile``. Raises OSError, ProfileError.
    """
    return _export(profile, out, "cpuprofile")


def to_csv(profile: Source, out: StrPath | None = None) -> Path:
    """Writes all lines with figures as one table; returns where, by default NAME.csv.

    Raises OSError, ProfileError.
    """
    return _export(profile, out, "csv")


def to_nytprofcsv(profile: Source, out_dir: StrPath | None = None) -> Path:
    """Writes a text for each file, ``seconds,count,seconds each,source`` a line, as Perl's tool.

    Returns the folder that has them, by default the profile's name and ``.nytprofcsv``; it is
    made if it is missing. Raises OSError, ProfileError.
    """
    folder = _target(profile, out_dir, FORMATS["nytprofcsv"].suffix)
    raw = raw_profile(profile)
    folder.mkdir(exist_ok=True)
    with contextlib.ExitStack() as current:
        write: Write

        def begin(name: str) -> None:
            nonlocal write
            current.close()
            write = current.enter_context((folder / name).open("wb")).write

        raw.csv(begin, lambda data: write(data))
    return folder


def to_dot(profile: Source, out: StrPath | None = None, *, top: int = 40) -> Path:
    """Draws the call graph of the ``top`` subs for Graphviz; returns where, by default NAME.dot.

    Raises OSError, ProfileError.
    """
    return _export(profile, out, "dot", top)


def to_json(profile: Source, out: StrPath | None = None) -> Path:
    """Writes the whole profile as one JSON object; returns where, by default NAME.profile.json.

    ``docs/tools.md`` has its members. Raises OSError, ProfileError.
    """
    return _export(profile, out, "json")


def to_lcov(profile: Source, out: StrPath | None = None) -> Path:
    """Writes how often lines and subs ran for genhtml; returns where, by default NAME.lcov.

    Files that do not exist are left out: genhtml would stop there. Raises OSError, ProfileError.
    """
    return _export(profile, out, "lcov")


def to_pprof(profile: Source, out: StrPath | None = None) -> Path:
    """Writes the call tree and the lines for pprof; returns where, by default NAME.pb.gz.

    Raises OSError, ProfileError.
    """
    return _export(profile, out, "pprof")


def to_pstats(profile: Source, out: StrPath | None = None) -> Path:
    """Writes what ``pstats.Stats(file)`` loads; returns where, by default NAME.pstats.

    Times are seconds. Raises OSError, ProfileError.
    """
    return _export(profile, out, "pstats")


def to_speedscope(profile: Source, out: StrPath | None = None) -> Path:
    """Writes the call tree for https://www.speedscope.app; returns where.

    `out` is by default the profile's name and
    ``.speedscope.json``. Raises OSError, ProfileError.
    """
    return _export(profile, out, "speedscope")


def to_model(profile: Source, out: StrPath | None = None) -> Path:
    """Writes all but the call tree as one JSON object; by default to NAME.json."""
    target = _target(profile, out, ".json")
    raw = raw_profile(profile)
    with _new_file(target) as file:
        raw.model(file.write)
    return target


def to_jsonl(path: StrPath, out: StrPath | None = None) -> Path:
    """Writes every record as a JSON array on a line of its own; by default to NAME.jsonl."""
    target = _target(path, out, ".jsonl")
    with _new_file(target) as file:
        _cread.dump(path, file.write, True)
    return target


def to_html(profile: Source, out_dir: StrPath | None = None) -> Path:
    """Has Perl's ``nytprofhtml`` make its report; returns the page to begin with.

    `out_dir` is by default ``nytprof`` beside the profile. Raises FileNotFoundError if
    the profile or the program is missing, RuntimeError with its words if that failed.
    """
    path = Path(_path(profile))
    if not path.is_file():
        raise FileNotFoundError(2, "No such profile", os.fspath(path))
    program = shutil.which("nytprofhtml")
    if program is None:
        raise FileNotFoundError(
            "nytprofhtml is not installed; on Debian it is in the package libdevel-nytprof-perl"
        )
    folder = Path(out_dir) if out_dir is not None else path.parent / "nytprof"
    done = subprocess.run(
        [program, "--file", os.fspath(path), "--out", os.fspath(folder)],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    index = folder / "index.html"
    if done.returncode or not index.is_file():
        raise RuntimeError(f"nytprofhtml failed: {done.stderr.strip() or done.returncode}")
    return index
