"""What is mutated: the events of good streams of each API, as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from otel_stream.testing import (
    ChatStream,
    CompletionStream,
    MessageStream,
    ResponseStream,
    ToolCall,
    chat_choices,
    chat_reasoning,
    chat_refusal,
    chat_text,
    chat_tools,
    chat_usage,
    citation,
    completion_text,
    message_text,
    message_thinking,
    message_tools,
    response_text,
    response_tools,
)

__all__ = ["CORPUS", "Event"]

WORDS = ["Hello", " you", " 😊"]


class Event(NamedTuple):
    """One event: its name, and its data as JSON text (`[DONE]` as it is)."""

    name: str
    data: str


def _events(stream: Iterable[bytes]) -> list[Event]:
    found = []
    for event in stream:
        fields = dict(line.split(": ", 1) for line in event.decode().splitlines() if line)
        found.append(Event(fields.get("event", ""), fields["data"]))
    return found


CORPUS: dict[str, list[list[Event]]] = {
    "chat": [
        _events(chat_text(WORDS, usage=chat_usage())),
        _events(chat_tools([ToolCall(), ToolCall("other", id="2", index=1)], usage=chat_usage())),
        _events(chat_tools([ToolCall(index=None, late_name=True)])),
        _events(chat_reasoning(WORDS, WORDS)),
        _events(chat_refusal(WORDS)),
        _events(chat_choices([WORDS, WORDS], usage=chat_usage())),
        _events(ChatStream(service_tier="default").prompt_filter().role().text(WORDS).x_groq()),
        _events(ChatStream().role().text(WORDS).error()),
    ],
    "completions": [
        _events(completion_text(WORDS, usage=chat_usage())),
        _events(CompletionStream().text(WORDS).text(WORDS, 1).finish().finish(choice=1).done()),
    ],
    "responses": [
        _events(response_text(WORDS)),
        _events(response_tools()),
        _events(ResponseStream().created().reasoning(WORDS).refusal(WORDS).incomplete()),
        _events(ResponseStream().created().reasoning(WORDS, full=True).web_search().failed()),
        _events(ResponseStream().function_call(ToolCall(), custom=True).error()),
    ],
    "messages": [
        _events(message_text(WORDS)),
        _events(message_thinking(WORDS, WORDS)),
        _events(message_tools(["a", "b"])),
        _events(MessageStream().start().redacted_thinking().web_search().delta().stop()),
        _events(MessageStream().start().text(WORDS, [citation()]).delta("pause_turn").stop()),
        _events(MessageStream().start().text(WORDS, stop=False).error()),
    ],
}
"""By API."""
