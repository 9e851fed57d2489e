"""What can go wrong, and the one place where our own faults end.

    OtelStreamError
    ├── SettingsError (ValueError)       a setting that cannot be used; says what is allowed
    ├── MissingExtraError (ImportError)  an optional library is absent; says what to install
    └── channel.ChannelError             a channel did not take a message; says if it may later

Telemetry must never break the program it watches, so every hook of ours runs inside `guard`.
"""

from __future__ import annotations

import logging
import re
from collections import Counter
from types import TracebackType

from otel_stream.redaction import scrub

__all__ = ["MissingExtraError", "OtelStreamError", "SettingsError", "faults", "guard", "strict"]

logger = logging.getLogger("otel_stream")

_PERSONAL = re.compile(r"\+?\d[\d ()-]{6,}\d|://[^/@\s]+@")


class OtelStreamError(Exception):
    """The root of every exception that otel-stream raises on purpose."""


class SettingsError(OtelStreamError, ValueError):
    """A setting has a value that cannot be used."""


class MissingExtraError(OtelStreamError, ImportError):
    """An optional library is needed and not installed."""


strict = False
"""Raise our own faults instead of swallowing them. For tests only."""

faults: Counter[str] = Counter()
"""How often each place has failed since the process began."""


class guard:
    """A block of ours in somebody else's program: an `Exception` in it is counted and logged once.

    Args:
        place: Names the block in the log line and in `faults`. One line is logged a place.

    `KeyboardInterrupt` and the like pass through: they are the program's, not ours.
    """

    __slots__ = ("place",)

    def __init__(self, place: str) -> None:
        self.place = place

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if error is None or not isinstance(error, Exception):
            return False
        return not report(self.place, error)


def report(place: str, error: Exception) -> bool:
    """Count and log a fault of ours. Returns whether it is to be raised (`strict`)."""
    faults[place] += 1
    if strict:
        return True
    if faults[place] == 1:
        logger.warning(
            "otel-stream failed in %s and goes on without it (said once): %s: %s",
            place,
            type(error).__name__,
            _text_of(error),
            exc_info=logger.isEnabledFor(logging.DEBUG),
        )
    return False


def _text_of(error: Exception) -> str:
    """What an error says, without what looks like a key, a person's number, or an id that has one.

    A database names what it was asked for, and a library what it was sending to whom.
    """
    try:
        return _PERSONAL.sub("[hidden]", scrub(str(error)))
    except Exception:  # Somebody else's text may raise anything.
        return "?"
