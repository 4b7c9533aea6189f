"""Mirrors ext/trace/deadline.c: what is done at an event because it is time."""

from __future__ import annotations

import time
from collections.abc import Callable

from .clock import Clock
from .lane import Lanes


class Deadline:
    """Calls a function at an event about every so many seconds; the time it takes is nobody's.

    The engine asks at each event whether ``interval`` is not 0 and ``at`` is past, by
    ``time.perf_counter_ns()``, and then calls :meth:`work`.
    """

    def __init__(self, clock: Clock, lanes: Lanes) -> None:
        self._clock = clock
        self._lanes = lanes
        self._function: Callable[[], object] | None = None
        self.interval = 0
        self.at = 0

    def set(self, seconds: float, function: Callable[[], object]) -> None:
        """``seconds`` 0 ends that."""
        self.interval = int(seconds * 1e9)
        self._function = function if seconds else None
        self.at = time.perf_counter_ns() + self.interval

    def work(self) -> None:
        """It is time, unless this very work is being done."""
        function, self._function = self._function, None
        if function is None:
            return
        began, before = time.perf_counter_ns(), self._clock.now()
        function()
        now = time.perf_counter_ns()
        # Snapshots of a large profile must not take more than 1 % of the run.
        self.interval = max(self.interval, 100 * (now - began))
        self.at = now + self.interval
        self._function = function
        self._lanes.forgive(self._clock.now() - before)
