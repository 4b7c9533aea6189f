"""Files, sources, and the names of subs."""

from __future__ import annotations

import os
from importlib.machinery import SourceFileLoader

import pytest
from tracing import Bench, Profile

from pynytprof._pure import names as _names

pytestmark = pytest.mark.alone  # many programs run in this very process


NAMES = """\
class C:
    def m(self):
        def inner():
            return lambda: 0
        return inner
    @property
    def p(self): return 1
    @p.setter
    def p(self, v): pass
def never(): pass
f = lambda: 0
list(x for x in ())
"""


def test_names_of_subs(bench: Bench) -> None:
    profile = bench.run(NAMES)
    ranges = {name: (first, last) for fid, first, last, name in profile.subs.values() if fid == 1}
    assert ranges["m::(module)"] == (1, 12)
    assert ranges["m::C::(class)"] == (1, 9)
    assert ranges["m::C::m"] == (2, 5)
    assert ranges["m::C::m::inner"] == (3, 4)
    assert ranges["m::C::m::inner::lambda@4"] == (4, 4)
    assert ranges["m::C::p"] == (6, 7)
    assert ranges["m::C::p@8"] == (8, 9)
    assert ranges["m::never"] == (10, 10)
    assert ranges["m::lambda@11"] == (11, 11)
    assert ranges["m::genexpr@12"] == (12, 12)
    assert "m::never" not in {profile.name(e.callee) for e in profile.edges}


def test_names_do_not_depend_on_the_order_of_events(bench: Bench) -> None:
    text = "def a(): pass\nx = a\ndef a(): pass\nfor f in FS:\n    f()\n"
    there = bench.run(text.replace("FS", "(x, a)"), name="one.py")
    back = bench.run(text.replace("FS", "(a, x)"), name="two.py")
    for profile in (there, back):
        lines = {name: first for fid, first, _, name in profile.subs.values() if fid == 1}
        assert (lines["m::a"], lines["m::a@3"]) == (1, 3)


def test_names_of_c_functions(bench: Bench) -> None:
    profile = bench.run(
        "import collections, math\n"
        "class D(dict):\n    def get(self, k): return super().get(k)\n"
        "len([]); math.sqrt(2); [].append(1); 'a'.join([]); {}.get(1)\n"
        "collections.deque().append(1); dict.fromkeys([]); D().get(1); D().keys()\n"
        "bytes.fromhex(''); [].append(2)\n"
    )
    names = {name for fid, first, _, name in profile.subs.values() if first == 0}
    expected = {
        "builtins::len", "math::sqrt", "list::append", "str::join", "dict::get",
        "collections::deque::append", "dict::fromkeys", "dict::keys", "bytes::fromhex",
    }  # fmt: skip
    assert expected <= names
    assert not any("D::" in name for name in names)
    (fid,) = {fid for fid, first, _, _ in profile.subs.values() if first == 0}
    assert (profile.files[fid].name, profile.files[fid].flags) == ("(builtins)", 0x84)
    assert profile.files[fid].lines == []
    assert profile.total("list::append").count == 2


def test_strings_given_to_exec_are_files_of_the_line_that_runs_them(bench: Bench) -> None:
    text = (
        "code = 'def f():\\n    return 1\\nf()'\n"
        "for i in range(3):\n    exec(code, {'__name__': 'e'})\n"
        "eval('1 + 1')\n"
    )
    profile = bench.run(text)
    evals = {f.name: f for f in profile.files.values() if f.name.startswith("(eval")}
    path = profile.files[1].name
    assert set(evals) == {f"(eval 1)[{path}:3]", f"(eval 2)[{path}:4]"}
    first = evals[f"(eval 1)[{path}:3]"]
    assert (first.parent, first.parent_line) == (1, 3)
    if bench.kind == "c":  # the one in Python does not see what exec was given
        assert (first.lines, first.flags) == (["def f():\n", "    return 1\n", "f()"], 0x32)
    else:
        assert (len(first.lines), first.flags) == (3, 0x02) and "not known" in first.lines[0]
    assert profile.total("e::f").count == 3


def test_the_source_is_that_of_the_first_moment(bench: Bench) -> None:
    text = "import os\nos.remove(__file__)\nx = 1\n"
    profile = bench.run(text)
    assert profile.files[1].lines == ["import os\n", "os.remove(__file__)\n", "x = 1\n"]
    assert profile.files[1].flags == 0x32


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        (b"x = 1\r\ny = 2\rz = '\x0c'\n", ["x = 1\n", "y = 2\n", "z = '\x0c'\n"]),
        (b"\xef\xbb\xbfx = '\xc3\xa9'", ["x = 'é'"]),
        (b"# coding: latin-1\nx = '\xe9'\n", ["# coding: latin-1\n", "x = 'é'\n"]),
        (b"# vim: set fileencoding=cp1251 :\nx = '\xff'\n", None),
        ("x = '\u2028\u0085'\n".encode(), ["x = '\u2028\u0085'\n"]),
    ],
)
def test_sources_are_decoded_and_split_as_python_does(
    raw: bytes, lines: list[str] | None, bench: Bench
) -> None:
    path = bench.folder / "odd.py"
    path.write_bytes(raw)
    tracer, _, _ = bench.make("", name="other.py")
    tracer.start()
    exec(compile("x = 1", str(path), "exec"), {"__name__": "m"})
    tracer.stop()
    profile = Profile()
    tracer.emit(profile.write_chunk, b"")
    expected = lines or ["# vim: set fileencoding=cp1251 :\n", "x = 'я'\n"]
    assert profile.files[1].lines == expected


def test_without_savesrc_there_is_no_text(bench: Bench) -> None:
    profile = bench.run("x = 1\n", savesrc=False)
    assert (profile.files[1].lines, profile.files[1].flags) == ([], 0x02)


def test_given_sources_have_names_of_their_own(bench: Bench) -> None:
    for filename, name in (("<string>", "(-c)"), ("<stdin>", "(stdin)")):
        tracer, _, _ = bench.make("", sources={filename: "x = 1\n"})
        tracer.start()
        exec(compile("x = 1\n", filename, "exec"), {"__name__": "__main__"})
        tracer.stop()
        profile = Profile()
        tracer.emit(profile.write_chunk, b"")
        file = profile.files[1]
        assert (file.name, file.flags, file.lines) == (name, 0x132, ["x = 1\n"])


def test_no_code_is_shown_with_the_text_of_another(bench: Bench) -> None:
    """The name of a file that is none, or of a frozen module, with a module's own globals."""
    text = (
        "import types\n"
        "exec(compile('a = 1\\n', CELL, 'exec'), globals())\n"
        "types.FunctionType(compile('b = 2\\n', CELL + '2', 'exec'), globals())()\n"
    )
    if bench.kind == "py":  # the one in C looks at the globals alone
        text += "exec(compile('c = 3\\n', '<frozen os>', 'exec'), globals())\n"
    tracer, code, module = bench.make(text, exclude=())
    module["__loader__"] = SourceFileLoader("m", module["__file__"])
    module["CELL"] = str(bench.folder / "cell.py")
    tracer.start()
    exec(code, module)
    tracer.stop()
    profile = Profile()
    tracer.emit(profile.write_chunk, b"")
    texts = {os.path.basename(f.name): "".join(f.lines) for f in profile.files.values()}
    assert texts["prog.py"] == text
    # The one in Python does not see what exec was given.
    assert texts["cell.py"] == ("a = 1\n" if bench.kind == "c" else "")
    assert texts["cell.py2"] == ("b = 2\n" if bench.kind == "c" else "")
    if bench.kind == "py":
        assert "not known" in texts["(frozen os)"]


def test_a_loaders_text_is_shown_for_its_own_file(bench: Bench) -> None:
    class Loader:
        def get_filename(self, name: str) -> str:
            return str(bench.folder / "archive" / f"{name}.py")

        def get_source(self, name: str) -> str:
            return "x = 1\n# of the loader\n"

    tracer, _, _ = bench.make("")
    module = {"__name__": "m", "__loader__": Loader()}
    tracer.start()
    exec(compile("x = 1\n", Loader().get_filename("m"), "exec"), module)
    tracer.stop()
    profile = Profile()
    tracer.emit(profile.write_chunk, b"")
    expected = ["x = 1\n"] if bench.kind == "c" else ["x = 1\n", "# of the loader\n"]
    assert profile.files[1].lines == expected


@pytest.mark.parametrize("filename", ["<string>", "<stdin>"])
def test_code_of_a_given_sources_name_need_not_be_of_it(filename: str, bench: Bench) -> None:
    """What a library that is not traced makes, as namedtuple does, is called ``<string>``, too."""
    text = "def f(): return 1\nf()\n"
    tracer, _, _ = bench.make("", sources={filename: text})
    tracer.start()
    exec(compile(text, filename, "exec"), {"__name__": "__main__"})
    exec(compile(text.replace("1", "2"), filename, "exec"), {"__name__": "other"})
    tracer.stop()
    profile = Profile()
    tracer.emit(profile.write_chunk, b"")
    subs = {name: profile.files[fid] for fid, _, _, name in profile.subs.values()}
    given = subs["__main__::f"]
    assert given.lines == text.splitlines(keepends=True)
    assert subs["__main__::(module)"] is given
    if bench.kind == "py":
        assert subs["other::f"].lines[1:] == ["\n"] and "not known" in subs["other::f"].lines[0]
        assert len({f.name for f in profile.files.values()}) == len(profile.files)


def test_code_that_comes_again_is_one_sub(bench: Bench) -> None:
    text = (
        "def again():\n    exec('def f(): pass\\nf()', {'__name__': 'e'})\n"
        "for i in range(200):\n    again()\n"
    )
    profile = bench.run(text)
    assert len([n for n in profile.names() if n.startswith("e::f")]) == 1
    assert profile.total("e::f").count == 200


# ---- Names by themselves ----


@pytest.mark.parametrize(
    ("module", "qualname", "class_body", "expected"),
    [
        ("a.b", "f", False, "a::b::f"),
        ("m", "f.<locals>.g", False, "m::f::g"),
        ("m", "C.m.<locals>.<lambda>", False, "m::C::m::lambda@7"),
        ("m", "<module>", False, "m::(module)"),
        ("m", "C", True, "m::C::(class)"),
        ("m", "<generic parameters of f>", False, "m::generic@7"),
        ("m", "C.<generic parameters of f>", False, "m::C::generic@7"),
        ("m", "f.<locals>.<listcomp>", False, "m::f::listcomp@7"),
        ("m", "été", False, "m::été"),
        ("m", "a b;c<d", False, "m::a_b_c_d"),
        ("", "f", False, "(unknown)::f"),
    ],
)
def test_python_names(module: str, qualname: str, class_body: bool, expected: str) -> None:
    assert _names.python_sub(module, qualname, 7, class_body) == expected


def test_long_names_are_cut_in_whole_characters() -> None:
    name = _names.python_sub("m", "é" * 400, 1, False)
    assert len(name.encode()) <= 500 and name.endswith("é")


def test_equal_names_are_told_apart_by_place() -> None:
    subs = [
        _names.Sub("m::f", "/b", 5, 6),
        _names.Sub("m::f", "/a", 9, 9),
        _names.Sub("m::f", "/a", 5, 5),
        _names.Sub("m::f", "/b", 9, 9),
        _names.Sub("m::f", "/a", 9, 10),
        _names.Sub("m::f@9", "/a", 1, 1),
    ]
    assert len(set(_names.settle(subs))) == len(subs)
    assert _names.settle(subs)[2] == "m::f"
    assert _names.settle(subs)[5] == "m::f@9"
    assert sorted(_names.settle(subs)) == sorted(_names.settle(subs[::-1]))
