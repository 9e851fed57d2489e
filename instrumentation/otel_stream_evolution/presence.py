"""One call that shows somebody typing: taken back where the server does not do it."""

from __future__ import annotations

from collections.abc import Mapping

from otel_stream import interruption
from otel_stream.delivery.typing import typing
from otel_stream.http.exchange import Exchange, Request
from otel_stream.outcome import Outcome
from otel_stream.span import class_name
from otel_stream_evolution.asked import Asked

__all__ = ["PresenceCall", "show"]

_SHOWN = frozenset({"composing", "recording"})
_STOPPED = frozenset({"available", "paused", "unavailable"})


def show(instance: str, request: Request) -> Exchange | None:
    """Note what is shown from now on: a server may answer only when it has shown it to the end."""
    asked = Asked(request.body())
    recipient = asked.recipient
    if asked.presence in _STOPPED:
        typing.stopped(recipient, instance=instance)
    if asked.presence not in _SHOWN or not recipient:
        return None
    typing.shown(recipient, asked.delay, instance=instance, server_address=request.host)
    return PresenceCall(recipient, instance)


class PresenceCall(Exchange):
    """An exchange about typing. Its body says nothing.

    Args:
        recipient: Who sees it.
        instance: Who shows it.
    """

    def __init__(self, recipient: str, instance: str) -> None:
        self._recipient = recipient
        self._instance = instance
        self._answered = False

    def responded(self, status: int, headers: Mapping[str, str]) -> None:
        """Only a success is shown."""
        self._answered = True
        if not 200 <= status < 300:
            self._refused(str(status))

    def failed(self, error: BaseException, started: float, now: float) -> None:
        """Who gives up waiting, while the server shows it, has it shown all the same."""
        if not self._answered and not _gave_up(error):
            self._refused(class_name(error))

    def _refused(self, error_type: str) -> None:
        typing.refused(self._recipient, error_type, instance=self._instance)


def _gave_up(error: BaseException) -> bool:
    name = type(error).__name__
    waited = "Timeout" in name and "Connect" not in name
    return waited or interruption.of_error(error) is Outcome.CANCELLED
