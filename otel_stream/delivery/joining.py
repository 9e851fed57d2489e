"""Joins what a channel says later of a message to the span of its sending.

That span has ended long ago, so each piece of news is a short span in the same trace, with a link
to it, and a metric. A status may come twice, late, in any order, before the reply to the send, or
for a message that is none of ours: each counts once, and the last not at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, SpanKind, StatusCode
from opentelemetry.trace import Status as SpanStatus

from otel_stream import runtime, semconv
from otel_stream.delivery.early import Early, Heard
from otel_stream.delivery.identity import hidden_id
from otel_stream.delivery.instruments import instruments_of
from otel_stream.delivery.sent import DeliveryStore, Sent
from otel_stream.delivery.status import Status, Told
from otel_stream.delivery.tracker import sent_of
from otel_stream.errors import guard
from otel_stream.settings import say_once

__all__ = ["Joining"]

_CLOCKS_APART = 1.0
"""Channels tell whole seconds."""
_A_MOMENT = 1_000
"""Nanoseconds that a piece of news lasts: Jaeger takes a span of no length for a broken one."""


class Joining:
    """Joins statuses to messages by one store.

    Args:
        store: Where messages wait.
        clock: Monotonic seconds.
    """

    def __init__(self, store: DeliveryStore, clock: Callable[[], float] = time.monotonic) -> None:
        self.store = store
        self.early = Early(clock)

    def expect(self, message_id: str, sent: Sent) -> None:
        """A channel has accepted a message: statuses of this id are its."""
        with guard("keeping a message that was sent"):
            self.store.put(message_id, sent)
            self._catch_up(message_id, sent)

    def join(self, told: Told, heard: float) -> None:
        """A channel has told a status, at that time (Unix seconds)."""
        with guard("joining a delivery status"):
            known = self.store.find(told.message_id)
            carried = sent_of(told.tracker) if told.tracker else None
            if carried is not None and (known is None or known.span_id == carried.span_id):
                self._join_by_tracker(told, carried, known, heard)
                return
            if known is None:
                gone = self.early.keep(told, heard)
                known = self.store.find(told.message_id)  # It may have been accepted meanwhile.
                if known is not None:
                    self._catch_up(told.message_id, known)
                self._give_up(gone)
                return
            # Where another process sends, nobody has said here that the message is there now.
            self._catch_up(told.message_id, known)
            self._mark(told.message_id, told, known, heard)

    def look_again(self) -> None:
        """Ask for the messages that statuses wait for, where it is time for that."""
        with guard("looking for messages again"):
            for message_id in self.early.due():
                known = self.store.find(message_id)
                if known is not None:
                    self._catch_up(message_id, known)
        self._give_up(self.early.over())

    def end(self) -> None:
        """Nobody will ask again."""
        self._give_up(self.early.over(all_of_them=True))

    def _join_by_tracker(self, told: Told, carried: Sent, known: Sent | None, heard: float) -> None:
        """By what it carried, not by the id that it came with: told again with others, by somebody
        who forges webhooks, it is no news, and no id that is not known to be ours is written.
        """
        self.store.put(told.tracker, carried)
        # The id first: of two that are told the same at once, one goes on, and is not stopped here.
        if known is not None and not self.store.mark(told.message_id, told.status):
            return
        if self.store.mark(told.tracker, told.status):
            shown = "" if known is None else hidden_id(told.message_id, told.recipient)
            # The store knows better when it was accepted.
            _write(told, known or carried, heard, shown)

    def _catch_up(self, message_id: str, sent: Sent) -> None:
        for told, heard in self.early.take(message_id):
            self._mark(message_id, told, sent, max(heard, sent.accepted_at))

    def _mark(self, message_id: str, told: Told, sent: Sent, heard: float) -> None:
        if self.store.mark(message_id, told.status):
            _write(told, sent, heard, hidden_id(message_id, told.recipient))

    def _give_up(self, gone: list[Heard]) -> None:
        """Look for them once more. Those that nobody has sent are counted."""
        unknown = len(gone)
        with guard("looking for messages a last time"):
            for told, heard in gone:
                known = self.store.find(told.message_id)
                if known is not None:
                    unknown -= 1
                    self._mark(told.message_id, told, known, max(heard, known.accepted_at))
        if unknown:
            _unknown(unknown)


def _unknown(count: int) -> None:
    """Nobody has come for so many statuses."""
    with guard("counting unknown statuses"):
        reason = {semconv.DROP_REASON: "receipts_unknown"}
        runtime.current().instruments.dropped.add(count, reason)
        say_once(
            "statuses came for messages that were not sent here, or too long ago: give the setting"
            " delivery_store a database if messages are sent by one process and statuses reach"
            " another"
        )


def _write(told: Told, sent: Sent, heard: float, shown_id: str) -> None:
    """The news, as a span in the message's trace and as a metric."""
    current = runtime.current()
    parent = trace.set_span_in_context(NonRecordingSpan(sent.span_context), Context())
    at = round(heard * 1e9)
    attributes = {
        semconv.MESSAGING_SYSTEM: sent.system,
        semconv.MESSAGING_OPERATION_NAME: "receipt",
        semconv.DELIVERY_STATUS: told.status.value,
    }
    if shown_id:
        attributes[semconv.MESSAGING_MESSAGE_ID] = shown_id
    span = current.tracer.start_span(
        f"receipt {sent.system}",
        parent,
        SpanKind.CONSUMER,
        attributes,
        [Link(sent.span_context)],
        start_time=at,
    )
    if told.status is Status.FAILED:
        span.set_attribute(semconv.ERROR_TYPE, told.code or "_OTHER")
        span.set_status(SpanStatus(StatusCode.ERROR, "the message was not delivered"))
    span.end(at + _A_MOMENT)
    instruments = instruments_of(current.telemetry.meter())
    context = trace.set_span_in_context(span, Context())
    instruments.status(sent.system, told.status, _latency(told, sent, heard), context)


def _latency(told: Told, sent: Sent, heard: float) -> float | None:
    """Seconds from accepted until then. None where a clock was set back in between.

    The channel's own time is rounded to seconds, so it is used only where it is clearly before the
    webhook: such a webhook came late.
    """
    at = heard
    if told.at is not None and sent.accepted_at <= told.at + _CLOCKS_APART < heard:
        at = told.at + _CLOCKS_APART
    return at - sent.accepted_at if at >= sent.accepted_at else None
