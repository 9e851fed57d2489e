"""One message: its span, its end, and what it tells of the person."""

from __future__ import annotations

import gc
import os
import threading
from typing import Any

import pytest
from opentelemetry import context as otel_context
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import StatusCode

import otel_stream
from otel_stream import errors
from otel_stream.delivery.identity import hidden
from otel_stream.delivery.send import Message, Send, send_in_progress
from otel_stream.testing import Captured, ScriptedClock
from tests.delivery.bodies import NUMBER


def test_says_it_all(captured: Captured, clock: ScriptedClock, send: Any) -> None:
    """The span of a message that was accepted at the second request."""
    message = send(
        text="Olá!",
        instance="testonho",
        server_address="evolution.example",
        server_port=8080,
        ready_at=clock(),
    )
    clock.advance(0.5)
    message.attempt()
    clock.advance(0.25)
    message.attempt("other.example", 1)
    message.accepted("3EB0C767D26A1B2C3D4E")
    span = captured.span()

    assert dict(span.attributes or {}) == {
        "messaging.system": "whatsapp",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.message.id": "3EB0C767D26A1B2C3D4E",
        "messaging.message.body.size": 5,
        "server.address": "evolution.example",
        "server.port": 8080,
        "otel_stream.channel.instance": "testonho",
        "otel_stream.delivery.kind": "text",
        "otel_stream.delivery.recipient": hidden(NUMBER),
        "otel_stream.delivery.queue_wait": 0.5,
        "otel_stream.delivery.attempts": 2,
        "otel_stream.delivery.status": "accepted",
    }
    assert (span.name, span.kind.name) == ("send whatsapp", "CLIENT")
    assert ((span.end_time or 0) - (span.start_time or 0)) / 1e9 == pytest.approx(0.75)


def test_metrics(captured: Captured, clock: ScriptedClock, send: Any) -> None:
    """Duration and counts, by channel and by what became of it, and by nothing personal."""
    first, second = send(), send()
    clock.advance(0.5)
    first.accepted("ID1")
    second.failed(status=500)
    labels = {
        "messaging.system": "whatsapp",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
    }
    found = {
        name: [(dict(point.attributes), point.value if point.value is not None else point.sum)
               for point in points]
        for name, points in captured.metrics().items()
    }  # fmt: skip
    failed = {**labels, "error.type": "500"}
    status = "otel_stream.delivery.status"

    assert found["messaging.client.operation.duration"] == [(labels, 0.5), (failed, 0.5)]
    assert found["messaging.client.sent.messages"] == [(labels, 1), (failed, 1)]
    assert found["otel_stream.delivery.messages"] == [
        ({"messaging.system": "whatsapp", status: "accepted"}, 1),
        ({"messaging.system": "whatsapp", status: "failed"}, 1),
    ]


@pytest.mark.parametrize(
    ("told", "error_type"),
    [
        ({"error": ConnectionResetError(NUMBER)}, "ConnectionResetError"),
        ({"error": OSError(), "code": "rate-limit"}, "rate-limit"),
        ({"status": 400}, "400"),
        ({"status": 400, "code": f"not on WhatsApp: {NUMBER}"}, "400"),
        ({"code": "{'message': 'x'}"}, "_OTHER"),
        ({}, "_OTHER"),
    ],
)
def test_failures(captured: Captured, send: Any, told: dict[str, Any], error_type: str) -> None:
    """Why it failed: the channel's word, else the error's class, else the status; never a text."""
    send().failed(**told)
    span = captured.span()
    attributes = dict(span.attributes or {})

    assert attributes["error.type"] == error_type
    assert attributes["otel_stream.delivery.status"] == "failed"
    assert attributes.get("http.response.status_code") == told.get("status")
    assert (span.status.status_code, span.status.description) == (
        StatusCode.ERROR,
        "the message was not accepted",
    )
    assert span.events == ()


@pytest.mark.parametrize("first", ["accepted", "failed"])
def test_one_end(captured: Captured, send: Any, first: str) -> None:
    """The first end counts, and nothing is written after it."""
    message = send()
    getattr(message, first)()
    message.attempt("late.example")
    message.seen("late.example", 80)
    message.failed(code="late")
    message.accepted("late")
    attributes = captured.span().attributes or {}

    assert attributes["otel_stream.delivery.status"] == first
    assert "late" not in str(dict(attributes))
    assert sum(p.value or 0 for p in captured.metrics()["otel_stream.delivery.messages"]) == 1


def test_a_thousand_ends_at_once(captured: Captured, send: Any) -> None:
    """Threads that end it together end it once."""
    message, go = send(), threading.Barrier(8)

    def end() -> None:
        go.wait()
        message.accepted("ID1")

    threads = [threading.Thread(target=end) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert len(captured.spans()) == 1


def test_dropped(captured: Captured, send: Any) -> None:
    """One that is dropped without a word has failed, at once."""
    message = send()
    del message

    assert (captured.span().attributes or {})["error.type"] == "abandoned"


def test_dropped_by_the_collector(captured: Captured, send: Any) -> None:
    """One in a cycle is ended on another thread, by which the collector's is not held up."""
    cycle: list[Any] = [send()]
    cycle.append(cycle)
    del cycle
    gc.collect()
    (span,) = captured.wait_for_spans(1)

    assert (span.attributes or {})["error.type"] == "abandoned"


@pytest.mark.otel_stream(sampler=ALWAYS_OFF)
def test_not_sampled(captured: Captured, send: Any) -> None:
    """A message of a trace that is not sampled is counted all the same, dropped or not."""
    send().accepted("ID1")
    dropped = send()
    del dropped
    counted = {
        str(point.attributes["otel_stream.delivery.status"]): point.value
        for point in captured.metrics()["otel_stream.delivery.messages"]
    }

    assert counted == {"accepted": 1, "failed": 1}


def test_suppressed(captured: Captured, send: Any) -> None:
    """In a block of `suppress` there is no send."""
    with otel_stream.suppress():
        message = send()
        inside = otel_context.attach(message.context)
        progress = send_in_progress()
        otel_context.detach(inside)
        message.attempt()
        message.accepted("ID1")

    assert (captured.spans(), captured.metrics(), progress) == ([], {}, None)


def test_in_progress(captured: Captured, send: Any) -> None:
    """Instrumentors find it in its context until it has ended; the next request is another's."""
    message = send()
    token = otel_context.attach(message.context)
    before = send_in_progress()
    message.accepted()
    after = send_in_progress()
    otel_context.detach(token)

    assert (before, after, send_in_progress()) == (message, None, None)


def test_two_counts_of_requests(captured: Captured, send: Any) -> None:
    """Who sends and an instrumentor both count requests: the larger count is told."""
    message = send()
    message.attempt()
    for _ in range(3):
        message.seen("evolution.example", 443)
    message.accepted()
    attributes = captured.span().attributes or {}

    assert attributes["otel_stream.delivery.attempts"] == 3
    assert (attributes["server.address"], attributes["server.port"]) == ("evolution.example", 443)


def test_leaves_the_message_alone(captured: Captured, clock: ScriptedClock) -> None:
    """A message that is sent to two servers has each one's address on its span."""
    message = Message(recipient=NUMBER, text="Hi")
    for address in ("one.example", "two.example"):
        send = Send(message, clock=clock)
        send.seen(address, 80)
        send.accepted()

    addresses = [(span.attributes or {})["server.address"] for span in captured.spans()]
    assert addresses == ["one.example", "two.example"]


def test_content_stays_by_default(captured: Captured, send: Any) -> None:
    """No text, no number and no id that speaks of one is on the span, or in a metric."""
    send(text="my secret", instance=NUMBER).accepted(f"true_{NUMBER}@c.us_3EB0")
    everything = str([dict(s.attributes or {}) for s in captured.spans()]) + str(captured.metrics())

    assert "secret" not in everything
    assert NUMBER not in everything


@pytest.mark.otel_stream(capture_content="span")
def test_content_on_request(captured: Captured, send: Any) -> None:
    """With content captured the text is on the span, in the convention's form."""
    send(text="Hello").accepted()

    assert (captured.span().attributes or {})["gen_ai.output.messages"] == (
        '[{"role":"assistant","parts":[{"type":"text","content":"Hello"}]}]'
    )


@pytest.mark.otel_stream(capture_content="span", redact=lambda text: text.replace("Ana", "[…]"))
def test_content_redacted(captured: Captured, send: Any) -> None:
    """What is captured is redacted first."""
    send(text="Hello Ana").accepted()
    text = str((captured.span().attributes or {})["gen_ai.output.messages"])

    assert "Hello […]" in text
    assert "Ana" not in text


@pytest.mark.otel_stream(capture_content="span", redact=lambda text: 1 / 0)
def test_content_that_cannot_be_redacted(captured: Captured, lenient: None, send: Any) -> None:
    """What cannot be redacted does not leave, and the message is sent."""
    send(text="Hello Ana").accepted()

    assert "gen_ai.output.messages" not in (captured.span().attributes or {})


def test_half_an_emoji(captured: Captured, send: Any) -> None:
    """A text that was cut within a character has a size."""
    send(text="\ud83d").accepted("\ud83d")

    assert (captured.span().attributes or {})["messaging.message.id"] == "?"


def test_nothing_is_raised(captured: Captured, lenient: None) -> None:
    """Whatever a program passes, it hears nothing of what we cannot make of it."""
    message: Any = Message(recipient=object(), text=7, server_port="x")  # type: ignore[arg-type]
    send = Send(message)
    send.attempt(object(), object())  # type: ignore[arg-type]
    send.accepted(object())  # type: ignore[arg-type]
    Send(None).failed("x", code=object(), status=object())  # type: ignore[arg-type]
    failed = set(errors.faults)

    assert failed <= {"beginning a send", "noting an attempt", "writing why a message failed",
                      "recording a send"}  # fmt: skip


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_sends_nothing(captured: Captured, send: Any) -> None:
    """A message that was being sent when the process forked ends in the parent only."""
    message, (read, write) = send(), os.pipe()
    child = os.fork()
    if child == 0:
        message.accepted("ID1")
        os.write(write, b"%d" % len(captured.spans()))
        os._exit(0)
    os.waitpid(child, 0)
    told = os.read(read, 10)
    for end in (read, write):
        os.close(end)
    message.accepted("ID1")

    assert (told, len(captured.spans())) == (b"0", 1)
