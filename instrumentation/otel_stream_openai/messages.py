"""OpenAI messages and input items in the convention's form."""

from __future__ import annotations

import json
from typing import Any

from otel_stream import semconv
from otel_stream.call import Content

__all__ = ["of_chat", "of_completion", "of_responses"]

Part = dict[str, Any]


def of_chat(body: dict[str, Any]) -> Content:
    """The content of a chat completions request."""
    found: Content = {}
    messages = body.get("messages")
    if isinstance(messages, (list, tuple)):
        found[semconv.INPUT_MESSAGES] = [_message(m) for m in messages if isinstance(m, dict)]
    return _with_tools(found, body)


def of_completion(body: dict[str, Any]) -> Content:
    """The content of a legacy completions request: prompts are strings or token lists."""
    prompts = body.get("prompt")
    prompts = prompts if isinstance(prompts, (list, tuple)) else [prompts]
    texts = [p for p in prompts if isinstance(p, str)]
    return {semconv.INPUT_MESSAGES: [{"role": "user", "parts": [_text(t)]} for t in texts]}


def of_responses(body: dict[str, Any]) -> Content:
    """The content of a Responses request."""
    found: Content = {}
    if isinstance(body.get("instructions"), str):
        found[semconv.SYSTEM_INSTRUCTIONS] = [_text(body["instructions"])]
    given = body.get("input")
    if isinstance(given, str):
        found[semconv.INPUT_MESSAGES] = [{"role": "user", "parts": [_text(given)]}]
    elif isinstance(given, (list, tuple)):
        found[semconv.INPUT_MESSAGES] = [_item(item) for item in given if isinstance(item, dict)]
    return _with_tools(found, body)


def _with_tools(found: Content, body: dict[str, Any]) -> Content:
    if body.get("tools"):
        found[semconv.TOOL_DEFINITIONS] = body["tools"]
    return found


def _message(message: dict[str, Any]) -> dict[str, Any]:
    role = str(message.get("role") or "user")
    if role == "tool":
        response = {
            "type": "tool_call_response",
            "id": message.get("tool_call_id"),
            "response": message.get("content"),
        }
        return {"role": role, "parts": [response]}
    parts = _parts(message.get("content"))
    calls = message.get("tool_calls")
    if isinstance(calls, (list, tuple)):
        parts += [_tool_call(call) for call in calls if isinstance(call, dict)]
    found: dict[str, Any] = {"role": role, "parts": parts}
    if isinstance(message.get("name"), str):
        found["name"] = message["name"]
    return found


def _item(item: dict[str, Any]) -> dict[str, Any]:
    kind = item.get("type") or "message"
    if kind == "message":
        return _message(item)
    if kind in ("function_call", "custom_tool_call"):
        call = {"id": item.get("call_id"), "function": {**item}}
        return {"role": "assistant", "parts": [_tool_call(call)]}
    if kind in ("function_call_output", "custom_tool_call_output"):
        part = {
            "type": "tool_call_response",
            "id": item.get("call_id"),
            "response": item.get("output"),
        }
        return {"role": "tool", "parts": [part]}
    return {"role": "assistant", "parts": [{"type": str(kind)}]}


def _parts(content: Any) -> list[Part]:
    if isinstance(content, str):
        return [_text(content)]
    if not isinstance(content, (list, tuple)):
        return []
    return [_part(part) for part in content if isinstance(part, dict)]


def _part(part: dict[str, Any]) -> Part:
    """One part. Bytes (data URLs, audio) are named, never copied."""
    kind = str(part.get("type") or "")
    if isinstance(part.get("text"), str):
        return _text(part["text"])
    if isinstance(part.get("refusal"), str):
        return {"type": "refusal", "content": part["refusal"]}
    if "image" in kind:
        image = part.get("image_url")
        url = image.get("url") if isinstance(image, dict) else image
        return _media("image", url, part)
    if "audio" in kind:
        return {"type": "blob", "modality": "audio", "content": ""}
    if "file" in kind:
        file = part.get("file") if isinstance(part.get("file"), dict) else part
        return {"type": "file", "modality": "document", "file_id": (file or {}).get("file_id")}
    return {"type": kind or "unknown"}


def _media(modality: str, url: Any, part: dict[str, Any]) -> Part:
    if isinstance(url, str) and url.startswith("data:"):
        mime = url[5:].partition(";")[0]
        return {"type": "blob", "modality": modality, "mime_type": mime, "content": ""}
    if isinstance(url, str):
        return {"type": "uri", "modality": modality, "uri": url}
    return {"type": "file", "modality": modality, "file_id": part.get("file_id")}


def _text(text: str) -> Part:
    return {"type": "text", "content": text}


def _tool_call(call: dict[str, Any]) -> Part:
    function = call.get("function") or call.get("custom") or {}
    arguments = function.get("arguments", function.get("input"))
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            pass  # No JSON: it stays the string that it is.
    return {
        "type": "tool_call",
        "id": call.get("id"),
        "name": str(function.get("name") or ""),
        "arguments": arguments,
    }
