"""The marked stream: it has all that a stream can have, whatever the environment says."""

from __future__ import annotations

import os

import pytest
from opentelemetry import metrics, trace

from otel_stream import runtime, semconv
from otel_stream.pipeline.marked import mark
from otel_stream.pipeline.sent import Sent

HOSTILE = {
    "OTEL_SDK_DISABLED": "true",
    "OTEL_TRACES_SAMPLER": "always_off",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT": "1",
    "OTEL_SPAN_EVENT_COUNT_LIMIT": "1",
    "OTEL_RESOURCE_ATTRIBUTES": "service.name=other",
    "OTEL_STREAM_DISABLED": "true",
    "OTEL_STREAM_EVENTS": "none",
}


def test_it_has_what_a_stream_can_have() -> None:
    """A first token, chunks, a stall (which gateways keep), a tool call, usage, its end."""
    sent = Sent.of(mark())
    [span] = sent.spans.values()

    assert {name for _, name, _ in span.events} == {
        semconv.EVENT_FIRST_TOKEN, semconv.EVENT_CHUNK, semconv.EVENT_STALL,
        semconv.EVENT_TOOL_CALL, semconv.EVENT_COMPLETE,
    }  # fmt: skip
    assert span.attributes[semconv.OUTCOME] == "completed"
    assert span.attributes[semconv.STALL_COUNT] >= 1
    assert span.attributes[semconv.USAGE_OUTPUT_TOKENS] == 6
    assert len(sent.records) == len(span.events)
    assert semconv.METRIC_STALLS in {metric for metric, _ in sent.points}


def test_no_variable_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is set for programs is passed over, and left as it is."""
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
    hostile, left = Sent.of(mark()), {name: os.environ[name] for name in HOSTILE}
    for name in HOSTILE:
        monkeypatch.delenv(name)
    plain = Sent.of(mark())

    [there], [here] = hostile.spans.values(), plain.spans.values()
    assert there.attributes.keys() == here.attributes.keys()
    assert [event[1] for event in there.events] == [event[1] for event in here.events]
    assert hostile.points.keys() == plain.points.keys()
    assert left == HOSTILE


def test_nothing_is_made_global() -> None:
    """Neither providers nor the runtime of this process change."""
    before = (trace.get_tracer_provider(), metrics.get_meter_provider(), runtime.installed())
    mark()

    assert (
        trace.get_tracer_provider(), metrics.get_meter_provider(), runtime.installed(),
    ) == before  # fmt: skip


def test_two_are_told_apart() -> None:
    """Each has an id of its own, in which no redaction sees a number."""
    one, two = mark().instance, mark().instance

    assert one != two
    assert one.isalnum()
    assert len(one) == 32
