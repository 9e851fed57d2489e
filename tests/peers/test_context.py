"""Whose context: never in the consumer's body, whatever reads the stream and wherever."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from opentelemetry import trace

import otel_stream
from otel_stream.testing import Captured, ProviderServer

from .apis import CHAT, Api, every_api

Clients = Callable[..., Any]


@pytest.fixture
def tracer(captured: Captured) -> trace.Tracer:
    """The application's."""
    return captured.tracer_provider.get_tracer("application")


@pytest.fixture(autouse=True)
def no_context_is_lost(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Nothing is said of a context that could not be detached."""
    with caplog.at_level(logging.WARNING):
        yield
    assert [record.message for record in caplog.records if "detach" in record.message] == []


@every_api
def test_current_span_in_the_loop(
    api: Api, serve: Any, client_for: Clients, tracer: trace.Tracer, captured: Captured
) -> None:
    """peers [27], C2, B10 to B13: in the loop's body the application's span is the current one."""
    serve(api.whole)
    with tracer.start_as_current_span("application") as application:
        for _ in api.create(client_for(api)):
            assert trace.get_current_span() is application
            tracer.start_span("child").end()
        assert trace.get_current_span() is application
    parents = {span.parent.span_id for span in captured.spans("child")}

    assert parents == {application.get_span_context().span_id}


@every_api
def test_current_span_after_a_break(
    api: Api, serve: Any, client_for: Clients, tracer: trace.Tracer, captured: Captured
) -> None:
    """peers [27], C2, B1: after a break, with the stream still held, nothing of it is current."""
    serve(api.whole)
    with tracer.start_as_current_span("application") as application:
        stream = api.create(client_for(api))
        for _ in stream:
            break
        assert trace.get_current_span() is application
    stream.close()

    assert trace.get_current_span() is trace.INVALID_SPAN


@every_api
def test_current_span_after_the_responses_close(
    api: Api, serve: Any, client_for: Clients, captured: Captured
) -> None:
    """peers [20]: `.response.close()` leaves no span active, for later ones to nest in."""
    serve(api.whole)
    stream = api.create(client_for(api))
    next(stream)
    stream.response.close()

    assert trace.get_current_span() is trace.INVALID_SPAN


@every_api
def test_read_in_another_thread(
    api: Api, serve: Any, client_for: Clients, tracer: trace.Tracer, captured: Captured
) -> None:
    """peers [27], C2: made in one thread and read in another, it has its maker's parent."""
    serve(api.whole)
    seen: list[Any] = []
    with tracer.start_as_current_span("application") as application:
        stream = api.create(client_for(api))

        def read() -> None:
            seen.extend(trace.get_current_span() for _ in stream)

        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
    [span] = [span for span in captured.spans() if span.name != "application"]

    assert span.parent.span_id == application.get_span_context().span_id
    assert set(seen) == {trace.INVALID_SPAN}


@every_api
async def test_read_in_another_task(
    api: Api, serve: Any, client_for: Clients, tracer: trace.Tracer, captured: Captured
) -> None:
    """peers [27], C2: made in one task and finished in another, neither has it current after."""
    serve(api.whole)

    async def read(stream: Any) -> trace.Span:
        async for _ in stream:
            pass
        return trace.get_current_span()

    async with client_for(api, True) as client:
        with tracer.start_as_current_span("application") as application:
            stream = await api.create(client)
            first = await anext(aiter(stream))
            assert trace.get_current_span() is application
        in_the_other = await asyncio.create_task(read(stream))

    assert first is not None
    assert in_the_other is trace.INVALID_SPAN is trace.get_current_span()
    assert {span.name for span in captured.spans()} >= {"application"}


async def agent(name: str, tracer: trace.Tracer) -> AsyncIterator[str]:
    """An agent's own stream, which makes a span of a tool for each word."""
    for word in ("Hello", " world"):
        tracer.start_span(f"tool of {name}").end()
        yield word


async def test_interleaved_agents(tracer: trace.Tracer, captured: Captured) -> None:
    """peers [28], C10f: of two interleaved streams each child is under its own."""
    streams = {n: otel_stream.trace_stream(agent(n, tracer), model=n) for n in ("a", "b")}
    loops = {name: aiter(stream) for name, stream in streams.items()}
    for _ in range(2):
        for loop in loops.values():
            await anext(loop)
            assert trace.get_current_span() is trace.INVALID_SPAN
    for stream in streams.values():
        await stream.aclose()
    spans = {span.name: span for span in captured.spans()}

    for name in streams:
        parent = spans[f"chat {name}"].get_span_context().span_id
        tools = captured.spans(f"tool of {name}")
        assert [tool.parent.span_id for tool in tools] == [parent, parent]


async def test_closed_by_another_task(tracer: trace.Tracer, captured: Captured) -> None:
    """peers [28], B11, B12: closed from another task, no context fails to be detached."""
    stream = otel_stream.trace_stream(agent("a", tracer))
    async for _ in stream:
        break
    await asyncio.create_task(stream.aclose())
    [span] = captured.wait_for_spans(2)[1:]

    assert span.attributes["otel_stream.outcome"] == "closed_early"
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_traceparent_names_our_span(
    serve: Any, server: ProviderServer, client_for: Clients, captured: Captured
) -> None:
    """peers B1: the span is current while the request is sent, for what makes spans below."""
    seen: list[Any] = []
    client = client_for(CHAT)
    send = client._client.send
    client._client.send = lambda *a, **k: seen.append(trace.get_current_span()) or send(*a, **k)
    serve(CHAT.whole)
    list(CHAT.create(client))

    assert [s.get_span_context().span_id for s in seen] == [captured.span().context.span_id]


@every_api
def test_exemplars(api: Api, serve: Any, client_for: Clients, captured: Captured) -> None:
    """peers [41]: the metrics of a sampled stream have exemplars that name its trace."""
    serve(api.whole)
    list(api.create(client_for(api)))
    span = captured.span()

    for name in ("duration", "time_to_first_chunk", "time_per_output_chunk"):
        exemplars = captured.point(f"gen_ai.client.operation.{name}").exemplars
        assert {one.trace_id for one in exemplars} == {span.context.trace_id}
