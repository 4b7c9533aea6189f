"""What switches a session, where that in C (``pynytprof._ctrace.Switch``) can't be had."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from .protocols import AnySession

if TYPE_CHECKING:
    from types import TracebackType

_S = TypeVar("_S", bound="Switch")


class Switch:
    """Switches the session that is its ``_session``."""

    _session: AnySession

    def start(self) -> None:
        """Begins or goes on. Raises RuntimeError if another session or tracer is at work."""
        self._session.use()

    def stop(self) -> None:
        """Ends one use; with the last one the profile is written."""
        self._session.release()

    def __enter__(self: _S) -> _S:
        self._session.use()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._session.release()
