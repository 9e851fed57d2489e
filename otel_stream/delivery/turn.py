"""A turn: a person's message, and all that answers it. One root span, with what they lived through.

A turn is held by whatever still works on it: the block of the webhook, what was handed over to
another thread, an answer that streams, a message that is being sent. When nothing holds it any
more, it is over. Where work is handed over without a word (`create_task`, a thread that somebody
else starts), a moment without a holder is not the end: the turn waits a little, and then ends with
the time at which it was let go.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from otel_stream import runtime, semconv
from otel_stream.delivery.instruments import DeliveryInstruments, instruments_of
from otel_stream.errors import guard
from otel_stream.outcome import Outcome
from otel_stream.runtime import TURN
from otel_stream.watcher import watcher

__all__ = ["Turn", "turn_in"]

_UNBEGUN = 60.0
"""Seconds that a turn waits for its work, where nobody has taken it along."""


def turn_in(context: Context | None = None) -> Turn | None:
    """The turn that the work in this context (by default the current one) belongs to."""
    found = otel_context.get_value(TURN, context)
    return found if isinstance(found, Turn) else None


class Turn:
    """One message of a person, until it is answered.

    Args:
        system: The channel, such as `whatsapp`.
        attributes: What is known of the message; nothing personal.
        clock: Monotonic seconds.

    Attributes:
        context: A context in which the turn's span is current.
        received: When the message came, by the clock.
        person: Number or JID of who waits, in the clear: never for a signal.
    """

    def __init__(
        self,
        system: str,
        attributes: dict[str, Any],
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.system = system
        self.clock = clock
        self.received = clock()
        self.person = ""
        self._wall = time.time_ns()
        current = runtime.current()
        self._grace = current.settings.grace
        self._instruments: DeliveryInstruments = instruments_of(current.telemetry.meter())
        self.span: Span = current.tracer.start_span(
            f"process {system}",
            kind=SpanKind.CONSUMER,
            attributes={
                semconv.MESSAGING_SYSTEM: system,
                semconv.MESSAGING_OPERATION_NAME: "process",
                semconv.MESSAGING_OPERATION_TYPE: "process",
                **attributes,
            },
            start_time=self._wall,
        )
        self.context = otel_context.set_value(TURN, self, trace.set_span_in_context(self.span))
        self._lock = Lock()
        self._holders = 0
        self._let_go: float | None = None
        self._begun = self._carried = False
        self._error_type: str | None = None
        self.ended = False
        self.queue_wait: float | None = None
        self.typing_time = self.delivery_time = 0.0
        self.lost = 0
        self.messages = self.accepted = 0
        self.first_at: float | None = None
        self.last_at: float | None = None

    def wall(self, at: float) -> int:
        """Seconds of the turn's clock as ns since the epoch; the wall clock is read once."""
        return self._wall + round((at - self.received) * 1e9)

    # --- who works on it ---------------------------------------------------------------------

    def hold(self, *, carried: bool = False, works: bool = False) -> None:
        """Somebody holds it until `release`.

        Args:
            carried: It was taken along on purpose, and will be let go where the work ends.
            works: An answer or a message begins: from here on nobody waits in a queue.
        """
        with self._lock:
            self._holders += 1
            self._let_go = None
            self._carried = self._carried or carried
            self._begun = self._begun or works

    def release(self) -> None:
        """That one is done."""
        with self._lock:
            self._holders -= 1
            if self._holders or self.ended:
                return
            now = self._let_go = self.clock()
        if self._carried and self._begun:
            self._end(now)
        else:
            watcher.add(self)

    def waited(self, seconds: float) -> None:
        """It stood in a queue. What is handed over later, for the answer's own sake, is no wait."""
        if not self._begun:
            self.queue_wait = (self.queue_wait or 0.0) + seconds

    # --- what the person gets ----------------------------------------------------------------

    def next_part(self) -> int:
        """A message begins: which one it is, from 1."""
        with self._lock:
            self.messages += 1
            return self.messages

    def message_accepted(self, now: float) -> None:
        """The channel has accepted a message."""
        with self._lock:
            self.accepted += 1
            self.last_at = now
            first = self.first_at is None
            self.first_at = self.first_at if self.first_at is not None else now
        if first:
            self._instruments.first(self.system, now - self.received, self.context)

    def message_lost(self, error_type: str) -> None:
        """A message was not accepted."""
        self._error_type = self._error_type or error_type

    def perceived(self) -> dict[str, float | None]:
        """What the person lived through so far (s since their message)."""
        since = self.received
        return {
            "first_message": _after(since, self.first_at),
            "last_message": _after(since, self.last_at),
        }

    def failed(self, error_type: str) -> None:
        """The program's own handling of the message has failed."""
        self._error_type = error_type
        self.span.set_status(Status(StatusCode.ERROR, "the message was not handled"))

    # --- watched, while nobody holds it --------------------------------------------------------

    def check(self, now: float) -> float:
        """Look at it from outside, at `now`. Returns when to look again (s)."""
        since = self._let_go
        if since is None or self.ended:
            watcher.remove(self)
            return now + 1.0
        patience = self._grace if self._begun else _UNBEGUN
        if now - since >= patience:
            self._end(since)
        return since + patience

    def drop(self, outcome: Outcome) -> None:
        """The process ends, or nobody waits for it any more."""
        self._end(self._let_go if self._let_go is not None else self.clock())

    def forget(self) -> None:
        """It is the parent process's."""
        self.ended = True

    # --- the end -------------------------------------------------------------------------------

    def _end(self, at: float) -> None:
        with self._lock:
            if self.ended:
                return
            self.ended = True
        watcher.remove(self)
        with guard("writing the span of a turn"):
            self.span.set_attributes(self._attributes())
            if self._error_type is not None and not self.accepted:
                self.span.set_attribute(semconv.ERROR_TYPE, self._error_type)
                self.span.set_status(Status(StatusCode.ERROR, "no message was accepted"))
        with guard("ending the span of a turn"):
            self.span.end(self.wall(at))
        with guard("recording a turn"):
            if self.last_at is not None:
                self._instruments.last(self.system, self.last_at - self.received, self.context)
            if self.queue_wait is not None:
                self._instruments.queue_wait(self.system, self.queue_wait, self.context)

    def _attributes(self) -> dict[str, Any]:
        since = self.received
        tried = self.messages
        found = {
            semconv.DELIVERY_QUEUE_WAIT: self.queue_wait,
            semconv.DELIVERY_TIME_TO_FIRST_MESSAGE: _after(since, self.first_at),
            semconv.DELIVERY_TIME_TO_LAST_MESSAGE: _after(since, self.last_at),
            semconv.DELIVERY_TYPING_TIME: self.typing_time or None,
            semconv.DELIVERY_MESSAGES: tried,
            semconv.DELIVERY_FAILED: tried - self.accepted,
            semconv.DELIVERY_SHARE: self.accepted / tried if tried else None,
            semconv.DELIVERY_LOST: self.lost or None,
        }
        return {name: value for name, value in found.items() if value is not None}


def _after(since: float, at: float | None) -> float | None:
    return None if at is None else at - since
