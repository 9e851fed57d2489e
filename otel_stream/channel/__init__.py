"""From a streamed answer to messages on a person's phone.

stream ──► Reading (texts) ──► Cutter (messages) ──► Backlog ──► Channel (Evolution, Cloud, yours)
               │                                                     │
               └── the user's trace context          delivery.Send ──┘   one span a message

Imported by `import otel_stream.channel` only: it needs asyncio, which costs as much as all the rest
of the package.
"""

from __future__ import annotations

from otel_stream.channel.channel import Channel, ChannelError
from otel_stream.channel.cloud import CloudChannel
from otel_stream.channel.cut import Cutter, Piece
from otel_stream.channel.evolution import EvolutionChannel
from otel_stream.channel.manner import Manner
from otel_stream.channel.result import Delivery, MessageResult
from otel_stream.channel.streaming import stream_to_channel
from otel_stream.channel.whatsapp import (
    stream_agent_to_whatsapp_with_traces,
    stream_team_to_whatsapp_with_traces,
)

__all__ = [
    "Channel",
    "ChannelError",
    "CloudChannel",
    "Cutter",
    "Delivery",
    "EvolutionChannel",
    "Manner",
    "MessageResult",
    "Piece",
    "stream_agent_to_whatsapp_with_traces",
    "stream_team_to_whatsapp_with_traces",
    "stream_to_channel",
]
