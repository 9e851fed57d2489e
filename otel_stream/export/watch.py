"""Watches one exporter of a private provider: hears it, counts what it loses, says when to try."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from typing import Any

from otel_stream.errors import guard
from otel_stream.export.faults import MOST_CAUSES, Faults, kind_of
from otel_stream.export.otlp import Judge
from otel_stream.export.verdict import SENT, Verdict

__all__ = ["AT_THE_END", "QUEUE_FULL", "REFUSED", "Watch"]

QUEUE_FULL, REFUSED, AT_THE_END = "queue_full", "refused", "exit"
"""Why spans and log records are lost."""

_SAID_AFTER = 5.0
"""Seconds that a fault lasts before it is said, where nothing is lost: an agent is restarted."""
_LONGEST_WISH = 300.0
"""Seconds that a receiver is left alone at most because it asks for it."""
_PAUSE_AT_THE_END = 0.25
_KEPT = "what waits is kept until the queue is full"


class Watch(logging.Filter):
    """Watches one exporter, and hears what it would have logged.

    Args:
        signal: traces, metrics or logs.
        where: Where it goes, in words.
        faults: Says what goes wrong.
        loggers: The names of the loggers that the exporter uses.
        remedy: What to do when exports fail, if that can be said.
        judge: Says what a failed export means; without it, what fails is lost.
    """

    def __init__(
        self,
        signal: str,
        where: str,
        faults: Faults,
        loggers: Iterable[str],
        remedy: str = "",
        judge: Judge | None = None,
    ) -> None:
        super().__init__()
        self.signal = signal
        self.where = where
        self.judge = judge
        self.abandoned = False
        self._faults = faults
        self._remedy = remedy
        self._loggers = [logging.getLogger(name) for name in loggers]
        self._reset()
        for each in self._loggers:
            each.filters.insert(0, self)  # before the SDK's own, which hides repetitions

    def _reset(self) -> None:
        self.failures = 0
        """Exports that failed, of which some may have gone later."""
        self.missed = 0
        """Exports that failed for good."""
        self.lost = Counter({QUEUE_FULL: 0, REFUSED: 0, AT_THE_END: 0})
        """Spans or log records that are lost, by reason."""
        self.left_over = 0
        """Those of them that were there at the end."""
        self.waiting: deque[Sequence[Any]] = deque()
        """Parts of a batch that are not yet exported."""
        self.queue: Sized = ()
        """What waits for the exporter, if it can be seen."""
        self._verdict = SENT
        self._failing_since: float | None = None
        self._before = (0, 0)
        self._is_full = False
        self._counted: Counter[str] = Counter()
        self._counting = threading.Lock()
        self._heard: list[logging.LogRecord] = []
        self._busy: set[int] = set()
        self._stirred = threading.Event()
        self._hurried = False
        self._end: float | None = None

    def attempt(self, export: Callable[[], bool]) -> Verdict:
        """Make one export. Returns what is to become of it; raises nothing."""
        if self.abandoned:
            return SENT
        self._heard.clear()
        began, verdict = time.monotonic(), SENT
        with self._silence():
            try:
                if not export():
                    verdict = self._judged() or Verdict("never", self._said() or _SILENT)
            except Exception as error:  # noqa: BLE001 - whatever an exporter raises ends here
                verdict = self._judged() or Verdict("never", f"{type(error).__name__}: {error}")
        if self.abandoned:
            return SENT
        self._verdict = verdict
        if verdict.then == "sent":
            self._recovered()
        else:
            self._failed(began, verdict)
        self.publish()
        return verdict

    @property
    def complaint(self) -> str:
        """What is wrong with the latest attempt, also while it lasts."""
        return (self._judged() or self._verdict).cause or self._said()

    def complain(self) -> None:
        """Say what is wrong with the latest attempt."""
        self._faults.failed(self, self._verdict.cause, self._remedy)

    def lose(self, count: int, reason: str) -> None:
        """So many are lost."""
        with self._counting:
            self.lost[reason] += count
        if reason != QUEUE_FULL:
            self.missed += 1

    def drop(self) -> None:
        """The queue is full: one item is lost. Called on the thread that ended it."""
        self.lose(1, QUEUE_FULL)
        if not self._is_full:
            self._is_full = True
            self._faults.failed(self, "the queue is full, and what is new is dropped")

    def publish(self) -> None:
        """Tell what was lost since."""
        if self._faults.count is None or self.abandoned:
            return
        with self._counting:
            new = self.lost - self._counted
            self._counted = self.lost.copy()
        for reason, count in new.items():
            with guard("counting what is lost"):
                self._faults.count(self.signal, reason, count)

    def pause(self, seconds: float) -> bool:
        """Wait before the next attempt: as long as the receiver asks, if not `seconds`.

        Returns whether there is to be one: not when it is all over, nor when the receiver wants to
        be left alone until after the end.
        """
        now = time.monotonic()
        earliest = now + min(self._verdict.after, _LONGEST_WISH)
        due = max(earliest, now + seconds)
        while not self.abandoned and now < due:
            self._stirred.clear()
            if self._end is not None:
                if earliest > self._end:
                    return False
                due = max(earliest, min(due, now + _PAUSE_AT_THE_END))
            if self._hurried:
                self._hurried, due = False, earliest
            self._stirred.wait(max(0.0, due - now))
            now = time.monotonic()
        return not self.abandoned

    def hurry(self, end: float | None = None) -> None:
        """Wait no longer than the receiver asks. `end`: when all is over (`time.monotonic`)."""
        self._end = self._end or end
        self._hurried = True
        self._stirred.set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep what the exporter says during an export of ours; others' records pass."""
        if record.thread not in self._busy:
            return True
        if record.levelno >= logging.WARNING and len(self._heard) < MOST_CAUSES:
            self._heard.append(record)
        return False

    def close(self, shutdown: Callable[[], object]) -> None:
        """End the exporter, once."""
        if not self.abandoned:
            with self._silence(), guard("ending an exporter"):
                shutdown()
        self.abandon()

    def abandon(self) -> None:
        """Export nothing any more: it has ended, or it is given up and what is left is lost."""
        if not self.abandoned:
            self.left_over = sum(map(len, self.waiting)) + len(self.queue)
            self.abandoned = True
            if self.left_over:
                self.lose(self.left_over, AT_THE_END)
        self._stirred.set()
        if not self._busy:
            self._stop_listening()

    def start_anew(self) -> None:
        """In a forked child: what waits, and what was lost, is the parent's."""
        queue = self.queue
        self._reset()
        self.queue = queue

    def forget(self) -> None:
        """In a forked child: all of it is the parent's."""
        self._reset()
        self.abandon()

    @contextlib.contextmanager
    def _silence(self) -> Iterator[None]:
        """What is logged meanwhile on this thread is heard by us only."""
        thread = threading.get_ident()
        self._busy.add(thread)
        try:
            yield
        finally:
            self._busy.discard(thread)
            if self.abandoned and not self._busy:
                self._stop_listening()

    def _stop_listening(self) -> None:
        for each in self._loggers:
            each.removeFilter(self)

    def _judged(self) -> Verdict | None:
        return self.judge(self._heard) if self.judge is not None else None

    def _said(self) -> str:
        """What the exporter has said in its latest attempt: the end, and how it began."""
        texts = [record.getMessage() for record in (self._heard[-1:] + self._heard[:1])]
        return ", after: ".join({kind_of(text): text for text in texts}.values())

    def _failed(self, began: float, verdict: Verdict) -> None:
        if self._failing_since is None:
            self._failing_since = began
            self._before = (self.failures, self.lost.total())
        self.failures += 1
        if verdict.then == "never":
            self.complain()
        elif verdict.then == "later" and time.monotonic() - self._failing_since >= _SAID_AFTER:
            self._faults.failed(self, verdict.cause, "" if self.signal == "metrics" else _KEPT)

    def _recovered(self) -> None:
        if self._failing_since is None:
            return
        self._failing_since, self._is_full = None, False
        attempts, lost = self._before
        self._faults.cleared(self, self.failures - attempts, self.lost.total() - lost)


_SILENT = "the exporter reports a failure"
