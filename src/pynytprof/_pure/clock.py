"""Mirrors ext/trace/clock.c: which clock, and what it shows for other threads."""

from __future__ import annotations

import time


class Clock:
    """Times in ns: ``now`` is the one clock of all, or with ``cpu`` the thread's own."""

    def __init__(self, cpu: bool) -> None:
        self.cpu = cpu
        self.now = time.thread_time_ns if cpu else time.perf_counter_ns
        self.name = "thread cpu" if cpu else "perf_counter"
        self._wall_start = time.time()
        self._shared_start = time.perf_counter_ns()

    def of_thread(self, native_id: int) -> int | None:
        """The processor time of a thread of this process; None if it has ended."""
        # The kernel's number of the clock; pthread_getcpuclockid() does not stand ended threads.
        try:
            return time.clock_gettime_ns(~native_id << 3 | 6)
        except (OSError, OverflowError):
            return None

    def wall(self, shared: int) -> float:
        """Seconds since the epoch when ``time.perf_counter_ns()`` showed ``shared``."""
        return self._wall_start + (shared - self._shared_start) / 1e9
