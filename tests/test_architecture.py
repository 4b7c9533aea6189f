"""Who may use whom: the code keeps to the table of docs/architecture.md.

Two kinds of arrows are looked at. In C, a file uses another one if it includes its header or names
one of its functions; in Python, if it imports it, wherever the import stands (what only type
checkers see does not count). A ``.c`` and its ``.h`` are one unit. No arrow may leave its room but
to rooms that the table allows, and units may not use each other in a circle.
"""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
PAGE = "docs/architecture.md"
PUBLIC = "lib/nytprof"
PACKAGE = "src/pynytprof"
INCLUDE_FOLDERS = ("lib", "cli", "ext")
LINKED = {"lib": ("lib/",), "cli": ("lib/", "cli/"), "ext": ("lib/", "cli/", "ext/")}

Arrows = dict[str, set[str]]
"""A unit : those that it uses. A unit is a path without its suffix."""


# ---- The page ----


@dataclass(frozen=True)
class Room:
    names: tuple[str, ...]
    may_use: tuple[str, ...]

    def has(self, unit: str) -> int:
        """How well a name of this room fits a unit; 0: not at all."""
        fits = (n for n in self.names if unit == n or unit.startswith(f"{n}/"))
        return max(map(len, fits), default=0)


def without_suffix(path: str) -> str:
    return re.sub(r"\.(c|h|py|pyi)$", "", path)


def quoted(cell: str) -> tuple[str, ...]:
    return tuple(map(without_suffix, re.findall(r"`([^`]+)`", cell)))


def rooms_of(page: str) -> list[Room]:
    """The rows of the table whose columns are "room", "what is in it" and "may use"."""
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("|")
    ]
    start = rows.index(["room", "what is in it", "may use"])
    rooms = []
    for row in rows[start + 2 :]:
        if len(row) != 3 or not quoted(row[0]):
            break
        rooms.append(Room(quoted(row[0]), quoted(row[2])))
    return rooms


def room_of(unit: str, rooms: list[Room]) -> Room | None:
    best = max(rooms, key=lambda room: room.has(unit), default=None)
    return best if best is not None and best.has(unit) else None


def room_arrows(rooms: list[Room]) -> tuple[Arrows, list[str]]:
    """The table as arrows between the rooms' first names, and what it names but does not have."""
    first = {name: room.names[0] for room in rooms for name in room.names}
    arrows = {room.names[0]: {first.get(n, n) for n in room.may_use} for room in rooms}
    strange = [
        f"{PAGE}: {room.names[0]} may use {name}, which is no room"
        for room in rooms
        for name in room.may_use
        if name not in first
    ]
    return arrows, strange


# ---- C ----


_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_STRING = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'')
_DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.MULTILINE)
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)
_NAME = re.compile(r"(?<![\w.])(?<!->)[A-Za-z_]\w*")
_HEAD = re.compile(r"\b([A-Za-z_]\w*)\s*\((?:[^()]|\([^()]*\))*\)\s*$")


def code_of(text: str) -> str:
    """C without comments and strings."""
    return _STRING.sub('""', _COMMENT.sub(" ", text))


def functions(code: str) -> tuple[set[str], set[str]]:
    """The functions that a file defines: for others, and for itself (static)."""
    code = _DIRECTIVE.sub("", code)
    shared: set[str] = set()
    own: set[str] = set()
    depth, head = 0, ""
    for part in re.split(r"([{};])", code):
        if part == "{":
            found = _HEAD.search(head) if depth == 0 else None
            if found and "=" not in head:
                (own if re.search(r"\bstatic\b", head) else shared).add(found[1])
            depth += 1
        elif part == "}":
            depth -= 1
        if part in ("{", "}", ";"):
            head = ""
        else:
            head += part
    return shared, own


def c_files(top: Path) -> dict[str, str]:
    """Path : text of all C of lib/, cli/ and ext/."""
    paths = sorted(p for f in INCLUDE_FOLDERS for p in (top / f).rglob("*.[ch]"))
    return {p.relative_to(top).as_posix(): p.read_text(encoding="utf-8") for p in paths}


def included(path: str, text: str, files: dict[str, str]) -> Iterator[str]:
    """The project's files that one includes; generated ones are not there to be found."""
    for kind, name in _INCLUDE.findall(text):
        folders = [Path(path).parent.as_posix()] if kind == '"' else []
        for folder in [*folders, *INCLUDE_FOLDERS]:
            found = re.sub(r"[^/]+/\.\./", "", f"{folder}/{name}")
            if found in files:
                yield found
                break


def called(files: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Pairs of units: who names whose function.

    To the outside of lib/, a function that nytprof.h declares is the header's. Names are looked up
    in what a file can be linked with; elsewhere the same name is another thing."""
    codes = {path: code_of(text) for path, text in files.items()}
    owners: dict[str, set[str]] = {}
    statics: dict[str, set[str]] = {}
    for path, code in codes.items():
        shared, statics[path] = functions(code)
        if path.endswith(".c"):
            for name in shared:
                owners.setdefault(name, set()).add(without_suffix(path))
    public = set(_NAME.findall(codes.get(f"{PUBLIC}.h", "")))
    for path, code in codes.items():
        if path == f"{PUBLIC}.h" or not path.endswith(".c"):
            continue
        user = without_suffix(path)
        for name in (set(_NAME.findall(code)) & owners.keys()) - statics[path]:
            found = {owner for owner in owners[name] if owner.startswith(LINKED[top_folder(path)])}
            if name in public and not path.startswith("lib/"):
                yield user, PUBLIC
            elif len(found) == 1:
                yield user, found.pop()


def top_folder(path: str) -> str:
    return path.partition("/")[0]


def c_arrows(top: Path) -> Arrows:
    files = c_files(top)
    arrows: Arrows = {without_suffix(path): set() for path in files}
    for path, text in files.items():
        arrows[without_suffix(path)].update(map(without_suffix, included(path, text, files)))
    for user, used in called(files):
        arrows[user].add(used)
    return arrows


def python_h_in_lib(top: Path) -> list[str]:
    return [
        f"{path} includes Python.h"
        for path, text in c_files(top).items()
        if path.startswith("lib/") and any(name == "Python.h" for _, name in _INCLUDE.findall(text))
    ]


# ---- Python ----


def is_for_type_checkers(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


def imports(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt) and is_for_type_checkers(child):
            for other in getattr(child, "orelse", []):
                yield from imports(ast.Module([other], []))
        elif isinstance(child, (ast.Import, ast.ImportFrom)):
            yield child
        else:
            yield from imports(child)


def modules_named(node: ast.Import | ast.ImportFrom, package: list[str]) -> Iterator[list[str]]:
    """What an import may mean, as lists of names: ``from a import b`` is a.b, or a."""
    if isinstance(node, ast.Import):
        yield from (alias.name.split(".") for alias in node.names)
        return
    base = package[: len(package) - node.level + 1] if node.level else []
    base = base + (node.module.split(".") if node.module else [])
    yield from ([*base, alias.name] for alias in node.names)


def module_unit(names: list[str], units: set[str]) -> str | None:
    """The unit that a dotted name stands for, be it the module or something in it."""
    if names[:1] != [Path(PACKAGE).name]:
        return None
    folder = Path(PACKAGE).parent.as_posix()
    for end in (len(names), len(names) - 1):
        path = f"{folder}/{'/'.join(names[:end])}"
        for unit in (path, f"{path}/__init__"):
            if unit in units:
                return unit
    return None


def python_arrows(top: Path) -> Arrows:
    paths = sorted(p for suffix in ("py", "pyi") for p in (top / PACKAGE).rglob(f"*.{suffix}"))
    names = {p: without_suffix(p.relative_to(top).as_posix()) for p in paths}
    units = set(names.values())
    arrows: Arrows = {unit: set() for unit in units}
    for path, unit in names.items():
        if path.suffix == ".pyi":
            continue
        package = list(path.relative_to(top / PACKAGE).parts[:-1])
        package.insert(0, Path(PACKAGE).name)
        for node in imports(ast.parse(path.read_text(encoding="utf-8"))):
            for words in modules_named(node, package):
                used = module_unit(words, units)
                if used is not None and used != unit:
                    arrows[unit].add(used)
    return arrows


# ---- What must hold ----


def circles(arrows: Arrows) -> list[list[str]]:
    """The groups of units that use each other in a circle (Tarjan)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(unit: str) -> None:
        order[unit] = low[unit] = len(order)
        stack.append(unit)
        for used in sorted(arrows.get(unit, ())):
            if used not in order:
                visit(used)
            if used in stack:
                low[unit] = min(low[unit], low[used])
        if low[unit] == order[unit]:
            group = [stack.pop()]
            while group[-1] != unit:
                group.append(stack.pop())
            if len(group) > 1:
                found.append(sorted(group))

    for unit in sorted(arrows):
        if unit not in order:
            visit(unit)
    return found


def forbidden(arrows: Arrows, rooms: list[Room]) -> Iterator[str]:
    allowed, strange = room_arrows(rooms)
    yield from strange
    for unit in sorted(arrows):
        room = room_of(unit, rooms)
        if room is None:
            yield f"{unit} stands in no room of {PAGE}"
            continue
        for used in sorted(arrows[unit] - {unit}):
            other = room_of(used, rooms)
            if other is None or other is room:
                continue
            if other.names[0] not in allowed[room.names[0]]:
                yield f"{unit} uses {used}: {PAGE} does not allow it"


def circle_faults(arrows: Arrows) -> list[str]:
    return [f"circle of {len(group)}: {', '.join(group)}" for group in circles(arrows)]


def faults(top: Path) -> list[str]:
    """All that is wrong with the C and the Python of a tree."""
    rooms = rooms_of((top / PAGE).read_text(encoding="utf-8"))
    found = circle_faults(room_arrows(rooms)[0])
    for arrows in (c_arrows(top), python_arrows(top)):
        found += [*forbidden(arrows, rooms), *circle_faults(arrows)]
    return sorted({*found, *python_h_in_lib(top)})


# ---- The rules see what they are to see ----

SMALL_PAGE = """\
# Rooms

| room | what is in it | may use |
|---|---|---|
| `lib/nytprof.h` | the public header | |
| `lib/base` | text | `lib/nytprof.h` |
| `lib/format` | bytes | `lib/nytprof.h`, `lib/base` |
| `cli` | the program | `lib/nytprof.h` |
| `ext/read`, `src/pynytprof/_cread.pyi` | an extension | `lib/nytprof.h` |
| `src/pynytprof/_run` | a run | `ext/read` |
| `src/pynytprof` | the package | `src/pynytprof/_run`, `ext/read` |

| word | meaning |
|---|---|
| `lib/format` | this is another table |
"""

SMALL_TREE = {
    PAGE: SMALL_PAGE,
    "lib/nytprof.h": "int nyt_read(void);\n",
    "lib/base/text.h": "int text_put(const char *s);\n",
    "lib/base/text.c": '#include "base/text.h"\nint text_put(const char *s)\n{\n return !s;\n}\n',
    "lib/format/read.h": "int format_read(void);\n",
    "lib/format/read.c": '#include "read.h"\n#include "nytprof.h"\n#include "base/text.h"\n'
    'int nyt_read(void)\n{\n    return text_put("");\n}\n'
    "int format_read(void)\n{\n    return 0;\n}\n",
    "cli/main.c": '#include "nytprof.h"\nint main(void)\n{\n    return nyt_read();\n}\n',
    "ext/read/module.c": '#include <Python.h>\n#include "nytprof.h"\n',
    "src/pynytprof/__init__.py": "from ._run import session\n",
    "src/pynytprof/_cread.pyi": "def run() -> int: ...\n",
    "src/pynytprof/_run/__init__.py": "",
    "src/pynytprof/_run/session.py": "from .. import _cread\n",
}


def small_tree(folder: Path, changes: dict[str, str]) -> Path:
    for name, text in {**SMALL_TREE, **changes}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


def test_a_tree_that_keeps_to_its_page_has_no_fault(tmp_path: Path) -> None:
    top = small_tree(tmp_path, {})
    assert faults(top) == []
    assert c_arrows(top)["lib/format/read"] == {"lib/format/read", "lib/nytprof", "lib/base/text"}
    assert python_arrows(top)["src/pynytprof/_run/session"] == {"src/pynytprof/_cread"}


NOT_ALLOWED = "docs/architecture.md does not allow it"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param(
            {"lib/base/text.h": '#include "format/read.h"\n'},
            ["circle of 2: lib/base/text, lib/format/read",
             f"lib/base/text uses lib/format/read: {NOT_ALLOWED}"],
            id="an include against the arrow",
        ),
        pytest.param(
            {"lib/base/text.c": "int text_put(const char *s)\n{\n    return format_read();\n}\n"},
            ["circle of 2: lib/base/text, lib/format/read",
             f"lib/base/text uses lib/format/read: {NOT_ALLOWED}"],
            id="a call against the arrow, without an include",
        ),
        pytest.param(
            {"lib/base/text.c": "int text_put(const char *s)\n{\n    return nyt_read();\n}\n"},
            ["circle of 2: lib/base/text, lib/format/read",
             f"lib/base/text uses lib/format/read: {NOT_ALLOWED}"],
            id="inside lib the public header hides no call",
        ),
        pytest.param(
            {"lib/format/a.c": "int a(void)\n{\n    return b(a);\n}\n",
             "lib/format/b.c": "static int (*const list[])(void) = {a};\nint b(void *p)\n{\n}\n"},
            ["circle of 2: lib/format/a, lib/format/b"],
            id="a circle inside one room",
        ),
        pytest.param(
            {"lib/format/a.h": '#include "b.h"\n', "lib/format/b.h": '#include "../format/a.h"\n'},
            ["circle of 2: lib/format/a, lib/format/b"],
            id="a circle of headers",
        ),
        pytest.param(
            {"cli/main.c": '#include "format/read.h"\n'},
            [f"cli/main uses lib/format/read: {NOT_ALLOWED}"],
            id="a private header from outside",
        ),
        pytest.param(
            {"cli/main.c": "int main(void)\n{\n    return format_read();\n}\n"},
            [f"cli/main uses lib/format/read: {NOT_ALLOWED}"],
            id="a private function from outside",
        ),
        pytest.param(
            {"lib/base/text.h": "#  include <Python.h>\n"},
            ["lib/base/text.h includes Python.h"],
            id="Python in lib",
        ),
        pytest.param(
            {"lib/new/file.c": ""}, [f"lib/new/file stands in no room of {PAGE}"], id="no room"
        ),
        pytest.param(
            {"src/pynytprof/_run/session.py": "def f():\n    import pynytprof.cli\n",
             "src/pynytprof/cli.py": ""},
            [f"src/pynytprof/_run/session uses src/pynytprof/cli: {NOT_ALLOWED}"],
            id="an import against the arrow, in a function",
        ),
        pytest.param(
            {"src/pynytprof/_run/a.py": "from .b import x\n",
             "src/pynytprof/_run/b.py": "def f():\n    from pynytprof._run import a\n"},
            ["circle of 2: src/pynytprof/_run/a, src/pynytprof/_run/b"],
            id="a circle of imports",
        ),
        pytest.param(
            {PAGE: SMALL_PAGE.replace("the public header | |", "the public header | `cli` |")},
            ["circle of 2: cli, lib/nytprof"],
            id="a circle in the page itself",
        ),
        pytest.param(
            {PAGE: SMALL_PAGE.replace("the program | `lib/nytprof.h` |", "| `lib/nytproof.h` |")},
            [f"cli/main uses lib/nytprof: {NOT_ALLOWED}",
             f"{PAGE}: cli may use lib/nytproof, which is no room"],
            id="a room that is not there",
        ),
    ],
)  # fmt: skip
def test_a_fault_is_found(changes: dict[str, str], expected: list[str], tmp_path: Path) -> None:
    assert faults(small_tree(tmp_path, changes)) == expected


def test_types_comments_members_and_statics_are_no_arrows(tmp_path: Path) -> None:
    top = small_tree(tmp_path, {
        "src/pynytprof/_run/session.py":
            "if TYPE_CHECKING:\n    from .. import cli\nelse:\n    from .. import _cread\n",
        "src/pynytprof/cli.py": "",
        "lib/base/note.c": '/* format_read() */ // format_read()\n'
                           'const char *s = "format_read()"; int x(void)\n{\n'
                           "    return p->format_read + q.format_read;\n}\n",
        "lib/base/other.c": "int z(void)\n{\n    return main;\n}\n",
        "lib/base/own.c": "static int format_read(void)\n{\n    return format_read();\n}\n",
    })  # fmt: skip
    assert faults(top) == []


# ---- And the tree has nothing of it ----


@functools.cache
def faults_of_this_tree() -> list[str]:
    return faults(TOP)


def tree_faults(pattern: str) -> list[str]:
    return [fault for fault in faults_of_this_tree() if re.match(pattern, fault)]


def listed(found: Iterable[str]) -> str:
    return "\n".join(found)


def test_the_page_has_every_folder_and_no_other() -> None:
    rooms = rooms_of((TOP / PAGE).read_text(encoding="utf-8"))
    gone = [n for room in rooms for n in room.names if not list(TOP.glob(f"{n}*"))]
    assert gone == []
    assert not tree_faults(r".* stands in no room|docs/")


@pytest.mark.parametrize("part", ["lib", "cli", "ext", PACKAGE])
def test_no_arrow_leaves_the_table(part: str) -> None:
    found = tree_faults(rf"{part}\S* uses ")
    assert not found, listed(found)


@pytest.mark.parametrize("part", ["lib", "cli", "ext", PACKAGE])
def test_there_is_no_circle(part: str) -> None:
    found = tree_faults(rf"circle of \d+: (\S+, )*{part}/")
    assert not found, listed(found)


def test_the_library_knows_no_python() -> None:
    assert tree_faults(".* includes Python.h") == []
