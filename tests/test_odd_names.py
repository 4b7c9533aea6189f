"""Files under several paths, names that no tool expects, code that extensions and exec make."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from support import PYTHON, TRACERS, run

from pynytprof import reader, verify

both_tracers = pytest.mark.parametrize("tracer", TRACERS)


def profile(text: str, folder: Path, *options: str, tracer: str = "c") -> reader.Profile:
    (folder / "prog.py").write_text(text, encoding="utf-8")
    done = run([PYTHON, "-m", "pynytprof", "-q", *options, "prog.py"], folder,
               PYNYTPROF_TRACER=tracer, PYNYTPROF_WRITER=tracer)  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert verify.verify(folder / "nytprof.out", quiet=True)
    return reader.read(folder / "nytprof.out")


@both_tracers
def test_one_file_is_one_file(tracer: str, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "sub")
    (tmp_path / "sub" / "helper.py").write_text("def work(): pass\nwork()\n")
    text = """
import os, runpy
here = os.path.dirname(os.path.abspath(__file__))
for path in ("sub/helper.py", "sub/../sub/helper.py", "link/helper.py", "sub//./helper.py",
             "link/../sub/helper.py"):
    runpy.run_path(os.path.join(here, path))
    runpy.run_path(path)
"""
    found = profile(text, tmp_path, tracer=tracer)
    helpers = [f.name for f in found.files.values() if "helper" in f.name and "eval" not in f.name]
    assert helpers == [str(tmp_path / "sub" / "helper.py")]


@both_tracers
def test_dots_behind_a_link_are_followed(tracer: str, tmp_path: Path) -> None:
    """link/../mod.py is not mod.py beside the link."""
    (tmp_path / "far" / "deep").mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "far" / "deep")
    (tmp_path / "far" / "mod.py").write_text("far = 1\n")
    (tmp_path / "mod.py").write_text("near = 1\n")
    text = "import runpy\nrunpy.run_path('mod.py')\nrunpy.run_path('link/../mod.py')\n"
    found = profile(text, tmp_path, tracer=tracer)
    texts = {
        source for f in found.files.values() if "mod.py" in f.name for source in f.source.values()
    }
    assert texts == {"far = 1\n", "near = 1\n"}


ODD = """
import types
def f(n): return n
for name in ("", ".", "f..g", "f.", "x" * 3000, "é" * 999, "<locals>", "a.<locals>"):
    for module in ("", "a..b", "a.", ".", "x" * 3000, "y." * 3000, "é" * 999, "n" * 239 + "."):
        more = {"co_qualname": name} if hasattr(f.__code__, "co_qualname") else {}
        code = f.__code__.replace(co_name=name, **more)
        types.FunctionType(code, {"__name__": module})(3)
"""


@both_tracers
def test_odd_names_make_sound_profiles(tracer: str, tmp_path: Path) -> None:
    found = profile(ODD, tmp_path, tracer=tracer)
    ours = [name for name, sub in found.subs.items() if sub.calls and "(builtins)" not in name]
    assert all("" not in name.split("::") for name in ours), ours
    assert sum(found.subs[name].calls for name in ours) >= 64


def test_both_tracers_have_the_same_odd_names(tmp_path: Path) -> None:
    names = []
    for tracer in TRACERS:
        folder = tmp_path / tracer
        folder.mkdir()
        names.append({n.replace(tracer, "") for n in profile(ODD, folder, tracer=tracer).subs
                      if n.startswith(("a::", "(empty)", "x", "y::", "n", "é"))})  # fmt: skip
    assert names[0] == names[-1]


@both_tracers
def test_markup_in_paths_is_none_in_the_profile(tracer: str, tmp_path: Path) -> None:
    folder = tmp_path / 'x"><svg onload=alert(5)>'
    folder.mkdir()
    found = profile("def f(): pass\nf()\n", folder, tracer=tracer)
    (name,) = (f.name for f in found.files.values() if f.name.endswith("prog.py"))
    assert not set(name) & set('<>"')
    assert "svg onload=alert(5)" in name
    assert found.subs["__main__::f"].calls == 1


def test_lines_that_no_text_has_are_folded(tmp_path: Path) -> None:
    text = """
import ast
tree = ast.parse("x = 1\\ny = 2\\n")
for node in ast.walk(tree):
    if hasattr(node, "lineno"): node.lineno = node.end_lineno = 2_000_000_000
exec(compile(tree, "far_away.py", "exec"))
"""
    found = profile(text, tmp_path)
    (far,) = (f for f in found.files.values() if f.name.endswith("far_away.py"))
    assert {line.line for line in found.lines if line.fid == far.fid} == {65535}


def test_lines_past_65535_are_a_note(tmp_path: Path) -> None:
    found = profile("\n" * 70000 + "def f(): pass\nf()\n", tmp_path)
    (file,) = (f for f in found.files.values() if f.name.endswith("prog.py"))
    assert max(line.line for line in found.lines if line.fid == file.fid) == 70002


@both_tracers
def test_the_text_of_a_notebooks_cell(tracer: str, tmp_path: Path) -> None:
    """Its name looks like that of a file, which is nowhere: only linecache knows it."""
    text = """
import linecache
cell = "def cell(n):\\n    return n\\ncell(1)\\n"
name = "/tmp/ipykernel_1/123456.py"
linecache.cache[name] = len(cell), None, cell.splitlines(True), name
exec(compile(cell, name, "exec"))
"""
    found = profile(text, tmp_path, tracer=tracer)
    (file,) = (f for f in found.files.values() if "ipykernel" in f.name)
    assert file.source[1] == "def cell(n):\n"


def test_what_left_out_code_makes_is_left_out(tmp_path: Path) -> None:
    text = """
import collections, dataclasses
@dataclasses.dataclass
class D: x: int
P = collections.namedtuple("P", "x y")
P(1, 2), D(1)
exec("def mine(): pass\\nmine()")
exec("def nameless(): pass\\nnameless()", {})
"""
    found = profile(text, tmp_path, "--scope", "project")
    assert [f.name for f in found.files.values() if "collections" in f.name] == []
    names = [name for name, sub in found.subs.items() if sub.calls]
    assert "__main__::mine" in names
    assert "__main__::nameless" in names
    assert [name for name in names if "unknown" in name or "namedtuple" in name] == []


@pytest.mark.skipif(sys.version_info < (3, 13), reason="needs CPython 3.13 or later")
def test_code_of_extensions_is_of_their_own_module(tmp_path: Path) -> None:
    """As Cython 3 tells of it: the events come from C, and no frame runs the code."""
    text = """
import ctypes
api = ctypes.pythonapi
class State(ctypes.Structure): _fields_ = [("active", ctypes.c_ubyte), ("opaque", ctypes.c_ubyte)]
states, version = (State * 2)(), ctypes.c_uint64(0)
events = (ctypes.c_ubyte * 2)(0, 2)  # PY_START, PY_RETURN
def stub(): pass
code = stub.__code__.replace(co_filename="folder/cymod.pyx", co_name="fact", co_qualname="fact")
def fire():
    api.PyMonitoring_EnterScope(states, ctypes.byref(version), events, ctypes.c_ssize_t(2))
    api._PyMonitoring_FirePyStartEvent(ctypes.byref(states[0]), ctypes.py_object(code), 0)
    api._PyMonitoring_FirePyReturnEvent(ctypes.byref(states[1]), ctypes.py_object(code), 0,
                                        ctypes.py_object(None))
    api.PyMonitoring_ExitScope()
for _ in range(3): fire()
"""
    found = profile(text, tmp_path)
    assert found.subs["cymod::fact"].calls == 3
