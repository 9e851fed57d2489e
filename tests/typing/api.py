"""The public API as a typed program uses it. Read by the strict type checkers, never run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from queue import Queue
from typing import Any, assert_type

import anthropic
import openai
from opentelemetry.trace import Span

import otel_stream
from otel_stream import Callbacks, Outcome, Settings, SettingsError, StreamingTraceContext
from otel_stream.callbacks import (
    StreamCompleted,
    StreamDelta,
    StreamFailed,
    StreamFirstToken,
    StreamStalled,
    StreamStarted,
    StreamUsage,
)
from otel_stream.channel import (
    Channel,
    ChannelError,
    CloudChannel,
    Cutter,
    Delivery,
    EvolutionChannel,
    stream_agent_to_whatsapp_with_traces,
    stream_to_channel,
)
from otel_stream.delta import Found, Text


def started(event: StreamStarted) -> None:
    assert_type(event.stream.trace_id, str)
    assert_type(event.stream.model, str | None)


def first_token(event: StreamFirstToken) -> float:
    return event.elapsed


async def completed(event: StreamCompleted) -> None:
    assert_type(event.outcome, str)
    assert_type(event.summary, dict[str, Any])


def failed(event: StreamFailed) -> str | None:
    return event.error_type


def stalled(event: StreamStalled) -> None:
    assert_type(event.elapsed, float)


def delta(event: StreamDelta) -> None:
    if isinstance(event.delta, Text):
        assert_type(event.delta.text, str)


def usage(event: StreamUsage) -> int | None:
    return event.usage.output


def whole_service() -> None:
    """Instrument, and everything around it."""
    callbacks = Callbacks(
        on_start=started,
        on_first_token=first_token,
        on_delta=delta,
        on_stall=stalled,
        on_usage=usage,
        on_complete=completed,
        on_error=failed,
    )
    try:
        otel_stream.instrument(service_name="chat", capture_content=True, callbacks=callbacks)
    except SettingsError as error:
        assert_type(str(error), str)
    with otel_stream.suppress():
        pass
    with otel_stream.attributes(session_id="session-1", user_id="user-1", attempt=2, vip=True):
        pass
    assert_type(otel_stream.flush(), bool)
    assert_type(otel_stream.flush(timeout=1.0), bool)
    otel_stream.uninstrument()
    otel_stream.shutdown()


def clients_keep_their_types() -> None:
    """A client that is not traced is a client of the same type, and so are its streams."""
    assert_type(otel_stream.untraced(openai.OpenAI()), openai.OpenAI)
    assert_type(otel_stream.untraced(openai.AsyncOpenAI()), openai.AsyncOpenAI)
    assert_type(otel_stream.untraced(anthropic.Anthropic()), anthropic.Anthropic)
    stream = otel_stream.untraced(openai.OpenAI()).chat.completions.create(
        model="gpt-4o-mini", messages=[{"role": "user", "content": "Hello?"}], stream=True
    )
    for chunk in stream:
        assert_type(chunk.choices[0].delta.content, str | None)


def read(item: bytes) -> Found:
    return item.decode()


def streams_keep_their_types(sync: Iterator[bytes], asynchronous: AsyncIterator[str]) -> None:
    """What is traced has the type of what was given."""
    assert_type(otel_stream.trace_stream(sync, model="m", read=read), Iterator[bytes])
    assert_type(otel_stream.trace_stream(asynchronous, provider="p"), AsyncIterator[str])


def told_by_hand() -> None:
    """A context, made in both ways."""
    with StreamingTraceContext(operation="chat", provider="p", model="m") as context:
        assert_type(context, StreamingTraceContext)
        assert_type(context.span, Span | None)
        context.log_streaming_start({"temperature": 0.5})
        context.log_first_token("Hello")
        context.log_streaming_chunk("Hello", 0)
        context.log_streaming_error(TimeoutError(), "reading")
        context.log_streaming_complete("Hello", {"finish_reason": "stop"})
        assert_type(context.get_streaming_summary(), dict[str, Any])
    made = otel_stream.create_streaming_trace_context(
        instance_name="support",
        whatsapp_message_id="message-1",
        sender_phone="+55 11 5555-0100",
        sender_name="Ana",
        sender_jid="551155550100@s.whatsapp.net",
    )
    assert_type(made, StreamingTraceContext)


class Pigeon:
    """A channel of one's own."""

    system = "pigeon"

    async def send(self, recipient: str, text: str) -> str | None:
        raise ChannelError("no wind", retry=True, after=60.0, code="calm")

    async def typing(self, recipient: str, lasts: float) -> None:
        pass


async def into_a_chat(stream: AsyncIterator[str], cloud: CloudChannel) -> None:
    """An answer, sent through three channels."""
    channels: list[Channel] = [Pigeon(), cloud]
    for channel in channels:
        assert_type(await stream_to_channel(stream, channel, "ana", spacing=1.0), Delivery)
    async with EvolutionChannel("http://localhost", "bot", "key") as evolution:
        delivery = await stream_agent_to_whatsapp_with_traces(stream, evolution, "5511", limit=500)
    assert_type(delivery.whole, bool)
    assert_type(delivery.messages[0].id, str | None)
    assert_type([piece.text for piece in Cutter().feed("Hello")], list[str])


def work(number: int) -> str:
    return str(number)


async def answer(number: int) -> str:
    return str(number)


async def what_is_carried_keeps_its_type(items: Queue[int]) -> None:
    """A function, a coroutine function, a coroutine and a queue are what they were."""
    assert_type(otel_stream.carried(work)(1), str)
    assert_type(await otel_stream.carried(answer)(1), str)
    assert_type(await otel_stream.carried(answer(1)), str)
    assert_type(otel_stream.carrying(items), Queue[int])
    with otel_stream.carry() as carrier, otel_stream.resume("3EB0"), otel_stream.carry_everywhere():
        assert_type(carrier, otel_stream.Carrier)
    with otel_stream.process_webhook({}):
        assert_type(otel_stream.record_delivery_status({}), int)


def values() -> None:
    """Settings and outcomes."""
    assert_type(Settings.resolve(stall_after=1.5).stall_after, float)
    assert_type(Outcome("completed").failed, bool)
    assert_type(otel_stream.__version__, str)
