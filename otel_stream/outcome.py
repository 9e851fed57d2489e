"""How a stream ends: exactly one of six outcomes."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Outcome"]


class Outcome(StrEnum):
    """How a stream ended. Only `TRUNCATED` and `ERROR` are failures; the rest are ways to stop."""

    COMPLETED = "completed"
    """The provider said that the answer is whole, however the stream was then left."""
    CLOSED_EARLY = "closed_early"
    """The consumer stopped reading: a break, an exception of its own, a close."""
    CANCELLED = "cancelled"
    """The task was cancelled, or the process interrupted."""
    ABANDONED = "abandoned"
    """Nobody read on and nobody closed it: it was dropped, or open when the process ended."""
    TRUNCATED = "truncated"
    """The body ended cleanly, yet the provider never said that the answer is whole."""
    ERROR = "error"
    """An exception from provider or network, or an error event."""

    @property
    def failed(self) -> bool:
        """Whether the span's status is ERROR."""
        return self is Outcome.TRUNCATED or self is Outcome.ERROR
