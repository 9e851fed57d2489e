"""One message to a person, from its being ready to its being accepted: a CLIENT span.

By OpenTelemetry's messaging conventions (semantic conventions v1.44, messaging/messaging-spans.md).
The channel is given the text only; the span says how large it is and hides who it goes to.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import Any

import msgspec
from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode

from otel_stream import runtime, semconv
from otel_stream.content import as_json, bounded
from otel_stream.delivery.identity import hidden, hidden_id, hidden_instance
from otel_stream.delivery.instruments import DeliveryInstruments, instruments_of
from otel_stream.delivery.open_turns import turn_around
from otel_stream.delivery.receipts import receipts
from otel_stream.delivery.sent import Sent
from otel_stream.delivery.turn import Turn
from otel_stream.delivery.typing import typing
from otel_stream.errors import guard
from otel_stream.span import class_name

__all__ = ["Message", "Send", "send_in_progress"]

_SEND = otel_context.create_key("otel_stream-send")
_LONGEST_CODE = 128


class Message(msgspec.Struct, kw_only=True):
    """What is to be sent.

    Attributes:
        system: The channel.
        kind: `text`, `media`, `audio`, `sticker`, `contact`, `reaction`, …
        recipient: Number or JID; leaves as a keyed hash only.
        text: What it says. Leaves only where content is captured.
        size: Bytes of what it says; by default those of the text.
        instance: The channel's instance.
        server_address, server_port: Where it goes.
        typing_time: Seconds that the channel itself shows typing before it accepts the message.
        ready_at: When it was ready to be sent, by the clock of the send; None if at once.
    """

    system: str = "whatsapp"
    kind: str = "text"
    recipient: str = ""
    text: str | None = None
    size: int | None = None
    instance: str | None = None
    server_address: str | None = None
    server_port: int | None = None
    typing_time: float = 0.0
    ready_at: float | None = None

    def attributes(self) -> dict[str, Any]:
        """What the span has from its start."""
        size = self.size
        if size is None and self.text is not None:
            size = len(self.text.encode("utf-8", "replace"))
        found = {
            semconv.MESSAGING_SYSTEM: self.system,
            semconv.MESSAGING_OPERATION_NAME: "send",
            semconv.MESSAGING_OPERATION_TYPE: "send",
            semconv.MESSAGING_BODY_SIZE: size,
            semconv.DELIVERY_KIND: self.kind,
            semconv.DELIVERY_RECIPIENT: hidden(self.recipient) or None,
            semconv.CHANNEL_INSTANCE: hidden_instance(self.instance) or None,
            semconv.SERVER_ADDRESS: self.server_address,
            semconv.SERVER_PORT: self.server_port,
        }
        return {name: value for name, value in found.items() if value is not None}


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
        self._ending = Lock()
        self._requests = 0
        self._typed = 0.0
        self.attempts = 0
        self.span: Span = INVALID_SPAN
        self.context: Context = otel_context.get_current()
        self._turn: Turn | None = None
        self._instruments: DeliveryInstruments | None = None
        if runtime.is_suppressed():
            return
        with guard("beginning a send"):
            self._begin()

    def _begin(self) -> None:
        current = runtime.current()
        self._instruments = instruments_of(current.telemetry.meter())
        turn, around = turn_around(self._message.recipient)
        self._turn = turn
        attributes = self._message.attributes()
        self._typed = shown = typing.taken(self._message.recipient)
        if shown:
            attributes[semconv.DELIVERY_TYPING_TIME] = shown
        if turn is not None:
            turn.hold(works=True)
            turn.typing_time += shown
            attributes[semconv.DELIVERY_PART] = turn.next_part()
        self.span = current.tracer.start_span(
            f"send {self._message.system}",
            around,
            kind=SpanKind.CLIENT,
            attributes=attributes,
            start_time=self._wall,
        )
        within = trace.set_span_in_context(self.span, around)
        self.context = otel_context.set_value(_SEND, self, within)
        if current.captures and self.span.is_recording():
            self._write_text(current.settings.content_limit, current.settings.redact)

    def attempt(self, server_address: str | None = None, server_port: int | None = None) -> None:
        """A request is made for it, says who sends."""
        self.attempts += 1
        self._goes_out(server_address, server_port)

    def seen(self, server_address: str, server_port: int) -> None:
        """A request is made for it, says an instrumentor: of the two counts the larger is told."""
        self._requests += 1
        self._goes_out(server_address, server_port)

    def _goes_out(self, server_address: str | None, server_port: int | None) -> None:
        with guard("noting an attempt"):
            ready = self._message.ready_at
            if self.attempts + self._requests == 1 and ready is not None and self._instruments:
                waited = max(0.0, self._clock() - ready)
                self.span.set_attribute(semconv.DELIVERY_QUEUE_WAIT, waited)
            if server_address and self._message.server_address is None:
                self._message.server_address = server_address
                self.span.set_attribute(semconv.SERVER_ADDRESS, server_address)
                if server_port:
                    self.span.set_attribute(semconv.SERVER_PORT, server_port)

    @property
    def ended(self) -> bool:
        """Whether it is over, either way."""
        return self._ending.locked()

    def forget(self) -> None:
        """It is the parent process's."""
        self._ending.acquire(blocking=False)

    def accepted(self, message_id: str | None = None) -> None:
        """The channel has accepted it."""
        if not self._ending.acquire(blocking=False):
            return
        with guard("ending a send"):
            now = self._clock()
            if message_id:
                shown = hidden_id(message_id, self._message.recipient)
                self.span.set_attribute(semconv.MESSAGING_MESSAGE_ID, shown)
            if typed := self._message.typing_time:
                self.span.set_attribute(semconv.DELIVERY_TYPING_TIME, self._typed + typed)
            if self._turn is not None:
                self._turn.typing_time += typed
                self._turn.message_accepted(now)
            self._end(now, None)
            if message_id and self._instruments is not None:
                self._keep(message_id, now)
        self._let_go()

    def failed(
        self, error: BaseException | None = None, *, code: str = "", status: int | None = None
    ) -> None:
        """It was not accepted, or nobody knows. Of the error only its class is told: its text may
        hold a number.

        Args:
            error: What was raised.
            code: The channel's own word for why.
            status: The HTTP status of the refusal.
        """
        if not self._ending.acquire(blocking=False):
            return
        with guard("ending a send"):
            why = code or (class_name(error) if error is not None else str(status or "_OTHER"))
            why = why[:_LONGEST_CODE]
            if status is not None:
                self.span.set_attribute(semconv.HTTP_STATUS_CODE, status)
            self.span.set_attribute(semconv.ERROR_TYPE, why)
            self.span.set_status(Status(StatusCode.ERROR, "the message was not accepted"))
            if self._turn is not None:
                self._turn.message_lost(why)
            self._end(self._clock(), why)
        self._let_go()

    def __del__(self) -> None:
        if self.__dict__.get("_ending") is not None and self.span.is_recording():
            self.failed(code="abandoned")

    def _end(self, now: float, error_type: str | None) -> None:
        status = "accepted" if error_type is None else "failed"
        if self._turn is not None:
            self._turn.delivery_time += now - self._began
        self.span.set_attributes(
            {
                semconv.DELIVERY_ATTEMPTS: max(1, self.attempts, self._requests),
                semconv.DELIVERY_STATUS: status,
            }
        )
        self.span.end(self._wall + round((now - self._began) * 1e9))
        if self._instruments is not None:
            self._instruments.message(
                self._message.system, now - self._began, error_type, self.context
            )

    def _keep(self, message_id: str, now: float) -> None:
        """Have its statuses find it."""
        ids = self.span.get_span_context()
        at = (self._wall + (now - self._began) * 1e9) / 1e9
        receipts.expect(
            message_id,
            Sent(
                trace_id=ids.trace_id,
                span_id=ids.span_id,
                flags=int(ids.trace_flags),
                system=self._message.system,
                accepted_at=at,
            ),
        )

    def _let_go(self) -> None:
        turn, self._turn = self._turn, None
        with guard("letting a turn go"):
            if turn is not None:
                turn.release()

    def _write_text(self, limit: int, redact: Callable[[str], str] | None) -> None:
        if self._message.text is None or runtime.current().settings.capture_content == "event":
            return
        said = [{"role": "assistant", "parts": [{"type": "text", "content": self._message.text}]}]
        kept = bounded({semconv.OUTPUT_MESSAGES: said}, limit, redact)
        if kept is not None:
            self.span.set_attributes({name: as_json(value) for name, value in kept[0].items()})


def send_in_progress() -> Send | None:
    """The message that is being sent in this context."""
    found = otel_context.get_value(_SEND)
    return found if isinstance(found, Send) else None
