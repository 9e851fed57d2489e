"""`StreamingTraceContext`: a streamed answer told by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from otel_stream import StreamingTraceContext, semconv
from otel_stream.testing import Captured, ScriptedClock

SAMPLE = ["Why do ", "lamps", " attract", " bugs", "? 🐑"]


def attributes(captured: Captured) -> dict[str, Any]:
    """The attributes of the only span."""
    return dict(captured.span().attributes or {})


@pytest.fixture
def context(captured: Captured, clock: ScriptedClock) -> StreamingTraceContext:
    """A context by the scripted clock."""
    return StreamingTraceContext(model="m", provider="p", clock=clock)


def tell(context: StreamingTraceContext, clock: ScriptedClock) -> None:
    """A whole answer: first token after 150 ms, end after 450 ms, five chunks."""
    context.log_streaming_start({"temperature": 0.5, "stream": True, "prompt": "never recorded"})
    clock.advance(0.15)
    context.log_first_token(SAMPLE[0])
    for index, piece in enumerate(SAMPLE):
        context.log_streaming_chunk(piece, index, {"event": "RunResponse"})
        clock.advance(0.06)
    context.log_streaming_complete("".join(SAMPLE), {"finish_reason": "stop", "output_tokens": 9})


class TestSixMethods:
    def test_whole_answer(self, context: StreamingTraceContext, clock: Any, captured: Any) -> None:
        """All chunks are traced, not only the first (S3-1, S3-7, S3-12)."""
        tell(context, clock)
        found = attributes(captured)

        assert found[semconv.OUTCOME] == "completed"
        assert found[semconv.CHUNK_COUNT] == 5
        assert found[semconv.CONTENT_SIZE] == len("".join(SAMPLE))
        assert found[semconv.RESPONSE_FINISH_REASONS] == ("stop",)
        assert found[semconv.USAGE_OUTPUT_TOKENS] == 9

    def test_first_token(self, context: StreamingTraceContext, clock: Any, captured: Any) -> None:
        """The first token's time counts from the request (S3-2, S3-3, S4-24)."""
        tell(context, clock)

        assert attributes(captured)[semconv.TIME_TO_FIRST_TOKEN] == pytest.approx(0.15)
        assert context.get_streaming_summary()["first_token_latency_ms"] == pytest.approx(150)

    def test_first_token_is_no_chunk(self, context: StreamingTraceContext, captured: Any) -> None:
        """`log_first_token` counts no chunk, and only its first call counts."""
        context.log_first_token("a")
        context.log_first_token("b")
        context.log_streaming_complete()

        assert attributes(captured)[semconv.CHUNK_COUNT] == 0

    @pytest.mark.parametrize("nothing", ["", None])
    def test_empty_is_no_token(
        self, nothing: Any, context: StreamingTraceContext, clock: Any, captured: Any
    ) -> None:
        """Empty content is no token, in whatever way it is told; as a chunk it counts (S4-24)."""
        context.log_first_token(nothing)
        context.log_streaming_chunk(nothing)
        clock.advance(1.0)
        context.log_streaming_chunk("a")
        context.log_streaming_complete()

        assert attributes(captured)[semconv.TIME_TO_FIRST_TOKEN] == 1.0
        assert attributes(captured)[semconv.CHUNK_COUNT] == 2
        assert attributes(captured)[semconv.CONTENT_SIZE] == 1

    def test_chunks(self, context: StreamingTraceContext, clock: Any, captured: Any) -> None:
        """Chunk events tell index, size, kind and time (S3-5)."""
        tell(context, clock)
        chunks = [e for n, e in captured.events() if n == semconv.EVENT_CHUNK]

        assert [chunk[semconv.CHUNK_INDEX] for chunk in chunks] == [1, 2, 4]
        assert [chunk[semconv.CHUNK_SIZE] for chunk in chunks] == [7, 5, 5]
        assert {chunk[semconv.CHUNK_KIND] for chunk in chunks} == {"text"}
        assert chunks[2][semconv.ELAPSED] == pytest.approx(0.33)
        assert chunks[2][semconv.GAP] == pytest.approx(0.06)

    def test_start(self, context: StreamingTraceContext, clock: Any, captured: Any) -> None:
        """The start is when the headers were there; of the config numbers and flags are kept."""
        clock.advance(0.05)
        tell(context, clock)
        found = attributes(captured)
        config = {n: v for n, v in found.items() if n.startswith(semconv.CONFIG_PREFIX)}

        assert found[semconv.TIME_TO_HEADERS] == pytest.approx(0.05)
        assert {n.removeprefix(semconv.CONFIG_PREFIX): v for n, v in config.items()} == {
            "temperature": 0.5,
            "stream": True,
        }

    def test_final_content_alone(self, context: StreamingTraceContext, captured: Any) -> None:
        """An answer that was not told in chunks is told at its end."""
        context.log_streaming_complete("Hello", {"model": "m-2", "id": "r1", "input_tokens": 3})
        found = attributes(captured)

        assert (found[semconv.CHUNK_COUNT], found[semconv.CONTENT_SIZE]) == (1, 5)
        assert (found[semconv.RESPONSE_MODEL], found[semconv.RESPONSE_ID]) == ("m-2", "r1")
        assert found[semconv.USAGE_INPUT_TOKENS] == 3

    def test_error(self, context: StreamingTraceContext, clock: Any, captured: Any) -> None:
        """An error keeps what had come, with its stage and type (S3-14)."""
        context.log_streaming_chunk("Hello")
        clock.advance(1.0)
        context.log_streaming_error(ConnectionResetError("reset"), "event_processing")
        found, summary = attributes(captured), context.get_streaming_summary()

        assert (found[semconv.OUTCOME], found[semconv.PARTIAL]) == ("error", True)
        assert found[semconv.ERROR_TYPE] == "ConnectionResetError"
        assert found[semconv.ERROR_STAGE] == "event_processing"
        assert (found[semconv.CHUNK_COUNT], found[semconv.CONTENT_SIZE]) == (1, 5)
        assert (summary["status"], summary["partial"]) == ("incomplete", True)

    @pytest.mark.otel_stream(capture_content="span")
    def test_partial_content(self, context: StreamingTraceContext, captured: Any) -> None:
        """With content captured, the partial text is there too (S3-14)."""
        context.log_streaming_chunk("Hel")
        context.log_streaming_error(TimeoutError())

        assert '"content":"Hel"' in attributes(captured)[semconv.OUTPUT_MESSAGES]

    @pytest.mark.otel_stream(capture_content="span")
    def test_complete_capture(
        self, context: StreamingTraceContext, clock: Any, captured: Any
    ) -> None:
        """All chunks joined are exactly what the user receives (S3-4)."""
        tell(context, clock)

        assert f'"content":"{"".join(SAMPLE)}"' in attributes(captured)[semconv.OUTPUT_MESSAGES]

    def test_cancelled(self, context: StreamingTraceContext, captured: Any) -> None:
        """A cancellation told as an error is one."""
        context.log_streaming_error(asyncio.CancelledError())

        assert attributes(captured)[semconv.OUTCOME] == "cancelled"
        assert semconv.ERROR_TYPE not in attributes(captured)


class TestSummary:
    def test_figures(self, context: StreamingTraceContext, clock: Any, captured: Any) -> None:
        """The summary's keys, with right values (S3-6, S3-18)."""
        tell(context, clock)
        summary = context.get_streaming_summary()
        start = (captured.span().start_time or 0) / 1e9
        times = ("first_token_time", "final_token_time")
        since = [summary.pop(name) - start for name in times]

        assert since == [pytest.approx(0.15, abs=1e-6), pytest.approx(0.39, abs=1e-6)]
        assert summary == {
            "status": "completed",
            "outcome": "completed",
            "partial": False,
            "first_token_latency_ms": pytest.approx(150),
            "first_text_latency_ms": pytest.approx(150),
            "first_token_to_completion_ms": pytest.approx(300),
            "total_streaming_duration_ms": pytest.approx(450),
            "provider_wait_ms": pytest.approx(390),
            "consumer_time_ms": pytest.approx(0, abs=1e-6),
            "total_chunks": 5,
            "total_content_length": len("".join(SAMPLE)),
            "events_captured": 4,
            "events_dropped": 0,
            "stalls": 0,
            "finish_reasons": ["stop"],
            "input_tokens": None,
            "output_tokens": 9,
        }

    def test_nothing_yet(self, context: StreamingTraceContext) -> None:
        """Before anything came there is nothing to sum up."""
        before = context.get_streaming_summary()
        context.log_streaming_complete()

        assert before == {"status": "no_streaming_data"}

    def test_while_it_streams(self, context: StreamingTraceContext, clock: Any) -> None:
        """While the answer streams the summary says what is known so far."""
        clock.advance(0.5)
        context.log_streaming_chunk("Hello")
        summary = context.get_streaming_summary()
        context.log_streaming_complete()

        assert (summary["status"], summary["outcome"]) == ("incomplete", None)
        assert summary["total_streaming_duration_ms"] == 500.0

    def test_after_the_end(self, context: StreamingTraceContext, clock: Any) -> None:
        """What is told after the end changes nothing."""
        tell(context, clock)
        before = context.get_streaming_summary()
        clock.advance(60.0)
        context.log_streaming_start({"a": 1})
        context.log_first_token("late")
        context.log_streaming_chunk("late")
        context.log_streaming_error(ValueError())
        context.log_streaming_complete("late")

        assert context.get_streaming_summary() == before


NONSENSE: list[Callable[[StreamingTraceContext], None]] = [
    lambda c: c.log_streaming_start("no mapping"),  # type: ignore[arg-type]
    lambda c: c.log_streaming_start({1: object(), "a": float("nan")}),  # type: ignore[dict-item]
    lambda c: c.log_first_token(b"bytes", 5),  # type: ignore[arg-type]
    lambda c: c.log_streaming_chunk(b"caf\xc3\xa9"),  # type: ignore[arg-type]
    lambda c: c.log_streaming_chunk(object(), "index", object()),  # type: ignore[arg-type]
    lambda c: c.log_streaming_complete(5, "no mapping"),  # type: ignore[arg-type]
    lambda c: c.log_streaming_complete(None, {"input_tokens": "12", "model": 5, "id": None}),
    lambda c: c.log_streaming_complete(None, {"output_tokens": True, "finish_reason": {}}),
    lambda c: c.log_streaming_error("a text"),  # type: ignore[arg-type]
    lambda c: c.log_streaming_error(None, None),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("call", NONSENSE)
def test_never_raises(call: Callable[..., None], captured: Captured, lenient: None) -> None:
    """Whatever it is told, a context raises nothing, and its span ends whole."""
    context = StreamingTraceContext()
    call(context)
    context.log_streaming_complete()

    assert attributes(captured)[semconv.OUTCOME] in ("completed", "error")
