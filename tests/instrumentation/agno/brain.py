"""A model behind the OpenAI API that calls the tools it is told to call, and then says hello."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from otel_stream.testing import Script, chat_completion, chat_text, chat_tools, chat_usage
from otel_stream.testing.request import Request
from otel_stream.testing.tool_call import ToolCall

__all__ = ["Brain"]

DELEGATE = "delegate_task_to_member"


class Brain:
    """Answers requests; a handler for `ProviderServer`.

    Args:
        wants: The arguments of each tool that it calls when it is offered.
        members: Whom a team's leader asks, all at once.
        words: What it says in the end.
        thoughts: What it thinks before.
    """

    def __init__(
        self,
        wants: dict[str, dict[str, Any]] | None = None,
        members: Sequence[str] = (),
        words: Sequence[str] = ("Hel", "lo"),
        thoughts: Sequence[str] = (),
    ) -> None:
        self.wants = wants or {}
        self.members = members
        self.words = words
        self.thoughts = thoughts

    def __call__(self, request: Request) -> Script:
        body = request.json
        asked = [message["role"] for message in body["messages"]]
        calls = [] if "tool" in asked else self._calls(body.get("tools", []))
        if body.get("stream"):
            return Script.stream(self._streamed(calls))
        if calls:
            return Script.json(chat_completion(None, tools=calls, finish="tool_calls"))
        return Script.json(chat_completion("".join(self.words)))

    def _streamed(self, calls: list[ToolCall]) -> Any:
        if calls:
            return chat_tools(calls, usage=chat_usage())
        stream = chat_text([], finish=None, done=False).reasoning(self.thoughts)
        return stream.text(self.words).finish().usage(chat_usage()).done()

    def _calls(self, tools: Sequence[dict[str, Any]]) -> list[ToolCall]:
        offered = {tool["function"]["name"]: tool["function"] for tool in tools}
        wanted = [(name, given) for name, given in self.wants.items() if name in offered]
        if DELEGATE in offered:
            wanted += [(DELEGATE, _task(offered[DELEGATE], member)) for member in self.members]
        return [
            ToolCall(name, json.dumps(given), f"call_{place}", place)
            for place, (name, given) in enumerate(wanted)
        ]


def _task(tool: dict[str, Any], member: str) -> dict[str, str]:
    """What is told to a member: how it is called differs between versions."""
    names = tool["parameters"]["properties"]
    return {name: member if name == "member_id" else "a poem" for name in names}
