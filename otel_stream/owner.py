"""Whose span a call writes on: one of its own, or the inference span that stands around it.

One usage-bearing span a call: when the current span is already the client inference span of this
call (an official instrumentation's, or the application's), it is enriched and its owner ends it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any
from weakref import WeakSet

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind

from otel_stream import semconv
from otel_stream.call import UNKNOWN, CallInfo

__all__ = ["Owned"]

# util-genai keeps the outer inference under this key; with it set, official instrumentations that
# run inside our call add no span and no metrics of their own.
_OFFICIAL_KEY = "opentelemetry.genai.client.inference.context"
_OFFICIAL_SCOPE = "opentelemetry."

_borrowed: WeakSet[Any] = WeakSet()


class Owned:
    """A span for `info`: started here, or borrowed from around the call.

    Attributes:
        span: The span to write on.
        context: A context in which it is current; for the call, for exemplars.
        ours: Whether it was started here and so ends here.
        official: Whether the convention's own metrics are ours to record.
    """

    __slots__ = ("context", "official", "ours", "span")

    def __init__(self, tracer: trace.Tracer, info: CallInfo, start_time: int) -> None:
        around = trace.get_current_span()
        if _is_inference_of(around, info):
            _adopt(info, getattr(around, "attributes", {}))
            _borrowed.add(around)
            self.ours = False
            self.span = around
            self.official = not _scope(around).startswith(_OFFICIAL_SCOPE)
            around.set_attributes(info.span_attributes())
        else:
            self.ours = self.official = True
            self.span = tracer.start_span(
                info.span_name,
                kind=info.kind,
                attributes=info.span_attributes(),
                start_time=start_time,
            )
        self.context = _claimed(trace.set_span_in_context(self.span))

    def end(self, end_time: int) -> None:
        """End the span if it is ours (ns since the epoch)."""
        if self.ours:
            self.span.end(end_time)
        else:
            _borrowed.discard(self.span)


def _is_inference_of(span: Span, info: CallInfo) -> bool:
    """Whether `span` stands for this very call: a client inference span that has no usage yet."""
    if info.operation not in semconv.INFERENCE_OPERATIONS:
        return False  # A run of an agent is a span of its own, whatever stands around it.
    if not span.is_recording() or getattr(span, "kind", None) is not SpanKind.CLIENT:
        return False
    attributes = getattr(span, "attributes", None)
    if not isinstance(attributes, Mapping):
        return False
    if attributes.get(semconv.OPERATION_NAME) not in semconv.INFERENCE_OPERATIONS:
        return False
    if info.model and attributes.get(semconv.REQUEST_MODEL, info.model) != info.model:
        return False
    if any(name.startswith(semconv.USAGE_PREFIX) for name in attributes):
        return False
    return span not in _borrowed


def _adopt(info: CallInfo, attributes: Mapping[str, Any]) -> None:
    """What the call itself does not say, the span around it does."""
    if info.provider == UNKNOWN:
        info.operation = attributes[semconv.OPERATION_NAME]
        info.provider = attributes.get(semconv.PROVIDER_NAME, UNKNOWN)
    info.model = info.model or attributes.get(semconv.REQUEST_MODEL)
    info.server_address = info.server_address or attributes.get(semconv.SERVER_ADDRESS)


def _scope(span: Span) -> str:
    return getattr(getattr(span, "instrumentation_scope", None), "name", "") or ""


def _claimed(context: Context) -> Context:
    """`context` with the official suppression key, where the official library is loaded."""
    official = sys.modules.get("opentelemetry.util.genai._inference_invocation")
    data = getattr(official, "InferenceData", None)
    if data is None or context.get(_OFFICIAL_KEY) is not None:
        return context
    return otel_context.set_value(_OFFICIAL_KEY, data(), context)
