"""The requests that are Evolution's: messages, one span each, and typing, one span a stretch."""

from __future__ import annotations

from opentelemetry import context as otel_context

from otel_stream.delivery.send import Message, Send, send_in_progress
from otel_stream.delivery.typing import typing
from otel_stream.http.exchange import Exchange, Request
from otel_stream_evolution.asked import Asked
from otel_stream_evolution.endpoint import PRESENCE, Endpoint, endpoint_of
from otel_stream_evolution.presence import PresenceCall
from otel_stream_evolution.redirect import redirected
from otel_stream_evolution.sending import WATCHED, SendCall

__all__ = ["Calls"]

_SHOWN = frozenset({"composing", "recording"})
_STOPPED = frozenset({"available", "paused", "unavailable"})


class Calls:
    """An `Interest` in requests to Evolution servers. Which servers those are, the paths say."""

    def watch(self, request: Request) -> Exchange | None:
        """Begin a message or note typing, if the request is one."""
        endpoint = endpoint_of(request.path)
        if endpoint is None or request.method != "POST":
            return None
        if endpoint.kind == PRESENCE:
            return _presence(endpoint, request)
        if otel_context.get_value(WATCHED):
            return None  # One library on top of another: seen above.
        return _sending(endpoint, request)


def _presence(endpoint: Endpoint, request: Request) -> Exchange | None:
    asked = Asked(request.body())
    if asked.presence in _STOPPED:
        typing.stopped(asked.recipient)
    if asked.presence not in _SHOWN or not asked.recipient:
        return None
    # From now on: a server may answer only when it has shown it for as long as was asked.
    typing.shown(
        asked.recipient, asked.delay, instance=endpoint.instance, server_address=request.host
    )
    return PresenceCall(asked.recipient)


def _sending(endpoint: Endpoint, request: Request) -> Exchange | None:
    sending = send_in_progress()
    if sending is not None:
        sending.seen(request.host, request.port)
        return None
    asked = Asked(request.body())
    message = Message(
        kind=endpoint.kind,
        recipient=asked.recipient,
        text=asked.text(endpoint.kind),
        instance=endpoint.instance,
        server_address=request.host,
        server_port=request.port,
    )
    send = redirected(message)
    if send is None:
        send = Send(message)
        send.attempt()
    return SendCall(send, message)
