"""The trace of a run: any other call's, but for what is known of a run only at its end."""

from __future__ import annotations

from typing import Any, Protocol

from otel_stream import semconv
from otel_stream.call import CallInfo
from otel_stream.delta import Reader
from otel_stream.errors import guard
from otel_stream.record.recorder import Recorder
from otel_stream.runtime import Runtime
from otel_stream.trace import Trace
from otel_stream_agno.failures import withhold

__all__ = ["RunTrace"]

_LONGEST = 256


class _RunReader(Reader, Protocol):
    @property
    def run_id(self) -> str | None:
        """The run's id, as soon as it is known."""


class RunTrace(Trace):
    """A run's telemetry.

    Args:
        runtime: Settings, providers and callbacks.
        info: What is asked for.
        reader: Reads its events.
        options: As for `Trace`.
    """

    def __init__(
        self, runtime: Runtime, info: CallInfo, reader: _RunReader, **options: Any
    ) -> None:
        super().__init__(runtime, info, reader, **options)
        self._reader = reader
        self._settings = runtime.settings

    def ended(self, recorder: Recorder) -> None:
        with guard("telling a run's end"):
            withhold(recorder, self._settings)
            run_id = self._reader.run_id
            if isinstance(run_id, str) and run_id:
                recorder.tally.attributes.setdefault(semconv.RUN_ID, run_id[:_LONGEST])
        super().ended(recorder)
