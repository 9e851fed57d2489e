"""Many conversations at once, everything traced, everything that can go wrong going wrong."""

from __future__ import annotations

import asyncio
import base64
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable

import httpx
import pytest

import otel_stream
from otel_stream.channel import Delivery, EvolutionChannel, stream_to_channel
from otel_stream.testing import Captured, EvolutionServer, ProviderServer

from .wires import INSTANCE_KEY, NAME, NUMBER, receipt, run_events, webhook

PEOPLE = 1000
ANSWER = "A first |thing.|\n\n|A second |thing."


def number(person: int) -> str:
    """The person's phone number."""
    return f"55119{person:08d}"


class Answering:
    """A service in one event loop: webhook, agent over HTTP, channel."""

    def __init__(self, agents: ProviderServer, evolution: EvolutionServer) -> None:
        self._url = f"http://127.0.0.1:{agents.port}/agents/genie/runs"
        self._evolution = evolution

    async def answer_all(self, people: int) -> list[Delivery]:
        """Have so many people answered at once."""
        self._turnstile = asyncio.Semaphore(50)  # httpx's own queue is quadratic
        async with (
            httpx.AsyncClient(timeout=60) as self._client,
            EvolutionChannel(
                self._evolution.url, self._evolution.instance, self._evolution.api_key
            ) as self._channel,
        ):
            return list(await asyncio.gather(*map(self._answer, range(people))))

    async def _answer(self, person: int) -> Delivery:
        body = webhook("Two things, please", f"3EB0{person:08X}", number(person))
        with otel_stream.process_webhook(body):
            return await stream_to_channel(
                self._texts(), self._channel, number(person), spacing=0.0, typing=False
            )

    async def _texts(self) -> AsyncIterator[str]:
        async with (
            self._turnstile,
            self._client.stream("POST", self._url, data={"stream": "true"}) as response,
        ):
            async for line in response.aiter_lines():
                found = re.match(r'data: .*"RunContent".*"content": "(.*)"}$', line)
                if found:
                    yield found[1].encode().decode("unicode_escape")


def answered(people: int, *faults: str) -> tuple[list[Delivery], EvolutionServer]:
    """Have so many people answered, while some messages fare badly."""
    with ProviderServer() as agents, EvolutionServer(delay=0.01) as evolution:
        agents.handler = lambda request: run_events(ANSWER)
        for fault in faults:
            how = {"refused": (429,), "broken": (500,)}.get(fault)
            evolution.refuse(*how) if how else getattr(evolution, fault)()
        return asyncio.run(Answering(agents, evolution).answer_all(people)), evolution


@pytest.mark.timeout(300)
def test_a_thousand_conversations(otel_stream_captured: Captured) -> None:
    """Nobody's message is lost or sent twice, and each person has a trace of their own."""
    deliveries, evolution = answered(PEOPLE)
    spans = otel_stream_captured.wait_for_spans(4 * PEOPLE)

    assert all(delivery.whole for delivery in deliveries)
    assert Counter(message.number for message in evolution.messages) == {
        number(person): 2 for person in range(PEOPLE)
    }
    assert Counter(span.name for span in spans) == {
        "process whatsapp": PEOPLE,
        "invoke_agent genie": PEOPLE,
        "send whatsapp": 2 * PEOPLE,
    }
    assert set(Counter(span.context.trace_id for span in spans).values()) == {4}


def test_what_goes_wrong_is_told(
    otel_stream_captured: Captured, eventually: Callable[..., bool]
) -> None:
    """What was accepted, and what we say of it, agree whatever the channel does."""
    deliveries, evolution = answered(40, "refused", "broken", "lose", "drop", "refused")
    assert eventually(lambda: len(otel_stream_captured.spans("process whatsapp")) == 40)
    turns = [dict(s.attributes or {}) for s in otel_stream_captured.spans("process whatsapp")]
    messages = sum(turn["otel_stream.delivery.messages"] for turn in turns)
    failed = sum(turn["otel_stream.delivery.failed"] for turn in turns)
    sent = Counter((message.number, message.text) for message in evolution.messages)

    assert set(sent.values()) == {1}
    # One of them was accepted without a word, and nobody can know.
    assert len(evolution.messages) == messages - failed + 1
    told = Counter(message.status for delivery in deliveries for message in delivery.messages)
    assert (failed, told["unknown"]) == (told["refused"] + told["unknown"], 3)


def exported(captured: Captured) -> str:
    """Every text in every signal, and what is Base64 in it undone."""
    spans = [span.to_json() for span in captured.spans()]
    text = " ".join([*spans, repr(captured.metrics()), repr(captured.logs())])
    encoded = re.findall(r"[A-Za-z0-9+/_-]{12,}", text)
    opened = [base64.urlsafe_b64decode(found[: len(found) // 4 * 4]) for found in encoded]
    return " ".join([text, *(data.decode("latin-1") for data in opened)])


def test_nothing_personal_leaves(
    otel_stream_captured: Captured, eventually: Callable[..., bool]
) -> None:
    """No number, name, text, key or JID stands in any signal, as it is by default (Trap 19)."""
    _, evolution = answered(3, "refused", "lose")
    for message in evolution.messages:
        for status in ("DELIVERY_ACK", "READ"):
            with otel_stream.process_webhook(receipt(message.id, status, message.number)):
                pass
    assert eventually(lambda: len(otel_stream_captured.spans("process whatsapp")) == 3)
    left = exported(otel_stream_captured)
    went_in = [
        *(number(person) for person in range(3)), NUMBER, NAME, "Maria", INSTANCE_KEY,
        evolution.api_key, "s.whatsapp.net", "Two things", "first thing", "second thing",
    ]  # fmt: skip

    assert [secret for secret in went_in if secret in left] == []
    assert "receipt whatsapp" in left
