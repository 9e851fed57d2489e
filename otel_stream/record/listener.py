"""Who is told of what happens to a stream."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from otel_stream.delta import Delta, Usage
    from otel_stream.record.recorder import Recorder

__all__ = ["NOBODY", "Listener"]


class Listener(Protocol):
    """Told of one stream's moments, on the thread where they happen. Must not block or raise."""

    def first_token(self, recorder: Recorder, /) -> None:
        """The first non-empty delta came."""

    def delta(self, recorder: Recorder, delta: str | Delta, /) -> None:
        """A delta came; only if the recorder was asked to tell."""

    def stalled(self, recorder: Recorder, since: float, /) -> None:
        """A read that began at `since` has become a stall."""

    def usage(self, recorder: Recorder, usage: Usage, /) -> None:
        """The provider reported usage, so far."""

    def gaps(self, recorder: Recorder, waits: Sequence[float], /) -> None:
        """Waits between chunks (s) that the recorder will not keep one by one any longer."""

    def ended(self, recorder: Recorder, /) -> None:
        """The stream has ended. Told once, and nothing after it."""


class _Nobody:
    """Listens to a stream that has ended: hears nothing."""

    def _ignore(self, *_: Any) -> None:
        """Whatever it was, it is over."""

    first_token = delta = stalled = usage = gaps = ended = _ignore


NOBODY: Listener = _Nobody()
