"""Being told when the process ends without the interpreter's own exit.

By the C tracer's module, which nobody sees; where it can't be loaded, by handlers and
functions in Python put in the place of the real ones.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from types import FrameType

try:
    from .. import _ctrace
except ImportError:
    _ctrace = None  # type: ignore[assignment]

Finish = Callable[[str], object]
GoOn = Callable[[], object]

_FUNCTIONS = {"_exit": "_exit", "abort": "abort", "execv": "exec", "execve": "exec"}

# A built-in function's hash is that of the C function behind it: those sets of the module
# that hold a function which is exchanged must get it once more.
_SETS = ("supports_dir_fd", "supports_effective_ids", "supports_fd", "supports_follow_symlinks")

_added: list[tuple[set[Any], Any]] = []
_old_signals: dict[int, Any] = {}
_old_functions: dict[str, tuple[Any, Any]] = {}


def watch(signums: Sequence[int], finish: Finish, go_on: GoOn) -> None:
    """Calls ``finish(how)`` before the process ends, ``go_on()`` if it didn't after all.

    ``how``: ``signal``, for those of ``signums`` that have their default action; ``_exit``,
    ``abort``, ``exec`` for the functions of :mod:`os`; ``exit`` for C's.
    """
    unwatch()
    held = [(functions, name) for functions in _sets() for name in _FUNCTIONS
            if getattr(os, name) in functions]  # fmt: skip
    if _ctrace is not None:
        _ctrace.watch_ends(tuple(int(n) for n in signums), finish, go_on)
    else:
        _watch_signals(signums, finish)
        for name, how in _FUNCTIONS.items():
            _replace(name, how, finish, go_on)
    for functions, name in held:
        functions.add(getattr(os, name))
        _added.append((functions, getattr(os, name)))


def _sets() -> list[set[Any]]:
    return [functions for name in _SETS if isinstance(functions := getattr(os, name, None), set)]


def unwatch() -> None:
    """Undoes :func:`watch`."""
    for functions, function in _added:
        functions.discard(function)
    _added.clear()
    if _ctrace is not None:
        _ctrace.unwatch_ends()
        return
    for number, (handler, old) in list(_old_signals.items()):
        with contextlib.suppress(ValueError):
            if signal.getsignal(number) is handler:
                signal.signal(number, old)
    _old_signals.clear()
    for name, (ours, old) in _old_functions.items():
        if getattr(os, name) is ours:
            setattr(os, name, old)
    _old_functions.clear()


def _watch_signals(signums: Sequence[int], finish: Finish) -> None:
    def finish_and_die(number: int, frame: FrameType | None) -> None:
        finish("signal")
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    for number in signums:
        # Python lets only the main thread set handlers.
        with contextlib.suppress(ValueError):
            if signal.getsignal(number) is signal.SIG_DFL:
                old = signal.signal(number, finish_and_die)
                _old_signals[number] = (finish_and_die, old)


def _replace(name: str, how: str, finish: Finish, go_on: GoOn) -> None:
    real = cast("Callable[..., Any]", getattr(os, name))

    @functools.wraps(real)
    def watched(*args: Any, **kwargs: Any) -> Any:
        finish(how)
        try:
            return real(*args, **kwargs)
        finally:
            go_on()

    _old_functions[name] = (watched, real)
    setattr(os, name, watched)
