"""One message: the call of pywa's inner API that sends it, sync or async."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry import context as otel_context

from otel_stream import runtime
from otel_stream.delivery.in_flight import in_flight
from otel_stream.delivery.send import Send
from otel_stream.delivery.tracker import tracker_of
from otel_stream.errors import guard
from otel_stream_pywa.arguments import Arguments
from otel_stream_pywa.message import message_of

__all__ = ["send", "send_async"]

_TRACKER = "biz_opaque_callback_data"


def send(wrapped: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Stands in for a sync method that sends."""
    call = _begun(wrapped, args, kwargs)
    if call is None:
        return wrapped(*args, **kwargs)
    token = otel_context.attach(call.send.context)
    try:
        reply = wrapped(*call.arguments.args, **call.arguments.kwargs)
    except BaseException as error:
        call.failed(error)
        raise
    finally:
        otel_context.detach(token)
    call.replied(reply)
    return reply


async def send_async(
    wrapped: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Stands in for an async one."""
    call = _begun(wrapped, args, kwargs)
    if call is None:
        return await wrapped(*args, **kwargs)
    token: Any = otel_context.attach(call.send.context)
    try:
        reply = await wrapped(*call.arguments.args, **call.arguments.kwargs)
    except BaseException as error:
        if isinstance(error, GeneratorExit):
            token = None  # Closed in whatever context: nothing to detach.
        call.failed(error)
        raise
    finally:
        if token is not None:
            otel_context.detach(token)
    call.replied(reply)
    return reply


def _begun(
    wrapped: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> _Call | None:
    if runtime.is_suppressed():
        return None
    try:
        arguments = Arguments(wrapped, args, kwargs)
    except TypeError:
        return None  # pywa says so itself.
    with guard("beginning a message of pywa"):
        return _Call(arguments)
    return None


class _Call:
    """One call. Where somebody sends this message already, it is a request for that."""

    def __init__(self, arguments: Arguments) -> None:
        self.arguments = arguments
        self._message = message = message_of(arguments)
        above = in_flight.of(message)
        self._owned = above is None
        self.send = Send(message) if above is None else above
        self.send.seen(message.server_address or "", message.server_port or 0)
        if runtime.current().settings.delivery_tracker:
            tracker = tracker_of(self.send.context)
            if tracker:
                arguments.add(_TRACKER, tracker)

    def replied(self, reply: Any) -> None:
        """pywa has the reply to a request that was not refused."""
        if not self._owned:
            return
        with guard("reading a reply of pywa"):
            identity = _id_of(reply)
            if identity:
                self.send.accepted(identity)
            else:
                self.send.failed(code="no_id")

    def failed(self, error: BaseException) -> None:
        """pywa raised. Of its own errors only the number is told: their texts may hold others."""
        if not self._owned:
            return
        with guard("reading an error of pywa"):
            code = getattr(error, "code", None)
            status = getattr(error, "status_code", None)
            self.send.failed(
                error,
                code=str(code) if type(code) is int else "",
                status=status if type(status) is int else None,
            )


def _id_of(reply: Any) -> str:
    messages = reply.get("messages") if isinstance(reply, dict) else None
    first = messages[0] if isinstance(messages, list) and messages else None
    identity = first.get("id") if isinstance(first, dict) else None
    return identity if isinstance(identity, str) else ""
