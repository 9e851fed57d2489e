"""What a Messages request asks for: span attributes of the convention's types, and its content."""

from __future__ import annotations

from typing import Any

from otel_stream import semconv
from otel_stream.call import CallInfo, Content
from otel_stream.fields import fields_of
from otel_stream.host import address_of, provider_at

__all__ = ["info"]

_BY_CLIENT = {"Bedrock": "aws.bedrock", "Vertex": "gcp.vertex_ai", "Foundry": "azure.ai.inference"}
Part = dict[str, Any]


def info(client: Any, body: dict[str, Any], streamed: bool) -> CallInfo:
    """What `body`, sent by `client`, asks for."""
    address = address_of(client.base_url)
    model = body.get("model")
    name = type(client).__name__
    own = next((p for word, p in _BY_CLIENT.items() if word in name), "anthropic")
    return CallInfo(
        operation="chat",
        provider=own if own != "anthropic" else provider_at(address, own),
        model=model if isinstance(model, str) else None,
        server_address=address[0],
        server_port=address[1],
        attributes=_attributes(client, body),
        content=lambda: _content(body),
        streamed=streamed,
    )


def _attributes(client: Any, body: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field, name, convert in (
        ("temperature", semconv.REQUEST_TEMPERATURE, float),
        ("top_p", semconv.REQUEST_TOP_P, float),
        ("top_k", semconv.REQUEST_TOP_K, int),
        ("max_tokens", semconv.REQUEST_MAX_TOKENS, int),
    ):
        value = body.get(field)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            found[name] = convert(value)
    stops = body.get("stop_sequences")
    if isinstance(stops, (list, tuple)) and stops:
        found[semconv.REQUEST_STOP_SEQUENCES] = [s for s in stops if isinstance(s, str)]
    output = fields_of(body.get("output_config"))
    if isinstance(output.get("effort"), str):
        found[semconv.REQUEST_REASONING_LEVEL] = output["effort"]
    if body.get("output_format") or output.get("format"):
        found[semconv.OUTPUT_TYPE] = "json"
    # The SDK's own tracing takes a conversation id as a client option; it is as good for ours.
    conversation = fields_of(getattr(client, "_open_telemetry", None)).get("conversation_id")
    if isinstance(conversation, str):
        found[semconv.CONVERSATION_ID] = conversation
    return found


def _content(body: dict[str, Any]) -> Content:
    found: Content = {}
    system = body.get("system")
    if system:
        found[semconv.SYSTEM_INSTRUCTIONS] = _parts(system)
    messages = body.get("messages")
    if isinstance(messages, (list, tuple)):
        found[semconv.INPUT_MESSAGES] = [
            {"role": str(m.get("role") or "user"), "parts": _parts(m.get("content"))}
            for m in messages
            if isinstance(m, dict)
        ]
    if body.get("tools"):
        found[semconv.TOOL_DEFINITIONS] = body["tools"]
    return found


def _parts(content: Any) -> list[Part]:
    if isinstance(content, str):
        return [{"type": "text", "content": content}]
    if not isinstance(content, (list, tuple)):
        return []
    return [_part(block) for block in content]


def _part(block: Any) -> Part:
    """A content block as sent: a dictionary, or a model from an earlier answer."""

    def field(name: str) -> Any:
        return block.get(name) if isinstance(block, dict) else getattr(block, name, None)

    kind = str(field("type") or "unknown")
    if kind == "text":
        return {"type": "text", "content": str(field("text") or "")}
    if kind == "thinking":
        return {"type": "reasoning", "content": str(field("thinking") or "")}
    if kind.endswith("tool_use"):
        call = {"id": field("id"), "name": str(field("name") or ""), "arguments": field("input")}
        return {"type": "tool_call", **call}
    if kind.endswith("tool_result"):
        return {
            "type": "tool_call_response",
            "id": field("tool_use_id"),
            "response": _response(field("content")),
        }
    if kind in ("image", "document"):
        return _media(kind, field("source"))
    return {"type": kind}


def _response(content: Any) -> Any:
    """A tool's result: text as it is, blocks as parts, so that no bytes go along."""
    return content if isinstance(content, str) else _parts(content)


def _media(kind: str, source: Any) -> Part:
    source = source if isinstance(source, dict) else {}
    if source.get("type") == "url":
        return {"type": "uri", "modality": kind, "uri": source.get("url")}
    if source.get("type") == "file":
        return {"type": "file", "modality": kind, "file_id": source.get("file_id")}
    return {"type": "blob", "modality": kind, "mime_type": source.get("media_type"), "content": ""}
