"""Tasks of celery and rq, with a broker of their own."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import PYTHON, TIME_LIMIT_S, environment, holds, run, wait_until

from pynytprof import convert, reader, verify, web

pytestmark = pytest.mark.slow

CELERY = """\
import os, celery
from pynytprof.web import Tasks
app = celery.Celery("jobs", broker=os.environ["REDIS"], backend=os.environ["REDIS"])
tasks = Tasks(**eval(os.environ["SETTINGS"]))
def work(n):
    return sum(range(n))
@app.task
@tasks
def add(n):
    return work(n)
@app.task
@tasks
def fail():
    raise RuntimeError("mine")
"""

RQ = """\
import os
from pynytprof.web import Tasks
tasks = Tasks(**eval(os.environ["SETTINGS"]))
def work(n):
    return sum(range(n))
@tasks
def add(n):
    return work(n)
"""


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a broker on a free port, which keeps nothing."""
    folder = tmp_path_factory.mktemp("redis")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
        stdout=(folder / "said").open("w"),
    ) as server:
        wait_until(holds(folder / "said", "Ready to accept connections"), "the broker")
        yield f"redis://127.0.0.1:{port}/0"
        server.terminate()
        server.wait(TIME_LIMIT_S)


def all_profiles(folder: Path) -> reader.Profile:
    found = sorted((folder / "nytprof-tasks").glob("task-*.out"))
    assert found and all(verify.verify(path, quiet=True) for path in found)
    convert.merge(found, folder / "all.out")
    return reader.read(folder / "all.out")


@pytest.mark.parametrize(("every", "profiled"), [(1, 7), (3, 3)])
def test_tasks_of_celery_are_profiled_by_name(
    redis: str, tmp_path: Path, every: int, profiled: int
) -> None:
    (tmp_path / "jobs.py").write_text(CELERY)
    env = {"REDIS": redis, "SETTINGS": repr({"every": every})}
    command = [PYTHON, "-m", "celery", "-A", "jobs", "worker", "-c", "1", "--without-gossip",
               "--without-mingle", "-l", "info"]  # fmt: skip
    ask = (
        "import jobs\n"
        "print([jobs.add.delay(n).get(timeout=100) for n in range(7)])\n"
        "print(jobs.fail.delay().get(timeout=100, propagate=False))\n"
    )
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment(**env), stderr=(tmp_path / "said").open("w"),
        stdout=subprocess.DEVNULL,
    ) as worker:  # fmt: skip
        wait_until(holds(tmp_path / "said", "ready."), "the worker")
        done = run([PYTHON, "-c", ask], tmp_path, **env)
        worker.terminate()
        assert worker.wait(TIME_LIMIT_S) == 0
    assert done.stdout == "[0, 0, 1, 3, 6, 10, 15]\nmine\n", done.stderr
    subs = all_profiles(tmp_path).subs
    assert subs["task::jobs::add"].calls == profiled
    assert subs["jobs::work"].calls == profiled
    assert "pynytprof: " not in (tmp_path / "said").read_text()


def test_jobs_of_rq_are_profiled_by_name(redis: str, tmp_path: Path) -> None:
    (tmp_path / "jobs.py").write_text(RQ)
    env = {"REDIS": redis, "SETTINGS": repr({"every": 1})}
    ask = (
        "import os, redis, rq, jobs\n"
        "queue = rq.Queue(connection=redis.Redis.from_url(os.environ['REDIS']))\n"
        "for n in range(4): queue.enqueue(jobs.add, n)\n"
    )
    assert run([PYTHON, "-c", ask], tmp_path, **env).returncode == 0
    done = run([PYTHON, "-m", "rq.cli", "worker", "--burst", "--url", redis], tmp_path, **env)
    assert done.returncode == 0, done.stderr
    subs = all_profiles(tmp_path).subs
    assert subs["task::jobs::add"].calls == 4
    assert "pynytprof: " not in done.stderr


def test_a_task_keeps_its_name_and_its_exception(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    @web.Tasks(every=1)
    async def later(n: int) -> int:
        raise ValueError(n)

    step = later(3)
    assert later.__name__ == "later"
    with pytest.raises(ValueError, match="3"):
        step.send(None)
    with pytest.raises(TypeError, match="secret"):
        web.Tasks(secret="a secret of sixteen")
    assert sys.exc_info() == (None, None, None)
