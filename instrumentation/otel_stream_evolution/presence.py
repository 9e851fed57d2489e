"""One call that shows somebody typing: taken back where the server does not do it."""

from __future__ import annotations

from collections.abc import Mapping

from otel_stream import interruption
from otel_stream.delivery.typing import typing
from otel_stream.http.exchange import Exchange
from otel_stream.outcome import Outcome
from otel_stream.span import class_name

__all__ = ["PresenceCall"]


class PresenceCall(Exchange):
    """An exchange about typing. Its body says nothing.

    Args:
        recipient: Who sees it.
    """

    def __init__(self, recipient: str) -> None:
        self._recipient = recipient
        self._answered = False

    def responded(self, status: int, headers: Mapping[str, str]) -> None:
        """Only a success is shown."""
        self._answered = True
        if not 200 <= status < 300:
            typing.refused(self._recipient, str(status))

    def failed(self, error: BaseException, started: float, now: float) -> None:
        """Who gives up waiting, while the server shows it, has it shown all the same."""
        if not self._answered and not _gave_up(error):
            typing.refused(self._recipient, class_name(error))


def _gave_up(error: BaseException) -> bool:
    name = type(error).__name__
    waited = "Timeout" in name and "Connect" not in name
    return waited or interruption.of_error(error) is Outcome.CANCELLED
