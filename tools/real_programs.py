#!/usr/bin/env python3
"""Real command-line programs with and without the profiler: nobody may tell the difference.

    real_programs.py [--only PATTERN...] [--python PYTHON] [--standard] [--list]

Each program runs twice in the same folder, once plainly and once under pynytprof. Standard
output, standard error, exit status and every file that is left must be equal; what a
program prints of the time, or of addresses in memory, is made equal first. The profile must be
sound. Programs whose packages PYTHON (this one, if none is given) lacks are left out and
named; `--standard` leaves out all that need packages. `--list` prints the packages, for pip.

Exit status 1 if one differs.
"""

from __future__ import annotations

import argparse
import difflib
import fnmatch
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

TIME_LIMIT_S = 300

# What differs between two runs of nearly anything.
NOISE = (
    (r"0x[0-9a-fA-F]{6,}", "0x..."),
    (r"\b\d+(\.\d+)? ?(ms|usec|nsec|msec|s|sec|secs|seconds)\b", "TIME"),
)


@dataclass(frozen=True)
class Program:
    """``command``: what follows ``python``; ``bin:NAME`` is a program of the environment's."""

    name: str
    command: Sequence[str]
    packages: str = ""
    files: dict[str, str] = field(default_factory=dict)
    stdin: str = ""
    flags: Sequence[str] = ()
    """The interpreter's own options."""
    noise: Sequence[str] = ()
    """More patterns to be blanked in what it prints and writes."""
    ignore: Sequence[str] = ()
    """Patterns of files that differ between any two runs."""
    serves: bool = False
    """It prints `http://HOST:PORT`, is asked for /, and then interrupted."""


# ---- Files that several have ----

PACKAGE = {
    "tree/__init__.py": '"""A tree."""\n',
    "tree/node.py": '"""Nodes."""\nfrom __future__ import annotations\nimport os, sys\n\n\n'
    "class Node:\n"
    "    def __init__(self, value: int, left: 'Node | None' = None) -> None:\n"
    "        self.value = value ; self.left=left\n\n"
    "    def depth(self) -> int:\n"
    "        return 1 + (self.left.depth() if self.left else 0)\n\n"
    "def total(nodes: list[Node]) -> str:\n    return sum(n.value for n in nodes)\n",
}
TESTS = {
    "test_node.py": "import unittest\nfrom tree.node import Node\n\n"
    "class NodeTest(unittest.TestCase):\n"
    "    def test_depth(self):\n        self.assertEqual(Node(1, Node(2)).depth(), 2)\n"
    "    def test_fails(self):\n        self.assertEqual(Node(1).depth(), 3)\n"
    "    @unittest.skip('why not')\n    def test_skipped(self):\n        pass\n",
}
MARKUP = {
    "text.rst": "Title\n=====\n\nSome *text* with a `link <https://example.org>`_.\n\n"
    ".. code:: python\n\n    print('x')\n\n* one\n* two\n",
    "text.md": "# Title\n\nSome *text* with a [link](https://example.org).\n\n* one\n* two\n",
}
DATA = {
    "data.json": '{"b": [1, 2, {"c": null}], "a": "\\u00e9"}',
    "data.yaml": "a: 1\nb:   [1,2]\n",
}

SQLITE = """\
import sqlite3
db = sqlite3.connect("people.db")
db.create_function("twice", 1, lambda x: 2 * x)
db.execute("create table person (name text, age int)")
db.executemany("insert into person values (?, ?)", [("Ann", 30), ("Bo", 7), ("Cy", 55)])
db.commit()
for row in db.execute("select name, twice(age) from person order by age"):
    print(*row)
try:
    db.execute("select nothing from nowhere")
except sqlite3.OperationalError as e:
    print(e)
"""
ASYNCIO = """\
import asyncio

async def serve(reader, writer):
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.close()

async def ask(port, n):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"hello {n}\\n".encode())
    answer = await reader.readline()
    writer.close()
    await writer.wait_closed()
    return answer.decode().strip()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for answer in await asyncio.gather(*(ask(port, n) for n in range(20))):
        print(answer)
    server.close()

asyncio.run(main())
"""
THREADED_SERVER = """\
import http.server, threading, urllib.request, sys

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())
    def log_message(self, text, *args):
        print("log", args[0], file=sys.stderr)

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
thread = threading.Thread(target=server.serve_forever)
thread.start()
for n in range(5):
    print(urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/{n}").read())
server.shutdown()
thread.join()
"""
PICKLING = """\
import copyreg, pickle, sys

class Point:
    def __init__(self, x): self.x = x
    def __eq__(self, other): return self.x == other.x

data = pickle.dumps(Point(3))
print(data, pickle.loads(data) == Point(3), sys.modules["__main__"].Point is Point)
open("point.pickle", "wb").write(data)
"""
GETSOURCE = """\
import inspect, sys

def f(x):
    # a comment
    return x + 1

class C:
    def m(self): pass

print(inspect.getsource(f), inspect.getsource(C), inspect.getsourcefile(f))
print(inspect.getsource(sys.modules["__main__"])[:20], inspect.getfile(C))
print(inspect.stack()[0].function, inspect.signature(f))
"""
STACK = """\
import inspect, sys, traceback
traceback.print_stack()
print([frame.function for frame in inspect.stack()], sys._getframe().f_back)
"""
SPAWN = """\
import multiprocessing, os, sys

def work(n):
    return n * n, __name__, multiprocessing.current_process().name.split("-")[0]

if __name__ == "__main__":
    for method in ("spawn", "fork", "forkserver"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            print(method, sorted(pool.map(work, range(4))))
"""
STATE = """\
import sys, os, warnings
print(sys.argv, sys.path, sys.flags)
print(__name__, __file__, __spec__, __package__, sorted(vars()))
print(sys.warnoptions, sys._xoptions, sys.dont_write_bytecode, sys.executable)
print(sorted(k for k in os.environ if "PYTHON" in k))
def old():
    warnings.warn("it is old", DeprecationWarning, stacklevel=2)
    warnings.warn("it is odd")
old()
assert 1, "with -O there is none"
"""
TRACEBACKS = """\
import sys, traceback

def deep(n):
    if n == 0:
        raise ValueError("deep")
    deep(n - 1)

try:
    deep(3)
except ValueError:
    traceback.print_exc()
try:
    try:
        deep(1)
    except ValueError as error:
        raise KeyError("from") from error
except KeyError:
    print(traceback.format_exc())
def recursive(): recursive()
try:
    recursive()
except RecursionError as error:
    print(len(traceback.extract_tb(error.__traceback__)) > 900)
(lambda: 1 / 0)()
"""
ASKING = """\
name = input("Your name? ")
while True:
    try:
        n = int(input("A number? "))
        break
    except ValueError as e:
        print(e)
    except EOFError:
        raise SystemExit(f"no number, {name}")
print(f"{name}: {n * 2}")
"""
ATEXIT = """\
import atexit, sys, threading, time, weakref, gc, signal, os
class Finalized:
    def __del__(self): print("finalized")
kept = Finalized()
atexit.register(print, "at exit")
weakref.finalize(kept, print, "finalize")
threading.Thread(target=lambda: (time.sleep(0.1), print("thread")), daemon=False).start()
signal.signal(signal.SIGUSR1, lambda *a: print("signal", a[0]))
os.kill(os.getpid(), signal.SIGUSR1)
print(sys.getrecursionlimit(), threading.active_count(), gc.isenabled(), sys.getswitchinterval())
sys.exit(3)
"""
CPROFILED = "def f(n):\n    return n if n < 2 else f(n - 1) + f(n - 2)\nprint(f(10))\n"
NUMPY = """\
import numpy as np
a = np.arange(12.0).reshape(3, 4)
print(a @ a.T, np.linalg.svd(a)[1].round(6), np.vectorize(lambda x: x + 1)(a).sum())
np.save("a.npy", a)
"""
PANDAS = """\
import pandas as pd
frame = pd.DataFrame({"k": list("abab"), "v": [1, 2, 3, 4]})
print(frame.groupby("k").agg({"v": ["sum", "mean"]}))
frame.assign(w=frame.v.apply(lambda v: v * v)).to_csv("frame.csv")
"""
NOTEBOOK = (
    '{"cells": [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": ["# Title"]},'
    '{"cell_type": "code", "execution_count": null, "id": "b", "metadata": {}, "outputs": [],'
    '"source": ["print(6 * 7)"]}], "metadata": {"kernelspec": {"display_name": "Python 3",'
    '"language": "python", "name": "python3"}}, "nbformat": 4, "nbformat_minor": 5}'
)
FLASK = """\
from flask import Flask
app = Flask(__name__)

@app.route("/hello/<name>")
def hello(name):
    return f"Hello {name}"

if __name__ == "__main__":
    print(app.test_client().get("/hello/you").data)
    print(app.test_client().get("/none").status)
"""
DJANGO = """\
import os, sys
from django.core.management import execute_from_command_line
os.environ["DJANGO_SETTINGS_MODULE"] = "site1.settings"
execute_from_command_line(["django-admin", "startproject", "site1", "."])
sys.path.insert(0, ".")
execute_from_command_line(["manage.py", "check"])
execute_from_command_line(["manage.py", "migrate", "-v", "1"])
execute_from_command_line(["manage.py", "showmigrations", "--plan"])
"""
SPIDER = """\
import scrapy
class Spider(scrapy.Spider):
    name = "local"
    start_urls = ["file:///etc/hostname"]
    custom_settings = {"LOG_ENABLED": False}
    def parse(self, response):
        yield {"size": len(response.body) > 0, "url": response.url}
"""
SQLALCHEMY = """\
from sqlalchemy import ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
class Base(DeclarativeBase): pass
class User(Base):
    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    posts: Mapped[list["Post"]] = relationship(back_populates="user")
class Post(Base):
    __tablename__ = "post"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    user: Mapped[User] = relationship(back_populates="posts")
engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add(User(name="Ann", posts=[Post(), Post()]))
    session.commit()
    for user in session.scalars(select(User)):
        print(user.name, len(user.posts))
"""
REQUESTS = THREADED_SERVER.replace("urllib.request, sys", "sys, requests").replace(
    'urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}/{n}").read()',
    'requests.get(f"http://127.0.0.1:{server.server_port}/{n}", params={"q": n}).text',
)
CLICK = """\
import click
@click.group()
def main(): pass
@main.command()
@click.option("--count", default=2, show_default=True, help="How often.")
@click.argument("name")
def greet(count, name):
    for _ in range(count): click.echo(f"Hello {name}")
main()
"""
TYPER = """\
import typer
app = typer.Typer()
@app.command()
def greet(name: str, loud: bool = False):
    print(name.upper() if loud else name)
app()
"""
RICH = """\
from rich.console import Console
from rich.table import Table
table = Table(title="T")
table.add_column("a"); table.add_column("b")
table.add_row("1", "[bold]2[/bold]")
console = Console(width=60)
console.print(table)
try:
    1 / 0
except ZeroDivisionError:
    console.print_exception(show_locals=True)
"""
MODELS = """\
import attrs, pydantic
@attrs.define
class A:
    x: int = attrs.field(validator=attrs.validators.instance_of(int))
class M(pydantic.BaseModel):
    name: str
    tags: list[str] = []
    @pydantic.field_validator("name")
    @classmethod
    def upper(cls, v): return v.upper()
print(A(1), M(name="x", tags=["a"]).model_dump_json())
for make in (lambda: A("x"), lambda: M(name=1)):
    try:
        make()
    except Exception as e:
        print(type(e).__name__, str(e)[:60])
"""
LXML = """\
from lxml import etree
root = etree.XML("<a><b n='1'/><b n='2'>t</b></a>")
print(root.xpath("//b[@n > 1]/text()"), etree.tostring(root, pretty_print=True).decode())
etree.ElementTree(root).write("out.xml")
"""
PILLOW = """\
from PIL import Image, ImageFilter
image = Image.new("RGB", (40, 30), "navy")
image.putdata([(x * 6 % 256, 0, 99) for x in range(1200)])
image.filter(ImageFilter.BLUR).rotate(20).save("out.png")
print(image.point(lambda v: 255 - v).getextrema())
"""
CELERY = """\
from celery import Celery
app = Celery("t", broker="memory://", backend="cache+memory://")
app.conf.task_always_eager = True
@app.task
def add(a, b): return a + b
print(add.delay(2, 3).get(), add.apply_async((1, 1)).state)
from celery import chain, group
print(group(add.s(i, i) for i in range(4))().get(), chain(add.s(1, 2), add.s(3))().get())
"""
RQ = """\
import fakeredis, rq
from rq.worker import SimpleWorker
connection = fakeredis.FakeStrictRedis()
queue = rq.Queue(connection=connection)
job = queue.enqueue("math.factorial", 5)
SimpleWorker([queue], connection=connection).work(burst=True, logging_level="ERROR")
print(job.get_status(), job.return_value())
"""
FASTAPI = """\
from fastapi import FastAPI
from fastapi.testclient import TestClient
app = FastAPI()
@app.get("/items/{n}")
async def item(n: int): return {"n": n}
client = TestClient(app)
print(client.get("/items/3").json(), client.get("/items/x").status_code)
"""
AIOHTTP = """\
import asyncio
from aiohttp import ClientSession, web
async def hello(request): return web.Response(text=request.path)
async def main():
    app = web.Application()
    app.router.add_get("/{tail:.*}", hello)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    async with ClientSession() as session:
        for n in range(3):
            async with session.get(f"http://127.0.0.1:{port}/{n}") as r:
                print(await r.text())
    await runner.cleanup()
asyncio.run(main())
"""
COOKIECUTTER = {
    "cut/cookiecutter.json": '{"name": "thing"}',
    "cut/{{cookiecutter.name}}/README": "This is {{ cookiecutter.name }}\n",
}
ARCHIVE = {**PACKAGE, **MARKUP}
PYTEST = ["-p", "no:cacheprovider", "-c", os.devnull, "--rootdir=."]
SPHINX_CONF = """\
import sys
sys.path[:0] = ["."]
project = "t"
extensions = ["sphinx.ext.autodoc"]
"""
CONSOLE = "x = 6\nx * 7\n1 / 0\nfor i in range(2):\n    print(i)\n\nimport sys\nsys.exit(4)\n"


def script(name: str, text: str, *arguments: str, packages: str = "", **more: object) -> Program:
    """A program that is one file."""
    files = {"program.py": text, **more.pop("files", {})}  # type: ignore[dict-item]
    return Program(name, ["program.py", *arguments], packages, files, **more)  # type: ignore[arg-type]


STANDARD = [
    # How programs are started, and what they see of themselves.
    script("state", STATE, "a", "--b"),
    script("flags", STATE, flags=["-X", "dev", "-W", "error::UserWarning", "-B", "-s"]),
    script("optimised", STATE, flags=["-OO", "-W", "always"]),
    script("unsafe path", STATE, flags=["-I"]),
    Program("module", ["-m", "tree.state", "x"], files={**PACKAGE, "tree/state.py": STATE}),
    Program("package", ["-m", "tree", "x"], files={**PACKAGE, "tree/__main__.py": STATE}),
    Program("folder", ["folder", "x"], files={"folder/__main__.py": STATE}),
    Program("code", ["-c", STATE.replace("__file__", "''"), "x"]),
    Program("standard input", ["-", "x"], stdin=STATE.replace("__file__", "''")),
    script("input", ASKING, stdin="Ann\nmany\n21\n"),
    script("input at its end", ASKING, stdin="Ann\n"),
    script("pickling", PICKLING),
    script("getsource", GETSOURCE),
    script("stack", STACK),
    script("multiprocessing", SPAWN),
    script("tracebacks", TRACEBACKS),
    script("end of life", ATEXIT),
    script("console", "import code\ncode.interact(banner='b', exitmsg='e')\n",
           stdin=CONSOLE),
    # The standard library's own programs.
    Program("json.tool", ["-m", "json.tool", "--sort-keys", "data.json", "out.json"], files=DATA),
    Program("json.tool, bad", ["-m", "json.tool", "text.md"], files=MARKUP),
    Program("compileall", ["-m", "compileall", "-f", "--invalidation-mode", "checked-hash", "tree"],
            files=PACKAGE),
    Program("py_compile", ["-m", "py_compile", "tree/node.py", "text.md"], files=ARCHIVE,
            ignore=["*.pyc"]),
    Program("tokenize", ["-m", "tokenize", "-e", "tree/node.py"], files=PACKAGE),
    Program("ast", ["-m", "ast", "tree/node.py"], files=PACKAGE),
    Program("dis", ["-m", "dis", "tree/node.py"], files=PACKAGE),
    Program("zipfile", ["-m", "zipfile", "-c", "out.zip", "tree", "text.md"], files=ARCHIVE,
            ignore=["*.zip"]),
    Program("tarfile", ["-m", "tarfile", "-v", "-c", "out.tar", "tree"], files=ARCHIVE,
            ignore=["*.tar"]),
    Program("gzip", ["-m", "gzip", "--fast", "text.md"], files=MARKUP, ignore=["*.gz"]),
    Program("base64", ["-m", "base64", "-e", "text.md"], files=MARKUP),
    Program("calendar", ["-m", "calendar", "2024"]),
    Program("pydoc", ["-m", "pydoc", "tree.node"], files=PACKAGE),
    Program("unittest", ["-m", "unittest", "-v", "test_node"], files={**PACKAGE, **TESTS}),
    Program("doctest", ["-m", "doctest", "-v", "module.py"], files={
        "module.py": '"""\n>>> f(2)\n4\n>>> f(3)\n7\n"""\ndef f(x):\n    return 2 * x\n'}),
    Program("trace", ["-m", "trace", "--listfuncs", "program.py"], files={"program.py": CPROFILED}),
    Program("cProfile", ["-m", "cProfile", "-s", "ncalls", "program.py"],
            files={"program.py": CPROFILED}, noise=[r"\d+ function calls.*", r"^ .*[\d.]+ .*$"]),
    Program("timeit", ["-m", "timeit", "-n", "10", "-r", "2", "len('x')"],
            noise=[r"best of.*", r"raw times.*", r".*UserWarning: The test results.*\n"]),
    Program("pdb", ["-m", "pdb", "-c", "continue", "program.py"], files={"program.py": CPROFILED},
            stdin="quit\n"),
    Program("venv", ["-m", "venv", "--without-pip", "made"], ignore=["*/pyvenv.cfg"]),
    Program("zipapp", ["-m", "zipapp", "tree", "-o", "tree.pyz", "-m", "node:Node"], files=PACKAGE,
            ignore=["*.pyz"]),
    Program("http.server", ["-u", "-m", "http.server", "--bind", "127.0.0.1", "0"], files=MARKUP,
            serves=True, noise=[r"\[[^]]*\d\d:\d\d:\d\d\]", r"port \d+", r":\d{4,5}/"]),
    Program("argparse help", ["-m", "json.tool", "--help"]),
    Program("site", ["-m", "site"]),
    Program("platform", ["-m", "platform"]),
    Program("quopri", ["-m", "quopri", "text.md"], files=MARKUP),
    Program("inspect", ["-m", "inspect", "tree.node:Node"], files=PACKAGE),
    Program("sqlite3", ["program.py"], files={"program.py": SQLITE}),
    script("asyncio", ASYNCIO),
    script("threaded server", THREADED_SERVER),
]  # fmt: skip

PACKAGES = [
    Program("pip list", ["-m", "pip", "--disable-pip-version-check", "list"], "pip"),
    Program("pip help", ["-m", "pip", "download", "--help"], "pip"),
    Program("black", ["-m", "black", "-q", "--diff", "tree"], "black", PACKAGE,
            noise=[r"^(---|\+\+\+).*"]),
    Program("black in place", ["bin:black", "tree"], "black", PACKAGE),
    Program("isort", ["-m", "isort", "--diff", "tree"], "isort", PACKAGE,
            noise=[r"^(---|\+\+\+).*"]),
    Program("flake8", ["-m", "flake8", "tree"], "flake8", PACKAGE),
    Program("pyflakes", ["-m", "pyflakes", "tree"], "pyflakes", PACKAGE),
    Program("pycodestyle", ["-m", "pycodestyle", "tree"], "pycodestyle", PACKAGE),
    Program("pylint", ["-m", "pylint", "tree"], "pylint", PACKAGE),
    Program("mypy", ["-m", "mypy", "--cache-dir", os.devnull, "tree"], "mypy", PACKAGE),
    Program("ruff", ["-m", "ruff", "check", "--no-cache", "tree"], "ruff", PACKAGE),
    Program("bandit", ["-m", "bandit", "-q", "-r", "tree"], "bandit", PACKAGE,
            noise=[r"Run started:.*"]),
    Program("vulture", ["-m", "vulture", "tree"], "vulture", PACKAGE),
    Program("radon", ["-m", "radon", "cc", "-s", "tree"], "radon", PACKAGE),
    Program("yamllint", ["-m", "yamllint", "data.yaml"], "yamllint", DATA),
    Program("pytest", ["-m", "pytest", *PYTEST, "test_node.py"], "pytest", {**PACKAGE, **TESTS}),
    Program("coverage", ["-m", "coverage", "run", "--data-file=cov", "-m", "tree.run"], "coverage",
            {**PACKAGE, "tree/run.py": "from tree.node import Node\nprint(Node(1).depth())\n"},
            ignore=["cov"]),
    Program("sphinx-build", ["-m", "sphinx", "-b", "html", ".", "out"], "sphinx",
            {**PACKAGE, "conf.py": SPHINX_CONF, "index.rst": MARKUP["text.rst"] +
             "\n.. automodule:: tree.node\n   :members:\n"},
            ignore=["out/.doctrees/*", "*.buildinfo"]),
    Program("django", ["program.py"], "django", {"program.py": DJANGO},
            noise=[r"SECRET_KEY = .*"], ignore=["*.sqlite3"]),
    Program("flask", ["program.py"], "flask", {"program.py": FLASK}),
    Program("flask routes", ["-m", "flask", "--app", "program", "routes"], "flask",
            {"program.py": FLASK}),
    Program("fastapi", ["program.py"], "fastapi httpx", {"program.py": FASTAPI}),
    Program("aiohttp", ["program.py"], "aiohttp", {"program.py": AIOHTTP}),
    Program("pygmentize", ["-m", "pygments", "-f", "html", "tree/node.py"], "pygments", PACKAGE),
    Program("nbconvert", ["-m", "nbconvert", "--to", "markdown", "n.ipynb"], "nbconvert",
            {"n.ipynb": NOTEBOOK}),
    Program("scrapy", ["-m", "scrapy", "runspider", "spider.py", "-O", "items.json"], "scrapy",
            {"spider.py": SPIDER}, noise=[r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"]),
    Program("scrapy startproject", ["-m", "scrapy", "startproject", "made"], "scrapy"),
    script("numpy", NUMPY, packages="numpy"),
    script("pandas", PANDAS, packages="pandas"),
    script("sqlalchemy", SQLALCHEMY, packages="sqlalchemy"),
    script("requests", REQUESTS, packages="requests"),
    script("click", CLICK, "greet", "--count", "3", "you", packages="click"),
    script("click, wrong", CLICK, "greet", packages="click"),
    script("typer", TYPER, "you", "--loud", packages="typer"),
    script("rich", RICH, packages="rich"),
    script("attrs and pydantic", MODELS, packages="attrs pydantic"),
    script("lxml", LXML, packages="lxml"),
    script("pillow", PILLOW, packages="pillow"),
    script("celery", CELERY, packages="celery"),
    script("rq", RQ, packages="rq fakeredis"),
    Program("rst2html", ["-m", "docutils", "text.rst", "out.html"], "docutils", MARKUP),
    Program("markdown", ["-m", "markdown", "text.md"], "markdown", MARKUP),
    Program("mkdocs", ["-m", "mkdocs", "build", "-q"], "mkdocs",
            {"mkdocs.yml": "site_name: t\n", "docs/index.md": MARKUP["text.md"]},
            noise=[r"Build Date.*"], ignore=["*.gz", "*sitemap.xml"]),
    script("jinja2", "import jinja2\nprint(jinja2.Template('{% for i in n %}{{ i|upper }}"
           "{% endfor %}').render(n='abc'))\n", packages="jinja2"),
    Program("babel", ["bin:pybabel", "extract", "-o", "out.pot", "tree"], "babel", PACKAGE,
            noise=[r"POT-Creation-Date.*"]),
    Program("invoke", ["-m", "invoke", "greet"], "invoke",
            {"tasks.py": "from invoke import task\n@task\ndef greet(c):\n    c.run('echo hi')\n"}),
    Program("nox", ["-m", "nox", "--list"], "nox",
            {"noxfile.py": "import nox\n@nox.session\ndef tests(session):\n    '''Runs.'''\n"}),
    Program("tox", ["-m", "tox", "config", "-k", "deps"], "tox",
            {"tox.ini": "[testenv]\ndeps = pytest\n"}),
    Program("cookiecutter", ["-m", "cookiecutter", "--no-input", "cut"], "cookiecutter",
            COOKIECUTTER),
    Program("httpie", ["-m", "httpie", "--offline", "GET", "http://localhost/x", "a==b"], "httpie"),
    Program("pdm", ["-m", "pdm", "--version"], "pdm"),
]  # fmt: skip


# ---- Running one ----


@dataclass
class Outcome:
    """All that one can see of a run."""

    stdout: str
    stderr: str
    status: int | None
    files: dict[str, str]

    def texts(self) -> dict[str, str]:
        return {"stdout": self.stdout, "stderr": self.stderr, "status": str(self.status),
                **{f"file {name}": text for name, text in self.files.items()}}  # fmt: skip


def environment(folder: Path) -> dict[str, str]:
    """The same for all, and little of ours."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "SOURCE_DATE_EPOCH": "1700000000",
        "LC_ALL": "C.UTF-8",
        "COLUMNS": "100",
        "TZ": "UTC",
        "NO_COLOR": "1",
    }


def command_of(program: Program, python: str, profile: Path | None) -> list[str]:
    words = list(program.command)
    options = []
    while words[0] in ("-u",):
        options.append(words.pop(0))
    if words[0].startswith("bin:"):
        words[0] = str(Path(python).parent / words[0][4:])
    ours = ["-m", "pynytprof", "-q", "-o", str(profile)] if profile else []
    return [python, *options, *program.flags, *ours, *words]


def run(program: Program, python: str, folder: Path, profile: Path | None) -> Outcome:
    """Runs it in a fresh ``folder``, which is gone afterwards."""
    work = folder / "work"
    for made in (work, folder / "home", folder / "tmp"):
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir()
    for name, text in program.files.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(text, encoding="utf-8")
        os.utime(work / name, (1_700_000_000, 1_700_000_000))
    process = subprocess.Popen(
        command_of(program, python, profile), cwd=work, env=environment(folder),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        encoding="utf-8", errors="replace", start_new_session=True,
    )  # fmt: skip
    greeting = _ask_and_interrupt(process) if program.serves else ""
    try:
        stdout, stderr = process.communicate(
            None if program.serves else program.stdin, timeout=TIME_LIMIT_S
        )
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        stdout, stderr = process.communicate()
        return Outcome(stdout, stderr, None, {})
    quiet = [(re.compile(p, re.MULTILINE), to) for p, to in NOISE]
    quiet += [(re.compile(p, re.MULTILINE), "") for p in program.noise]
    return Outcome(
        _without_noise(greeting + stdout, quiet),
        _without_noise(stderr, quiet),
        process.returncode,
        {name: _without_noise(text, quiet) for name, text in _files(work, program).items()},
    )


def _ask_and_interrupt(process: subprocess.Popen[str]) -> str:
    """What a server answers; afterwards it is interrupted as from a terminal."""
    assert process.stdout is not None
    line = process.stdout.readline()
    address = re.search(r"http://[\w.]+:\d+", line)
    answer = ""
    if address:
        with urllib.request.urlopen(address[0] + "/") as response:
            answer = response.read().decode("utf-8")
    os.kill(process.pid, signal.SIGINT)
    return line + answer


def _without_noise(text: str, noise: Sequence[tuple[re.Pattern[str], str]]) -> str:
    for pattern, to in noise:
        text = pattern.sub(to, text)
    return text


def _files(folder: Path, program: Program) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        ignored = any(fnmatch.fnmatchcase(name, pattern) for pattern in program.ignore)
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        elif path.is_file():
            data = b"" if ignored else path.read_bytes()
            found[name] = data.decode("utf-8", "backslashreplace")
    return found


def compare(program: Program, python: str) -> list[str]:
    """The differences, one a line; nothing if there are none."""
    with tempfile.TemporaryDirectory(prefix="programs-", ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        plain = run(program, python, folder, None)
        profile = folder / "nytprof.out"
        ours = run(program, python, folder, profile)
        verified = subprocess.run([python, "-m", "pynytprof", "verify", str(profile)],
                                  capture_output=True, text=True)  # fmt: skip
    said = []
    before, after = plain.texts(), ours.texts()
    for what in sorted(before.keys() | after.keys()):
        old, new = before.get(what, "(not there)"), after.get(what, "(not there)")
        if old != new:
            lines = difflib.unified_diff(
                old.splitlines(), new.splitlines(), "without us", "with us", lineterm="", n=1
            )
            said += [what, *list(lines)[:30]]
    if verified.returncode:
        said += ["the profile", verified.stdout[-500:] + verified.stderr[-500:]]
    if plain.status is None:
        said.append("over the limit without us")
    return said


def missing_packages(program: Program, python: str) -> str:
    code = (
        "import importlib.metadata as m, sys\n"
        "for name in sys.argv[1:]:\n"
        "    try: m.version(name)\n"
        "    except m.PackageNotFoundError: print(name, end=' ')\n"
    )
    names = program.packages.split()
    if not names:
        return ""
    done = subprocess.run([python, "-c", code, *names], capture_output=True, text=True)
    return done.stdout.strip()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="real programs with and without the profiler")
    parser.add_argument("--only", nargs="+", default=["*"], metavar="PATTERN")
    parser.add_argument("--python", default=sys.executable, help="one that has the packages")
    parser.add_argument("--standard", action="store_true", help="without packages of others")
    parser.add_argument("--list", action="store_true", help="print the packages' names")
    options = parser.parse_args(argv)
    if options.list:
        print(*sorted({name for program in PACKAGES for name in program.packages.split()}))
        return 0

    # A shell starts what runs in the background with SIGINT ignored, and children inherit that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    outcomes = {"same": 0, "DIFFERS": 0, "left out": 0}
    for program in STANDARD if options.standard else [*STANDARD, *PACKAGES]:
        if not any(fnmatch.fnmatchcase(program.name, pattern) for pattern in options.only):
            continue
        missing = missing_packages(program, options.python)
        found = [] if missing else compare(program, options.python)
        why = f": no {missing}" if missing else ""
        outcome = "left out" if missing else "DIFFERS" if found else "same"
        outcomes[outcome] += 1
        print(f"{outcome:8} {program.name}{why}", flush=True)
        for line in found:
            print(f"         {line}", flush=True)
    print(", ".join(f"{n} {outcome}" for outcome, n in outcomes.items()))
    return 1 if outcomes["DIFFERS"] else 0


if __name__ == "__main__":
    sys.exit(main())
