"""How an answer is sent."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import TypedDict

from otel_stream.channel.cut import LIMIT, Cutter

__all__ = ["Chosen", "Manner"]

TARGET = 1000
"""As long as a message in a chat should be, where it can be shorter."""

_FIRST_WAIT = 0.5
_LONGEST_WAIT = 20.0
_PATIENCE = 60.0


class Manner(TypedDict, total=False):
    """What `stream_to_channel` takes by name. None of it is needed."""

    limit: int
    """The longest message, in UTF-16 code units. 4,096."""
    target: int | None
    """From this size on (UTF-16 code units) a paragraph is cut at the next end of a sentence, so
    that a long one need not be waited for. None: only at the limit. 1,000."""
    sentences: bool
    """Each sentence is a message."""
    spacing: float
    """Seconds between two messages. 0.5."""
    typing: bool
    """Show the person that somebody types, while nothing is being sent. True."""
    retries: int
    """How often a message is sent again that has certainly not been accepted. 3."""
    give_up: int
    """After so many failed messages in a row the rest is not sent. 3."""
    backlog: int
    """How many characters may wait to be sent. The stream is not read meanwhile, and
    `Delivery.back_pressure` says for how long. 65,536."""
    clock: Callable[[], float]
    """Monotonic seconds, for times and spacing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """A manner with all that was left out.

    Raises:
        ValueError: A number that cannot be meant.
    """

    limit: int = LIMIT
    target: int | None = TARGET
    sentences: bool = False
    spacing: float = 0.5
    typing: bool = True
    retries: int = 3
    give_up: int = 3
    backlog: int = 16 * LIMIT
    clock: Callable[[], float] = perf_counter

    def __post_init__(self) -> None:
        for name, least in (("spacing", 0), ("retries", 0), ("give_up", 1), ("backlog", 1)):
            if not getattr(self, name) >= least:
                raise ValueError(f"{name}={getattr(self, name)!r}: at least {least} is needed")

    def cutter(self) -> Cutter:
        """A cutter for one answer."""
        return Cutter(self.limit, target=self.target, sentences=self.sentences)

    def wait(self, attempt: int, after: float | None) -> float | None:
        """How long to wait before the next attempt (s), after *attempt* of them; None: not at all.

        Each wait is up to twice the one before, with jitter, so that many conversations that were
        refused at once do not come back at once. Where the channel says how long, that counts; if
        it says more than a minute, nobody waits.
        """
        if attempt > self.retries:
            return None
        spread = 1.0 - 0.5 * random.random()  # noqa: S311 - no secret
        if after is None:
            return min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** (attempt - 1)) * spread
        return after + _FIRST_WAIT * (1.0 - spread) if after <= _PATIENCE else None
