"""The text of a stream's items: texts, and the events of Agno's agents and teams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["Reading"]

_CONTENT = frozenset({"RunContent", "RunResponseContent"})
_FAILED = {"RunError": "error", "RunCancelled": "cancelled"}


class Reading:
    """Reads the items of one stream, in order.

    A `str` is text, `None` nothing. Of a run's events, objects or the wire's JSON, the content of
    the outer run is text: a team's members write for the team, which writes for the person. Where
    the outer run wrote nothing itself, as a team that passes a member's answer on, the whole text
    that its end holds is taken. Unknown events are passed over.
    """

    def __init__(self) -> None:
        self.failed: str | None = None
        """What an outer run said of its failure, since its stream raises nothing."""
        self._outer: str | None = None
        self._wrote = False

    def __call__(self, item: Any) -> str:
        """The text of *item*.

        Raises:
            TypeError: Nobody has said how such items are read.
        """
        if isinstance(item, str):
            return item
        if item is None:
            return ""
        name = _field(item, "event")
        if name is None:
            if type(item).__module__.partition(".")[0] == "agno":
                return ""  # the run's whole output, after its events
            kind = type(item).__name__
            raise TypeError(f"say with read= which text is in items of the type {kind}")
        return self._event(str(getattr(name, "value", name)), item)

    def _event(self, name: str, event: Any) -> str:
        team, name = name.startswith("Team"), name.removeprefix("Team")
        run = _field(event, "run_id")
        if self._outer is None and run:
            self._outer = run
        if run and run != self._outer:
            return ""
        content = _field(event, "content")
        text = content if isinstance(content, str) else ""
        if name in _CONTENT:
            self._wrote = self._wrote or bool(text)
            return text
        if name in _FAILED:
            self.failed = text or _FAILED[name]
        elif name == "RunCompleted" and not self._wrote and (team or run):
            self._wrote = True
            return text
        return ""


def _field(item: Any, name: str) -> Any:
    return item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)
