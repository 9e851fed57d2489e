"""The contract: with us, an application sees what it saw without us, and each call is told once.

Every way to call × sync and async × every way to end × with and without a current span × with the
SDK's own span switched on and off, against the same script on loopback.
"""

from __future__ import annotations

import os
from asyncio import CancelledError
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import INVALID_SPAN, SpanKind, StatusCode

from . import wires
from .calls import CALLS, Call
from .endings import Mishap
from .stage import HAS_NATIVE, Ending, Run, Stage, Way, http

pytestmark = pytest.mark.sdk_matrix

STREAMS = frozenset({"events"})
MARKED = STREAMS | {"raw"}
LOOPS = MARKED | {"texts"}
ALL = LOOPS | {"final"}

INTERRUPTIONS = (KeyboardInterrupt, CancelledError)
FAILURES = (openai.OpenAIError, anthropic.AnthropicError, http.HTTPError, http.StreamError)
UNFINISHED = (RuntimeError,)
"""What a helper raises that is asked for an answer that is not whole."""

ENDINGS = [
    Ending("exhausted", "completed", wires.whole, "exhausted", ALL),
    Ending("read_on", "completed", wires.whole, "read_on", STREAMS),
    Ending("read_elsewhere", "completed", wires.whole, "read_elsewhere", ALL),
    Ending("at_terminal", "completed", wires.open_at_terminal, "left_at_terminal", MARKED),
    Ending("left_and_held", "closed_early", wires.hanging, "left_and_held", MARKED),
    *(
        Ending(name, "closed_early", wires.hanging, name, LOOPS)
        for name in (
            "left",
            "closed",
            "left_with",
            "response_closed",
            "unread_and_closed",
            "passed_on",
        )
    ),
    Ending("failing", "closed_early", wires.hanging, "failing_body", LOOPS, (Mishap,)),
    Ending("failing_with", "closed_early", wires.hanging, "failing_body_with", LOOPS, (Mishap,)),
    Ending("closed_elsewhere", "closed_early", wires.paused, "closed_elsewhere", ALL, FAILURES),
    Ending("waiting", "cancelled", wires.hanging, "interrupted_waiting", ALL, INTERRUPTIONS),
    Ending("in_body", "cancelled", wires.hanging, "interrupted_in_body", LOOPS, INTERRUPTIONS),
    Ending("unread_and_dropped", "abandoned", wires.hanging, "unread_and_dropped", LOOPS),
    Ending("begun_and_dropped", "abandoned", wires.hanging, "begun_and_dropped", STREAMS),
    Ending("ended_early", "truncated", wires.ending_early, "exhausted", ALL, UNFINISHED),
    Ending("error_event", "error", wires.failing, "exhausted", ALL, FAILURES + UNFINISHED),
    Ending("cut", "error", wires.cut, "exhausted", ALL, FAILURES),
    Ending("reset", "error", wires.reset, "exhausted", ALL, FAILURES),
]

UNTOLD_OF_HELD = {"left", "left_and_held", "passed_on", "failing", "in_body"}
UNTOLD_OF_RUNNERS = UNTOLD_OF_HELD | {"unread_and_dropped", "begun_and_dropped"}


def _is_untold(call: Call, ending: Ending) -> bool:
    """What nobody can be told: `docs/concepts.md`, "What cannot be told".

    `text_stream` and tool runners keep the iterator that a loop reads, so a loop that is left drops
    nothing. Bytes are read through generators that are closed only after an exception has passed.
    """
    if call.name.endswith("tool_runner"):
        return ending.name in UNTOLD_OF_RUNNERS
    if call.kind == "texts":
        return ending.name in UNTOLD_OF_HELD
    return call.kind == "raw" and ending.name == "in_body"


WAYS = [
    Way(call, ending, asynchronous, native)
    for call in CALLS
    for asynchronous in (False, True)
    for ending in ENDINGS
    if call.kind in ending.kinds and not _is_untold(call, ending)
    for native in ((False, True) if call.sdk == "anthropic" and HAS_NATIVE else (False,))
]


COLLECTED = "aclose(): asynchronous generator is already running"
"""What asyncio says when the collector drops a chain of generators, in some orders of it."""

WHOLE = os.environ.get("OTEL_STREAM_CONTRACT") == "whole"
CASES = [
    (way, parent)
    for number, way in enumerate(WAYS)
    for parent in (False, True)
    if WHOLE or number % 2 == parent
]
"""Every way, half of them in a span; `OTEL_STREAM_CONTRACT=whole` runs each alone and in one."""


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """Server and event loop, for all of them."""
    stage = Stage([way for way, _ in CASES])
    yield stage
    stage.close()


@pytest.mark.parametrize(
    ("way", "parent"),
    [
        pytest.param(*case, id=f"{case[0].name}-{'in_span' if case[1] else 'alone'}")
        for case in CASES
    ],
)
def test_contract(stage: Stage, way: Way, parent: bool) -> None:
    """The application sees no difference, one span tells the truth, and nothing is left over."""
    bare = stage.bare(way)
    traced = stage.traced(way, parent=parent)

    assert_same_for_application(way, bare, traced)
    assert_same_on_the_wire(bare, traced)
    assert_one_true_span(way, traced)
    assert_nothing_left_over(bare, traced)


def assert_same_for_application(way: Way, bare: Run, traced: Run) -> None:
    """Chunks, exceptions, types and attributes."""
    assert bare.scene.error is None or issubclass(bare.scene.error[0], way.ending.raises)
    assert traced.scene.read() == bare.scene.read()
    assert traced.scene.error == bare.scene.error
    assert traced.scene.facts == bare.scene.facts
    assert set(traced.scene.inside) <= {traced.parent, INVALID_SPAN}


def assert_same_on_the_wire(bare: Run, traced: Run) -> None:
    """Body and headers. The trace context goes where the SDK's own span would have sent it."""
    assert traced.request.body == bare.request.body
    assert without_context(traced.request.headers) == without_context(bare.request.headers)
    assert traced.request.headers.keys() == bare.request.headers.keys()
    if "traceparent" in traced.request.headers:
        assert traced.request.headers["traceparent"] == traceparent(traced.ours[0])


def assert_one_true_span(way: Way, traced: Run) -> None:
    """One span, of all that ended, is about the call; it knows its parent and how it went."""
    (span,) = traced.ours
    found: Any = span.attributes

    assert inference_spans(traced.native) == []
    assert span.kind is SpanKind.CLIENT
    assert found["otel_stream.outcome"] == expected_outcome(way)
    assert found["gen_ai.operation.name"] == way.call.wire.operation
    assert found.get("error.type") == error_type(way, traced)
    failed = way.ending.outcome in ("truncated", "error")
    assert (span.status.status_code is StatusCode.ERROR) == failed
    assert parent_id(span) in expected_parents(way, traced)
    assert traced.open == []


def assert_nothing_left_over(bare: Run, traced: Run) -> None:
    """No task, thread, open file or log line but those that the SDK leaves by itself."""
    for kind, found in traced.left_over.items():
        left = {line for line in found if COLLECTED not in line}
        assert left <= bare.left_over[kind], kind


def expected_outcome(way: Way) -> str:
    """As the table says, but where nobody could know it."""
    # A helper keeps its iterator of texts, so a loop over it that was left says nothing of it.
    if way.call.kind == "texts" and way.ending.name in ("left", "passed_on", "failing"):
        return "abandoned"
    # httpx closes the response when a loop over it is left, before Ctrl-C can be seen.
    if way.call.name.endswith("raw.lines") and way.ending.name == "in_body":
        return "cancelled" if way.asynchronous else "closed_early"
    return way.ending.outcome


def without_context(headers: dict[str, str]) -> dict[str, str]:
    """The headers but for the trace context's value."""
    return {name: value for name, value in headers.items() if name != "traceparent"}


def traceparent(span: ReadableSpan) -> str:
    """The header that names *span*."""
    context = span.get_span_context()
    assert context is not None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def inference_spans(spans: list[ReadableSpan]) -> list[ReadableSpan]:
    """Those that a bill would be made from."""
    return [
        span
        for span in spans
        if any(name.startswith("gen_ai.usage.") for name in span.attributes or ())
        or (span.attributes or {}).get("gen_ai.operation.name") == "chat"
    ]


def parent_id(span: ReadableSpan) -> int | None:
    """The id of the parent."""
    return span.parent.span_id if span.parent is not None else None


def expected_parents(way: Way, traced: Run) -> list[int | None]:
    """The span that was current at the call: the SDK's tool runner's, or the application's."""
    if way.native and way.call.name.endswith("tool_runner"):
        return [span.context.span_id for span in traced.native if span.context is not None]
    return [traced.parent.get_span_context().span_id or None]


def error_type(way: Way, traced: Run) -> str | None:
    """`error.type`: the provider's code, or the class of the exception that the reader got."""
    if way.ending.outcome == "truncated":
        return "truncated"
    if way.ending.outcome != "error":
        return None
    if way.ending.name == "error_event":
        return way.call.wire.code
    return None if traced.scene.error is None else _qualified(traced.scene.error[0])


def _qualified(kind: type[BaseException]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
