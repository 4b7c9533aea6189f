"""Collections of garbage as a sub of their own: the setting `gc`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from support import TRACERS, environment

from pynytprof import reader, verify

if "c" not in TRACERS:
    pytest.skip("the tracer in C is not there", allow_module_level=True)

SUB = "gc::(collection)"

PROGRAM = """\
import gc
gc.disable()
told = []
gc.callbacks.append(lambda phase, info: told.append(phase))
class Node:
    def __init__(self):
        self.me = self
    def __del__(self):
        pass
def work(n):
    for i in range(n):
        node = Node()
        if i % 50 == 0:
            node.me = [node.me for _ in range(3)]
work(20)
gc.collect()
gc.set_threshold(100, 3, 3)
gc.enable()
work(1000)
gc.disable()
gc.collect()
print([told.count("start"), len(gc.callbacks)])
"""


def profiled(folder: Path, *options: str, text: str = PROGRAM) -> tuple[reader.Profile, str]:
    (folder / "prog.py").write_text(text)
    done = subprocess.run(
        [sys.executable, "-m", "pynytprof", "-q", *options, "prog.py"],
        cwd=folder, env=environment(PYNYTPROF_HOT="4"), capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stderr == ""
    assert verify.verify(folder / "nytprof.out", quiet=True)
    return reader.read(folder / "nytprof.out"), done.stdout


@pytest.mark.parametrize("options", [[], ["--no-exact-lines"], ["--no-stmts"], ["--no-slowops"]])
def test_they_are_as_many_as_the_collector_tells(options: list[str], tmp_path: Path) -> None:
    profile, said = profiled(tmp_path, "--gc", *options)
    collections, callbacks = json.loads(said)
    assert collections > 3 and callbacks == 2
    sub = profile.subs[SUB]
    assert sub.calls == collections and sub.incl > 0
    callers = Counter[str]()
    for call in sub.callers:
        callers[call.caller] += call.count
    assert callers["__main__::work"] > 0
    if "--no-slowops" not in options:
        assert callers["gc::collect"] == 2


def test_finalizers_are_called_by_the_collector(tmp_path: Path) -> None:
    profile, _ = profiled(tmp_path, "--gc")
    callers = {call.caller for call in profile.subs["__main__::Node::__del__"].callers}
    assert callers == {SUB}
    assert profile.subs["__main__::Node::__del__"].calls == 1020


def test_the_line_does_not_bear_what_the_collector_takes(tmp_path: Path) -> None:
    """One collection of many young objects, at one of the last lines; they do next to nothing."""
    text = (
        "import gc\ngc.disable()\nkept = [[i] for i in range(300000)]\n"
        "def trigger():\n    return [[]]\ngc.set_threshold(1, 1000, 1000)\n"
        "gc.enable()\nfor _ in range(20):\n    trigger()\n"
    )
    profile, _ = profiled(tmp_path, "--gc", text=text)
    assert profile.subs[SUB].calls > 0
    last = sum(line.time for line in profile.lines if line.fid == 1 and line.line > 3)
    assert last < profile.subs[SUB].incl


def test_without_the_setting_there_is_nothing_of_ours_in_the_list(tmp_path: Path) -> None:
    profile, said = profiled(tmp_path)
    assert json.loads(said)[1] == 1
    assert SUB not in profile.subs


def test_without_subs_there_is_none(tmp_path: Path) -> None:
    profile, said = profiled(tmp_path, "--gc", "--no-subs")
    assert json.loads(said)[1] == 1
    assert not profile.subs.get(SUB)


IN_PROCESS = """\
import gc
from pynytprof import Tracer
before = list(gc.callbacks)
with Tracer("nytprof.out", options={"gc": True}):
    (ours,) = set(map(id, gc.callbacks)) - set(map(id, before))
    call = next(one for one in gc.callbacks if id(one) == ours)
    for arguments in ((), ("start",), (1, {})):
        try:
            call(*arguments)
        except TypeError as error:
            print(error)
    call("stop", {})
    gc.collect()
print(gc.callbacks == before)
call("start", {})
"""


def test_the_callback_is_for_the_collector_and_goes_with_the_tracer(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", IN_PROCESS], cwd=tmp_path, env=environment(),
                          capture_output=True, text=True, check=True)  # fmt: skip
    *errors, same = done.stdout.splitlines()
    assert same == "True" and len(errors) == 3 and len(set(errors)) == 1
    assert reader.read(tmp_path / "nytprof.out").subs[SUB].calls == 1
