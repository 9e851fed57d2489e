"""What the models of the team say: the leader asks the forecaster, who looks, and then answers."""

from __future__ import annotations

import json
from typing import Any

from otel_stream.testing import ChatStream, Script, ToolCall, chat_usage
from otel_stream.testing.request import Request
from otel_stream_demo.provider import dated, paced, pieces

__all__ = ["ANSWER", "CITY", "FOUND", "LEADER", "MEMBER", "TASK", "answer"]

LEADER = "gpt-4.1"
MEMBER = "gpt-4.1-mini"
CITY = "Olinda"
TASK = "Saturday in Olinda, hour by hour: sunshine, showers, the sea?"
FOUND = "Sunny until noon, twenty-nine degrees, a shower about three o'clock."
ANSWER = (
    "Saturday looks lovely in Olinda: sunshine all morning, and calm water until noon.",
    "Bring hats and sunscreen for the children. About three o'clock clouds gather, and a shower is"
    " likely, so leave early.",
    "If it comes sooner, the puppet museum opens at ten and lets children in free. Enjoy!",
)
"""Each paragraph becomes a message."""


def answer(request: Request) -> Script:
    """What the model that is asked says, by what it has been told already."""
    asked = request.json
    stream = ChatStream(dated(asked["model"])).role()
    informed = any(message["role"] == "tool" for message in asked["messages"])
    if not informed:
        return _paced(stream.tools([_call(asked["tools"])]), "tool_calls")
    if asked["model"] == MEMBER:
        return _paced(stream.text(pieces(FOUND)), "stop")
    said = [
        piece if place else f"{gap}{piece}"
        for gap, paragraph in zip(("", "\n\n", "\n\n"), ANSWER, strict=True)
        for place, piece in enumerate(pieces(paragraph))
    ]
    last = 1 + len(said) - len(pieces(ANSWER[-1]))
    return _paced(stream.text(said), "stop", headers=0.3, pace=0.06, pauses={1: 0.25, last: 0.8})


def _call(tools: list[dict[str, Any]]) -> ToolCall:
    """A call of the first tool that is offered. Versions of Agno name a task differently."""
    function = tools[0]["function"]
    known = {"member_id": "forecaster", "city": CITY, "day": "Saturday"}
    given = {name: known.get(name, TASK) for name in function["parameters"]["properties"]}
    return ToolCall(function["name"], json.dumps(given))


def _paced(
    stream: ChatStream,
    reason: str,
    *,
    headers: float = 0.2,
    pace: float = 0.03,
    pauses: dict[int, float] | None = None,
) -> Script:
    stream.finish(reason).usage(chat_usage(120, 40)).done()
    return paced(stream, headers=headers, pace=pace, pauses=pauses or {1: 0.1})
