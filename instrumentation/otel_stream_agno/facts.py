"""What a run says of itself: who it is, and figures that are reported and not measured here."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

from otel_stream import semconv
from otel_stream.attributes import LARGEST
from otel_stream.delta import Delta, Response
from otel_stream.fields import field_of, items_of
from otel_stream.redaction import without_numbers

__all__ = ["OPERATION", "PROVIDER", "facts_of", "reported", "string_of"]

OPERATION = "invoke_agent"
PROVIDER = "agno"
_LONGEST = 256
"""Characters of a name or an id."""


def facts_of(event: Any, team: bool | None) -> dict[str, Any]:
    """Who runs, in which session, with which model."""
    whose = "team" if team else "agent"
    candidates = {
        semconv.RUN_ID: string_of(event, "run_id"),
        semconv.RUN_KIND: whose if string_of(event, "run_id") else None,
        semconv.AGENT_ID: string_of(event, f"{whose}_id"),
        semconv.AGENT_NAME: string_of(event, f"{whose}_name"),
        semconv.CONVERSATION_ID: without_numbers(string_of(event, "session_id") or ""),
        semconv.REQUEST_MODEL: string_of(event, "model"),
    }
    return {name: value[:_LONGEST] for name, value in candidates.items() if value}


def string_of(event: Any, name: str) -> str | None:
    value = field_of(event, name)
    return value if isinstance(value, str) else None


_REPORTED: tuple[tuple[str, str, Callable[[list[float]], float]], ...] = (
    ("input_tokens", semconv.REPORTED_INPUT_TOKENS, sum),
    ("output_tokens", semconv.REPORTED_OUTPUT_TOKENS, sum),
    ("total_tokens", semconv.REPORTED_TOTAL_TOKENS, sum),
    ("time", semconv.REPORTED_DURATION, sum),  # 1.7
    ("duration", semconv.REPORTED_DURATION, sum),
    ("time_to_first_token", semconv.REPORTED_TIME_TO_FIRST_TOKEN, lambda values: values[0]),
)


def reported(event: Any) -> list[Delta]:
    """What the framework says of the run. It is never taken for something measured."""
    metrics = field_of(event, "metrics")
    found: dict[str, Any] = {}
    for field, name, joined in _REPORTED if metrics is not None else ():
        value = field_of(metrics, field)
        values = [one for one in (items_of(value) or [value]) if _is_figure(one)]  # 1.7: lists
        if values:
            total = joined(values)
            found[name] = int(total) if field.endswith("_tokens") else float(total)
    return [Response(attributes=found)] if found else []


def _is_figure(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and isfinite(value) and 0 <= value <= LARGEST
