"""What ``pynytprof`` says of itself: help, the manual page pynytprof(1), and completion.

Of the commands that read profiles the program nytprof knows all; what profiles programs is
described by argparse. ``pynytprof completions SHELL`` writes a script that makes the
shell ask ``pynytprof __complete WORD...``. The answer has a line for each word that the last one
may become, with a tab and a description; the line ``:files`` stands for files.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence

from . import _cread
from ._arguments import Parser
from ._version import RELEASED, VERSION

_, COMMANDS = _cread.command_line()
_OURS = [
    ("profile", "run a program under the profiler"),
    ("attach", "profile a program that runs already (CPython 3.14)"),
    ("ctl", "have a running profiled program flush, pause, resume or finish"),
    ("mcp", "answer the questions of an assistant"),
]
_OTHERS: dict[str, list[str]] = {
    "mcp": [],
    "ctl": [],
    "attach": [
        "--duration\tseconds until it lets go of the program",
        "--wait\tseconds that a program may wait",
        "--file\tthe profile",
    ],
}
"""Commands that profile no program of theirs, and the options that only they have."""
_MCP = """\
usage: pynytprof mcp

Serves the Model Context Protocol on standard input and output, for assistants: explain, func,
source, tree and diff, which answer as the commands do. It changes nothing. It needs the package
mcp: pip install 'pynytprof[mcp]'. A client is told to run it as

    {"mcpServers": {"pynytprof": {"command": "pynytprof", "args": ["mcp"]}}}

  -h, --help               show this text
"""


def overview() -> str:
    """One line for each command that reads profiles."""
    return "\n".join(f"  {name:<12}{text}" for name, text in [*COMMANDS, *_OURS[1:]])


def explain(topic: str, profile_parser: Parser) -> int:
    """``pynytprof help TOPIC``; returns the exit status."""
    if topic in ("", "profile"):
        profile_parser.print_help()
    elif topic == "mcp":
        print(_MCP, end="")
    elif topic in ("attach", "ctl"):
        from . import _attach, _control

        print(_control.USAGE if topic == "ctl" else _attach.USAGE, end="")
    else:
        return _cread.run(["help", topic])
    return 0


# ---- Completion ----


def _takes_value(action: argparse.Action) -> bool:
    return action.nargs != 0


def _first_words(typed: str) -> Iterator[str]:
    for name, text in [*COMMANDS, *_OURS]:
        if name.startswith(typed):
            yield f"{name}\t{text}"


def _offer_argument(
    parser: Parser, action: argparse.Action, before: str, typed: str
) -> Iterator[str]:
    for word in parser.words.get(action.dest, ()):
        if word.startswith(typed):
            yield f"{before}{word}\t{action.dest}"
    if action.metavar in ("FILE", "DIR"):
        yield ":files"


def _offer_options(parser: Parser, typed: str) -> Iterator[str]:
    for action in parser.options():
        for name in action.option_strings:
            if name.startswith("--") and name.startswith(typed):
                text = parser.explain(action) or f"see {name.replace('--no-', '--')}"
                yield f"{name}\t{text}"


def _complete_word(parser: Parser, words: Sequence[str]) -> Iterator[str]:
    """What the last of the words behind a command may become."""
    by_name = {name: action for action in parser.options() for name in action.option_strings}
    waiting: argparse.Action | None = None
    for word in words[:-1]:
        found = by_name.get(word) if waiting is None else None
        waiting = found if found is not None and found.nargs not in (0, "?") else None
    typed = words[-1]
    name, equals, value = typed.partition("=")
    if waiting is not None:
        yield from _offer_argument(parser, waiting, "", typed)
    elif equals and name in by_name and _takes_value(by_name[name]):
        yield from _offer_argument(parser, by_name[name], f"{name}=", value)
    elif typed.startswith("-"):
        yield from _offer_options(parser, typed)
    else:
        yield ":files"


HasTarget = Callable[[Sequence[str]], bool]


def _complete(words: Sequence[str], profile_parser: Parser, has_target: HasTarget) -> Iterator[str]:
    """Before the target: our options, its file; behind it: nothing that we know."""
    if len(words) == 1:
        yield from _first_words(words[0])
    words = words[words[0] == "profile" and len(words) > 1 :]
    if has_target(words[:-1]):
        yield ":files"
    else:
        yield from _complete_word(profile_parser, words)


def complete(words: Sequence[str], profile_parser: Parser, has_target: HasTarget) -> int:
    """``pynytprof __complete WORD...``; returns the exit status."""
    if len(words) > 1 and words[0] in _OTHERS:
        offered = [*_OTHERS[words[0]], "--help\tshow this text"]
        print("\n".join(line for line in offered if line.startswith(words[-1])))
        return 0
    if len(words) > 1 and words[0] in dict(COMMANDS):
        if words[0] == "help" and len(words) == 2:
            print("\n".join(f"{name}\t{text}" for name, text in _OURS if name.startswith(words[1])))
        return _cread.run(["__complete", *words])
    for line in _complete(words, profile_parser, has_target) if words else ():
        print(line)
    return 0


# ---- The manual page ----


def _roff(text: str) -> str:
    """Text in which nothing means anything to roff, in lines that are not long."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    lines = textwrap.wrap(text, 75, break_long_words=False, break_on_hyphens=False)
    return "\n".join(f"\\&{line}" if line[:1] in (".", "'") else line for line in lines)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _bold(text: str) -> str:
    return f"\\fB{_roff(text)}\\fR"


def _option(action: argparse.Action, text: str, opposites: set[str]) -> str:
    value = ""
    if _takes_value(action):
        word = f"\\fI{_roff(str(action.metavar))}\\fR"
        value = f"[={word}]" if action.nargs == "?" else f" {word}"
    names = [_bold(name) + value for name in action.option_strings]
    names += [_bold(name) for name in opposites if name == f"--no-{action.dest}"]
    return f".TP\n{', '.join(names)}\n{_roff(_capital(text))}."


def _all_options(parser: Parser) -> list[str]:
    names = {name for action in parser.options() for name in action.option_strings}
    told = ((action, parser.explain(action)) for action in parser.options())
    return [_option(action, text, names) for action, text in told if text]


def _entries(entries: Iterable[tuple[str, str]]) -> list[str]:
    return [f".TP\n{_bold(name)}\n{_roff(text)}" for name, text in entries]


_ENVIRONMENT = [
    ("NYTPROF", "Settings, as key=value:key=value."),
    ("PYNYTPROF_KEY", "One setting, as PYNYTPROF_COMPRESS."),
    ("NYTPROF_FILTER", "Patterns of files, comma-separated, as --include."),
    ("PYNYTPROF_TRACER, PYNYTPROF_WRITER", "c or py: which tracer and which writer are used."),
    ("PYNYTPROF_DEBUG", "If it is set, what is at work is told on standard error."),
    ("NO_COLOR", "If it is set and not empty, --color auto uses no colours."),
]
_FILES = [
    ("nytprof.out", "The profile."),
    ("pyproject.toml", "The nearest one's [tool.pynytprof] has settings (from Python 3.11 on)."),
]
_EXAMPLES = [
    ("pynytprof script.py arguments", "Profile a script."),
    ("pynytprof --scope project -o tests.out -m pytest", "Profile a module, without libraries."),
    ("pynytprof summary nytprof.out", "The lines, functions, files and calls that cost most."),
    ("pynytprof convert --to speedscope -o out.json nytprof.out", "A flame graph."),
    ("pynytprof diff --fail-if 'total>+5%' before.out after.out",
     "What changed, with exit status 1 if the total time grew by more than 5 %."),
]  # fmt: skip


_USAGE = """\\fBpynytprof\\fR [\\fBprofile\\fR] [\\fIoptions\\fR] \\fISCRIPT\\fR [\\fIARGS\\fR ...]
.br
\\fBpynytprof\\fR [\\fBprofile\\fR] [\\fIoptions\\fR] \\fB\\-m\\fR \\fIMODULE\\fR [\\fIARGS\\fR ...]
.br
\\fBpynytprof\\fR [\\fBprofile\\fR] [\\fIoptions\\fR] \\fB\\-c\\fR \\fICODE\\fR [\\fIARGS\\fR ...]
.br
\\fBpynytprof\\fR [\\fBprofile\\fR] [\\fIoptions\\fR] \\fB\\-\\fR [\\fIARGS\\fR ...]
.br
\\fBpynytprof\\fR \\fICOMMAND\\fR [\\fIoptions\\fR] \\fIFILE\\fR ...
.br
\\fBpynytprof ctl\\fR [\\fIPID\\fR \\fBflush\\fR|\\fBpause\\fR|\\fBresume\\fR|\\fBfinish\\fR]
.br
\\fBpynytprof attach\\fR \\fIPID\\fR [\\fB\\-\\-duration\\fR \\fISECONDS\\fR]
[\\fB\\-\\-wait\\fR \\fISECONDS\\fR] [\\fIoptions\\fR]
.br
\\fBpynytprof mcp\\fR
.br
\\fBpynytprof help\\fR [\\fICOMMAND\\fR]
.br
\\fBpynytprof guide\\fR
.br
\\fBpynytprof completions bash\\fR|\\fBfish\\fR|\\fBzsh\\fR"""


def _print_lines(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


def manual(profile_parser: Parser, description: str, sources: str) -> int:
    """Writes the manual page, in the man macros of roff; returns the exit status."""
    _print_lines(
        f'.TH PYNYTPROF 1 "{RELEASED}" "pynytprof {VERSION}"',
        ".SH NAME", "pynytprof \\- profile Python programs by line and by call",
        ".SH SYNOPSIS", _USAGE,
        ".SH DESCRIPTION", _roff(description), ".PP", _roff(sources),
        ".PP", _roff("It exits with the status of the program that it profiles, or with 2 if "
                     "the command line or a setting is wrong."),
        ".SH OPTIONS", *_all_options(profile_parser),
        ".SH COMMANDS", "Those of nytprof(1):",
    )  # fmt: skip
    status = _cread.run(["--man", "commands"])
    _print_lines(
        ".SH ENVIRONMENT", *_entries(_ENVIRONMENT),
        ".SH FILES", *_entries(_FILES),
        ".SH EXAMPLES", *_entries(_EXAMPLES),
        ".SH SEE ALSO", ".BR nytprof (1),\n.BR nytprofhtml (1),\n.BR python3 (1)",
    )  # fmt: skip
    return status
