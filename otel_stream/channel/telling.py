"""Tells the trace what is read and sent. Whatever fails here, the person gets their answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from time import perf_counter
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.context import Context

from otel_stream import runtime, semconv
from otel_stream.channel.channel import Channel, ChannelError
from otel_stream.channel.result import Delivery
from otel_stream.content import tellable
from otel_stream.delivery.identity import hidden
from otel_stream.delivery.in_flight import in_flight
from otel_stream.delivery.open_turns import turn_around
from otel_stream.delivery.send import Message, Send
from otel_stream.delivery.typing import typing
from otel_stream.errors import guard
from otel_stream.lag import FirstText

__all__ = ["Telling", "ToldSend"]

Clock = Callable[[], float]


class ToldSend:
    """One message, told as a span. No method raises but `request`, and that only the channel's."""

    def __init__(self, message: dict[str, Any], waited: float, around: Context | None) -> None:
        self._send: Send | None = None
        with guard("beginning a send to a channel"), _within(around):
            self._message = Message(**message, ready_at=perf_counter() - waited)
            self._send = Send(self._message)

    async def request(self, make: Callable[[], Awaitable[str | None]]) -> str | None:
        """Make a request for the message, with its span current."""
        if self._send is None:
            return await make()
        with self._current(self._send):
            return await make()

    @contextmanager
    def _current(self, send: Send) -> Iterator[None]:
        """Whoever asks which message a request is for is told: by the context, or by its words."""
        with ExitStack() as around:
            with guard("attempting a send to a channel"):
                send.attempt()
                around.enter_context(_within(send.context))
                around.enter_context(in_flight.sending(send, self._message))
            yield

    def accepted(self, message_id: str | None) -> None:
        """The channel has accepted it."""
        with guard("accepting a send to a channel"):
            if self._send is not None:
                self._send.accepted(message_id)

    def failed(self, error: BaseException, code: str, status: int | None = None) -> None:
        """It has not, or nobody knows."""
        with guard("failing a send to a channel"):
            if self._send is not None:
                self._send.failed(error, code=code, status=status)


def _around(told: Any) -> Context | None:
    """The context of the user's own span, for messages that would have a trace each without it.

    Not for the stream: an instrumentor would take that span for the one of its call.
    """
    span = getattr(told, "span", None)
    return trace.set_span_in_context(span) if isinstance(span, trace.Span) else None


@contextmanager
def _within(context: Context | None) -> Iterator[None]:
    if context is None:
        yield
        return
    token = otel_context.attach(context)
    try:
        yield
    finally:
        otel_context.detach(token)


class Telling:
    """The trace of one delivery: its turn, its messages, its typing, and the user's context."""

    def __init__(self, channel: Channel, recipient: str, context: Any, clock: Clock) -> None:
        self._channel = channel
        self._recipient = recipient
        self._context = context
        self._clock = clock
        self._turn: Any = None
        self._span: Any = None
        self._own: Any = None
        self._first = True
        self._on_the_wire = FirstText()
        self._around: Context | None = None  # where messages are sent, if not in the current one
        self._where: dict[str, Any] = {}
        with guard("beginning a delivery"):
            self._where = {
                "instance": getattr(channel, "instance", None),
                "server_address": getattr(channel, "server_address", None),
                "server_port": getattr(channel, "server_port", None),
            }
            turn, here = turn_around(recipient, self._where["instance"])
            self._span = trace.get_current_span(here) if turn is None else turn.span
            if turn is None and not self._span.get_span_context().is_valid:
                self._stand_alone(context)
            if turn is not None:
                turn.hold(works=True)
                self._turn = turn

    def _stand_alone(self, told: Any) -> None:
        """There is no trace here: the user's own is one, else the answer gets a span for itself."""
        self._around = _around(told)
        if self._around is None and not runtime.is_suppressed():
            system = self._channel.system
            attributes = {
                semconv.MESSAGING_SYSTEM: system,
                semconv.DELIVERY_RECIPIENT: hidden(self._recipient),
            }
            tracer = runtime.current().tracer
            self._own = self._span = tracer.start_span(f"answer {system}", attributes=attributes)
            self._around = trace.set_span_in_context(self._own)

    def reads(self) -> None:
        """The task that reads the stream begins: whoever watches the wire beneath tells us of it.

        Nothing is detached: a task has a context of its own, which ends with it.
        """
        with guard("beginning to read a stream"):
            here = otel_context.get_current()
            if self._own is not None:
                here = trace.set_span_in_context(self._own, here)
            otel_context.attach(self._on_the_wire.within(here))

    def text(self, text: str) -> None:
        """*text* was read."""
        first, self._first = self._first, False
        if first:
            self._late(perf_counter())
        context, self._context = self._context, None
        with guard("telling a trace context of text"):
            if context is not None:
                if first:
                    context.log_first_token(text)
                context.log_streaming_chunk(text)
            self._context = context  # which is left alone once it has failed

    def _late(self, now: float) -> None:
        """The first text is here: how long ago was it on the wire?"""
        with guard("telling a consumer's lag"):
            there = self._on_the_wire.at
            if there is not None and self._span is not None:
                self._span.set_attribute(semconv.CONSUMER_LAG, max(0.0, now - there))

    def held_up(self, seconds: float) -> None:
        """So long the reading has waited for messages to be sent."""
        with guard("telling a turn of back-pressure"):
            if seconds and self._turn is not None:
                self._turn.streams.held_up(seconds)

    def message(self, text: str, ready_at: float) -> ToldSend:
        """A message that is sent now, and was ready at that time."""
        told = {"system": self._channel.system, "recipient": self._recipient, "text": text}
        return ToldSend({**told, **self._where}, self._clock() - ready_at, self._around)

    def typing(self, lasts: float) -> None:
        """The person is shown typing for so many seconds; 0: no more."""
        with guard("telling of typing"), _within(self._around):
            system, instance = self._channel.system, self._where.get("instance")
            if lasts:
                address = self._where.get("server_address")
                typing.shown(
                    self._recipient,
                    lasts,
                    system=system,
                    instance=instance,
                    server_address=address,
                )
            else:
                typing.stopped(self._recipient, system=system, instance=instance)

    def read(self, delivery: Delivery, error: BaseException | None) -> None:
        """The stream is over."""
        with guard("telling a trace context of the end"):
            if self._context is None:
                return
            failure = error
            if failure is None and delivery.run_error is not None:
                told = tellable(delivery.run_error, runtime.current().settings)
                failure = ChannelError(told or "the run reported an error")
            if failure is None:
                self._context.log_streaming_complete()
            else:
                self._context.log_streaming_error(failure)

    def ended(self, delivery: Delivery) -> None:
        """Nothing more is sent."""
        with guard("ending a delivery"):
            if self._span is not None and self._span.is_recording():
                pressure = {semconv.DELIVERY_BACK_PRESSURE: delivery.back_pressure}
                self._span.set_attributes(pressure if delivery.back_pressure else {})
                if self._turn is None and delivery.lost:
                    self._span.set_attribute(semconv.DELIVERY_LOST, delivery.lost)
            if self._turn is not None and self._turn.people.may_include(self._recipient):
                unsent = sum(message.status == "unsent" for message in delivery.messages)
                self._turn.perceived.left_out(unsent, delivery.lost)
        with guard("ending the span of an answer"):
            if self._own is not None:
                self._own.end()
        with guard("letting the turn of a delivery go"):
            if self._turn is not None:
                self._turn.release()
