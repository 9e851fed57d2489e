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
        official: Whether the convention's own metrics are ours to record. They are of client
            calls, which a run in the process is none.
    """

    __slots__ = ("context", "official", "ours", "span")

    def __init__(self, tracer: trace.Tracer, info: CallInfo, start_time: int) -> None:
        around = trace.get_current_span()
        if _is_inference(info) and _stands_for(around, info, tracer):
            _adopt(info, getattr(around, "attributes", {}))
            _borrowed.add(around)
            self.ours = False
            self.span = around
            self.official = not _scope(around).startswith(_OFFICIAL_SCOPE)
            around.set_attributes(info.span_attributes())
        else:
            self.ours = True
            self.official = info.kind is SpanKind.CLIENT
            self.span = tracer.start_span(
                info.span_name,
                kind=info.kind,
                attributes=info.span_attributes(),
                start_time=start_time,
            )
        context = trace.set_span_in_context(self.span)
        # What runs inside an agent has spans of its own, whoever makes them.
        self.context = _claimed(context) if _is_inference(info) else context

    def end(self, end_time: int) -> None:
        """End the span if it is ours (ns since the epoch)."""
        if self.ours:
            self.span.end(end_time)
        else:
            _borrowed.discard(self.span)


def _is_inference(info: CallInfo) -> bool:
    """A run of an agent is a span of its own, whatever stands around it."""
    return info.operation in semconv.INFERENCE_OPERATIONS


def _stands_for(span: Span, info: CallInfo, tracer: trace.Tracer) -> bool:
    """Whether `span` stands for this very call: an inference span that has no usage yet."""
    if not span.is_recording() or span in _borrowed:
        return False
    attributes = getattr(span, "attributes", None)
    if not isinstance(attributes, Mapping):
        return False
    if any(name.startswith(semconv.USAGES) for name in attributes):
        return False
    asked = attributes.get(semconv.REQUEST_MODEL, attributes.get(semconv.OPENINFERENCE_MODEL))
    if info.model and asked not in (None, info.model):
        return False
    if attributes.get(semconv.OPENINFERENCE_KIND) == "LLM":
        return _goes_where(span, tracer)
    is_client = getattr(span, "kind", None) is SpanKind.CLIENT
    return is_client and attributes.get(semconv.OPERATION_NAME) in semconv.INFERENCE_OPERATIONS


def _goes_where(span: Span, tracer: trace.Tracer) -> bool:
    """Whether `span` is exported where `tracer`'s are.

    OpenInference's span of a model's call is often made for a product of its own (Agno's database,
    Phoenix). Then each place has one span with usage, and neither lacks its own.
    """
    theirs = getattr(span, "_span_processor", None)
    return theirs is not None and theirs is getattr(tracer, "span_processor", None)


def _adopt(info: CallInfo, attributes: Mapping[str, Any]) -> None:
    """What the call itself does not say, the span around it does."""
    if info.provider == UNKNOWN:
        info.operation = attributes.get(semconv.OPERATION_NAME, info.operation)
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
