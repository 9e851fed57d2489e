"""The telemetry of one test, in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from opentelemetry import _logs, metrics, trace
from opentelemetry._logs import LogRecord

from otel_stream.testing import Captured, Point


@pytest.fixture
def captured() -> Iterator[Captured]:
    """Providers of this test."""
    found = Captured()
    yield found
    found.shutdown()


def test_span_is_the_only_one(captured: Captured) -> None:
    """The only ended span is found, with its attributes."""
    tracer = captured.tracer_provider.get_tracer("t")
    tracer.start_span("chat m", attributes={"a": 1}).end()

    assert captured.span().name == "chat m"
    assert dict(captured.span("chat m").attributes or {}) == {"a": 1}


def test_span_says_what_it_found_instead(captured: Captured) -> None:
    """Without exactly one span the error names those that ended and those that are open."""
    tracer = captured.tracer_provider.get_tracer("t")
    still = tracer.start_span("open")
    tracer.start_span("one").end()
    tracer.start_span("two").end()

    with pytest.raises(AssertionError, match=r"one span, got 2; ended: 'one', 'two'; open: 'open'"):
        captured.span()
    with pytest.raises(AssertionError, match=r"one span 'three', got 0"):
        captured.span("three")
    still.end()


def test_open_spans(captured: Captured) -> None:
    """A span is open until it ends."""
    span = captured.tracer_provider.get_tracer("t").start_span("s")

    assert [one.name for one in captured.open_spans()] == ["s"]

    span.end()

    assert captured.open_spans() == []


def test_waiting_for_a_span_of_another_thread(captured: Captured) -> None:
    """`wait_for_spans` returns once another thread has ended the span."""
    span = captured.tracer_provider.get_tracer("t").start_span("s")
    thread = threading.Timer(0.01, span.end)
    thread.start()

    assert [one.name for one in captured.wait_for_spans(1)] == ["s"]
    thread.join()


def test_waiting_for_a_span_has_an_end(captured: Captured) -> None:
    """`wait_for_spans` fails when the span does not come."""
    with pytest.raises(AssertionError, match=r"expected 1 spans within 0\.01 s, got "):
        captured.wait_for_spans(1, timeout=0.01)


def test_events(captured: Captured) -> None:
    """The events of the span come as names and plain attributes, in order."""
    span = captured.tracer_provider.get_tracer("t").start_span("s")
    span.add_event("first", {"n": 1})
    span.add_event("second")
    span.end()

    assert captured.events() == [("first", {"n": 1}), ("second", {})]


def test_ids_count(captured: Captured) -> None:
    """Trace and span ids are numbers that a test can know."""
    tracer = captured.tracer_provider.get_tracer("t")
    tracer.start_span("one").end()
    tracer.start_span("two").end()
    contexts = [span.get_span_context() for span in captured.spans()]

    assert [(one.trace_id, one.span_id) for one in contexts if one] == [(1, 1), (2, 2)]


def test_counter(captured: Captured) -> None:
    """A counter's point has its sum, however often it is looked at."""
    counter = captured.meter_provider.get_meter("m").create_counter("c", "{stream}")
    counter.add(2, {"k": "a"})
    counter.add(1, {"k": "b"})
    captured.metrics()
    counter.add(3, {"k": "a"})

    assert captured.metrics() == {"c": [Point({"k": "a"}, 5), Point({"k": "b"}, 1)]}


def test_histogram(captured: Captured) -> None:
    """A histogram's point has count, sum, extremes and buckets over all looks."""
    meter = captured.meter_provider.get_meter("m")
    histogram = meter.create_histogram("h", "s", explicit_bucket_boundaries_advisory=[1.0, 2.0])
    histogram.record(0.5)
    captured.metrics()
    histogram.record(1.5)
    histogram.record(4.0)

    found = captured.point("h")
    assert (found.count, found.sum, found.min, found.max) == (3, 6.0, 0.5, 4.0)
    assert (found.bounds, found.buckets, found.unit) == ((1.0, 2.0), (1, 1, 1), "s")


def test_point_is_chosen_by_attributes(captured: Captured) -> None:
    """`point` takes the attributes that matter, and says what there is when they do not fit."""
    counter = captured.meter_provider.get_meter("m").create_counter("c")
    counter.add(1, {"k": "a", "other": True})
    counter.add(2, {"k": "b", "other": True})

    assert captured.point("c", {"k": "b"}).value == 2
    with pytest.raises(AssertionError, match="expected one point of c, got 2 of "):
        captured.point("c", {"other": True})


def test_exemplar_links_to_the_span(captured: Captured) -> None:
    """A point's exemplars name the span in which they were recorded."""
    histogram = captured.meter_provider.get_meter("m").create_histogram("h")
    with captured.tracer_provider.get_tracer("t").start_as_current_span("s"):
        histogram.record(1.0)

    [exemplar] = captured.point("h").exemplars
    assert (exemplar.trace_id, exemplar.span_id) == (1, 1)


def test_clear_forgets(captured: Captured) -> None:
    """After `clear` only what comes later is there, but an up-down counter keeps its value."""
    meter = captured.meter_provider.get_meter("m")
    counter, active = meter.create_counter("c"), meter.create_up_down_counter("active")
    counter.add(2)
    active.add(1)
    captured.tracer_provider.get_tracer("t").start_span("s").end()
    captured.logger_provider.get_logger("l").emit(LogRecord(event_name="e"))
    captured.clear()
    counter.add(3)
    active.add(1)

    assert captured.metrics() == {"c": [Point({}, 3)], "active": [Point({}, 2)]}
    assert captured.spans() == captured.logs() == []


def test_logs(captured: Captured) -> None:
    """Log records are found by their event name."""
    logger = captured.logger_provider.get_logger("l")
    logger.emit(LogRecord(event_name="one", attributes={"n": 1}))
    logger.emit(LogRecord(event_name="two"))

    assert [record.event_name for record in captured.logs()] == ["one", "two"]
    assert [record.attributes for record in captured.logs("one")] == [{"n": 1}]


def test_shutdown_keeps_what_arrived() -> None:
    """What has arrived can be read after the shutdown."""
    captured = Captured()
    captured.meter_provider.get_meter("m").create_counter("c").add(2)
    captured.tracer_provider.get_tracer("t").start_span("s").end()
    captured.shutdown()

    assert captured.span().name == "s"
    assert captured.point("c").value == 2


def test_globals_are_left_alone(captured: Captured) -> None:
    """No provider becomes the global one."""
    assert captured.tracer_provider is not trace.get_tracer_provider()
    assert captured.meter_provider is not metrics.get_meter_provider()
    assert captured.logger_provider is not _logs.get_logger_provider()
