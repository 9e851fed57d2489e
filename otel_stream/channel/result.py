"""What became of an answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Delivery", "MessageResult", "Status"]

Status = Literal["accepted", "refused", "unknown", "unsent"]


@dataclass(slots=True)
class MessageResult:
    """One message. Times are by the clock of the delivery (s)."""

    characters: int
    """How many characters of the answer it holds."""
    ready_at: float
    """When it had been cut."""
    status: Status = "unsent"
    """`unknown`: it has left, and nobody said that it was accepted. `unsent`: never tried."""
    id: str | None = None
    attempts: int = 0
    code: str = ""
    """Why it was not accepted, in the channel's words."""
    ended_at: float | None = None
    """When it was accepted, or given up."""


@dataclass(slots=True)
class Delivery:
    """What became of an answer. `read == delivered + lost + dropped`, always.

    Counts are in characters; a message's closing and opening lines of cut code are not counted,
    since nobody wrote them.
    """

    started_at: float
    messages: list[MessageResult] = field(default_factory=list)
    """In the order in which they were cut."""
    read: int = 0
    """What the stream said."""
    dropped: int = 0
    """White space between messages."""
    back_pressure: float = 0.0
    """Seconds for which the stream was not read, because messages waited to be sent."""
    error: BaseException | None = None
    """What the stream raised. It is raised again once everything ready was sent."""
    run_error: str | None = None
    """What a run said of its own failure, or that it was cancelled; its stream raises nothing."""
    first_text_at: float | None = None
    """When the first text was read."""
    ended_at: float | None = None

    @property
    def delivered(self) -> int:
        """What is in accepted messages."""
        return self._with("accepted")

    @property
    def unknown(self) -> int:
        """What may have reached the person, and is counted as lost."""
        return self._with("unknown")

    @property
    def lost(self) -> int:
        """What was read and is in no accepted message."""
        return self.read - self.dropped - self.delivered

    @property
    def failed(self) -> int:
        """Messages that were not accepted."""
        return sum(message.status != "accepted" for message in self.messages)

    @property
    def whole(self) -> bool:
        """The stream has ended well, and all of it was accepted."""
        ended = self.ended_at is not None and self.error is None and self.run_error is None
        return ended and self.lost == 0

    @property
    def first_accepted_at(self) -> float | None:
        """When the first message was accepted."""
        return min(self._accepted(), default=None)

    @property
    def last_accepted_at(self) -> float | None:
        """When the last one was."""
        return max(self._accepted(), default=None)

    def _accepted(self) -> list[float]:
        found = (m.ended_at for m in self.messages if m.status == "accepted")
        return [at for at in found if at is not None]

    def _with(self, status: Status) -> int:
        return sum(m.characters for m in self.messages if m.status == status)
