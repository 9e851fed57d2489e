"""What a call of `run` and its kin asks for, in the convention's terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from opentelemetry.trace import SpanKind

from otel_stream import semconv
from otel_stream.call import CallInfo, Content
from otel_stream.fields import field_of
from otel_stream.redaction import without_numbers
from otel_stream_agno.facts import OPERATION, PROVIDER

__all__ = ["identity", "info_of"]


def info_of(agent: Any, kind: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> CallInfo:
    """The call of a method of *agent*, which is the first of *args*; *kind*: agent or team."""
    asked = args[1] if len(args) > 1 else kwargs.get("input", kwargs.get("run_response"))
    name = _text(field_of(agent, "name"))
    stream = kwargs.get("stream")
    return CallInfo(
        operation=OPERATION,
        name=f"{OPERATION} {name}" if name else OPERATION,
        provider=PROVIDER,
        model=_text(field_of(field_of(agent, "model"), "id")),
        attributes={semconv.RUN_KIND: kind, **identity(agent, asked, kwargs)},
        content=partial(_content, asked),
        streamed=bool(field_of(agent, "stream") if stream is None else stream),
        kind=SpanKind.INTERNAL,
    )


def identity(agent: Any, asked: Any, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Who runs, in which session, as far as it is known before Agno makes up the rest.

    A run that goes on has the ids of what it continues: of the output in *asked*, or by name. A
    fork of it (3.x) is another run.
    """
    before = asked if _is_output(asked) else None
    session = kwargs.get("session_id") or field_of(before, "session_id")
    session = _text(session or field_of(agent, "session_id"))
    run = kwargs.get("run_id") or field_of(before, "run_id")
    found = {
        semconv.AGENT_NAME: _text(field_of(agent, "name")),
        semconv.AGENT_ID: _text(field_of(agent, "id")),
        # Bots like to name sessions after the person's number.
        semconv.CONVERSATION_ID: without_numbers(session) if session else None,
        semconv.RUN_ID: None if kwargs.get("fork") or kwargs.get("regenerate") else _text(run),
    }
    return {name: value for name, value in found.items() if value}


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _content(asked: Any) -> Content:
    messages = _messages(asked)
    return {semconv.INPUT_MESSAGES: messages} if messages else {}


def _messages(asked: Any) -> list[dict[str, Any]]:
    """The messages that were given. What is continued (a `RunOutput`) was input of another run."""
    if asked is None or _is_output(asked):
        return []
    listed = asked if isinstance(asked, (list, tuple)) else [asked]
    if not all(_is_message(one) for one in listed):
        return [_message("user", asked)]
    return [_message(field_of(one, "role") or "user", field_of(one, "content")) for one in listed]


def _is_output(value: Any) -> bool:
    return hasattr(value, "run_id") and hasattr(value, "status")


def _is_message(value: Any) -> bool:
    return field_of(value, "role") is not None and not isinstance(value, str)


def _message(role: str, content: Any) -> dict[str, Any]:
    if hasattr(content, "model_dump"):
        content = content.model_dump()
    return {"role": str(role), "parts": [{"type": "text", "content": content}]}
