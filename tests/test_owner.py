"""Whose span a call writes on: its own, or the inference span around it."""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from otel_stream import StreamingTraceContext, runtime, semconv, trace_stream
from otel_stream.call import CallInfo
from otel_stream.delta import Usage
from otel_stream.generic import _Items
from otel_stream.outcome import Outcome
from otel_stream.testing import Captured
from otel_stream.trace import Trace

INFERENCE = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"}


def around(captured: Captured, scope: str = "app", **options: Any) -> Any:
    """A span of somebody else's that is current in a `with` block, and ends with it."""
    tracer = captured.tracer_provider.get_tracer(scope)
    options = {"kind": SpanKind.CLIENT, "attributes": INFERENCE, **options}
    return tracer.start_as_current_span("theirs", **options)


def stream(model: str | None = "m", **options: Any) -> None:
    """A whole stream with usage."""
    list(trace_stream(["Hello", Usage(9, 2)], model=model, **options))


def test_own_span(captured: Captured) -> None:
    """Without an inference span around it, a call has a span of its own, of kind CLIENT."""
    stream()

    assert captured.span().kind is SpanKind.CLIENT
    assert captured.span().instrumentation_scope.name == "otel_stream"  # type: ignore[union-attr]


def test_enriched(captured: Captured) -> None:
    """An inference span without usage gets the stream's facts; one usage-bearing span a call."""
    with around(captured):
        stream()
    found = captured.span("theirs").attributes or {}

    assert found[semconv.OUTCOME] == "completed"
    assert found[semconv.USAGE_OUTPUT_TOKENS] == 2
    assert semconv.EVENT_COMPLETE in [name for name, _ in captured.events()]


def test_not_ended(captured: Captured) -> None:
    """Who has begun a span ends it: the stream does not (S3-10)."""
    with around(captured):
        context = StreamingTraceContext(model="m")
        context.log_streaming_complete("Hello")
        open_spans = [span.name for span in captured.open_spans()]

    assert open_spans == ["theirs"]
    assert len(captured.spans()) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"attributes": {**INFERENCE, "gen_ai.usage.input_tokens": 3}},
        {"attributes": {**INFERENCE, "gen_ai.request.model": "another"}},
        {"attributes": {**INFERENCE, "gen_ai.operation.name": "invoke_agent"}},
        {"attributes": {}},
        {"kind": SpanKind.INTERNAL},
    ],
)
def test_child(options: dict[str, Any], captured: Captured) -> None:
    """A span that has its usage, or stands for something else, gets a child."""
    with around(captured, **options):
        stream()
    mine, theirs = captured.spans()

    assert mine.parent is not None
    assert mine.parent.span_id == theirs.get_span_context().span_id
    assert semconv.OUTCOME not in (theirs.attributes or {})


def test_one_borrower(captured: Captured) -> None:
    """A span that one open stream writes on is not lent to another."""
    with around(captured):
        first, second = StreamingTraceContext(model="m"), StreamingTraceContext(model="m")
        second.log_streaming_complete()
        first.log_streaming_complete()

    assert [span.name for span in captured.spans()] == ["chat m", "theirs"]


def test_what_is_not_said(captured: Captured) -> None:
    """What a context does not say of its call, the span around it does: nothing is overwritten."""
    theirs = {**INFERENCE, "gen_ai.operation.name": "text_completion", "server.address": "host"}
    theirs["gen_ai.provider.name"] = "groq"
    with around(captured, attributes=theirs):
        StreamingTraceContext().log_streaming_complete("Hello")
    found = captured.span().attributes or {}

    assert {name: found[name] for name in theirs} == theirs
    assert captured.point(semconv.METRIC_STREAMS).attributes.items() >= theirs.items()


@pytest.mark.parametrize(("scope", "official"), [("app", 1), ("opentelemetry.util.genai", 0)])
def test_official_metrics(scope: str, official: int, captured: Captured) -> None:
    """Where an official instrumentation records the convention's metrics, they are not doubled."""
    with around(captured, scope):
        stream()
    found = captured.metrics()
    names = [name for name in semconv.RELEASED.values() if name in found]

    assert len(names) == 4 * official
    assert semconv.METRIC_STREAMS in found


def test_ended_span(captured: Captured) -> None:
    """An inference span that has ended is not written on."""
    with around(captured, end_on_exit=False) as theirs:
        theirs.end()
        stream()

    assert len(captured.spans()) == 2


def test_suppression_key(captured: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inside our call the official instrumentations find the key by which they keep silent."""
    module: Any = types.ModuleType("opentelemetry.util.genai._inference_invocation")
    module.InferenceData = dict
    monkeypatch.setitem(sys.modules, module.__name__, module)
    context = StreamingTraceContext()
    claimed = context._trace.context.get("opentelemetry.genai.client.inference.context")  # type: ignore[union-attr]
    context.log_streaming_complete()

    assert claimed == {}


def test_current_span_is_left_alone(captured: Captured) -> None:
    """Making a context changes nothing of what is current."""
    with around(captured, attributes={}) as theirs:
        context = StreamingTraceContext()
        current = trace.get_current_span()
        context.log_streaming_complete()

    assert current is theirs


def whole_run(**options: Any) -> None:
    """A whole run of an agent in the process."""
    info = CallInfo(operation="invoke_agent", provider="agno", kind=SpanKind.INTERNAL, **options)
    run = Trace(runtime.current(), info, _Items(None, None))
    run.recorder.close(Outcome.COMPLETED)


def test_a_run_in_the_process_is_no_client_call(captured: Captured) -> None:
    """Its span is INTERNAL, and the metrics of client calls are not its own."""
    whole_run(name="invoke_agent Poet")

    assert captured.span("invoke_agent Poet").kind is SpanKind.INTERNAL
    found = captured.metrics()
    assert [name for name in semconv.RELEASED.values() if name in found] == []
    assert semconv.METRIC_STREAMS in found


def test_a_run_silences_nobody(captured: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """Official instrumentations of models still make their spans inside a run."""
    module: Any = types.ModuleType("opentelemetry.util.genai._inference_invocation")
    module.InferenceData = dict
    monkeypatch.setitem(sys.modules, module.__name__, module)
    info = CallInfo(operation="invoke_agent", provider="agno", kind=SpanKind.INTERNAL)
    run = Trace(runtime.current(), info, _Items(None, None))
    claimed = run.context.get("opentelemetry.genai.client.inference.context")
    run.recorder.close(Outcome.COMPLETED)

    assert claimed is None


LLM = {"openinference.span.kind": "LLM", "llm.model_name": "m"}


def test_openinferences_span_of_a_models_call_is_enriched(captured: Captured) -> None:
    """It is of kind INTERNAL and in other words, and stands for this very call."""
    with around(captured, kind=SpanKind.INTERNAL, attributes=LLM):
        stream()

    assert (captured.span("theirs").attributes or {})[semconv.USAGE_OUTPUT_TOKENS] == 2


@pytest.mark.parametrize(
    "attributes",
    [
        {**LLM, "llm.model_name": "another"},
        {**LLM, "llm.token_count.prompt": 9},
        {**LLM, "openinference.span.kind": "AGENT"},
    ],
)
def test_openinferences_other_spans_get_a_child(
    attributes: dict[str, Any], captured: Captured
) -> None:
    """Of another model, with its usage already, or of no call of a model."""
    with around(captured, kind=SpanKind.INTERNAL, attributes=attributes):
        stream()

    assert [span.name for span in captured.spans()] == ["chat m", "theirs"]


def test_openinferences_span_that_goes_elsewhere_is_left_alone(captured: Captured) -> None:
    """What is exported to another place cannot hold what is ours."""
    theirs = Captured()
    with around(theirs, kind=SpanKind.INTERNAL, attributes=LLM):
        stream()

    assert captured.span().name == "chat m"
    assert semconv.OUTCOME not in (theirs.span().attributes or {})
    theirs.shutdown()
