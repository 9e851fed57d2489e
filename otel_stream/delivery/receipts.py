"""Receipts: what a channel says later of a message, joined to the span of its sending.

That span has ended long ago, so each piece of news is a short span in the same trace, with a link
to it, and a metric. A status may come twice, late, in any order, before the reply to the send, or
for a message that is none of ours: each counts once, and the last not at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, SpanKind, StatusCode
from opentelemetry.trace import Status as SpanStatus

from otel_stream import runtime, semconv
from otel_stream.callbacks import Dispatcher
from otel_stream.delivery.early import Early
from otel_stream.delivery.identity import hidden_id
from otel_stream.delivery.instruments import instruments_of
from otel_stream.delivery.sent import DeliveryStore, Sent
from otel_stream.delivery.status import Status, Told
from otel_stream.delivery.store import MemoryStore
from otel_stream.delivery.tracker import sent_of
from otel_stream.errors import guard
from otel_stream.settings import say_once

if TYPE_CHECKING:
    from otel_stream.delivery.sql import SQLStore

__all__ = ["Joining", "Receipts", "receipts"]

_WAITING = 10_000
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
        self.early = Early(_unknown, clock)

    def expect(self, message_id: str, sent: Sent) -> None:
        """A channel has accepted a message: statuses of this id are its."""
        with guard("keeping a message that was sent"):
            self.store.put(message_id, sent)
            self._catch_up(message_id, sent)

    def join(self, told: Told, heard: float) -> None:
        """A channel has told a status, at that time (Unix seconds)."""
        with guard("joining a delivery status"):
            sent = sent_of(told.tracker) if told.tracker else None
            if sent is not None:
                # By what it carried, not by the id that it came with: told again with others, by
                # somebody who forges webhooks, it is no news.
                key = told.tracker
                self.store.put(key, sent)
                known = self.store.find(told.message_id)  # It knows better when it was accepted.
                same = known is not None and known.span_id == sent.span_id
                self._mark(key, told, known if same and known else sent, heard)
                return
            sent = self.store.find(told.message_id)
            if sent is None:
                self.early.keep(told, heard)
                sent = self.store.find(told.message_id)  # It may have been accepted meanwhile.
                if sent is not None:
                    self._catch_up(told.message_id, sent)
                return
            # Where another process sends, nobody has said here that the message is there now.
            self._catch_up(told.message_id, sent)
            self._mark(told.message_id, told, sent, heard)

    def _catch_up(self, message_id: str, sent: Sent) -> None:
        for told, heard in self.early.take(message_id):
            self._mark(message_id, told, sent, max(heard, sent.accepted_at))

    def _mark(self, key: str, told: Told, sent: Sent, heard: float) -> None:
        if self.store.mark(key, told.status):
            _write(told, sent, heard)


class Receipts:
    """What the process's sends and webhooks tell. A store that is given may block, as disks and
    servers do, so it is opened and used on a thread of its own.
    """

    def __init__(self) -> None:
        self._memory = Joining(MemoryStore())
        self._given: object = None
        self._joining = self._memory
        self._background = Dispatcher(_WAITING, self._dropped)

    def expect(self, message_id: str, sent: Sent) -> None:
        """A channel has accepted a message: statuses of this id are its. Never blocks."""
        self._have(lambda joining: joining.expect(message_id, sent))

    def tell(self, told: Told) -> None:
        """A channel has told a status, now. Never blocks."""
        heard = time.time()
        self._have(lambda joining: joining.join(told, heard))

    def drain(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds until all that was told is written; return whether."""
        return self._background.drain(timeout)

    def _have(self, act: Callable[[Joining], None]) -> None:
        given = runtime.current().settings.delivery_store
        if given is None:
            act(self._memory)
            if self._given is not None:  # By another `instrument`.
                self._background.call(lambda _: self._joining_by(None), None)
        else:
            self._background.call(lambda _: act(self._joining_by(given)), None)

    def _joining_by(self, given: object) -> Joining:
        """On the thread of the store only."""
        if given is not self._given:
            self._close()
            self._given, self._joining = given, self._memory  # Also if it cannot be opened.
            with guard("opening the delivery store"):
                if given is not None:
                    self._joining = Joining(_opened(given))
        return self._joining

    def _close(self) -> None:
        """What we have opened we close."""
        with guard("closing the delivery store"):
            if isinstance(self._given, str) and self._joining is not self._memory:
                cast("SQLStore", self._joining.store).close()

    def _dropped(self) -> None:
        with guard("counting dropped receipts"):
            reason = {semconv.DROP_REASON: "receipts"}
            runtime.current().instruments.dropped.add(1, reason)


def _opened(given: object) -> DeliveryStore:
    if not isinstance(given, str):
        return cast(DeliveryStore, given)
    from otel_stream.delivery.sql import SQLStore

    return SQLStore(given)


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


def _write(told: Told, sent: Sent, heard: float) -> None:
    """The news, as a span in the message's trace and as a metric."""
    current = runtime.current()
    parent = trace.set_span_in_context(NonRecordingSpan(sent.span_context), Context())
    at = round(heard * 1e9)
    attributes = {
        semconv.MESSAGING_SYSTEM: sent.system,
        semconv.MESSAGING_OPERATION_NAME: "receipt",
        semconv.MESSAGING_MESSAGE_ID: hidden_id(told.message_id, told.recipient),
        semconv.DELIVERY_STATUS: told.status.value,
    }
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


receipts = Receipts()
"""The process's only ones."""

runtime.finishing.append(receipts.drain)
