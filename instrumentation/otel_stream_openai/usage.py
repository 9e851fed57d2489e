"""Token counts as OpenAI and the providers that speak its wire report them."""

from __future__ import annotations

from typing import Any

from otel_stream.delta import Usage

__all__ = ["usage_of"]


def usage_of(reported: Any, *, final: bool = True) -> Usage | None:
    """`reported` (a model or `Fields`) by the convention; None if it has no count at all."""
    if reported is None:
        return None
    prompt = _details(reported, "prompt_tokens_details", "input_tokens_details")
    output = _details(reported, "completion_tokens_details", "output_tokens_details")
    found = Usage(
        input=_count(reported, "prompt_tokens", "input_tokens"),
        output=_count(reported, "completion_tokens", "output_tokens"),
        cache_read=_count(prompt, "cached_tokens"),
        cache_creation=_count(prompt, "cache_write_tokens", "cache_creation_tokens"),
        reasoning=_count(output, "reasoning_tokens"),
        final=final,
    )
    return found if found.input is not None or found.output is not None else None


def _details(reported: Any, *names: str) -> Any:
    return next((d for name in names if (d := getattr(reported, name, None)) is not None), None)


def _count(counts: Any, *names: str) -> int | None:
    for name in names:
        value = getattr(counts, name, None)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
    return None
