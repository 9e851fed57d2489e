"""What a person gets of the answer to their message: what share of it, and when."""

from __future__ import annotations

from threading import Lock
from typing import Any

import msgspec

from otel_stream import semconv
from otel_stream.delivery.message import Message

__all__ = ["Part", "Perceived"]

_KEPT = 100
"""Refused messages of one answer that may be sent again."""


class Part(msgspec.Struct):
    """One message of the answer.

    Attributes:
        number: Which one, from 1.
        words: What it says, if that is a text.
        attempts: Requests made for it so far, by sends that are over.
    """

    number: int
    words: int | None = None
    attempts: int = 0


class Perceived:
    """The figures of one turn. Called from any thread.

    Args:
        since: When the person's message came, by the turn's clock.
    """

    def __init__(self, since: float) -> None:
        self._since = since
        self._refused: dict[int, Part] = {}
        self.messages = self.accepted = 0
        self.lost = 0
        self.typing_time = 0.0
        self.error_type: str | None = None
        self.first_at: float | None = None
        self.last_at: float | None = None
        self.unlock()

    def begins(self, message: Message, typed: float = 0.0) -> Part:
        """A message begins, before which the person has seen typing for so long.

        After one with the same words that was refused it takes that one's place: a program has
        tried again.
        """
        words = message.words
        with self._lock:
            self.typing_time += typed
            again = None if words is None else self._refused.pop(words, None)
            if again is not None:
                return again
            self.messages += 1
            return Part(self.messages, words)

    def got(self, now: float, typed: float = 0.0) -> bool:
        """The channel has accepted a message. Returns whether it is the first."""
        with self._lock:
            first = self.first_at is None
            self.first_at = now if self.first_at is None else self.first_at
            self.last_at = now
            self.accepted += 1
            self.typing_time += typed
            return first

    def missed(self, part: Part, error_type: str, *, refused: bool) -> None:
        """A message was not accepted; `refused`: that is certain."""
        with self._lock:
            self.error_type = self.error_type or error_type
            if refused and part.words is not None and len(self._refused) < _KEPT:
                self._refused[part.words] = part

    def left_out(self, messages: int, characters: int) -> None:
        """So many messages were given up before they were tried; of all that was said so much is in
        no accepted one.
        """
        with self._lock:
            self.messages += messages
            self.lost += characters

    def times(self) -> dict[str, float | None]:
        """To the first and to the last message so far (s)."""
        return {
            "first_message": self._after(self.first_at),
            "last_message": self._after(self.last_at),
        }

    def attributes(self) -> dict[str, Any]:
        """What the turn's span says of it."""
        tried = self.messages
        return {
            semconv.DELIVERY_TIME_TO_FIRST_MESSAGE: self._after(self.first_at),
            semconv.DELIVERY_TIME_TO_LAST_MESSAGE: self._after(self.last_at),
            semconv.DELIVERY_TYPING_TIME: self.typing_time or None,
            semconv.DELIVERY_MESSAGES: tried,
            semconv.DELIVERY_FAILED: tried - self.accepted,
            semconv.DELIVERY_SHARE: self.accepted / tried if tried else None,
            semconv.DELIVERY_LOST: self.lost or None,
        }

    def unlock(self) -> None:
        """At first, and in a forked child: who held the lock is not there."""
        self._lock = Lock()

    def _after(self, at: float | None) -> float | None:
        return None if at is None else at - self._since
