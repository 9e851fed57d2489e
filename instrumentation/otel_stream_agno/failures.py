"""What an exception out of Agno means."""

from __future__ import annotations

from otel_stream import interruption
from otel_stream.outcome import Outcome

__all__ = ["outcome_of_error"]


def outcome_of_error(error: BaseException) -> Outcome:
    """Like any other, but that Agno has an exception for a run that somebody cancelled."""
    if any(kind.__name__ == "RunCancelledException" for kind in type(error).__mro__):
        return Outcome.CANCELLED
    return interruption.of_error(error)
