"""Events of the logs signal become span events, and stay log records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, Sampler

from otel_stream import errors
from otel_stream.bridge import EventToSpanEventBridge


class Signals:
    """A tracer, and a logger behind the bridge."""

    def __init__(self, sampler: Sampler = ALWAYS_ON) -> None:
        resource = Resource({})
        self.tracer = TracerProvider(sampler, resource, shutdown_on_exit=False).get_tracer("test")
        self.provider = LoggerProvider(resource, shutdown_on_exit=False)
        self.exporter = InMemoryLogRecordExporter()
        self.provider.add_log_record_processor(EventToSpanEventBridge())
        self.provider.add_log_record_processor(SimpleLogRecordProcessor(self.exporter))
        self.logger = self.provider.get_logger("test")

    def start(self) -> tuple[Any, Context]:
        """A span that is current in a context of its own only."""
        span = self.tracer.start_span("call", Context())
        return span, trace.set_span_in_context(span, Context())

    def logged(self) -> list[str | None]:
        """The event names of the log records that went on."""
        return [log.log_record.event_name for log in self.exporter.get_finished_logs()]


@pytest.fixture
def signals() -> Signals:
    """Everything is sampled."""
    return Signals()


class TestBridged:
    """An event of a recording span."""

    def test_name_time_and_attributes(self, signals: Signals) -> None:
        """It becomes one span event, without body and severity."""
        span, context = signals.start()
        attributes = {"text": "a", "number": 1, "list": ("x", "y")}
        signals.logger.emit(
            timestamp=123,
            observed_timestamp=456,
            context=context,
            severity_number=SeverityNumber.INFO,
            body="said",
            attributes=attributes,
            event_name="happened",
        )

        assert [(e.name, e.timestamp, dict(e.attributes)) for e in span.events] == [
            ("happened", 123, attributes)
        ]

    def test_observed_time(self, signals: Signals) -> None:
        """Without a time of its own it gets the time at which it was observed."""
        span, context = signals.start()
        signals.logger.emit(observed_timestamp=456, context=context, event_name="happened")

        assert [event.timestamp for event in span.events] == [456]

    def test_the_record_goes_on(self, signals: Signals) -> None:
        """The log record is exported as well, unchanged."""
        _, context = signals.start()
        signals.logger.emit(context=context, body="said", event_name="happened")

        [log] = signals.exporter.get_finished_logs()
        assert (log.log_record.event_name, log.log_record.body) == ("happened", "said")

    def test_the_current_context(self, signals: Signals) -> None:
        """A record that is emitted without a context belongs to the current span."""
        with signals.tracer.start_as_current_span("call") as span:
            signals.logger.emit(event_name="happened")

        assert [event.name for event in span.events] == ["happened"]  # type: ignore[attr-defined]

    def test_order(self, signals: Signals) -> None:
        """Events keep the order in which they were emitted."""
        span, context = signals.start()
        for name in ("a", "b", "a"):
            signals.logger.emit(context=context, event_name=name)

        assert [event.name for event in span.events] == ["a", "b", "a"]


class TestNotBridged:
    """Everything else is a log record and nothing more."""

    @pytest.mark.parametrize("name", [None, ""])
    def test_no_event_name(self, signals: Signals, name: str | None) -> None:
        """A log record without an event name is no event."""
        span, context = signals.start()
        signals.logger.emit(context=context, body="said", event_name=name)

        assert (list(span.events), signals.logged()) == ([], [name])

    def test_no_span(self, signals: Signals) -> None:
        """Outside any span there are no ids, and nothing to add to."""
        signals.logger.emit(context=Context({"a": "value"}), event_name="happened")

        assert signals.logged() == ["happened"]

    def test_a_span_that_has_ended(self, signals: Signals) -> None:
        """A span that has ended records no more."""
        span, context = signals.start()
        span.end()
        signals.logger.emit(context=context, event_name="late")

        assert (list(span.events), signals.logged()) == ([], ["late"])

    def test_a_span_that_is_not_sampled(self) -> None:
        """A span that does not record is left alone."""
        signals = Signals(ALWAYS_OFF)
        span, context = signals.start()
        signals.logger.emit(context=context, event_name="happened")

        assert not span.is_recording()
        assert signals.logged() == ["happened"]

    @pytest.mark.parametrize("field", ["trace_id", "span_id"])
    @pytest.mark.parametrize("other", [0, 99, None])
    def test_other_ids(self, signals: Signals, field: str, other: int | None) -> None:
        """A record that names another span than that of its context is not added to either."""
        span, context = signals.start()
        record = LogRecord(context=context, event_name="happened")
        setattr(record, field, other)
        signals.logger.emit(record)

        assert (list(span.events), signals.logged()) == ([], ["happened"])

    def test_after_shutdown(self, signals: Signals) -> None:
        """After its provider's shutdown the bridge adds nothing."""
        span, context = signals.start()
        signals.provider.shutdown()
        signals.logger.emit(context=context, event_name="late")

        assert list(span.events) == []


class Fragile(trace.NonRecordingSpan):
    """A recording span that cannot take events."""

    def is_recording(self) -> bool:
        return True

    def add_event(self, *_: Any, **__: Any) -> None:
        raise LookupError("no events here")


@pytest.fixture
def swallowed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """As in production: our own faults are counted and not raised."""
    monkeypatch.setattr(errors, "strict", False)
    before = errors.faults["bridge"]
    yield
    errors.faults["bridge"] = before


def test_a_span_that_raises(signals: Signals, swallowed: None) -> None:
    """What a span raises is counted; the caller and the log record go on."""
    ids = trace.SpanContext(1, 2, is_remote=False)
    before = errors.faults["bridge"]
    signals.logger.emit(
        context=trace.set_span_in_context(Fragile(ids), Context()), event_name="happened"
    )

    assert errors.faults["bridge"] == before + 1
    assert signals.logged() == ["happened"]


def test_flush(signals: Signals) -> None:
    """The bridge never holds a flush back."""
    assert signals.provider.force_flush()
