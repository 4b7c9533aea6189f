"""Where profiles are written, what may go wrong there, and which writer does it."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from payloads import (
    file,
    lines,
    start,
)
from writing import (
    SMALL,
    MakeWriter,
    written,
)


@pytest.mark.parametrize("kind", [str, os.fsencode, Path])
def test_a_path_may_be_text_bytes_or_an_object(
    make: MakeWriter, kind: Callable[[Path], Any], tmp_path: Path
) -> None:
    path = tmp_path / "né.out"
    path.write_bytes(b"x" * 100_000)
    with make(kind(path)) as writer:
        for token, payload in SMALL:
            writer.write_chunk(token, payload)
    assert path.read_bytes() == written(make, SMALL, 1)


def test_the_default_is_level_1(make: MakeWriter) -> None:
    out = io.BytesIO()
    make(out).close()
    assert out.getvalue() == b"NYTProf 5 0\n"
    assert b"level 1" in written(make, SMALL, 1)


def test_a_file_object_stays_open(make: MakeWriter, tmp_path: Path) -> None:
    with (tmp_path / "a.out").open("wb") as out:
        make(out).close()
        out.write(b"more")


def test_closing_again_does_nothing(make: MakeWriter) -> None:
    out = io.BytesIO()
    writer = make(out)
    assert not writer.closed
    writer.close()
    writer.close()
    assert writer.closed
    assert out.getvalue().count(b"NYTProf") == 1


def test_a_closed_writer_takes_nothing(make: MakeWriter) -> None:
    writer = make(io.BytesIO())
    writer.close()
    with pytest.raises(RuntimeError, match="closed"):
        writer.write_chunk(*start(1, 0))


def test_a_folder_is_an_error_that_names_it(make: MakeWriter, tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError) as caught:
        make(tmp_path)
    assert caught.value.filename == str(tmp_path)


def test_a_missing_folder_is_an_error_that_names_the_path(make: MakeWriter, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        make(str(tmp_path / "no" / "where"))
    assert caught.value.filename == str(tmp_path / "no" / "where")


def test_what_is_neither_path_nor_file_is_a_type_error(make: MakeWriter) -> None:
    with pytest.raises(TypeError, match="a path or a binary file is needed, not int"):
        make(3)


full = Path("/dev/full")
needs_full = pytest.mark.skipif(not full.exists(), reason="no /dev/full here")


@needs_full
def test_a_full_disk_is_told_at_close(make: MakeWriter) -> None:
    writer = make(full)
    for token, payload in SMALL:
        writer.write_chunk(token, payload)
    with pytest.raises(OSError, match="No space left") as caught:
        writer.close()
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(full)
    writer.close()


@needs_full
def test_a_full_disk_is_told_while_writing_and_for_good(make: MakeWriter) -> None:
    writer = make(str(full), 0)
    for token, payload in (start(1, 0), file(1, "/a.py")):
        writer.write_chunk(token, payload)
    for _ in range(2):
        with pytest.raises(OSError, match="No space left") as caught:
            writer.write_chunk(*lines(10**6, 0))
        assert caught.value.errno == errno.ENOSPC
        assert caught.value.filename == str(full)
    writer.close()  # has been told
    assert writer.closed


class Fussy:
    """A file object that takes `some` bytes a time, and says so or not."""

    def __init__(self, some: int, tell: Callable[[int], object] = int) -> None:
        self.data = b""
        self.some = some
        self.tell = tell

    def write(self, data: bytes) -> Any:
        self.data += data[: self.some]
        return self.tell(min(self.some, len(data)))


def test_a_file_object_may_take_less_than_all(make: MakeWriter) -> None:
    fussy = Fussy(7)
    with make(fussy) as writer:
        for token, payload in SMALL:
            writer.write_chunk(token, payload)
    assert fussy.data == written(make, SMALL, 1)


def test_a_file_object_need_not_count(make: MakeWriter) -> None:
    fussy = Fussy(1 << 30, lambda taken: None)
    with make(fussy) as writer:
        for token, payload in SMALL:
            writer.write_chunk(token, payload)
    assert fussy.data == written(make, SMALL, 1)


@pytest.mark.parametrize(
    ("answer", "error"), [(-1, OSError), (1 << 20, OSError), ("all", TypeError)]
)
def test_a_file_object_must_not_lie(make: MakeWriter, answer: object, error: type) -> None:
    writer = make(Fussy(1, lambda taken: answer))
    with pytest.raises(error):
        writer.close()


def test_a_raw_file_that_would_block_is_an_error(make: MakeWriter) -> None:
    class Blocking(io.RawIOBase):
        def write(self, data: Any, /) -> None:
            return None

    with pytest.raises(BlockingIOError):
        make(Blocking()).close()


def test_what_a_file_object_raises_comes_through(make: MakeWriter) -> None:
    class Broken:
        def write(self, data: bytes) -> int:
            raise LookupError("out of order")

    writer = make(Broken(), 0)
    for token, payload in (start(1, 0), file(1, "/a.py")):
        writer.write_chunk(token, payload)
    with pytest.raises(LookupError, match="out of order"):
        writer.write_chunk(*lines(10**6, 0))
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        writer.write_chunk(*lines(1, 0))
    writer.close()


def test_a_text_file_is_a_type_error(make: MakeWriter) -> None:
    with pytest.raises(TypeError):
        make(io.StringIO()).close()


def test_a_writer_that_is_dropped_writes_nothing_more(make: MakeWriter, tmp_path: Path) -> None:
    path = tmp_path / "a.out"
    writer = make(path)
    writer.write_chunk(*start(1, 0))
    del writer
    assert path.read_bytes() == b""


def test_an_error_in_the_block_is_not_hidden(make: MakeWriter) -> None:
    with pytest.raises(KeyError), make(io.BytesIO()):
        raise KeyError


# ---- The choice ----


def choose(tmp_path: Path, without_c: bool = False, **env: str) -> subprocess.CompletedProcess[str]:
    """Opens a writer in a fresh Python, and prints its type."""
    code = "import sys\n"
    if without_c:
        code += "sys.modules['pynytprof._cwrite'] = None\n"
    code += (
        "from pynytprof._writer import open_writer\n"
        f"w = open_writer({str(tmp_path / 'a.out')!r})\n"
        "print(type(w).__name__)\n"
        f"w.write_chunk(b'P', {SMALL[0][1]!r})\n"
        f"w.write_chunk(b'F', {SMALL[1][1]!r})\n"
        f"w.write_chunk(b'D', {SMALL[3][1]!r})\n"
        f"w.write_chunk(b'S', {lines(3, 3)[1]!r})\n"
        f"w.write_chunk(b'E', {SMALL[7][1]!r})\n"
        "w.close()\n"
        f"open_writer({str(tmp_path / 'b.out')!r}).close()\n"
    )
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYNYTPROF_")}
    clean["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    return subprocess.run(
        [sys.executable, "-c", code], env=clean | env, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("wanted", "name"), [("", "Writer"), ("c", "Writer"), ("py", "PyWriter")])
def test_the_environment_chooses(tmp_path: Path, wanted: str, name: str) -> None:
    done = choose(tmp_path, PYNYTPROF_WRITER=wanted)
    assert (done.stdout, done.stderr) == (f"{name}\n", "")


def test_without_c_one_warning_and_the_other_writer(tmp_path: Path) -> None:
    done = choose(tmp_path, without_c=True)
    assert done.stdout == "PyWriter\n"
    assert done.stderr.count("RuntimeWarning: pynytprof._cwrite cannot be loaded") == 1


def test_c_wanted_but_not_there_is_an_error(tmp_path: Path) -> None:
    done = choose(tmp_path, without_c=True, PYNYTPROF_WRITER="c")
    assert done.returncode == 1
    assert "ImportError: PYNYTPROF_WRITER=c, but pynytprof._cwrite cannot be" in done.stderr


def test_another_choice_is_an_error(tmp_path: Path) -> None:
    done = choose(tmp_path, PYNYTPROF_WRITER="rust")
    assert done.returncode == 1
    assert "ValueError: PYNYTPROF_WRITER must be c or py, not 'rust'" in done.stderr


@pytest.mark.parametrize(("wanted", "kind"), [("c", "_cwrite.Writer"), ("py", "_writer.PyWriter")])
def test_debug_tells_the_writer_and_each_chunk(tmp_path: Path, wanted: str, kind: str) -> None:
    done = choose(tmp_path, PYNYTPROF_WRITER=wanted, PYNYTPROF_DEBUG="1")
    sizes = [len(SMALL[i][1]) for i in (0, 1, 3)]
    assert done.stderr.splitlines()[:6] == [
        f"pynytprof: writer: pynytprof.{kind}",
        f"pynytprof: chunk P: 3 items, {sizes[0]} bytes",
        f"pynytprof: chunk F: 2 items, {sizes[1]} bytes",
        f"pynytprof: chunk D: 2 items, {sizes[2]} bytes",
        "pynytprof: chunk S: 1 items, 40 bytes",
        "pynytprof: chunk E: 1 items, 20 bytes",
    ]
