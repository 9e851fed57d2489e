"""One usage-bearing span a call, whoever else traces it: the SDK itself, or who stands around."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from opentelemetry import context, trace
from opentelemetry.trace import SpanKind

import otel_stream
from otel_stream.testing import (
    Captured,
    ProviderServer,
    chat_completion,
    chat_text,
    chat_usage,
    message,
    message_text,
)

from .clients import HAS_NATIVE, http
from .conftest import CHAT, MESSAGE, Client, Serve, with_usage

needs_native = pytest.mark.skipif(not HAS_NATIVE, reason="this SDK has no span of its own")


@pytest.fixture
def native() -> Iterator[Captured]:
    """What the SDK's own tracing records."""
    captured = Captured()
    yield captured
    captured.shutdown()


@pytest.fixture
def ask(serve: Serve) -> Any:
    """Reads a streamed message with a client."""

    def read(client: Any) -> list[Any]:
        serve(message_text(["Hi"]))
        return list(client.messages.create(**MESSAGE, stream=True))

    return read


def of(captured: Captured) -> Any:
    """The provider of `captured`, as the SDK's option wants it."""
    return {"tracer_provider": captured.tracer_provider}


def named_in(server: ProviderServer) -> str:
    """The span id that the request's trace context names."""
    return server.request.headers["traceparent"].split("-")[2]


def span_id(span: Any) -> str:
    """The id of a span, as it is written on the wire."""
    return f"{span.get_span_context().span_id:016x}"


@needs_native
def test_sdks_span_steps_aside(
    ask: Any, client: Client, captured: Captured, native: Captured
) -> None:
    """The SDK's own span is not made where ours is: tokens are counted once."""
    ask(client("anthropic", open_telemetry=of(native)))

    assert len(with_usage(captured.spans() + native.spans())) == 1
    assert native.spans() == []


@needs_native
def test_same_provider(ask: Any, client: Client, captured: Captured) -> None:
    """So it is where both send to the same provider."""
    ask(client("anthropic", open_telemetry=of(captured)))

    assert len(captured.spans()) == 1


@needs_native
def test_trace_context_names_our_span(
    ask: Any, client: Client, captured: Captured, native: Captured, server: ProviderServer
) -> None:
    """The trace context goes out as the SDK's own would have, and names our span."""
    ask(client("anthropic", open_telemetry=of(native)))

    assert named_in(server) == span_id(captured.span())


@needs_native
@pytest.mark.parametrize("option", [{"propagation": False}, False], ids=["no context", "no traces"])
def test_no_trace_context(
    option: Any,
    ask: Any,
    client: Client,
    captured: Captured,
    native: Captured,
    server: ProviderServer,
) -> None:
    """No trace context goes out where the SDK would have sent none."""
    ask(client("anthropic", open_telemetry=option and of(native) | option))

    assert "traceparent" not in server.request.headers
    assert len(captured.spans()) == 1
    assert native.spans() == []


@needs_native
def test_sdks_span_without_ours(
    ask: Any, client: Client, captured: Captured, native: Captured, server: ProviderServer
) -> None:
    """A call that we leave alone keeps the SDK's own span and its trace context."""
    with otel_stream.suppress():
        ask(client("anthropic", open_telemetry=of(native)))

    assert captured.spans() == []
    assert len(with_usage(native.spans())) == 1
    assert named_in(server) == span_id(native.span())


@needs_native
def test_counting_tokens_keeps_its_span(
    serve: Serve, client: Client, captured: Captured, native: Captured
) -> None:
    """The SDK's spans of calls that are not ours to trace are untouched."""
    serve({"input_tokens": 5})
    made = client("anthropic", open_telemetry=of(native))
    made.messages.count_tokens(model="claude-opus-5", messages=MESSAGE["messages"])

    assert native.span().name == "anthropic.messages.count_tokens"
    assert captured.spans() == []


@needs_native
def test_unsampled(ask: Any, client: Client, native: Captured, server: ProviderServer) -> None:
    """The trace context of a span that is not sampled says so."""
    from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

    unsampled = Captured(sampler=ALWAYS_OFF)
    otel_stream.uninstrument()
    otel_stream.instrument(
        tracer_provider=unsampled.tracer_provider, meter_provider=unsampled.meter_provider
    )
    try:
        ask(client("anthropic", open_telemetry=of(native)))
    finally:
        otel_stream.uninstrument()

    assert server.request.headers["traceparent"].endswith("-00")
    assert native.spans() == []
    assert unsampled.point("gen_ai.client.operation.duration").count == 1


INFERENCE: dict[str, dict[str, Any]] = {
    "openai": {"gen_ai.operation.name": "chat", "gen_ai.request.model": CHAT["model"]},
    "anthropic": {"gen_ai.operation.name": "chat", "gen_ai.request.model": MESSAGE["model"]},
}


def streamed(sdk: str, serve: Serve, client: Client, **options: Any) -> None:
    """Reads a streamed answer of either SDK."""
    made = client(sdk, **options)
    if sdk == "openai":
        serve(chat_text(["Hi"], usage={"prompt_tokens": 9, "completion_tokens": 5}))
        list(made.chat.completions.create(**CHAT, stream=True))
    else:
        serve(message_text(["Hi"]))
        list(made.messages.create(**MESSAGE, stream=True))


@pytest.mark.sdk_matrix
@pytest.mark.parametrize("sdk", ["openai", "anthropic"])
def test_applications_span_is_enriched(
    sdk: str, serve: Serve, client: Client, captured: Captured
) -> None:
    """The application's own inference span of the call is written on, and left open to it."""
    tracer = captured.tracer_provider.get_tracer("application")
    with tracer.start_as_current_span(
        "mine", kind=SpanKind.CLIENT, attributes=INFERENCE[sdk]
    ) as mine:
        streamed(sdk, serve, client)
        assert mine.is_recording()
    span = captured.span()

    assert span.name == "mine"
    assert with_usage([span]) == [span]
    assert (span.attributes or {})["otel_stream.outcome"] == "completed"


@needs_native
def test_enriched_beside_the_sdks_own(
    serve: Serve, client: Client, captured: Captured, native: Captured
) -> None:
    """Where the application's span is enriched the SDK makes none either."""
    tracer = captured.tracer_provider.get_tracer("application")
    with tracer.start_as_current_span(
        "mine", kind=SpanKind.CLIENT, attributes=INFERENCE["anthropic"]
    ):
        streamed("anthropic", serve, client, open_telemetry=of(native))

    assert len(with_usage(captured.spans() + native.spans())) == 1
    assert native.spans() == []


@pytest.mark.sdk_matrix
@pytest.mark.parametrize(
    "around",
    [
        {"kind": SpanKind.CLIENT, "attributes": {"gen_ai.operation.name": "invoke_agent"}},
        {"kind": SpanKind.CLIENT, "attributes": {"http.request.method": "POST"}},
        {"kind": SpanKind.INTERNAL, "attributes": INFERENCE["openai"]},
        {
            "kind": SpanKind.CLIENT,
            "attributes": INFERENCE["openai"] | {"gen_ai.request.model": "x"},
        },
        {
            "kind": SpanKind.CLIENT,
            "attributes": INFERENCE["openai"] | {"gen_ai.usage.input_tokens": 1},
        },
    ],
    ids=["agent", "http", "internal", "other model", "has usage"],
)
def test_other_spans_are_parents(
    around: Any, serve: Serve, client: Client, captured: Captured
) -> None:
    """A span that is not this call's own, an agent's first of all, gets a child and no more."""
    tracer = captured.tracer_provider.get_tracer("application")
    with tracer.start_as_current_span("around", **around) as parent:
        streamed("openai", serve, client)
    span = captured.span("chat gpt-5-mini")

    assert span.parent is not None
    assert span.parent.span_id == parent.get_span_context().span_id
    assert "otel_stream.outcome" not in (captured.span("around").attributes or {})


@pytest.mark.sdk_matrix
def test_one_span_each_in_an_enriched_one(serve: Serve, client: Client, captured: Captured) -> None:
    """A second call inside the same inference span gets a span of its own."""
    tracer = captured.tracer_provider.get_tracer("application")
    with tracer.start_as_current_span("mine", kind=SpanKind.CLIENT, attributes=INFERENCE["openai"]):
        streamed("openai", serve, client)
        streamed("openai", serve, client)

    assert len(with_usage(captured.spans())) == 2
    assert [span.name for span in captured.spans()] == ["chat gpt-5-mini", "mine"]


def test_official_instrumentation_stays_silent(captured: Captured) -> None:
    """With the official library there, its key says to what runs in our call that it is traced."""
    inference = pytest.importorskip("opentelemetry.util.genai._inference_invocation")
    seen: list[Any] = []

    def look(request: Any) -> Any:
        seen.append(context.get_value("opentelemetry.genai.client.inference.context"))
        return http.Response(200, json=message())

    pool = http.Client(transport=http.MockTransport(look))
    with anthropic.Anthropic(api_key="test", http_client=pool) as made:
        made.messages.create(**MESSAGE)

    assert isinstance(seen[0], inference.InferenceData)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_beside_the_official_instrumentation(
    stream: bool, serve: Serve, client: Client, captured: Captured
) -> None:
    """With the official instrumentation at work too there is one usage-bearing span."""
    official = pytest.importorskip("opentelemetry.instrumentation.genai.openai")
    other = official.OpenAIInstrumentor()
    other.instrument(
        tracer_provider=captured.tracer_provider, meter_provider=captured.meter_provider
    )
    try:
        serve(chat_text(["Hi"], usage=chat_usage()) if stream else chat_completion())
        answer = client("openai").chat.completions.create(**CHAT, stream=stream)
        _ = list(answer) if stream else answer
    finally:
        other.uninstrument()

    assert len(with_usage(captured.spans())) == len(captured.spans()) == 1
    assert captured.point("gen_ai.client.operation.duration").count == 1


def test_nothing_is_current_after_the_call(
    serve: Serve, client: Client, captured: Captured
) -> None:
    """Once the call has returned its stream, our span is current nowhere."""
    serve(message_text(["Hi"]))
    stream = client("anthropic").messages.create(**MESSAGE, stream=True)

    assert trace.get_current_span() is trace.INVALID_SPAN
    list(stream)
