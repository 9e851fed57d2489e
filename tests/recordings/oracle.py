"""An independent reader of the wire: what a body, or the beginning of one, says.

It shares no code with otel-stream: events are split by regular expressions over the whole body, and
each API is read from its JSON in a few lines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Reading", "ends_of_events", "read"]

Json = dict[str, Any]
_LINE_END = re.compile(rb"\r\n|\r|\n")
_EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")


@dataclass(slots=True)
class Reading:
    """What was read: chunks, the answer so far, and how it stands."""

    chunks: int = 0
    texts: dict[int, str] = field(default_factory=dict)
    """By choice, with refusals, which are text to a reader."""
    reasoning: str = ""
    size: int = 0
    """Characters of text, refusals apart."""
    asked: int = 1
    seen: set[int] = field(default_factory=set)
    finished: set[int] = field(default_factory=set)
    done: bool = False
    terminal: bool = False
    failed: bool = False

    @property
    def text(self) -> str:
        """Text of the first choice."""
        return self.texts.get(0, "")

    def outcome(self, otherwise: str) -> str:
        """The outcome, if the stream ended here; `otherwise` for an answer that is not whole."""
        if self.failed:
            return "error"
        whole = self.terminal or self._all_finished or (self.done and not self.finished)
        return "completed" if whole else otherwise

    @property
    def _all_finished(self) -> bool:
        wanted = max(self.asked, len(self.seen))
        by_mark = self.done and self.seen <= self.finished
        return bool(self.finished) and (by_mark or len(self.finished) >= wanted)

    def say(self, text: Any, choice: int = 0, refusal: bool = False) -> None:
        """Add text."""
        if isinstance(text, str) and text:
            self.texts[choice] = self.texts.get(choice, "") + text
            self.size += 0 if refusal else len(text)

    def think(self, text: Any) -> None:
        """Add reasoning."""
        self.reasoning += text if isinstance(text, str) else ""


def ends_of_events(body: bytes) -> list[int]:
    """Where events end: the offsets just behind their blank lines."""
    return [match.end() for match in _EVENT_END.finditer(body)]


def read(api: str, body: bytes, choices: int = 1, most: int | None = None) -> Reading:
    """Read `body`, at most `most` chunks of it."""
    reading = Reading(asked=choices)
    for name, data in _events(body):
        if reading.failed or reading.chunks == most:
            break
        if data.startswith("[DONE]"):
            reading.done = True
            break
        _READ[api](reading, name, json.loads(data))
    return reading


def _events(body: bytes) -> Iterator[tuple[str, str]]:
    """Name and data of each event that a blank line ends; `[DONE]` also without one."""
    name, data = "", []
    *lines, rest = _LINE_END.split(body)
    for line in (line.decode("utf-8", "replace") for line in lines):
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif line.startswith("event:"):
            name = line[6:].strip()
        elif not line and data:
            yield name, "\n".join(data)
        if not line:
            name, data = "", []
    if b"[DONE]" in rest or "[DONE]" in data:
        yield "", "[DONE]"


def _chat(reading: Reading, name: str, event: Json) -> None:
    if event.get("error"):
        reading.failed = True
        return
    reading.chunks += 1
    for choice in event.get("choices") or ():
        index, delta = choice.get("index") or 0, choice.get("delta") or {}
        reading.seen.add(index)
        if choice.get("finish_reason"):
            reading.finished.add(index)
        content = delta.get("content")
        for part in content if isinstance(content, list) else [{"text": content}]:
            reading.say(part.get("text"), index)
        reading.say(delta.get("refusal"), index, refusal=True)
        reading.think(delta.get("reasoning_content") or delta.get("reasoning"))


def _completions(reading: Reading, name: str, event: Json) -> None:
    if event.get("error"):
        reading.failed = True
        return
    reading.chunks += 1
    for choice in event.get("choices") or ():
        index = choice.get("index") or 0
        reading.seen.add(index)
        if choice.get("finish_reason"):
            reading.finished.add(index)
        reading.say(choice.get("text"), index)


def _responses(reading: Reading, name: str, event: Json) -> None:
    kind = event.get("type") or name
    reading.chunks += kind != "error"
    reading.failed = kind in ("error", "response.failed")
    reading.terminal |= kind in ("response.completed", "response.incomplete")
    if kind == "response.output_text.delta":
        reading.say(event["delta"])
    elif kind == "response.refusal.delta":
        reading.say(event["delta"], refusal=True)
    elif kind in ("response.reasoning_summary_text.delta", "response.reasoning_text.delta"):
        reading.think(event["delta"])


def _messages(reading: Reading, name: str, event: Json) -> None:
    kind = event.get("type") or name
    reading.chunks += kind not in ("error", "ping")
    reading.failed = kind == "error"
    reading.terminal |= kind == "message_stop"
    delta = event.get("delta") or {}
    if kind == "content_block_delta":
        reading.say(delta.get("text"))
        reading.think(delta.get("thinking"))
    elif kind == "content_block_start":
        reading.say(event["content_block"].get("text"))
    elif kind == "message_delta":
        reading.say((delta.get("stop_details") or {}).get("explanation"), refusal=True)


_READ: dict[str, Callable[[Reading, str, Json], None]] = {
    "chat": _chat,
    "completions": _completions,
    "responses": _responses,
    "messages": _messages,
}
