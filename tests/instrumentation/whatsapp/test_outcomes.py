"""Whether a message was truly accepted: the reply says it, whatever the client makes of it."""

from __future__ import annotations

import asyncio
import gc
import json
from typing import Any

import aiohttp
import httpx
import pytest
import requests
from opentelemetry.trace import StatusCode
from urllib3.util.retry import Retry

import otel_stream
from otel_stream.testing import Captured, EvolutionServer, Script

from .conftest import KEY, Send, Sent
from .posts import ERRORS, POSTS

pytestmark = pytest.mark.sdk_matrix

QUOTED = {"key": {"id": "3EB0"}, "message": {"conversation": "Hi"}}


def fate(sent: Sent) -> tuple[Any, ...]:
    """What became of the only message: its status, the error, the HTTP status, its id."""
    span = sent()
    found = span.attributes or {}
    assert (span.status.status_code is StatusCode.ERROR) == ("error.type" in found)
    return tuple(
        found.get(name)
        for name in (
            "otel_stream.delivery.status",
            "error.type",
            "http.response.status_code",
            "messaging.message.id",
        )
    )


@pytest.mark.parametrize("library", POSTS)
@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_refusals(
    library: str, status: int, post: Send, evolution: EvolutionServer, sent: Sent, number: str
) -> None:
    """A refusal is a failure, also for clients that do not raise; the program sees it as ever."""
    evolution.refuse(status, f"{number}@s.whatsapp.net is no friend")
    seen, reply = post("message/sendText/bot", {"number": number, "text": "Hi"}, library)

    assert (seen, reply["response"]["message"]) == (
        status,
        [f"{number}@s.whatsapp.net is no friend"],
    )
    assert fate(sent) == ("failed", str(status), status, None)


def test_400_with_a_quote(
    post: Send, evolution: EvolutionServer, sent: Sent, number: str, captured: Captured
) -> None:
    """Trap B3: a 400 about a quoted message is no success, whatever the program takes it for."""
    evolution.refuse(400)
    post("message/sendText/bot", {"number": number, "text": "Hi", "quoted": QUOTED})

    assert fate(sent) == ("failed", "400", 400, None)
    assert evolution.messages == []
    labels = {"otel_stream.delivery.status": "failed"}
    assert captured.point("otel_stream.delivery.messages", labels).value == 1


def test_400_with_a_key(post: Send, evolution: EvolutionServer, sent: Sent, number: str) -> None:
    """A reply that holds the message's key is the truth, and the status is not."""
    evolution.accept(400)
    post("message/sendText/bot", {"number": number, "text": "Hi"})

    assert fate(sent) == ("accepted", None, None, evolution.messages[0].id)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"error": "instance is closed"}, ("failed", "no_key", 200, None)),
        ({"key": {"remoteJid": "x"}}, ("failed", "no_key", 200, None)),
        ({"key": "x"}, ("failed", "no_key", 200, None)),
        ([], ("failed", "no_key", 200, None)),
        (json.loads("[" * 500 + "]" * 500), ("failed", "no_key", 200, None)),
        ({"status": "PENDING", "key": {"id": "BAE5"}}, ("accepted", None, None, "BAE5")),
    ],
)
def test_replies_of_others(
    body: Any, expected: tuple[Any, ...], evolution: EvolutionServer, post: Send, sent: Sent
) -> None:
    """A success that names no message is none: somebody else has replied."""
    evolution.accept(200, body=body)
    post("message/sendText/bot", {"number": "1", "text": "Hi"})

    assert fate(sent) == expected


def test_an_empty_reply(evolution: EvolutionServer, sent: Sent, captured: Captured) -> None:
    """Where the reply says nothing, the status has to do."""
    evolution.handler = lambda request: Script([], status=204)
    requests.post(f"{evolution.url}/message/sendText/bot", json={"number": "1"}, timeout=5)

    assert fate(sent) == ("accepted", None, None, None)


def test_a_large_reply(evolution: EvolutionServer, post: Send, sent: Sent) -> None:
    """A reply may bring the picture back: the key stands before it."""
    key = {"id": "BAE5", "remoteJid": "5511999990000@s.whatsapp.net", "fromMe": True}
    evolution.accept(201, body={"key": key, "message": {"base64": "A" * 300_000}})
    post("message/sendMedia/bot", {"number": "1"})

    assert fate(sent) == ("accepted", None, None, "BAE5")


@pytest.mark.parametrize("ending", ["reset", "cut"])
@pytest.mark.parametrize("library", POSTS)
def test_a_lost_connection(
    library: str, ending: Any, post: Send, evolution: EvolutionServer, sent: Sent, number: str
) -> None:
    """Nobody knows whether it was accepted: the error is told, by its class only."""
    evolution.lose(ending)
    with pytest.raises(ERRORS) as raised:
        post("message/sendText/bot", {"number": number, "text": "Hi"}, library)
    kind = type(raised.value)

    assert fate(sent) == ("failed", f"{kind.__module__}.{kind.__qualname__}", None, None)
    assert sent().events == ()


@pytest.mark.parametrize("library", POSTS)
def test_a_time_out(
    library: str, post: Send, evolution: EvolutionServer, sent: Sent, number: str
) -> None:
    """A program that gives up waiting has a failed message with the name of its error."""
    evolution.accept(after=5)
    with pytest.raises(ERRORS) as raised:
        post("message/sendText/bot", {"number": number, "text": "Hi"}, library, timeout=0.1)

    status, error, *_ = fate(sent)
    assert (status, error.rpartition(".")[2]) == ("failed", type(raised.value).__qualname__)
    assert seconds(sent) < 4


def test_a_slow_reply(post: Send, evolution: EvolutionServer, sent: Sent, number: str) -> None:
    """A send lasts until the channel has accepted it."""
    evolution.accept(after=0.2)
    post("message/sendText/bot", {"number": number, "text": "Hi"}, "httpx.async")

    assert fate(sent)[0] == "accepted"
    assert seconds(sent) >= 0.2


def seconds(sent: Sent) -> float:
    """How long the only send has taken (s)."""
    span = sent()
    return ((span.end_time or 0) - (span.start_time or 0)) / 1e9


async def test_cancellation(evolution: EvolutionServer, sent: Sent, number: str) -> None:
    """A task that is cancelled while it sends has a failed message, and is cancelled as ever."""
    evolution.accept(after=5)

    async def send() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            url, body = f"{evolution.url}/message/sendText/bot", {"number": number, "text": "Hi"}
            await client.post(url, headers={"apikey": KEY}, json=body)

    task = asyncio.create_task(send())
    await asyncio.to_thread(evolution.wait_for_requests)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert fate(sent)[:2] == ("failed", "asyncio.exceptions.CancelledError")


def leave_httpx(url: str, **options: Any) -> int:
    """Only the status is read."""
    with httpx.stream("POST", url, trust_env=False, **options) as reply:
        return reply.status_code


def leave_requests(url: str, **options: Any) -> int:
    """The same, and the reply is forgotten."""
    return requests.post(url, stream=True, timeout=5, **options).status_code


def leave_aiohttp(url: str, **options: Any) -> int:
    """The same."""

    async def send() -> int:
        async with aiohttp.ClientSession() as session, session.post(url, **options) as reply:
            return reply.status

    return asyncio.run(send())


@pytest.mark.parametrize("leave", [leave_httpx, leave_requests, leave_aiohttp])
def test_a_reply_that_nobody_reads(
    leave: Any, evolution: EvolutionServer, sent: Sent, captured: Captured, number: str
) -> None:
    """Who does not want to know the id has sent the message all the same."""
    url, body = f"{evolution.url}/message/sendText/bot", {"number": number, "text": "Hi"}
    assert leave(url, headers={"apikey": KEY}, json=body) == 201
    gc.collect()
    captured.wait_for_spans(1)

    assert fate(sent)[:2] == ("accepted", None)


@pytest.mark.parametrize("status", [307, 308])
@pytest.mark.parametrize("library", POSTS)
def test_redirects(
    library: str, status: int, post: Send, evolution: EvolutionServer, sent: Sent, number: str
) -> None:
    """A message that is sent elsewhere is one message, in one attempt."""
    handle = evolution.handler
    assert handle is not None
    goes = {"location": f"{evolution.url}/message/sendText/bot"}

    def handler(request: Any) -> Script:
        old = request.path.startswith("/old")
        return Script.json({}, status, headers=goes) if old else handle(request)

    evolution.handler = handler
    seen, _ = post("old/message/sendText/bot", {"number": number, "text": "Hi"}, library)

    assert seen == 201
    assert fate(sent) == ("accepted", None, None, evolution.messages[0].id)
    assert (sent().attributes or {})["otel_stream.delivery.attempts"] == 1


def test_a_redirect_that_nobody_follows(evolution: EvolutionServer, captured: Captured) -> None:
    """A message that was to go elsewhere, and did not, has failed."""
    headers = {"location": f"{evolution.url}/elsewhere"}
    evolution.handler = lambda request: Script.json({}, 307, headers=headers)
    httpx.post(f"{evolution.url}/message/sendText/bot", json={"number": "1"}, trust_env=False)
    captured.wait_for_spans(1)

    assert fate(lambda: captured.span("send whatsapp")) == ("failed", "307", 307, None)


def test_retries_of_urllib3(evolution: EvolutionServer, sent: Sent, number: str) -> None:
    """What an adapter of requests sends again by its rule is one message, in so many attempts."""
    evolution.refuse(503, times=2)
    again = Retry(total=3, status_forcelist=[503], allowed_methods=None, backoff_factor=0)
    with requests.Session() as session:
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=again))
        url, body = f"{evolution.url}/message/sendText/bot", {"number": number, "text": "Hi"}
        session.post(url, headers={"apikey": KEY}, json=body)

    assert fate(sent)[0] == "accepted"
    assert (sent().attributes or {})["otel_stream.delivery.attempts"] == 3


def test_retries_of_the_program(
    post: Send, evolution: EvolutionServer, captured: Captured, number: str
) -> None:
    """Who tries again by himself sends again: nobody else knows that it is the same message."""
    evolution.refuse(500)
    for _ in range(2):
        post("message/sendText/bot", {"number": number, "text": "Hi"})
    spans = captured.spans("send whatsapp")

    assert [(s.attributes or {})["otel_stream.delivery.status"] for s in spans] == [
        "failed",
        "accepted",
    ]


@pytest.mark.parametrize("library", ["requests", "httpx", "aiohttp"])
def test_suppressed(library: str, post: Send, captured: Captured, number: str) -> None:
    """Inside `suppress()` nothing is recorded, and the message goes out."""
    with otel_stream.suppress():
        status, _ = post("message/sendText/bot", {"number": number, "text": "Hi"}, library)

    assert (status, captured.spans()) == (201, [])
