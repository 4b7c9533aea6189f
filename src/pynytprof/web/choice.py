"""Which requests are profiled, and where their profiles go."""

from __future__ import annotations

import atexit
import hmac
import itertools
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from .._run import session as _sessions
from .._run.messages import complain
from .._run.protocols import AnySession
from .._run.settings import Settings, of_mapping
from ..units import Names

__all__ = ["Choice", "Profiled"]

Label = Callable[[Mapping[str, Any]], str]

_VARIABLE = re.compile(r"(?<=/)(\d+|[0-9a-fA-F-]{16,})(?=/|$)")


class Profiled:
    """A request that is being profiled, until :meth:`end`."""

    def __init__(self, label: str, end: Callable[[str, float], None]) -> None:
        self.label = label
        self._end: Callable[[str, float], None] | None = end
        self._began = time.perf_counter()

    def end(self) -> None:
        """May be called again, which changes nothing."""
        end, self._end = self._end, None
        if end is not None:
            end(self.label, time.perf_counter() - self._began)


class Choice:
    """The settings of a middleware; see docs/web.md."""

    def __init__(
        self,
        names: Names,
        folder: str | os.PathLike[str] = "nytprof-web",
        *,
        every: int = 0,
        slower_than: float | None = None,
        keep: int = 50,
        secret: str | None = None,
        label: Label | None = None,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        if every < 0 or (slower_than is not None and (slower_than < 0 or every == 0)):
            raise ValueError("every is 0 or a number of requests; slower_than needs it")
        if secret is not None and len(secret) < 8:
            raise ValueError("a secret has at least 8 characters")
        self._names = names
        self._folder = Path(os.path.abspath(folder))
        self._every = every
        self._slower_than = slower_than
        self._left = keep
        self._secret = None if secret is None else secret.encode()
        self._label = label
        self._options = {"scope": "project", **(options or {})}
        self._settings("x")  # what is wrong is told now
        self._count = itertools.count()
        self._numbers = itertools.count(1)
        self._shared: dict[int, AnySession] = {}
        self._alone: dict[int, threading.Lock] = {}
        self._passed: dict[int, itertools.count[int]] = {}
        self._told: set[str] = set()

    @property
    def on_demand(self) -> bool:
        """Whether a request may ask for it."""
        return self._secret is not None

    def word(self, header: str | bytes | None, query: bytes) -> str | bytes | None:
        """What a request says the secret is: by its header, else as ``nytprof`` in its query."""
        if header is not None or self._secret is None or b"nytprof=" not in query:
            return header
        from urllib.parse import parse_qs

        return parse_qs(query.decode("latin-1")).get("nytprof", [None])[0]

    def wanted(self, word: str | bytes | None) -> bool:
        """Whether the next request is one of those; ``word`` is what it says the secret is."""
        if word is not None and self._secret is not None:
            given = word if isinstance(word, bytes) else word.encode("utf-8", "replace")
            if hmac.compare_digest(given, self._secret):
                return True
        return self._every > 0 and next(self._count) % self._every == 0

    def begin(self, request: Mapping[str, Any], method: str, path: str) -> Profiled | None:
        """Begins profiling; None: it can't be done, which is told once, or not now."""
        return self.begin_as(self._label_of(request, method, path))

    def begin_as(self, label: str) -> Profiled | None:
        """The same, under this name."""
        self._names(label)  # made now, and not while it is profiled
        try:
            if self._slower_than is None:
                return self._begin_shared(label)
            return self._begin_alone(label)
        except (OSError, RuntimeError, ValueError, ImportError) as error:
            self._tell("requests are not profiled", error)
            return None

    def _tell(self, what: str, why: object = None) -> None:
        if what not in self._told:
            self._told.add(what)
            complain(what if why is None else f"{what}: {why}")

    def _label_of(self, request: Mapping[str, Any], method: str, path: str) -> str:
        if self._label is not None:
            try:
                return f"{method} {self._label(request)}"
            except Exception:  # no route, or a function that knows none: the path will do
                pass
        return f"{method} {_VARIABLE.sub('*', path)}"

    def _settings(self, file: str) -> Settings:
        return of_mapping({**self._options, "file": file})

    # ---- One profile of a process, for all its requests ----

    def _begin_shared(self, label: str) -> Profiled:
        session = _sessions.of_program() or self._session_here()
        session.use(open_frames=False)
        return Profiled(label, lambda _, __: session.release(pause=True))

    def _session_here(self) -> AnySession:
        pid = os.getpid()
        found = self._shared.get(pid)
        if found is None:
            self._folder.mkdir(parents=True, exist_ok=True)
            new = _sessions.new(
                self._settings(str(self._folder / f"{self._names.kind}-{pid}.out")),
                application=self._names.kind,
            )
            found = self._shared.setdefault(pid, new)
            if found is new:
                new.arrange_end()
        return found

    # ---- A profile of one request, kept if that was slow ----

    def _begin_alone(self, label: str) -> Profiled | None:
        if self._left <= 0:
            return None
        pid = os.getpid()  # a forked child may find its parent's lock taken
        alone = self._alone.setdefault(pid, threading.Lock())
        if not alone.acquire(blocking=False):
            self._pass(pid)
            return None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f".request-{pid}.out"
            session = _sessions.new(self._settings(str(path)), application=label)
            session.use(open_frames=False)
        except BaseException:
            alone.release()
            raise

        def end(label: str, seconds: float) -> None:
            try:
                session.release()
                self._keep_if_slow(path, label, seconds)
            except (OSError, RuntimeError) as error:
                self._tell("a request's profile is lost", error)
            finally:
                alone.release()

        return Profiled(label, end)

    def _pass(self, pid: int) -> None:
        """One more request that overlaps with one that is profiled; how many is told at the end
        of the process."""
        found = self._passed.get(pid)
        if found is None:
            new = itertools.count()
            found = self._passed.setdefault(pid, new)
            if found is new:
                atexit.register(self._tell_passed, pid)
        next(found)

    def _tell_passed(self, pid: int) -> None:
        if pid == os.getpid():
            number = next(self._passed[pid])
            complain(f"requests that passed unprofiled because one was being profiled: {number}")

    def _keep_if_slow(self, path: Path, label: str, seconds: float) -> None:
        assert self._slower_than is not None
        if seconds < self._slower_than:
            path.unlink(missing_ok=True)
            return
        name = re.sub(r"[^\w.-]+", "_", label).strip("_")[:80]
        number = next(self._numbers)
        path.replace(self._folder / f"{name}-{seconds * 1e3:.0f}ms-{os.getpid()}-{number}.out")
        self._left -= 1
        if self._left == 0:
            self._tell("enough slow requests have been kept; no more are profiled")
