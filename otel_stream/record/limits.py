"""When a wait is a stall, and what of a stream is shown."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Limits"]


class Limits(NamedTuple):
    """Stall thresholds and the time that a left stream waits for a reader (s), and chunk events.

    `first` holds before the first token, `reasoning` while the model reasons, `other` otherwise;
    `chunk_events` is `off`, `sampled` (chunks 1, 2, 4, 8 …) or `all`.
    """

    first: float = 10.0
    reasoning: float = 15.0
    other: float = 2.0
    grace: float = 1.0
    chunk_events: str = "sampled"
