"""The commands of ``pynytprof`` that work on profiles: doors to :mod:`.convert` and :mod:`.verify`.

Results go to standard output or to the file that ``-o`` names, talk to standard error.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from . import __version__

if TYPE_CHECKING:
    from .convert import Merged
    from .diff import Diff
    from .reader import Profile
    from .verify import Finding, Verdict

FINE, CHECK_FAILED, USAGE, UNREADABLE, INCOMPLETE = range(5)

Write = Callable[[bytes], object]
Show = Callable[[str, argparse.Namespace, Write], None]


class _WriteFailed(Exception):
    """The output, not the profile, is to blame."""


def _profile(path: str, options: argparse.Namespace) -> Profile:
    from . import reader

    return reader.read(path, keep_evals=options.keep_evals, salvage=options.salvage)


def _summary(path: str, options: argparse.Namespace, write: Write) -> None:
    from . import convert

    colour = _colour(options)
    profile = _profile(path, options)
    if options.source is not None:
        file = int(options.source) if options.source.isdecimal() else options.source
        text = convert.source(profile, file, width=_width(options), colour=colour)
    else:
        text = convert.summary(profile, top=options.top, sort=options.sort, width=_width(options),
                               colour=colour, json=options.json)  # fmt: skip
    write(text.encode("utf-8"))


def _info(path: str, options: argparse.Namespace, write: Write) -> None:
    from . import convert

    text = convert.info(_profile(path, options), json=options.json, width=_width(options),
                        colour=_colour(options))  # fmt: skip
    write(text.encode("utf-8"))


def _dump(path: str, options: argparse.Namespace, write: Write) -> None:
    from . import _cread

    if options.model:
        _cread.Profile(path, keep_evals=options.keep_evals).model(write)
    else:
        _cread.dump(path, write, options.jsonl)


def _export(path: str, to: str, options: argparse.Namespace, write: Write, top: int = 0) -> None:
    from . import convert

    most = options.max_bytes
    left_out = convert.export(_profile(path, options), to, write, most, top)
    if left_out.paths or left_out.lines:
        _complain(f"{path}: to keep below {most} bytes, {left_out.paths} call paths of "
                  f"{left_out.seconds:.6f} s together and {left_out.lines} lines "
                  "were left out")  # fmt: skip


def _speedscope(path: str, options: argparse.Namespace, write: Write) -> None:
    _export(path, "speedscope", options, write)


def _check_convert(options: argparse.Namespace) -> str | None:
    from . import convert

    to = convert.FORMATS[options.to]
    if len(options.files) > 1:
        return "convert takes one file"
    if options.max_bytes and not to.limited:
        return f"{options.to} does not take --max-bytes"
    if options.top and not to.picture:
        return f"{options.to} does not take --top"
    if to.binary and options.output is None:
        return f"{options.to} is no text: give -o FILE"
    if to.folder and options.output in (None, "-"):
        return f"{options.to} is a file for each source: give -o FOLDER"
    return None


def _width(options: argparse.Namespace) -> int:
    return options.width or (shutil.get_terminal_size((100, 0)).columns if _shows() else 100)


def _shows() -> bool:
    return sys.stdout is not None and sys.stdout.isatty()


def _colour(options: argparse.Namespace) -> bool:
    may = options.output is None and _shows() and not os.environ.get("NO_COLOR")
    return options.color == "always" or (options.color == "auto" and may)


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError("it must be a number from 1")
    return int(text)


def _output_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", metavar="FILE",
                        help="write to FILE, not to standard output")  # fmt: skip


def _summary_options(parser: argparse.ArgumentParser) -> None:
    _output_option(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object for each file")
    parser.add_argument("--source", metavar="NAME", help="show the source of the file NAME "
                        "(its end is enough) or fid, with its figures")  # fmt: skip
    parser.add_argument("-n", "--top", type=_number, default=15, metavar="N",
                        help="entries of each list (15)")  # fmt: skip
    parser.add_argument("--sort", choices=["time", "incl", "count", "place"], default="time",
                        help="what comes first (time)")  # fmt: skip
    _look_options(parser)
    _load_options(parser)


def _load_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--salvage", action="store_true", help="use what comes before damage")
    _evals_option(parser)


def _evals_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--keep-evals", action="store_true", help="do not merge evals of one "
                        "line that have the same source")  # fmt: skip


def _look_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--width", type=_number, default=0, metavar="N",
                        help="columns (the terminal's, else 100)")  # fmt: skip
    parser.add_argument("--color", choices=["auto", "always", "never"], default="auto",
                        help="colours (auto: on a terminal, without NO_COLOR)")  # fmt: skip


def _info_options(parser: argparse.ArgumentParser) -> None:
    _output_option(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object for each file")
    _look_options(parser)
    _load_options(parser)


def _dump_options(parser: argparse.ArgumentParser) -> None:
    _output_option(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--jsonl", action="store_true", help="each record as a JSON array")
    form.add_argument("--model", action="store_true",
                      help="the profile as it is loaded, as one JSON object")  # fmt: skip
    _evals_option(parser)


def _limit_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--max-bytes", type=_number, default=0, metavar="N",
                        help="at most N bytes: leave out what takes least time")  # fmt: skip


def _speedscope_options(parser: argparse.ArgumentParser) -> None:
    _output_option(parser)
    _limit_option(parser)
    _load_options(parser)


def _convert_options(parser: argparse.ArgumentParser) -> None:
    from . import convert

    formats = convert.FORMATS.values()
    _output_option(parser)
    parser.add_argument("--to", required=True, choices=[to.name for to in formats],
                        help="the format: " + ", ".join(f"{to.name} ({to.text})"
                                                        for to in formats))  # fmt: skip
    parser.add_argument("-n", "--top", type=_number, default=0, metavar="N",
                        help="of a picture: at most N subs (40)")  # fmt: skip
    _limit_option(parser)
    _load_options(parser)


# ---- Running them ----


@contextlib.contextmanager
def _opened(path: str | None) -> Iterator[Write]:
    """A function that writes to ``path``, or to standard output if that is None or ``-``."""
    path = None if path == "-" else path
    try:
        out: BinaryIO = sys.stdout.buffer if path is None else open(path, "wb")  # noqa: SIM115
    except OSError as error:
        raise _WriteFailed(f"{path}: {error.strerror}") from error

    def write(data: bytes) -> None:
        try:
            out.write(data)
        except OSError as error:
            raise _WriteFailed(f"{path or 'standard output'}: {error.strerror}") from error

    try:
        yield write
    finally:
        try:
            out.flush() if path is None else out.close()
        except OSError as error:
            _never_flush_again()
            raise _WriteFailed(f"{path or 'standard output'}: {error.strerror}") from error


def _never_flush_again() -> None:
    """After a failure on standard output, Python would fail once more at its exit."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(message: str) -> None:
    print(f"pynytprof: {message}", file=sys.stderr)


def _each_file(show: Show, options: argparse.Namespace) -> int:
    from ._cread import ProfileError

    status = FINE
    try:
        with _opened(options.output) as write:
            for path in options.files:
                try:
                    show(path, options, write)
                except OSError as error:
                    _complain(f"{path}: {error.strerror or error}")
                    status = UNREADABLE
                except ProfileError as error:
                    _complain(f"{path}: {error}")
                    status = UNREADABLE
                except LookupError as error:
                    _complain(f"{path}: {error.args[0]}")
                    return USAGE
    except _WriteFailed as failure:
        _complain(str(failure))
        return INCOMPLETE
    return status


def _html(options: argparse.Namespace) -> int:
    from . import convert

    for path in options.files:
        try:
            print(convert.to_html(path, options.output))
        except FileNotFoundError as error:
            _complain(f"{path}: {error.strerror}" if error.strerror else str(error))
            return UNREADABLE
        except RuntimeError as error:
            _complain(f"{path}: {error}")
            return INCOMPLETE
    return FINE


def _to_folder(options: argparse.Namespace) -> int:
    from . import convert

    (path,) = options.files
    try:
        convert.to_csv(_profile(path, options), options.output)
    except convert.ProfileError as error:
        _complain(f"{path}: {error}")
        return UNREADABLE
    except OSError as error:
        _complain(f"{error.filename or path}: {error.strerror or error}")
        return UNREADABLE if error.filename in (None, path) else INCOMPLETE
    return FINE


def _convert(options: argparse.Namespace) -> int:
    if options.to == "csv":
        return _to_folder(options)

    def show(path: str, o: argparse.Namespace, write: Write) -> None:
        _export(path, o.to, o, write, o.top)

    return _each_file(show, options)


def _html_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", metavar="DIR",
                        help="the folder of the report (nytprof beside the profile)")  # fmt: skip


def _new_profile_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", metavar="FILE", required=True,
                        help="the new profile; it may be one of those read")  # fmt: skip
    parser.add_argument("-q", "--quiet", action="store_true", help="only say what is lost")


def _new_profile(
    options: argparse.Namespace, make: Callable[[], Merged], *, may_be_incomplete: bool = False
) -> int:
    """Tells what was found on the way; returns the exit status."""
    from ._cread import ProfileError

    try:
        done = make()
    except OSError as error:
        unread = error.filename in options.files
        _complain(f"{error.filename if unread else options.output}: {error.strerror or error}")
        return UNREADABLE if unread else INCOMPLETE
    except ProfileError as error:
        _complain(str(error))
        return UNREADABLE
    for note in done.notes:
        if note.lossy or not options.quiet:
            _complain(f"{note.path or options.output}: {note.text}")
    return FINE if done.complete or may_be_incomplete else INCOMPLETE


def _merge(options: argparse.Namespace) -> int:
    from . import convert

    return _new_profile(options, lambda: convert.merge(options.files, options.output))


def _recover(options: argparse.Namespace) -> int:
    from . import convert

    return _new_profile(options, lambda: convert.recover(options.files[0], options.output),
                        may_be_incomplete=True)  # fmt: skip


def _check_recover(options: argparse.Namespace) -> str | None:
    return "recover takes one FILE" if len(options.files) != 1 else None


def _diff_options(parser: argparse.ArgumentParser) -> None:
    _output_option(parser)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object with all that changed")
    form.add_argument("--markdown", action="store_true", help="tables for pull requests")
    parser.add_argument("-n", "--top", type=_number, metavar="N",
                        help="entries of each list (15; --json: all)")  # fmt: skip
    parser.add_argument("--sort", choices=["time", "incl", "count", "place"], default="time",
                        help="by the change of time, incl, count, or by place")  # fmt: skip
    parser.add_argument("--min-change", metavar="LEAST",
                        help="leave out times that changed by less (5%%,100us)")  # fmt: skip
    parser.add_argument("--fail-if", action="append", default=[], metavar="CONDITION",
                        help="exit with 1 if it is met, as total>+5%%; may be repeated; "
                        "docs/tools.md has the grammar")  # fmt: skip
    _look_options(parser)
    _load_options(parser)


def _check_diff(options: argparse.Namespace) -> str | None:
    from . import _cread

    if len(options.files) != 2:
        return "diff takes two files"
    try:
        if options.min_change is not None:
            _cread.check_min_change(options.min_change)
    except ValueError as error:
        return str(error)
    return _wrong_condition(options.fail_if, _cread.check_condition)


def _wrong_condition(conditions: list[str], check: Callable[[str], object]) -> str | None:
    for condition in conditions:
        try:
            check(condition)
        except ValueError as error:
            return f"--fail-if '{condition}': {error}"
    return None


def _told(changes: Diff, options: argparse.Namespace) -> str:
    how: dict[str, Any] = {
        "sort": options.sort,
        "min_change": options.min_change,
        "conditions": options.fail_if,
    }
    if options.json:
        return changes.json(top=options.top or 0, **how)
    if options.markdown:
        return changes.markdown(top=options.top or 15, **how)
    how |= {"width": _width(options), "colour": _colour(options)}
    return changes.text(top=options.top or 15, **how)


def _diff(options: argparse.Namespace) -> int:
    from .diff import ProfileError, compare

    try:
        changes = compare(*options.files, keep_evals=options.keep_evals, salvage=options.salvage)
    except OSError as error:
        _complain(f"{error.filename}: {error.strerror or error}")
        return UNREADABLE
    except ProfileError as error:
        _complain(str(error))
        return UNREADABLE
    wrong = _wrong_condition(options.fail_if, changes.check)
    if wrong:
        _complain(wrong)
        return USAGE
    for path in changes.incomplete:
        _complain(f"{path}: the profile is incomplete")
    try:
        with _opened(options.output) as write:
            write(_told(changes, options).encode("utf-8"))
    except _WriteFailed as failure:
        _complain(str(failure))
        return INCOMPLETE
    failed = [check.text for check in map(changes.check, options.fail_if) if check.met]
    for text in failed:
        _complain(f"failed: {text}")
    return CHECK_FAILED if failed else FINE


# ---- verify ----


def _verify_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-q", "--quiet", action="store_true",
                        help="name only the files that have a fault")  # fmt: skip
    parser.add_argument("-v", "--verbose", action="store_true",
                        help="show all findings, also the harmless ones")  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object for each file")


def _as_json(path: str, verdict: Verdict) -> str:
    import json

    findings = [
        {"severity": finding.severity.name.lower(), "rule": finding.rule, "offset": finding.offset,
         "inflated": finding.inflated, "record": finding.record, "text": finding.text}
        for finding in verdict.findings
    ]  # fmt: skip
    counts = {name: sum(one["severity"] == name for one in findings)
              for name in ("odd", "warned", "fatal")}  # fmt: skip
    report = {"findings": findings, "path": path, "records": verdict.records, **counts,
              "sound": verdict.sound}  # fmt: skip
    return json.dumps(report, separators=(",", ":"))


def _in_full(finding: Finding) -> str:
    return (f"  {finding.severity.name.lower():<6} {finding}, record {finding.record} "
            f"[{finding.rule}]")  # fmt: skip


def _verify_one(path: str, options: argparse.Namespace) -> int:
    from . import verify

    try:
        verdict = verify.findings(path)
    except OSError as error:
        if options.json:
            print('{"findings":[]}')
        _complain(f"{path}: {error.strerror}")
        return UNREADABLE
    if options.json:
        print(_as_json(path, verdict))
        return FINE if verdict.sound else CHECK_FAILED
    if options.verbose:
        for finding in verdict.findings:
            print(_in_full(finding))
    return FINE if verify.tell(path, verdict, quiet=options.quiet) else CHECK_FAILED


def _verify(options: argparse.Namespace) -> int:
    return max(_verify_one(path, options) for path in options.files)


# ---- The commands ----


def _each(show: Show) -> Callable[[argparse.Namespace], int]:
    return lambda options: _each_file(show, options)


class _Command(NamedTuple):
    text: str
    options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    check: Callable[[argparse.Namespace], str | None] = lambda options: None


_COMMANDS = {
    "verify": _Command("check that profiles are sound and complete", _verify_options, _verify),
    "summary": _Command("show the lines, subs, files and calls that cost most", _summary_options,
                        _each(_summary)),
    "info": _Command("show what a profile is: program, processes, sizes, options", _info_options,
                     _each(_info)),
    "dump": _Command("write every record, one a line", _dump_options, _each(_dump)),
    "speedscope": _Command("write the call tree for https://www.speedscope.app",
                           _speedscope_options, _each(_speedscope)),
    "convert": _Command("write a profile in a format of other tools", _convert_options, _convert,
                        _check_convert),
    "merge": _Command("make one profile of many", _new_profile_options, _merge),
    "recover": _Command("make a sound profile of a broken one", _new_profile_options, _recover,
                        _check_recover),
    "diff": _Command("show what changed from one profile to another", _diff_options, _diff,
                     _check_diff),
    "html": _Command("make a report in HTML with Perl's nytprofhtml", _html_options, _html),
}  # fmt: skip

NAMES = tuple(_COMMANDS)


def overview() -> str:
    """One line for each command."""
    return "\n".join(f"  {name:<12}{command.text}" for name, command in _COMMANDS.items())


def parser_of(name: str) -> argparse.ArgumentParser:
    """What reads the words behind the command ``name``, one of NAMES."""
    command = _COMMANDS[name]
    parser = argparse.ArgumentParser(prog=f"pynytprof {name}", description=command.text)
    parser.add_argument("--version", action="version", version=f"pynytprof {__version__}")
    command.options(parser)
    parser.add_argument("files", nargs="+", metavar="FILE")
    return parser


def run(name: str, argv: Sequence[str]) -> int:
    """Runs the command ``name``, one of NAMES; returns its exit status."""
    command, parser = _COMMANDS[name], parser_of(name)
    options = parser.parse_args(argv)
    wrong = command.check(options)
    if wrong:
        parser.error(wrong)
    return command.run(options)
