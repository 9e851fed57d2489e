"""The table: which attribute becomes which key of a flat line, and what its values may be.

A value that is not of its kind is unknown, and what is unknown is left out: it is never null and
never 0. Kinds are fixed, so that a key has the same type on every line; a whole number of seconds
that came as an integer, as JavaScript sends it, is a float like the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from otel_stream import semconv

__all__ = ["CONTENT", "FACTS", "Facts", "text"]

Kind: TypeAlias = Callable[[object], Any]
Facts: TypeAlias = dict[str, tuple[str, Kind]]
"""A key and its kind by attribute, in the order of the keys."""

_MOST = 2**63 - 1


def text(value: object) -> str | None:
    """A text that is not empty."""
    return value if isinstance(value, str) and value else None


def texts(value: object) -> list[str] | None:
    """Texts, at least one."""
    found = [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
    return found or None


def flag(value: object) -> bool | None:
    """True or false."""
    return value if isinstance(value, bool) else None


def count(value: object) -> int | None:
    """A whole number, 0 or more, in 63 bits: what a column of integers holds."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= _MOST else None


def number(value: object) -> float | None:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def messages(value: object) -> str | None:
    """JSON as a text, which spans carry; structured values, which they may carry, become one."""
    if isinstance(value, list | dict) and value:
        value = msgspec.json.encode(value).decode()
    return text(value)


FACTS: Facts = {
    semconv.OPERATION_NAME: ("operation", text),
    semconv.PROVIDER_NAME: ("provider", text),
    semconv.REQUEST_MODEL: ("request_model", text),
    semconv.RESPONSE_MODEL: ("response_model", text),
    semconv.SERVER_ADDRESS: ("server_address", text),
    semconv.OUTCOME: ("outcome", text),
    semconv.PARTIAL: ("partial", flag),
    semconv.ERROR_TYPE: ("error_type", text),
    semconv.RESPONSE_FINISH_REASONS: ("finish_reasons", texts),
    semconv.TIME_TO_HEADERS: ("time_to_headers", number),
    semconv.RESPONSE_TIME_TO_FIRST_CHUNK: ("time_to_first_chunk", number),
    semconv.TIME_TO_FIRST_TOKEN: ("time_to_first_token", number),
    semconv.TIME_TO_FIRST_TEXT: ("time_to_first_text", number),
    semconv.TIME_TO_FIRST_REASONING: ("time_to_first_reasoning", number),
    semconv.TIME_TO_FIRST_TOOL_CALL: ("time_to_first_tool_call", number),
    semconv.PROVIDER_WAIT: ("provider_wait", number),
    semconv.CONSUMER_TIME: ("consumer_time", number),
    semconv.GAP_P50: ("gap_p50", number),
    semconv.GAP_P95: ("gap_p95", number),
    semconv.GAP_MAX: ("gap_max", number),
    semconv.CHUNK_COUNT: ("chunks", count),
    semconv.CONTENT_SIZE: ("characters", count),
    semconv.USAGE_INPUT_TOKENS: ("input_tokens", count),
    semconv.USAGE_OUTPUT_TOKENS: ("output_tokens", count),
    semconv.USAGE_CACHE_READ: ("cache_read_tokens", count),
    semconv.USAGE_CACHE_CREATION: ("cache_creation_tokens", count),
    semconv.USAGE_REASONING: ("reasoning_tokens", count),
    semconv.USAGE_SOURCE: ("usage_source", text),
    semconv.OUTPUT_TOKENS_PER_SECOND: ("tokens_per_second", number),
    semconv.COST_TOTAL: ("cost", number),
    semconv.STALL_COUNT: ("stalls", count),
    semconv.STALL_DURATION: ("stall_duration", number),
    semconv.RETRIES: ("retries", count),
    semconv.EVENT_TOOL_CALL: ("tool_calls", texts),  # the span events of that name
    semconv.EVENTS_DROPPED: ("events_dropped", count),
    semconv.SAMPLING_ADJUSTED_COUNT: ("adjusted_count", number),
}

CONTENT: Facts = {
    semconv.SYSTEM_INSTRUCTIONS: ("system_instructions", messages),
    semconv.INPUT_MESSAGES: ("input_messages", messages),
    semconv.OUTPUT_MESSAGES: ("output_messages", messages),
}
"""Only told when asked for."""
