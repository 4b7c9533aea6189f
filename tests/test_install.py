"""libnytprof as others get it: installed, found with pkg-config, used from C and C++."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
PROFILE = TOP / "tests" / "golden" / "perl" / "packages.out"

pytestmark = pytest.mark.slow


def tool(name: str) -> str:
    beside = Path(sys.executable).with_name(name)
    program = str(beside) if beside.exists() else shutil.which(name)
    if program is None:
        pytest.skip(f"needs {name}")
    return program


def run(*words: str | Path, **env: str) -> str:
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, env={**os.environ, **env}
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that is installed, both libraries included."""
    folder = tmp_path_factory.mktemp("install")
    build, prefix = folder / "build", folder / "prefix"
    env = {**os.environ, "NINJA": tool("ninja")}
    setup: list[str | Path] = [
        "setup", build, TOP, f"--prefix={prefix}", "--libdir=lib", "-Ddefault_library=both",
        "-Dinstall_library=true", "-Dextensions=false", "--optimization=0", "--werror",
    ]  # fmt: skip
    for words in (setup, ["install", "-C", build]):
        done = subprocess.run([tool("meson"), *words], capture_output=True, text=True, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
    return prefix


def flags(prefix: Path, *words: str) -> list[str]:
    said = run(tool("pkg-config"), *words, "nytprof", PKG_CONFIG_PATH=f"{prefix}/lib/pkgconfig")
    return said.split()


def test_the_example_runs_on_the_installed_library(prefix: Path, tmp_path: Path) -> None:
    program = tmp_path / "hottest"
    run(tool("cc"), "-std=c11", "-Wall", "-Wextra", "-Werror", TOP / "examples" / "hottest.c",
        "-o", program, *flags(prefix, "--cflags", "--libs"))  # fmt: skip
    assert "libnytprof.so.1 => " in run(tool("ldd"), program, LD_LIBRARY_PATH=f"{prefix}/lib")
    lines = run(program, PROFILE, LD_LIBRARY_PATH=f"{prefix}/lib").splitlines()
    blank = lines.index("")
    assert blank == 10
    assert lines[0].split() == [
        "0.000119", "s", "2", "times", "/tmp/demo/packages.pl:1", "use", "Zoo::Animal;",
    ]  # fmt: skip
    assert lines[blank + 1].endswith("main::BEGIN@1, called from")
    assert lines[blank + 2].endswith("1 times  /tmp/demo/packages.pl:1  by main::NULL")


def test_the_example_links_with_the_static_library_too(prefix: Path, tmp_path: Path) -> None:
    words = [
        f"{prefix}/lib/libnytprof.a" if word == "-lnytprof" else word
        for word in flags(prefix, "--static", "--cflags", "--libs")
    ]
    run(tool("cc"), TOP / "examples" / "hottest.c", "-o", tmp_path / "hottest", *words)
    done = subprocess.run([tmp_path / "hottest", tmp_path / "nothing"], capture_output=True)
    assert done.returncode == 3
    assert b"nothing: cannot open" in done.stderr


def test_the_library_offers_what_the_header_declares_and_no_more(prefix: Path) -> None:
    header = (prefix / "include" / "nytprof.h").read_text()
    declared = set(re.findall(r"^NYT_API[^;(]*?\b(nyt_\w+)(?=[(;])", header, re.MULTILINE))
    library = prefix / "lib" / "libnytprof.so"
    exported = {line.split()[-1] for line in run(tool("nm"), "-D", "--defined-only", library)
                .splitlines()}  # fmt: skip
    assert exported == declared
    assert len(exported) > 80


def test_the_header_tells_the_soname(prefix: Path) -> None:
    header = (prefix / "include" / "nytprof.h").read_text()
    (told,) = re.findall(r"\(libnytprof\.so\.(\d+);", header)
    dynamic = run(tool("readelf"), "-d", prefix / "lib" / "libnytprof.so")
    assert f"[libnytprof.so.{told}]" in dynamic
    # Structs that are handed in to choose something: the header asks for zeros in them.
    taken = set(re.findall(r"const (nyt_\w*options|nyt_limit|nyt_filter)\b", header))
    (promise,) = re.findall(r"Option structs \((.*?)\) must be zero", header, re.DOTALL)
    assert taken <= set(re.findall(r"nyt_\w+", promise))


@pytest.mark.parametrize("standard", ["c++11", "c++20"])
def test_cxx_includes_the_header(standard: str, prefix: Path, tmp_path: Path) -> None:
    source = tmp_path / "include.cpp"
    source.write_text("#include <nytprof.h>\nint main() { return nyt_strerror(0)[0] == 0; }\n")
    program = tmp_path / "include"
    run(tool("c++"), f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic", "-Werror", source,
        "-o", program, *flags(prefix, "--cflags", "--libs"))  # fmt: skip
    run(program, LD_LIBRARY_PATH=f"{prefix}/lib")


def test_the_header_needs_nothing_else(prefix: Path, tmp_path: Path) -> None:
    source = tmp_path / "alone.c"
    source.write_text("#include <nytprof.h>\n#include <nytprof.h>\n")
    run(tool("cc"), "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-c", source,
        "-o", tmp_path / "alone.o", *flags(prefix, "--cflags"))  # fmt: skip


def test_what_else_is_installed(prefix: Path) -> None:
    for path in (
        "bin/nytprof", "share/man/man1/nytprof.1", "share/bash-completion/completions/nytprof",
        "share/zsh/site-functions/_nytprof", "share/fish/vendor_completions.d/nytprof.fish",
    ):  # fmt: skip
        assert (prefix / path).stat().st_size > 100
