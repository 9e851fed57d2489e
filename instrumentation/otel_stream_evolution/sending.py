"""One request that sends a message, until it is known whether Evolution has accepted it."""

from __future__ import annotations

from collections.abc import Mapping

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from otel_stream import semconv
from otel_stream.delivery.identity import hidden
from otel_stream.delivery.in_flight import in_flight
from otel_stream.delivery.send import Message, Send
from otel_stream.http.exchange import Exchange, Request
from otel_stream.http.redirect import REDIRECTS
from otel_stream.outcome import Outcome
from otel_stream_evolution.asked import Asked
from otel_stream_evolution.endpoint import Endpoint
from otel_stream_evolution.redirect import expect, redirected
from otel_stream_evolution.reply import Key, Reply

__all__ = ["SendCall", "begin"]

_WATCHED = otel_context.create_key("otel_stream_evolution-watched")
"""Set while a message of ours is sent: what is below sends the same one."""


def begin(endpoint: Endpoint, request: Request) -> Exchange | None:
    """Begin a message, or go on with one."""
    if otel_context.get_value(_WATCHED):
        return None
    asked = Asked(request.body())
    message = Message(
        kind=endpoint.kind,
        recipient=asked.recipient,
        text=asked.text(endpoint.kind),
        instance=endpoint.instance,
        server_address=request.host,
        server_port=request.port,
        typing_time=asked.delay,
    )
    sending = in_flight.of(message)
    if sending is not None:
        sending.seen(request.host, request.port)
        return None
    return SendCall(*(redirected(message) or (Send(message), message)))


class SendCall(Exchange):
    """An exchange about a message.

    The truth is in the reply: a message that was accepted has a key. Not every client raises for a
    refusal, and some programs take a 400 for a success.

    Args:
        send: The message's sending; ended here.
        message: What is sent.
    """

    context: Context | None

    def __init__(self, send: Send, message: Message) -> None:
        self.context = otel_context.set_value(_WATCHED, True, send.context)
        self._send = send
        self._message = message
        self._status = 0
        self._reply = Reply()

    def responded(self, status: int, headers: Mapping[str, str]) -> None:
        """The headers are there; the same message may have to go elsewhere."""
        self._status = status
        if status in REDIRECTS and "location" in headers:
            expect(self._send, self._message, status)

    def retried(self, times: int) -> None:
        """The library has tried before, beneath what we see."""
        for _ in range(1 + times):
            self._send.attempt()

    def arrived(self, data: bytes, started: float, now: float) -> None:
        """Some of the reply."""
        self._reply.add(data)

    def finished(self, started: float, now: float) -> None:
        """The whole reply is there."""
        self._judge(read=self._reply.whole)

    def left(self, outcome: Outcome, *, closed: bool) -> None:
        """The program does not want to know."""
        if closed:
            self._judge(read=False)

    def dropped(self, outcome: Outcome) -> None:
        """Nor here."""
        self._judge(read=False)

    def failed(self, error: BaseException, started: float, now: float) -> None:
        """Nobody knows, unless what had arrived says it."""
        if (key := self._reply.key) is not None:
            self._accept(key)
        else:
            self._send.failed(error, status=self._status or None)

    def _judge(self, read: bool) -> None:
        status = self._status
        if status in REDIRECTS:
            return
        if (key := self._reply.key) is not None:
            self._accept(key)
        elif not 200 <= status < 300:
            self._send.failed(code=str(status), status=status)
        elif read and self._reply:
            self._send.failed(code="no_key", status=status)  # Somebody else has replied.
        else:
            self._send.accepted()  # The status is all that there is to go by.

    def _accept(self, key: Key) -> None:
        if not self._message.recipient and key.recipient:  # The request was not to be read.
            self._message.recipient = key.recipient
            self._send.span.set_attribute(semconv.DELIVERY_RECIPIENT, hidden(key.recipient))
        self._send.accepted(key.id)
