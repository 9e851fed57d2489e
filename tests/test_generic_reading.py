"""`trace_stream`: how items are read, and what the span says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace

import otel_stream
from otel_stream import semconv, trace_stream
from otel_stream.delta import Failure, Finish, Reasoning, Skip, Terminal, Text, ToolCall, Usage
from otel_stream.testing import Captured

WORDS = ["Hello", " you"]


def outcome(captured: Captured) -> Any:
    """The outcome of the only stream."""
    return (captured.span().attributes or {})[semconv.OUTCOME]


def facts(captured: Captured) -> tuple[Any, ...]:
    """Outcome, chunks and characters of the only stream."""
    found = captured.span().attributes or {}
    return tuple(found[n] for n in (semconv.OUTCOME, semconv.CHUNK_COUNT, semconv.CONTENT_SIZE))


class TestReading:
    def test_deltas_as_they_are(self, captured: Captured) -> None:
        """Strings and deltas are read as they are, other items count as chunks."""
        items = ["Hello", Reasoning("hm"), Text(" you"), 5, None, {"a": 1}, ToolCall(0, "f")]

        assert list(trace_stream(items)) == items
        assert facts(captured) == ("completed", 7, 9)

    def test_read_function(self, captured: Captured) -> None:
        """A function of one's own tells what an item adds."""
        items = [{"text": "Hello"}, {"ping": 1}, {"usage": 2}]

        def read(item: dict[str, Any]) -> Any:
            if "ping" in item:
                return Skip()
            return Usage(output=item["usage"]) if "usage" in item else item["text"]

        assert list(trace_stream(items, read=read)) == items
        assert facts(captured) == ("completed", 2, 5)
        assert (captured.span().attributes or {})[semconv.USAGE_OUTPUT_TOKENS] == 2

    @pytest.mark.parametrize(
        ("items", "want"), [(["a", "END"], "completed"), (["a", "b"], "truncated")]
    )
    def test_terminal(self, items: list[str], want: str, captured: Captured) -> None:
        """With a predicate for the last item, an end without such an item is truncated."""
        list(trace_stream(items, terminal=lambda item: item == "END"))

        assert outcome(captured) == want

    @pytest.mark.parametrize(
        ("items", "terminal"),
        [
            (["a", "END", "more"], lambda item: item == "END"),
            (["a", [Usage(1, 2), Finish("stop")], "more"], None),
            (["a", Terminal(), "more"], None),
        ],
    )
    def test_left_at_the_terminal(
        self, items: list[Any], terminal: Any, captured: Captured
    ) -> None:
        """Who leaves the loop at the last item has read the whole answer."""
        stream = trace_stream(iter(items), read=lambda item: item, terminal=terminal)
        for item in stream:
            if item == items[1]:
                break
        del stream

        assert facts(captured)[:2] == ("completed", 2)

    def test_error_event(self, captured: Captured) -> None:
        """An item may say that the answer failed."""
        list(trace_stream(["a", Failure("overloaded", "try later"), "b"]))

        assert facts(captured)[:2] == ("error", 1)
        assert (captured.span().attributes or {})[semconv.ERROR_TYPE] == "overloaded"

    def test_functions_that_fail(self, captured: Captured, lenient: None) -> None:
        """A function that fails, or answers nonsense, changes nothing of the stream."""
        for read, terminal in (
            (lambda _: 1 / 0, None),
            (lambda _: 5, None),
            (None, lambda _: 1 / 0),
        ):
            assert list(trace_stream(WORDS, read=read, terminal=terminal)) == WORDS  # type: ignore[arg-type,return-value]

        counts = [(span.attributes or {})[semconv.CHUNK_COUNT] for span in captured.spans()]
        assert counts == [2, 2, 2]


class TestSpan:
    def test_what_it_says(self, captured: Captured) -> None:
        """Operation, provider, model and attributes stand on the span."""
        list(trace_stream(WORDS, operation="x", provider="p", model="m", attributes={"a": 1}))
        found = captured.span().attributes or {}

        assert captured.span().name == "x m"
        assert (found[semconv.PROVIDER_NAME], found[semconv.REQUEST_MODEL], found["a"]) == (
            "p",
            "m",
            1,
        )

    def test_current_while_a_piece_is_made(self, captured: Captured) -> None:
        """What is traced inside the iterator is its child; what is in the loop's body is not."""
        tracer = captured.tracer_provider.get_tracer("test")

        def agent() -> Iterator[str]:
            with tracer.start_as_current_span("tool"):
                pass
            yield "a"

        for _ in trace_stream(agent()):
            tracer.start_span("body").end()
        tool, body, stream = captured.spans()

        assert tool.parent is not None
        assert (tool.parent.span_id, body.parent) == (stream.get_span_context().span_id, None)

    def test_agent_that_keeps_a_span_current(self, captured: Captured) -> None:
        """A generator that holds a span of its own open over its yields does not leak it."""
        tracer = captured.tracer_provider.get_tracer("test")

        def agent() -> Iterator[str]:
            with tracer.start_as_current_span("agent"):
                yield from WORDS

        seen = [trace.get_current_span() for _ in trace_stream(agent())]

        assert seen == [trace.INVALID_SPAN] * 2

    def test_suppressed(self, captured: Captured) -> None:
        """In a block of `suppress` the stream is what it was."""
        items = iter(WORDS)
        with otel_stream.suppress():
            stream = trace_stream(items)

        assert stream is items


def test_a_generator_is_sent_to(captured: Captured) -> None:
    """`send(None)` is a read like any other; what is sent else goes through to the generator."""
    heard: list[Any] = []

    def words() -> Iterator[str]:
        heard.append((yield "Hello"))
        yield " you"

    stream: Any = trace_stream(words())
    first = stream.send(None)
    second = stream.send("go on")
    stream.close()

    assert (first, second, heard) == ("Hello", " you", ["go on"])
    assert (captured.span().attributes or {})["otel_stream.content.size"] == 5


def test_what_is_thrown_into_a_generator_ends_the_stream(captured: Captured) -> None:
    """Who throws stops reading."""

    def words() -> Iterator[str]:
        yield "Hello"

    stream: Any = trace_stream(words())
    next(stream)
    with pytest.raises(LookupError):
        stream.throw(LookupError())

    assert (captured.span().attributes or {})["otel_stream.outcome"] == "closed_early"
