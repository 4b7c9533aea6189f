"""Profiles that follow one another in a long-lived process leave nothing behind."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import textwrap
import weakref
from pathlib import Path
from typing import Any

import pytest

from pynytprof._run.protocols import AnySession
from pynytprof.tracer import Tracer

pytestmark = pytest.mark.alone  # profiles are made in this very process


class Nobody:
    def write_chunk(self, token: bytes, payload: bytes) -> None: ...

    def close(self) -> None: ...


@pytest.mark.parametrize("writer", [None, Nobody()], ids=["C", "the user's"])
def test_a_session_that_is_over_is_forgotten(writer: Any, tmp_path: Path) -> None:
    def use() -> weakref.ref[AnySession]:
        tracer = Tracer(tmp_path / "out", writer=writer, options={"raw": True})
        with tracer:
            pass
        return weakref.ref(tracer._session)

    gone = use()
    gc.collect()
    assert gone() is None


def test_a_session_that_runs_is_completed_at_exit(tmp_path: Path) -> None:
    """Also if the program has let go of it."""
    out: Any = tmp_path / "out"
    text = textwrap.dedent(f"""\
        from pynytprof.tracer import Tracer
        def begin():
            Tracer({str(out)!r}).start()
        begin()
        x = 1
        """)
    environment = {k: v for k, v in os.environ.items() if "NYTPROF" not in k}
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, env=environment
    )
    assert (done.returncode, done.stderr) == (0, "")
    verified = subprocess.run([sys.executable, "-m", "pynytprof", "info", out],
                              capture_output=True, text=True)  # fmt: skip
    assert "complete      yes" in verified.stdout, verified.stdout
