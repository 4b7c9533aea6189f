"""The command ``pynytprof``.

    pynytprof [profile] [options] SCRIPT ARGS... | -m MODULE ARGS... | -c CODE ARGS... | -
    pynytprof COMMAND [options] FILE...

Exit status of ``profile``: the target's own. Of the other commands: see docs/tools.md.
"""

from __future__ import annotations

import argparse
import atexit
import dataclasses
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from . import tracer
from ._arguments import Parser
from ._run import settings as _settings
from ._run import start as _start
from ._run import target as _runner
from ._run.session import Session, complain
from ._version import VERSION

USAGE_ERROR = 2

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


READING = (
    "html", "verify", "summary", "info", "dump", "speedscope", "convert", "merge", "recover", "diff",
    "completions",
)  # fmt: skip
"""Commands of the program nytprof, which runs them. A profiled program is not to wait until that
is loaded, and may do without it: so they stand here once more."""


class _Parser(Parser):
    """Knows which of its options take a value, so that the target's own can be cut off."""

    def __init__(self, **kwargs: Any) -> None:
        self.with_value: set[str] = set()
        super().__init__(words=_settings.WORDS, **kwargs)

    def format_help(self) -> str:
        from . import _help

        self.epilog = _EPILOG.format(commands=_help.overview(), sources=SOURCES)
        return super().format_help()

    def add_value(self, *names: str, **kwargs: Any) -> None:
        """Adds an option that takes one value."""
        self.with_value.update(names)
        self.add_argument(*names, default=argparse.SUPPRESS, **kwargs)

    def add_switch(self, key: str, text: str) -> None:
        """Adds ``--key`` and ``--no-key``."""
        self.add_argument(f"--{key}", dest=key, action="store_const", const="1",
                          default=argparse.SUPPRESS, help=text)  # fmt: skip
        self.add_argument(f"--no-{key}", dest=key, action="store_const", const="0",
                          default=argparse.SUPPRESS, help=argparse.SUPPRESS)  # fmt: skip


def profile_parser() -> _Parser:
    """What reads the words in front of the target."""
    parser = _Parser(
        prog="pynytprof",
        usage=_USAGE,
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
    parser.add_argument("-q", "--quiet", action="store_true",
                        help="don't say where the profile is")  # fmt: skip
    parser.add_value("-o", "--file", metavar="FILE", help="the profile (nytprof.out)")
    parser.add_value("--compress", metavar="0-9", help="zlib level (1)")
    parser.add_switch("stmts", "lines; --no-stmts leaves them out")
    parser.add_switch("subs", "subs and calls; --no-subs leaves them out")
    parser.add_switch("slowops", "C functions as subs; --no-slowops leaves them out")
    parser.add_switch("calls", "the call tree; --no-calls leaves it out")
    parser.add_switch("savesrc", "source text in the profile; --no-savesrc leaves it out")
    parser.add_switch("raw", "leave the profiler's own cost in the times")
    parser.add_switch("blocks", "time for blocks (loops, with, try, if) and subs as well")
    parser.add_switch("children", "profile Pythons that the program starts, too: FILE.PID")
    parser.add_argument("--merge", nargs="?", const="1", metavar="keep", default=argparse.SUPPRESS,
                        help="at the end, make one profile of all "
                        "processes; --merge=keep: and keep theirs")  # fmt: skip
    parser.add_value("--forkdepth", metavar="N", help="profile forked children down to the "
                     "Nth generation (-1: all; 0: none)")  # fmt: skip
    parser.add_value("--sigexit", metavar="WHICH", help="finish the profile at these signals: "
                     "0, 1 or names (int,hup,term)")  # fmt: skip
    parser.add_value("--start", metavar="WHEN", help="begin (default); init: after the main "
                     "module's imports; end: when it has ended; no: the program "
                     "switches profiling on with pynytprof.enable_profile()")  # fmt: skip
    parser.add_value("--clock", metavar="WHICH", help="wall (default); cpu: the processor time "
                     "of each thread, without waiting")  # fmt: skip
    parser.add_switch("addpid", "put the process's number behind the profile's name")
    parser.add_switch("addtimestamp", "put the time in seconds behind the profile's name")
    parser.add_value("--scope", metavar="WHAT", help="project: neither the standard library "
                     "nor installed packages; site: not the standard library; all "
                     "(default)")  # fmt: skip
    parser.add_value("--include", metavar="GLOB", action="append",
                     help="only files whose path matches; may be repeated")  # fmt: skip
    parser.add_value("--exclude", metavar="GLOB", action="append",
                     help="no files whose path matches; may be repeated")  # fmt: skip
    parser.add_value("--set", metavar="KEY=VALUE", action="append",
                     help="any setting by name; may be repeated")  # fmt: skip
    return parser


_TARGET_KINDS = {"-m": _runner.Module, "-c": _runner.Code}


def _cut(argv: Sequence[str], parser: _Parser) -> tuple[list[str], _runner.Target | None]:
    """Our own options, and the target: all from the first word that is not an option of ours."""
    i = 0
    while i < len(argv):
        word = argv[i]
        if word[:2] in _TARGET_KINDS:
            attached = [word[2:]] if len(word) > 2 else []
            what, *args = [*attached, *argv[i + 1 :]] or [""]
            if not what and not attached and i + 1 >= len(argv):
                parser.error(f"argument {word}: expected one argument")
            return list(argv[:i]), _TARGET_KINDS[word[:2]](what, args)
        if word == "-":
            return list(argv[:i]), _runner.Stdin(list(argv[i + 1 :]))
        if word == "--" and i + 1 < len(argv):
            return list(argv[:i]), _runner.Script(argv[i + 1], list(argv[i + 2 :]))
        if not word.startswith("-"):
            return list(argv[:i]), _runner.Script(word, list(argv[i + 1 :]))
        i += 2 if word in parser.with_value else 1
    return list(argv), None


def has_target(argv: Sequence[str], parser: _Parser) -> bool:
    """Is the target, or the option that takes it, among these words?"""
    return any(word[:2] in _TARGET_KINDS for word in argv) or _cut(argv, parser)[1] is not None


def _given_settings(options: argparse.Namespace) -> dict[str, Any]:
    """The settings that the command line names."""
    values = vars(options)
    given: dict[str, Any] = {}
    for assignment in values.get("set", []):
        key, value = _settings.parse_assignment(assignment, "--set")
        given[key] = value
    given.update((key, values[key]) for key in _settings.KEYS if key in values)
    return given


def profile(argv: Sequence[str]) -> NoReturn:
    """Runs the target under the profiler and leaves as the target does."""
    parser = profile_parser()
    own, target = _cut(argv, parser)
    options = parser.parse_args(own)
    if target is None:
        parser.error("there is nothing to run: give a script, -m MODULE, -c CODE or -")
    try:
        settings = _settings.settle(_given_settings(options))
    except _settings.SettingsError as error:
        _fail(str(error))
    _run(target, settings, options.quiet)


def _run(target: _runner.Target, settings: _settings.Settings, quiet: bool) -> NoReturn:
    try:
        target.prepare()
    except _runner.TargetError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(error.status) from None
    except BaseException as error:
        _runner.leave_with(error)
        raise
    begin_late = _begin(target, settings, quiet)
    try:
        target.execute()
    except SystemExit:
        raise
    except BaseException as error:
        _runner.leave_with(error)
        raise
    finally:
        begin_late()
    raise SystemExit(0)


def _begin(target: _runner.Target, settings: _settings.Settings, quiet: bool) -> Callable[[], None]:
    """Begins when ``start`` says. Returns what is to be called once the target has ended."""
    settings = dataclasses.replace(settings, exclude=(*settings.exclude, *target.exclude))
    try:
        session = Session(settings, sources=target.sources, application=target.application)
        if not quiet:
            atexit.register(_tell, session, os.getpid())
        profile = tracer.adopt(session)
        session.arrange_end()
        if settings.start == "begin":
            profile._start(open_frames=False)
        elif settings.start == "init":
            stop_waiting = _start.after_imports(
                lambda: _begin_late(profile, open_frames=True), target.sources
            )
    except (RuntimeError, ImportError, ValueError, OSError) as error:
        _fail(str(error))

    def at_the_end() -> None:
        if settings.start == "init":
            stop_waiting()
        if settings.start in ("init", "end"):
            _begin_late(profile, open_frames=False)

    return at_the_end


def _begin_late(profile: tracer.Tracer, *, open_frames: bool) -> None:
    """Begins, unless it has begun already. The program must not notice a failure."""
    if profile._session.started:
        return
    try:
        profile._start(open_frames=open_frames)
    except Exception as error:
        complain(f"can't profile: {error}")


def _tell(session: Session, pid: int) -> None:
    """Says where the profile is, once it is complete."""
    if os.getpid() != pid or session.failed:
        return
    if session.started:
        complain(f"profile written to {session.path}")
    else:
        complain("profiling was never switched on, so there is no profile")


def _fail(message: str) -> NoReturn:
    complain(message)
    raise SystemExit(USAGE_ERROR)


def tracer_main(argv: Sequence[str] | None = None) -> int:
    """``python -m pynytprof.tracer [-o FILE] [-e CODE | SCRIPT ARGS...]``."""
    words = list(sys.argv[1:] if argv is None else argv)
    own: list[str] = []
    while words and words[0].startswith("-o"):
        taken = 1 if len(words[0]) > 2 else 2
        own += words[:taken]
        del words[:taken]
    if words and words[0] == "-e":
        words[0] = "-c"
    profile([*own, *words])


def main(argv: Sequence[str] | None = None) -> int:
    """The command line. Returns the exit status, or leaves as the target does."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] == "profile":
        profile(words[1:])
    if words and words[0] in READING:
        return _read(words)
    if words and words[0] in ("help", "__complete", "--man"):
        return _of_itself(words[0], words[1:])
    profile(words)


# What follows is imported late: a profiled program is not to wait for it.


def _read(words: Sequence[str]) -> int:
    from . import _cread

    return _cread.run(words)


def _of_itself(what: str, words: Sequence[str]) -> int:
    from . import _help

    parser = profile_parser()
    if what == "help":
        return _help.explain(words[0] if words else "", parser)
    if what == "__complete":
        return _help.complete(words, parser, lambda before: has_target(before, parser))
    return _help.manual(parser, DESCRIPTION, SOURCES)


if __name__ == "__main__":
    raise SystemExit(main())
