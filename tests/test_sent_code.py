"""Functions that were sent to another process, as by cloudpickle: no file stands in their code."""

from __future__ import annotations

import pytest
from support import PYTHON, run

from pynytprof import reader

# What cloudpickle does with a function, less the bytes: a code object with such a name, and
# globals of which a few names are kept.
PROGRAM = """\
import functools, types

def unpickled(function, module="__main__", file=__file__):
    code = function.__code__
    def named(code):
        inner = tuple(named(c) if isinstance(c, types.CodeType) else c for c in code.co_consts)
        return code.replace(co_filename="<dynamic-code>", co_consts=inner)
    space = {"__name__": module, "__file__": file, "__builtins__": __builtins__}
    return types.FunctionType(named(code), space, function.__name__)

def decorated(function):
    return function

def primes(n):
    found = []
    for k in range(2, n):
        if all(k % p for p in found if p * p <= k):
            found.append(k)
    return len(found)

@decorated
@decorated
def twice(n):
    return n * 2

square = lambda n: n * n

def elsewhere(n):
    return n

print(unpickled(primes)(30), unpickled(twice)(4), unpickled(square)(5))
print(unpickled(elsewhere, file="/nowhere/at_all.py")(1))
print(unpickled(types.FunctionType(primes.__code__.replace(co_firstlineno=2), {}))(3))
"""


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> reader.Profile:
    folder = tmp_path_factory.mktemp("sent")
    (folder / "prog.py").write_text(PROGRAM)
    done = run([PYTHON, "-m", "pynytprof", "-q", "prog.py"], folder)
    assert (done.stdout, done.stderr) == ("10 8 25\n1\n1\n", "")
    return reader.read(folder / "nytprof.out")


def test_their_text_is_that_of_their_file(sent: reader.Profile) -> None:
    counts = {line.line: line.count for line in sent.find_file("prog.py").lines}
    lines = PROGRAM.splitlines()
    assert counts[1 + lines.index("    found = []")] == 1
    assert counts[1 + lines.index("        if all(k % p for p in found if p * p <= k):")] >= 28
    assert counts[1 + lines.index("    return n * 2")] == 1
    assert sent.subs["__main__::primes"].calls == 1
    assert sent.subs["__main__::twice"].calls == 1


def test_of_others_no_text_is_made_up(sent: reader.Profile) -> None:
    """The file is not there, or has something else where the code says that it begins."""
    unknown = [file for file in sent.files.values() if file.name == "(dynamic-code)"]
    assert len(unknown) == 1
    assert {line.count for line in unknown[0].lines} >= {1}
    assert "__main__::elsewhere" not in {
        sub.name
        for sub in sent.subs.values()
        if sub.calls and sub.file is not None and sub.file.name.endswith("prog.py")
    }
