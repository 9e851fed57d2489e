"""`stream_to_channel`: an async iterator of deltas in, messages out."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable
from time import perf_counter
from typing import Any

from otel_stream.channel.channel import Channel
from otel_stream.channel.cut import LIMIT
from otel_stream.channel.manner import Manner
from otel_stream.channel.result import Delivery
from otel_stream.channel.sending import Sending

__all__ = ["stream_to_channel"]


async def stream_to_channel(  # noqa: PLR0913 - one call, and all that can be chosen for it
    stream: AsyncIterable[Any],
    channel: Channel,
    recipient: str,
    *,
    read: Callable[[Any], str | None] | None = None,
    trace_context: Any = None,
    report: Callable[[Delivery], object] | None = None,
    limit: int = LIMIT,
    target: int | None = None,
    sentences: bool = False,
    spacing: float = 0.5,
    typing: bool = True,
    retries: int = 3,
    give_up: int = 3,
    backlog: int = 16 * LIMIT,
    clock: Callable[[], float] = perf_counter,
) -> Delivery:
    """Send a streamed answer to a person, in messages, while it is made.

    A paragraph is a message, as soon as it is whole. Order is kept, every message is sent once, and
    one that may have been accepted is not sent again. Whatever becomes of the telemetry, the person
    gets the answer.

    Args:
        stream: What is iterated over: texts, events of an Agno agent or team, or what `read` reads.
            It is read to its end, or closed.
        channel: Where messages go.
        recipient: The person's number, JID, or what else the channel knows them by.
        read: The text that an item adds.
        trace_context: A `StreamingTraceContext` that is told what is read.
        report: Called with the `Delivery` whatever happens: returned, raised or cancelled.
        limit: The longest message, in UTF-16 code units.
        target: From this size on a paragraph is cut at the next end of a sentence.
        sentences: Each sentence is a message.
        spacing: Seconds between two messages.
        typing: Show the person that somebody types, while nothing is being sent.
        retries: How often a message is sent again that has certainly not been accepted.
        give_up: After so many failed messages in a row the rest is not sent.
        backlog: How many characters may wait to be sent. The stream is not read meanwhile, and
            `Delivery.back_pressure` says for how long.
        clock: Monotonic seconds, for times and spacing.

    Returns:
        What became of it. Nothing is raised for a message that was not accepted: see
        `Delivery.whole` and `Delivery.lost`.

    Raises:
        Exception: What the stream or `read` raised, after what was ready has been sent.
        ValueError: An argument that cannot be meant.
        MissingExtraError: `regex` is not installed.
    """
    manner = Manner(
        limit=limit,
        target=target,
        sentences=sentences,
        spacing=spacing,
        typing=typing,
        retries=retries,
        give_up=give_up,
        backlog=backlog,
        clock=clock,
    )
    sending = Sending(stream, channel, recipient, manner, read, trace_context)
    try:
        await sending.run()
    finally:
        if report is not None:
            report(sending.delivery)
    return sending.delivery
