"""The program with us and without us: the same types, chunks, requests and exceptions."""

from __future__ import annotations

import gc
import inspect
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

import anthropic
import openai
import pytest

import otel_stream
from otel_stream import errors
from otel_stream.testing import Captured, ProviderServer, Script

from .apis import CHAT, MESSAGES, RESPONSES, Api, every_api

Clients = Callable[..., Any]
HELPERS = pytest.mark.parametrize("api", [CHAT, RESPONSES, MESSAGES], ids=lambda api: api.name)


def outcomes(captured: Captured) -> list[Any]:
    return [span.attributes["otel_stream.outcome"] for span in captured.spans()]


@every_api
def test_the_streams_type(api: Api, serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [29], C9: the stream is the SDK's own, exactly: type, `.response`, `.close`, `with`."""
    serve(api.whole)
    kind: Any = anthropic.Stream if api.is_anthropic else openai.Stream
    with api.create(client_for(api)) as stream:
        assert type(stream) is kind
        assert stream.response.headers["content-type"].startswith("text/event-stream")
        assert inspect.ismethod(stream.close)


@every_api
def test_next(api: Api, serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [32] [34], C9: `next()` works on the stream itself, also on Anthropic's."""
    serve(api.whole)
    stream = api.create(client_for(api))
    first = next(stream)
    rest = list(stream)

    assert first is not None
    assert len(rest) == sum(b"data: {" in e and b'"ping"' not in e for e in api.whole) - 1


@every_api
def test_raw_response(api: Api, serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [29] [30], B19, B21: a raw response keeps its type and methods, and is traced."""
    serve(api.whole)
    raw = api.of(client_for(api)).with_raw_response.create(**api.arguments, stream=True)
    module = type(raw).__module__.partition(".")[0]

    assert (raw.headers["content-type"], raw.status_code) == (
        "text/event-stream; charset=utf-8",
        200,
    )
    assert module == ("anthropic" if api.is_anthropic else "openai")
    assert len(list(raw.parse())) > 2
    assert outcomes(captured) == ["completed"]


@every_api
@pytest.mark.parametrize("read", ["parse", "iter_lines", "iter_bytes"])
def test_streaming_response(
    api: Api, read: str, serve: Any, client_for: Clients, captured: Captured
) -> None:
    """peers [30], B21, C9: a streaming response is traced with data, however it is read."""
    serve(api.whole)
    resource = api.of(client_for(api)).with_streaming_response
    with resource.create(**api.arguments, stream=True) as response:
        list(getattr(response, read)())
    found = captured.span().attributes

    assert found["otel_stream.outcome"] == "completed"
    assert found["otel_stream.content.size"] == len("Hello world")


@every_api
async def test_streaming_response_async(
    api: Api, serve: Any, client_for: Clients, captured: Captured
) -> None:
    """peers [30], B20, C9: an async one too, and no coroutine stays un-awaited."""
    serve(api.whole)
    async with client_for(api, True) as client:
        resource = api.of(client).with_streaming_response
        async with resource.create(**api.arguments, stream=True) as response:
            assert [chunk async for chunk in await response.parse()]
    gc.collect()  # An un-awaited coroutine warns when it is collected, and warnings are errors.

    assert captured.span().attributes["otel_stream.content.size"] == len("Hello world")


@HELPERS
def test_helper_left_early(api: Api, serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [31], C9: a helper that is left early has closed early, and is no error."""
    serve(api.whole)
    with api.of(client_for(api)).stream(**api.arguments) as stream:
        for _ in stream:
            break

    assert outcomes(captured) == ["closed_early"]


@pytest.mark.parametrize("read", ["get_final_text", "get_final_message", "until_done"])
def test_helper_read_whole(read: str, serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [31]: what a helper reads for itself ends its span too."""
    serve(MESSAGES.whole)
    with client_for(MESSAGES).messages.stream(**MESSAGES.arguments) as stream:
        getattr(stream, read)()

    assert outcomes(captured) == ["completed"]


@every_api
def test_request_is_unchanged(
    api: Api, server: ProviderServer, serve: Any, client_for: Clients, captured: Captured
) -> None:
    """peers [16] [30], C10e: the body is byte-equal to the bare SDK's: nothing is asked for."""
    client = client_for(api)
    serve(api.whole)
    with_us = list(api.create(client))
    with otel_stream.suppress():
        serve(api.whole)
        without = list(api.create(client))

    assert server.requests[0].body == server.requests[1].body
    assert with_us == without


@every_api
def test_our_fault_is_not_theirs(
    api: Api,
    serve: Any,
    client_for: Clients,
    captured: Captured,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """peers [32], row 34, C1: a callback that raises alters no chunk, and is said once."""
    monkeypatch.setattr(errors, "strict", False)
    errors.faults.clear()
    stream = otel_stream.trace_stream(iter("abc"), read=lambda item: 1 / 0)  # type: ignore[arg-type,return-value]

    assert list(stream) == ["a", "b", "c"]
    assert [
        record.message for record in caplog.records if "reading a chunk" in record.message
    ] != []
    assert len(caplog.records) == 1


def test_beta_messages(serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [34]: beta messages are traced like the others."""
    serve(MESSAGES.whole)
    list(client_for(MESSAGES).beta.messages.create(**MESSAGES.arguments, stream=True))

    assert outcomes(captured) == ["completed"]


def test_other_calls_are_left_alone(
    server: ProviderServer, client_for: Clients, captured: Captured
) -> None:
    """peers [33]: calls that we do not know, as embeddings or assistants, pass untouched."""
    body = {"object": "list", "data": [{"embedding": [0.5]}], "has_more": False, "model": "m"}
    server.script(None, Script.json(body), times=2)
    client = client_for(CHAT)
    client.embeddings.create(model="m", input="Hi")
    client.models.list()

    assert captured.spans() == []


@pytest.mark.parametrize(
    ("host", "name"),
    [("api.x.ai", "x_ai"), ("api.groq.com", "groq"), ("api.openai.com", "openai")],
)
def test_provider_by_host(host: str, name: str, client_for: Clients, captured: Captured) -> None:
    """peers [35]: a compatible provider has its own name, and is not called openai."""
    client = client_for(CHAT, base_url=f"https://{host}/v1")
    client._client.send = refuse
    with pytest.raises((openai.APIConnectionError, ConnectionError)):
        CHAT.create(client)

    assert captured.span().attributes["gen_ai.provider.name"] == name


def refuse(*args: Any, **kwargs: Any) -> Any:
    raise ConnectionError("no network in tests")


def test_entry_points() -> None:
    """peers [44]: `opentelemetry-instrument` finds the instrumentors."""
    names = {entry.name for entry in entry_points(group="opentelemetry_instrumentor")}

    assert {"otel_stream_anthropic", "otel_stream_openai"} <= names


def test_uninstrument_restores(captured: Captured) -> None:
    """peers [44]: `uninstrument` puts every method back, exactly."""
    wrapped = vars(openai._base_client.SyncAPIClient)["request"]
    otel_stream.uninstrument()
    restored = vars(openai._base_client.SyncAPIClient)["request"]

    assert inspect.isfunction(restored)
    assert wrapped.__wrapped__ is restored
