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
from otel_stream.delivery.message import Message
from otel_stream.delivery.people import People
from otel_stream.delivery.perceived import Part, Perceived
from otel_stream.delivery.streams import Streams
from otel_stream.errors import guard
from otel_stream.outcome import Outcome
from otel_stream.runtime import TURN
from otel_stream.watcher import watcher

__all__ = ["Turn", "turn_in"]

_UNBEGUN = 60.0
"""Seconds that a turn waits for its work, where nobody has taken it along."""
_FORGOTTEN = 3600.0
"""Seconds after which a turn that is held and never touched is over: somebody has forgotten it."""
_WHENEVER: Any = object()


def turn_in(context: Context | None = None) -> Turn | None:
    """The turn that the work in this context (by default the current one) belongs to."""
    found = otel_context.get_value(TURN, context)
    return found if isinstance(found, Turn) else None


class Turn:
    """One message of a person, until it is answered.

    Args:
        system: The channel, such as `whatsapp`.
        attributes: What is known of the message; nothing personal.
        instance: The channel's instance that the message came to, if it is known.
        clock: Monotonic seconds.

    Attributes:
        context: A context in which the turn's span is current.
        received: When the message came, by the clock.
        people: Who waits for the answer.
        perceived: What they get of it.
        streams: The calls that answer it.
        batch: What the turns of one webhook have in common; None where it is the only one.
        when_over: Told when the turn has ended.
    """

    def __init__(
        self,
        system: str,
        attributes: dict[str, Any],
        *,
        instance: str = "",
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.system = system
        self.clock = clock
        self.received = clock()
        self.instance = instance
        self.people = People()
        self.perceived = Perceived(self.received)
        self.streams = Streams()
        self.batch: object = None
        self.when_over: Callable[[Turn], None] | None = None
        self._wall = time.time_ns()
        self._runtime = current = runtime.current()
        self._grace = current.settings.grace
        self._instruments: DeliveryInstruments = instruments_of(current.telemetry.meter())
        self.around = trace.get_current_span().get_span_context()
        self.span = self._begun_span(attributes)
        self.context = otel_context.set_value(TURN, self, trace.set_span_in_context(self.span))
        self._lock = Lock()
        self._holders = 0
        self._let_go: float | None = self.received
        self._touched = self.received
        self._begun = self._carried = False
        self._failure: str | None = None
        self.ended = False
        self.queue_wait: float | None = None
        self._waited_until = self.received
        current.begun(id(self))
        watcher.add(self)

    def _begun_span(self, attributes: dict[str, Any]) -> Span:
        return self._runtime.tracer.start_span(
            f"process {self.system}",
            kind=SpanKind.CONSUMER,
            attributes={
                semconv.MESSAGING_SYSTEM: self.system,
                semconv.MESSAGING_OPERATION_NAME: "process",
                semconv.MESSAGING_OPERATION_TYPE: "process",
                **attributes,
            },
            start_time=self._wall,
        )

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
        self.check(self.clock())  # It may be over, and nobody has looked.
        with self._lock:
            self._holders += 1
            self._let_go = None
            self._touched = self.clock()
            self._carried = self._carried or carried
            self._begun = self._begun or works

    def release(self) -> None:
        """That one is done."""
        with self._lock:
            if not self._holders:
                return
            self._holders -= 1
            now = self._touched = self.clock()
            if self._holders or self.ended:
                return
            self._let_go = now
            at_once = self._carried and self._begun
        if at_once:
            self._end(now, of=now)

    def waited(self, since: float, now: float) -> bool:
        """It stood in a queue. Returns whether that counts.

        What is handed over later, for the answer's own sake, is no wait; what stood in two queues
        at once has waited once.
        """
        with self._lock:
            if self._begun:
                return False
            fresh = max(0.0, now - max(since, self._waited_until))
            self._waited_until = max(now, self._waited_until)
            self.queue_wait = (self.queue_wait or 0.0) + fresh
            return True

    # --- what is sent ------------------------------------------------------------------------

    def part_of(self, message: Message, typed: float = 0.0) -> Part | None:
        """A message begins: which part of the answer it is. None where it is none: it is for
        somebody else, or shows no bubble.

        Args:
            message: What is sent.
            typed: Seconds of typing that its recipient has seen before it.
        """
        if message.is_bubble and self.people.may_include(message.recipient):
            return self.perceived.begins(message, typed)
        return None

    def message_accepted(self, part: Part | None, typed: float = 0.0) -> None:
        """The channel has accepted a message, and has shown typing for so long meanwhile (s)."""
        now = self.clock()  # Who sends may have another clock.
        if part is not None and self.perceived.got(now, typed):
            self._instruments.first(self.system, now - self.received, self.context)

    def message_lost(self, part: Part | None, error_type: str, *, refused: bool = False) -> None:
        """A message was not accepted; `refused`: that is certain."""
        if part is not None:
            self.perceived.missed(part, error_type, refused=refused)

    def failed(self, error_type: str) -> None:
        """The program's own handling of the message has failed."""
        with self._lock:
            self._failure = self._failure or error_type

    # --- watched, from its beginning to its end ------------------------------------------------

    def check(self, now: float) -> float:
        """Look at it from outside, at `now`. Returns when to look again (s)."""
        with self._lock:
            since, held = self._let_go, self._holders > 0
            if held:
                last, patience = self._touched, _FORGOTTEN
            else:
                last = self.received if since is None else since
                taken_up = self._begun or self._failure is not None
                patience = self._grace if taken_up else _UNBEGUN
        if now - last >= patience:
            self._end(last, of=since)
        return last + patience

    def over(self) -> bool:
        """Whether it is over. If nobody has come in time it is from now on, whoever looks first."""
        self.check(self.clock())
        return self.ended

    def drop(self, outcome: Outcome) -> None:
        """The process ends, or nobody waits for it any more."""
        since = self._let_go
        self._end(self.clock() if since is None else since)

    def give_up(self) -> None:
        """There are too many: end it, if nobody holds it."""
        since = self._let_go
        if since is not None:
            self._end(since, of=since)

    def forget(self) -> None:
        """It is the parent process's."""
        self.ended = True
        self._lock = Lock()
        self.perceived.unlock()
        self.streams.unlock()

    # --- the end -------------------------------------------------------------------------------

    def _end(self, at: float, of: Any = _WHENEVER) -> None:
        """End it at that time. With `of`: unless somebody has taken hold of it since then."""
        with self._lock:
            if self.ended or (of is not _WHENEVER and of != self._let_go):
                return
            self.ended = True
        watcher.remove(self)
        with guard("telling that a turn is over"):
            if self.when_over is not None:
                self.when_over(self)
        with guard("writing the span of a turn"):
            self._write()
        with guard("ending the span of a turn"):
            self.span.end(self.wall(at))
        with guard("recording a turn"):
            if (last_at := self.perceived.last_at) is not None:
                self._instruments.last(self.system, last_at - self.received, self.context)
            if self.queue_wait is not None:
                self._instruments.queue_wait(self.system, self.queue_wait, self.context)
        with guard("telling the runtime of a turn"):
            self._runtime.ended(id(self))

    def _write(self) -> None:
        found = {semconv.DELIVERY_QUEUE_WAIT: self.queue_wait, **self.perceived.attributes()}
        self.span.set_attributes({name: each for name, each in found.items() if each is not None})
        lost = None if self.perceived.accepted else self.perceived.error_type
        if (error_type := self._failure or lost) is not None:
            self.span.set_attribute(semconv.ERROR_TYPE, error_type)
            what = "the message was not handled" if self._failure else "no message was accepted"
            self.span.set_status(Status(StatusCode.ERROR, what))
