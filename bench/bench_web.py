#!/usr/bin/env python3
"""Requests per second of Flask, Django and FastAPI under gunicorn and uvicorn, with the middleware.

    bench_web.py [-n ROUNDS] [-c CONNECTIONS] [NAME]

For this Python, which has pynytprof, flask, django, fastapi, gunicorn and uvicorn; with NAME, only
the hosts whose name has it in it. One worker of each kind
serves on a free port of 127.0.0.1: without middleware, the same again (what the two differ by is
noise), with middleware that profiles nothing, one request in 100, and each.

Two processes of the same server differ by up to 15 % for as long as they live, by where their
memory lies: so each server is started four times, and all figures are over those.

Requests a second: the median of four turns of a second, by wrk (Debian has it) or, where there is
none, by threads of this process. Processor time: the worker's own, in ROUNDS rounds in which each
server gets 100 requests, so that a machine whose speed changes within seconds changes it for all;
"more" is the median of its quotients with the server without middleware in the same round, and
in brackets where that median lies with 95 % of certainty.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ORDERS = """\
import os

BOOKS = [{"title": f"book {n}", "price": 5 + n % 17, "stock": n % 3} for n in range(60)]

def offer(user):
    found = [book for book in BOOKS if book["stock"] and (book["price"] + user) % 4 == 0]
    found.sort(key=lambda book: book["price"])
    return {"user": user, "books": found[:5], "total": sum(book["price"] for book in found)}

MODE = os.environ["BENCH_WEB"]
"""

FLASK = (
    ORDERS
    + """
from flask import Flask, jsonify
app = Flask("shop")

@app.get("/offers/<int:user>")
def offers(user):
    return jsonify(offer(user))

@app.get("/pid")
def pid():
    return str(os.getpid())

if MODE != "bare":
    from pynytprof.web import WSGIMiddleware, flask_route
    app.wsgi_app = WSGIMiddleware(app.wsgi_app, every=int(MODE), label=flask_route(app))
"""
)

FASTAPI = (
    ORDERS
    + """
from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
app = api = FastAPI()

@api.get("/offers/{user}")
async def offers(user: int):
    return offer(user)

@api.get("/pid", response_class=PlainTextResponse)
async def pid():
    return str(os.getpid())

if MODE != "bare":
    from pynytprof.web import ASGIMiddleware, starlette_route
    app = ASGIMiddleware(api, every=int(MODE), label=starlette_route(api))
"""
)

DJANGO = (
    ORDERS
    + """
import django
from django.conf import settings
from django.http import HttpResponse, JsonResponse
from django.urls import path
settings.configure(
    ALLOWED_HOSTS=["*"], ROOT_URLCONF="shop", SECRET_KEY="x" * 50, LOGGING_CONFIG=None,
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
)
django.setup()

def offers(request, user):
    return JsonResponse(offer(user))

def pid(request):
    return HttpResponse(str(os.getpid()))

urlpatterns = [path("offers/<int:user>", offers), path("pid", pid)]
"""
)


def _django_app(interface: str) -> str:
    """The app's last part, for "wsgi" or "asgi"."""
    middleware = f"{interface.upper()}Middleware"
    return f"""
from django.core.{interface} import get_{interface}_application
app = get_{interface}_application()
if MODE != "bare":
    from pynytprof.web import {middleware}, django_route
    app = {middleware}(app, every=int(MODE), label=django_route)
"""


DJANGO_WSGI = DJANGO + _django_app("wsgi")
DJANGO_ASGI = DJANGO + _django_app("asgi")

GUNICORN = ["gunicorn", "-w", "1", "--log-level", "error", "-b", "127.0.0.1:{port}", "shop:app"]
UVICORN = ["uvicorn", "--no-access-log", "--log-level", "error", "--port", "{port}", "shop:app"]

# name: the module, and the server's command without its port
HOSTS = {
    "Flask, gunicorn": (FLASK, GUNICORN),
    "Django, gunicorn": (DJANGO_WSGI, GUNICORN),
    "FastAPI, gunicorn": (FASTAPI, [*GUNICORN, "-k", "uvicorn.workers.UvicornWorker"]),
    "Flask, uvicorn": (FLASK, [*UVICORN, "--interface", "wsgi"]),
    "Django, uvicorn": (DJANGO_ASGI, UVICORN),
    "FastAPI, uvicorn": (FASTAPI, UVICORN),
}
# What BENCH_WEB is, by the name in the table
MODES = {
    "without middleware": "bare",
    "the same again": "bare",
    "middleware, nothing profiled": "0",
    "1 in 100": "100",
    "each": "1",
}
PATH = "/offers/7"
TURN = 100  # requests of a turn in which processor time is measured
STARTS = 4  # of each server; in each of them one turn of a second, in which requests are counted


@dataclass
class Server:
    """One that runs, and what has been measured of it, an entry for each round."""

    port: int
    worker: int = 0
    rates: list[float] = field(default_factory=list)  # requests a second
    costs: list[float] = field(default_factory=list)  # processor time of the worker, us a request


def get(port: int, path: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    if answer.status != 200:
        raise OSError(f"{path}: {answer.status}")
    return text


@contextlib.contextmanager
def serving(module: str, command: list[str], mode: str, folder: Path) -> Iterator[Server]:
    """A server that answers; stopped at the end."""
    folder.mkdir()
    (folder / "shop.py").write_text(module)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [word.format(port=port) for word in command]
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-m", *words],
        cwd=folder,
        env={**os.environ, "BENCH_WEB": mode, "PYTHONHASHSEED": "0"},
    )
    try:
        server = Server(port)
        for _ in range(150):
            with contextlib.suppress(OSError):
                server.worker = int(get(port, "/pid"))
                break
            if process.poll() is not None:
                break
            time.sleep(0.2)
        if not server.worker:
            raise SystemExit(f"{command[0]} does not answer")
        yield server
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def processor_ns(pid: int) -> int:
    """Processor time that the process has used, all its threads (Linux: clock_getcpuclockid)."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def load_by_wrk(port: int, connections: int) -> tuple[int, float]:
    """Number of requests and seconds of a turn."""
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", "-d1s", f"http://127.0.0.1:{port}{PATH}"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    found = re.search(r"(\d+) requests in ([\d.]+)(ms|s)", done.stdout)
    if found is None or "Non-2xx" in done.stdout:
        raise SystemExit(f"wrk says:\n{done.stdout}")
    return int(found[1]), float(found[2]) / (1000 if found[3] == "ms" else 1)


def load_by_threads(port: int, connections: int) -> tuple[int, float]:
    """The same, without wrk."""
    failed: list[BaseException] = []
    numbers: list[int] = []

    def some() -> None:
        try:
            while time.perf_counter() - began < 1:
                get(port, PATH)
                numbers.append(1)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=some) for _ in range(connections)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise SystemExit(f"a request failed: {failed[0]}")
    return len(numbers), time.perf_counter() - began


def in_turn(servers: list[Server], rounds: int) -> Iterator[Server]:
    """All servers in each round; who begins changes."""
    for number in range(rounds):
        for place in range(len(servers)):
            yield servers[(number + place) % len(servers)]


def measure(servers: list[Server], rounds: int, connections: int) -> None:
    load = load_by_wrk if shutil.which("wrk") else load_by_threads
    for server in servers:  # warms caches, too
        requests, seconds = load(server.port, connections)
        server.rates.append(requests / seconds)
    for server in in_turn(servers, rounds):
        before = processor_ns(server.worker)
        for _ in range(TURN):
            get(server.port, PATH)
        server.costs.append((processor_ns(server.worker) - before) / 1e3 / TURN)


def once(
    module: str, command: list[str], measured: list[Server], rounds: int, connections: int
) -> None:
    """Starts all servers, and adds what is found of each."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(serving(module, command, mode, Path(folder, str(number))))
            for number, mode in enumerate(MODES.values())
        ]
        measure(servers, rounds, connections)
    for total, server in zip(measured, servers, strict=True):
        total.rates += server.rates
        total.costs += server.costs


def row(server: Server, bare: Server) -> str:
    quotients = sorted(
        100 * (mine / its - 1) for mine, its in zip(server.costs, bare.costs, strict=True)
    )
    half = len(quotients) / 2
    reach = 0.98 * len(quotients) ** 0.5  # of the binomial distribution, 95 %
    low = quotients[max(0, int(half - reach))]
    high = quotients[min(len(quotients) - 1, int(half + reach))]
    more = f"{statistics.median(quotients):+.1f} % ({low:+.1f} to {high:+.1f})"
    cells = [
        f"{statistics.median(server.rates):,.0f}",
        f"{statistics.median(server.costs):.0f} us",
        f"{min(server.costs):.0f} us",
        "" if server is bare else more,
    ]
    return " | ".join(cells)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("-n", type=int, default=100, help="rounds (100)")
    parser.add_argument("-c", type=int, default=4, help="connections (4)")
    parser.add_argument("name", nargs="?", default="", help="only hosts with that in their name")
    given = parser.parse_args()
    if given.n < 2 or given.c < 1:
        parser.error("at least two rounds and one connection")
    with_what = "wrk" if shutil.which("wrk") else "threads"
    print(f"CPython {platform.python_version()}, {given.n} rounds, {given.c} connections "
          f"by {with_what}\n")  # fmt: skip
    print("| | requests a second | processor time a request | least | more |\n" + "|---" * 5 + "|")
    for name, (module, command) in HOSTS.items():
        if given.name.lower() not in name.lower():
            continue
        measured = [Server(0) for _ in MODES]
        for _ in range(STARTS):
            once(module, command, measured, max(1, given.n // STARTS), given.c)
        for mode, server in zip(MODES, measured, strict=True):
            print(f"| {name}: {mode} | {row(server, measured[0])} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
