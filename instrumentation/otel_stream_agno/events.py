"""What events of an Agno run add: objects of the library, or the same fields from the wire.

The names are those of versions 1.7 to 3.x. A team's events are called as an agent's, with `Team` in
front. Nothing here imports the library.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from otel_stream import semconv
from otel_stream.delta import (
    Delta,
    Failure,
    Found,
    Nested,
    Reasoning,
    Response,
    Terminal,
    ToolCall,
)
from otel_stream.fields import items_of
from otel_stream_agno.facts import facts_of, reported, string_of
from otel_stream_agno.outputs import FAILED, deltas_of
from otel_stream_agno.pieces import text_of, tool_call, tool_key

__all__ = ["TEAM", "RunReader", "is_known", "name_of"]

TEAM = "Team"
"""In front of the names of a team's own events."""

_MOST = 256
"""Tool calls that are remembered."""


class RunReader:
    """Reads the events of one run, and of the runs inside it as far as they can be read here.

    Args:
        run_id: The run's id. Without it the first event tells that is not a member's.
        team: Whether it is a team's run. Without it that same event tells.
    """

    __slots__ = ("_announced", "_called", "_reasoned", "run_id", "team")

    def __init__(self, run_id: str | None = None, team: bool | None = None) -> None:
        self.run_id = run_id
        self.team = team
        self._announced = False
        self._called: set[str] = set()
        self._reasoned = 0

    def read(self, event: Any) -> Found:
        """What the event adds; one of an unknown name adds nothing."""
        name: Any = getattr(event, "event", None)
        handle = _EVENTS.get(name) if name.__class__ is str else None
        if handle is None:
            return self._odd(event, name)
        if getattr(event, "run_id", None) == self.run_id or self.owns(event, name):
            return handle(self, event)
        return _nested(name, event)

    def owns(self, event: Any, name: str) -> bool:
        """Whether the event is of this run. One that names no run is: so servers tell errors."""
        run_id = getattr(event, "run_id", None)
        if not run_id or run_id == self.run_id:
            return True
        if self.run_id is not None or getattr(event, "parent_run_id", None):
            return False
        team = name.startswith(TEAM)
        if self.team is not None and team is not self.team:
            return False
        self.run_id, self.team = run_id, team
        return True

    def whole(self, done: bool) -> bool:
        """Whether the wire's end mark says so, or nothing but content was to be told.

        A run that is asked for its content alone never says that it is whole.
        """
        return done or (self.run_id is not None and not self._announced)

    def failure(self, error: BaseException) -> Failure | None:
        """An exception stands for itself."""
        return None

    def _odd(self, event: Any, name: Any) -> Found:
        """A name that is a word of an enumeration, or a run's whole output at the stream's end."""
        word = name_of(event)
        handle = _EVENTS.get(word)
        if handle is not None and name is not word:
            return handle(self, event) if self.owns(event, word) else _nested(word, event)
        if not word and getattr(event, "status", None) and self.owns(event, ""):
            return [delta for delta in deltas_of(event) if not _is_content(delta)]
        return None

    # --- one method a kind of event ----------------------------------------------------------

    def _content(self, event: Any) -> Found:
        thought = getattr(event, "reasoning_content", None) or getattr(event, "thinking", None)
        content = getattr(event, "content", None)
        if not thought:
            return content if content.__class__ is str else text_of(content)
        found = [self._thought(thought)]
        text = content if content.__class__ is str else text_of(content)
        return [*found, text] if text else found

    def _thought(self, text: Any) -> Reasoning:
        text = text if isinstance(text, str) else ""
        self._reasoned += len(text)
        return Reasoning(text)

    def _reasons(self, event: Any) -> Found:
        return self._thought(getattr(event, "reasoning_content", None))

    def _step(self, event: Any) -> Found:
        """A step of reasoning. It holds all that was reasoned so far."""
        text = getattr(event, "reasoning_content", None)
        return self._thought(text[self._reasoned :] if isinstance(text, str) else "")

    def _start(self, event: Any) -> Found:
        self._announced = True
        facts = facts_of(event, self.team)
        return Response(attributes=facts) if facts else None

    def _intermediate(self, event: Any) -> Found:
        """What another model makes the answer from. It comes first, and is not the answer."""
        text = text_of(getattr(event, "content", None))
        return Nested(text) if text else None

    def _tool(self, event: Any) -> Found:
        tool = getattr(event, "tool", None)
        if len(self._called) < _MOST:
            self._called.add(tool_key(tool))
        return tool_call(tool)

    def _complete(self, event: Any) -> Found:
        self._announced = True
        # Its content is the whole text once more, and is not counted.
        return [*reported(event), Terminal(last=True)]

    def _pause(self, event: Any) -> Found:
        self._announced = True
        # Calls that wait for somebody have not been told before.
        tools = items_of(getattr(event, "tools", None))
        calls = [tool_call(tool) for tool in tools if tool_key(tool) not in self._called]
        return [*calls, Response(attributes={semconv.RUN_PAUSED: True}), Terminal()]

    def _cancel(self, event: Any) -> Found:
        self._announced = True
        return Terminal(last=True, cancelled=True)

    def _fail(self, event: Any) -> Found:
        self._announced = True
        code = string_of(event, "error_type") or FAILED
        return [Failure(code, string_of(event, "content") or ""), Terminal(last=True)]

    def _nothing(self, event: Any) -> Found:
        return None


_AGENT: dict[str, Callable[[RunReader, Any], Found]] = {
    "RunContent": RunReader._content,
    "RunResponseContent": RunReader._content,  # 1.7
    "RunIntermediateContent": RunReader._intermediate,
    "RunStarted": RunReader._start,
    "RunContinued": RunReader._start,
    "RunCompleted": RunReader._complete,
    "RunPaused": RunReader._pause,
    "RunCancelled": RunReader._cancel,
    "RunError": RunReader._fail,
    "ToolCallStarted": RunReader._tool,
    "ToolCallCompleted": RunReader._nothing,
    "ToolCallError": RunReader._nothing,
    "ReasoningStarted": RunReader._reasons,
    "ReasoningStep": RunReader._step,
    "ReasoningContentDelta": RunReader._reasons,
}
_EVENTS = {prefix + name: handle for name, handle in _AGENT.items() for prefix in ("", TEAM)}


def is_known(name: str) -> bool:
    """Whether an event of this name says something of a run."""
    return name in _EVENTS


def name_of(event: Any) -> str:
    """The event's name, also where it is a word of an enumeration; empty if it has none."""
    name = getattr(event, "event", None)
    if name.__class__ is str:
        return name
    value = getattr(name, "value", name)
    return value if isinstance(value, str) else ""


def _nested(name: str, event: Any) -> Found:
    """What a run inside this one adds to what can be read here."""
    kind = name.removeprefix(TEAM)
    if kind in ("RunContent", "RunResponseContent", "RunIntermediateContent"):
        content = getattr(event, "content", None)
        thought = getattr(event, "reasoning_content", None) or getattr(event, "thinking", None)
        text = content if content.__class__ is str else text_of(content)
        if text:
            return Nested(text)
        return Nested(Reasoning(thought)) if thought and isinstance(thought, str) else None
    if kind in ("ReasoningContentDelta", "ReasoningStep"):
        text = getattr(event, "reasoning_content", None)
        return Nested(Reasoning(text)) if text and isinstance(text, str) else None
    return Nested(tool_call(getattr(event, "tool", None))) if kind == "ToolCallStarted" else None


def _is_content(delta: str | Delta) -> bool:
    return isinstance(delta, (str, Reasoning, ToolCall))
