"""otel-stream: the truth about streamed answers of language models, on OpenTelemetry.

import otel_stream

otel_stream.instrument()
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from otel_stream.analytics import get_streaming_analytics
    from otel_stream.delivery.webhook import process_webhook, record_delivery_status
    from otel_stream.everywhere import carry_everywhere
    from otel_stream.hops import Carrier, carried, carry, carrying, resume

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
    "carry_everywhere",
    "carrying",
    "create_streaming_trace_context",
    "flush",
    "get_streaming_analytics",
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

# What has to do with delivery is imported when it is first named: most programs have none.
_LATER = {
    "Carrier": "hops",
    "carried": "hops",
    "carry": "hops",
    "carry_everywhere": "everywhere",
    "carrying": "hops",
    "get_streaming_analytics": "analytics",
    "process_webhook": "delivery.webhook",
    "record_delivery_status": "delivery.webhook",
    "resume": "hops",
}


def __getattr__(name: str) -> Any:
    """A name of those that are imported when they are first used."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    found = globals()[name] = getattr(import_module(f"otel_stream.{_LATER[name]}"), name)
    return found


def __dir__() -> list[str]:
    """All that is public."""
    return sorted({*globals(), *__all__})
