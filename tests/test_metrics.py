"""What a finished call counts: instruments, labels, exemplars."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from otel_stream import StreamingTraceContext, semconv, trace_stream
from otel_stream.delta import Failure, Finish, Reasoning, Response, Usage
from otel_stream.testing import Captured, ScriptedClock
from otel_stream.trace import Trace

BASE = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "p",
    "gen_ai.request.model": "m",
    "server.address": "host",
}
ANSWERED = {**BASE, "gen_ai.response.model": "m-1"}
RELEASED = semconv.RELEASED


@pytest.fixture
def traced(begin: Any) -> Trace:
    """A call that has begun, by the scripted clock."""
    return begin(server_address="host", server_port=443)  # type: ignore[no-any-return]


CHUNKS = [
    (Response("id", "m-1"), 0.5),
    (Reasoning("hm"), 0.25),
    ("Hello", 0.25),
    (" you", 0.0625),
    ([Finish("stop"), Usage(9, 2)], 0.125),
]


@pytest.fixture
def told(traced: Trace, drive: Any) -> Trace:
    """A whole stream: five chunks of the model `m-1`, and the end after another eighth."""
    reading = drive(traced.recorder)
    for chunk, wait in CHUNKS:
        reading.chunk(chunk, wait=wait)
    reading.finish(wait=0.125)
    return traced


class TestInstruments:
    @pytest.mark.parametrize(
        ("name", "unit", "values"),
        [
            ("gen_ai.client.operation.duration", "s", (1, 1.3125)),
            ("gen_ai.client.operation.time_to_first_chunk", "s", (1, 0.5)),
            ("gen_ai.client.operation.time_per_output_chunk", "s", (4, 0.6875)),
            ("otel_stream.time_to_first_token", "s", (1, 0.75)),
            ("otel_stream.time_to_first_text", "s", (1, 1.0)),
            ("otel_stream.output_tokens_per_second", "{token}/s", (1, 2 / 0.6875)),
        ],
    )
    def test_histograms(
        self, name: str, unit: str, values: tuple[int, float], told: Trace, captured: Captured
    ) -> None:
        """Each histogram has the stream's value, its unit, and no labels but these (S4-27)."""
        point = captured.point(name)

        assert (point.count, point.sum) == (values[0], pytest.approx(values[1]))
        assert (point.unit, point.attributes) == (unit, ANSWERED)

    def test_tokens(self, told: Trace, captured: Captured) -> None:
        """Tokens are told apart by their type."""
        name = "gen_ai.client.token.usage"
        points = captured.metrics()[name]

        assert {p.attributes["gen_ai.token.type"]: p.sum for p in points} == {
            "input": 9,
            "output": 2,
        }
        assert points[0].attributes == {**ANSWERED, "gen_ai.token.type": "input"}
        assert points[0].unit == "{token}"

    def test_counters(self, told: Trace, captured: Captured) -> None:
        """Streams are counted by outcome; what is open now is told apart."""
        streams, active = (
            captured.point(name) for name in ("otel_stream.streams", "otel_stream.streams.active")
        )

        assert (streams.value, streams.unit) == (1, "{stream}")
        assert streams.attributes == {**ANSWERED, "otel_stream.outcome": "completed"}
        assert (active.value, active.attributes, active.unit) == (0, BASE, "{stream}")

    def test_nothing_else(self, told: Trace, captured: Captured) -> None:
        """A usual stream records these, and no others: no stalls, no drops."""
        assert set(captured.metrics()) == {
            *RELEASED.values(),
            "otel_stream.time_to_first_token",
            "otel_stream.time_to_first_text",
            "otel_stream.streams",
            "otel_stream.streams.active",
            "otel_stream.output_tokens_per_second",
        }

    def test_buckets(self, told: Trace, captured: Captured) -> None:
        """Buckets are those that the convention advises; in front of the chunks' are finer ones."""
        advised = tuple(0.01 * 2**power for power in range(14))
        names = ("duration", "time_to_first_chunk", "time_per_output_chunk")
        first, second, chunks = (captured.point(RELEASED[name]).bounds for name in names)

        assert first == second == pytest.approx(advised)
        assert chunks == (0.001, 0.002, 0.005, *first)
        assert captured.metrics()[RELEASED["token_usage"]][0].bounds[-1] == 67_108_864

    def test_active(self, traced: Trace, captured: Captured) -> None:
        """An open stream is counted while it is open."""
        open_now = captured.point("otel_stream.streams.active").value
        traced.recorder.close()

        assert (open_now, captured.point("otel_stream.streams.active").value) == (1, 0)

    def test_stall(self, traced: Trace, drive: Any, captured: Captured) -> None:
        """A stall is counted when it is known, before the stream has ended."""
        reading = drive(traced.recorder)
        reading.chunk(Response("id", "m-1"), wait=0.1)
        reading.chunk("a", wait=30.0)
        point = captured.point("otel_stream.stalls")
        reading.finish()

        assert (point.value, point.attributes, point.unit) == (1, ANSWERED, "{stall}")

    @pytest.mark.otel_stream(chunk_events="all")
    def test_dropped_events(self, traced: Trace, drive: Any, captured: Captured) -> None:
        """Span events beyond the budget are counted, with the reason."""
        for _ in range(100):
            drive(traced.recorder).chunk("a")
        drive(traced.recorder).finish()
        point = captured.point("otel_stream.events.dropped")

        assert (point.value, point.unit) == (71, "{event}")
        assert point.attributes == {**BASE, "otel_stream.drop.reason": "budget"}


class TestWhatIsLeftOut:
    def test_failed(self, traced: Trace, drive: Any, captured: Captured) -> None:
        """Only the duration tells the type of an error."""
        drive(traced.recorder).chunk("a")
        drive(traced.recorder).chunk(Failure("overloaded"))
        drive(traced.recorder).finish()
        found = captured.metrics()
        typed = [n for n, points in found.items() if "error.type" in points[0].attributes]

        assert typed == [RELEASED["duration"]]
        assert found[typed[0]][0].attributes == {**BASE, "error.type": "overloaded"}

    def test_no_text(self, traced: Trace, drive: Any, captured: Captured) -> None:
        """An answer without text has no time to its first text."""
        drive(traced.recorder).chunk(Reasoning("hm"))
        drive(traced.recorder).finish()

        assert semconv.METRIC_TIME_TO_FIRST_TOKEN in captured.metrics()
        assert semconv.METRIC_TIME_TO_FIRST_TEXT not in captured.metrics()

    def test_one_chunk(self, traced: Trace, drive: Any, captured: Captured) -> None:
        """One chunk has no rhythm: no time per chunk, no tokens per second."""
        drive(traced.recorder).chunk(["a", Usage(1, 1)])
        drive(traced.recorder).finish()

        assert RELEASED["time_per_output_chunk"] not in captured.metrics()
        assert semconv.METRIC_OUTPUT_TOKENS_PER_SECOND not in captured.metrics()

    def test_seed(self, traced: Trace, drive: Any, captured: Captured) -> None:
        """A usage that is not final tells the input, and nothing of the output."""
        drive(traced.recorder).chunk(Usage(9, 1, final=False))
        drive(traced.recorder).finish()
        points = captured.metrics()[RELEASED["token_usage"]]

        assert [(p.attributes["gen_ai.token.type"], p.sum) for p in points] == [("input", 9)]

    def test_not_streamed(self, begin: Any, captured: Captured) -> None:
        """A call that is not streamed has a duration and tokens, and none of ours."""
        trace = begin(streamed=False)
        trace.recorder.tally.add(trace.recorder, Usage(9, 2), 0.0)
        trace.recorder.close()

        assert set(captured.metrics()) == {RELEASED["duration"], RELEASED["token_usage"]}


def test_long_streams(captured: Captured) -> None:
    """One count for each chunk after the first, however long the stream."""
    list(trace_stream(iter(["a"] * 2501)))

    assert captured.point(RELEASED["time_per_output_chunk"]).count == 2500


def test_exemplars(told: Trace, captured: Captured) -> None:
    """Each metric links to the span it comes from; the number of open streams is no span's."""
    span, metrics = captured.span().get_span_context(), captured.metrics()
    found = {
        (exemplar.trace_id, exemplar.span_id)
        for points in metrics.values()
        for point in points
        for exemplar in point.exemplars
    }
    without = [name for name, points in metrics.items() if not points[0].exemplars]

    assert found == {(span.trace_id, span.span_id)}
    assert without == ["otel_stream.streams.active"]


@pytest.mark.otel_stream(sampler=ALWAYS_OFF)
def test_unsampled(told: Trace, captured: Captured) -> None:
    """A stream whose span is not sampled counts all the same."""
    assert captured.spans() == []
    assert captured.point("otel_stream.streams").value == 1
    assert captured.point(RELEASED["time_per_output_chunk"]).count == 4


@pytest.mark.otel_stream(semconv="latest")
def test_latest_names(told: Trace, captured: Captured) -> None:
    """The names that the convention has taken since can be chosen."""
    found = captured.metrics()
    tokens = {name: found[name][0].sum for name in found if name.endswith("_tokens")}

    assert {name for name in found if name.startswith("gen_ai.")} == set(semconv.LATEST.values())
    assert tokens == {
        "gen_ai.client.inference.operation.input_tokens": 9,
        "gen_ai.client.inference.operation.output_tokens": 2,
    }
    assert found["gen_ai.client.inference.operation.input_tokens"][0].attributes == ANSWERED


def test_no_ids(captured: Captured) -> None:
    """Facts of one's own, ids and texts stand on no metric."""
    context = StreamingTraceContext(attributes={"session.id": "s", "mine": "text"})
    context.log_streaming_complete("Hello", {"id": "response-1"})
    labels = {
        value
        for points in captured.metrics().values()
        for point in points
        for value in point.attributes.values()
    }

    assert labels & {"s", "text", "response-1", "Hello"} == set()


def test_consistent_timing(captured: Captured, begin: Any, clock: ScriptedClock) -> None:
    """Whoever tells of a stream, the same moments give the same times (S4-25)."""

    def slow() -> Iterator[str]:
        for word in ("Hello", " you"):
            clock.advance(0.25)
            yield word

    context = StreamingTraceContext(clock=clock)
    for word in slow():
        context.log_streaming_chunk(word)
    context.log_streaming_complete()
    traced = begin(provider="unknown", model=None)
    for word in slow():
        traced.recorder.feed(word, traced.recorder.read_at, clock())
    traced.recorder.close()
    point = captured.point(semconv.METRIC_TIME_TO_FIRST_TOKEN)

    assert (point.count, point.min, point.max) == (2, 0.25, 0.25)
