"""What a message to the Cloud API may carry: its trace, given back with each of its statuses.

A text of the form `otel1;TRACE;SPAN;FLAGS;CHANNEL;MADE;SIGNATURE`, some 120 of the 512 characters
that `biz_opaque_callback_data` may have. It is signed with the key of our hashes, so that nobody
who forges a webhook can write into somebody else's trace; set `OTEL_STREAM_HASH_KEY` where statuses
reach another process than the one that sends.
"""

from __future__ import annotations

import hmac
import time

from opentelemetry import trace
from opentelemetry.context import Context

from otel_stream.delivery.sent import Sent
from otel_stream.redaction import hashed

__all__ = ["sent_of", "tracker_of"]

_MARK = "otel1"
_FIELDS = 6


def tracker_of(context: Context, system: str = "whatsapp") -> str:
    """The tracker of a message that is sent in `context` now; "" without a trace."""
    span = trace.get_current_span(context).get_span_context()
    if not span.is_valid:
        return ""
    now = time.time_ns() // 1_000_000
    fields = (_MARK, f"{span.trace_id:032x}", f"{span.span_id:016x}", f"{span.trace_flags:02x}")
    text = ";".join((*fields, system.replace(";", ""), str(now)))
    return f"{text};{_signature(text)}"


def sent_of(tracker: str) -> Sent | None:
    """The message that carried `tracker`; None if that is none of ours, or was changed."""
    text, _, signature = tracker.rpartition(";")
    fields = text.split(";")
    if len(fields) != _FIELDS or fields[0] != _MARK:
        return None
    if not hmac.compare_digest(_signature(text).encode(), signature.encode("utf-8", "replace")):
        return None
    _, trace_id, span_id, flags, system, at = fields
    return Sent(
        trace_id=int(trace_id, 16),
        span_id=int(span_id, 16),
        flags=int(flags, 16),
        system=system,
        accepted_at=int(at) / 1e3,
    )


def _signature(text: str) -> str:
    """Of a tracker alone: no hash of anything else is one."""
    return hashed(f"tracker {text}")
