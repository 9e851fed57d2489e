"""What a message carries and gets back: found without a store, and believed if it is ours."""

from __future__ import annotations

from typing import Any

import pytest

from otel_stream.delivery import joining as module
from otel_stream.delivery.joining import Joining
from otel_stream.delivery.receipts import receipts
from otel_stream.delivery.store import MemoryStore
from otel_stream.delivery.tracker import tracker_of
from otel_stream.testing import Captured
from tests.delivery.telling import LATENCY, statuses, told


def test_by_tracker(captured: Captured, send: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that carries its trace is found where no store knows it."""
    message = send()
    tracker = tracker_of(message.context)
    message.accepted("ID1")
    monkeypatch.setattr(receipts, "_memory", Joining(MemoryStore()))
    for _ in range(2):
        told("delivered", biz_opaque_callback_data=tracker)
    message_span, span = captured.spans()

    assert len(tracker) <= 512
    assert span.links[0].context.span_id == message_span.get_span_context().span_id
    assert captured.point(LATENCY).count == 1


def test_by_tracker_and_store(captured: Captured, send: Any) -> None:
    """Where both know it, it counts once."""
    message = send()
    tracker = tracker_of(message.context)
    message.accepted("ID1")
    told("delivered", biz_opaque_callback_data=tracker)
    told("delivered", biz_opaque_callback_data=tracker)
    told("read", biz_opaque_callback_data=tracker)

    assert statuses(captured) == ["delivered", "read"]


def test_a_tracker_told_of_other_messages(captured: Captured, send: Any) -> None:
    """A tracker that somebody has seen is good for the one message only."""
    message = send()
    tracker = tracker_of(message.context)
    message.accepted("ID1")
    for number in range(100):
        told("delivered", f"forged-{number}", biz_opaque_callback_data=tracker)

    assert statuses(captured) == ["delivered"]


@pytest.mark.parametrize("first", [True, False])
def test_with_and_without_its_tracker(captured: Captured, send: Any, first: bool) -> None:
    """The same status told with what the message carried and without counts once."""
    message = send()
    tracker = tracker_of(message.context)
    message.accepted("ID1")
    for with_it in (first, not first):
        told("delivered", **({"biz_opaque_callback_data": tracker} if with_it else {}))

    assert statuses(captured) == ["delivered"]


def test_told_again_after_a_replay(captured: Captured, send: Any) -> None:
    """What was counted by a tracker alone is not counted again by the id."""
    message = send()
    tracker = tracker_of(message.context)
    message.accepted("ID1")
    told("read", "forged", biz_opaque_callback_data=tracker)
    told("read", biz_opaque_callback_data=tracker)
    told("read")

    assert statuses(captured) == ["read"]


def test_no_foreign_id_is_written(captured: Captured, send: Any) -> None:
    """An id that comes with a tracker is written where it is known to be the message's."""
    message = send()
    tracker = tracker_of(message.context)
    message.accepted("ID1")
    told("sent", "forged", biz_opaque_callback_data=tracker)
    told("read", "ID1", biz_opaque_callback_data=tracker)
    spans = captured.spans("receipt whatsapp")

    assert [(span.attributes or {}).get("messaging.message.id") for span in spans] == [None, "ID1"]


def test_a_tracker_told_of_another_message_of_ours(captured: Captured, send: Any) -> None:
    """Where the id is known, a tracker of another message says nothing."""
    first, second = send(), send()
    tracker = tracker_of(first.context)
    first.accepted("ID1")
    second.accepted("ID2")
    told("read", "ID2", biz_opaque_callback_data=tracker)
    told("read", "ID1", biz_opaque_callback_data=tracker)
    of = [span.links[0].context.span_id for span in captured.spans("receipt whatsapp")]
    sent = [span.get_span_context().span_id for span in captured.spans("send whatsapp")]

    assert of == [sent[1], sent[0]]


@pytest.mark.parametrize(
    "change",
    [
        lambda tracker: tracker[:-1] + "x",
        lambda tracker: tracker.replace("otel1;", "otel1;f", 1),
        lambda tracker: tracker.rpartition(";")[0],
        lambda tracker: "otel1;;;;;;",
        lambda tracker: "otel1;" + "0" * 500,
        lambda tracker: "their own",
        lambda tracker: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        lambda tracker: "\ud800;" * 7,
    ],
)
def test_a_changed_tracker(captured: Captured, send: Any, change: Any) -> None:
    """One that is forged, changed or somebody else's says nothing; the store still does."""
    message = send()
    tracker = change(tracker_of(message.context))
    message.accepted("ID1")
    told("read", "ID2", biz_opaque_callback_data=tracker)
    told("read", "ID1", biz_opaque_callback_data=tracker)

    assert statuses(captured) == ["read"]


def test_a_tracker_of_a_strange_channel(captured: Captured, send: Any) -> None:
    """A channel's name cannot break it; without a trace there is none."""
    tracker = tracker_of(send().context, "what;s;app")

    assert (module.sent_of(tracker) or object()).system == "whatsapp"  # type: ignore[attr-defined]
    assert tracker_of({}) == ""  # type: ignore[arg-type]
