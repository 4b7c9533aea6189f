"""pytest runs a suite of 120 small tests with fixtures and parameters."""

import sys
import tempfile
from pathlib import Path

import pytest

SUITE = """
import pytest

@pytest.fixture
def table():
    return {i: str(i) for i in range(50)}

@pytest.fixture(scope="module")
def words():
    return [f"word{i}" for i in range(200)]

@pytest.mark.parametrize("n", range(80))
def test_squares(n, table):
    assert sum(i * i for i in range(n)) == (n - 1) * n * (2 * n - 1) // 6
    assert table.get(n % 50) == str(n % 50)

@pytest.mark.parametrize("prefix", ["word", "wor", "wo", "w"])
@pytest.mark.parametrize("n", range(10))
def test_words(prefix, n, words, tmp_path):
    assert all(word.startswith(prefix) for word in words)
    path = tmp_path / f"{n}.txt"
    path.write_text("\\n".join(words))
    assert len(path.read_text().split()) == 200
"""


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "test_suite.py"
        path.write_text(SUITE)
        return int(pytest.main(["-q", "-p", "no:cacheprovider", str(path)]))


if __name__ == "__main__":
    sys.exit(main())
