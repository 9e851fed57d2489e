"""Runs over real sockets, through each HTTP library: the program sees what it saw, and so do we."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import pytest
import requests
from opentelemetry.trace import SpanKind, StatusCode

import otel_stream
from otel_stream.testing import Captured

from .libraries import LIBRARIES
from .server import Answer, WireServer, stream
from .streams import ODD, WIRES, agent, joke, member, server_sent, team

Serve = Callable[[Answer], WireServer]
PATH = "/playground/agents/genie/runs"
JSON = "application/json"
each_library = pytest.mark.parametrize("library", LIBRARIES)
content = pytest.mark.otel_stream(capture_content=True)


@pytest.fixture(autouse=True)
def whole_streams(eventually: Callable[..., bool], captured: Captured) -> Any:
    """What aiohttp reads it reads in its loop, so an end may be told a moment later."""
    yield
    assert eventually(lambda: not captured.open_spans())


def text_of(attributes: Any) -> str:
    [message] = json.loads(attributes["gen_ai.output.messages"])
    return "".join(part["content"] for part in message["parts"] if part["type"] == "text")


@content
@each_library
@pytest.mark.parametrize("wire", WIRES)
def test_a_run(library: str, wire: str, serve: Serve, captured: Captured) -> None:
    """One CLIENT span with the run's text and its first times; the program's bytes are the same."""
    pieces = WIRES[wire](joke())
    server = serve(stream(*pieces, gap=0.01))
    _, body = LIBRARIES[library](server.url + PATH)
    [span] = captured.wait_for_spans()
    attributes = span.attributes or {}

    assert body == b"".join(pieces)
    assert (span.name, span.kind) == ("invoke_agent genie", SpanKind.CLIENT)
    assert text_of(attributes) == "".join(ODD)
    assert attributes["otel_stream.outcome"] == "completed"
    assert attributes["otel_stream.chunk.count"] == len(pieces)
    assert attributes["gen_ai.conversation.id"] == "s-1"
    assert attributes["server.address"] == "127.0.0.1"


@each_library
def test_a_team(library: str, serve: Serve, captured: Captured) -> None:
    """A member is a child of the team's run, through every library."""
    inner = member("joker").whole("Ha")
    serve_it = server_sent([team.start(), *inner, *team.says("Done."), team.end("Done.")])
    LIBRARIES[library](serve(stream(*serve_it)).url + "/teams/ana/runs")
    captured.wait_for_spans(2)
    outer, inside = captured.span("invoke_agent ana"), captured.span("invoke_agent Joker")

    assert inside.parent is not None and outer.context is not None
    assert inside.parent.span_id == outer.context.span_id


@each_library
def test_the_trace_goes_out(library: str, serve: Serve, captured: Captured) -> None:
    """The request carries the run's trace, so that both ends are in one."""
    server = serve(stream(*server_sent(joke())))
    LIBRARIES[library](server.url + PATH)
    [span] = captured.wait_for_spans()
    headers = server.served[PATH].head.lower()

    assert span.context is not None
    assert f"traceparent: 00-{span.context.trace_id:032x}-{span.context.span_id:016x}" in headers


@each_library
def test_an_unknown_agent(library: str, serve: Serve, captured: Captured) -> None:
    """A 404 is an error of that status. What the server says may repeat what it was asked."""
    answer = Answer([(0, b'{"detail":"Agent not found"}')], 404, JSON)
    _, body = LIBRARIES[library](serve(answer).url + PATH)
    [span] = captured.wait_for_spans()
    attributes = span.attributes or {}

    assert json.loads(body)["detail"] == "Agent not found"
    assert span.status.description == "HTTP 404"
    assert (attributes["error.type"], attributes["http.response.status_code"]) == ("404", 404)


@each_library
def test_an_error_with_status_200(library: str, serve: Serve, captured: Captured) -> None:
    """A run that fails is an error, though HTTP and the library say that all is well."""
    failure = {"event": "RunError", "agent_id": "", "content": "out of money"}
    pieces = server_sent([agent.start(), *agent.says("a"), failure])
    LIBRARIES[library](serve(stream(*pieces)).url + PATH)
    [span] = captured.wait_for_spans()

    assert (span.attributes or {})["error.type"] == "RunError"
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "RunError")


@each_library
def test_a_body_without_an_end(library: str, serve: Serve, captured: Captured) -> None:
    """A clean end without the run's own end is truncated."""
    LIBRARIES[library](serve(stream(*server_sent(joke()[:-1]))).url + PATH)
    [span] = captured.wait_for_spans()

    assert (span.attributes or {})["otel_stream.outcome"] == "truncated"


@each_library
def test_a_connection_that_breaks(library: str, serve: Serve, captured: Captured) -> None:
    """A body that breaks off is the network's error, and the program gets the library's own."""
    answer = stream(*server_sent(joke()[:4]))._replace(cut_short=True)
    url = serve(answer).url + PATH
    with pytest.raises(Exception, match=r".") as raised:
        LIBRARIES[library](url)
    [span] = captured.wait_for_spans()

    assert raised.type.__module__.partition(".")[0] in ("httpx", "httpx2", "requests", "aiohttp")
    assert (span.attributes or {})["otel_stream.outcome"] == "error"


@pytest.mark.parametrize("library", ["httpx", "httpx_async", "requests", "aiohttp"])
def test_what_cannot_be_decoded(library: str, serve: Serve, captured: Captured) -> None:
    """A body that is not what its encoding says fails where it is read."""
    answer = stream(*server_sent(joke()))._replace(header="content-encoding: gzip")
    url = serve(answer).url + PATH
    with pytest.raises(Exception, match=r"."):
        LIBRARIES[library](url)
    [span] = captured.wait_for_spans()

    assert (span.attributes or {})["otel_stream.outcome"] == "error"


WHOLE = {
    "run_id": "r-genie", "agent_id": "genie", "agent_name": "Genie", "session_id": "s-1",
    "content": "All of it", "model": "gpt-4o", "metrics": {"input_tokens": [40, 22]},
    "messages": [{"role": "user", "content": "Hi"}],
}  # fmt: skip


@content
@each_library
@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        ("COMPLETED", "completed"),
        ("RUNNING", None),
        ("PAUSED", "completed"),
        ("CANCELLED", "cancelled"),
        ("ERROR", "error"),
    ],
)
def test_an_answer_in_one_piece(
    library: str, status: str, outcome: str | None, serve: Serve, captured: Captured
) -> None:
    """A run that was not streamed says how it ended, if it has, and nothing else of a stream."""
    body = json.dumps({**WHOLE, "status": status}).encode()
    LIBRARIES[library](serve(Answer([(0, body)], 200, JSON)).url + PATH)
    [span] = captured.wait_for_spans()
    attributes = span.attributes or {}

    assert attributes.get("otel_stream.outcome") == outcome
    assert attributes.get("error.type") == ("RunError" if status == "ERROR" else None)
    assert attributes.get("otel_stream.run.paused") == (True if status == "PAUSED" else None)
    assert attributes["otel_stream.reported.input_tokens"] == 62
    assert "otel_stream.chunk.count" not in attributes
    assert status == "ERROR" or text_of(attributes) == "All of it"


def test_who_breaks_at_the_end(serve: Serve, captured: Captured) -> None:
    """A program that stops at the last event, and closes nothing, has a completed run."""
    pieces = server_sent(joke())
    url = serve(stream(*pieces, gap=0.005)).url + PATH
    with requests.post(url, stream=True, timeout=5) as response:
        for data in response.iter_content(chunk_size=None):
            if b"RunCompleted" in data:
                break
    [span] = captured.wait_for_spans()

    assert (span.attributes or {})["otel_stream.outcome"] == "completed"


def test_who_breaks_before_it(serve: Serve, captured: Captured) -> None:
    """A program that has read enough, and closes the response, has closed it early."""
    url = serve(stream(*server_sent(joke()), gap=0.01)).url + PATH
    with httpx.stream("POST", url, trust_env=False) as response:
        next(response.iter_bytes())
    [span] = captured.wait_for_spans()

    assert (span.attributes or {})["otel_stream.outcome"] == "closed_early"


async def test_a_task_that_is_cancelled(serve: Serve, captured: Captured) -> None:
    """A task that is cancelled while it waits leaves a cancelled run."""
    answer = stream(*server_sent(joke()[:3]))
    late = Answer([*answer.pieces, (1.5, b": late\n\n")])
    url = serve(late).url + PATH
    begun = asyncio.Event()

    async def ask() -> None:
        async with aiohttp.ClientSession() as session, session.post(url) as response:
            async for _ in response.content.iter_any():
                begun.set()

    task = asyncio.create_task(ask())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    [span] = captured.wait_for_spans()

    assert (span.attributes or {})["otel_stream.outcome"] == "cancelled"


def test_calls_that_are_suppressed(serve: Serve, captured: Captured) -> None:
    """In a block of `suppress` no run is seen, and nothing goes out."""
    server = serve(stream(*server_sent(joke())))
    with otel_stream.suppress():
        LIBRARIES["requests"](server.url + PATH)

    assert captured.spans() == []
    assert "traceparent" not in server.served[PATH].head


def test_uninstrumented_again(serve: Serve, captured: Captured) -> None:
    """What is taken away is gone."""
    from otel_stream_agno_http import AgnoHttpInstrumentor

    AgnoHttpInstrumentor().uninstrument()
    LIBRARIES["httpx"](serve(stream(*server_sent(joke()))).url + PATH)
    AgnoHttpInstrumentor().instrument()

    assert captured.spans() == []
