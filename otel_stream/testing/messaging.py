"""What fake messaging servers share: messages that were accepted, and what goes wrong next.

    server.refuse(500)                    # the next message is not accepted, and the sender is told
    server.refuse(429, retry_after=2)     # the same, with a time to wait
    server.accept(after=0.05, times=3)    # the next three are accepted, 50 ms later each
    server.lose("reset")                  # the next one is accepted, and the sender never learns it
    server.drop("reset")                  # the next one is not, and the sender never learns that

Whoever sends sees no difference between `lose` and `drop`: only `messages` tells.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from otel_stream.testing.request import Request
from otel_stream.testing.script import Cut, Ending, Hang, HoldHeaders, Reset, Script, Step
from otel_stream.testing.server import ProviderServer

__all__ = ["AcceptedMessage", "MessagingServer", "Presence"]

_BROKEN: dict[Ending, list[Step]] = {"reset": [Reset()], "cut": [Cut()]}


@dataclass(frozen=True, slots=True)
class AcceptedMessage:
    """A message that the server has taken: its person gets it."""

    id: str
    number: str
    text: str
    """The text of a text message, the caption of media; empty for what has neither."""
    kind: str
    """What was sent: `text`, `media`, `audio`, `sticker`, `contact`, `reaction`, …"""
    payload: Mapping[str, Any] = field(repr=False, compare=False)
    """The whole body of the request."""
    at: float = field(default_factory=time.perf_counter, compare=False)
    """When it was accepted, by `time.perf_counter()`."""


@dataclass(frozen=True, slots=True)
class Presence:
    """The person was shown something: `composing`, `paused`, `recording`, `typing`, …"""

    number: str
    shown: str
    payload: Mapping[str, Any] = field(repr=False, compare=False)
    at: float = field(default_factory=time.perf_counter, compare=False)


@dataclass(frozen=True, slots=True)
class Treatment:
    """How one message is treated."""

    accepted: bool = True
    status: int | None = None
    after: float = 0.0
    body: Any = None
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    ending: Ending = "end"


class MessagingServer(ProviderServer):
    """A server that takes messages for people. Subclasses know one API.

    Args:
        delay: How long each reply takes (s).
    """

    def __init__(self, delay: float = 0.0) -> None:
        super().__init__()
        self.delay = delay
        self.messages: list[AcceptedMessage] = []
        """The messages that were accepted, in that order."""
        self.presences: list[Presence] = []
        """What people were shown between messages, in that order."""
        self._next: deque[Treatment] = deque()
        self.handler = self._handle

    # What goes wrong next

    def accept(
        self,
        status: int | None = None,
        *,
        after: float = 0.0,
        body: Any = None,
        times: int = 1,
    ) -> None:
        """Accept the next message; with another *status*, later (s), or with another *body*."""
        self._next.extend([Treatment(True, status, after, body)] * times)

    def refuse(
        self,
        status: int,
        message: str = "refused",
        *,
        body: Any = None,
        after: float = 0.0,
        retry_after: float | str | None = None,
        times: int = 1,
    ) -> None:
        """Do not accept the next message, and say so in the API's form, or with this *body*."""
        headers = {} if retry_after is None else {"retry-after": str(retry_after)}
        self._next.extend([Treatment(False, status, after, body, message, headers)] * times)

    def lose(self, ending: Ending = "reset", *, after: float = 0.0, times: int = 1) -> None:
        """Accept the next message, and end the connection before a reply: reset, cut or hang."""
        self._next.extend([Treatment(True, after=after, ending=ending)] * times)

    def drop(self, ending: Ending = "reset", *, after: float = 0.0, times: int = 1) -> None:
        """Do not accept the next message, and end the connection as `lose` does."""
        self._next.extend([Treatment(False, after=after, ending=ending)] * times)

    def reset(self) -> None:
        """Forget messages, presences, requests, and what was to go wrong."""
        super().reset()
        self.messages.clear()
        self.presences.clear()
        self._next.clear()
        self.handler = self._handle

    # What was sent

    @property
    def texts(self) -> list[str]:
        """The texts of the accepted messages."""
        return [message.text for message in self.messages]

    # In the server's thread

    def _handle(self, request: Request) -> Script:
        raise NotImplementedError

    def _problem(self, status: int, message: str) -> Any:
        """The API's body of a refusal."""
        raise NotImplementedError

    def _reply(self, message: AcceptedMessage) -> tuple[int, Any]:
        """Status and body with which the API takes *message*."""
        raise NotImplementedError

    def _take(self, message: AcceptedMessage) -> Script:
        """Treat a message as was asked for, or accept it."""
        how = self._next.popleft() if self._next else Treatment()
        after = self.delay + how.after
        if how.accepted:
            self.messages.append(message)
        if how.ending != "end":
            return Script([HoldHeaders(after), *_BROKEN.get(how.ending, [Hang()])])
        if how.accepted:
            status, body = self._reply(message)
        else:
            status, body = 500, self._problem(how.status or 500, how.message)
        return Script.json(
            body if how.body is None else how.body,
            how.status or status,
            after,
            headers=how.headers,
        )
