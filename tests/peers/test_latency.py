"""Times mean what they say: the call's start, the first token, the provider's waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from otel_stream import Callbacks
from otel_stream.testing import (
    Captured,
    ChatStream,
    HoldHeaders,
    MessageStream,
    ProviderServer,
    ResponseStream,
    Script,
    Send,
    Wait,
    WaitFor,
)

from .apis import CHAT, MESSAGES, RESPONSES, Api, every_api

Clients = Callable[..., Any]
SSE = {"content-type": "text/event-stream"}
GAP = 0.1
FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
FIRST_TOKEN = "otel_stream.time_to_first_token"

# What comes before anything is said, and the rest.
PREAMBLES: dict[str, tuple[Sequence[bytes], Sequence[bytes]]] = {
    "chat": (ChatStream().role(), ChatStream().text(["Hi"]).finish().done()),
    "responses": (
        ResponseStream().created().in_progress(),
        ResponseStream().text(["Hi"]).completed(),
    ),
    "messages": (
        MessageStream().start().ping(),
        MessageStream().text(["Hi"]).delta().stop(),
    ),
}
every_preamble = pytest.mark.parametrize(
    "api", [CHAT, RESPONSES, MESSAGES], ids=lambda api: api.name
)


def attributes_of(captured: Captured) -> dict[str, Any]:
    [span] = captured.wait_for_spans()
    return dict(span.attributes or {})


@pytest.mark.parametrize("read", ["text_stream", "get_final_text", "get_final_message"])
def test_helpers_have_a_first_chunk(
    read: str, serve: Any, client_for: Clients, captured: Captured
) -> None:
    """peers [1]: the time to the first chunk is there however Anthropic's helper is read."""
    serve(MESSAGES.whole)
    with client_for(MESSAGES).messages.stream(**MESSAGES.arguments) as stream:
        found = getattr(stream, read)
        list(found) if read == "text_stream" else found()

    assert attributes_of(captured)[FIRST_CHUNK] > 0
    assert captured.point("gen_ai.client.operation.time_to_first_chunk").count == 1


@every_api
def test_metrics_of_every_api(
    api: Api, serve: Any, client_for: Clients, captured: Captured
) -> None:
    """peers [2] [5] [7]: each API has its metrics, by the client's names and not a server's."""
    serve(api.whole)
    list(api.create(client_for(api)))
    found = captured.metrics()

    assert {
        "gen_ai.client.operation.duration",
        "gen_ai.client.operation.time_to_first_chunk",
        "gen_ai.client.operation.time_per_output_chunk",
        "otel_stream.time_to_first_token",
    } <= set(found)
    assert [name for name in found if name.startswith(("gen_ai.server", "llm."))] == []


@every_api
def test_names_of_today(api: Api, serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [8]: the attribute has the convention's name, not the one that it had before."""
    serve(api.whole)
    list(api.create(client_for(api)))

    assert FIRST_CHUNK in attributes_of(captured)
    assert "gen_ai.response.time_to_first_token" not in attributes_of(captured)


def in_two_parts(
    api: Api, parts: tuple[Sequence[bytes], Sequence[bytes]], server: ProviderServer, client: Any
) -> tuple[float, float]:
    """Read an answer whose second part is sent once the first chunk of the first was read.

    Returns when that was, counted from just before the call and from the request's arrival: a
    little more, and a little less, than counted from the call.
    """
    has_read = threading.Event()
    steps = [Send(b"".join(parts[0])), WaitFor(has_read), Send(b"".join(parts[1]))]
    server.script(None, Script(steps, headers=SSE))
    began = time.perf_counter()
    for _ in api.create(client):
        has_read.set()
    sent = server.request.sent[1][0]
    return sent - began, sent - server.request.received


@every_preamble
def test_first_token_is_not_the_first_chunk(
    api: Api, server: ProviderServer, client_for: Clients, captured: Captured
) -> None:
    """peers [9], B14 to B16, C4: a role or `response.created` is a chunk and no token."""
    at_most, at_least = in_two_parts(api, PREAMBLES[api.name], server, client_for(api))
    found = attributes_of(captured)

    assert found[FIRST_CHUNK] <= at_most
    assert found[FIRST_TOKEN] >= at_least
    assert found[FIRST_CHUNK] < found[FIRST_TOKEN]


@every_preamble
def test_first_token_event(
    api: Api, server: ProviderServer, client_for: Clients, captured: Captured
) -> None:
    """peers [3]: the event `first_token` stands at the first token, with either provider."""
    in_two_parts(api, PREAMBLES[api.name], server, client_for(api))
    events = [attributes for name, attributes in captured.events() if name.endswith("first_token")]

    assert events == [{"otel_stream.elapsed": attributes_of(captured)[FIRST_TOKEN]}]


@every_api
def test_span_covers_the_stream(
    api: Api, server: ProviderServer, client_for: Clients, captured: Captured
) -> None:
    """peers [4]: the span does not end when the headers are there."""
    steps = [Send(b"".join(api.opening)), Wait(GAP), Send(b"".join(api.whole[len(api.opening) :]))]
    server.script(None, Script(steps, headers=SSE))
    list(api.create(client_for(api)))
    [span] = captured.wait_for_spans()

    assert span.end_time - span.start_time >= GAP * 1e9


@every_api
def test_held_headers(
    api: Api, server: ProviderServer, client_for: Clients, captured: Captured
) -> None:
    """peers [6], C8: the clock starts with the call, not with its headers."""
    steps = [HoldHeaders(GAP), Send(b"".join(api.whole))]
    server.script(None, Script(steps, headers=SSE))
    list(api.create(client_for(api)))
    found = attributes_of(captured)

    assert GAP <= found["otel_stream.time_to_headers"] <= found[FIRST_CHUNK] <= found[FIRST_TOKEN]


@every_api
def test_slow_consumer(api: Api, serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [10], C4: a slow consumer never looks like a slow provider."""
    serve([b"".join(api.whole)])
    slept = 0.0
    began = time.perf_counter()
    for _ in api.create(client_for(api)):
        time.sleep(0.03)
        slept += 0.03
    lasted = time.perf_counter() - began
    found = attributes_of(captured)

    assert found["otel_stream.consumer_time"] >= slept
    assert found["otel_stream.provider_wait"] <= lasted - slept
    assert captured.point("gen_ai.client.operation.time_per_output_chunk").sum <= lasted - slept


@every_api
def test_late_words_are_not_waited_for(
    api: Api, server: ProviderServer, client_for: Clients, captured: Captured
) -> None:
    """peers B16: the time to the first token is not that of the whole generation."""
    first_word = next(n for n, event in enumerate(api.whole, 1) if b"Hello" in event)
    parts = (api.whole[:first_word], api.whole[first_word:])
    has_read = threading.Event()
    steps = [Send(b"".join(parts[0])), WaitFor(has_read), Send(b"".join(parts[1]))]
    server.script(None, Script(steps, headers=SSE))
    began = time.perf_counter()
    for chunk in api.create(client_for(api)):
        if "Hello" in str(chunk):
            has_read.set()

    assert attributes_of(captured)[FIRST_TOKEN] <= server.request.sent[1][0] - began


class Stalls:
    """Hears of stalls."""

    def __init__(self) -> None:
        self.heard = threading.Event()
        self.callbacks = Callbacks(on_stall=lambda _: self.heard.set())


STALLS = Stalls()


@pytest.mark.otel_stream(callbacks=STALLS.callbacks, stall_after=0.05, stall_after_first=0.05)
@every_api
def test_stall_is_seen_while_it_lasts(
    api: Api, server: ProviderServer, client_for: Clients, captured: Captured
) -> None:
    """peers B17: a silent stall is told while the server is silent, and nothing is aborted."""
    STALLS.heard.clear()
    rest = b"".join(api.whole[len(api.opening) :])
    # The server goes on only once the stall has been told.
    steps = [Send(b"".join(api.opening)), WaitFor(STALLS.heard), Send(rest)]
    server.script(None, Script(steps, headers=SSE))
    list(api.create(client_for(api)))
    found = attributes_of(captured)

    assert found["otel_stream.outcome"] == "completed"
    assert found["otel_stream.stall.count"] >= 1
    assert found["otel_stream.stall.duration"] >= 0.05


@pytest.mark.otel_stream(stall_after=0.09, stall_after_reasoning=10)
def test_reasoning_is_no_stall(
    server: ProviderServer, client_for: Clients, captured: Captured
) -> None:
    """peers B17: a model that thinks in silence is not taken for dead."""
    steps = [
        Send(b"".join(ResponseStream().created().reasoning(["Hm"]))),
        Wait(GAP),
        Send(b"".join(ResponseStream().text(["Hi"]).completed())),
    ]
    server.script(None, Script(steps, headers=SSE))
    list(RESPONSES.create(client_for(RESPONSES)))

    assert attributes_of(captured)["otel_stream.stall.count"] == 0
