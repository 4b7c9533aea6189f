"""``pynytprof ctl``: orders to a process that is being profiled.

Such a process has a page of memory open, a file that is in no folder: whoever may look at the
process's descriptors, which is the same user, may write an order there. A signal then makes its
main thread look, and it writes the answer. A process without that page is sent nothing. The
layout of the page is that of ext/session/control_page.h.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import select
import signal
import struct
import time

from ._run.messages import complain

__all__ = ["ORDERS", "ControlError", "Page", "main", "order", "profiled"]

ORDERS = ("flush", "pause", "resume", "finish")

USAGE = """\
usage: pynytprof ctl PID flush|pause|resume|finish
       pynytprof ctl

To a process that is being profiled, of the same user: write the profile now, pause, go on, or
complete the profile, after which the program runs on unprofiled. With the setting start=no, resume
begins. Without words: which processes there are, and their profiles. The answer comes when it is
done. The exit status is 0, 1 if it could not be done, 2 for wrong usage.

  -h, --help               show this text
"""

_BYTES = 4096
_MAGIC = b"pynytprof ctl 1\0"
_NAME = "/memfd:pynytprof-control (deleted)"
_NUMBERS = struct.Struct("iiII")  # pid, signum, asked, answered
_AT_NUMBERS, _AT_ASKED, _AT_ORDER, _AT_ANSWER, _AT_FILE = 16, 24, 32, 64, 512
_PATIENCE_S = 10.0


class ControlError(Exception):
    """The order was not carried out; the text says why."""


class Page:
    """A process's page, as long as this is open: its number can't become another one's."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        try:
            self._process = os.pidfd_open(pid)
        except OSError:
            raise ControlError(f"there is no process {pid}") from None
        try:
            self._file = self._open()
        except BaseException:
            os.close(self._process)
            raise
        self._map = mmap.mmap(self._file, _BYTES)

    def _open(self) -> int:
        if os.stat(f"/proc/{self.pid}").st_uid != os.geteuid():
            raise ControlError(f"process {self.pid} belongs to another user")
        path = _path_of_page(self.pid)
        if path is None:
            raise ControlError(f"process {self.pid} is not profiled by pynytprof")
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError as error:
            raise ControlError(f"process {self.pid} can't be looked at: {error.strerror}") from None
        head = os.pread(file, _AT_ORDER, 0)
        if len(head) < _AT_ORDER or not head.startswith(_MAGIC) or self._owner(head) != self.pid:
            os.close(file)
            raise ControlError(f"process {self.pid} is not profiled by pynytprof")
        return file

    @staticmethod
    def _owner(head: bytes) -> int:
        return int(_NUMBERS.unpack_from(head, _AT_NUMBERS)[0])

    def close(self) -> None:
        """Lets go of the process."""
        self._map.close()
        os.close(self._file)
        os.close(self._process)

    @property
    def path(self) -> str:
        """Where its profile is written."""
        return os.fsdecode(self._text(_AT_FILE, _BYTES))

    def _text(self, start: int, end: int) -> bytes:
        return self._map[start:end].partition(b"\0")[0]

    def order(self, word: str) -> str:
        """Has it carried out. Returns what the process says; raises ControlError if it can't."""
        fcntl.flock(self._file, fcntl.LOCK_EX)  # one at a time; a closed file lets go
        _, signum, _, answered = _NUMBERS.unpack_from(self._map, _AT_NUMBERS)
        if not signum or not _catches(self.pid, signum):
            raise ControlError(f"process {self.pid} has no signal left for orders")
        self._put(_AT_ORDER, word.encode() + b"\0")
        wanted = (answered + 1) % 2**32
        self._put(_AT_ASKED, struct.pack("I", wanted))
        try:
            signal.pidfd_send_signal(self._process, signum)
            self._wait(wanted)
        except BaseException:
            self._put(_AT_ASKED, self._map[_AT_ASKED + 4 : _AT_ASKED + 8])  # withdrawn
            raise
        how, _, what = self._text(_AT_ANSWER, _AT_FILE).decode(errors="replace").partition(": ")
        if how != "ok":
            raise ControlError(what)
        return what

    def _put(self, at: int, data: bytes) -> None:
        self._map[at : at + len(data)] = data

    def _wait(self, wanted: int) -> None:
        end = time.monotonic() + _PATIENCE_S
        while struct.unpack_from("I", self._map, _AT_ASKED + 4)[0] != wanted:
            if select.select([self._process], [], [], 0.002)[0]:
                raise ControlError(f"process {self.pid} has ended")
            if time.monotonic() > end:
                raise ControlError(
                    f"process {self.pid} does not answer: its main thread has been in one call "
                    f"for {_PATIENCE_S:.0f} s; the order is withdrawn"
                )


def _path_of_page(pid: int) -> str | None:
    folder = f"/proc/{pid}/fd"
    try:
        names = sorted(os.listdir(folder), key=int, reverse=True)
    except OSError:
        return None
    for name in names:
        path = f"{folder}/{name}"
        try:
            if os.readlink(path) == _NAME:
                return path
        except OSError:
            continue
    return None


def _catches(pid: int, signum: int) -> bool:
    """Whether it has a handler: without one the signal would end it."""
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as file:
        masks = [line.split()[1] for line in file if line.startswith("SigCgt:")]
    return bool(masks) and bool(int(masks[0], 16) >> (signum - 1) & 1)


def order(pid: int, word: str) -> str:
    """Has process ``pid`` carry out one of ORDERS. Raises ControlError."""
    page = Page(pid)
    try:
        return page.order(word)
    finally:
        page.close()


def profiled() -> list[tuple[int, str]]:
    """Processes of this user that take orders, and their profiles."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            page = Page(int(name))
        except (ControlError, OSError):
            continue
        found.append((page.pid, page.path))
        page.close()
    return sorted(found)


def main(words: list[str]) -> int:
    """``pynytprof ctl``; returns the exit status."""
    if not hasattr(os, "pidfd_open"):
        complain("ctl needs Linux")
        return 2
    if not words:
        for pid, path in profiled():
            print(f"{pid:>8}  {path}")
        return 0
    if words[0] in ("-h", "--help"):
        print(USAGE, end="")
        return 0
    if len(words) != 2 or not words[0].isdigit() or words[1] not in ORDERS:
        complain(f"usage: pynytprof ctl PID {'|'.join(ORDERS)}")
        return 2
    try:
        print(f"{words[0]}: {order(int(words[0]), words[1])}")
    except ControlError as error:
        complain(str(error))
        return 1
    return 0
