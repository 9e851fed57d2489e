"""Takes a batch from a queue to its exporter: in parts, and as often as it takes.

While a receiver is away the batch stays here, on the thread of the queue, which fills up behind it:
so what is kept is bounded by the queue and one batch. When the queue is full, what is new is
dropped: the beginning of what went on while nobody saw it explains more than its end, the metrics
have all of it, and nothing that was accepted is taken back. A receiver that got a batch whose
answer was lost gets it twice.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from otel_stream.export.size import parts
from otel_stream.export.watch import AT_THE_END, REFUSED, Watch

__all__ = ["deliver"]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.25, 5.0
"""Seconds between two attempts, doubled each time."""


def deliver(batch: Sequence[Any], send: Callable[[Sequence[Any]], bool], watch: Watch) -> bool:
    """Send a batch. Returns, at last, whether all of it went.

    Args:
        batch: Spans or log records.
        send: Sends some, and returns whether that went well.
        watch: Watches it.
    """
    if watch.abandoned:
        return True
    watch.waiting = deque(parts(batch) if watch.judge is not None else [batch])
    pauses = _pauses()
    missed = watch.missed
    while watch.waiting:
        part = watch.waiting[0]
        verdict = watch.attempt(partial(send, part))
        if verdict.then == "later" and watch.pause(next(pauses)):
            continue
        if watch.abandoned:  # what waits has been counted
            return False
        watch.waiting.popleft()
        if verdict.then == "sent":
            pauses = _pauses()
        elif verdict.then == "smaller" and len(part) > 1:
            watch.waiting.extendleft((part[len(part) // 2 :], part[: len(part) // 2]))
        else:
            if verdict.then == "smaller":
                watch.complain()
            watch.lose(len(part), AT_THE_END if verdict.then == "later" else REFUSED)
    watch.publish()
    return watch.missed == missed


def _pauses() -> Iterator[float]:
    """A fifth more or less: many programs must not try again at the same moment."""
    seconds = _FIRST_PAUSE
    while True:
        yield seconds * random.uniform(0.8, 1.2)  # noqa: S311 - nobody gains by guessing it
        seconds = min(2 * seconds, _LONGEST_PAUSE)
