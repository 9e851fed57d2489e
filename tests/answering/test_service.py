"""The whole way, in the shape of the service that asked for it: one trace, and nothing changed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import otel_stream
from otel_stream.testing import Captured, EvolutionServer, ProviderServer

from .broken import Broken
from .service import SPACING, AgentClient, Chat, Service, Tracing
from .wires import run, webhook

DELAY = 0.05
PARAGRAPHS = [
    "Because light attracts bugs! 🐛",
    'It is `{"a": 1}{"b": 2}` all the way.',
    "The end.",
]
TRACED = Tracing(otel_stream.process_webhook, otel_stream.carrying)


@contextmanager
def serving(tracing: Tracing, delay: float = DELAY) -> Iterator[tuple[Service, EvolutionServer]]:
    """The service, between an agent's server and a channel that answers after `delay` seconds."""
    with ProviderServer() as agents, EvolutionServer(delay=delay) as evolution:
        agents.handler = lambda request: run("\n\n".join(PARAGRAPHS))
        client = AgentClient(f"http://127.0.0.1:{agents.port}")
        chat = Chat(evolution.url, "bot", evolution.api_key)
        with Service(client, chat, tracing) as service:
            yield service, evolution


def answered(tracing: Tracing) -> tuple[list[str], list[tuple[str, bytes]]]:
    """Have one message answered: what the person got, and what stood on the wire."""
    with serving(tracing) as (service, evolution):
        service.webhook(webhook("Tell me a joke"))
        assert service.answered.get(timeout=30)
        return evolution.texts, [(each.path, each.body) for each in evolution.requests]


def test_the_person_gets_the_same(otel_stream_captured: Captured) -> None:
    """What is sent to the channel is equal byte by byte, with and without us."""
    with_us = answered(TRACED)
    otel_stream.uninstrument()

    assert answered(Tracing()) == with_us
    assert with_us[0] == PARAGRAPHS


def test_one_trace(otel_stream_captured: Captured) -> None:
    """All that answers a message stands below it, over a queue, a thread and a loop."""
    answered(TRACED)
    spans = {span.context.span_id: span for span in otel_stream_captured.spans()}
    tree = sorted(
        (spans[span.parent.span_id].name if span.parent else "", span.name)
        for span in spans.values()
    )

    assert tree == [
        ("", "process whatsapp"),
        ("process whatsapp", "invoke_agent genie"),
        ("process whatsapp", "send whatsapp"),
        ("process whatsapp", "send whatsapp"),
        ("process whatsapp", "send whatsapp"),
        ("process whatsapp", "type whatsapp"),
    ]


def test_generation_and_delivery_are_told_apart(otel_stream_captured: Captured) -> None:
    """Sends that block the loop are no time of the model, nor of its first text (Traps 3, 4)."""
    answered(TRACED)
    agent = dict(otel_stream_captured.span("invoke_agent genie").attributes or {})
    turn = dict(otel_stream_captured.span("process whatsapp").attributes or {})

    assert agent["otel_stream.outcome"] == "completed"
    assert agent["otel_stream.content.size"] == len("\n\n".join(PARAGRAPHS))
    assert 0.2 <= agent["otel_stream.time_to_first_text"] < 0.4
    # Two paragraphs were sent while the answer was read: spacing and reply of each.
    assert agent["otel_stream.consumer_time"] > 2 * (SPACING + DELAY)
    assert turn["otel_stream.delivery.time_to_first_message"] > (
        agent["otel_stream.time_to_first_text"] + SPACING + DELAY
    )
    assert (turn["otel_stream.delivery.messages"], turn["otel_stream.delivery.share"]) == (3, 1.0)


def test_the_bottleneck_is_named(otel_stream_captured: Captured) -> None:
    """Analytics know what the person saw, beside what the agent took (S3-13, S3-15)."""
    answered(TRACED)
    [stream] = [
        each
        for each in otel_stream.get_streaming_analytics()["finished"]
        if each["operation"] == "invoke_agent"
    ][-1:]

    assert stream["bottleneck"] in ("provider", "delivery")
    assert stream["times"]["delivery"] > 3 * DELAY
    assert stream["perceived"]["first_message"] > stream["actual"]["first_text"]
    assert stream["perceived"]["last_message"] > stream["perceived"]["first_message"]


@pytest.mark.parametrize("broken", ["tracer", "span", "everything"])
@pytest.mark.usefixtures("lenient")
def test_the_person_gets_the_answer_when_tracing_is_broken(broken: str) -> None:
    """Whatever fails in telemetry, the answer arrives as it was (Trap 14)."""
    otel_stream.instrument(tracer_provider=Broken(broken), meter_provider=Broken(broken))
    try:
        assert answered(TRACED)[0] == PARAGRAPHS
    finally:
        otel_stream.uninstrument()
