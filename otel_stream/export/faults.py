"""What exporters fail at: counted always, said once, and at the end with what was lost.

The exporters of the SDK log every failed attempt. Those of the private providers stay silent; what
they would have said is the cause in the one line of ours.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Protocol

from otel_stream.export.secrets import hidden

__all__ = ["MOST_CAUSES", "Failing", "Faults", "kind_of"]

logger = logging.getLogger("otel_stream")

MOST_CAUSES = 8
_LONGEST_CAUSE = 500
_VARIES = re.compile(r"0x[0-9a-f]+|[0-9.]+|trace|metric|log|span", re.IGNORECASE)
"""What differs between the same fault of two signals or two attempts: numbers, and their names."""
_ITEMS = {"traces": ("span", "spans"), "logs": ("log record", "log records")}


class Failing(Protocol):
    """What a fault is of: one exporter under a watch."""

    signal: str
    where: str
    lost: Counter[str]
    """Spans or log records, by reason."""
    left_over: int
    """Those of them that were there at the end."""

    @property
    def complaint(self) -> str:
        """What is wrong with the latest attempt."""


class Faults:
    """The faults that last. The same fault of several exporters is one fault.

    Args:
        count: Told of spans and log records that are lost: the signal, the reason, how many. Not
            on the thread that ended them.
    """

    def __init__(self, count: Callable[[str, str, int], None] | None = None) -> None:
        self.count = count
        self._had_by: dict[str, set[Failing]] = {}
        self._changing = threading.Lock()

    def failed(self, watch: Failing, cause: str, remedy: str = "") -> None:
        """Say it, and what to do, unless it was said and lasts since."""
        kind = kind_of(cause)
        with self._changing:
            new = kind not in self._had_by and len(self._had_by) < MOST_CAUSES
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

    def cleared(self, watch: Failing, attempts: int, lost: int) -> None:
        """An export of this one went well again. What was lost meanwhile is worth a warning."""
        with self._changing:
            said = any(watch in holders for holders in self._had_by.values())
            for holders in self._had_by.values():
                holders.discard(watch)
            self._had_by = {kind: held for kind, held in self._had_by.items() if held}
        if not said and not lost:
            return
        logger.log(
            logging.WARNING if lost else logging.INFO,
            "otel-stream exports %s to %s again, after %d failed exports%s",
            watch.signal,
            watch.where,
            attempts,
            f"; {_amount(watch.signal, lost)} lost" if lost else "",
        )

    def ended(self, watches: Iterable[Failing], late: Iterable[Failing], seconds: float) -> None:
        """Say what did not go before the end, and what was lost in all.

        Args:
            watches: All that end now.
            late: Those of them that had not exported all they had, and were given up.
            seconds: How long the end waited.
        """
        watches, late = list(watches), list(late)
        in_all = _amounts(watches, lambda watch: watch.lost.total())
        heard = set().union(*self._had_by.values())
        if not late:
            unheard = [watch for watch in watches if watch not in heard]
            if in_all:
                because = _because(unheard)
                logger.warning("otel-stream ends; lost on the way: %s%s", in_all, because)
            return
        now = _amounts(late, lambda watch: watch.left_over)
        counts = "; ".join(filter(None, [now, f"in all {in_all}" if in_all != now else ""]))
        logger.log(
            logging.INFO if heard.issuperset(late) and not in_all else logging.WARNING,
            "otel-stream waited %g s at the end for the export of %s; what did not go is lost%s%s",
            round(seconds, 1),
            ", ".join(dict.fromkeys(watch.signal for watch in late)),
            f" ({counts})" if counts else "",
            _because(late),
        )

    def start_anew(self) -> None:
        """In a forked child: nothing has failed here yet, and nobody holds the lock."""
        self._changing = threading.Lock()
        self._had_by = {}


def kind_of(cause: str) -> str:
    """The same text for the same fault."""
    return _VARIES.sub("", cause)


def _shown(cause: str) -> str:
    """On one line, not endless, and without secrets."""
    return " ".join(hidden(cause).split())[:_LONGEST_CAUSE]


def _because(watches: Iterable[Failing]) -> str:
    """What they complain of, each once, as the end of a line."""
    complaints = {kind_of(watch.complaint): watch.complaint for watch in watches}
    complaints.pop("", None)
    return ": " + _shown("; ".join(complaints.values())) if complaints else ""


def _amounts(watches: Iterable[Failing], of: Callable[[Failing], int]) -> str:
    amounts: Counter[str] = Counter()
    for watch in watches:
        amounts[watch.signal] += of(watch)
    return ", ".join(_amount(signal, count) for signal, count in amounts.items() if count)


def _amount(signal: str, count: int) -> str:
    one, many = _ITEMS.get(signal, ("export", "exports"))
    return f"{count} {one if count == 1 else many}"
