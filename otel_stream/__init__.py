"""otel-stream: the truth about streamed answers of language models, on OpenTelemetry.

import otel_stream

otel_stream.instrument()
"""

from __future__ import annotations

from otel_stream.callbacks import Callbacks
from otel_stream.context import StreamingTraceContext, create_streaming_trace_context
from otel_stream.control import (
    attributes,
    flush,
    instrument,
    shutdown,
    suppress,
    uninstrument,
    untraced,
)
from otel_stream.delivery.webhook import process_webhook, record_delivery_status
from otel_stream.errors import MissingExtraError, OtelStreamError, SettingsError
from otel_stream.generic import trace_stream
from otel_stream.hops import Carrier, carried, carry, carrying, resume
from otel_stream.outcome import Outcome
from otel_stream.settings import Settings

__version__ = "0.1.0"

__all__ = [
    "Callbacks",
    "Carrier",
    "MissingExtraError",
    "OtelStreamError",
    "Outcome",
    "Settings",
    "SettingsError",
    "StreamingTraceContext",
    "attributes",
    "carried",
    "carry",
    "carrying",
    "create_streaming_trace_context",
    "flush",
    "instrument",
    "process_webhook",
    "record_delivery_status",
    "resume",
    "shutdown",
    "suppress",
    "trace_stream",
    "uninstrument",
    "untraced",
]
