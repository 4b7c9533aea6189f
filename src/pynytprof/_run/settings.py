"""Settings: what they are called, where they come from, and how they are checked.

The command line wins over the environment, that over ``[tool.pynytprof]`` in
``pyproject.toml``, that over the defaults. Every source gives a mapping from key to value;
:func:`settle` makes one :class:`Settings` of them.
"""

from __future__ import annotations

import os
import sys

from .._pure.paths import working_folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

# The profiled program waits while these are imported: what only few settings need is imported
# where it is needed, and nothing is that is written in Python and not loaded anyway.


class SettingsError(ValueError):
    """A setting that does not exist, or a value that it can't have; says which and why."""


DEFAULT_SIGNALS = "int,hup,term"


class Settings:
    """All settings of a profile run. Not to be changed; :meth:`replace` makes another one."""

    file: str = "nytprof.out"
    addpid: bool = False
    addtimestamp: bool = False
    mode: str = "600"
    snapshot: float = 3.0
    compress: int = 1
    stmts: bool = True
    blocks: bool = False
    subs: bool = True
    slowops: int = 1
    exactlines: bool = False
    gc: bool = False
    calls: int = 1
    start: str = "begin"
    clock: str = "wall"
    savesrc: bool = True
    sourcecache: bool = True
    scope: str = "all"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    raw: bool = False
    use_db_sub: bool = False
    trace: int = 0
    log: str = ""
    forkdepth: int = -1
    sigexit: str = DEFAULT_SIGNALS
    sigflush: str = ""
    sigswitch: str = ""
    posix_exit: bool = True
    libcexit: bool = True
    children: bool = False
    merge: str = "0"

    def __init__(self, **values: Any) -> None:
        unknown = values.keys() - Settings.__annotations__.keys()
        if unknown:
            raise TypeError(f"no settings: {', '.join(sorted(unknown))}")
        self.__dict__.update(values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Settings) and self.items() == other.items()

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{k}={v!r}' for k, v in self.__dict__.items())})"

    def __hash__(self) -> int:
        return hash(tuple(self.items().values()))

    def items(self) -> dict[str, Any]:
        """All by name."""
        return {key: getattr(self, key) for key in Settings.__annotations__}

    def replace(self, **changes: Any) -> Settings:
        """The same with these changes."""
        return Settings(**{**self.__dict__, **changes})


WORDS: dict[str, tuple[str, ...]] = {
    "start": ("begin", "init", "end", "no"),
    "clock": ("wall", "cpu"),
    "scope": ("project", "site", "all"),
    "compress": tuple("0123456789"),
}
"""What settings may be that are one of a few words."""


def _boolean(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {"1": True, "yes": True, "true": True, "on": True,
             "0": False, "no": False, "false": False, "off": False}  # fmt: skip
    try:
        return words[str(value).lower()]
    except KeyError:
        raise ValueError("it must be 0 or 1") from None


def _number(least: int, most: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        try:
            number = int(value)
        except (TypeError, ValueError):
            number = least - 1
        if not least <= number <= most:
            raise ValueError(f"it must be a number from {least} to {most}")
        return number

    return check


def _slowops(value: Any) -> int:
    """2 (Perl's default: a name of its own for each calling package) means 1 here."""
    if str(value) == "2":
        return 1
    return int(_boolean(value))


def _calls(value: Any) -> int:
    if str(value) == "2":
        raise ValueError(
            "a stream of single calls can't be written, because the profile is kept as sums; "
            "1 gives the sum for each call path"
        )
    return int(_boolean(value))


def _one_of(*words: str) -> Callable[[Any], str]:
    def check(value: Any) -> str:
        if value not in words:
            raise ValueError(f"it must be one of {', '.join(words)}")
        return str(value)

    return check


def _clock(value: Any) -> str:
    """By name, or by the number that Perl's profiler and the system have for it."""
    known = {"wall": "wall", "1": "wall", "-1": "wall", "cpu": "cpu", "3": "cpu"}
    try:
        return known[str(value)]
    except KeyError:
        raise ValueError(
            "it must be wall (or 1, the system's monotonic clock) or cpu (or 3, the thread's "
            "processor time)"
        ) from None


def _any_boolean(value: Any) -> None:
    _boolean(value)


def _only(fixed: bool, reason: str) -> Callable[[Any], None]:
    """Of an option of Perl's profiler that has one value here; ``reason`` why."""

    def check(value: Any) -> None:
        if _boolean(value) != fixed:
            raise ValueError(f"it can only be {int(fixed)}: {reason}")

    return check


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("it must be a text that is not empty")
    return value


def _forkdepth(value: Any) -> int:
    try:
        depth = int(value)
    except (TypeError, ValueError):
        depth = -2
    if depth < -1:
        raise ValueError("it must be a number from 0, or -1 for no limit")
    return depth


# What the others stand for, or that they can't be caught, forbids to go on running.
_NO_EXIT_SIGNALS = ("kill", "stop", "segv", "bus", "fpe", "ill", "trap", "abrt", "chld", "cont")


def _sigexit(value: Any) -> str:
    """0, 1 or names of signals with commas between; without ``SIG``, small letters."""
    try:
        return DEFAULT_SIGNALS if _boolean(value) else ""
    except ValueError:
        pass
    names = [word.strip().lower().removeprefix("sig") for word in str(value).split(",")]
    for name in names:
        if signal_number(name) is None:
            raise ValueError(f"there is no signal {name!r}")
        if name in _NO_EXIT_SIGNALS:
            raise ValueError(f"a profile can't be finished at the signal {name!r}")
    return ",".join(names)


def _signal_name(value: Any) -> str:
    """The name of one signal, without ``SIG``, small letters; 0 or nothing: none."""
    name = str(value).strip().lower().removeprefix("sig")
    if name in ("", "0"):
        return ""
    if signal_number(name) is None:
        raise ValueError(f"there is no signal {name!r}")
    if name in _NO_EXIT_SIGNALS or name == "int":
        raise ValueError(f"the signal {name!r} means something else")
    return name


def signal_number(name: str) -> int | None:
    """The number of a signal, named in small letters without SIG."""
    import _signal  # type: ignore[import-not-found]  # not `signal`, which is in Python

    number = getattr(_signal, f"SIG{name.upper()}", None)
    return number if isinstance(number, int) else None


def _seconds(value: Any) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = 0
    if not 0.01 <= seconds <= 1e6:
        raise ValueError("it must be seconds, at least 0.01")
    return seconds


def _mode(value: Any) -> str:
    """Permissions of a new profile, in octal."""
    text = str(value).lower().removeprefix("0o")
    if not text or set(text) - set("01234567") or int(text, 8) > 0o777:
        raise ValueError("it must be permissions in octal, such as 600 or 644")
    return f"{int(text, 8):o}"


def _merge(value: Any) -> str:
    if str(value).lower() == "keep":
        return "keep"
    try:
        return str(int(_boolean(value)))
    except ValueError:
        raise ValueError("it must be 0, 1 or keep") from None


def _globs(value: Any) -> tuple[str, ...]:
    """Comma-separated patterns, or a list of them; relative ones are made absolute."""
    items = value.split(",") if isinstance(value, str) else value
    if not isinstance(items, (list, tuple)) or not all(isinstance(i, str) for i in items):
        raise ValueError("it must be a list of patterns")
    return tuple(_absolute(item.strip()) for item in items if item.strip())


def _absolute(glob: str) -> str:
    return glob if glob.startswith(("/", "*", "<")) else os.path.join(working_folder(), glob)


_CHECKS: dict[str, Callable[[Any], Any]] = {
    "file": _text,
    "addpid": _boolean,
    "addtimestamp": _boolean,
    "mode": _mode,
    "snapshot": _seconds,
    "compress": _number(0, 9),
    "stmts": _boolean,
    "blocks": _boolean,
    "subs": _boolean,
    "slowops": _slowops,
    "exactlines": _boolean,
    "gc": _boolean,
    "calls": _calls,
    "start": _one_of(*WORDS["start"]),
    "clock": _clock,
    "savesrc": _boolean,
    "sourcecache": _boolean,
    "scope": _one_of(*WORDS["scope"]),
    "include": _globs,
    "exclude": _globs,
    "raw": _boolean,
    "use_db_sub": _boolean,
    "trace": _number(0, 9),
    "log": _text,
    "forkdepth": _forkdepth,
    "sigexit": _sigexit,
    "sigflush": _signal_name,
    "sigswitch": _signal_name,
    "posix_exit": _boolean,
    "libcexit": _boolean,
    "children": _boolean,
    "merge": _merge,
}

KEYS = tuple(_CHECKS)

_WITHOUT_EFFECT: dict[str, Callable[[Any], None]] = {
    "findcaller": _any_boolean,
    "optimize": _any_boolean,
    "endatexit": _any_boolean,
    "leave": _only(True, "after a call the time is the calling line's"),
    "nameevals": _only(True, "evals are told apart by where they were made"),
    "nameanonsubs": _only(True, "lambdas are told apart by their lines"),
    "usecputime": _only(False, "it is gone from Perl's profiler too; use clock=cpu"),
    "expand": _only(False, "there is nothing to expand in Python"),
    "evals": _only(False, "the text of evals is always kept; there is nothing to choose"),
    "perldb": _only(False, "the flags of Perl's debugger mean nothing to Python"),
}
"""Options of Perl's profiler that are taken but change nothing, so that a variable NYTPROF made
for it serves here too; those that would have to change something are refused."""

PERL_ONLY_KEYS = tuple(_WITHOUT_EFFECT)

_PROGRAM_VARIABLES = frozenset(
    {
        "PYNYTPROF_TRACER",
        "PYNYTPROF_WRITER",
        "PYNYTPROF_DEBUG",
        "PYNYTPROF_INHERIT",
        "PYNYTPROF_RUN",
        "PYNYTPROF_CALIBRATION",
        "PYNYTPROF_HOT",
        "PYNYTPROF_SCHEDSTAT",
        "PYNYTPROF_SPEED",
        "PYNYTPROF_STEPS",
    }
)


def check(values: Mapping[str, Any], origin: str) -> dict[str, Any]:
    """``values`` with their proper types. Raises SettingsError naming ``origin``."""
    checked = {}
    for key, value in values.items():
        checker = _CHECKS.get(key) or _WITHOUT_EFFECT.get(key)
        if checker is None:
            raise SettingsError(f"{origin}: unknown setting {key!r}{_suggestion(key)}")
        try:
            proper = checker(value)
        except ValueError as error:
            raise SettingsError(f"{origin}: {key}={value}: {error}") from None
        if key in _CHECKS:
            checked[key] = proper
    return checked


def _suggestion(key: str) -> str:
    import difflib

    close = difflib.get_close_matches(key, (*KEYS, *PERL_ONLY_KEYS), n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there are {', '.join(KEYS)}"


def parse_assignment(text: str, origin: str) -> tuple[str, str]:
    """``key=value`` -> (key, value)."""
    key, equals, value = text.partition("=")
    if not equals:
        raise SettingsError(f"{origin}: {text!r} is not of the form key=value")
    return key.strip(), value


def parse_nytprof(text: str) -> dict[str, str]:
    """The variable NYTPROF: ``key=value`` pairs between colons; ``\\`` before ``:``, ``=``
    or ``\\`` makes these part of the value."""
    found = {}
    for item in _items(text):
        key, value = parse_assignment(item, "NYTPROF")
        found[key] = _unescaped(value)
    return found


def _unescaped(text: str) -> str:
    out, escaped = "", False
    for char in text:
        if escaped:
            out += char if char in ":=\\" else "\\" + char
        elif char != "\\":
            out += char
        escaped = char == "\\" and not escaped
    return out + "\\" * escaped


def _items(text: str) -> Iterable[str]:
    """What stands between colons that have no backslash before them."""
    item, escaped = "", False
    for char in text:
        if char == ":" and not escaped:
            if item:
                yield item
            item = ""
        else:
            item += char
        escaped = char == "\\" and not escaped
    if item:
        yield item


def from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """Settings in ``PYNYTPROF_*``, ``NYTPROF_FILTER`` and ``NYTPROF``; the first win."""
    found = check(parse_nytprof(environ.get("NYTPROF", "")), "NYTPROF")
    if environ.get("NYTPROF_FILTER"):
        found.update(check({"include": environ["NYTPROF_FILTER"]}, "NYTPROF_FILTER"))
    for variable, value in sorted(environ.items()):
        if variable.startswith("PYNYTPROF_") and variable not in _PROGRAM_VARIABLES:
            key = variable.removeprefix("PYNYTPROF_").lower()
            found.update(check({key: value}, variable))
    return found


def from_pyproject(directory: str | os.PathLike[str]) -> dict[str, Any]:
    """``[tool.pynytprof]`` of the nearest ``pyproject.toml`` upwards from ``directory``.

    Python 3.10 has no TOML reader; there the file is not looked at.
    """
    if sys.version_info < (3, 11):
        return {}
    path = _nearest_pyproject(os.fspath(directory))
    if path is None:
        return {}
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except OSError as error:
        raise SettingsError(f"{path}: {error}") from None
    return check(_table(raw, path), path) if _may_have_table(raw) else {}


def _may_have_table(raw: bytes) -> bool:
    """Whether TOML may have a ``tool.pynytprof``: False where it only names us, as a dependency
    perhaps. It takes 10 ms to load what reads it."""
    if b"pynytprof" not in raw:
        return False
    if b"\\u" in raw.lower():  # a key may be spelt with it
        return True
    for line in raw.splitlines():
        words = line.translate(None, b" \t\"'").lstrip(b"[")
        if words.startswith((b"tool]", b"tool.pynytprof", b"tool={")):
            return True
    return False


def _nearest_pyproject(folder: str) -> str | None:
    while True:
        path = os.path.join(folder, "pyproject.toml")
        if os.path.isfile(path):
            return path
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def _table(raw: bytes, path: str) -> dict[str, Any]:
    import tomllib  # type: ignore[import-not-found,unused-ignore]

    try:
        table = tomllib.loads(raw.decode()).get("tool", {}).get("pynytprof", {})
    except ValueError as error:
        raise SettingsError(f"{path}: {error}") from None
    if not isinstance(table, dict):
        raise SettingsError(f"{path}: [tool.pynytprof] is not a table")
    return table


def settle(
    command_line: Mapping[str, Any],
    environ: Mapping[str, str] = os.environ,
    directory: str | os.PathLike[str] | None = None,
) -> Settings:
    """One Settings of all sources. Raises SettingsError."""
    folder = directory or working_folder()
    values = from_pyproject(folder) if folder else {}
    values.update(from_environment(environ))
    values.update(check(command_line, "command line"))
    return Settings(**values)


def of_mapping(options: Mapping[str, Any]) -> Settings:
    """Settings for library use: defaults and ``options``. Raises SettingsError."""
    return Settings(**check(options, "options"))


def output_path(settings: Settings, pid: int, now: float) -> str:
    """The profile's path: ``file``, with what ``addpid`` and ``addtimestamp`` put behind it."""
    pid_part = f".{pid}" if settings.addpid else ""
    time_part = f".{int(now)}" if settings.addtimestamp else ""
    return settings.file + pid_part + time_part


def excluded_prefixes(scope: str) -> tuple[str, ...]:
    """Beginnings of the paths that ``scope`` leaves out.

    ``project`` leaves out the standard library, installed packages and frozen modules,
    ``site`` the standard library and frozen modules, ``all`` nothing.
    """
    if scope == "all":
        return ()
    import site  # which is loaded, but with -S

    site_packages = _folders(_site_folders(site))
    standard = _folders(_standard_folders())
    if scope == "project":
        return ("<frozen ", *standard, *site_packages)
    # Installed packages lie inside the standard library's folder, and must stay in.
    return ("<frozen ", *_around(standard, site_packages))


# sysconfig knows these as well; to ask it takes a tenth of a short program's time.


def _standard_folders() -> Iterable[str]:
    folder, name = os.path.split(os.path.dirname(os.__file__))
    yield os.path.join(folder, name)
    for base in (sys.base_prefix, sys.exec_prefix):
        yield os.path.join(base, sys.platlibdir, name)


def _site_folders(site: Any) -> Iterable[str]:
    name = os.path.basename(os.path.dirname(os.__file__))
    for base in (sys.prefix, sys.exec_prefix):
        for library in ("lib", sys.platlibdir):
            yield os.path.join(base, library, name, "site-packages")
    yield from site.getsitepackages()
    yield site.getusersitepackages()


def _folders(paths: Iterable[str]) -> list[str]:
    return sorted({os.path.join(form, "") for p in paths for form in (p, os.path.realpath(p))})


def _around(folders: list[str], holes: list[str]) -> list[str]:
    """Prefixes that cover ``folders`` but not the ``holes`` within them."""
    prefixes = []
    for folder in folders:
        inside = [hole for hole in holes if hole.startswith(folder) and hole != folder]
        if not inside:
            prefixes.append(folder)
            continue
        tops = {hole[len(folder) :].split(os.sep)[0] for hole in inside}
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if entry.name not in tops:
                prefixes.append(entry.path + (os.sep if entry.is_dir() else ""))
    return prefixes
