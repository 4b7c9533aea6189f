"""``%load_ext pynytprof``: the magics ``%nytprof STATEMENT`` and ``%%nytprof`` for IPython.

    %%nytprof -o work.out --scope project
    total = 0
    for n in range(1000):
        total += work(n)

The cell runs in the notebook's own namespace; below it come its lines, and those of earlier cells
whose functions it called, with counts and times. The profile itself is ``_nytprof`` then, a
:class:`pynytprof.reader.Profile`.
"""

from __future__ import annotations

import ast
import contextlib
import html
import inspect
import linecache
import os
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from . import reader
from .tracer import Tracer

__all__ = ["Cells", "load_ipython_extension", "unload_ipython_extension"]

NAME = "_nytprof"
"""The notebook's variable that has the last profile."""

_OPTION = re.compile(r"(?P<name>-o|--file|--scope|--set)(?:=|\s+)(?P<value>\"[^\"]+\"|\S+)")
_PLAIN = ("-q", "--quiet")
_TOP_LEVEL_AWAIT = getattr(ast, "PyCF_ALLOW_TOP_LEVEL_AWAIT", 0)

_at_work = False
"""Whether a magic profiles right now."""


@dataclass
class _Wanted:
    """What the line of a magic says."""

    file: str = ""
    quiet: bool = False
    options: dict[str, str] = field(default_factory=dict)
    statement: str = ""


def _read(line: str) -> _Wanted:
    """Raises ValueError for options that there are not."""
    wanted = _Wanted()
    rest = line.lstrip()
    while rest.startswith("-"):
        word, _, behind = rest.partition(" ")
        if word == "--":
            rest = behind
            break
        if word in _PLAIN:
            wanted.quiet, rest = True, behind.lstrip()
            continue
        found = _OPTION.match(rest)
        if found is None:
            raise ValueError(
                f"{word}: unknown option, or one without its value; there are -o FILE, "
                "--scope project|site|all, --set KEY=VALUE, -q, and -- in front of a statement"
            )
        _take(wanted, found["name"], found["value"].strip('"'))
        rest = rest[found.end() :].lstrip()
    wanted.statement = rest
    return wanted


def _take(wanted: _Wanted, name: str, value: str) -> None:
    if name in ("-o", "--file"):
        wanted.file = value
    elif name == "--scope":
        wanted.options["scope"] = value
    else:
        key, equals, setting = value.partition("=")
        if not equals:
            raise ValueError(f"--set {value}: expected KEY=VALUE")
        wanted.options[key] = setting


# ---- The code ----


def _compiled(shell: Any, text: str) -> tuple[list[Any], str]:
    """The code objects of a cell, the last of which may have a value to show; and the cell's name.

    Raises SyntaxError, and ValueError for what can't be run here.
    """
    source = shell.transform_cell(text)
    name = shell.compile.cache(source, shell.execution_count, raw_code=text)
    tree = shell.transform_ast(shell.compile.ast_parse(source, filename=name))
    statements: list[ast.stmt] = tree.body
    shown: list[ast.expr] = []
    if statements and isinstance(statements[-1], ast.Expr) and not source.rstrip().endswith(";"):
        shown = [statements[-1].value]
        statements = statements[:-1]
    parts: list[tuple[ast.AST, str]] = [(ast.Module(statements, []), "exec")] if statements else []
    parts += [(ast.Expression(value), "eval") for value in shown]
    with shell.compile.extra_flags(_TOP_LEVEL_AWAIT):
        codes = [shell.compile(part, name, kind) for part, kind in parts]
    if any(code.co_flags & inspect.CO_COROUTINE for code in codes):
        raise ValueError(
            "await outside a function can't be profiled by a magic; in a cell of its own: "
            'with pynytprof.Tracer("nytprof.out"): await ...'
        )
    return codes, name


def _run(codes: Iterable[Any], namespace: dict[str, Any]) -> object:
    """Returns what is to be shown: the last expression's value, or None."""
    value = None
    for code in codes:
        value = eval(code, namespace)
    return value


# ---- What is shown ----


@dataclass
class _Cell:
    """A cell's lines with their figures."""

    title: str
    source: dict[int, str]
    lines: dict[int, reader.Line]
    fid: int
    callers: dict[int, str] = field(default_factory=dict)
    """Of the functions that begin on a line: how often they were called, and from where."""

    @property
    def time(self) -> float:
        return sum(line.time for line in self.lines.values())


def _amount(seconds: float) -> str:
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns" if seconds else "0"


_SHARED = (
    "~ a share of a time that was measured for several lines together; "
    "--exact-lines measures each line"
)
"""What a ``~`` means, where one is shown."""

_HEAD = ("count", "time", "with calls", "", "")


class Cells:
    """The lines of the cells that ran, annotated: as HTML, and as text for terminals."""

    def __init__(self, profile: reader.Profile, cells: list[_Cell]) -> None:
        self._profile = profile
        self._cells = cells

    @property
    def _have_shared(self) -> bool:
        lines = (cell.lines.get(number) for cell in self._cells for number in cell.source)
        return any(line is not None and line.shared for line in lines)

    def _rows(self, cell: _Cell) -> Iterator[tuple[tuple[str, ...], float]]:
        """The columns of each line, and its share of the hottest one's time."""
        most = max((line.incl for line in cell.lines.values()), default=0) or 1
        for number, text in cell.source.items():
            if called := cell.callers.get(number):
                indent = text[: len(text) - len(text.lstrip())]
                yield ("", "", "", "", f"{indent}# {called}"), 0.0
            line = cell.lines.get(number)
            figures = ("", "", "")
            if line is not None:
                time = ("~" if line.shared else "") + _amount(line.time)
                figures = (f"{line.count:,}", time, _amount(line.incl))
            yield (*figures, str(number), text.rstrip("\n")), line.incl / most if line else 0.0

    def __repr__(self) -> str:
        parts = []
        for cell in self._cells:
            parts.append(cell.title)
            parts += [
                f"{count:>10} {time:>9} {incl:>10} {number:>4}  {text}".rstrip()
                for (count, time, incl, number, text), _ in [(_HEAD, 0.0), *self._rows(cell)]
            ]
        if self._have_shared:
            parts += ["", _SHARED]
        return "\n".join(parts) or "no line of a cell ran"

    def _repr_html_(self) -> str:
        right = "text-align:right;padding:0 .8em;white-space:nowrap"
        left = "text-align:left;white-space:pre;font-family:monospace"
        tables = []
        for cell in self._cells:
            rows = []
            for (count, time, incl, number, text), share in self._rows(cell):
                heat = f"background:rgba(230,80,40,{share * 0.4:.2f})" if share >= 0.01 else ""
                figures = "".join(f'<td style="{right}">{f}</td>' for f in (count, time, incl))
                rows.append(
                    f'<tr style="{heat}">{figures}<td style="{right};opacity:.6">{number}</td>'
                    f'<td style="{left}">{html.escape(text)}</td></tr>'
                )
            head = "".join(f'<th style="{right}">{word}</th>' for word in _HEAD)
            tables.append(
                f"<div><b>{html.escape(cell.title)}</b></div>"
                f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
            )
        if self._have_shared:
            tables.append(f"<p>{_SHARED}</p>")
        rest = self._profile._repr_html_()
        return (
            f'<div class="pynytprof">{"".join(tables)}'
            f"<details{'' if tables else ' open'}><summary>the whole profile</summary>{rest}"
            "</details></div>"
        )


_MOST_CALLERS = 2


def _times(count: int) -> str:
    return f"{count:,} time{'' if count == 1 else 's'}"


def _tell_callers(cells: list[_Cell], profile: reader.Profile) -> None:
    """Says of each function of a cell who calls it most."""
    of_fid = {cell.fid: cell for cell in cells}
    for sub in profile.subs.values():
        cell = of_fid.get(sub.fid)
        callers = sorted((c for c in sub.callers if c.line), key=lambda call: -call.count)
        if cell is None or not sub.first or not callers or "@" in sub.name:
            continue  # the cell itself is called by nobody, from line 0; lambdas where they stand
        told = []
        for call in callers[:_MOST_CALLERS]:
            where = of_fid.get(call.fid)
            place = f"line {call.line} of {where.title}" if where else str(call.caller)
            told.append(f"{_times(call.count)} by {place}")
        if len(callers) == 1 and callers[0].count == sub.calls:
            cell.callers[sub.first] = f"called {told[0]}"
        else:
            cell.callers[sub.first] = f"called {_times(sub.calls)}: {', '.join(told)}"


def _cells_in(shell: Any, profile: reader.Profile, own: str) -> list[_Cell]:
    """The cell that was run, then the other ones by time."""
    known = {name: "".join(linecache.getlines(name)) for name in _names(shell)}
    found = []
    for file in profile.files.values():
        lines = {line.line: line for line in file.lines}
        text = "".join(file.source.values())
        same = [
            n for n in known if _in_profile(n) == file.name or (file.is_eval and text == known[n])
        ]
        if not lines or not same or file.merged_into:
            continue
        name = own if own in same else same[-1]
        title = "this cell" if name == own else " ".join(_title(shell, name))
        found.append((name != own, _Cell(title, file.source, lines, file.fid)))
    found.sort(key=lambda pair: (pair[0], -pair[1].time))
    cells = [cell for _, cell in found]
    _tell_callers(cells, profile)
    return cells


def _in_profile(name: str) -> str:
    """A file's name in a profile: plain IPython's ``<ipython-input-1-...>`` is no path, and none
    that Perl's HTML could show."""
    return name.replace("<", "(").replace(">", ")")


def _names(shell: Any) -> list[str]:
    """What the code objects of cells say of where they come from."""
    return list(getattr(shell.compile, "_filename_map", {}))


def _title(shell: Any, name: str) -> tuple[str, str]:
    found = getattr(shell.compile, "format_code_name", lambda _: None)(name)
    return found or ("cell", os.path.basename(name))


# ---- The magics ----


class _Magic:
    """``%nytprof`` and ``%%nytprof`` of one shell."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell

    def __call__(self, line: str, cell: str | None = None) -> None:
        from IPython.core.error import UsageError

        try:
            wanted = _read(line)
            if cell is not None and wanted.statement:
                raise ValueError(f"{wanted.statement}: the cell's code begins on the next line")
            text = cell if cell is not None else wanted.statement
            if not text.strip():
                raise ValueError("there is nothing to run")
            codes, name = _compiled(self._shell, text)
        except ValueError as error:
            raise UsageError(f"nytprof: {error}") from None
        if _at_work:
            print("pynytprof: a profile is being made already, and this is a part of it")
            sys.displayhook(_run(codes, self._shell.user_ns))
        else:
            self._profile(wanted, codes, name)

    def _profile(self, wanted: _Wanted, codes: list[Any], name: str) -> None:
        """Runs the code; what it raises comes through once the profile has been shown.

        How IPython shows the value is not a part of it.
        """
        global _at_work
        with tempfile.TemporaryDirectory() as folder:
            path = wanted.file or os.path.join(folder, "nytprof.out")
            tracer = self._started(path, wanted.options)
            _at_work = True
            try:
                try:
                    value = _run(codes, self._shell.user_ns)
                finally:
                    _at_work = False
                    tracer.stop()
                sys.displayhook(value)
            finally:
                if not tracer._session.failed:
                    self._show(path, wanted, name)

    def _started(self, path: str, options: dict[str, str]) -> Tracer:
        from IPython.core.error import UsageError

        try:
            tracer = Tracer(path, options=options)
            tracer._session.use(open_frames=False)
        except (ValueError, RuntimeError, ImportError, OSError) as error:
            raise UsageError(f"nytprof: nothing was run: {error}") from None
        return tracer

    def _show(self, path: str, wanted: _Wanted, name: str) -> None:
        import IPython.display

        display: Any = IPython.display.display

        try:
            profile = reader.read(path)
        except (OSError, reader.ProfileError) as error:
            print(f"pynytprof: {error}")
            return
        self._shell.user_ns[NAME] = profile
        if not wanted.quiet:
            display(Cells(profile, _cells_in(self._shell, profile, name)))
        if wanted.file:
            print(f"profile written to {wanted.file}")


def load_ipython_extension(shell: Any) -> None:
    """What ``%load_ext pynytprof`` calls."""
    magic = _Magic(shell)

    def nytprof(line: str, cell: str | None = None) -> None:
        magic(line, cell)

    nytprof.__doc__ = __doc__
    shell.register_magic_function(nytprof, magic_kind="line_cell", magic_name="nytprof")


def unload_ipython_extension(shell: Any) -> None:
    """What ``%unload_ext pynytprof`` calls."""
    for kind in ("line", "cell"):
        with contextlib.suppress(KeyError):
            del shell.magics_manager.magics[kind]["nytprof"]
