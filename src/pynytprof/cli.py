"""The command ``pynytprof``.

    pynytprof [profile] [options] SCRIPT ARGS... | -m MODULE ARGS... | -c CODE ARGS... | -
    pynytprof COMMAND [options] FILE...

Exit status of ``profile``: the target's own. Of the other commands: see docs/tools.md.
"""

from __future__ import annotations

import sys

from . import options as _options
from ._run import become
from ._run import settings as _settings
from ._run.messages import complain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, NoReturn

    from ._arguments import Parser
    from ._run import target as _targets

# The program waits while these are imported: all else is imported where it is needed.

USAGE_ERROR = 2

DESCRIPTION = _options.DESCRIPTION
SOURCES = _options.SOURCES


def profile_parser() -> Parser:
    """What reads the words in front of the target, as argparse has it."""
    return _options.parser(_overview)


def _overview() -> str:
    from . import _help

    return _help.overview()


def _values(words: Sequence[str]) -> dict[str, Any]:
    """What the options say. Leaves with help, or with what is wrong."""
    found = _options.read(words)
    return vars(profile_parser().parse_args(words)) if found is None else found


def _given_settings(values: dict[str, Any]) -> dict[str, Any]:
    """The settings that the command line names."""
    given: dict[str, Any] = {}
    for assignment in values.get("set", []):
        key, value = _settings.parse_assignment(assignment, "--set")
        given[key] = value
    given.update((key, values[key]) for key in _settings.KEYS if key in values)
    return given


def _cut(argv: Sequence[str]) -> tuple[list[str], _options.Target | None]:
    """Our options and the target. Leaves where the words mean something else."""
    own, target = _options.cut(argv)
    if target is None or target.kind or target.what.endswith(".py"):
        return own, target
    from . import _habits

    try:
        found = _habits.meant(own, target)
    except _options.UsageError as error:
        complain(str(error))
        raise SystemExit(USAGE_ERROR) from None
    if isinstance(found, list):
        raise SystemExit(_read(found))
    return found


def profile(argv: Sequence[str], *, may_become_python: bool = False) -> NoReturn:
    """Runs the target under the profiler and leaves as the target does.

    Nothing of this process is left with ``may_become_python``: the program gets an interpreter
    of its own, where that can be had.
    """
    try:
        own, target = _cut(argv)
    except _options.UsageError as error:
        profile_parser().error(str(error))
    values = _values(own)
    if target is None:
        profile_parser().error("there is nothing to run: give a script, -m MODULE, -c CODE or -")
    try:
        settings = _settings.settle(_given_settings(values))
        if "open" in values:
            from . import _habits

            _habits.open_afterwards(settings)
        if may_become_python:
            become.python(target, settings, quiet="quiet" in values)
        from ._run import in_process  # large: only who runs the program in here needs it

        in_process.run(_prepared(target), settings, quiet="quiet" in values)
    except _settings.SettingsError as error:
        complain(str(error))
        raise SystemExit(USAGE_ERROR) from None


def run_instead() -> bool:
    """Has this interpreter, which was started for this command and has not come to it, run the
    target itself, as :func:`profile` would have a new one do. False: the command is to run.

    The extension calls this while site reads ``pynytprof.pth``. What is wrong with the words is for
    the command to say.
    """
    before = set(sys.modules)
    try:
        if not _is_read_by_site():
            return False
        words = sys.argv[1:]
        own, target = _options.cut(words[1:] if words[:1] == ["profile"] else words)
        values = _options.read(own)
        if not target or not _is_plain(target) or values is None or "open" in values:
            return False
        settings = _settings.settle(_given_settings(values))
        more = {name for name in set(sys.modules) - before if not name.startswith("pynytprof.")}
        # A module that the program would find loaded, and has not imported, can't be taken away
        return more <= {"__future__"} and become.instead(target, settings, quiet="quiet" in values)
    except (Exception, SystemExit):
        return False


def _is_plain(target: _options.Target) -> bool:
    """Whether the words say what is to run, without a look at what else they may mean."""
    if target.kind or target.what.endswith(".py"):
        return target.kind != "-"
    try:
        with open(target.what, "rb") as file:
            return file.read(8) != b"NYTProf "
    except OSError:
        return False


def _is_read_by_site() -> bool:
    """Whether Python still starts: site, which it has imported, is at work on a ``.pth`` file."""
    frame = sys._getframe()
    names = set()
    while frame.f_back:
        names.add((frame.f_globals.get("__name__"), frame.f_code.co_name))
        frame = frame.f_back
    first = frame.f_code.co_filename.startswith("<frozen importlib._bootstrap")
    reads = {("site", "addpackage"), ("site", "_exec_imports")}  # the second from 3.15 on
    return first and not reads.isdisjoint(names)


def _prepared(target: _options.Target) -> _targets.Target:
    from ._run import target as targets

    if target.kind == "-m":
        return targets.Module(target.what, target.args)
    if target.kind == "-c":
        return targets.Code(target.what, target.args)
    if target.kind == "-":
        return targets.Stdin(target.args)
    return targets.Script(target.what, target.args)


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
    profile([*own, *words], may_become_python=argv is None)


def main(argv: Sequence[str] | None = None) -> int:
    """The command line. Returns the exit status, or leaves as the target does."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words and words[0] == "profile":
        profile(words[1:], may_become_python=argv is None)
    if words and words[0] in _options.COMMANDS:
        return _read(words)
    if words and words[0] == "mcp":
        return _serve(words[1:])
    if words and words[0] in ("ctl", "attach"):
        return _other_process(words[0], words[1:])
    if words and words[0] in ("help", "__complete", "--man"):
        return _of_itself(words[0], words[1:])
    profile(words, may_become_python=argv is None)


# What follows is imported late: a profiled program is not to wait for it.


def _read(words: Sequence[str]) -> int:
    from . import _cread

    return _cread.run(words)


def _serve(words: Sequence[str]) -> int:
    from . import _help

    if words:
        return _help.explain("mcp", profile_parser())
    try:
        from . import _mcp
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("mcp"):
            raise
        complain("mcp needs the package mcp, version 2: pip install 'pynytprof[mcp]'")
        return USAGE_ERROR
    return _mcp.main()


def _other_process(what: str, words: list[str]) -> int:
    if what == "ctl":
        from . import _control

        return _control.main(words)
    from . import _attach

    return _attach.main(words)


def _of_itself(what: str, words: Sequence[str]) -> int:
    from . import _help

    parser = profile_parser()
    if what == "help":
        return _help.explain(words[0] if words else "", parser)
    if what == "__complete":
        return _help.complete(words, parser, _options.has_target)
    return _help.manual(parser, DESCRIPTION, SOURCES)


if __name__ == "__main__":
    raise SystemExit(main())
