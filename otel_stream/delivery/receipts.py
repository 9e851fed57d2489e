"""Receipts: what a channel says later of a message, joined to the span of its sending.

That span has ended long ago, so each piece of news is a short span in the same trace, with a link
to it, and a metric. A status may come twice, late, in any order, before the reply to the send, or
for a message that is none of ours: each counts once, and the last not at all.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from threading import Lock
from typing import cast

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, NonRecordingSpan, SpanKind, StatusCode
from opentelemetry.trace import Status as SpanStatus

from otel_stream import runtime, semconv
from otel_stream.callbacks import Dispatcher
from otel_stream.delivery.identity import hidden_id
from otel_stream.delivery.instruments import instruments_of
from otel_stream.delivery.sent import DeliveryStore, Sent
from otel_stream.delivery.status import Status, Told
from otel_stream.delivery.store import MemoryStore
from otel_stream.delivery.tracker import sent_of
from otel_stream.errors import guard
from otel_stream.settings import say_once

__all__ = ["Receipts", "receipts"]

_WAITING = 10_000
_EARLY = 1_000
_EARLY_FOR = 60.0
_CLOCKS_APART = 1.0
"""Channels tell whole seconds."""


class Receipts:
    """Joins statuses to messages. A store on a disk or a server is used on a thread of its own."""

    def __init__(self) -> None:
        self._memory = MemoryStore()
        self._early: OrderedDict[tuple[str, Status], tuple[Told, float]] = OrderedDict()
        self._lock = Lock()
        self._given: object = None
        self._store: DeliveryStore = self._memory
        self._background = Dispatcher(_WAITING, self._dropped)

    def expect(self, message_id: str, sent: Sent) -> None:
        """A channel has accepted a message: statuses of this id are its."""
        store = self._current()
        if store is self._memory:
            self._expect(message_id, sent)
        else:
            self._background.call(lambda _: self._expect(message_id, sent), None)

    def tell(self, told: Told) -> None:
        """A channel has told a status."""
        if self._current() is self._memory:
            self._join(told)
        else:
            self._background.call(lambda _: self._join(told), None)

    def drain(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds until all that was told is written; return whether."""
        return self._background.drain(timeout)

    def _current(self) -> DeliveryStore:
        given = runtime.current().settings.delivery_store
        if given is not self._given:
            self._given, self._store = given, self._opened(given)
        return self._store

    def _opened(self, given: object) -> DeliveryStore:
        if given is None:
            return self._memory
        if not isinstance(given, str):
            return cast(DeliveryStore, given)
        with guard("opening the delivery store"):
            from otel_stream.delivery.sql import SQLStore

            return SQLStore(given)
        return self._memory

    def _expect(self, message_id: str, sent: Sent) -> None:
        with guard("keeping a message that was sent"):
            self._store.put(message_id, sent)
            with self._lock:
                early = [told for told, _ in self._early.values() if told.message_id == message_id]
                for told in early:
                    del self._early[told.message_id, told.status]
            for told in early:
                self._join(told)

    def _join(self, told: Told) -> None:
        with guard("joining a delivery status"):
            sent = sent_of(told.tracker) if told.tracker else None
            if sent is not None:
                self._store.put(told.message_id, sent)
            else:
                sent = self._store.find(told.message_id)
            if sent is None:
                self._keep_early(told)
            elif self._store.mark(told.message_id, told.status):
                _write(told, sent)

    def _keep_early(self, told: Told) -> None:
        """The reply to the send may still be on its way."""
        now = time.monotonic()
        gone = 0
        with self._lock:
            self._early[told.message_id, told.status] = (told, now)
            while self._early:
                _, since = next(iter(self._early.values()))
                if len(self._early) <= _EARLY and now - since < _EARLY_FOR:
                    break
                self._early.popitem(last=False)
                gone += 1
        if gone:
            self._unknown(gone)

    def _unknown(self, count: int) -> None:
        reason = {semconv.DROP_REASON: "receipts_unknown"}
        runtime.current().instruments.dropped.add(count, reason)
        say_once(
            "statuses came for messages that were not sent here, or too long ago: give the setting"
            " delivery_store a database if messages are sent by one process and statuses reach"
            " another"
        )

    def _dropped(self) -> None:
        with guard("counting dropped receipts"):
            reason = {semconv.DROP_REASON: "receipts"}
            runtime.current().instruments.dropped.add(1, reason)


def _write(told: Told, sent: Sent) -> None:
    """The news, as a span in the message's trace and as a metric."""
    current = runtime.current()
    parent = trace.set_span_in_context(NonRecordingSpan(sent.span_context), Context())
    now = time.time_ns()
    attributes = {
        semconv.MESSAGING_SYSTEM: sent.system,
        semconv.MESSAGING_OPERATION_NAME: "receipt",
        semconv.MESSAGING_MESSAGE_ID: hidden_id(told.message_id),
        semconv.DELIVERY_STATUS: told.status.value,
    }
    span = current.tracer.start_span(
        f"receipt {sent.system}",
        parent,
        SpanKind.CONSUMER,
        attributes,
        [Link(sent.span_context)],
        start_time=now,
    )
    if told.status is Status.FAILED:
        span.set_attribute(semconv.ERROR_TYPE, told.code or "_OTHER")
        span.set_status(SpanStatus(StatusCode.ERROR, "the message was not delivered"))
    span.end(now)
    instruments = instruments_of(current.telemetry.meter())
    context = trace.set_span_in_context(span, Context())
    instruments.status(sent.system, told.status, _latency(told, sent, now / 1e9), context)


def _latency(told: Told, sent: Sent, now: float) -> float | None:
    """Seconds from accepted until then. None where a clock was set back in between.

    The channel's own time is rounded to seconds, so it is used only where it is clearly before the
    webhook: such a webhook came late.
    """
    at = now
    if told.at is not None and sent.accepted_at <= told.at + _CLOCKS_APART < now:
        at = told.at + _CLOCKS_APART
    return at - sent.accepted_at if at >= sent.accepted_at else None


receipts = Receipts()
"""The process's only ones."""

runtime.finishing.append(receipts.drain)
