"""Token counts as OpenAI and the providers that speak its wire report them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from otel_stream.attributes import LARGEST
from otel_stream.delta import Usage
from otel_stream.fields import fields_of

__all__ = ["usage_of"]


def usage_of(reported: Any, *, final: bool = True) -> Usage | None:
    """`reported` (a model or JSON) by the convention; None if it has no count at all."""
    counts = fields_of(reported)
    if not counts:
        return None
    prompt = _details(counts, "prompt_tokens_details", "input_tokens_details")
    output = _details(counts, "completion_tokens_details", "output_tokens_details")
    found = Usage(
        input=_count(counts, "prompt_tokens", "input_tokens"),
        output=_count(counts, "completion_tokens", "output_tokens"),
        cache_read=_count(prompt, "cached_tokens"),
        cache_creation=_count(prompt, "cache_write_tokens", "cache_creation_tokens"),
        reasoning=_count(output, "reasoning_tokens"),
        final=final,
    )
    return found if found.input is not None or found.output is not None else None


def _details(counts: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    return next((fields_of(d) for name in names if (d := counts.get(name)) is not None), {})


def _count(counts: Mapping[str, Any], *names: str) -> int | None:
    for name in names:
        value = counts.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST:
            return value
    return None
