"""`stream_to_channel`: an async iterator of deltas in, messages out."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from typing import Any, Unpack

from otel_stream.channel.channel import Channel
from otel_stream.channel.manner import Chosen, Manner
from otel_stream.channel.result import Delivery
from otel_stream.channel.sending import Sending

__all__ = ["stream_to_channel"]


async def stream_to_channel(
    stream: AsyncIterable[Any],
    channel: Channel,
    recipient: str,
    *,
    read: Callable[[Any], str | None] | None = None,
    trace_context: Any = None,
    report: Callable[[Delivery], object] | None = None,
    **manner: Unpack[Manner],
) -> Delivery:
    """Send a streamed answer to a person, in messages, while it is made.

    Order is kept, every message is sent once, and one that may have been accepted is not sent
    again. Whatever becomes of the telemetry, the person gets the answer. The stream is read to its
    end, or closed. That a message was not accepted raises nothing: see `Delivery.whole`.

    Args:
        stream: Texts, events of an Agno agent or team, or what `read` reads.
        channel: Where messages go.
        recipient: The person's number, JID, or what else the channel knows them by.
        read: The text that an item adds.
        trace_context: A `StreamingTraceContext` that is told what is read.
        report: Called with the `Delivery` whatever happens: returned, raised or cancelled.
        manner: Limits, spacing, retries and so on: see `Manner`.

    Raises:
        BaseException: What the stream or `read` raised, after what was read has been sent;
            `KeyboardInterrupt` and `SystemExit` at once.
        ValueError, TypeError: An argument that cannot be meant.
        MissingExtraError: `regex` is not installed.
    """
    sending = Sending(stream, channel, recipient, Chosen(**manner), read, trace_context)
    try:
        await sending.run()
    finally:
        if report is not None:
            report(sending.delivery)
    return sending.delivery
