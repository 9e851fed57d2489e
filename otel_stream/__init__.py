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
from otel_stream.errors import MissingExtraError, OtelStreamError, SettingsError
from otel_stream.generic import trace_stream
from otel_stream.outcome import Outcome
from otel_stream.settings import Settings

__version__ = "0.1.0"

__all__ = [
    "Callbacks",
    "MissingExtraError",
    "OtelStreamError",
    "Outcome",
    "Settings",
    "SettingsError",
    "StreamingTraceContext",
    "attributes",
    "create_streaming_trace_context",
    "flush",
    "instrument",
    "shutdown",
    "suppress",
    "trace_stream",
    "uninstrument",
    "untraced",
]
