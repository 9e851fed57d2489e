"""The thread pools in which Agno makes memories, summaries and learnings: they take a run along.

Only sync runs use them; others have tasks, which the context follows by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import wrapt
from opentelemetry import context as otel_context

from otel_stream.errors import guard
from otel_stream.hops import carried
from otel_stream.patches import Patches

if TYPE_CHECKING:
    _Proxy = wrapt.ObjectProxy[Any]
else:
    _Proxy = wrapt.ObjectProxy  # which knows no parameters before wrapt 2

__all__ = ["wrap"]

_MANAGERS = (
    "agno.memory.manager:MemoryManager.create_user_memories",
    "agno.session.summary:SessionSummaryManager.create_session_summary",
)


def wrap(patches: Patches, *owners: type[Any]) -> None:
    """Wrap what these classes hand their work to: a pool of an agent's own, or of one function's.

    The latter cannot be got at, but for the methods of managers that it is given.
    """
    for owner in owners:
        if "background_executor" in vars(owner):
            patches.wrap(f"{owner.__module__}:{owner.__qualname__}.background_executor", _executor)
    if any("_make_memories_and_summaries" in vars(owner) for owner in owners):
        for target in _MANAGERS:
            patches.wrap_bound(target, _taken)


class _Pool(_Proxy):
    """An executor that takes the context along."""

    def submit(self, work: Any, /, *args: Any, **kwargs: Any) -> Any:
        """As the executor's own."""
        return self.__wrapped__.submit(_taken(work), *args, **kwargs)


def _executor(wrapped: Any, args: Any, kwargs: Any) -> Any:
    pool = wrapped(*args, **kwargs)
    with guard("wrapping a pool"):
        return _Pool(pool)
    return pool


def _taken(work: Any) -> Any:
    if callable(work) and otel_context.get_current():
        with guard("taking a context to a pool"):
            return carried(work)
    return work
