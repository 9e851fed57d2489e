"""What a span says of the ends of streams that are not whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.trace import StatusCode

from otel_stream import attributes, runtime, trace_stream
from otel_stream.delta import Failure, Finish, Terminal
from otel_stream.outcome import Outcome
from otel_stream.testing import Captured


class Broken(Exception):
    """An exception that cannot even say what it is."""

    def __str__(self) -> str:
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("outcome", "event"),
    [
        (Outcome.CLOSED_EARLY, "otel_stream.interrupted"),
        (Outcome.CANCELLED, "otel_stream.interrupted"),
        (Outcome.ABANDONED, "otel_stream.interrupted"),
    ],
)
def test_stopped(outcome: Outcome, event: str, begin: Any, captured: Captured) -> None:
    """A reader that stops is no failure: status unset, no error type, no finish reason."""
    begin().recorder.close(outcome)
    found = captured.span().attributes or {}

    assert captured.span().status.status_code is StatusCode.UNSET
    assert [name for name, _ in captured.events()] == [event]
    assert found["otel_stream.outcome"] == outcome.value
    assert found.keys() & {"error.type", "gen_ai.response.finish_reasons"} == set()


def test_truncated(begin: Any, drive: Any, captured: Captured) -> None:
    """A truncated answer is a failure of that name, and its finish reason is `error`."""
    drive(begin(whole=False).recorder).finish()
    span, found = captured.span(), captured.span().attributes or {}

    assert span.status.status_code is StatusCode.ERROR
    assert found["error.type"] == found["otel_stream.outcome"] == "truncated"
    assert found["gen_ai.response.finish_reasons"] == ("error",)
    assert [name for name, _ in captured.events()] == ["otel_stream.error"]


def test_exception(captured: Captured) -> None:
    """An exception is told by its class and its text, keys taken out, beside our own event."""

    def broken() -> Iterator[str]:
        yield "Hello"
        raise ConnectionError("Bearer 0123456789abcdef was refused")

    with pytest.raises(ConnectionError):
        list(trace_stream(broken()))
    span, events = captured.span(), dict(captured.events())

    assert span.status.description == "[secret] was refused"
    assert events["exception"]["exception.message"] == "[secret] was refused"
    assert events["exception"]["exception.type"] == "ConnectionError"
    assert "in broken" in events["exception"]["exception.stacktrace"]
    assert "0123456789abcdef" not in repr((span.to_json(), events))


def test_long_stack(captured: Captured) -> None:
    """Of a long traceback the end stays: there it says what failed."""

    def deeper(depth: int) -> Iterator[str]:
        if depth:
            yield from deeper(depth - 1)
        raise ConnectionError("at the bottom")

    with pytest.raises(ConnectionError):
        list(trace_stream(deeper(100)))
    stack = dict(captured.events())["exception"]["exception.stacktrace"]

    assert len(stack) <= 4096
    assert stack.endswith("ConnectionError: at the bottom\n")


def test_unspeakable_exception(begin: Any, captured: Captured, lenient: None) -> None:
    """An exception whose text fails leaves the rest of the span whole."""
    begin().recorder.end(Outcome.ERROR, 101.0, Broken())
    found = captured.span().attributes or {}

    assert found["otel_stream.outcome"] == "error"
    assert found["error.type"].endswith("Broken")


def test_error_event(begin: Any, drive: Any, captured: Captured) -> None:
    """A provider's error event gives its code and its message."""
    recorder = begin().recorder
    drive(recorder).chunk(Failure("overloaded_error", "Overloaded"))
    drive(recorder).finish()

    assert (captured.span().attributes or {})["error.type"] == "overloaded_error"
    assert captured.span().status.description == "Overloaded"


@pytest.mark.parametrize(
    ("reason", "partial"), [("stop", False), ("length", True), ("content_filter", True)]
)
def test_partial(reason: str, partial: bool, begin: Any, drive: Any, captured: Any) -> None:
    """An answer that the provider stopped short is completed, and partial (S3-6)."""
    drive(begin().recorder).chunk([Finish(reason), Terminal()])
    watched = captured.open_spans()
    runtime.end_streams()
    found = captured.span().attributes

    assert len(watched) == 1
    assert (found["otel_stream.outcome"], found["otel_stream.partial"]) == (
        "completed",
        partial,
    )


def test_own_attributes(captured: Captured) -> None:
    """Facts of one's own stand on the spans of the calls inside the block."""
    with attributes(session_id="s", user_id="u", mine=1):
        list(trace_stream(["a"]))
    found = captured.span().attributes or {}

    assert (found["session.id"], found["user.id"], found["mine"]) == ("s", "u", 1)
