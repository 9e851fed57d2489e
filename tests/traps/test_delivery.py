"""Delivery: messages to people, as the originals sent them, and what they kept of it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from opentelemetry import trace

import otel_stream
from otel_stream.testing import Captured, EvolutionServer
from otel_stream_evolution import EvolutionInstrumentor
from tests.instrumentation.whatsapp.exported import leaks

KEY = "evo-key-0123456789abcdef"
PERSON = "5511912345678"
OURS = "5511987654321"
quick = pytest.mark.otel_stream(grace=0.0)


@pytest.fixture
def captured(captured: Captured) -> Captured:
    """What is recorded, with Evolution's calls seen."""
    EvolutionInstrumentor().attempt()
    return captured


@pytest.fixture
def evolution() -> Iterator[EvolutionServer]:
    """A fake Evolution API."""
    with EvolutionServer(api_key=KEY) as server:
        yield server


def send(evolution: EvolutionServer, text: str, **more: Any) -> bool:
    """The originals' way to send: a 400 is a success if something was quoted or mentioned."""
    body = {"number": PERSON, "text": text, **more}
    url = f"{evolution.url}/message/sendText/bot"
    reply = requests.post(url, headers={"apikey": KEY}, json=body, timeout=5)
    return reply.ok or (reply.status_code == 400 and bool({"quoted", "mentioned"} & set(body)))


def upsert(text: str, number: int = 1) -> dict[str, Any]:
    """A webhook, with all that Evolution puts in it."""
    jid = f"{PERSON}@s.whatsapp.net"
    return {
        "event": "messages.upsert",
        "instance": "bot",
        "data": {
            "key": {"remoteJid": jid, "fromMe": False, "id": f"3EB0{number}"},
            "pushName": "Joana Prado",
            "message": {"conversation": text},
            "messageType": "conversation",
        },
        "sender": f"{OURS}@s.whatsapp.net",
        "server_url": "https://user:secret-0@evolution.example.com",
        "apikey": KEY,
    }


@quick
def test_every_message_is_in_the_trace(evolution: EvolutionServer, captured: Captured) -> None:
    """Trap 16: each message has its id and its fate, and the share that arrived is known."""
    with otel_stream.process_webhook(upsert("Tell me a joke")):
        told = [send(evolution, "Why do moths fly at night?")]
        evolution.refuse(400)
        told.append(send(evolution, "Because", quoted={"key": {"id": "3EB01"}}))
        evolution.refuse(500)
        told.append(send(evolution, "light attracts bugs!"))
    captured.wait_for_spans(4)
    turn = captured.span("process whatsapp").attributes or {}
    sent = [span.attributes or {} for span in captured.spans("send whatsapp")]

    assert told == [True, True, False]
    assert [one["otel_stream.delivery.status"] for one in sent] == ["accepted", "failed", "failed"]
    assert [one.get("messaging.message.id") for one in sent] == [
        evolution.messages[0].id,
        None,
        None,
    ]
    assert turn["otel_stream.delivery.share"] == pytest.approx(1 / 3)
    assert (turn["otel_stream.delivery.messages"], turn["otel_stream.delivery.failed"]) == (3, 2)


@quick
def test_a_webhook_that_fails(captured: Captured) -> None:
    """Trap 18: what the block raises comes out of it unchanged, and the turn has failed."""
    error = ValueError("nobody is there")
    with (
        pytest.raises(ValueError, match="nobody is there") as raised,
        otel_stream.process_webhook(upsert("Hi", 2)) as turn,
    ):
        assert turn is not None
        turn.hold(works=True)
        turn.release()
        raise error
    captured.wait_for_spans(1)

    assert raised.value is error
    assert (captured.span().attributes or {})["error.type"] == "ValueError"
    assert not trace.get_current_span().get_span_context().is_valid


@quick
def test_work_that_outlives_its_request(evolution: EvolutionServer, captured: Captured) -> None:
    """Trap 18: a request that is over closes nothing that a thread still needs."""
    over = threading.Event()

    def answer() -> None:
        over.wait(5)
        send(evolution, "At last")

    with otel_stream.process_webhook(upsert("Hi", 3)):
        thread = threading.Thread(target=otel_stream.carried(answer))
        thread.start()
    over.set()
    thread.join()
    captured.wait_for_spans(2)
    turn, sent = captured.span("process whatsapp"), captured.span("send whatsapp")

    assert sent.parent == turn.context
    assert (turn.end_time or 0) >= (sent.end_time or 0)
    assert (turn.attributes or {})["otel_stream.delivery.share"] == 1.0


@quick
def test_no_webhook_is_stored(evolution: EvolutionServer, captured: Captured) -> None:
    """Trap 19: of a webhook with a key, numbers, a name and a text, nothing of these leaves."""
    with otel_stream.process_webhook(upsert("My PIN is 4711", 4)):
        evolution.refuse(400, f"{PERSON}@s.whatsapp.net: {KEY}")
        send(evolution, "I shall forget it")
    captured.wait_for_spans(2)
    secrets = [KEY, PERSON, OURS, "Joana", "4711", "I shall", "secret-0", "s.whatsapp.net"]

    assert leaks(captured, *secrets) == []


@pytest.mark.otel_stream(
    capture_content=True, content_limit=16, grace=0.0, redact=lambda text: text.replace("PIN", "…")
)
def test_settings_that_are_read(evolution: EvolutionServer, captured: Captured) -> None:
    """Trap 19: what is set about content holds: it is captured, redacted and cut."""
    with otel_stream.process_webhook(upsert("My PIN is 4711", 5)):
        send(evolution, "A PIN: forgotten, as you have asked")
    captured.wait_for_spans(2)
    sent = captured.span("send whatsapp").attributes or {}
    [said] = json.loads(str(sent["gen_ai.output.messages"]))

    assert said["parts"][0]["content"].startswith("A …: for")
    assert leaks(captured, "PIN", "as you have asked") == []


@quick
@pytest.mark.parametrize("word", ["document", "media", "image", "audioMessage", "sticker"])
def test_media_told_by_a_word(word: str, evolution: EvolutionServer, captured: Captured) -> None:
    """Trap 21: a text that speaks of media is a text."""
    text = f'Send me the {word} "imageMessage": {{}}'
    with otel_stream.process_webhook(upsert(text, 100 + sum(map(ord, word)))):
        send(evolution, text)
    captured.wait_for_spans(2)
    turn, sent = captured.span("process whatsapp"), captured.span("send whatsapp")

    assert (turn.attributes or {})["otel_stream.channel.message_type"] == "text"
    assert (sent.attributes or {})["otel_stream.delivery.kind"] == "text"
