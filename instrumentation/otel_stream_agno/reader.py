"""Reads what a run in this process hands out: events, outputs, and events in their wire's form."""

from __future__ import annotations

from typing import Any

from otel_stream.delta import Found, Skip
from otel_stream.raw import decoded
from otel_stream_agno.events import RunReader

__all__ = ["Reader"]

_DATA = "data: "


class Reader(RunReader):
    """Reads one run whose agent or team is here.

    Args:
        kind: `agent` or `team`.
        run_id: The run's id, if it is known before the first event.
    """

    __slots__ = ("_whose", "owner")

    def __init__(self, kind: str, run_id: str | None) -> None:
        super().__init__(run_id, kind == "team")
        self._whose = f"{kind}_id"
        self.owner: str | None = None
        """The id of the agent or team. Events of 2.0 do not say whose members they are of."""

    def read(self, event: Any) -> Found:
        """What the event adds. A run in the background (3.x) hands out server-sent events."""
        if event.__class__ is not str:
            return super().read(event)
        fields = decoded(event.partition(_DATA)[2])
        return Skip() if fields is None else super().read(fields)

    def owns(self, event: Any, name: str) -> bool:
        """Whether the event is of this run."""
        whose = getattr(event, self._whose, None)
        if self.run_id is None and self.owner and whose and whose != self.owner:
            return False
        return super().owns(event, name)

    def whole(self, done: bool) -> bool:
        """A generator that ends is whole, unless it tells of beginnings and ends.

        Without `stream_events` (2.0: `stream_intermediate_steps`) a run tells its content, its
        tools perhaps, and then nothing more.
        """
        return not self._announced
