"""The traced program: never broken, never lied about, nothing of it given away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import NonRecordingSpan, SpanKind

import otel_stream
from otel_stream import errors, semconv
from otel_stream.metrics import Instruments
from otel_stream.testing import (
    Captured,
    ProviderServer,
    Script,
    chat_text,
    chat_tools,
    chat_usage,
    openai_error,
)

from .conftest import KEY

Chat = Callable[..., Any]
SOURCE = Path(errors.__file__).parents[1]
LATE = RuntimeError("too late")


class Mishap(Exception):
    """An exception of the application's own."""


def spans_around(captured: Captured) -> dict[str, trace.Span]:
    """Spans of whatever kind that may be current when a context is made."""
    tracer = captured.tracer_provider.get_tracer("application")
    unsampled = Captured(sampler=ALWAYS_OFF).tracer_provider.get_tracer("application")
    ended = tracer.start_span("ended")
    ended.end()
    inference = {"gen_ai.operation.name": "chat"}
    return {
        "none": trace.INVALID_SPAN,
        "remote": NonRecordingSpan(ended.get_span_context()),
        "ended": ended,
        "internal": tracer.start_span("internal"),
        "server": tracer.start_span("server", kind=SpanKind.SERVER),
        "unsampled": unsampled.start_span("unsampled"),
        "inference": tracer.start_span("chat", kind=SpanKind.CLIENT, attributes=inference),
    }


KINDS = ["none", "remote", "ended", "internal", "server", "unsampled", "inference"]


@pytest.mark.parametrize("kind", KINDS)
def test_inside_any_span(kind: str, captured: Captured) -> None:
    """Trap 14: a context made inside any span works, and ends no span that is not its own."""
    around = spans_around(captured)
    with trace.use_span(around[kind], end_on_exit=False):
        context = otel_stream.create_streaming_trace_context("wa", "id", "+55 81 99999-0000")
        context.log_streaming_start({"model": "m"})
        context.log_first_token("Hi")
        context.log_streaming_chunk("Hi", 0)
        context.log_streaming_complete("Hi")
        summary = context.get_streaming_summary()
    was_open = around[kind].is_recording()
    for span in around.values():
        span.end()

    assert (summary["status"], summary["total_chunks"]) == ("completed", 1)
    assert was_open == (kind in ("internal", "server", "inference"))


def test_inside_something_that_is_no_span(captured: Captured) -> None:
    """Trap 14: even an object that is no real span, left current by a library, breaks nothing."""

    class Odd(NonRecordingSpan):
        def is_recording(self) -> bool:
            return True

    with trace.use_span(Odd(trace.INVALID_SPAN_CONTEXT)):
        context = otel_stream.create_streaming_trace_context()
        context.log_streaming_complete("Hi")

    assert captured.span().attributes["otel_stream.outcome"] == "completed"


def test_the_first_end_stands(captured: Captured) -> None:
    """Trap 13: once it is completed, a later error, chunk or end changes nothing."""
    context = otel_stream.StreamingTraceContext()
    context.log_streaming_complete("Hi")
    context.log_streaming_error(LATE)
    context.log_streaming_chunk("more")
    context.log_streaming_complete("Hi again")
    attributes = captured.span().attributes

    assert attributes["otel_stream.outcome"] == "completed"
    assert attributes["otel_stream.chunk.count"] == 1


@pytest.mark.parametrize("block", ["context", "attributes", "suppress"])
def test_blocks_let_exceptions_through(block: str, captured: Captured) -> None:
    """Trap 18: what is raised in a `with` block of ours comes out of it as it was."""
    blocks = {
        "context": otel_stream.StreamingTraceContext,
        "attributes": lambda: otel_stream.attributes(session_id="s"),
        "suppress": otel_stream.suppress,
    }
    mishap = Mishap()
    with pytest.raises(Mishap) as raised, blocks[block]():
        raise mishap

    assert raised.value is mishap


def test_only_what_was_sent(server: ProviderServer, chat: Chat, captured: Captured) -> None:
    """Trap 15: the span tells what the request says, and nothing that it does not say."""
    server.script(None, Script.stream(chat_text(["Hi"])))
    list(chat(temperature=1))
    sent = server.request.json
    told = {n: v for n, v in captured.span().attributes.items() if n.startswith("gen_ai.request.")}

    assert sent["temperature"] == 1
    assert told == {
        "gen_ai.request.model": sent["model"],
        "gen_ai.request.stream": True,
        "gen_ai.request.temperature": 1.0,
    }


def test_tools_and_tokens(server: ProviderServer, chat: Chat, captured: Captured) -> None:
    """Trap 17: a streamed answer has its tool calls and its tokens."""
    server.script(None, Script.stream(chat_tools(usage=chat_usage(9, 7))))
    list(chat())
    attributes = captured.span().attributes
    tools = [e["gen_ai.tool.name"] for name, e in captured.events() if name.endswith("tool_call")]

    assert tools == ["get_weather"]
    assert attributes["gen_ai.usage.output_tokens"] == 7


def everything_in(captured: Captured) -> str:
    spans = [
        (dict(s.attributes), s.status.description, captured.events(s)) for s in captured.spans()
    ]
    logs = [(record.body, dict(record.attributes)) for record in captured.logs()]
    return json.dumps([spans, logs, captured.metrics()], default=str)


@pytest.mark.otel_stream(events="both")
def test_no_key_in_any_signal(server: ProviderServer, chat: Chat, captured: Captured) -> None:
    """Trap 19: a key is in no signal, not even when the provider's error repeats it."""
    server.script(None, Script.json(openai_error(f"Incorrect API key provided: {KEY}"), 401))
    with pytest.raises(openai.AuthenticationError):
        chat()

    assert KEY not in everything_in(captured)
    assert server.request.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.otel_stream(events="both")
def test_no_phone_number_in_any_signal(captured: Captured) -> None:
    """Trap 19: a person's number and name are in no signal; a keyed hash tells them apart."""
    context = otel_stream.create_streaming_trace_context(
        "wa", "wamid.1", "+55 81 99999-0000", "Ana", "5581999990000@s.whatsapp.net"
    )
    context.log_streaming_complete("Hi Ana")

    assert "99999" not in everything_in(captured)
    assert "Ana" not in everything_in(captured)


@pytest.mark.otel_stream(stall_after_first=0.0001, chunk_events="all")
def test_every_instrument_is_fed(server: ProviderServer, chat: Chat, captured: Captured) -> None:
    """Trap 001: there is no metric that nothing feeds."""
    words = ["Hello"] + ["x"] * 40
    server.script(None, Script.stream(chat_text(words, usage=chat_usage(9, 7)), every=0.001))
    list(chat())
    made = vars(Instruments(captured.meter_provider.get_meter("names"))).values()
    instruments = [one for each in made for one in (each if isinstance(each, list) else [each])]
    names = {one.name for one in instruments if hasattr(one, "name") and hasattr(one, "unit")}

    assert len(names) == 10
    assert {*names, semconv.METRIC_STREAMS_ACTIVE} == set(captured.metrics())


def test_streams_do_not_hear_each_other(captured: Captured) -> None:
    """Trap 000: callbacks given to one stream hear of that stream only."""
    heard: dict[str, list[str]] = {"a": [], "b": []}
    streams = {
        name: otel_stream.trace_stream(
            iter(name * 3),
            model=name,
            callbacks=otel_stream.Callbacks(on_delta=lambda e, h=told: h.append(e.delta)),
        )
        for name, told in heard.items()
    }
    for _ in zip(*streams.values(), strict=True):
        pass
    del streams
    otel_stream.flush()

    assert heard == {"a": ["a"] * 3, "b": ["b"] * 3}


LEAVING = """
    import asyncio, openai, otel_stream
    from otel_stream.testing import ProviderServer, Script, chat_text
    otel_stream.instrument()

    async def main():
        messages = [{"role": "user", "content": "Hi"}]
        async with openai.AsyncOpenAI(base_url=server.openai_url, api_key="k") as client:
            for _ in range(3):
                stream = await client.chat.completions.create(
                    model="m", messages=messages, stream=True
                )
                async for chunk in stream:
                    print(chunk.choices[0].delta.content)
                    break
                await asyncio.sleep(0)

    events = chat_text(["Hi"] * 9, role_chunk=False)
    with ProviderServer() as server:
        server.script(None, Script.stream(events, ending="hang"), times=3)
        asyncio.run(main())
"""


def test_breaking_without_closing_is_silent(tmp_path: Path) -> None:
    """Generator lesson: `break` without `aclose` ends in no complaint of the event loop."""
    paths = os.pathsep.join([str(SOURCE), str(SOURCE / "instrumentation")])
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(LEAVING)],
        check=False,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "Hi\n" * 3, "")
