"""The options of ``pynytprof`` in front of the program, and where that begins.

A run reads them by the table alone: the program waits for that. argparse, which takes five
times as long to import as all of ours, writes the help, and says what is wrong with words that
the table does not explain.
"""

from __future__ import annotations

from ._version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Container, Sequence
    from typing import Any

    from ._arguments import Parser

COMMANDS = (
    "html", "verify", "summary", "func", "source", "tree", "explain", "top", "info", "dump",
    "speedscope", "convert", "merge", "recover", "diff", "guide", "completions",
)  # fmt: skip
"""Commands of the program nytprof, which runs them. A profiled program is not to wait until that
is loaded, and may do without it: so they stand here once more."""

_USAGE = """\
%(prog)s [profile] [options] SCRIPT [ARGS...]
       %(prog)s [profile] [options] -m MODULE [ARGS...] | -c CODE [ARGS...] | -
       %(prog)s COMMAND [options] FILE..."""

DESCRIPTION = "Profiles a Python program: every line and every call, counted and timed."

SOURCES = """\
Settings also come from the environment (NYTPROF="key=value:key=value", PYNYTPROF_KEY,
NYTPROF_FILTER) and, from Python 3.11 on, from [tool.pynytprof] in pyproject.toml; the command
line wins. The profile is read by nytprofhtml and the other tools of Perl's Devel::NYTProf
as well as by the commands."""

_EPILOG = """\
commands for profiles (pynytprof COMMAND --help tells more):
{commands}

{sources}"""

VALUES: dict[str, tuple[tuple[str, ...], str, str]] = {
    "file": (("-o", "--file"), "FILE", "the profile (nytprof.out)"),
    "mode": (("--mode",), "MODE", "permissions of a new profile, which holds the program's "
             "sources: 600 (default), 644, ..."),
    "compress": (("--compress",), "0-9", "zlib level (1)"),
    "forkdepth": (("--forkdepth",), "N", "profile forked children down to the Nth generation "
                  "(-1: all; 0: none)"),
    "sigexit": (("--sigexit",), "WHICH", "finish the profile at these signals: 0, 1 or names "
                "(int,hup,term)"),
    "sigflush": (("--sigflush",), "NAME", "write the profile at this signal, as usr1"),
    "sigswitch": (("--sigswitch",), "NAME", "pause, and go on, at this signal, as usr2"),
    "start": (("--start",), "WHEN", "begin (default); init: after the main module's imports; "
              "end: when it has ended; no: the program switches profiling on with "
              "pynytprof.enable_profile()"),
    "clock": (("--clock",), "WHICH", "wall (default); cpu: the processor time of each thread, "
              "without waiting"),
    "scope": (("--scope",), "WHAT", "project: neither the standard library nor installed "
              "packages; site: not the standard library; all (default)"),
    "include": (("--include",), "GLOB", "only files whose path matches; may be repeated"),
    "exclude": (("--exclude",), "GLOB", "no files whose path matches; may be repeated"),
    "set": (("--set",), "KEY=VALUE", "any setting by name; may be repeated"),
}  # fmt: skip
"""Options with a value: setting, names, what the value is called, help."""

REPEATED = ("include", "exclude", "set")

SWITCHES = {
    "stmts": "lines; --no-stmts leaves them out",
    "subs": "subs and calls; --no-subs leaves them out",
    "slowops": "C functions as subs; --no-slowops leaves them out",
    "exactlines": "measure each line by itself, in code that runs often, too",
    "gc": "collections of garbage as a sub, gc::(collection), not as time of the line they came in",
    "calls": "the call tree; --no-calls leaves it out",
    "savesrc": "source text in the profile; --no-savesrc leaves it out",
    "sourcecache": "keep compressed sources in ~/.cache/pynytprof for the next run; "
    "--no-source-cache: don't",
    "raw": "leave the profiler's own cost in the times",
    "blocks": "time for blocks (loops, with, try, if) and subs as well",
    "children": "profile Pythons that the program starts, too: FILE.PID",
    "addpid": "put the process's number behind the profile's name",
    "addtimestamp": "put the time in seconds behind the profile's name",
}
"""``--key`` and ``--no-key``."""

SPELLED = {"exactlines": "exact-lines", "sourcecache": "source-cache"}
"""Switches that may be written so, too."""

ORDER = (
    "file", "mode", "compress", "stmts", "subs", "slowops", "exactlines", "gc", "calls",
    "savesrc", "sourcecache", "raw", "blocks", "children", "merge", "forkdepth", "sigexit",
    "sigflush", "sigswitch", "start", "clock", "addpid", "addtimestamp", "scope", "include",
    "exclude", "set",
)  # fmt: skip
"""As the help has them."""

WITH_VALUE = frozenset(name for names, _, _ in VALUES.values() for name in names)


class UsageError(Exception):
    """The words are none that the command line has."""


class Target:
    """What is to be run: the words behind Python's own name and flags."""

    def __init__(self, kind: str, words: Sequence[str]) -> None:
        self.kind = kind
        """``-m``, ``-c``, ``-``, or nothing for a script, folder or zip file."""
        self.words = list(words)

    @property
    def what(self) -> str:
        """The module, text or path."""
        first = self.words[0]
        if self.kind not in ("-m", "-c"):
            return first
        return first[2:] or self.words[1]

    @property
    def args(self) -> list[str]:
        """The program's own words."""
        return self.words[2 if self.words[0] in ("-m", "-c") and self.kind else 1 :]


def cut(argv: Sequence[str], with_value: Container[str] = WITH_VALUE) -> tuple[
    list[str], Target | None
]:  # fmt: skip
    """Our own options, and the target: all from the first word that is not an option of ours."""
    i = 0
    while i < len(argv):
        word = argv[i]
        if word[:2] in ("-m", "-c"):
            if len(word) == 2 and i + 1 == len(argv):
                raise UsageError(f"argument {word}: expected one argument")
            return list(argv[:i]), Target(word[:2], argv[i:])
        if word == "-":
            return list(argv[:i]), Target("-", argv[i:])
        if word == "--" and i + 1 < len(argv):
            return list(argv[:i]), Target("", argv[i + 1 :])
        if not word.startswith("-"):
            return list(argv[:i]), Target("", argv[i:])
        i += 2 if word in with_value else 1
    return list(argv), None


def has_target(argv: Sequence[str]) -> bool:
    """Is the target, or the option that takes it, among these words?"""
    return any(word[:2] in ("-m", "-c") for word in argv) or cut(argv)[1] is not None


# ---- Reading ----

_KEY_OF = {name: key for key, (names, _, _) in VALUES.items() for name in names}
_KEY_OF_SWITCH = {f"--{key}": (key, "1") for key in SWITCHES}
_KEY_OF_SWITCH |= {f"--no-{key}": (key, "0") for key in SWITCHES}
_KEY_OF_SWITCH |= {f"--{word}": (key, "1") for key, word in SPELLED.items()}
_KEY_OF_SWITCH |= {f"--no-{word}": (key, "0") for key, word in SPELLED.items()}


def read(words: Sequence[str]) -> dict[str, Any] | None:
    """Values by setting; ``set``, ``include`` and ``exclude`` are lists, ``quiet`` is there if it
    was asked for. None: there is a word that the table does not have; see :func:`parser`."""
    found: dict[str, Any] = {}
    rest = list(reversed(words))
    while rest:
        word = rest.pop()
        name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
        if word in ("-q", "--quiet"):
            found["quiet"] = True
        elif word == "--open":
            found["open"] = True
        elif word in _KEY_OF_SWITCH:
            key, found_value = _KEY_OF_SWITCH[word]
            found[key] = found_value
        elif name == "--merge" and (not equals or value):
            found["merge"] = value or "1"
        elif word.startswith("-o") and len(word) > 2 and not word.startswith("--"):
            found["file"] = word[2:]
        elif name in _KEY_OF and (equals or (rest and not rest[-1].startswith("-"))):
            _add(found, _KEY_OF[name], value if equals else rest.pop())
        else:
            return None
    return found


def _add(found: dict[str, Any], key: str, value: str) -> None:
    if key in REPEATED:
        found.setdefault(key, []).append(value)
    else:
        found[key] = value


# ---- Help, and what is wrong ----


def parser(commands: Callable[[], str]) -> Parser:
    """The same as argparse has it; ``commands`` gives the help's list of these."""
    import argparse

    from ._arguments import Parser
    from ._run.settings import WORDS

    class ProfileParser(Parser):
        def format_help(self) -> str:
            self.epilog = _EPILOG.format(commands=commands(), sources=SOURCES)
            return super().format_help()

    made = ProfileParser(
        words=WORDS,
        prog="pynytprof",
        usage=_USAGE,
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
    made.add_argument("-q", "--quiet", action="store_true", default=argparse.SUPPRESS,
                      help="don't say where the profile is")  # fmt: skip
    made.add_argument("--open", action="store_true", default=argparse.SUPPRESS,
                      help="show the profile as a page in the browser afterwards")  # fmt: skip
    for key in ORDER:
        _add_to_parser(made, key, argparse.SUPPRESS)
    return made


def _add_to_parser(made: argparse.ArgumentParser, key: str, suppress: str) -> None:
    if key == "merge":
        made.add_argument("--merge", nargs="?", const="1", metavar="keep", default=suppress,
                          help="at the end, make one profile of all "
                          "processes; --merge=keep: and keep theirs")  # fmt: skip
    elif key in SWITCHES:
        words = [key, SPELLED[key]] if key in SPELLED else [key]
        made.add_argument(*[f"--{word}" for word in words], dest=key, action="store_const",
                          const="1", default=suppress, help=SWITCHES[key])  # fmt: skip
        made.add_argument(*[f"--no-{word}" for word in words], dest=key, action="store_const",
                          const="0", default=suppress, help=suppress)  # fmt: skip
    else:
        names, metavar, text = VALUES[key]
        made.add_argument(*names, dest=key, metavar=metavar, default=suppress, help=text,
                          action="append" if key in REPEATED else "store")  # fmt: skip
