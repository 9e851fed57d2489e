"""What the trace is told of a delivery, and that nothing there can harm the delivery."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from opentelemetry import context as otel_context

import otel_stream
from otel_stream import StreamingTraceContext, semconv
from otel_stream.channel import (
    Delivery,
    stream_agent_to_whatsapp_with_traces,
    stream_team_to_whatsapp_with_traces,
    stream_to_channel,
)
from otel_stream.channel import telling as telling_module
from otel_stream.delivery.turn import Turn
from otel_stream.outcome import Outcome
from otel_stream.testing import Captured
from tests.channel.fakes import FakeChannel, FakeStream, later, refused, unknown
from tests.channel.virtual import now, run

DELTAS = ["One.\n\nTw", "o.\n\n", "", "Three."]
TEXTS = ["One.", "Two.", "Three."]


def deliver(channel: FakeChannel, deltas: list[Any] = DELTAS, **options: Any) -> Delivery:
    """Send an answer, in virtual time."""

    async def work() -> Delivery:
        return await stream_to_channel(FakeStream(deltas), channel, "55", clock=now, **options)

    return run(work())


def test_each_message_is_a_span(captured: Captured) -> None:
    """Requests are counted, and so is the time from being ready to the first of them."""
    deliver(FakeChannel([later(1.0), None, unknown()]), spacing=2.0, typing=False)
    spans = captured.spans("send whatsapp")
    found = [dict(span.attributes or {}) for span in spans]

    assert [f[semconv.DELIVERY_STATUS] for f in found] == ["accepted", "failed", "accepted"]
    assert [f[semconv.DELIVERY_ATTEMPTS] for f in found] == [2, 1, 1]
    assert found[0][semconv.MESSAGING_MESSAGE_ID] == "id-1"
    assert found[1][semconv.ERROR_TYPE] == "reset"
    assert found[2][semconv.DELIVERY_QUEUE_WAIT] >= 4.0


def test_requests_are_made_within_the_span(captured: Captured) -> None:
    """The channel's own requests find the message that they are for."""
    seen = []

    class Looking(FakeChannel):
        async def send(self, recipient: str, text: str) -> str | None:
            from otel_stream.delivery.send import send_in_progress

            found = send_in_progress()
            seen.append(found.span.get_span_context().span_id if found else None)
            return await super().send(recipient, text)

    deliver(Looking(), typing=False)
    spans = captured.spans("send whatsapp")

    assert seen == [span.context.span_id for span in spans if span.context]


def test_typing_is_a_span(captured: Captured) -> None:
    """What the person saw of typing is one span a stretch."""
    deliver(FakeChannel(), ["Hello"])

    assert len(captured.spans("type whatsapp")) == 1


def test_the_turn(captured: Captured) -> None:
    """Lost text and back-pressure are told on the turn, which lasts as long as the delivery."""
    turn = Turn("whatsapp", {})

    async def work() -> None:
        turn.hold(carried=True)
        token = otel_context.attach(turn.context)
        channel = FakeChannel([None, refused()], takes=1.0)
        stream = FakeStream(DELTAS)
        options: dict[str, Any] = {"backlog": 5, "spacing": 0.0, "typing": False}
        await stream_to_channel(stream, channel, "55", clock=now, **options)
        otel_context.detach(token)
        turn.release()

    run(work())
    found = captured.span("process whatsapp").attributes or {}

    assert (found[semconv.DELIVERY_LOST], found[semconv.DELIVERY_BACK_PRESSURE]) == (4, 1.0)
    assert (found[semconv.DELIVERY_MESSAGES], found[semconv.DELIVERY_FAILED]) == (3, 1)


def test_what_was_given_up_counts(captured: Captured) -> None:
    """Messages that were never tried are no less missing: the turn's figures are the delivery's."""
    turn = Turn("whatsapp", {})

    async def work() -> Delivery:
        otel_context.attach(turn.context)
        channel = FakeChannel([None, refused()])
        stream = FakeStream([*DELTAS, "\n\nFour."])
        return await stream_to_channel(stream, channel, "55", clock=now, give_up=1, typing=False)

    delivery = run(work())
    turn.drop(Outcome.ABANDONED)
    found = captured.span("process whatsapp").attributes or {}

    assert (delivery.failed, found[semconv.DELIVERY_FAILED]) == (3, 3)
    assert (found[semconv.DELIVERY_MESSAGES], found[semconv.DELIVERY_SHARE]) == (4, 0.25)


def test_without_a_turn(captured: Captured) -> None:
    """They are told on the current span of the application."""
    with captured.tracer_provider.get_tracer("app").start_as_current_span("mine"):
        deliver(FakeChannel([refused()]), typing=False)

    assert (captured.span("mine").attributes or {})[semconv.DELIVERY_LOST] == 4


def test_an_answer_that_nobody_asked_for(captured: Captured) -> None:
    """Without a turn, a span or a context it has a span for itself, which tells what was lost."""
    deliver(FakeChannel([refused()] * 4), give_up=1, retries=0)
    [answer] = captured.spans("answer whatsapp")
    others = [span for span in captured.spans() if span is not answer]

    assert answer.parent is None
    assert answer.context is not None
    assert {span.parent.span_id for span in others if span.parent} == {answer.context.span_id}
    assert (answer.attributes or {})[semconv.DELIVERY_LOST] > 0


@pytest.mark.parametrize(
    "function", [stream_agent_to_whatsapp_with_traces, stream_team_to_whatsapp_with_traces]
)
def test_a_trace_context_is_told(captured: Captured, function: Any) -> None:
    """Deltas, the first token and the end are told as they are read."""
    context = StreamingTraceContext()
    channel = FakeChannel()

    async def work() -> Delivery:
        stream = FakeStream(DELTAS)
        return await function(stream, channel, "55", trace_context=context, spacing=0.0, clock=now)

    assert run(work()).whole
    summary = context.get_streaming_summary()
    assert (summary["status"], summary["total_content_length"]) == ("completed", 18)
    assert summary["total_chunks"] == 3


def test_messages_stand_under_a_trace_context(captured: Captured) -> None:
    """Where no span is current, messages and typing are in the trace of the context's span."""
    context = StreamingTraceContext()
    deliver(FakeChannel(), trace_context=context)
    spans = captured.spans()

    assert len({span.context.trace_id for span in spans if span.context}) == 1
    assert sorted({span.name for span in spans}) == ["chat", "send whatsapp", "type whatsapp"]


def test_a_trace_context_is_told_of_failures(captured: Captured) -> None:
    """An error of the stream, or one that a run only reports, is told as one."""
    raised, reported = StreamingTraceContext(), StreamingTraceContext()
    with pytest.raises(ValueError, match="broken"):
        deliver(FakeChannel(), ["a", ValueError("broken")], trace_context=raised)
    failed = {"event": "RunError", "content": "boom"}
    delivery = deliver(FakeChannel(), ["a", failed], trace_context=reported)

    assert (delivery.whole, delivery.run_error) == (False, "boom")
    outcomes = [(s.attributes or {})[semconv.OUTCOME] for s in captured.spans("chat")]
    assert outcomes == ["error", "error"]


def test_a_trace_context_is_told_of_a_cancelled_run(captured: Captured) -> None:
    """A run that was cancelled at its server has not failed."""
    stopped = {"event": "RunCancelled", "content": "Run r1 was cancelled"}
    delivery = deliver(FakeChannel(), ["a", stopped], trace_context=StreamingTraceContext())

    assert (delivery.whole, delivery.run_error) == (False, stopped["content"])
    assert (captured.span("chat").attributes or {})[semconv.OUTCOME] == "cancelled"


def told_of_a_run_error(captured: Captured) -> str:
    """The span of an answer whose run says whom it has failed."""
    said = {"event": "RunError", "content": "Dear Maria, 5511987654321 is unknown"}
    delivery = deliver(FakeChannel(), ["a", said], trace_context=StreamingTraceContext())

    assert delivery.run_error == said["content"]
    return str(captured.span("chat").to_json())


def test_what_a_run_says_is_content(captured: Captured) -> None:
    """What a run says of its failure may be about the person: without content it is not told."""
    told = told_of_a_run_error(captured)

    assert "the run reported an error" in told
    assert "Maria" not in told


def without_names(text: str) -> str:
    """What may leave."""
    return text.replace("Maria", "[name]")


@pytest.mark.otel_stream(capture_content="span", redact=without_names)
def test_what_a_run_says_is_redacted(captured: Captured) -> None:
    """With content it is told as content is."""
    told = told_of_a_run_error(captured)

    assert "Dear [name], [number] is unknown" in told
    assert "Maria" not in told


class Bomb:
    """Whatever is asked of it raises."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise RuntimeError(name)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("called")


@pytest.mark.parametrize("context", [Bomb(), 5, "context", object, threading.Lock()])
def test_no_trace_context_breaks_delivery(lenient: None, context: Any) -> None:
    """A context of another type, or one that raises, is left alone."""
    channel = FakeChannel()

    assert deliver(channel, trace_context=context).whole
    assert channel.accepted == TEXTS


@pytest.mark.parametrize(
    "name", ["Send", "Message", "turn_around", "typing", "otel_context", "trace"]
)
def test_broken_telemetry_breaks_nothing(
    lenient: None, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """With tracing broken on purpose the person gets the same answer."""
    monkeypatch.setattr(telling_module, name, Bomb())
    channel = FakeChannel([later(0.0)])

    assert deliver(channel).whole
    assert channel.accepted == TEXTS


def test_with_telemetry_off() -> None:
    """In a block that is not traced the person gets the same answer."""
    channel = FakeChannel()
    with otel_stream.suppress():
        assert deliver(channel).whole

    assert channel.accepted == TEXTS


def test_the_stream_is_read_in_the_callers_context(captured: Captured) -> None:
    """What the agent traces stands under the caller's span."""
    tracer = captured.tracer_provider.get_tracer("app")

    async def answer() -> Any:
        with tracer.start_as_current_span("agent"):
            yield "Hello"

    async def work() -> None:
        with tracer.start_as_current_span("mine"):
            await stream_to_channel(answer(), FakeChannel(), "55", clock=now, typing=False)

    run(work())
    mine, agent = captured.span("mine"), captured.span("agent")
    assert agent.parent is not None
    assert mine.context is not None
    assert agent.parent.span_id == mine.context.span_id


def test_a_thousand_conversations(captured: Captured) -> None:
    """In one loop each person has their answer, and nothing is left behind."""

    async def work() -> tuple[list[Delivery], set[Any]]:
        channels = [FakeChannel(takes=0.05) for _ in range(1000)]
        deliveries = await asyncio.gather(
            *(stream_to_channel(FakeStream(DELTAS), c, "55", clock=now) for c in channels)
        )
        assert {tuple(channel.accepted) for channel in channels} == {tuple(TEXTS)}
        return deliveries, asyncio.all_tasks() - {asyncio.current_task()}

    deliveries, left = run(work())
    assert ([d for d in deliveries if not d.whole], left) == ([], set())
