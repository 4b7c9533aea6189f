"""Code that comes from no file, in any amount: its text, its names, its counts.

The C tracer's alone: the one in Python is not shown what exec and eval are given.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from chunks import Chunks
from support import TRACERS, run
from views import View

pytestmark = pytest.mark.skipif("c" not in TRACERS, reason="the C tracer is not there")

A_LINE = 200  # texts on one line that are told apart
Profiled = Callable[[str], Chunks]


def named(chunks: Chunks, part: str) -> list[int]:
    """The fids of the files in whose names `part` occurs."""
    return [fid for fid, (name, _) in chunks.files.items() if part in name]


def evals_of(chunks: Chunks, line: int) -> list[int]:
    """The fids of what that line of the program ran, in order."""
    (program,) = named_exactly(chunks, "program.py")
    return [fid for fid, place in chunks.parents.items() if place == (program, line)]


def named_exactly(chunks: Chunks, end: str) -> list[int]:
    return [fid for fid, (name, _) in chunks.files.items() if name.endswith("/" + end)]


def counts(chunks: Chunks, fid: int) -> dict[int, int]:
    return {row[1]: row[4] for lane in chunks.lanes for row in lane.lines if row[0] == fid}


def text_of(chunks: Chunks, line: int) -> str:
    (fid,) = evals_of(chunks, line)
    return "".join(chunks.sources[fid])


def test_the_text_is_what_was_given(profiled: Profiled) -> None:
    chunks = profiled("""\
        exec("a = 1\\nb = 'é\u2028\\x0c'\\n")
        exec(b"# coding: latin-1\\r\\na = '\\xe9'\\rb = 2\\n")
        eval("  max(1,\\n2)")
        exec(compile("c = 1", "<mine>", "exec"))
        code = compile(b"d = 1\\n", "<bytes>", mode="exec")
        pass
        exec(code)
        import ast
        exec(compile(ast.parse("e = 1"), "<tree>", "exec"))
        """)
    assert text_of(chunks, 1) == "a = 1\nb = 'é\u2028\x0c'\n"
    assert text_of(chunks, 2) == "# coding: latin-1\na = 'é'\nb = 2\n"
    assert text_of(chunks, 3) == "  max(1,\n2)"
    assert text_of(chunks, 4) == "c = 1"
    assert evals_of(chunks, 5) == []
    assert text_of(chunks, 7) == "d = 1\n"
    assert "not known" in text_of(chunks, 9)
    assert counts(chunks, evals_of(chunks, 1)[0]) == {1: 1, 2: 1}


def test_code_that_the_standard_library_makes_has_its_text(profiled: Profiled) -> None:
    chunks = profiled("""\
        import collections, dataclasses
        Pair = collections.namedtuple("Pair", "left right")
        @dataclasses.dataclass
        class Point:
            x: int
        Pair(1, 2)
        Point(3)
        """)
    texts = {"".join(chunks.sources[fid]) for fid in chunks.parents}
    assert any("left, right" in text for text in texts)
    assert any("self.x" in text for text in texts)
    assert not any("not known" in text for text in texts)


def test_equal_texts_on_a_line_are_one_file(profiled: Profiled) -> None:
    chunks = profiled("""\
        for i in range(5):
            exec("x = 1\\ndef f(): return x\\nf()")
            exec(["y = 1", "z = 1"][i % 2])
        exec("x = 1\\ndef f(): return x\\nf()")
        """)
    (loop,), (after,) = evals_of(chunks, 2), evals_of(chunks, 4)
    assert counts(chunks, loop) == {1: 5, 2: 10, 3: 5}
    assert counts(chunks, after) == {1: 1, 2: 2, 3: 1}
    assert [(chunks.sources[fid], counts(chunks, fid)) for fid in evals_of(chunks, 3)] == [
        (["y = 1"], {1: 3}),
        (["z = 1"], {1: 2}),
    ]


def test_the_text_goes_to_the_frame_that_runs_it(profiled: Profiled) -> None:
    """Not to what it calls, nor to code that was compiled before, nor to that after an error."""
    chunks = profiled("""\
        code = compile("inner = 1", "<string>", "exec")
        exec("exec(code)")
        try:
            exec("1 +")
        except SyntaxError:
            exec(code)
        exec("exec('deep = 1')")
        """)
    (outer,) = evals_of(chunks, 2)
    (inner,) = (fid for fid, place in chunks.parents.items() if place == (outer, 1))
    assert chunks.sources[outer] == ["exec(code)"]
    assert chunks.sources[inner] == ["inner = 1"]
    assert counts(chunks, inner) == {1: 2}  # code is of the file that ran it first
    (outer,) = evals_of(chunks, 7)
    (inner,) = (fid for fid, place in chunks.parents.items() if place == (outer, 1))
    assert chunks.sources[inner] == ["deep = 1"]


def test_any_number_of_texts_takes_a_limited_number_of_files(profiled: Profiled) -> None:
    chunks = profiled("""\
        for i in range(1000):
            exec(f"def f{i}():\\n" + "\\n" * (i % 99) + f"    return {i}\\nf{i}()")
        for i in range(1000):
            eval(compile(f"{i}", f"<number {i}>", "eval"))
        """)
    for line, ran in ((2, 1000), (4, 1000)):
        fids = evals_of(chunks, line)
        assert len(fids) == A_LINE + 1
        folded = fids[-1]
        assert "more texts" in chunks.sources[folded][0]
        subs = [sub for sub, (fid, *_) in chunks.subs.items() if fid == folded]
        assert len(subs) <= 64 + 1
        ours = [e for lane in chunks.lanes for e in lane.edges if e.callee in subs]
        calls = sum(e.count for e in ours)
        assert calls == (ran - A_LINE) * (2 if line == 2 else 1)
        lines = sum(n for fid in fids for n in counts(chunks, fid).values())
        assert lines == ran * (3 if line == 2 else 1)
    assert chunks.facts["folded_evals"] == 2 * (1000 - A_LINE)


@pytest.mark.slow
def test_evals_in_evals_are_limited_too(profiled: Profiled) -> None:
    chunks = profiled("""\
        for i in range(150):
            exec("for j in range(150):\\n    exec(f'x = {j} + %d')" % i)
        """)
    assert chunks.facts["files"] < 11000
    assert sum(
        n for fid in chunks.parents if chunks.files[fid][0].startswith("(eval")
        for n in counts(chunks, fid).values()
    ) == 150 * (151 + 150) + 150 * 150  # fmt: skip


def test_functions_made_in_a_loop_are_one(profiled: Profiled) -> None:
    chunks = profiled("""\
        def make(i):
            def f(): return i
            g = lambda: i
            return f, g
        total = sum(f() + g() for f, g in map(make, range(2000)))
        """)
    (program,) = named_exactly(chunks, "program.py")
    assert len([sub for sub in chunks.subs.values() if sub[0] == program]) == 5
    assert counts(chunks, program)[2] == 2 * 2000
    assert counts(chunks, program)[3] == 2 * 2000


def test_replaced_code_counts_where_it_says_it_is(profiled: Profiled) -> None:
    chunks = profiled("""\
        def f(a):
            return a

        other = f.__code__.replace(co_filename="/nowhere/else.py", co_firstlineno=101)
        same = f.__code__.replace(co_consts=f.__code__.co_consts + (1,))
        f(1)
        f.__code__ = other
        f(2)
        f(2)
        f.__code__ = same
        f(3)
        """)
    (program,), (other,) = named_exactly(chunks, "program.py"), named_exactly(chunks, "else.py")
    assert counts(chunks, program)[2] == 2
    assert counts(chunks, other) == {102: 2}


@pytest.mark.slow
def test_many_replaced_codes_are_limited(profiled: Profiled) -> None:
    """A program that makes up file names, past any that a program has."""
    chunks = profiled("""\
        def f(): pass
        code = f.__code__
        for i in range(51000):
            f.__code__ = code.replace(co_filename=f"/nowhere/{i}.py")
            f()
        """)
    (others,) = [fid for fid, (name, _) in chunks.files.items() if name == "(other files)"]
    assert 1000 < sum(counts(chunks, others).values()) < 2000
    assert len(chunks.files) < 50010


def test_an_address_used_again_is_other_code(profiled: Profiled) -> None:
    chunks = profiled("""\
        import gc
        for i in range(300):
            space = {}
            text = "def f%d():\\n%s    return 1" % (i % 3, "\\n" * (i % 3))
            exec(compile(text, "<f>", "exec"), space)
            space.popitem()[1]()
            space.clear()
        """)
    fids = evals_of(chunks, 5)
    assert [counts(chunks, fid) for fid in fids] == [
        {1: 100, 2: 100}, {1: 100, 3: 100}, {1: 100, 4: 100}
    ]  # fmt: skip


def test_a_module_that_is_edited_and_reloaded_has_two_texts(profiled: Profiled) -> None:
    chunks = profiled("""\
        import importlib, os, sys
        sys.dont_write_bytecode = True
        path = os.path.join(os.path.dirname(__file__), "edited.py")
        with open(path, "w") as file:
            file.write("def f():\\n    return 1\\nf()\\n")
        import edited
        importlib.reload(edited)
        with open(path, "wb") as file:
            file.write(b"# coding: latin-1\\n# \\xe9\\ndef f():\\n    return 2\\nf(); f()\\n")
        importlib.reload(edited)
        os.remove(path)
        edited.f()
        """)
    (first,), (second,) = named_exactly(chunks, "edited.py"), named(chunks, "(version 2)")
    assert "".join(chunks.sources[first]) == "def f():\n    return 1\nf()\n"
    assert chunks.sources[second][1] == "# é\n"
    assert counts(chunks, first) == {1: 2, 2: 2, 3: 2}
    assert counts(chunks, second) == {3: 1, 4: 3, 5: 1}


def test_a_template_has_its_own_text_and_that_of_its_code(profiled: Profiled) -> None:
    chunks = profiled("""\
        import os
        path = os.path.join(os.path.dirname(__file__), "page.html")
        with open(path, "w") as file:
            file.write("<b>{{ x }}</b>")
        for i in range(30):
            exec(compile("x = 1\\ny = %d\\n" % (i // 2), path, "exec"))
        """)
    versions = named(chunks, "page.html")
    assert len(versions) == 1 + 15
    assert counts(chunks, versions[1]) == {1: 2, 2: 2}


def test_what_c_gives_to_exec_is_not_its_own_text(tmp_path: Path) -> None:
    out = tmp_path / "out"
    program = "x = 1\nexec('y = 2\\ny = 3')\n"
    done = run([sys.executable, "-m", "pynytprof", "-q", "-o", out, "-c", program])
    assert (done.returncode, done.stderr) == (0, "")
    sources = View(out).sources
    assert sources["(-c)"] == ["x = 1\n", "exec('y = 2\\ny = 3')\n"]
    assert sources["(eval 1)[(-c):2]"] == ["y = 2\n", "y = 3"]


@pytest.mark.skipif(sys.version_info < (3, 13), reason="needs CPython 3.13 or later")
def test_a_subinterpreter_takes_code_that_was_compiled_here(profiled: Profiled) -> None:
    profiled("""\
        import _interpreters
        code = compile("x = eval('1 + 1'); assert x == 2", "<there>", "exec")
        assert _interpreters.exec(_interpreters.create(), code) is None
        """)


def test_exec_eval_and_compile_are_themselves_again(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        textwrap.dedent("""\
        import ctypes
        from pynytprof.tracer import Tracer
        class Nothing:
            def write_chunk(self, token, payload): pass
            def close(self): pass
        def function(built_in):
            # PyCFunctionObject: head, m_ml; PyMethodDef: name, meth
            method = ctypes.c_void_p.from_address(id(built_in) + 16).value
            return ctypes.c_void_p.from_address(method + 8).value
        all = exec, eval, compile
        before = [function(f) for f in all]
        with Tracer(writer=Nothing()):
            during = [function(f) for f in all]
            assert eval("1 + 1", {}, {}) == 2 and exec("x = 1") is None
            assert eval(compile(source="3", filename="f", mode="eval")) == 3
            for wrong in (exec, lambda: eval(1), lambda: compile("1"), lambda: eval("1", x=1)):
                try:
                    wrong()
                except TypeError:
                    continue
                raise AssertionError
        assert [function(f) for f in all] == before
        assert not set(during) & set(before)
        """),
        encoding="utf-8",
    )
    done = run([sys.executable, program], PYNYTPROF_TRACER="c")
    assert (done.returncode, done.stderr) == (0, "")
