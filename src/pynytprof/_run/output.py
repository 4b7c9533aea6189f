"""Where the profile of a session in Python goes: a path, or a writer of the user's.

Files are written under a temporary name in the same folder and renamed; what is no regular file
(a pipe, a device) and a writer of the user's get one pass, at the end. The twin of
ext/session/output.c.
"""

from __future__ import annotations

import contextlib
import os
import signal
import stat
from collections.abc import Iterator
from typing import Any

from .._writer import Writer, open_writer
from .processes import part_name, temporary_stem
from .protocols import AnyTracer


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps off the signals that writing can bring upon the one who writes."""
    noisy = {signal.SIGPIPE, signal.SIGXFSZ}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, noisy)
    try:
        yield
    finally:
        for number in noisy & signal.sigpending():
            signal.sigtimedwait({number}, 0)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Output:
    """Where the profile goes: a path, or a writer of the user's."""

    def __init__(self, path: str, writer: Writer | None) -> None:
        self.writer = writer
        self.shown = path
        self.can_rename = writer is None and self._is_regular_or_absent() and self._has_room()
        # The links of /dev/stdout and /dev/fd/N lead to names that can't be opened.
        self.path = os.path.realpath(path) if self.can_rename else os.path.abspath(path)
        self.base = self.path  # to which children's names are added
        self._temporary = temporary_stem(self.path)
        self._written = 0

    def of_child(self, run: str) -> Output:
        """Where the forked process that asks writes its own."""
        path = part_name(self.base, os.getpid(), run)
        output = Output(path, None)
        output.base = self.base
        return output

    def _is_regular_or_absent(self) -> bool:
        try:
            return stat.S_ISREG(os.stat(self.shown).st_mode)
        except FileNotFoundError:
            return True
        except OSError:
            return False

    def _has_room(self) -> bool:
        """Whether there can be a file beside it: else an old one is overwritten, at the end."""
        folder = os.path.dirname(os.path.realpath(self.shown))
        return os.access(folder, os.W_OK) or not os.access(self.shown, os.W_OK)

    def write(self, tracer: Any, level: int, header: bytes) -> None:
        """The whole profile. Raises OSError, or what the user's writer raises."""
        if tracer.running:
            self._write(tracer, level, header)
        else:
            with _quiet():
                self._write(tracer, level, header)

    def _write(self, tracer: Any, level: int, header: bytes) -> None:
        if self.writer is not None:
            tracer.emit(self.writer.write_chunk, header)
            self.writer.close()
        elif not self.can_rename:
            self._write_to(self.path, tracer, level, header)
        else:
            self._write_and_rename(tracer, level, header)

    def _write_and_rename(self, tracer: AnyTracer, level: int, header: bytes) -> None:
        self._written += 1  # a signal may have us write while we write
        temporary = f"{self._temporary}.{os.getpid()}-{self._written}.tmp"
        try:
            self._write_to(temporary, tracer, level, header)
            os.replace(temporary, self.path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise

    @staticmethod
    def _write_to(path: str, tracer: AnyTracer, level: int, header: bytes) -> None:
        writer = open_writer(path, compress=level)
        try:
            tracer.emit(writer.write_chunk, header)
        except BaseException:
            with contextlib.suppress(Exception):
                writer.close()
            raise
        writer.close()
