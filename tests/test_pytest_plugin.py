"""pytest --nytprof, in a pytest of its own: profiles of tests, and the gate on their work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from doors import Door
from support import environment, run

from pynytprof import reader, verify

SHOP = """\
def price(n):
    return n * 3**5000


def total(count):
    paid = 0
    for n in range(count):
        paid += price(n)
    return paid
"""

TESTS = """\
import pytest
import shop


@pytest.fixture
def stock():
    return [shop.price(n) for n in range(50)]


def test_total():
    assert shop.total(1000) > 0


def test_stock(stock):
    assert len(stock) == 50


@pytest.mark.parametrize("n", [1, 2])
def test_some(n):
    assert shop.total(n) >= 0


@pytest.mark.xfail(strict=True)
def test_not_yet():
    assert shop.total(3) == 10
"""
SLOWER = SHOP.replace("price(n)\n", "sorted([price(n)])[0]\n")


def made_in(folder: Path) -> Path:
    (folder / "pytest.ini").write_text("[pytest]\npythonpath = .\n")
    (folder / "shop.py").write_text(SHOP)
    (folder / "tests").mkdir()
    (folder / "tests" / "test_shop.py").write_text(TESTS)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return made_in(tmp_path)


def pytested(project: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Not with -p: the plugin is found by its entry point."""
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options]
    return run(words, project, **env)


def updated(project: Path, *options: str) -> str:
    done = pytested(project, "--nytprof-baseline", "work.txt", "--nytprof-update", *options)
    assert done.returncode == 0, done.stdout + done.stderr
    return (project / "work.txt").read_text()


@pytest.fixture(scope="module")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The project's."""
    return updated(made_in(tmp_path_factory.mktemp("project")))


@pytest.fixture
def known(project: Path, baseline: str) -> Path:
    """The project, with its baseline."""
    (project / "work.txt").write_text(baseline)
    return project


def files(project: Path) -> set[str]:
    return {path.name for path in (project / "nytprof-tests").iterdir()}


def test_without_an_option_nothing_of_ours_is_loaded(project: Path) -> None:
    (project / "tests" / "test_shop.py").write_text(
        "import sys\ndef test_it():\n"
        "    ours = [name for name in sys.modules if name.startswith('pynytprof')]\n"
        "    parts = ['', '.testing', '.testing.plugin']\n"
        "    assert sorted(ours) == [f'pynytprof{part}' for part in parts]\n"
    )
    done = pytested(project)
    assert done.returncode == 0, done.stdout
    assert not (project / "nytprof-tests").exists()


def test_each_test_has_its_profile(project: Path) -> None:
    done = pytested(project, "--nytprof")
    assert done.returncode == 0, done.stdout
    assert "tests/test_shop.py::test_total" in done.stdout
    assert "shop.py:2  1,000 x" in done.stdout
    found = files(project)
    assert len([name for name in found if name.endswith(".call.out")]) == 5
    setups = [name for name in found if name.endswith(".setup.out")]
    assert len(setups) == 1 and "test_stock" in setups[0]
    setup = reader.read(project / "nytprof-tests" / setups[0])
    assert setup.subs["shop::price"].calls == 50
    whole = reader.read(project / "nytprof-tests" / "session.out")
    assert whole.subs["shop::price"].calls == 1000 + 50 + 1 + 2 + 3
    assert verify.verify(project / "nytprof-tests" / "session.out", quiet=True)


def test_the_table_is_whole_where_nobody_looks(project: Path) -> None:
    long = (
        "    assert sum(n * n for n in range(2000)) >= 0 and 'a line that is not cut at any width'"
    )
    (project / "tests" / "test_long.py").write_text(f"def test_long():\n{long}\n")
    done = pytested(project, "--nytprof", "tests/test_long.py")
    assert long.strip() in done.stdout.partition("hottest line")[2]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="needs CPython 3.12 or later")
@pytest.mark.skipif(sys.version_info >= (3, 14), reason="needs CPython before 3.14")
def test_shared_times_are_marked_in_the_table(project: Path) -> None:
    words = "a share of a time that was measured for several lines together"
    (project / "shop.py").write_text(
        "def total(count):\n    paid = 0\n    for n in range(count):\n"
        "        pad = n + 1\n        paid += sum(range(500))\n        pad = 2\n    return paid\n"
    )
    (project / "tests" / "test_shop.py").write_text(
        "import shop\ndef test_hot():\n    for n in range(100):\n        shop.total(30)\n"
    )
    told = pytested(project, "--nytprof", "--nytprof-set", "exactlines=0").stdout
    assert "shop.py:5  3,000 x, ~" in told and told.count(words) == 1
    told = pytested(project, "--nytprof", "--nytprof-set", "exactlines=1").stdout
    assert "shop.py:5  3,000 x, " in told and "~" not in told


def test_workers_of_xdist_are_one_session(project: Path) -> None:
    done = pytested(project, "--nytprof", "-n", "2")
    assert done.returncode == 0, done.stdout
    whole = reader.read(project / "nytprof-tests" / "session.out")
    assert whole.subs["shop::price"].calls == 1000 + 50 + 1 + 2 + 3


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one", "xdist"])
def test_what_pytest_calls_has_no_made_up_caller(
    workers: list[str], project: Path, nytprof: Door
) -> None:
    """Neither the script that started pytest, nor the text with which execnet starts workers."""
    script = Path(sys.executable).parent / "pytest"
    words: list[str | Path] = [script, "-p", "no:cacheprovider", "--nytprof", *workers]
    assert run([sys.executable, *words], project).returncode == 0
    path = project / "nytprof-tests" / "session.out"
    stock = run([*nytprof.argv, "func", "stock", path]).stdout
    assert "called 1 time" in stock and "Called by" not in stock
    price = run([*nytprof.argv, "func", "price", path]).stdout
    assert "shop::total" in price[price.index("Called by") :]
    assert "by __main__" not in run([*nytprof.argv, path]).stdout


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one", "xdist"])
def test_the_whole_session(workers: list[str], project: Path) -> None:
    done = pytested(project, "--nytprof-session", *workers)
    assert done.returncode == 0, done.stdout
    whole = reader.read(project / "nytprof-tests" / "session.out")
    assert whole.subs["shop::price"].calls == 1000 + 50 + 1 + 2 + 3
    imported = whole.subs["shop::(module)"]
    assert imported.calls == (2 if workers else 1)  # collection is in it


def test_the_same_work_passes_and_more_fails(known: Path, baseline: str) -> None:
    assert "\ntest tests/test_shop.py::test_total\nstatements 3004\ncalls 1001\n" in baseline
    assert "\n1000\t1000\tshop.py\ttotal\tpaid += price(n)\n" in baseline
    assert updated(known, "-n", "2") == baseline
    same = pytested(known, "--nytprof-baseline", "work.txt")
    assert same.returncode == 0, same.stdout
    assert "5 tests, 0 grew, 0 do less, 0 new" in same.stdout
    (known / "shop.py").write_text(SLOWER)
    more = pytested(known, "--nytprof-baseline", "work.txt", "-n", "2", PYTHONHASHSEED="7")
    assert more.returncode == 1
    assert "work grew: 1,001 -> 2,001 calls (+99.9 %)" in more.stdout
    assert "shop.py:8 made 2,000 calls, 1,000 more than before" in more.stdout
    assert "builtins::sorted" in more.stdout
    assert "total was called 1 time by test_shop::test_total at tests/test_shop.py:11" in (
        more.stdout
    )
    assert (known / "work.txt").read_text() == baseline


@pytest.mark.once
def test_less_work_and_new_tests_are_told(known: Path) -> None:
    (known / "shop.py").write_text(SHOP.replace("paid += price(n)", "paid += 3 * n"))
    (known / "tests" / "test_new.py").write_text("def test_new():\n    assert True\n")
    done = pytested(known, "--nytprof-baseline", "work.txt")
    assert done.returncode == 0, done.stdout
    assert "4 do less, 1 new" in done.stdout
    assert "--nytprof-update keeps the new figures" in done.stdout


@pytest.mark.once
@pytest.mark.parametrize(
    ("tolerance", "status"), [("99%", 1), ("100%", 0), ("999", 1), ("1%,1000", 0)]
)
def test_tolerance(tolerance: str, status: int, known: Path) -> None:
    (known / "shop.py").write_text(SLOWER)
    done = pytested(
        known, "-k", "total", "--nytprof-baseline", "work.txt", "--nytprof-tolerance", tolerance
    )
    assert done.returncode == status, done.stdout


@pytest.mark.once
def test_a_moved_and_edited_line_is_the_same_line(known: Path) -> None:
    (known / "shop.py").write_text('"""Prices."""\n\n' + SLOWER)
    done = pytested(known, "--nytprof-baseline", "work.txt", "-k", "total")
    assert "shop.py:10 made 2,000 calls, 1,000 more than before" in done.stdout


@pytest.mark.once
def test_annotations_and_markdown(known: Path) -> None:
    (known / "shop.py").write_text(SLOWER)
    done = pytested(
        known, "--nytprof-baseline", "work.txt", "--nytprof-markdown", "work.md",
        GITHUB_ACTIONS="true",
    )  # fmt: skip
    assert "::error file=shop.py,line=8,title=work grew::tests/test_shop.py::test_total" in (
        done.stdout
    )
    text = (known / "work.md").read_text()
    assert "| tests/test\\_shop.py::test\\_total | 1,001 -\\> 2,001 calls" in text


@pytest.mark.once
def test_tests_that_are_gone_leave_the_baseline(known: Path) -> None:
    path = known / "tests" / "test_shop.py"
    path.write_text(path.read_text().replace("test_stock", "test_shelf"))
    assert "test_stock" in updated(known, "-k", "total")
    text = updated(known)
    assert "test_stock" not in text and "test_shelf" in text


DAMAGE = {
    "another version": ("pynytprof-baseline 1", "pynytprof-baseline 9", "txt:1: not a baseline"),
    "no number": ("statements 3004", "statements many", "'many' is no number of statements"),
    "no tabs": ("1000\t1000\t", "1000 1000 ", "expected count, calls, file, function and text"),
    "no test": ("test tests/test_shop.py::test_not_yet\n", "", "counts before the first test"),
    "two tests in one": ("test tests/test_shop.py::test_some[1]\n", "", "are there twice"),
    "cut off": ("statements 3004\n", "", "lacks its totals"),
    "another Python": ("# python 3", "# python 2", "counts differ"),
    "other settings": ("scope=project", "scope=all", "counts differ"),
}  # fmt: skip


@pytest.mark.once
@pytest.mark.parametrize("kind", DAMAGE)
def test_a_baseline_that_is_wrong_is_an_error_and_stays(
    kind: str, known: Path, baseline: str
) -> None:
    old, new, message = DAMAGE[kind]
    assert old in baseline
    text = baseline.replace(old, new, 1)
    (known / "work.txt").write_text(text)
    done = pytested(known, "--nytprof-baseline", "work.txt")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert message in done.stderr, done.stderr
    assert (known / "work.txt").read_text() == text


def test_usage(project: Path) -> None:
    for options, message in (
        (["--nytprof-update"], "needs --nytprof-baseline FILE"),
        (["--nytprof-baseline", "none.txt"], "none.txt: no such baseline"),
        (["--nytprof-session", "--nytprof"], "excludes --nytprof"),
        (["--nytprof-baseline", "none.txt", "--nytprof-tolerance", "some"], "invalid tolerance"),
        (["--nytprof", "--nytprof-set", "nosuch=1"], "nosuch"),
    ):
        done = pytested(project, *options)
        assert done.returncode == pytest.ExitCode.USAGE_ERROR, options
        assert message in done.stderr, done.stderr


def test_a_profile_that_cannot_be_made_is_no_failure(project: Path) -> None:
    (project / "nytprof-tests").write_text("in the way")
    done = pytested(project, "--nytprof")
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("not profiled (15 phases of tests)") == 1


def test_under_pynytprof_itself(project: Path) -> None:
    words = [sys.executable, "-m", "pynytprof", "-q", "-m", "pytest", "-p", "no:cacheprovider"]
    done = run([*words, "--nytprof"], project)
    assert done.returncode == 0, done.stdout
    assert "not profiled (15 phases of tests)" in done.stdout


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info >= (3, 14), reason="needs CPython before 3.14")
def test_pytest_8(project: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The plugin is used with a pytest that is older than the one that runs these tests."""
    folder = tmp_path_factory.mktemp("pytest8")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-qq", "--target", folder, "pytest==8.0.*"],
        check=True, env=environment(),
    )  # fmt: skip
    code = "import json, pytest; print(json.dumps(pytest.__version__))"
    old = {"PYTHONPATH": os.fspath(folder)}
    assert json.loads(run([sys.executable, "-c", code], None, **old).stdout).startswith("8.0")
    made = pytested(
        project, "-p", "no:xdist", "--nytprof-baseline", "w.txt", "--nytprof-update", **old
    )
    assert made.returncode == 0, made.stdout + made.stderr
    (project / "shop.py").write_text(SLOWER)
    done = pytested(project, "-p", "no:xdist", "--nytprof-baseline", "w.txt", **old)
    # Not how many in all: this pytest lies where the project could lie.
    assert "shop.py:8 made 2,000 calls, 1,000 more than before" in done.stdout
