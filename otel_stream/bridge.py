"""Events of the logs signal as span events, for back ends that show only those.

The specification's "Event to span event bridge" (specification/logs/sdk.md, since 1.56, in
development), which no SDK for Python has yet:

    logger_provider.add_log_record_processor(EventToSpanEventBridge())

Use it with events written as logs only (`events="log"`). Together with `events="both"` each event
would be on its span twice.
"""

from __future__ import annotations

from opentelemetry.sdk._logs import LogRecordProcessor, ReadWriteLogRecord
from opentelemetry.trace import get_current_span

from otel_stream.errors import guard

__all__ = ["EventToSpanEventBridge"]


class EventToSpanEventBridge(LogRecordProcessor):
    """Adds each event to the span in whose context it was emitted, while that span records.

    It changes nothing of the log record, which goes on to the other processors. It never raises.
    """

    def __init__(self) -> None:
        self._is_shut_down = False

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Add exactly one span event if the record is an event of the current, recording span.

        Its name, its time (when it happened, else when it was observed) and all its attributes are
        copied; body and severity are not.
        """
        with guard("bridge"):
            event = log_record.log_record
            if self._is_shut_down or not event.event_name:
                return
            span = get_current_span(event.context)
            ids = span.get_span_context()
            if not ids.is_valid or (event.trace_id, event.span_id) != (ids.trace_id, ids.span_id):
                return
            if span.is_recording():
                # Unset times are None here, and 0 where they came over the wire.
                time = event.timestamp or event.observed_timestamp or None
                span.add_event(event.event_name, dict(event.attributes or {}), time)

    def shutdown(self) -> None:
        """Add nothing any more."""
        self._is_shut_down = True

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Nothing waits here: returns True."""
        return True
