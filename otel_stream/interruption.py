"""Why a reader stops: its own will, a cancelled task, an interrupted process, or a failure."""

from __future__ import annotations

import sys
from typing import Any

from otel_stream.outcome import Outcome

__all__ = ["Task", "current_task", "of_error", "of_reader"]

_CANCELLATIONS = frozenset({"asyncio.exceptions.CancelledError", "trio.Cancelled"})

Task = Any
"""An asyncio task, also one that is done; None where there is none."""


def of_error(error: BaseException) -> Outcome:
    """What an exception out of a read means for a stream whose answer is not whole."""
    if isinstance(error, (KeyboardInterrupt, SystemExit)) or _is_cancellation(error):
        return Outcome.CANCELLED
    if isinstance(error, GeneratorExit):
        # The reader itself was closed while it waited, by whoever drives it.
        return of_reader()
    return Outcome.ERROR


def of_reader(otherwise: Outcome = Outcome.CLOSED_EARLY, task: Task = None) -> Outcome:
    """What it means that the running code stops reading now: cancelled, or `otherwise`.

    A cancelled task is seen by its own mark, an interrupted process by the exception that is being
    handled (in a `with` block's exit or an `except` clause).

    Args:
        otherwise: What it means if nothing was cancelled.
        task: The task that has read, where another one may be closing its generators.
    """
    error = sys.exc_info()[1]
    if error is not None and (
        isinstance(error, (KeyboardInterrupt, SystemExit)) or _is_cancellation(error)
    ):
        return Outcome.CANCELLED
    cancelled = _is_cancelled(current_task()) or _is_cancelled(task)
    return Outcome.CANCELLED if cancelled else otherwise


def _is_cancellation(error: BaseException) -> bool:
    return any(
        f"{kind.__module__}.{kind.__qualname__}" in _CANCELLATIONS for kind in type(error).__mro__
    )


def current_task() -> Task:
    """The task that runs now. Once it is done it still says whether it was being cancelled."""
    asyncio = sys.modules.get("asyncio")
    if asyncio is None:
        return None
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


def _is_cancelled(task: Task) -> bool:
    return task is not None and bool(task.cancelling())
