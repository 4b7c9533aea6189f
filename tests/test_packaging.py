"""The package as published and as contributors install it; what is said if something is missing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email.message import Message
from email.parser import Parser
from pathlib import Path

import pytest

import pynytprof

TOP = Path(__file__).parent.parent

pytestmark = pytest.mark.slow


def run(*words: str | Path, cwd: Path, **env: str) -> str:
    """What a command says on both streams; it must succeed."""
    done = subprocess.run(
        words, cwd=cwd, env={**os.environ, **env}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


# ---- pip install -e . ----


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources, so that nothing is left beside ours."""
    folder = tmp_path_factory.mktemp("editable") / "checkout"
    unwanted = shutil.ignore_patterns(
        ".git", "build", "build-*", ".venv*", "*.so", "_version.py", "__pycache__", "corpus",
        "golden", "node_modules",
    )  # fmt: skip
    return Path(shutil.copytree(TOP, folder, ignore=unwanted))


@pytest.fixture(scope="module")
def editable(checkout: Path) -> Path:
    """The programs of an environment into which the copy was installed, as anyone would."""
    venv = checkout.parent / "venv"
    run(sys.executable, "-m", "venv", venv, cwd=checkout)
    run(venv / "bin" / "pip", "install", "-q", "-e", ".", cwd=checkout)
    return venv / "bin"


def test_an_editable_installation_profiles(editable: Path, tmp_path: Path) -> None:
    run(editable / "pynytprof", "-o", "e.out", "-c", "sum(map(len, 'abc'))", cwd=tmp_path,
        PYNYTPROF_TRACER="c", PYNYTPROF_WRITER="c")  # fmt: skip
    assert "e.out" in run(editable / "nytprof", "verify", "e.out", cwd=tmp_path)


def files_of(package: Path) -> set[str]:
    found = (p.relative_to(package) for p in package.rglob("*") if p.is_file())
    return {p.as_posix() for p in found if "__pycache__" not in p.parts}


def test_an_editable_installation_has_all_that_a_wheel_has(editable: Path, checkout: Path) -> None:
    """If not, the build makes something new: then scripts/backend.py must be told."""
    where = run(editable / "python", "-c", "import pynytprof; print(pynytprof.__file__)",
                cwd=editable).strip()  # fmt: skip
    assert Path(where).parent == checkout / "src" / "pynytprof"
    assert files_of(Path(pynytprof.__file__).parent) <= files_of(Path(where).parent)


def test_an_edited_module_is_there_at_once(editable: Path, checkout: Path) -> None:
    module = checkout / "src" / "pynytprof" / "verify.py"
    module.write_text(module.read_text() + "\nEDITED = 5\n")
    said = run(editable / "python", "-c", "from pynytprof import verify; print(verify.EDITED)",
               cwd=editable)  # fmt: skip
    assert said == "5\n"


# ---- What is published ----


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run(sys.executable, "-m", "build", "--no-isolation", "-o", folder,
        "-Csetup-args=-Dstatic_zlib=true", TOP, cwd=folder, PATH=path)  # fmt: skip
    return folder


def wheel_of(dist: Path) -> zipfile.ZipFile:
    (wheel,) = dist.glob("*.whl")
    return zipfile.ZipFile(wheel)


def metadata_of(dist: Path) -> Message:
    with wheel_of(dist) as wheel:
        (name,) = (n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
        return Parser().parsestr(wheel.read(name).decode())


def test_twine_has_nothing_to_say_against_them(dist: Path) -> None:
    run(sys.executable, "-m", "twine", "check", "--strict", *sorted(dist.iterdir()), cwd=dist)


def test_the_metadata_say_who_what_and_where(dist: Path) -> None:
    data = metadata_of(dist)
    assert data["License-Expression"] == "MIT"
    assert data["License-File"] == "LICENSE"
    assert data["Author"] == "The pynytprof developers"
    urls = data.get_all("Project-URL", [])
    assert {url.split(",")[0] for url in urls} >= {"Homepage", "Documentation", "Changelog"}
    assert all("extra ==" in needed for needed in data.get_all("Requires-Dist", []))


def test_the_description_leads_nowhere_but_to_the_web(dist: Path) -> None:
    text = str(metadata_of(dist).get_payload())
    links = [part.split(")")[0] for part in text.split("](")[1:]]
    assert links
    assert [link for link in links if not link.startswith("https://")] == []
    assert str(TOP) not in text


def test_the_sdist_has_the_sources_and_nothing_that_was_built(dist: Path) -> None:
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"LICENSE", "meson.build", "scripts/backend.py", "lib/nytprof.h"} <= names
    assert [n for n in names if n.endswith((".so", ".pyc")) or n.startswith("build/")] == []


@pytest.mark.parametrize("name", ["_cread", "_cwrite", "_ctrace"])
def test_the_wheel_brings_its_zlib_and_offers_it_to_nobody(
    name: str, dist: Path, tmp_path: Path
) -> None:
    with wheel_of(dist) as wheel:
        (member,) = (n for n in wheel.namelist() if re.search(rf"/{name}\..*\.so$", n))
        library = wheel.extract(member, tmp_path)
    assert "libz" not in run("readelf", "-d", library, cwd=tmp_path)
    symbols = run("nm", "-D", "--defined-only", library, cwd=tmp_path).splitlines()
    assert [line.split()[-1] for line in symbols] == [f"PyInit_{name}"]


# ---- What is missing has a name ----


def setup_says(build: Path, **env: str) -> str:
    meson = Path(sys.executable).with_name("meson")
    done = subprocess.run(
        [meson, "setup", build, TOP], env={**os.environ, **env}, capture_output=True, text=True
    )
    assert done.returncode == 1
    return done.stdout


def test_without_a_compiler_the_package_to_install_is_named(tmp_path: Path) -> None:
    said = setup_says(tmp_path / "build", CC="/nonexistent/cc")
    assert "ERROR: Problem encountered: no C compiler found: install gcc and libc6-dev" in said


def test_without_zlib_the_package_to_install_is_named(tmp_path: Path) -> None:
    cc = tmp_path / "cc"
    cc.write_text(
        '#!/bin/sh\ncase "$*" in *-lz*) exit 1 ;; esac\n'
        'for word; do case $word in *.c) ! grep -q zlib.h "$word" || exit 1 ;; esac; done\n'
        'exec cc "$@"\n'
    )
    cc.chmod(0o755)
    said = setup_says(tmp_path / "build", CC=str(cc), PKG_CONFIG="/bin/false", CMAKE="/bin/false")
    assert "ERROR: Problem encountered: zlib headers not found: install zlib1g-dev" in said
