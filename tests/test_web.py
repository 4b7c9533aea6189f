"""Middleware: Flask and Django under gunicorn, FastAPI under uvicorn, and what can go wrong."""

from __future__ import annotations

import atexit
import concurrent.futures
import contextlib
import importlib.util
import os
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support import PYTHON, TIME_LIMIT_S, environment, run, wait_until

from pynytprof import convert, reader, units, verify, web
from pynytprof.web.choice import Choice

SECRET = "a secret of sixteen"

FLASK = """\
import flask, os
from pynytprof.web import WSGIMiddleware, flask_route
app = flask.Flask(__name__)
def work(n):
    return sum(range(n))
@app.get("/users/<int:number>")
def user(number):
    return str(work(number))
@app.get("/stream")
def stream():
    def parts():
        for n in range(5):
            yield str(work(n))
    return flask.Response(parts())
@app.get("/fail")
def fail():
    raise RuntimeError("no")
app.wsgi_app = WSGIMiddleware(app.wsgi_app, label=flask_route(app), **eval(os.environ["SETTINGS"]))
"""

DJANGO = """\
import os
import django
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpResponse
from django.urls import path
from pynytprof.web import WSGIMiddleware, django_route
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="x")
def work(n):
    return sum(range(n))
def user(request, number):
    return HttpResponse(str(work(number)))
urlpatterns = [path("users/<int:number>", user)]
django.setup()
app = WSGIMiddleware(WSGIHandler(), label=django_route, **eval(os.environ["SETTINGS"]))
"""

FASTAPI = """\
import asyncio, os
import fastapi
from pynytprof.web import ASGIMiddleware, starlette_route
api = fastapi.FastAPI()
def work(n):
    return sum(range(n))
@api.get("/users/{number}")
async def user(number: int):
    await asyncio.sleep(0.01)
    return work(number)
@api.get("/other")
async def other():
    await asyncio.sleep(0.01)
    return work(1) + work(2)
app = ASGIMiddleware(api, label=starlette_route(api), **eval(os.environ["SETTINGS"]))
"""

APPS: dict[str, tuple[str, list[str]]] = {
    "flask": (FLASK, ["-m", "gunicorn", "-w", "2", "--threads", "2"]),
    "django": (DJANGO, ["-m", "gunicorn", "-w", "1"]),
    "fastapi": (FASTAPI, ["-m", "uvicorn", "--log-level", "warning"]),
    "hypercorn": (FASTAPI, ["-m", "hypercorn"]),
    "workers": (FASTAPI, ["-m", "uvicorn", "--log-level", "warning", "--workers", "2"]),
}
FRAMEWORKS = {FLASK: "flask", DJANGO: "django", FASTAPI: "fastapi"}


class Server:
    """An application that is being served on a free port of this machine."""

    def __init__(self, folder: Path, name: str, settings: dict[str, Any], *words: str) -> None:
        text, command = APPS[name]
        for module in (FRAMEWORKS[text], command[1]):  # a worker without would start for ever
            assert importlib.util.find_spec(module), f"{module} is not installed"
        (folder / "serve.py").write_text(text)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        where = ["-b", f"127.0.0.1:{self.port}"]
        if "uvicorn" in command:
            where = ["--host", "127.0.0.1", "--port", str(self.port)]
        self.folder = folder
        self.errors = folder / "errors"
        with self.errors.open("wb") as errors:
            self._running = subprocess.Popen(
                [PYTHON, *words, *command, *where, "serve:app"],
                cwd=folder,
                env=environment(SETTINGS=repr(settings)),
                stderr=errors,
                stdout=errors,
            )

    def wait(self) -> None:
        def listens() -> bool:
            assert self._running.poll() is None, self.errors.read_text()
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return True
            return False

        wait_until(listens, "the server")

    def get(self, path: str, **headers: str) -> str:
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=TIME_LIMIT_S) as answer:
            return str(answer.read().decode())

    def stop(self) -> None:
        self._running.send_signal(signal.SIGTERM)
        try:
            self._running.wait(TIME_LIMIT_S)
        finally:
            self._running.kill()
            self._running.wait()

    def profile(self) -> reader.Profile:
        """Of all its processes."""
        found = sorted((self.folder / "nytprof-web").glob("web-*.out"))
        assert found
        assert all(verify.verify(path, quiet=True) for path in found)
        convert.merge(found, self.folder / "all.out")
        return reader.read(self.folder / "all.out")


Serve = Callable[..., contextlib.AbstractContextManager[Server]]


@pytest.fixture
def serve(tmp_path: Path) -> Serve:
    @contextlib.contextmanager
    def served(name: str, settings: dict[str, Any], *words: str) -> Iterator[Server]:
        server = Server(tmp_path, name, settings, *words)
        try:
            server.wait()
            yield server
        finally:
            server.stop()

    return served


ROUTES = {
    "flask": "web::GET_/users/_int:number_",
    "django": "web::GET_/users/_int:number_",
    "fastapi": "web::GET_/users/_number_",
    "hypercorn": "web::GET_/users/_number_",
}


@pytest.mark.parametrize("name", ROUTES)
def test_every_request_is_profiled_by_its_route(name: str, serve: Serve) -> None:
    with serve(name, {"every": 1}) as server, concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda n: server.get(f"/users/{n}"), range(1, 31))
        assert sorted(map(int, answers)) == [sum(range(n)) for n in range(1, 31)]
    profile = server.profile()
    assert profile.subs["serve::work"].calls == 30
    route = profile.subs[ROUTES[name]]
    assert route.incl > 0
    if name in ("flask", "django"):  # a coroutine has a call for each of its steps
        assert route.calls == 30
    assert "pynytprof: " not in server.errors.read_text()


def test_one_in_n(serve: Serve) -> None:
    with serve("fastapi", {"every": 10}) as server:
        for _ in range(25):
            server.get("/other")
    assert server.profile().subs["serve::other"].callers
    assert server.profile().subs["serve::work"].calls == 6


def test_requests_that_overlap_are_kept_apart(serve: Serve) -> None:
    every = {"every": 1}
    with serve("fastapi", every) as server, concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(server.get, ["/users/3", "/other", "/users/4", "/other"] * 6))
    done = run(
        [PYTHON, "-m", "pynytprof", "tree", "--json", "--min", "0", "--focus", "web::GET_/other",
         next((server.folder / "nytprof-web").iterdir())],
        server.folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "serve::other" in done.stdout
    assert "serve::user" not in done.stdout


def test_streams_and_errors(serve: Serve) -> None:
    with serve("flask", {"every": 1}) as server:
        assert server.get("/stream") == "00136"
        with pytest.raises(urllib.error.HTTPError, match="500"):
            server.get("/fail")
        assert server.get("/users/3") == "3"
    profile = server.profile()
    assert profile.subs["serve::work"].calls == 6
    assert profile.subs["serve::fail"].calls == 1


@pytest.mark.parametrize("framework", ["django", "fastapi"])
def test_on_demand_with_the_secret_alone(serve: Serve, framework: str) -> None:
    with serve(framework, {"secret": SECRET}) as server:
        server.get("/users/1")
        server.get("/users/1", **{"X-Nytprof": "a secret of sixteem"})
        server.get("/users/1?nytprof=a+secret+of+sixteem&x=1")
        server.get("/users/1?nytprof=")
        assert not (server.folder / "nytprof-web").exists()
        server.get("/users/1", **{"X-Nytprof": SECRET})
        server.get("/users/1?x=1&nytprof=a%20secret+of+sixteen")
    assert server.profile().subs["serve::work"].calls == 2


def test_a_query_may_be_anything() -> None:
    choice = Choice(units.Names("web"), secret=SECRET)
    assert choice.word(None, b"y=\xff&nytprof=one+word&z=%FF") == "one word"
    assert choice.word(None, b"nytprof=\xff") == "\xff"
    assert choice.word(None, b"&&;=nytprof=&\x00") is None
    assert choice.word("header", b"nytprof=query") == "header"


def test_slow_requests_are_kept(serve: Serve) -> None:
    with serve("fastapi", {"every": 1, "slower_than": 0.01, "keep": 2}) as server:
        for _ in range(4):
            server.get("/other")
    kept = sorted(p.name for p in (server.folder / "nytprof-web").iterdir())
    assert len(kept) == 2 and all(name.startswith("GET_other-") for name in kept)
    assert server.errors.read_text().count("enough slow requests") == 1
    found = reader.read(server.folder / "nytprof-web" / kept[0])
    assert found.subs["serve::work"].calls == 2


def test_fast_requests_are_not_kept(serve: Serve) -> None:
    with serve("django", {"every": 1, "slower_than": 1000}) as server:
        server.get("/users/5")
    assert list((server.folder / "nytprof-web").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_told_once_and_requests_pass(
    serve: Serve, tmp_path: Path
) -> None:
    (tmp_path / "nytprof-web").write_text("a file")
    with serve("django", {"every": 1}) as server:
        assert [server.get("/users/3") for _ in range(3)] == ["3"] * 3
    assert server.errors.read_text().count("requests are not profiled") == 1


def test_under_pynytprof_requests_have_their_labels_in_its_profile(serve: Serve) -> None:
    with serve("fastapi", {"every": 1}, "-m", "pynytprof", "-q") as server:
        server.get("/other")
    assert not (server.folder / "nytprof-web").exists()
    assert "web::GET_/other" in reader.read(server.folder / "nytprof.out").subs


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"every": -1}, "every"),
        ({"slower_than": 1}, "slower_than"),
        ({"secret": "short"}, "8 characters"),
        ({"options": {"compres": 1}}, "compres"),
    ],
)
def test_settings_that_make_no_sense(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        web.WSGIMiddleware(lambda environ, start: [], **settings)


def test_labels_are_bounded_and_without_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    app = web.WSGIMiddleware(lambda environ, start: [b""], "profiles", every=1)
    for n in range(300):
        app({"REQUEST_METHOD": "GET", "PATH_INFO": f"/page{n}/{n}"}, None)
    (session,) = app._choice._shared.values()
    session.finish()
    subs = reader.read(session.path).subs
    named = [name for name in subs if name.startswith("web::")]
    assert len(named) == 201 and "web::(other)" in named
    assert "web::GET_/page7/_" in named


OVERLAP = """\
import threading
from pynytprof.web import WSGIMiddleware
inside, go = threading.Event(), threading.Event()
def app(environ, start):
    if environ["PATH_INFO"] == "/long":
        inside.set()
        go.wait()
    return [b""]
served = WSGIMiddleware(app, every=1, slower_than=0)
def get(path):
    served({"REQUEST_METHOD": "GET", "PATH_INFO": path}, None)
first = threading.Thread(target=get, args=["/long"])
first.start()
inside.wait()
for n in range(7):
    get("/short")
go.set()
first.join()
"""


def test_requests_that_pass_because_they_overlap_are_counted(tmp_path: Path) -> None:
    done = run([PYTHON, "-c", OVERLAP], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        "pynytprof: requests that passed unprofiled because one was being profiled: 7\n"
    )
    assert [p.name.startswith("GET_long-") for p in (tmp_path / "nytprof-web").iterdir()] == [True]


FULL = """\
import resource
from pynytprof.web import WSGIMiddleware
served = WSGIMiddleware(lambda environ, start: [b"fine"], every=1, slower_than=0)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
for n in range(5):
    assert served({"REQUEST_METHOD": "GET", "PATH_INFO": f"/{n}"}, None) == [b"fine"]
"""


def test_a_full_disk_is_told_once_and_not_at_each_request(tmp_path: Path) -> None:
    done = run([PYTHON, "-c", FULL], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("File too large") == 1
    assert done.stderr.count("a request's profile is lost") == 1
    assert len(done.stderr.splitlines()) == 2


def test_only_one_of_two_threads_profiles_its_request_alone(tmp_path: Path) -> None:
    choice = web.choice.Choice(units.Names("web"), tmp_path, every=1, slower_than=0)
    pid, both = os.getpid(), threading.Barrier(2)
    began: list[object] = []
    making = choice._folder.__class__.mkdir

    def slow(self: Path, *args: Any, **kwargs: Any) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            both.wait(0.3)  # two who have both found the place free would meet here
        making(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choice._folder.__class__, "mkdir", slow)
        threads = [
            threading.Thread(target=lambda: began.append(choice.begin({}, "GET", "/")))
            for _ in range(2)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    (profiled,) = [one for one in began if one is not None]
    assert isinstance(profiled, web.choice.Profiled)
    profiled.end()
    assert next(choice._passed[pid]) == 1
    atexit.unregister(choice._tell_passed)


def test_workers_that_uvicorn_spawns_are_followed_with_one_option(serve: Serve) -> None:
    words = ["-m", "pynytprof", "--children", "--merge"]
    with serve("workers", {}, *words) as server:
        for n in range(10):
            server.get(f"/users/{n}")
    assert reader.read(server.folder / "nytprof.out").subs["serve::work"].calls == 10
    assert "are not in the profile" not in server.errors.read_text()


def test_workers_that_are_not_followed_are_told_in_one_line(serve: Serve) -> None:
    with serve("workers", {}, "-m", "pynytprof") as server:
        server.get("/users/3")
    told = server.errors.read_text()
    assert told.count("2 Pythons were started that are not in the profile: see --children") == 1
