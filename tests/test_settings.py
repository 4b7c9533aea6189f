"""Where settings come from, which wins, and what is refused."""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from pynytprof._files import FileFilter
from pynytprof._settings import (
    KEYS,
    Settings,
    SettingsError,
    check,
    excluded_prefixes,
    from_environment,
    from_pyproject,
    of_mapping,
    parse_nytprof,
    settle,
)


def test_without_any_source_there_are_the_defaults(tmp_path: Path) -> None:
    assert settle({}, {}, tmp_path) == Settings()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("stmts=0", {"stmts": "0"}),
        ("stmts=0:compress=3", {"stmts": "0", "compress": "3"}),
        (r"file=a\:b", {"file": "a:b"}),
        (r"file=a\=b=c", {"file": "a=b=c"}),
        (r"file=a\\:raw=1", {"file": "a\\", "raw": "1"}),
        (r"file=a\x", {"file": r"a\x"}),
        (":stmts=1::", {"stmts": "1"}),
    ],
)
def test_the_variable_nytprof(text: str, expected: dict[str, str]) -> None:
    assert parse_nytprof(text) == expected


def test_an_assignment_needs_its_sign() -> None:
    with pytest.raises(SettingsError, match="NYTPROF: 'stmts' is not of the form key=value"):
        parse_nytprof("stmts")


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_has_a_variable(key: str) -> None:
    value = {"scope": "site", "start": "no", "file": "x"}.get(key, "1")
    found = from_environment({f"PYNYTPROF_{key.upper()}": value})
    assert found == check({key: value}, "")


def test_the_special_variables_are_no_settings() -> None:
    special = ("PYNYTPROF_TRACER", "PYNYTPROF_WRITER", "PYNYTPROF_DEBUG")
    assert from_environment(dict.fromkeys(special, "1")) == {}


@pytest.mark.parametrize(
    ("origin", "read"),
    [
        ("options", lambda: of_mapping({"compres": 1})),
        ("NYTPROF", lambda: from_environment({"NYTPROF": "compres=1"})),
        ("PYNYTPROF_COMPRES", lambda: from_environment({"PYNYTPROF_COMPRES": "1"})),
    ],
)
def test_an_unknown_setting_is_an_error_with_a_suggestion(
    origin: str, read: Callable[[], object]
) -> None:
    with pytest.raises(SettingsError, match=f"{origin}: unknown setting 'compres'; did you mean"):
        read()


def test_nothing_like_a_setting_gets_the_list() -> None:
    with pytest.raises(SettingsError, match=r"there are file, compress, .*raw"):
        of_mapping({"qqqq": 1})


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("compress", "10", "number from 0 to 9"),
        ("compress", "x", "number from 0 to 9"),
        ("stmts", "2", "0 or 1"),
        ("calls", "2", "stream of single calls"),
        ("slowops", "3", "0 or 1"),
        ("start", "end", "nothing to profile"),
        ("start", "later", "one of begin, init, no, end"),
        ("scope", "mine", "one of project, site, all"),
        ("file", "", "not empty"),
        ("include", 3, "list of patterns"),
    ],
)
def test_impossible_values_are_refused_with_the_reason(
    key: str, value: object, reason: str
) -> None:
    with pytest.raises(SettingsError, match=f"options: {key}={value}: .*{reason}"):
        of_mapping({key: value})


def test_values_that_mean_another() -> None:
    assert of_mapping({"slowops": 2}).slowops == 1
    assert of_mapping({"start": "init"}).start == "begin"
    assert of_mapping({"stmts": "off"}).stmts is False


def test_patterns_are_made_absolute() -> None:
    here = os.getcwd()
    found = of_mapping({"include": "a*.py, /b/*,*.c,<frozen *"}).include
    assert found == (os.path.join(here, "a*.py"), "/b/*", "*.c", "<frozen *")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pynytprof]\nfile = "toml.out"\ncompress = 4\nstmts = false\nexclude = ["*/x/*"]\n'
    )
    (tmp_path / "deeper").mkdir()
    return tmp_path / "deeper"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="needs CPython 3.11 or later")
def test_the_command_line_wins_over_the_environment_over_pyproject(project: Path) -> None:
    found = settle({"file": "line.out"}, {"NYTPROF": "file=env.out:compress=5"}, project)
    assert (found.file, found.compress, found.stmts) == ("line.out", 5, False)
    assert found.exclude == ("*/x/*",)


@pytest.mark.skipif(sys.version_info >= (3, 11), reason="needs CPython before 3.11")
def test_before_311_pyproject_is_not_read(project: Path) -> None:
    assert from_pyproject(project) == {}


@pytest.mark.skipif(sys.version_info < (3, 11), reason="needs CPython 3.11 or later")
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[tool.pynytprof]\nstmt = 1\n", "did you mean 'stmts'"),
        ("[tool.pynytprof\n", "pyproject.toml"),
        ("[tool]\npynytprof = 3\n", "not a table"),
    ],
)
def test_a_wrong_pyproject_is_an_error(text: str, reason: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(SettingsError, match=reason):
        from_pyproject(tmp_path)


def test_an_own_variable_wins_over_nytprof() -> None:
    found = from_environment(
        {"NYTPROF": "compress=1:include=a", "PYNYTPROF_COMPRESS": "2", "NYTPROF_FILTER": "/b"}
    )
    assert (found["compress"], found["include"]) == (2, ("/b",))


STDLIB = sysconfig.get_paths()["stdlib"]
SITE = sysconfig.get_paths()["purelib"]


@pytest.mark.parametrize(
    ("scope", "skipped"),
    [("all", []), ("site", ["std", "frozen"]), ("project", ["std", "frozen", "site"])],
)
def test_scopes(scope: str, skipped: list[str]) -> None:
    paths = {
        "std": os.path.join(STDLIB, "json", "decoder.py"),
        "frozen": "<frozen importlib._bootstrap>",
        "site": os.path.join(SITE, "package", "module.py"),
        "own": "/somewhere/program.py",
    }
    files = FileFilter(exclude_prefixes=excluded_prefixes(scope))
    assert [name for name, path in paths.items() if files.skips(path)] == [
        name for name in paths if name in skipped
    ]


def test_filters() -> None:
    files = FileFilter(include=["/p/*"], exclude=["*/tests/*"], hide_prefix="/p/us/")
    assert not files.skips("/p/a/b.py")
    assert files.skips("/p/a/tests/b.py")
    assert files.skips("/q/b.py")
    assert files.skips("/p/us/b.py")
