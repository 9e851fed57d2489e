"""What an OpenAI request asks for: span attributes of the convention's types, and its content."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from otel_stream import semconv
from otel_stream.call import CallInfo, Content
from otel_stream.host import address_of, provider_at

__all__ = ["info"]

_DOUBLES = {
    "temperature": semconv.REQUEST_TEMPERATURE,
    "top_p": semconv.REQUEST_TOP_P,
    "frequency_penalty": semconv.REQUEST_FREQUENCY_PENALTY,
    "presence_penalty": semconv.REQUEST_PRESENCE_PENALTY,
}
_INTEGERS = {
    "max_tokens": semconv.REQUEST_MAX_TOKENS,
    "max_completion_tokens": semconv.REQUEST_MAX_TOKENS,
    "max_output_tokens": semconv.REQUEST_MAX_TOKENS,
    "seed": semconv.REQUEST_SEED,
}
_STRINGS = {
    "previous_response_id": semconv.REQUEST_PREVIOUS_RESPONSE_ID,
    "reasoning_effort": semconv.REQUEST_REASONING_LEVEL,
    "service_tier": semconv.OPENAI_REQUEST_SERVICE_TIER,
}
_OUTPUT_TYPES = {"json_object": "json", "json_schema": "json", "text": "text"}


def info(
    client: Any,
    body: dict[str, Any],
    streamed: bool,
    *,
    operation: str,
    api: str | None,
    content: Callable[[dict[str, Any]], Content],
) -> CallInfo:
    """What `body`, sent by `client`, asks for."""
    address = address_of(client.base_url)
    model = body.get("model")
    attributes = _plain(body)
    attributes.update(_nested(body))
    if api is not None:
        attributes[semconv.OPENAI_API_TYPE] = api
    azure = "openai" if "Azure" not in type(client).__name__ else "azure.ai.openai"
    return CallInfo(
        operation=operation,
        provider=provider_at(address, azure),
        model=model if isinstance(model, str) else None,
        server_address=address[0],
        server_port=address[1],
        attributes=attributes,
        content=lambda: content(body),
        streamed=streamed,
    )


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for names, types, convert in (
        (_DOUBLES, (int, float), float),
        (_INTEGERS, (int,), int),
        (_STRINGS, (str,), str),
    ):
        for field, name in names.items():
            value = body.get(field)
            if isinstance(value, types) and not isinstance(value, bool):
                found[name] = convert(value)
    count = body.get("n")
    if isinstance(count, int) and count > 1:
        found[semconv.REQUEST_CHOICE_COUNT] = count
    return found


def _nested(body: dict[str, Any]) -> dict[str, Any]:
    form = body.get("response_format") or _field(body.get("text"), "format")
    candidates = {
        semconv.REQUEST_STOP_SEQUENCES: _stop(body.get("stop")),
        semconv.REQUEST_REASONING_LEVEL: _field(body.get("reasoning"), "effort"),
        semconv.OUTPUT_TYPE: _OUTPUT_TYPES.get(str(_field(form, "type"))),
        semconv.CONVERSATION_ID: _id(body.get("conversation")),
        semconv.PROMPT_NAME: _field(body.get("prompt"), "id"),
        semconv.PROMPT_VERSION: _field(body.get("prompt"), "version"),
    }
    return {n: v for n, v in candidates.items() if v and isinstance(v, (str, list))}


def _stop(stop: Any) -> list[str]:
    stops = [stop] if isinstance(stop, str) else stop
    return [s for s in stops if isinstance(s, str)] if isinstance(stops, (list, tuple)) else []


def _id(value: Any) -> Any:
    return value if isinstance(value, str) else _field(value, "id")


def _field(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None
