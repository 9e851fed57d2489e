"""The text of a stream's items: texts, and the events of Agno's agents and teams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

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
        self.cancelled = False
        """Whether that was a cancellation."""
        self._outer: Any = None
        self._team = False
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
        if not self._owns(_field(event, "run_id"), team, bool(_field(event, "parent_run_id"))):
            return ""
        if name in _CONTENT:
            text = _text(_field(event, "content"))
            self._wrote = self._wrote or bool(text)
            return text
        if name in _FAILED:
            self.cancelled = name == "RunCancelled"
            self.failed = _text(_field(event, "content")) or _FAILED[name]
        elif name == "RunCompleted" and not self._wrote:
            self._wrote = True
            return _text(_field(event, "content"))
        return ""

    def _owns(self, run: Any, team: bool, inner: bool) -> bool:
        """Whether the event is of the outer run: the first one that is inside no other.

        One that names no run is: so servers tell errors. A team that speaks only after its members,
        who did not say whose they are, takes over from them.
        """
        if not run or run == self._outer:
            return True
        if inner or (self._outer is not None and (self._team or not team)):
            return False
        self._outer, self._team = run, team
        return True


def _text(content: Any) -> str:
    """Content as text; that of a type of the program's as on the wire."""
    if content is None or isinstance(content, str):
        return content or ""
    if hasattr(content, "model_dump_json"):
        return str(content.model_dump_json())
    return msgspec.json.encode(content, enc_hook=str).decode()


def _field(item: Any, name: str) -> Any:
    return item.get(name) if isinstance(item, Mapping) else getattr(item, name, None)
