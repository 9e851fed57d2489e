"""A run that is asked for over HTTP."""

from __future__ import annotations

from otel_stream import semconv
from otel_stream.record.recorder import Recorder
from otel_stream_agno.runs import Run

__all__ = ["AskedRun"]


class AskedRun(Run):
    """A run that says how it ended, whether it is streamed or not.

    Attributes:
        lasts: It goes on when the answer is there, as one in the background does.
    """

    lasts = False

    def ended(self, recorder: Recorder) -> None:
        """It is over, or nobody will hear more of it."""
        if recorder.outcome is not None and not self.lasts:
            recorder.tally.attributes[semconv.OUTCOME] = recorder.outcome.value
        super().ended(recorder)
