"""The hooks. Nothing of ours but this module is loaded unless an option asks for it."""

from __future__ import annotations

import sys

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .recorder import Options

_OPTIONS: list[tuple[str, dict[str, object]]] = [
    ("--nytprof", {"action": "store_true",
                   "help": "profile each test: setup, call and teardown, a file for each"}),
    ("--nytprof-session", {"action": "store_true",
                           "help": "profile the whole session, collection included, in one file"}),
    ("--nytprof-dir", {"metavar": "DIR", "default": "nytprof-tests",
                       "help": "where the profiles go (nytprof-tests)"}),
    ("--nytprof-scope", {"choices": ("project", "site", "all"), "default": "project",
                         "help": "project (default): neither installed packages nor the standard "
                                 "library; site: not the standard library; all"}),
    ("--nytprof-set", {"metavar": "KEY=VALUE", "action": "append", "default": [],
                       "help": "any setting of pynytprof's; may be repeated"}),
    ("--nytprof-top", {"metavar": "N", "type": int, "default": 10,
                       "help": "how many of the slowest tests are listed (10)"}),
    ("--nytprof-baseline", {"metavar": "FILE",
                            "help": "fail tests that do more work than FILE says; {python} in the "
                                    "name becomes 3.12 or the like"}),
    ("--nytprof-update", {"action": "store_true",
                          "help": "write the work of the tests that run into the baseline"}),
    ("--nytprof-tolerance", {"metavar": "T", "default": "0",
                             "help": "how much more work is allowed: 2%%, 100 or 2%%,100 (0)"}),
    ("--nytprof-markdown", {"metavar": "FILE", "help": "write the result as Markdown, too"}),
]  # fmt: skip


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("nytprof", "profiling and exact work (pynytprof)")
    for name, settings in _OPTIONS:
        group.addoption(name, **settings)


def pytest_configure(config: pytest.Config) -> None:
    value = config.getoption
    baseline = value("nytprof_baseline")
    if value("nytprof_update") and not baseline:
        raise pytest.UsageError("--nytprof-update needs --nytprof-baseline FILE")
    each = bool(value("nytprof") or baseline)
    if each and value("nytprof_session"):
        raise pytest.UsageError("--nytprof-session excludes --nytprof and --nytprof-baseline")
    if each or value("nytprof_session"):
        _register(config)


def _register(config: pytest.Config) -> None:
    from . import judge, recorder

    options = _options(config)
    config.pluginmanager.register(recorder.recorder(options, config), "nytprof-recorder")
    if not hasattr(config, "workerinput"):  # else one of pytest-xdist's processes
        config.pluginmanager.register(judge.Judge(options, config), "nytprof-judge")


def _options(config: pytest.Config) -> Options:
    from .._run.settings import of_mapping
    from .baseline import BaselineError
    from .gate import Tolerance
    from .recorder import Options, load

    value = config.getoption
    python = ".".join(map(str, sys.version_info[:2]))
    pairs = [item.partition("=") for item in value("nytprof_set")]
    try:
        options = Options(
            root=str(config.rootpath),
            folder=config.invocation_params.dir / value("nytprof_dir"),
            session=value("nytprof_session"),
            settings={"scope": value("nytprof_scope"), **{k.strip(): v for k, _, v in pairs}},
            top=value("nytprof_top"),
            python=python,
            update=value("nytprof_update"),
            tolerance=Tolerance.of(value("nytprof_tolerance")),
            markdown=value("nytprof_markdown"),
        )
        of_mapping(options.settings)
        if value("nytprof_baseline"):
            name = value("nytprof_baseline").replace("{python}", python)
            load(options, config.invocation_params.dir / name)
    except (BaselineError, ValueError) as error:
        raise pytest.UsageError(f"pynytprof: {error}") from error
    return options
