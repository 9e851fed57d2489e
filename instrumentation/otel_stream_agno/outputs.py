"""A run's whole output, where it was not streamed: an object of the library, or its JSON."""

from __future__ import annotations

from typing import Any

from otel_stream import semconv
from otel_stream.delta import Delta, Failure, Reasoning, Response, Terminal
from otel_stream.fields import field_of, items_of
from otel_stream_agno.facts import facts_of, reported
from otel_stream_agno.pieces import text_of, tool_call

__all__ = ["FAILED", "deltas_of"]

FAILED = "RunError"
"""The code of a failure that has none."""


def deltas_of(output: Any) -> list[str | Delta]:
    """What the output holds, and how the run ended."""
    found: list[str | Delta] = list(reported(output))
    facts = facts_of(output, team=bool(field_of(output, "team_id")))
    if facts:
        found.append(Response(attributes=facts))
    status = field_of(output, "status")
    status = str(getattr(status, "value", status) or "").upper()
    if status == "ERROR":
        return [*found, Failure(FAILED, text_of(field_of(output, "content")) or "", chunk=True)]
    found += _content(output)
    if status == "PAUSED":
        found.append(Response(attributes={semconv.RUN_PAUSED: True}))
    return [*found, Terminal(last=True, cancelled=status == "CANCELLED")]


def _content(output: Any) -> list[str | Delta]:
    found: list[str | Delta] = []
    thought = field_of(output, "reasoning_content") or field_of(output, "thinking")
    if isinstance(thought, str):
        found.append(Reasoning(thought))
    found += [tool_call(tool) for tool in items_of(field_of(output, "tools"))]
    text = text_of(field_of(output, "content"))
    return [*found, text] if text else found
