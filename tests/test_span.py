"""The whole telemetry of one scripted stream, and what a span says of other ends."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

from otel_stream.bridge import EventToSpanEventBridge
from otel_stream.delta import Finish, Reasoning, Response, Terminal, ToolCall, Usage
from otel_stream.testing import Captured, ScriptedClock

SCRIPT: list[tuple[Any, float, float]] = [
    (Response("r-1", "m-1", {"openai.response.service_tier": "default"}), 0.5, 0.0),
    (Reasoning("hm"), 0.25, 1.0),
    ("Hello", 0.25, 0.0),
    (ToolCall(0, "f", "call-1"), 0.125, 2.0),
    (" you", 4.0, 0.0),
    (
        [Finish("length"), Usage(9, 3, cache_read=4, reasoning=1), Terminal(partial=True)],
        0.125,
        0.0,
    ),
]
"""Chunks, the wait for each, and the time that the consumer takes for it (s)."""


@pytest.fixture
def play(begin: Any, clock: ScriptedClock, drive: Any) -> Any:
    """Plays the script: a stream that takes ten seconds."""

    def played() -> None:
        trace = begin(
            server_address="host",
            server_port=8080,
            attributes={"gen_ai.request.temperature": 0.5},
        )
        trace.recorder.headers_at = clock.advance(0.5)
        reading = drive(trace.recorder)
        for chunk, wait, body in SCRIPT:
            reading.chunk(chunk, wait=wait, body=body)
        reading.finish(wait=1.25)

    return played


def elapsed_of(span: ReadableSpan, timestamp: int | None) -> float:
    """Seconds from the span's start, by its own clock."""
    return ((timestamp or 0) - (span.start_time or 0)) / 1e9


ATTRIBUTES = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "p",
    "gen_ai.request.model": "m",
    "gen_ai.request.stream": True,
    "gen_ai.request.temperature": 0.5,
    "gen_ai.response.finish_reasons": ("length",),
    "gen_ai.response.id": "r-1",
    "gen_ai.response.model": "m-1",
    "gen_ai.response.time_to_first_chunk": 1.0,
    "gen_ai.usage.cache_read.input_tokens": 4,
    "gen_ai.usage.input_tokens": 9,
    "gen_ai.usage.output_tokens": 3,
    "gen_ai.usage.reasoning.output_tokens": 1,
    "openai.response.service_tier": "default",
    "otel_stream.chunk.count": 6,
    "otel_stream.chunk.gap.max": 4.0,
    "otel_stream.chunk.gap.p50": 0.25,
    "otel_stream.chunk.gap.p95": 4.0,
    "otel_stream.consumer_time": 3.0,
    "otel_stream.content.size": 9,
    "otel_stream.outcome": "completed",
    "otel_stream.output_tokens_per_second": 3 / 7.75,
    "otel_stream.partial": True,
    "otel_stream.provider_wait": 6.5,
    "otel_stream.stall.count": 1,
    "otel_stream.stall.duration": 4.0,
    "otel_stream.time_to_first_reasoning": 1.25,
    "otel_stream.time_to_first_text": 2.5,
    "otel_stream.time_to_first_token": 1.25,
    "otel_stream.time_to_first_tool_call": 2.625,
    "otel_stream.time_to_headers": 0.5,
    "otel_stream.usage.source": "provider",
    "server.address": "host",
    "server.port": 8080,
}


def chunk(index: int, size: int, kind: str, gap: float, elapsed: float) -> tuple[str, Any]:
    """A chunk's event."""
    names = ("chunk.index", "chunk.size", "chunk.kind", "gap", "elapsed")
    values = (index, size, kind, gap, elapsed)
    found = {f"otel_stream.{n}": v for n, v in zip(names, values, strict=True)}
    return "otel_stream.chunk", found


EVENTS: list[tuple[str, dict[str, Any]]] = [
    chunk(1, 0, "other", 0.5, 1.0),
    ("otel_stream.first_token", {"otel_stream.elapsed": 1.25}),
    chunk(2, 2, "reasoning", 0.25, 1.25),
    (
        "otel_stream.tool_call",
        {
            "otel_stream.elapsed": 2.625,
            "gen_ai.tool.name": "f",
            "gen_ai.tool.call.id": "call-1",
        },
    ),
    chunk(4, 0, "tool_call", 0.125, 2.625),
    (
        "otel_stream.stall",
        {"otel_stream.elapsed": 4.625, "otel_stream.chunk.index": 5, "otel_stream.gap": 4.0},
    ),
    ("otel_stream.complete", {"otel_stream.elapsed": 10.0, "otel_stream.outcome": "completed"}),
]


class TestWholeStream:
    def test_span(self, play: Any, captured: Captured) -> None:
        """Everything that is known stands on one span's attributes (S4-27)."""
        play()
        span = captured.span()

        assert dict(sorted((span.attributes or {}).items())) == ATTRIBUTES
        assert (span.name, span.kind) == ("chat m", SpanKind.CLIENT)
        assert span.status.status_code is StatusCode.UNSET
        assert elapsed_of(span, span.end_time) == 10.0

    def test_span_events(self, play: Any, captured: Captured) -> None:
        """Few moments are span events, at their own times."""
        play()
        span = captured.span()

        assert captured.events() == EVENTS
        assert [elapsed_of(span, event.timestamp) for event in span.events] == [
            pytest.approx(attributes["otel_stream.elapsed"]) for _, attributes in EVENTS
        ]
        assert captured.logs() == []

    @pytest.mark.otel_stream(events="log")
    def test_log_events(self, play: Any, captured: Captured) -> None:
        """As an option they are log records, with the same names, times and attributes."""
        play()
        span, logs = captured.span(), captured.logs()
        ids = span.get_span_context()

        assert [(log.event_name, dict(log.attributes)) for log in logs] == EVENTS
        assert [elapsed_of(span, log.timestamp) for log in logs] == [
            pytest.approx(attributes["otel_stream.elapsed"]) for _, attributes in EVENTS
        ]
        assert {(log.trace_id, log.span_id) for log in logs} == {(ids.trace_id, ids.span_id)}
        assert span.events == ()

    @pytest.mark.otel_stream(events="both")
    def test_both(self, play: Any, captured: Captured) -> None:
        """Or both."""
        play()

        assert captured.events() == EVENTS
        assert [(log.event_name, dict(log.attributes)) for log in captured.logs()] == EVENTS

    @pytest.mark.otel_stream(events="log")
    def test_bridged(self, play: Any, captured: Captured) -> None:
        """With the bridge, log records stand on the span as if they had been written there."""
        captured.logger_provider.add_log_record_processor(EventToSpanEventBridge())
        play()

        assert captured.events() == EVENTS
        assert len(captured.logs()) == len(EVENTS)

    @pytest.mark.otel_stream(events="none")
    def test_none(self, play: Any, captured: Captured) -> None:
        """Or neither; the attributes do not change."""
        play()

        assert (captured.events(), captured.logs()) == ([], [])
        assert dict(captured.span().attributes or {}) == ATTRIBUTES
