"""One usage-bearing span a call: the SDK's own (anthropic 2.11 and later) steps aside for ours.

The SDK starts its span with `start_api_call_span`, sends that span's context with the request, and
leaves a span that does not record alone. So it is given one that does not record and carries the
context of ours: what goes out names our span, as it would have named the SDK's.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from opentelemetry.trace import NonRecordingSpan

from otel_stream.patches import Patches
from otel_stream.sdk import call_in_progress

__all__ = ["has_native_span", "suppress_native_span"]

_MODULE = "anthropic._base_client"
_FUNCTION = "start_api_call_span"


def has_native_span() -> bool:
    """Whether this version of the SDK makes a span of its own."""
    return hasattr(import_module(_MODULE), _FUNCTION)


def suppress_native_span(patches: Patches) -> None:
    """Wrap the SDK's start of its own span, where this version has one."""
    if has_native_span():
        patches.wrap(f"{_MODULE}:{_FUNCTION}", _start)


def _start(wrapped: Any, args: Any, kwargs: Any) -> Any:
    call = call_in_progress()
    if call is None:
        return wrapped(*args, **kwargs)
    ours = call.trace.span.get_span_context()
    # Without propagation nothing must go out, and a span that neither records nor goes out is none.
    return NonRecordingSpan(ours) if kwargs.get("propagation", True) and ours.is_valid else None
