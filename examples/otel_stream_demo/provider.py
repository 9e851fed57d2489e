"""Answers of the local provider: real wire formats, in the rhythm of real models."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from otel_stream.testing import (
    ChatStream,
    HoldHeaders,
    MessageStream,
    ResponseStream,
    Script,
    Send,
    Wait,
    chat_usage,
    message_usage,
    response_usage,
)

__all__ = [
    "cut_off", "dated", "fast", "overloaded", "paced", "pieces", "reasoning", "slow_start", "stall",
    "tool_call", "whole",
]  # fmt: skip

DATES = {
    "claude-haiku-4-5": "20251001",
    "claude-opus-4-1": "20250805",
    "claude-opus-4-5": "20251101",
    "claude-sonnet-4-5": "20250929",
    "gpt-4.1": "2025-04-14",
    "gpt-4.1-mini": "2025-04-14",
    "gpt-4o": "2024-08-06",
    "gpt-4o-mini": "2024-07-18",
    "gpt-5-mini": "2025-08-07",
    "o4-mini": "2025-04-16",
}
"""Of the models that these names stand for."""

COFFEE = (
    "Good coffee is mostly good water, fresh beans and patience. Grind the beans just before you"
    " brew, not too fine. Take sixty grams for a litre of water, a little below boiling. Pour a"
    " little, wait half a minute, and pour the rest slowly in circles. Then drink it while it is"
    " warm, and write down what you would change."
)
THOUGHT = (
    "The question is general, so a filter brew is the safe choice. Ratio, grind and temperature"
    " matter most."
)


def dated(model: str) -> str:
    """The name by which the real service answers when this one was asked."""
    return f"{model}-{DATES[model]}"


def whole(model: str) -> Script:
    """A chat answer from its first word to its last."""
    events = _told(model).usage(chat_usage(14, 68)).done()
    return paced(events, headers=0.45, pace=0.15, pauses={1: 0.4})


def reasoning(model: str) -> Script:
    """A response that begins with a summary of its reasoning."""
    events = ResponseStream(model).created().in_progress()
    events.reasoning(pieces(THOUGHT)[:8]).text(pieces(COFFEE)[:8])
    events.completed(response_usage(14, 96, reasoning=64))
    return paced(events, headers=0.3, pace=0.17, pauses={2: 1.0, 15: 0.5})


def tool_call(model: str) -> Script:
    """A message that says what it will do, and then calls a tool."""
    events = MessageStream(model).start(message_usage(52, 1))
    events.text(pieces("Let me look up the weather in Recife.", 1))
    events.tool_use("get_weather", ['{"ci', 'ty": ', '"Re', "cif", 'e", "un', 'it": "', 'C"}'])
    events.delta("tool_use", {"output_tokens": 38}).stop()
    return paced(events, headers=0.5, pace=0.14, pauses={2: 0.3})


def stall(model: str) -> Script:
    """A chat answer that stands still for a while in the middle."""
    events = _told(model).usage(chat_usage(14, 68)).done()
    return paced(events, headers=0.4, pace=0.1, pauses={1: 0.3, 11: 2.7})


def fast(model: str) -> Script:
    """A message that comes faster than anybody reads."""
    events = MessageStream(model).start(message_usage(14, 1)).text(pieces(COFFEE)[:15])
    events.delta("end_turn", {"output_tokens": 42}).stop()
    return paced(events, headers=0.25, pace=0.02, pauses={2: 0.2})


def slow_start(model: str) -> Script:
    """A chat answer for which one may lose patience."""
    events = _told(model).done()
    return paced(events, headers=0.7, pace=0.16, pauses={1: 0.6})


def cut_off(model: str) -> Script:
    """A message whose body ends, as if it were whole, before the provider says that it is."""
    events = MessageStream(model).start(message_usage(14, 1)).text(pieces(COFFEE)[:18])[:-1]
    return paced(events, headers=0.5, pace=0.1, pauses={2: 0.3})


def overloaded(model: str) -> Script:
    """A message in the middle of which the provider gives up."""
    events = MessageStream(model).start(message_usage(14, 1)).text(pieces(COFFEE)[:14])[:-1]
    failed = MessageStream(model).error("overloaded_error", "Overloaded")
    pauses = {2: 0.3, len(events): 0.9}
    return paced([*events, *failed], headers=0.35, pace=0.12, pauses=pauses)


def _told(model: str) -> ChatStream:
    """The chat answer that most give."""
    return ChatStream(model).role().text(pieces(COFFEE)).finish()


def pieces(text: str, words: int = 3) -> list[str]:
    """The text in pieces such as models send: some words and the space before them."""
    split = text.split(" ")
    pieces = [" ".join(split[at : at + words]) for at in range(0, len(split), words)]
    return [pieces[0], *(f" {piece}" for piece in pieces[1:])]


def paced(
    events: Sequence[bytes], *, headers: float, pace: float, pauses: Mapping[int, float]
) -> Script:
    """Send events in an uneven rhythm, the same in every run.

    Args:
        events: What is sent.
        headers: Seconds before the headers.
        pace: Seconds between two events, on average; none before the first.
        pauses: Seconds before certain events instead, by their number from 0.
    """
    rhythm = random.Random(len(events))
    steps: list[HoldHeaders | Wait | Send] = [HoldHeaders(headers)]
    for number, event in enumerate(events):
        usual = pace * rhythm.choice((0.2, 0.6, 1.0, 1.2, 2.0)) if number else 0.0
        steps += [Wait(pauses.get(number, usual)), Send(event)]
    return Script(steps, headers={"content-type": "text/event-stream; charset=utf-8"})
