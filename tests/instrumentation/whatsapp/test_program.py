"""The traced program: the same bytes, the same libraries afterwards, and nobody's secrets."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import httpx2
import pytest
import pywa.api
import pywa_async.api
import requests

import otel_stream
from otel_stream.delivery.identity import hidden
from otel_stream.testing import Captured, CloudServer, EvolutionServer
from otel_stream.testing import Request as Asked
from otel_stream_evolution import EvolutionInstrumentor
from otel_stream_pywa import PywaInstrumentor

from .conftest import KEY, Send
from .exported import leaks
from .posts import ERRORS, POSTS
from .talks import FLAVOURS, Talk, wamid, webhook
from .test_presence import composing, upsert

pytestmark = pytest.mark.sdk_matrix

TEXT = "Pay the plumber on Friday"
quick = pytest.mark.otel_stream(grace=0.0)
content = pytest.mark.otel_stream(capture_content=True, grace=0.0)


def told(requests: list[Asked]) -> list[Any]:
    """What the server got, whole."""
    return [(one.method, one.path, one.query, one.headers, one.body) for one in requests]


def twice(server: Any, captured: Captured, work: Callable[[], Any]) -> tuple[list[Any], list[Any]]:
    """What the server gets, and what the program, with us and without."""
    found = []
    for traced in (True, False):
        if not traced:
            EvolutionInstrumentor().uninstrument()
            PywaInstrumentor().uninstrument()
        result = work()
        found.append([told(server.requests), result])
        server.reset()
    return found[0], found[1]


@pytest.mark.parametrize("library", POSTS)
def test_the_same_bytes_to_evolution(
    library: str, evolution: EvolutionServer, post: Send, captured: Captured, number: str
) -> None:
    """The request is byte-equal with and without us, headers too, and so is the reply."""

    def work() -> Any:
        evolution.refuse(400, times=1)
        return [
            post("message/sendText/bot?x=1", {"number": number, "text": TEXT}, library)[0],
            post("chat/sendPresence/bot", composing(number, 1), library),
        ]

    with_us, without = twice(evolution, captured, work)

    assert captured.wait_for_spans(2)
    assert with_us == without


@pytest.mark.parametrize("flavour", FLAVOURS)
def test_the_same_bytes_to_the_cloud(
    flavour: str, cloud: CloudServer, captured: Captured, number: str
) -> None:
    """pywa's requests are byte-equal too."""

    def work() -> Any:
        talk = Talk(flavour, cloud)
        talk("indicate_typing", wamid(number))
        talk("send_message", number, TEXT)
        return type(talk("send_reaction", number, "👍", wamid(number)))

    with_us, without = twice(cloud, captured, work)

    assert captured.wait_for_spans(2)
    assert with_us == without


@pytest.mark.parametrize(
    "capture", [pytest.param(False, marks=quick), pytest.param(True, marks=content)]
)
def test_nothing_personal(
    capture: bool,
    evolution: EvolutionServer,
    cloud: CloudServer,
    post: Send,
    captured: Captured,
    number: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """No number, JID, name, key or token leaves, and text only where that is wanted."""
    caplog.set_level(logging.DEBUG, "otel_stream")
    with otel_stream.process_webhook({**upsert(number), "sender": "5511888887777@s.whatsapp.net"}):
        everything(evolution, post, number)
    with otel_stream.process_webhook(webhook(number)):
        for flavour in FLAVOURS:
            talk = Talk(flavour, cloud)
            talk("indicate_typing", f"wamid.{number}")
            talk("send_message", number, TEXT)
            cloud.refuse(400, f"{number} is unknown")
            with pytest.raises(Exception, match="unknown"):
                talk("send_message", number, TEXT)
    captured.wait_for_spans(12)
    secrets = (number, "5511888887777", "s.whatsapp.net", "Ana", KEY, cloud.token, cloud.phone_id)

    assert leaks(captured, *secrets, "is unknown", "x=secret") == []
    assert leaks(captured, TEXT) == [TEXT] * capture
    assert [one for one in (number, KEY, TEXT) if one in "\n".join(our_words(caplog))] == []


def test_the_scan_sees_what_is_encoded(captured: Captured, number: str) -> None:
    """An id of the Cloud API, left as it is, would give its person away."""
    span = captured.tracer_provider.get_tracer("test").start_span("test")
    span.set_attribute("id", wamid(number))
    span.end()

    assert leaks(captured, number) == [number]


def our_words(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What we have logged."""
    return [one.getMessage() for one in caplog.records if one.name.startswith("otel_stream")]


def everything(evolution: EvolutionServer, post: Send, number: str) -> None:
    """Messages that are taken, refused, lost; typing."""
    jid = f"{number}@s.whatsapp.net"
    post("chat/sendPresence/bot", composing(jid))
    post("message/sendText/bot?token=x=secret", {"number": jid, "text": TEXT})
    evolution.refuse(400, f"{jid} is unknown")
    post("message/sendText/bot", {"number": number, "text": TEXT, "quoted": {}}, "httpx")
    evolution.lose("reset")
    with pytest.raises(ERRORS):
        post("message/sendMedia/bot", {"number": number, "caption": TEXT}, "aiohttp")
    evolution.instance = number
    post(f"message/sendText/{number}", {"number": number, "text": TEXT}, "httpx2.async")
    evolution.instance = "bot"
    post("chat/sendPresence/bot", composing(number, presence="paused"))


WRAPPED = [
    httpx.Client,
    httpx.AsyncClient,
    httpx2.Client,
    httpx2.AsyncClient,
    requests.Session,
    requests.adapters.HTTPAdapter,
    aiohttp.ClientSession,
    aiohttp.BaseConnector,
    aiohttp.ClientResponse,
    pywa.api.GraphAPI,
    pywa_async.api.GraphAPIAsync,
]


def test_uninstrument(captured: Captured) -> None:
    """The libraries are exactly as they were, and twice changes nothing."""
    EvolutionInstrumentor().uninstrument()
    PywaInstrumentor().uninstrument()
    before = [dict(vars(one)) for one in WRAPPED]
    for _ in range(2):
        EvolutionInstrumentor().attempt()
        PywaInstrumentor().attempt()
    changed = [one for one, was in zip(WRAPPED, before, strict=True) if dict(vars(one)) != was]
    assert EvolutionInstrumentor().missing() == PywaInstrumentor().missing() == []
    EvolutionInstrumentor().uninstrument()
    PywaInstrumentor().uninstrument()

    assert changed == WRAPPED
    assert [dict(vars(one)) for one in WRAPPED] == before


def test_after_uninstrument(captured: Captured, post: Send, number: str) -> None:
    """Nothing is recorded any more."""
    EvolutionInstrumentor().uninstrument()
    post("message/sendText/bot", {"number": number, "text": "Hi"})

    assert captured.spans() == []


@quick
def test_one_trace(captured: Captured, post: Send, number: str) -> None:
    """In a webhook's block typing and messages are children of the turn, whatever sends them."""
    with otel_stream.process_webhook(upsert(number)) as turn:
        post("chat/sendPresence/bot", composing(number))
        for library in POSTS:
            post("message/sendText/bot", {"number": number, "text": "Hi"}, library)
        post("chat/sendPresence/bot", composing(number, presence="paused"))
    assert turn is not None
    captured.wait_for_spans(len(POSTS) + 2)
    sent = captured.spans("send whatsapp")
    root = captured.span("process whatsapp")

    children = (*sent, captured.span("type whatsapp"))
    assert [span.parent for span in children] == [root.context] * len(children)
    assert [(span.attributes or {})["otel_stream.delivery.part"] for span in sent] == [
        *range(1, len(POSTS) + 1)
    ]
    assert (root.attributes or {})["otel_stream.delivery.messages"] == len(POSTS)
    assert (root.attributes or {})["otel_stream.channel.sender"] == hidden(number)


@pytest.mark.usefixtures("lenient")
def test_a_fault_of_ours(
    captured: Captured, post: Send, number: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where our own code fails, the person gets the message all the same."""
    from otel_stream_evolution import sending
    from otel_stream_pywa import sending as pywa_sending

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("ours")

    monkeypatch.setattr(sending, "Asked", fail)
    monkeypatch.setattr(pywa_sending, "message_of", fail)
    body = {"number": number, "text": "Hi"}

    assert [post("message/sendText/bot", body, library)[0] for library in POSTS] == [201] * 7
    with CloudServer() as cloud:
        for flavour in FLAVOURS:
            Talk(flavour, cloud)("send_message", number, "Hi")
        assert cloud.texts == ["Hi", "Hi"]
