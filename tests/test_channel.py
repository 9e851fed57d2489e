"""`create_streaming_trace_context`: the answer to one message of a person."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, TraceFlags

from otel_stream import create_streaming_trace_context, semconv
from otel_stream.redaction import hashed, one_number
from otel_stream.testing import Captured

PHONE = "+55 11 99999-0000"
NUMBER = "5511999990000"


def everything(captured: Captured) -> str:
    """All that left this process, as one text."""
    spans = [(s.name, dict(s.attributes or {}), captured.events(s)) for s in captured.spans()]
    return repr((spans, captured.metrics(), captured.logs()))


def answer(**arguments: Any) -> None:
    """Make a context, and complete it."""
    create_streaming_trace_context(**arguments).log_streaming_complete("Hello")


def test_arguments(captured: Captured) -> None:
    """The factory takes instance, message, phone, name and JID of the sender (S3-17)."""
    answer(
        instance_name="support",
        whatsapp_message_id="3EB0C767",
        sender_phone=PHONE,
        sender_name="Maria",
        sender_jid=f"{NUMBER}@s.whatsapp.net",
    )
    found = captured.span().attributes or {}

    assert found[semconv.CHANNEL_INSTANCE] == "support"
    assert found[semconv.MESSAGING_MESSAGE_ID] == "3EB0C767"
    assert found[semconv.CHANNEL_MESSAGE_TYPE] == "text"
    assert found[semconv.CHANNEL_SENDER] == hashed(one_number(NUMBER))


def test_positional(captured: Captured) -> None:
    """They may be given by position, in the order of the original (S3-12)."""
    create_streaming_trace_context(
        "support", "3EB0", PHONE, "Maria", f"{NUMBER}@s.whatsapp.net", "audio"
    ).log_streaming_complete()

    assert (captured.span().attributes or {})[semconv.CHANNEL_MESSAGE_TYPE] == "audio"


@pytest.mark.parametrize(
    "arguments",
    [
        {"sender_phone": PHONE},
        {"sender_phone": NUMBER, "sender_name": "Maria"},
        {"sender_jid": f"{NUMBER}@s.whatsapp.net"},
        {"sender_jid": f"{NUMBER}:12@s.whatsapp.net"},
        {"sender_phone": int(NUMBER)},
        {"sender_phone": NUMBER, "whatsapp_message_id": f"false_{NUMBER}@c.us_3EB0"},
        {"sender_phone": NUMBER, "instance_name": f"wa-{NUMBER}"},
    ],
)
def test_no_number_leaves(arguments: dict[str, Any], captured: Captured) -> None:
    """The number is hashed wherever it stands, the name is not recorded, in any signal."""
    answer(**arguments)
    told = everything(captured)

    assert NUMBER not in told
    assert "Maria" not in told
    assert (captured.span().attributes or {})[semconv.CHANNEL_SENDER] == hashed(one_number(NUMBER))


def test_nothing_known(captured: Captured) -> None:
    """All arguments are optional, and what is not known is absent."""
    answer()

    found = captured.span().attributes or {}
    assert [name for name in found if "channel" in name or "messaging" in name] == []


def test_further_arguments(captured: Captured) -> None:
    """Options of the context are passed on; others, as the original took them, are ignored."""
    answer(model="m", attributes={"mine": 1}, has_media=True, session_name="a")

    assert captured.span().name == "chat m"
    assert (captured.span().attributes or {})["mine"] == 1
    assert "session_name" not in everything(captured)


@pytest.mark.parametrize(
    "arguments",
    [{"sender_jid": 5}, {"sender_phone": object()}, {"instance_name": 1, "whatsapp_message_id": 2}],
)
def test_odd_arguments(arguments: dict[str, Any], captured: Captured) -> None:
    """Arguments of other types are no reason to fail."""
    answer(**arguments)

    assert len(captured.spans()) == 1


class Odd(NonRecordingSpan):
    """A span of an unknown SDK: it records, and has other attributes than ours."""

    kind = SpanKind.CLIENT
    __slots__ = ()

    def is_recording(self) -> bool:
        return True

    @property
    def attributes(self) -> Any:
        raise AttributeError("none of your business")


REMOTE = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))


@pytest.mark.parametrize(
    "make",
    [
        lambda tracer: tracer.start_span("anything"),
        lambda tracer: tracer.start_span("http", kind=SpanKind.CLIENT, attributes={"a": 1}),
        lambda tracer: tracer.start_span("agent", attributes={"gen_ai.operation.name": "x"}),
        lambda tracer: NonRecordingSpan(REMOTE),
        lambda tracer: Odd(REMOTE),
        lambda tracer: trace.INVALID_SPAN,
    ],
)
def test_inside_any_span(make: Callable[[Any], Any], captured: Captured) -> None:
    """Existing code gets a streaming context whatever span is current, and never fails (S3-10)."""
    span = make(captured.tracer_provider.get_tracer("another"))
    with trace.use_span(span, end_on_exit=True):
        answer(instance_name="support")
    mine = captured.span("chat")
    parent = mine.parent.span_id if mine.parent is not None else 0

    assert parent == span.get_span_context().span_id
    assert (mine.attributes or {})[semconv.OUTCOME] == "completed"
