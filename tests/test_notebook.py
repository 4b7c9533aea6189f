"""%load_ext pynytprof in a kernel as notebooks have it, driven by nbclient."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from support import environment

from pynytprof import reader, verify

TIME_LIMIT_S = 200


_v4: Any = nbformat.v4


class Notebook:
    """A kernel that runs one cell after the other in a folder."""

    def __init__(self, folder: Path) -> None:
        self._book: Any = _v4.new_notebook()
        self._client = NotebookClient(
            self._book,
            timeout=TIME_LIMIT_S,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
        )

    def __call__(self, text: str) -> list[dict[str, Any]]:
        """The outputs of a cell; raises CellExecutionError."""
        self._book.cells.append(cell := _v4.new_code_cell(text))
        try:
            self._client.execute_cell(cell, len(self._book.cells) - 1)
        finally:
            self.outputs: list[dict[str, Any]] = list(cell.outputs)
        return self.outputs

    def text(self, code: str) -> str:
        """What a cell has printed, and the text of what it has shown."""
        return "".join(map(_text, self(code)))


def _text(output: dict[str, Any]) -> str:
    return str(output.get("text") or output.get("data", {}).get("text/plain", "")) + "\n"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Notebook, Path]]:
    folder = tmp_path_factory.mktemp("notebook")
    notebook = Notebook(folder)
    kept = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment(IPYTHONDIR=str(folder / "ipython")))
    try:
        with notebook._client.setup_kernel():
            notebook("%load_ext pynytprof")
            notebook("def square(n):\n    return n * n\n")
            yield notebook, folder
    finally:
        os.environ.clear()
        os.environ.update(kept)


@pytest.fixture
def notebook(kernel: tuple[Notebook, Path]) -> Notebook:
    return kernel[0]


@pytest.fixture
def folder(kernel: tuple[Notebook, Path]) -> Path:
    return kernel[1]


def figures(shown: str, code: str) -> str:
    """The count that stands in front of a line of code."""
    found = re.search(rf"^ *([\d,]+) .*{re.escape(code)}$", shown, re.MULTILINE)
    assert found, shown
    return found[1]


def test_the_lines_of_the_cell_are_annotated_and_those_of_earlier_cells(
    notebook: Notebook,
) -> None:
    outputs = notebook("%%nytprof\ntotal = 0\nfor n in range(1000):\n    total += square(n)\ntotal")
    values = [o["data"]["text/plain"] for o in outputs if o["output_type"] == "execute_result"]
    assert values == ["332833500"]
    (shown,) = (o["data"] for o in outputs if o["output_type"] == "display_data")
    text = shown["text/plain"]
    assert figures(text, "total += square(n)") == "1,000"
    assert figures(text, "return n * n") == "1,000"
    assert text.startswith("this cell\n")
    assert text.count("# called") == 1
    assert "# called 1,000 times by line 3 of this cell" in text
    assert re.search(r"^Cell In *\[2\]$", text, re.MULTILINE)
    page = shown["text/html"]
    assert "total += square(n)" in page and "return n * n" in page and "1,000" in page
    assert "<script" not in page


def test_a_statement(notebook: Notebook) -> None:
    shown = notebook.text("kept = %nytprof square(7)")
    assert figures(shown, "return n * n") == "1"
    assert "49" in notebook.text("%nytprof square(7)")
    assert notebook.text("kept is None, type(_nytprof).__name__").strip() == "(True, 'Profile')"


def test_names_are_those_of_the_notebook(notebook: Notebook) -> None:
    notebook("start = 5")
    notebook("%%nytprof -q\nend = start + 1\nstart = 6")
    assert notebook.text("(start, end)").strip() == "(6, 6)"


def test_magics_and_shell_commands_in_the_cell(notebook: Notebook) -> None:
    assert "hello" in notebook.text("%%nytprof\nx = 1\n!echo hello\n%who_ls int")


def test_text_is_escaped(notebook: Notebook) -> None:
    outputs = notebook("%%nytprof\ny = '<img src=x>'")
    (page,) = (o["data"]["text/html"] for o in outputs if o["output_type"] == "display_data")
    assert "<img" not in page and "&lt;img src=x&gt;" in page


def test_the_profile_may_be_kept(notebook: Notebook, folder: Path) -> None:
    shown = notebook.text(
        '%%nytprof -q -o "my work.out" --scope project --set compress=6\nsquare(2)'
    )
    assert "profile written to my work.out" in shown
    assert verify.verify(folder / "my work.out", quiet=True)
    assert sorted(p.suffix for p in folder.iterdir() if p.is_file()) == [".out"]


def test_an_exception_comes_through_and_the_lines_are_shown(notebook: Notebook) -> None:
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        notebook("%%nytprof\nz = 0\n1 / z\nz = 2")
    shown = "".join(map(_text, notebook.outputs))
    assert figures(shown, "1 / z") == "1"
    assert re.search(r"^ +3  z = 2$", shown, re.MULTILINE)  # without figures
    assert "1" in notebook.text("%nytprof square(1)")  # and the next one works


def test_a_magic_within_another_is_a_part_of_it(notebook: Notebook) -> None:
    shown = notebook.text("%%nytprof\nsquare(1)\n%nytprof square(3)")
    assert shown.count("a profile is being made already") == 1
    assert figures(shown, "return n * n") == "2"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("%nytprof", "there is nothing to run"),
        ("%nytprof --nothing 1", "unknown option"),
        ("%nytprof -o", "without its value"),
        ("%nytprof --set compress 1", "expected KEY=VALUE"),
        ("%nytprof --scope some square(1)", "scope"),
        ("%%nytprof square(1)\nsquare(2)", "begins on the next line"),
        ("%%nytprof\nimport asyncio\nawait asyncio.sleep(0)", "await outside a function"),
    ],
)
def test_what_a_magic_cannot_do_is_told(code: str, message: str, notebook: Notebook) -> None:
    with pytest.raises(CellExecutionError, match="UsageError") as caught:
        notebook(code)
    assert message in str(caught.value)


def test_a_syntax_error_is_pythons(notebook: Notebook) -> None:
    with pytest.raises(CellExecutionError, match="SyntaxError"):
        notebook("%%nytprof\nx = = 1")


def test_a_folder_that_is_not_there_costs_the_profile_alone(notebook: Notebook) -> None:
    shown = notebook.text("%nytprof -o nowhere/x.out square(4)")
    assert "16" in shown and "can't write the profile to nowhere/x.out" in shown


def test_a_profile_at_work_is_named_and_nothing_is_run(notebook: Notebook) -> None:
    notebook("import pynytprof\nrun = []\nother = pynytprof.Tracer('other.out')\nother.start()")
    try:
        with pytest.raises(CellExecutionError, match=r"nothing was run: .*other\.out"):
            notebook("%nytprof run.append(1)")
    finally:
        notebook("other.stop()")
    assert notebook.text("run").strip() == "[]"


def test_an_ordinary_tracer_has_the_sources_of_cells(notebook: Notebook, folder: Path) -> None:
    notebook("with pynytprof.Tracer('cell.out'):\n    square(5)")
    shown = notebook.text("print([l.source for l in pynytprof.open_profile('cell.out').lines])")
    assert "square(5)" in shown and "return n * n" in shown
    (folder / "cell.out").unlink()
    (folder / "other.out").unlink()


def test_the_extension_can_be_unloaded_and_loaded_again(notebook: Notebook) -> None:
    notebook("%unload_ext pynytprof")
    with pytest.raises(CellExecutionError, match="not found"):
        notebook("%nytprof square(1)")
    notebook("%load_ext pynytprof")
    assert figures(notebook.text("%nytprof square(1)"), "return n * n") == "1"


def test_in_a_terminal(tmp_path: Path) -> None:
    """Plain IPython names its cells <ipython-input-N-...>, a kernel's are files."""
    lines = (
        "%load_ext pynytprof",
        "def cube(n): return n ** 3\n",
        "%nytprof sum(cube(n) for n in range(70))",
        "%%nytprof",
        "total = 0",
        "for n in range(30): total += cube(n)",
        "\n",
    )
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"],
        input="\n".join(lines) + "\n",
        env=environment(IPYTHONDIR=str(tmp_path), HOME=str(tmp_path)),
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT_S,
        cwd=tmp_path,
    )
    shown = [line.split() for line in done.stdout.splitlines()]
    assert done.stdout.count("this cell\n     count") == 2, done.stdout + done.stderr
    counts = [words[0] for words in shown if words[-4:] == ["return", "n", "**", "3"]]
    assert counts == ["70", "30"]
    assert [words[0] for words in shown if words[-3:] == ["total", "=", "0"]] == ["1"]


def test_what_shows_a_value_is_no_part_of_the_profile(kernel: tuple[Notebook, Path]) -> None:
    notebook, folder = kernel
    notebook("class Shown:\n    def __repr__(self):\n        return 'as it ' + 'is'")
    for cell in (
        "%nytprof -q -o shown.out Shown()",
        "%%nytprof -q -o shown.out\nfor n in range(3): square(n)\nShown()",
        "%%nytprof -q -o shown.out\n\n# nothing\nShown()",
    ):
        (output,) = (one for one in notebook(cell) if one["output_type"] == "execute_result")
        assert output["data"]["text/plain"] == "as it is"
        profile = reader.read(folder / "shown.out")
        found = [one.count for one in profile.lines if (one.source or "").strip() == "Shown()"]
        assert found == [1]
        assert not any("__repr__" in name or "displayhook" in name for name in profile.subs)


def test_a_value_that_cannot_be_shown_leaves_the_profile(kernel: tuple[Notebook, Path]) -> None:
    notebook, _ = kernel
    notebook("import sys\ndef hook(value): raise RuntimeError('no hook')\nold = sys.displayhook")
    with pytest.raises(CellExecutionError, match="no hook"):
        notebook("sys.displayhook = hook\nget_ipython().run_line_magic('nytprof', 'square(4)')")
    assert any("square" in _text(one) for one in notebook.outputs)
    notebook("sys.displayhook = old")
