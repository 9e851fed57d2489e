"""The whole way, in the shape of the service that asked for it: one trace, and nothing changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import otel_stream
from otel_stream.testing import Captured, EvolutionServer, ProviderServer, Script
from otel_stream.testing.script import Send, Wait

from .broken import Broken
from .service import SPACING, AgentClient, Chat, Service, Tracing

DELAY = 0.05
NUMBER = "5511999990000"
PARAGRAPHS = [
    "Because light attracts bugs! 🐛",
    'It is `{"a": 1}{"b": 2}` all the way.',
    "The end.",
]
TRACED = Tracing(otel_stream.process_webhook, otel_stream.carrying)


def webhook(text: str, message_id: str = "3EB0AAAA") -> dict[str, Any]:
    """A person's message, as Evolution tells it."""
    key = {"remoteJid": f"{NUMBER}@s.whatsapp.net", "fromMe": False, "id": message_id}
    return {
        "event": "messages.upsert",
        "instance": "bot",
        "data": {
            "key": key,
            "pushName": "Maria",
            "message": {"conversation": text},
            "messageType": "conversation",
        },
        "apikey": "the-secret-of-the-instance",
    }


def event(name: str, **fields: Any) -> bytes:
    """An event of the wire that is no SSE: pretty JSON, nothing between two of them."""
    ids = {"agent_id": "genie", "agent_name": "Genie", "run_id": "r1", "session_id": "s1"}
    return json.dumps({"created_at": 1, "event": name, **ids, **fields}, indent=2).encode()


def run(*, first_after: float = 0.2, every: float = 0.02) -> Script:
    """A run whose answer comes in deltas of six characters."""
    answer = "\n\n".join(PARAGRAPHS)
    steps: list[Any] = [Send(event("RunStarted")), Wait(first_after)]
    steps.append(Send(event("RunResponseContent", content="")))
    for start in range(0, len(answer), 6):
        steps += [Send(event("RunResponseContent", content=answer[start : start + 6])), Wait(every)]
    steps.append(Send(event("RunCompleted", content=answer)))
    return Script(steps, 200, {"content-type": "text/event-stream; charset=utf-8"})


@contextmanager
def serving(tracing: Tracing, delay: float = DELAY) -> Iterator[tuple[Service, EvolutionServer]]:
    """The service, between an agent's server and a channel that answers after `delay` seconds."""
    with ProviderServer() as agents, EvolutionServer(delay=delay) as evolution:
        agents.handler = lambda request: run()
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
    run = dict(otel_stream_captured.span("invoke_agent genie").attributes or {})
    turn = dict(otel_stream_captured.span("process whatsapp").attributes or {})

    assert run["otel_stream.outcome"] == "completed"
    assert run["otel_stream.content.size"] == len("\n\n".join(PARAGRAPHS))
    assert 0.2 <= run["otel_stream.time_to_first_text"] < 0.4
    # Two paragraphs were sent while the answer was read: spacing and reply of each.
    assert run["otel_stream.consumer_time"] > 2 * (SPACING + DELAY)
    assert turn["otel_stream.delivery.time_to_first_message"] > (
        run["otel_stream.time_to_first_text"] + SPACING + DELAY
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
