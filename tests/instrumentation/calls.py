"""Every way to call the SDKs: which method, and what it hands out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from . import opening
from .call import Call, Open
from .wires import CHAT, COMPLETION, MESSAGE, RESPONSE, Wire

__all__ = ["CALLS"]

HI = [{"role": "user", "content": "Hi"}]


@dataclass(frozen=True)
class Api:
    """One API of an SDK: its name in test ids, where it stands, what answers, what it is asked."""

    sdk: str
    name: str
    place: str
    wire: Wire
    arguments: dict[str, Any]

    def call(self, way: str, open: Open, kind: str = "events", method: str = "create") -> Call:
        """The way to call it that is named *way*. Beta is where a method of `chat` once was."""
        places = [f"{self.place}.{method}"]
        if self.sdk == "openai" and method in ("parse", "stream"):
            places.append(f"beta.{self.place}.{method}")
        name = f"{self.sdk}.{self.name}.{way}"
        return Call(name, self.sdk, tuple(places), self.wire, open, self.arguments, kind)

    def common(self) -> list[Call]:
        """The ways that every API has."""
        raw, streaming = "with_raw_response.create", "with_streaming_response.create"
        return [
            self.call("create", opening.streamed),
            self.call("raw.parse", opening.raw_parsed, method=raw),
            self.call("raw.lines", opening.raw_lines, "raw", raw),
            self.call("streaming.parse", opening.streaming_parsed, method=streaming),
            self.call("streaming.lines", opening.streaming_lines, "raw", streaming),
            self.call("streaming.bytes", opening.streaming_bytes, "raw", streaming),
            self.call("whole", opening.whole, "answer"),
            self.call("raw.whole", opening.raw_whole, "answer", raw),
            self.call("streaming.whole", opening.streaming_whole, "answer", streaming),
            self.call("streaming.body", opening.streaming_body, "answer", streaming),
        ]

    def helped(self, *finals: str) -> list[Call]:
        """The ways of an API with a helper, whose methods *finals* give the whole answer."""
        return [
            self.call("stream", opening.helped, method="stream"),
            self.call("parse", opening.whole, "answer", "parse"),
            *(self.call(final, opening.helped_final(final), "final", "stream") for final in finals),
        ]


ASKED = {"model": "claude-opus-5", "messages": HI, "max_tokens": 64}
CHATS = Api("openai", "chat", "chat.completions", CHAT, {"model": "gpt-5-mini", "messages": HI})
COMPLETIONS = Api(
    "openai",
    "completions",
    "completions",
    COMPLETION,
    {"model": "gpt-3.5-turbo-instruct", "prompt": "Hi"},
)
RESPONSES = Api("openai", "responses", "responses", RESPONSE, {"model": "gpt-5", "input": "Hi"})
MESSAGES = Api("anthropic", "messages", "messages", MESSAGE, ASKED)
BETA = Api("anthropic", "beta", "beta.messages", MESSAGE, ASKED)

CALLS = [
    call
    for call in [
        *CHATS.common(),
        *CHATS.helped("get_final_completion"),
        *COMPLETIONS.common(),
        *RESPONSES.common(),
        *RESPONSES.helped("get_final_response"),
        *MESSAGES.common(),
        *MESSAGES.helped("get_final_message", "get_final_text"),
        MESSAGES.call("texts", opening.helped_texts, "texts", "stream"),
        *BETA.common(),
        *BETA.helped("get_final_message", "get_final_text"),
        BETA.call("texts", opening.helped_texts, "texts", "stream"),
        BETA.call("tool_runner", opening.tools_run, method="tool_runner"),
        BETA.call("tool_runner.done", opening.tools_done, "answer", "tool_runner"),
    ]
    if call.exists
]
