"""Tokens: the provider's own, counted once, or absent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anthropic
import pytest
from opentelemetry.sdk.trace import TracerProvider

import otel_stream
from otel_stream.testing import (
    Captured,
    MessageStream,
    Script,
    chat_text,
    chat_tools,
    chat_usage,
    message,
    message_text,
    message_usage,
)

from .apis import CHAT, COMPLETIONS, MESSAGES, Api

Clients = Callable[..., Any]
INPUT, OUTPUT = "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens"
SOURCE = "otel_stream.usage.source"
HAS_NATIVE = hasattr(anthropic._base_client, "start_api_call_span")
# The last count is the whole count, not what came since.
CUMULATIVE = (
    MessageStream()
    .start(message_usage(11, 3))
    .text(["Hello"])
    .delta(None, {"output_tokens": 7})
    .delta("end_turn", {"output_tokens": 12})
    .stop()
)


def attributes_of(captured: Captured) -> dict[str, Any]:
    [span] = captured.wait_for_spans()
    return dict(span.attributes or {})


def beta(client: Any) -> None:
    list(client.beta.messages.create(**MESSAGES.arguments, stream=True))


def beta_helper(client: Any) -> None:
    with client.beta.messages.stream(**MESSAGES.arguments) as stream:
        stream.until_done()


def helper(client: Any) -> None:
    with client.messages.stream(**MESSAGES.arguments) as stream:
        stream.until_done()


def lines(client: Any) -> None:
    resource = client.messages.with_streaming_response
    with resource.create(**MESSAGES.arguments, stream=True) as response:
        list(response.iter_lines())


@pytest.mark.parametrize(
    "read", [lambda client: list(MESSAGES.create(client)), helper, beta, beta_helper, lines]
)
def test_cumulative_counts_replace(
    read: Callable[[Any], Any], serve: Any, client_for: Clients, captured: Captured
) -> None:
    """peers [15], C7, traps: cumulative counts are not added up, whichever way it is read."""
    serve(CUMULATIVE)
    read(client_for(MESSAGES))

    assert [attributes_of(captured)[name] for name in (INPUT, OUTPUT)] == [11, 12]


def test_seed_is_partial(serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers B23, C7: the seed of an interrupted message is marked, and no metric takes it."""
    serve(CUMULATIVE)
    for event in MESSAGES.create(client_for(MESSAGES)):
        if event.type == "content_block_delta":
            break
    found = attributes_of(captured)

    assert (found[OUTPUT], found[SOURCE]) == (3, "partial")
    types = [p.attributes["gen_ai.token.type"] for p in tokens_of(captured)]
    assert types == ["input"]


def tokens_of(captured: Captured) -> list[Any]:
    return captured.metrics().get("gen_ai.client.token.usage", [])


@pytest.mark.parametrize("api", [CHAT, COMPLETIONS], ids=lambda api: api.name)
def test_no_usage_is_no_usage(
    api: Api, serve: Any, client_for: Clients, captured: Captured
) -> None:
    """peers [16], B22, C8: usage that nobody reported is absent: not 0, not guessed."""
    serve(api.whole)
    list(api.create(client_for(api)))

    assert [n for n in attributes_of(captured) if "usage" in n] == []
    assert tokens_of(captured) == []


def test_tool_call_without_usage(serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [16]: a tool call without usage has no usage, rather than 0 tokens."""
    serve(chat_tools())
    list(CHAT.create(client_for(CHAT)))

    assert OUTPUT not in attributes_of(captured)


def test_interrupted_is_not_zero(serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers B22: a stream that is left before its usage comes has none, rather than zero."""
    serve(chat_text(["Hello", " world"], usage=chat_usage()))
    for _ in CHAT.create(client_for(CHAT)):
        break

    assert OUTPUT not in attributes_of(captured)


def test_reported_zero_is_zero(serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers B22: a zero that the provider reports is a zero."""
    serve(chat_text([], usage=chat_usage(9, 0)))
    list(CHAT.create(client_for(CHAT)))
    found = attributes_of(captured)

    assert (found[INPUT], found[OUTPUT], found[SOURCE]) == (9, 0, "provider")


def test_unknown_cost_is_absent(serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [17]: a cost that is not known is absent, on the span and in the metrics."""
    serve(chat_text(["Hello"], usage=chat_usage()))
    list(CHAT.create(client_for(CHAT)))

    assert [n for n in attributes_of(captured) if "cost" in n] == []
    assert "otel_stream.cost" not in captured.metrics()


native = pytest.mark.skipif(not HAS_NATIVE, reason="this SDK makes no span of its own")


@native
@pytest.mark.parametrize("streamed", [True, False], ids=["streamed", "whole"])
def test_sdks_own_span_makes_way(
    streamed: bool, server: Any, serve: Any, client_for: Clients, captured: Captured
) -> None:
    """peers A1, B24, C3: one usage-bearing span a call, though the SDK makes one by default."""
    if streamed:
        serve(message_text(["Hello"], output_tokens=12))
    else:
        server.script(None, Script.json(message(usage=message_usage(9, 12))))
    client = client_for(MESSAGES, open_telemetry={"tracer_provider": captured.tracer_provider})
    arguments = {**MESSAGES.arguments, "stream": streamed}
    answer = client.messages.create(**arguments)
    if streamed:
        list(answer)

    assert sum(span.attributes.get(OUTPUT, 0) for span in captured.spans()) == 12
    assert len(captured.spans()) == 1


@native
def test_sdks_own_span_where_ours_is_not(
    serve: Any, client_for: Clients, captured: Captured
) -> None:
    """peers A1: a call that is not traced by us keeps the span that the SDK makes."""
    serve(message_text(["Hello"], output_tokens=12))
    client = client_for(MESSAGES, open_telemetry={"tracer_provider": captured.tracer_provider})
    with otel_stream.suppress():
        list(MESSAGES.create(client))

    assert captured.span().instrumentation_scope.name.startswith("com.anthropic")


def test_agents_span_is_not_the_calls(serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers B24: an agent's client span around the call is not taken for the call's own."""
    provider: TracerProvider = captured.tracer_provider
    serve(chat_text(["Hello"], usage=chat_usage(9, 12)))
    attributes = {"gen_ai.operation.name": "invoke_agent"}
    with provider.get_tracer("agents").start_as_current_span("agent", attributes=attributes):
        list(CHAT.create(client_for(CHAT)))
    spans = {span.name: span for span in captured.spans()}

    assert set(spans) == {"agent", "chat gpt-5-mini"}
    assert [name for name, span in spans.items() if OUTPUT in span.attributes] == [
        "chat gpt-5-mini"
    ]
