"""The example of a writer of one's own works as its text says."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parent.parent / "examples" / "sqlite_writer.py"


def test_a_program_s_hot_lines_can_be_asked_for(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("def f(n):\n    return n + 1\n\nfor i in range(1000):\n    f(i)\n")
    database = tmp_path / "profile.db"
    done = subprocess.run(
        [sys.executable, EXAMPLE, database, script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    db = sqlite3.connect(database)
    hot = dict(db.execute("SELECT text, count FROM hot WHERE file = ?", (str(script),)).fetchall())
    assert hot["    return n + 1\n"] == 1000
    assert hot["    f(i)\n"] == 1000
    calls = "SELECT SUM(count) FROM call JOIN sub ON called = id WHERE name LIKE '%::f'"
    assert db.execute(calls).fetchone() == (1000,)
    db.close()


def test_without_a_script_it_explains_itself() -> None:
    done = subprocess.run([sys.executable, EXAMPLE], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "sqlite_writer.py profile.db script.py" in done.stderr
