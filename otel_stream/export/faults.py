"""What exporters fail at: counted always, said once.

The exporters of the SDK log every failed attempt. Those of the private providers stay silent; what
they would have said is the cause in the one line of ours.
"""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

from otel_stream.errors import guard

__all__ = ["Faults", "Watch"]

logger = logging.getLogger("otel_stream")

_LONGEST_CAUSE = 500
_MOST_CAUSES = 8
_VARIES = re.compile(r"0x[0-9a-f]+|[0-9.]+|trace|metric|log|span", re.IGNORECASE)
"""What differs between the same fault of two signals or two attempts: numbers, and their names."""


class Faults:
    """The faults that last. The same fault of several exporters is one fault."""

    def __init__(self) -> None:
        self._had_by: dict[str, set[Watch]] = {}
        self._changing = threading.Lock()

    def failed(self, watch: Watch, cause: str, remedy: str = "") -> None:
        """Say it, and what to do, unless it was said and lasts since."""
        kind = _kind(cause)
        with self._changing:
            new = kind not in self._had_by and len(self._had_by) < _MOST_CAUSES
            if new or kind in self._had_by:
                self._had_by.setdefault(kind, set()).add(watch)
        if new:
            logger.warning(
                "otel-stream cannot export %s to %s; the program is not affected (said once): %s%s",
                watch.signal,
                watch.where,
                _shown(cause),
                f"; {remedy}" if remedy else "",
            )

    def gave_up(self, watches: Sequence[Watch], seconds: float) -> None:
        """Say that the end came before these had exported all they had."""
        complaints = {_kind(watch.complaint): watch.complaint for watch in watches}
        complaints.pop("", None)
        said = set().union(*self._had_by.values()).issuperset(watches)
        logger.log(
            logging.INFO if said else logging.WARNING,
            "otel-stream waited %g s at the end for the export of %s; what did not go is lost%s",
            round(seconds, 1),
            ", ".join(dict.fromkeys(watch.signal for watch in watches)),
            ": " + _shown("; ".join(complaints.values())) if complaints else "",
        )

    def start_anew(self) -> None:
        """In a forked child: nothing has failed here yet, and nobody holds the lock."""
        self._changing = threading.Lock()
        self._had_by = {}

    def cleared(self, watch: Watch) -> None:
        """An export of this one went well again."""
        with self._changing:
            for holders in self._had_by.values():
                holders.discard(watch)
            self._had_by = {kind: held for kind, held in self._had_by.items() if held}
        logger.info(
            "otel-stream exports %s to %s again, after %d failed exports",
            watch.signal,
            watch.where,
            watch.failures,
        )


class Watch(logging.Filter):
    """Watches one exporter of a private provider, and hears what it would have logged.

    Args:
        signal: traces, metrics or logs.
        where: Where it goes, in words.
        faults: Says what goes wrong.
        loggers: The names of the loggers that the exporter uses.
        remedy: What to do when exports fail, if that can be said.
    """

    def __init__(
        self, signal: str, where: str, faults: Faults, loggers: Iterable[str], remedy: str = ""
    ) -> None:
        super().__init__()
        self.signal = signal
        self.where = where
        self.failures = 0
        self.dropped = 0
        self.abandoned = False
        self._failing = False
        self._faults = faults
        self._remedy = remedy
        self._loggers = [logging.getLogger(name) for name in loggers]
        self._heard: list[str] = []
        self._busy: set[int] = set()
        for each in self._loggers:
            each.filters.insert(0, self)  # before the SDK's own, which hides repetitions

    def attempt(self, export: Callable[[], bool]) -> bool:
        """Make one export. Returns whether it went well; raises nothing."""
        if self.abandoned:
            return True
        self._heard.clear()
        cause = None
        with self._silence():
            try:
                if not export():
                    cause = self.complaint or "the exporter reports a failure"
            except Exception as error:  # noqa: BLE001 - whatever an exporter raises ends here
                cause = f"{type(error).__name__}: {error}"
        if self.abandoned:
            return True
        if cause is not None:
            self._fail(cause)
        elif self._failing:
            self._failing = False
            self._faults.cleared(self)
        return cause is None

    @property
    def complaint(self) -> str:
        """What the exporter has said in its latest attempt: the end, and how it began."""
        first_and_last = {_kind(text): text for text in (self._heard[-1:] + self._heard[:1])}
        return ", after: ".join(first_and_last.values())

    def drop(self) -> None:
        """The queue is full: one item is lost."""
        self.dropped += 1
        self._faults.failed(self, "the queue is full, and what is new is dropped")

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep what the exporter says during an export of ours; others' records pass."""
        if record.thread not in self._busy:
            return True
        if record.levelno >= logging.WARNING and len(self._heard) < _MOST_CAUSES:
            self._heard.append(record.getMessage())
        return False

    def close(self, shutdown: Callable[[], object]) -> None:
        """End the exporter, once."""
        if not self.abandoned:
            with self._silence(), guard("ending an exporter"):
                shutdown()
        self.abandon()

    def abandon(self) -> None:
        """Export nothing any more: it is the parent's, or it has ended."""
        self.abandoned = True
        if not self._busy:
            self._stop_listening()

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

    def _fail(self, cause: str) -> None:
        self.failures += 1
        self._failing = True
        self._faults.failed(self, cause, self._remedy)


def _kind(cause: str) -> str:
    """The same text for the same fault."""
    return _VARIES.sub("", cause)


def _shown(cause: str) -> str:
    """On one line, and not endless."""
    return " ".join(cause.split())[:_LONGEST_CAUSE]
