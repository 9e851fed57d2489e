"""The messages that are being sent now, by what they say: for requests that lost their context.

`run_in_executor` and threads of one's own take no context along, and a channel that posts there
would have each message twice: as its own, and as the request that an instrumentor sees.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from otel_stream.delivery.identity import person_of
from otel_stream.delivery.send import Message, Send, send_in_progress
from otel_stream.fork import call_in_child

__all__ = ["InFlight", "in_flight"]


class InFlight:
    """Knows a text for a person for as long as somebody sends it."""

    def __init__(self) -> None:
        self._start_anew()
        call_in_child(self._start_anew)

    @contextmanager
    def sending(self, send: Send, message: Message) -> Iterator[None]:
        """Requests for `message`, wherever they are made, are requests for `send` meanwhile."""
        key = _key(message)
        with self._lock:
            self._sends[key] = send
        try:
            yield
        finally:
            with self._lock:
                if self._sends.get(key) is send:
                    del self._sends[key]

    def of(self, message: Message) -> Send | None:
        """The send that a request for `message` belongs to: that of its context, else the one with
        its words.
        """
        send = send_in_progress()
        if send is None and self._sends and message.text is not None:
            with self._lock:
                send = self._sends.get(_key(message))
        return None if send is None or send.ended else send

    def _start_anew(self) -> None:
        """At first, and in a forked child: what is being sent is the parent's."""
        self._sends: dict[tuple[str, str, str | None], Send] = {}
        self._lock = Lock()


def _key(message: Message) -> tuple[str, str, str | None]:
    return message.system, person_of(message.recipient), message.text


in_flight = InFlight()
"""The process's only one."""
