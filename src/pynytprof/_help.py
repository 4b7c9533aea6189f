"""What the command line says of itself: the manual page pynytprof(1), and completion.

Both come from the parsers that read the words. Completion is that of the program nytprof:
``pynytprof completions SHELL`` writes a script that makes the shell ask ``pynytprof __complete
WORD...``. The answer has a line for each word that the last one may become, with a tab and a
description; the line ``:files`` stands for files.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from . import __version__, _commands
from ._run import settings as _settings

RELEASED = "2026-11-24"
"""The day of this version, for the manual page."""

# ---- What parsers have ----


def _options(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return [action for action in parser._actions if action.option_strings]


def _text(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    if action.help in (None, argparse.SUPPRESS):
        return f"see {action.option_strings[0].replace('--no-', '--')}"
    return parser._get_formatter()._expand_help(action)


def _words(action: argparse.Action) -> list[str]:
    """What its argument may be; none: anything."""
    return list(action.choices or _settings.WORDS.get(action.dest, ()))


def _takes_value(action: argparse.Action) -> bool:
    return action.nargs != 0


# ---- Completion ----

_SHELLS = ("bash", "fish", "zsh")


def completions(words: Sequence[str]) -> int:
    """``pynytprof completions SHELL``; returns the exit status."""
    if len(words) != 1 or words[0] not in _SHELLS:
        print(f"usage: pynytprof completions {'|'.join(_SHELLS)}", file=sys.stderr)
        return _commands.USAGE
    script = Path(__file__).with_name(f"completion.{words[0]}").read_text("utf-8")
    sys.stdout.write(script.replace("nytprof", "pynytprof"))
    return _commands.FINE


def _first_words() -> Iterator[tuple[str, str]]:
    for name in _commands.NAMES:
        yield name, _commands.parser_of(name).description or ""
    yield "profile", "run a program under the profiler"
    yield "completions", "write completions for a shell"


def _offer_argument(action: argparse.Action, before: str, typed: str) -> Iterator[str]:
    for word in _words(action):
        if word.startswith(typed):
            yield f"{before}{word}\t{action.dest}"
    if action.metavar in ("FILE", "DIR"):
        yield ":files"


def _offer_options(parser: argparse.ArgumentParser, typed: str) -> Iterator[str]:
    for action in _options(parser):
        for name in action.option_strings:
            if name.startswith("--") and name.startswith(typed):
                yield f"{name}\t{_text(parser, action)}"


def _complete_word(parser: argparse.ArgumentParser, words: Sequence[str]) -> Iterator[str]:
    """What the last of the words behind a command may become."""
    by_name = {name: action for action in _options(parser) for name in action.option_strings}
    waiting: argparse.Action | None = None
    for word in words[:-1]:
        found = by_name.get(word) if waiting is None else None
        waiting = found if found is not None and found.nargs not in (0, "?") else None
    typed = words[-1]
    name, equals, value = typed.partition("=")
    if waiting is not None:
        yield from _offer_argument(waiting, "", typed)
    elif equals and name in by_name and _takes_value(by_name[name]):
        yield from _offer_argument(by_name[name], f"{name}=", value)
    elif typed.startswith("-"):
        yield from _offer_options(parser, typed)
    else:
        yield ":files"


def _complete_target(words: Sequence[str]) -> Iterator[str]:
    """Before the target: our options, its file; behind it: nothing that we know."""
    from . import cli

    parser = cli.profile_parser()
    if cli.has_target(words[:-1], parser):
        return iter([":files"])
    return _complete_word(parser, words)


def _complete(words: Sequence[str]) -> Iterator[str]:
    if len(words) == 1:
        for name, text in _first_words():
            if name.startswith(words[0]):
                yield f"{name}\t{text}"
        yield from _complete_target(words)
    elif words[0] in _commands.NAMES:
        yield from _complete_word(_commands.parser_of(words[0]), words[1:])
    elif words[0] == "completions":
        yield from (f"{shell}\ta shell" for shell in _SHELLS if shell.startswith(words[1]))
    else:
        yield from _complete_target(words[words[0] == "profile" :])


def complete(words: Sequence[str]) -> int:
    """``pynytprof __complete WORD...``; returns the exit status."""
    for line in _complete(words) if words else ():
        print(line)
    return _commands.FINE


# ---- The manual page ----


def _roff(text: str) -> str:
    """Text in which nothing means anything to roff, in lines that are not long."""
    import textwrap

    text = text.replace("\\", "\\e").replace("-", "\\-")
    lines = textwrap.wrap(text, 75, break_long_words=False, break_on_hyphens=False)
    return "\n".join(f"\\&{line}" if line[:1] in (".", "'") else line for line in lines)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _bold(text: str) -> str:
    return f"\\fB{_roff(text)}\\fR"


def _option(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    value = ""
    if _takes_value(action):
        word = str(action.metavar or "{" + ",".join(_words(action)) + "}")
        value = f" \\fI{_roff(word)}\\fR" if action.nargs != "?" else f"[=\\fI{_roff(word)}\\fR]"
    names = [_bold(name) + value for name in action.option_strings]
    if f"--no-{action.dest}" in parser._option_string_actions:
        names.append(_bold(f"--no-{action.dest}"))
    return f".TP\n{', '.join(names)}\n{_roff(_capital(_text(parser, action)))}."


def _all_options(parser: argparse.ArgumentParser) -> list[str]:
    return [
        _option(parser, action)
        for action in _options(parser)
        if action.help not in (None, argparse.SUPPRESS)
    ]


def _command(name: str) -> list[str]:
    parser = _commands.parser_of(name)
    text = _roff(_capital(parser.description or ""))
    return [f".SS pynytprof {name} [options] FILE ...", f"{text}.", *_all_options(parser)]


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
_EXIT_STATUS = [
    ("0", "Fine."),
    ("1", "verify found a fault, or a condition of diff is met."),
    ("2", "Wrong usage."),
    ("3", "A file cannot be read, or is no profile."),
    ("4", "Something was written, but not all there should be."),
]
_EXAMPLES = [
    ("pynytprof script.py arguments", "Profile a script."),
    ("pynytprof --scope project -o tests.out -m pytest", "Profile a module, without libraries."),
    ("pynytprof summary nytprof.out", "The lines, subs, files and calls that cost most."),
    ("pynytprof convert --to speedscope -o out.json nytprof.out", "A flame graph."),
    ("pynytprof diff --fail-if 'total>+5%' before.out after.out",
     "What changed, with exit status 1 if all takes 5 % longer."),
]  # fmt: skip


def _usage() -> list[str]:
    lines = [
        "[\\fBprofile\\fR] [\\fIoptions\\fR] " + target + " [\\fIARGS\\fR ...]"
        for target in (
            "\\fISCRIPT\\fR",
            "\\fB\\-m\\fR \\fIMODULE\\fR",
            "\\fB\\-c\\fR \\fICODE\\fR",
            "\\fB\\-\\fR",
        )
    ]
    lines += [f"\\fB{name}\\fR [\\fIoptions\\fR] \\fIFILE\\fR ..." for name in _commands.NAMES]
    lines += ["\\fBcompletions bash\\fR|\\fBfish\\fR|\\fBzsh\\fR"]
    return ["\n.br\n".join(f"\\fBpynytprof\\fR {line}" for line in lines)]


def manual() -> str:
    """The manual page, in the man macros of roff."""
    from . import cli

    parser = cli.profile_parser()
    commands = [line for name in _commands.NAMES for line in _command(name)]
    parts = [
        f'.TH PYNYTPROF 1 "{RELEASED}" "pynytprof {__version__}"',
        ".SH NAME", "pynytprof \\- profile Python programs by line and by call",
        ".SH SYNOPSIS", *_usage(),
        ".SH DESCRIPTION", _roff(cli.DESCRIPTION), ".PP", _roff(cli.SOURCES),
        ".PP", _roff("It exits with the status of the program that it profiles, or with 2 if "
                     "the command line or a setting is wrong."),
        ".SH OPTIONS", *_all_options(parser),
        ".SH COMMANDS", "What nytprof(1) does, too.", *commands,
        ".SH EXIT STATUS", "Of commands:", *_entries(_EXIT_STATUS),
        ".SH ENVIRONMENT", *_entries(_ENVIRONMENT),
        ".SH FILES", *_entries(_FILES),
        ".SH EXAMPLES", *_entries(_EXAMPLES),
        ".SH SEE ALSO", ".BR nytprof (1),\n.BR nytprofhtml (1),\n.BR python3 (1)",
    ]  # fmt: skip
    return "\n".join(parts) + "\n"
