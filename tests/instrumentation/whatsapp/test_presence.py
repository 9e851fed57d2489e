"""Typing on Evolution: many calls, one span a stretch, wherever the calls come from."""

from __future__ import annotations

import threading
from typing import Any

import pytest
import requests
from opentelemetry.sdk.trace import ReadableSpan

import otel_stream
from otel_stream.delivery.identity import hidden
from otel_stream.testing import Captured, EvolutionServer

from .conftest import KEY, Send
from .posts import ERRORS, POSTS

pytestmark = [pytest.mark.sdk_matrix, pytest.mark.otel_stream(grace=0.0)]

PRESENCE = "chat/sendPresence/bot"


def composing(number: str, delay: float = 15_000, presence: str = "composing") -> dict[str, Any]:
    """The body of a call."""
    return {"number": number, "presence": presence, "delay": delay}


def seconds(span: ReadableSpan) -> float:
    """How long it lasted."""
    return ((span.end_time or 0) - (span.start_time or 0)) / 1e9


@pytest.mark.parametrize("library", POSTS)
def test_a_stretch_is_one_span(library: str, post: Send, captured: Captured, number: str) -> None:
    """Calls that renew it belong to the stretch, and the one that stops it ends it."""
    for _ in range(3):
        assert post(PRESENCE, composing(number), library)[0] == 201
    post(PRESENCE, composing(number, 1000, "paused"), library)
    span = captured.span()
    attributes = dict(span.attributes or {})
    shown = attributes.pop("otel_stream.delivery.typing_time")

    assert (span.name, span.kind.name) == ("type whatsapp", "CLIENT")
    assert attributes == {
        "messaging.system": "whatsapp",
        "messaging.operation.name": "type",
        "otel_stream.delivery.recipient": hidden(number),
        "otel_stream.delivery.attempts": 3,
        "otel_stream.channel.instance": "bot",
        "server.address": "127.0.0.1",
    }
    assert shown == pytest.approx(seconds(span), abs=1e-3)


@pytest.mark.parametrize("stopped", ["paused", "available", "unavailable"])
@pytest.mark.parametrize("shown", ["composing", "recording"])
def test_words(shown: str, stopped: str, post: Send, captured: Captured, number: str) -> None:
    """What a person sees is typing or recording; anything else ends it."""
    post(PRESENCE, composing(number, presence=shown))
    post(PRESENCE, composing(number, presence=stopped))

    assert captured.span().name == "type whatsapp"


@pytest.mark.parametrize(
    "body", [{"presence": "dancing"}, {"presence": None}, {}, {"options": {"presence": 1}}]
)
def test_other_words(body: Any, post: Send, captured: Captured, number: str) -> None:
    """A word that nobody knows shows nothing."""
    post(PRESENCE, {"number": number, **body})

    assert captured.spans() == []


def test_the_body_of_v1(post: Send, captured: Captured, number: str) -> None:
    """Version 1 nests what is shown; it runs out by itself."""
    options = {"presence": "composing", "delay": 40}
    post(PRESENCE, {"number": f"{number}@s.whatsapp.net", "options": options})
    [span] = captured.wait_for_spans(1)

    assert (span.attributes or {})["otel_stream.delivery.recipient"] == hidden(number)
    assert seconds(span) == pytest.approx(0.04, abs=0.02)


@pytest.mark.parametrize("delay", ["40", 40, 40.0])
def test_delays(delay: Any, post: Send, captured: Captured, number: str) -> None:
    """A delay may be text."""
    post(PRESENCE, composing(number, delay))

    assert seconds(captured.wait_for_spans(1)[0]) == pytest.approx(0.04, abs=0.02)


def test_the_next_message_knows(post: Send, captured: Captured, number: str) -> None:
    """A message says how long its person has seen typing before it, each second once."""
    post(PRESENCE, composing(number, 30))
    [typed] = captured.wait_for_spans(1)
    for _ in range(2):
        post("message/sendText/bot", {"number": number, "text": "Hi"})
    first, second = ((s.attributes or {}) for s in captured.spans("send whatsapp"))

    name = "otel_stream.delivery.typing_time"
    assert first[name] == pytest.approx((typed.attributes or {})[name])
    assert name not in second


@pytest.mark.parametrize("body", [{"delay": 1200}, {"options": {"delay": 1200, "presence": "x"}}])
def test_typing_that_a_message_asks_for(
    body: Any, post: Send, captured: Captured, evolution: EvolutionServer, number: str
) -> None:
    """A message with a delay has typing shown before it by the server, if it is accepted; as long
    as the server takes, whatever was asked for.
    """
    post("message/sendText/bot", {"number": number, "text": "Hi", **body})
    evolution.refuse(400)
    post("message/sendText/bot", {"number": number, "text": "Hi", **body})
    first, second = captured.spans()
    took = ((first.end_time or 0) - (first.start_time or 0)) / 1e9
    shown = (first.attributes or {})["otel_stream.delivery.typing_time"]

    assert 0 < took < 1.2
    assert shown == pytest.approx(took, abs=1e-6)
    assert "otel_stream.delivery.typing_time" not in (second.attributes or {})


def upsert(number: str) -> dict[str, Any]:
    """The webhook of a person's message."""
    key = {"remoteJid": f"{number}@s.whatsapp.net", "fromMe": False, "id": f"3EB0{number}"}
    data = {"key": key, "message": {"conversation": "Hello?"}, "pushName": "Ana"}
    return {"event": "messages.upsert", "instance": "bot", "data": data, "apikey": KEY}


def test_a_thread_without_context(
    evolution: EvolutionServer, post: Send, captured: Captured, number: str
) -> None:
    """Presence of a thread that was started long before belongs to the turn of its person."""
    url = f"{evolution.url}/{PRESENCE}"
    begin, stop = threading.Event(), threading.Event()

    def loop() -> None:
        begin.wait(5)
        while not stop.wait(0.02):
            requests.post(url, headers={"apikey": KEY}, json=composing(number), timeout=5)
        requests.post(url, json=composing(number, presence="paused"), timeout=5)

    thread = threading.Thread(target=loop)
    thread.start()
    with otel_stream.process_webhook(upsert(number)):
        begin.set()
        evolution.wait_for_requests(3)
        post("message/sendText/bot", {"number": number, "text": "Hi"})
        stop.set()
        thread.join()
    turn, typed, message = (
        captured.wait_for_spans(3) and captured.span(name)
        for name in ("process whatsapp", "type whatsapp", "send whatsapp")
    )

    assert {s.context.trace_id for s in (typed, message, turn) if s.context} == {
        turn.context and turn.context.trace_id
    }
    assert typed.parent == message.parent == turn.context
    assert (turn.attributes or {})["otel_stream.delivery.typing_time"] > 0.02
    assert (turn.attributes or {})["otel_stream.delivery.share"] == 1.0


@pytest.mark.parametrize("library", ["requests", "httpx", "aiohttp"])
def test_a_refusal(
    library: str, evolution: EvolutionServer, captured: Captured, number: str
) -> None:
    """What the server does not show is no typing, and the span says why."""
    url = f"{evolution.url}/{PRESENCE}"
    POSTS[library](url, headers={"apikey": "wrong"}, json=composing(number))
    span = captured.span()
    attributes = span.attributes or {}

    assert (attributes["error.type"], span.status.status_code.name) == ("401", "ERROR")
    assert attributes["otel_stream.delivery.typing_time"] == 0.0


def test_a_refusal_amid_a_stretch(
    post: Send, captured: Captured, evolution: EvolutionServer, number: str
) -> None:
    """A call that fails takes back only what it has asked for."""
    post(PRESENCE, composing(number, 60))
    url, headers = f"{evolution.url}/{PRESENCE}", {"apikey": "wrong"}
    requests.post(url, headers=headers, json=composing(number, 60_000), timeout=5)
    [span] = captured.wait_for_spans(1)

    assert seconds(span) == pytest.approx(0.06, abs=0.02)
    assert (span.attributes or {})["error.type"] == "401"


def test_nobody_there(captured: Captured, evolution: EvolutionServer, number: str) -> None:
    """A server that cannot be reached shows nothing."""
    evolution.close()
    with pytest.raises(requests.ConnectionError):
        requests.post(f"{evolution.url}/{PRESENCE}", json=composing(number), timeout=5)

    assert (captured.span().attributes or {})["otel_stream.delivery.typing_time"] == 0.0


@pytest.mark.parametrize("library", POSTS)
def test_a_server_that_answers_late(
    library: str, evolution: EvolutionServer, post: Send, captured: Captured, number: str
) -> None:
    """Some versions answer when they have shown it to the end. Who does not wait has it shown."""
    evolution.delay = 1.0
    with pytest.raises(ERRORS):
        post(PRESENCE, composing(number, 150), library, timeout=0.05)
    [span] = captured.wait_for_spans(1)

    assert seconds(span) == pytest.approx(0.15, abs=0.02)
    assert "error.type" not in (span.attributes or {})
