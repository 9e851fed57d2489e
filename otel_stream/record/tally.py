"""What an answer is made of: first times, text, tool calls, usage, finish reasons."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from otel_stream import semconv
from otel_stream.attributes import encodable
from otel_stream.delta import (
    Delta,
    Failure,
    Finish,
    Found,
    Nested,
    Part,
    Reasoning,
    Refusal,
    Response,
    Skip,
    Terminal,
    Text,
    ToolCall,
    Usage,
)
from otel_stream.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_stream.record.capture import Capture
    from otel_stream.record.recorder import Recorder

__all__ = ["STOPPED_SHORT", "Tally"]

STOPPED_SHORT = frozenset(
    {
        "content_filter",
        "incomplete",
        "length",
        "max_output_tokens",
        "max_tokens",
        "model_context_window_exceeded",
        "refusal",
    }
)
"""Finish reasons with which a provider stops an answer that is not whole."""

_TOOLS_KEPT = 256
_CHOICES_KEPT = 256
_KIND = {
    str: "text",
    Text: "text",
    Reasoning: "reasoning",
    Refusal: "refusal",
    ToolCall: "tool_call",
    Usage: "usage",
}


class Tally:
    """Adds up the deltas of one recorder's stream.

    The recorder is handed in rather than kept: a cycle would leave every stream to the collector.

    Args:
        capture: Keeps the content, or None to keep none.
        wants_deltas: Tell the recorder's listener of every delta.

    Attributes:
        ending: The outcome of an answer that the provider has said to be over.
    """

    __slots__ = (
        "_wants_deltas", "attributes", "capture", "ending", "failure",
        "finish_reasons", "first_reasoning_at", "first_text_at", "first_token_at", "first_tool_at",
        "response_id", "response_model", "stopped_short", "terminal", "terminal_last", "tools",
        "usage",
    )  # fmt: skip

    def __init__(self, capture: Capture | None, wants_deltas: bool) -> None:
        self._wants_deltas = wants_deltas
        self.capture = capture
        self.first_token_at: float | None = None
        self.first_text_at: float | None = None
        self.first_reasoning_at: float | None = None
        self.first_tool_at: float | None = None
        self.response_id: str | None = None
        self.response_model: str | None = None
        self.attributes: dict[str, Any] = {}
        self.finish_reasons: dict[int, str] = {}
        self.tools: dict[tuple[int, Any], dict[str, Any]] = {}
        self.usage: Usage | None = None
        self.failure: Failure | None = None
        self.terminal = self.terminal_last = self.stopped_short = False
        self.ending = Outcome.COMPLETED

    def text(self, recorder: Recorder, text: str, now: float, choice: int = 0) -> None:
        """Text that a person can read. Its size is already counted."""
        if self.first_text_at is None:
            self.first_text_at = now
            self.first_token(recorder, now)
        recorder.stall_after = recorder.limits.other
        if self.capture is not None:
            self.capture.text("text", text, choice)
        elif not self._wants_deltas:
            # Nothing is left to do for plain text but to count it, until the model reasons again.
            recorder.attentive = False
        if self._wants_deltas:
            recorder.listener.delta(recorder, Text(text, choice) if choice else text)

    def add(self, recorder: Recorder, found: Found, now: float) -> None:
        """Anything that is not plain text of the first choice."""
        for delta in found if isinstance(found, (list, tuple)) else (found,):
            if isinstance(delta, str):
                self._choice_text(recorder, Text(delta), now)
            elif delta is not None:
                _ADD[delta.__class__](self, recorder, delta, now)

    def describe(self, found: Found) -> tuple[str, int]:
        """The kind of a chunk, and the characters it adds."""
        if found.__class__ is str:
            return "text" if found else "other", len(found)
        deltas = found if isinstance(found, (list, tuple)) else (found,)
        kind, size = "other", 0
        for delta in deltas:
            if kind == "other" and _length(delta, default=1):
                kind = _KIND.get(delta.__class__, "other")
            size += _length(delta, default=0)
        return kind, size

    # --- one method a kind of delta ----------------------------------------------------------

    def _choice_text(self, recorder: Recorder, delta: Text, now: float) -> None:
        if delta.text:
            recorder.size += len(delta.text)
            self.text(recorder, delta.text, now, delta.choice)

    def _reasoning(self, recorder: Recorder, delta: Reasoning, now: float) -> None:
        limits = recorder.limits
        recorder.attentive = True
        if delta.text:
            if self.first_reasoning_at is None:
                self.first_reasoning_at = now
                self.first_token(recorder, now)
            self._content(recorder, "reasoning", delta)
        if self.first_token_at is None:
            recorder.stall_after = max(limits.first, limits.reasoning)
        else:
            recorder.stall_after = limits.reasoning

    def _refusal(self, recorder: Recorder, delta: Refusal, now: float) -> None:
        if delta.text:
            self.first_token(recorder, now)
            recorder.stall_after = recorder.limits.other
            self._content(recorder, "refusal", delta)

    def _content(self, recorder: Recorder, kind: str, delta: Reasoning | Refusal) -> None:
        if self.capture is not None:
            self.capture.text(kind, delta.text, delta.choice)
        if self._wants_deltas:
            recorder.listener.delta(recorder, delta)

    def _tool_call(self, recorder: Recorder, delta: ToolCall, now: float) -> None:
        if delta.name or delta.arguments:
            if self.first_tool_at is None:
                self.first_tool_at = now
            self.first_token(recorder, now)
            recorder.stall_after = recorder.limits.other
        known = self._tool(recorder, delta, now)
        if delta.name:
            known[semconv.TOOL_NAME] = encodable(delta.name)
        if delta.id:
            known[semconv.TOOL_CALL_ID] = encodable(delta.id)
        if self.capture is not None:
            piece = self.capture.tool(delta.key, delta.choice)
            piece.name = delta.name or piece.name
            piece.id = delta.id or piece.id
            piece.server = delta.server or piece.server
            self.capture.arguments(piece, delta.arguments)
        if self._wants_deltas:
            recorder.listener.delta(recorder, delta)

    def _tool(self, recorder: Recorder, delta: ToolCall, now: float) -> dict[str, Any]:
        """What is known of the call; its event is filled in as the name and the id come."""
        key = (delta.choice, delta.key)
        known = self.tools.get(key)
        if known is None:
            known = {}
            if len(self.tools) < _TOOLS_KEPT:
                self.tools[key] = known
            recorder.moments.tool(now, known)
        return known

    def _part(self, recorder: Recorder, delta: Part, now: float) -> None:
        if self.capture is not None:
            self.capture.part(delta.part, delta.choice, len(json.dumps(delta.part, default=str)))
        if self._wants_deltas:
            recorder.listener.delta(recorder, delta)

    def _nested(self, recorder: Recorder, delta: Nested, now: float) -> None:
        found = delta.found
        if not _length(found, default=1):
            return
        if found.__class__ is str:
            self.first_text_at = self.first_text_at or now
        elif found.__class__ is Reasoning:
            self.first_reasoning_at = self.first_reasoning_at or now
        elif found.__class__ is ToolCall:
            self.first_tool_at = self.first_tool_at or now
        self.first_token(recorder, now)
        recorder.stall_after = recorder.limits.other

    def _usage(self, recorder: Recorder, delta: Usage, now: float) -> None:
        old = self.usage
        if old is not None:
            changes = {n: v for n in _COUNTS if (v := getattr(delta, n)) is not None}
            delta = msgspec.structs.replace(old, final=delta.final, **changes)
        self.usage = delta
        recorder.listener.usage(recorder, delta)

    def _finish(self, recorder: Recorder, delta: Finish, now: float) -> None:
        if delta.choice in self.finish_reasons or len(self.finish_reasons) < _CHOICES_KEPT:
            self.finish_reasons[delta.choice] = delta.reason
        if delta.reason in STOPPED_SHORT:
            self.stopped_short = True
        elif delta.reason == "error" and self.failure is None:
            self.failure = Failure(delta.reason, chunk=True)

    def _response(self, recorder: Recorder, delta: Response, now: float) -> None:
        self.response_id = self.response_id or delta.id
        if delta.model and not self.response_model:
            self.response_model = encodable(delta.model)  # it becomes a metric's label too
        if delta.attributes:
            self.attributes.update(delta.attributes)

    def _terminal(self, recorder: Recorder, delta: Terminal, now: float) -> None:
        self.terminal = True
        self.terminal_last = delta.last
        self.stopped_short = self.stopped_short or delta.partial
        if delta.cancelled:
            self.ending = Outcome.CANCELLED

    def _failure(self, recorder: Recorder, delta: Failure, now: float) -> None:
        if self.terminal_last:  # The answer is whole; what a server says of itself then is no part.
            if not delta.chunk:
                recorder.uncount()
            return
        if self.failure is None:
            self.failure = delta
        if not delta.chunk:
            recorder.failed()

    def _skip(self, recorder: Recorder, delta: Skip, now: float) -> None:
        recorder.uncount()

    def first_token(self, recorder: Recorder, now: float) -> None:
        """Something non-empty came for the first time; later calls change nothing."""
        if self.first_token_at is not None:
            return
        self.first_token_at = now
        recorder.stall_after = recorder.limits.other
        recorder.moments.first = (semconv.EVENT_FIRST_TOKEN, now, {})
        recorder.listener.first_token(recorder)


_COUNTS = ("input", "output", "cache_read", "cache_creation", "reasoning")
_ADD: dict[type[Any], Callable[[Tally, Recorder, Any, float], None]] = {
    Text: Tally._choice_text,
    Reasoning: Tally._reasoning,
    Refusal: Tally._refusal,
    ToolCall: Tally._tool_call,
    Part: Tally._part,
    Nested: Tally._nested,
    Usage: Tally._usage,
    Finish: Tally._finish,
    Response: Tally._response,
    Terminal: Tally._terminal,
    Failure: Tally._failure,
    Skip: Tally._skip,
}


def _length(delta: str | Delta | None, default: int) -> int:
    """Characters that a delta adds; `default` for a kind that has none."""
    if isinstance(delta, str):
        return len(delta)
    if isinstance(delta, (Text, Reasoning, Refusal)):
        return len(delta.text)
    if isinstance(delta, ToolCall):
        return len(delta.arguments) or default
    return default if isinstance(delta, Usage) else 0
