"""`stream_to_channel` under the names that its forerunners' users know."""

from __future__ import annotations

from collections.abc import AsyncIterable
from typing import Any, Unpack

from otel_stream.channel.channel import Channel
from otel_stream.channel.manner import Manner
from otel_stream.channel.result import Delivery
from otel_stream.channel.streaming import stream_to_channel

__all__ = ["stream_agent_to_whatsapp_with_traces", "stream_team_to_whatsapp_with_traces"]


async def stream_agent_to_whatsapp_with_traces(
    agent_stream: AsyncIterable[Any],
    channel: Channel,
    recipient: str,
    *,
    trace_context: Any = None,
    **manner: Unpack[Manner],
) -> Delivery:
    """Send an agent's streamed answer to a person. See `stream_to_channel`, also for *manner*.

    Args:
        agent_stream: The run's events, or texts.
        channel: Where messages go.
        recipient: The person.
        trace_context: A `StreamingTraceContext` that is told what is read. If it fails, it is left
            alone, and the answer is delivered all the same.
    """
    return await stream_to_channel(
        agent_stream, channel, recipient, trace_context=trace_context, **manner
    )


async def stream_team_to_whatsapp_with_traces(
    team_stream: AsyncIterable[Any],
    channel: Channel,
    recipient: str,
    *,
    trace_context: Any = None,
    **manner: Unpack[Manner],
) -> Delivery:
    """Send a team's streamed answer to a person; its members' own texts are not sent.

    See `stream_agent_to_whatsapp_with_traces`.
    """
    return await stream_to_channel(
        team_stream, channel, recipient, trace_context=trace_context, **manner
    )
