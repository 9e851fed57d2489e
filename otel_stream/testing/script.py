"""What a provider's server does with one request: a status, headers, and steps played in order.

    Script([HoldHeaders(0.2), Send(b"data: {}\\n\\n"), WaitFor(go), Reset()])
    Script.stream(chat_text(["Hello", " you"]), every=0.02)
    Script.json({"error": {"message": "slow down"}}, status=429)

Steps are plain values without behaviour; `connection.py` plays them. A script may be played many
times, also at once.
"""

from __future__ import annotations

import json as jsonlib
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

__all__ = [
    "Cut",
    "End",
    "Ending",
    "Framing",
    "Hang",
    "HoldHeaders",
    "Reset",
    "Script",
    "Send",
    "Signal",
    "Step",
    "Wait",
    "WaitFor",
]


@dataclass(frozen=True, slots=True)
class HoldHeaders:
    """Keep the status line and headers back: for seconds, or until an event is set.

    The first step of another kind sends the headers; after it this is a mere wait.
    """

    until: float | threading.Event


@dataclass(frozen=True, slots=True)
class Send:
    """Send these bytes at once, as one chunk in one write. Its time is noted in `Request.sent`."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Wait:
    """Do nothing for so many seconds of real time. `Wait(0)` sends the headers and no more."""

    seconds: float


@dataclass(frozen=True, slots=True)
class WaitFor:
    """Do nothing until the test sets the event."""

    event: threading.Event


@dataclass(frozen=True, slots=True)
class Signal:
    """Set the event: everything before this step has been handed to the network."""

    event: threading.Event


@dataclass(frozen=True, slots=True)
class End:
    """End the body as HTTP wants it; the connection lives on. Implied by the end of the steps."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Close the connection in the middle of the body (TCP FIN, no last chunk).

    As the first step, or after `HoldHeaders` only: no headers are sent either.
    """


@dataclass(frozen=True, slots=True)
class Reset:
    """Reset the connection (TCP RST). As the first step, no headers are sent, as with `Cut`."""


@dataclass(frozen=True, slots=True)
class Hang:
    """Keep the body open and silent until the client goes away or the server is closed."""


Step = HoldHeaders | Send | Wait | WaitFor | Signal | End | Cut | Reset | Hang
Ending = Literal["end", "cut", "reset", "hang"]
Framing = Literal["chunked", "length", "close"]

_ENDINGS: dict[Ending, Step] = {"end": End(), "cut": Cut(), "reset": Reset(), "hang": Hang()}


@dataclass(frozen=True, slots=True)
class Script:
    """One reply.

    Args:
        steps: Played in order.
        status: The HTTP status.
        headers: Added to the reply. The server itself adds `x-request-id` and `request-id`
            (`Request.id`) where they are not given, and those of the framing.
        framing: How the client learns where the body ends: `chunked`; `length`: a content-length of
            all `Send` steps together; `close`: the end of the connection.
    """

    steps: Sequence[Step] = ()
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    framing: Framing = "chunked"

    @classmethod
    def stream(
        cls,
        events: Iterable[bytes],
        every: float = 0.0,
        first_after: float = 0.0,
        ending: Ending = "end",
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> Script:
        """A stream of server-sent events, each in a write of its own.

        Args:
            events: The bytes of each event, as the stream builders make them.
            every: Seconds between two events.
            first_after: Seconds from the headers to the first event.
            ending: How the body ends after the last event: `End`, `Cut`, `Reset` or `Hang`.
            status: The HTTP status.
            headers: Added to, or put in place of, `content-type: text/event-stream`.
        """
        steps: list[Step] = [Wait(first_after)]
        for number, event in enumerate(events):
            if every and number:
                steps.append(Wait(every))
            steps.append(Send(event))
        steps.append(_ENDINGS[ending])
        return cls(
            steps,
            status,
            {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
            | lower(headers),
        )

    @classmethod
    def json(
        cls,
        body: Any,
        status: int = 200,
        after: float = 0.0,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Script:
        """A JSON reply in one piece, such as an answer that is not streamed, or an HTTP error.

        Args:
            body: What is encoded.
            status: The HTTP status.
            after: Seconds before the headers.
            headers: Added to, or put in place of, `content-type: application/json`.
        """
        data = jsonlib.dumps(body, ensure_ascii=False).encode()
        return cls(
            [HoldHeaders(after), Send(data)],
            status,
            {"content-type": "application/json"} | lower(headers),
            "length",
        )

    @property
    def size(self) -> int:
        """Bytes of all `Send` steps together."""
        return sum(len(step.data) for step in self.steps if isinstance(step, Send))


def lower(headers: Mapping[str, str] | None) -> dict[str, str]:
    """*headers* with lower-case names."""
    return {name.lower(): value for name, value in (headers or {}).items()}
