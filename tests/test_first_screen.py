"""Whose lines the first screen takes for the project's: not ours, and not a worker's start."""

from __future__ import annotations

import re
from pathlib import Path

from support import PYTHON, run

LAUNCHER = """\
#!/usr/bin/env python3
import sys
from wordtool.cli import main
if __name__ == "__main__":
    sys.exit(main())
"""

PACKAGE = """\
def main():
    print(sum(n * n for n in range(2000)))
"""

WEB = """\
from pynytprof.web import WSGIMiddleware
app = WSGIMiddleware(lambda environ, start: [b"x"], every=1)
for _ in range(20):
    list(app({"REQUEST_METHOD": "GET", "PATH_INFO": "/a"}, None))
"""

WORKERS = """\
import subprocess, sys
text = "def serve(n):\\n    return sum(range(n))\\nserve(1000)\\n"
for _ in range(2):
    subprocess.run([sys.executable, "-c", "import sys;exec(eval(sys.stdin.readline()))"],
                   input=repr(text) + "\\n", text=True, check=True)
print("done")
"""

POOL = """\
import multiprocessing
def work(n):
    return sum(range(n))
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(work, [10]))
"""


def _pynytprof(folder: Path, *words: str, **env: str) -> None:
    done = run([PYTHON, "-m", "pynytprof", "-q", *words], folder, **env)
    assert (done.stderr, done.returncode) == ("", 0)


def _screen(folder: Path, profile: str = "nytprof.out") -> str:
    done = run([PYTHON, "-m", "pynytprof", "summary", profile], folder)
    assert (done.stderr, done.returncode) == ("", 0)
    return " ".join(done.stdout.split())


def test_an_installed_program_is_the_project(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "wordtool"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "cli.py").write_text(PACKAGE)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "wordtool").write_text(LAUNCHER)
    _pynytprof(tmp_path, "bin/wordtool", PYTHONPATH=str(package.parent))
    assert "Hottest lines of the project" in _screen(tmp_path)


def test_the_function_around_a_request_is_not_the_project(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(WEB)
    done = run([PYTHON, "prog.py"], tmp_path)
    assert (done.stderr, done.returncode) == ("", 0)
    (profile,) = (tmp_path / "nytprof-web").glob("web-*.out")
    screen = _screen(tmp_path, str(profile))
    assert "Hottest lines of the project" in screen
    assert not re.search(r"% \S*\(web\):\d+ in ", screen)
    assert not re.search(r"costs most is \S*\(web\):\d+ in ", screen)


def test_what_starts_a_worker_is_not_the_project(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(WORKERS)
    _pynytprof(tmp_path, "--children", "--merge", "prog.py")
    screen = _screen(tmp_path)
    assert "execnet worker (2 runs)" in screen
    assert "prog.py" in screen
    assert not re.search(r"costs most is \S*\(-c\)\S* in ", screen)
    assert not re.search(r"% \S*\(-c\)\S* in ", screen)


def test_a_worker_of_multiprocessing_is_named(tmp_path: Path) -> None:
    (tmp_path / "prog.py").write_text(POOL)
    _pynytprof(tmp_path, "--children", "--merge", "prog.py")
    assert _screen(tmp_path).startswith("multiprocessing worker and prog.py")


def test_a_file_of_the_project_that_does_nothing_is_no_answer(tmp_path: Path) -> None:
    """As Sphinx runs conf.py: the package does the work; nor are imports the answer."""
    package = tmp_path / "site-packages" / "tool"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(
        "def work():\n    return [sum(range(2000)) for _ in range(1000)]\n"
    )
    (package / "__main__.py").write_text(
        "from tool import work\nexec(compile('a = 1', 'conf.py', 'exec'), {})\nwork()\n"
    )
    (tmp_path / "conf.py").write_text("a = 1\n")
    _pynytprof(tmp_path, "-m", "tool", PYTHONPATH=str(package.parent))
    text = _screen(tmp_path)
    assert "the line that costs most is <site>/tool/__init__.py:2 in tool::work" in text
    assert "conf.py:1 in" not in text.split("Functions")[0]
    assert "Hottest lines of the project" not in text
