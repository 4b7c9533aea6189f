"""Where settings come from, which wins, and what is refused."""

from __future__ import annotations

import os
import re
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from pynytprof._pure.source import FileFilter
from pynytprof._run.settings import (
    KEYS,
    PERL_ONLY_KEYS,
    Settings,
    SettingsError,
    check,
    excluded_prefixes,
    from_environment,
    from_pyproject,
    of_mapping,
    output_path,
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
    words = {"scope": "site", "start": "no", "sigflush": "usr1", "sigswitch": "usr2"}
    value = {"file": "x", "log": "x", **words}.get(key, "1")
    found = from_environment({f"PYNYTPROF_{key.upper()}": value})
    assert found == check({key: value}, "")


def test_the_special_variables_are_no_settings() -> None:
    special = ("PYNYTPROF_TRACER", "PYNYTPROF_WRITER", "PYNYTPROF_DEBUG", "PYNYTPROF_RUN")
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
    with pytest.raises(SettingsError, match=r"there are file, .*compress, .*raw"):
        of_mapping({"qqqq": 1})


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("compress", "10", "number from 0 to 9"),
        ("compress", "x", "number from 0 to 9"),
        ("stmts", "2", "0 or 1"),
        ("calls", "2", "stream of single calls"),
        ("slowops", "3", "0 or 1"),
        ("start", "later", "one of begin, init, end, no"),
        ("clock", "2", "wall .* or cpu"),
        ("trace", "-1", "number from 0 to 9"),
        ("leave", "0", "only be 1: .*calling line"),
        ("usecputime", "1", "clock=cpu"),
        ("findcaller", "2", "0 or 1"),
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
    assert of_mapping({"clock": "3"}).clock == of_mapping({"clock": "cpu"}).clock == "cpu"
    assert of_mapping({"clock": 1}).clock == of_mapping({"clock": "-1"}).clock == "wall"
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


@pytest.mark.skipif(sys.version_info < (3, 11), reason="needs CPython 3.11 or later")
@pytest.mark.parametrize(
    "text",
    [
        "[tool.pynytprof]\ncompress = 4\n",
        ' [ tool . "pynytprof" ]\ncompress = 4\n',
        "[tool]  # of all\npynytprof = {compress = 4}\n",
        "[tool]\npynytprof.compress = 4\n",
        "tool.pynytprof.compress = 4\n",
        "tool = {pynytprof = {compress = 4}}\n",
        '["\\u0074ool".pynytprof]\ncompress = 4\n',
    ],
)
def test_a_table_is_found_however_it_is_spelt(text: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert from_pyproject(tmp_path) == {"compress": 4}


def test_a_pyproject_that_only_names_us_is_not_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "[project]\ndependencies = ['pynytprof']\n[tool.ruff]\nexclude = ['tool.pynytprof']\n"
    (tmp_path / "pyproject.toml").write_text(text)
    monkeypatch.setitem(sys.modules, "tomllib", None)
    assert from_pyproject(tmp_path) == {}


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


# ---- The options of Perl's profiler, and the page on all of them ----

PERLS = """
addpid addtimestamp blocks calls clock compress endatexit evals expand file findcaller leave log
nameanonsubs nameevals optimize perldb savesrc slowops start stmts subs trace use_db_sub usecputime
"""


@pytest.mark.parametrize("key", PERLS.split())
def test_every_option_of_perls_profiler_is_known(key: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        of_mapping({key: ""})
    assert "unknown" not in str(refusal.value)


@pytest.mark.parametrize("key", PERL_ONLY_KEYS)
def test_what_means_nothing_to_python_changes_nothing(key: str) -> None:
    taken, refused = [], []
    for value in (0, 1):
        try:
            taken.append(of_mapping({key: value}))
        except SettingsError as refusal:
            refused.append((value, str(refusal)))
    assert set(taken) == {Settings()}
    for value, reason in refused:
        assert f"{key}={value}: it can only be {1 - value}: " in reason


USAGE = Path(__file__).parent.parent / "docs" / "usage.md"


def page_rows() -> list[str]:
    """The rows of all tables that begin with a word in backquotes."""
    return re.findall(r"^\| `\w+` \|.*", USAGE.read_text("utf-8"), re.MULTILINE)


def test_the_page_tells_of_every_setting_and_its_default() -> None:
    rows = [[cell.strip(" `") for cell in row.split("|")] for row in page_rows()]
    told = {row[1]: row[3] for row in rows if row[1] in KEYS}
    defaults = Settings().items()
    assert set(told) == set(KEYS) == set(defaults)
    for key, default in defaults.items():
        shown = int(default) if isinstance(default, bool) else "" if default == () else default
        assert told[key] == str(shown), key


def test_the_page_tells_what_is_taken_for_perls_sake() -> None:
    rows = [[cell.strip(" `") for cell in row.split("|")] for row in page_rows()]
    told = {row[1]: row[2] for row in rows if row[1] in PERL_ONLY_KEYS}
    assert set(told) == set(PERL_ONLY_KEYS)
    for key, values in told.items():
        for value in values.split(", "):
            assert of_mapping({key: value}) == Settings()


def test_the_name_of_the_profile() -> None:
    def path(**given: object) -> str:
        return output_path(of_mapping({"file": "p.out", **given}), 12, 3456.7)

    assert path() == "p.out"
    assert path(addpid=1) == "p.out.12"
    assert path(addtimestamp=1) == "p.out.3456"
    assert path(addpid=1, addtimestamp=1) == "p.out.12.3456"


@pytest.mark.parametrize(
    ("key", "given", "meant"),
    [
        ("sigexit", "1", "int,hup,term"),
        ("sigexit", "0", ""),
        ("sigflush", "SIGUSR1", "usr1"),
        ("sigswitch", "0", ""),
        ("sigexit", "SIGUSR1, hup", "usr1,hup"),
        ("forkdepth", "-1", -1),
        ("forkdepth", "3", 3),
        ("merge", "keep", "keep"),
        ("merge", "no", "0"),
        ("merge", True, "1"),
    ],
)
def test_settings_of_processes(key: str, given: object, meant: object) -> None:
    assert of_mapping({key: given}).items() == {
        **Settings().items(),
        key: meant,
    }


@pytest.mark.parametrize(
    ("key", "given", "reason"),
    [
        ("sigexit", "int,nothing", "there is no signal 'nothing'"),
        ("sigexit", "segv", "a profile can't be finished at the signal 'segv'"),
        ("forkdepth", "-2", "it must be a number from 0, or -1 for no limit"),
        ("merge", "2", "it must be 0, 1 or keep"),
    ],
)
def test_settings_of_processes_that_make_no_sense(key: str, given: str, reason: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(f"{key}={given}: {reason}")):
        of_mapping({key: given})


def test_the_scope_knows_the_folders_that_sysconfig_does() -> None:
    """Without asking it, which takes time."""
    left_out = excluded_prefixes("project")
    for name in ("stdlib", "platstdlib", "purelib", "platlib"):
        assert os.path.join(sysconfig.get_path(name), "").startswith(left_out), name
