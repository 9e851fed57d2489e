"""One message to a person, from its being ready to its being accepted: a CLIENT span.

By OpenTelemetry's messaging conventions (semantic conventions v1.44, messaging/messaging-spans.md).
The channel is given the text only; the span says how large it is and hides who it goes to.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Callable
from functools import partial
from threading import Lock

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode

from otel_stream import runtime, semconv
from otel_stream.content import as_json, bounded
from otel_stream.delivery.identity import hidden_id, word
from otel_stream.delivery.instruments import DeliveryInstruments, instruments_of
from otel_stream.delivery.message import Message
from otel_stream.delivery.open_turns import turn_around
from otel_stream.delivery.perceived import Part
from otel_stream.delivery.receipts import receipts
from otel_stream.delivery.sent import Sent
from otel_stream.delivery.turn import Turn
from otel_stream.delivery.typing import typing
from otel_stream.errors import guard
from otel_stream.runtime import Runtime
from otel_stream.settings import Settings
from otel_stream.span import class_name
from otel_stream.watcher import watcher

__all__ = ["Message", "Send", "send_in_progress"]

_UNAVAILABLE = 503
"""The one status of a server's fault that says for certain that nothing was accepted."""
_SEND = otel_context.create_key("otel_stream-send")


class Send:
    """The sending of one message. No method raises or blocks; the first end counts.

    Args:
        message: What is sent.
        clock: Monotonic seconds.

    Attributes:
        context: Attach it while requests are made for this message: then instrumentors of HTTP
            clients and channels' libraries take those for attempts, and make no span of their own.
    """

    def __init__(
        self,
        message: Message,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._message = message
        self._clock = clock
        self._began = clock()
        self._wall = time.time_ns()
        self._process = os.getpid()
        self._ending = Lock()
        self._requests = 0
        self._located = False
        self._typed = 0.0
        self.attempts = 0
        self.span: Span = INVALID_SPAN
        self.context: Context = otel_context.get_current()
        self._turn: Turn | None = None
        self._part: Part | None = None
        self._before = 0
        self._instruments: DeliveryInstruments | None = None
        self._runtime: Runtime | None = None
        if runtime.is_suppressed():
            return
        with guard("beginning a send"):
            self._begin()

    def _begin(self) -> None:
        watcher.ready()  # For `__del__`.
        self._runtime = current = runtime.current()
        self._instruments = instruments_of(current.telemetry.meter())
        message = self._message
        turn, around = turn_around(message.recipient, message.instance)
        attributes = message.attributes()
        self._located = message.server_address is not None
        self._typed = shown = self._typing_shown()
        if shown:
            attributes[semconv.DELIVERY_TYPING_TIME] = shown
        if turn is not None:
            self._part = part = turn.part_of(message, shown)
            turn.hold(works=part is not None)
            self._turn = turn
            if part is not None:
                self._before = part.attempts
                attributes[semconv.DELIVERY_PART] = part.number
        self.span = current.tracer.start_span(
            f"send {message.system}",
            around,
            kind=SpanKind.CLIENT,
            attributes=attributes,
            start_time=self._wall,
        )
        current.begun(id(self))
        within = trace.set_span_in_context(self.span, around)
        # Weak: else a send that is dropped would wait for the garbage collector to be ended.
        self.context = otel_context.set_value(_SEND, weakref.ref(self), within)
        if current.captures and self.span.is_recording():
            self._write_text(current.settings)

    @property
    def ended(self) -> bool:
        """Whether it is over, either way."""
        return self._ending.locked()

    def forget(self) -> None:
        """It is the parent process's."""
        self._ending.acquire(blocking=False)

    def attempt(self, server_address: str | None = None, server_port: int | None = None) -> None:
        """A request is made for it, says who sends."""
        self.attempts += 1
        self._goes_out(server_address, server_port)

    def seen(self, server_address: str, server_port: int) -> None:
        """A request is made for it, says an instrumentor: of the two counts the larger is told."""
        self._requests += 1
        self._goes_out(server_address, server_port)

    def _goes_out(self, server_address: str | None, server_port: int | None) -> None:
        if self.ended:
            return
        with guard("noting an attempt"):
            ready = self._message.ready_at
            if self.attempts + self._requests == 1 and ready is not None:
                waited = max(0.0, self._clock() - ready)
                self.span.set_attribute(semconv.DELIVERY_QUEUE_WAIT, waited)
            if server_address and not self._located:
                self._located = True
                self.span.set_attribute(semconv.SERVER_ADDRESS, server_address)
                if server_port:
                    self.span.set_attribute(semconv.SERVER_PORT, server_port)

    def accepted(self, message_id: str | None = None) -> None:
        """The channel has accepted it."""
        if not self._may_end():
            return
        now = self._clock()
        # What was asked for may be more than what was shown: the message is there.
        typed = min(now - self._began, self._message.typing_time + self._typing_over())
        with guard("telling a turn of a message"):
            if self._turn is not None:
                self._turn.message_accepted(self._part, typed)
        with guard("writing the id of a message"):
            if message_id:
                shown = hidden_id(message_id, self._message.recipient)
                self.span.set_attribute(semconv.MESSAGING_MESSAGE_ID, shown)
            if typed:
                self.span.set_attribute(semconv.DELIVERY_TYPING_TIME, self._typed + typed)
        self._end(now, None)
        with guard("keeping a message that was sent"):
            if message_id and self._instruments is not None:
                self._keep(str(message_id), now)

    def _typing_over(self) -> float:
        """The message takes the place of the typing. What was shown since the send began (s)."""
        if self._instruments is None or not self._message.is_bubble:
            return 0.0
        message = self._message
        typing.stopped(message.recipient, system=message.system, instance=message.instance)
        return self._typing_shown()

    def _typing_shown(self) -> float:
        """Seconds of typing that no message has counted yet."""
        message = self._message
        if not message.is_bubble:
            return 0.0
        return typing.taken(message.recipient, system=message.system, instance=message.instance)

    def failed(
        self, error: BaseException | None = None, *, code: str = "", status: int | None = None
    ) -> None:
        """It was not accepted, or nobody knows. Of the error only its class is told: its text may
        hold a number.

        Args:
            error: What was raised.
            code: The channel's own word for why; what is no word but a text is left out.
            status: The HTTP status of the refusal.
        """
        if not self._may_end():
            return
        now, why = self._clock(), "_OTHER"
        with guard("writing why a message failed"):
            why = word(code) or (class_name(error) if error is not None else str(status or why))
            if status is not None:
                self.span.set_attribute(semconv.HTTP_STATUS_CODE, status)
            self.span.set_attribute(semconv.ERROR_TYPE, why)
            self.span.set_status(Status(StatusCode.ERROR, "the message was not accepted"))
        with guard("telling a turn of a message"):
            if self._turn is not None:
                refused = status is not None and (400 <= status < 500 or status == _UNAVAILABLE)
                self._turn.message_lost(self._part, why, refused=refused)
        self._end(now, why)

    def __del__(self) -> None:
        """Whoever was sending has gone, without a word."""
        ending = self.__dict__.get("_ending")
        if ending is None or ending.locked() or self.span is INVALID_SPAN:
            return
        with guard("dropping a send"):  # It lives again for this, and is destroyed only once.
            watcher.soon(partial(self.failed, code="abandoned"))

    def _may_end(self) -> bool:
        """Whether this is the first end, in the process in which it has begun."""
        return self._ending.acquire(blocking=False) and self._process == os.getpid()

    def _end(self, now: float, error_type: str | None) -> None:
        attempts = self._before + max(1, self.attempts, self._requests)
        if self._part is not None:
            self._part.attempts = attempts
        attributes = {
            semconv.DELIVERY_ATTEMPTS: attempts,
            semconv.DELIVERY_STATUS: "accepted" if error_type is None else "failed",
        }
        with guard("writing a send"):
            self.span.set_attributes(attributes)
        with guard("ending a send"):
            self.span.end(self._wall + round((now - self._began) * 1e9))
        with guard("recording a send"):
            if self._instruments is not None:
                took = now - self._began
                self._instruments.message(self._message.system, took, error_type, self.context)
        with guard("letting a turn go"):
            turn, self._turn = self._turn, None
            if turn is not None:
                # What was ready before is sent beside the loop that makes more of it.
                turn.streams.sent(now - self._began, in_loop=self._message.ready_at is None)
                turn.release()
        with guard("telling the runtime of a send"):
            if self._runtime is not None:
                self._runtime.ended(id(self))

    def _keep(self, message_id: str, now: float) -> None:
        """Have its statuses find it."""
        ids = self.span.get_span_context()
        sent = Sent(
            trace_id=ids.trace_id,
            span_id=ids.span_id,
            flags=int(ids.trace_flags),
            system=self._message.system,
            accepted_at=self._wall / 1e9 + (now - self._began),
        )
        receipts.expect(message_id, sent)

    def _write_text(self, settings: Settings) -> None:
        if self._message.text is None or settings.capture_content == "event":
            return
        said = [{"role": "assistant", "parts": [{"type": "text", "content": self._message.text}]}]
        kept = bounded({semconv.OUTPUT_MESSAGES: said}, settings.content_limit, settings.redact)
        if kept is not None:
            self.span.set_attributes({name: as_json(value) for name, value in kept[0].items()})


def send_in_progress() -> Send | None:
    """The message that is being sent in this context. None once it is accepted, or has failed."""
    found = otel_context.get_value(_SEND)
    send = found() if isinstance(found, weakref.ref) else None
    return send if isinstance(send, Send) and not send.ended else None
