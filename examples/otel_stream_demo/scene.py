"""The scenes of the demo: who asks which model what, how the provider answers, how it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from otel_stream.testing import Script
from otel_stream_demo import provider, reader
from otel_stream_demo.service import Service

__all__ = ["Scene", "live_scenes", "local_scenes"]

PROMPT = "How do I make good coffee?"


@dataclass(frozen=True)
class Scene:
    """One conversation.

    Args:
        title: What happens in it, in a few words.
        model: Asked; the local provider knows by it how to answer.
        play: Runs it; ends when the reader is done. May raise what the SDK raises.
        answer: What the local provider says, given the name of the model that answers. None for a
            real one.
        fails: Whether the SDK is to raise an error.
    """

    title: str
    model: str
    play: Callable[[Service, str], None]
    answer: Callable[[str], Script] | None = None
    fails: bool = False


def local_scenes() -> list[Scene]:
    """Every way in which an answer may go, on both wires."""
    return [
        Scene("whole answer", "gpt-5-mini", _whole, provider.whole),
        Scene("reasoning first", "o4-mini", _reason, provider.reasoning),
        Scene("tool call", "claude-sonnet-4-5", _use_tool, provider.tool_call),
        Scene("stall", "gpt-4.1", _whole, provider.stall),
        Scene("slow reader", "claude-haiku-4-5", _slow, provider.fast),
        Scene("reader leaves", "gpt-4o", _left, provider.whole),
        Scene("forgotten", "gpt-4.1-mini", _forgotten, provider.whole),
        Scene("cancelled", "gpt-4o-mini", _cancelled, provider.slow_start),
        Scene("cut off", "claude-opus-4-1", _message, provider.cut_off),
        Scene("error midway", "claude-opus-4-5", _message, provider.overloaded, fails=True),
    ]


def live_scenes(service: str, model: str, prompt: str | None) -> list[Scene]:
    """What can be shown with a real provider: it decides how it answers, we how it is read."""
    ours = service == "openai"
    plays: dict[str, Callable[..., None]] = {
        "whole answer": _whole if ours else _message,
        "slow reader": _slow_chat if ours else _slow,
        "reader leaves": _left if ours else _left_message,
        "cancelled": partial(_cancelled, after=1.5) if ours else _cancelled_message,
    }
    asked = prompt or f"{PROMPT} Answer in about 80 words."
    return [Scene(title, model, partial(play, prompt=asked)) for title, play in plays.items()]


def _whole(service: Service, model: str, prompt: str = PROMPT) -> None:
    reader.read_all(service.chat(model, prompt))


def _reason(service: Service, model: str, prompt: str = PROMPT) -> None:
    reader.read_all(service.respond(model, prompt))


def _message(service: Service, model: str, prompt: str = PROMPT) -> None:
    reader.read_all(service.message(model, prompt))


def _use_tool(service: Service, model: str, prompt: str = PROMPT) -> None:
    service.use_tool(model, "What is the weather in Recife?")


def _slow(service: Service, model: str, prompt: str = PROMPT) -> None:
    reader.read_slowly(service.message(model, prompt), 0.25)


def _slow_chat(service: Service, model: str, prompt: str) -> None:
    reader.read_slowly(service.chat(model, prompt), 0.1)


def _left(service: Service, model: str, prompt: str = PROMPT) -> None:
    reader.leave_after(service.chat(model, prompt), 14)


def _left_message(service: Service, model: str, prompt: str) -> None:
    reader.leave_after(service.message(model, prompt), 14)


def _forgotten(service: Service, model: str, prompt: str = PROMPT) -> None:
    reader.forget(service.chat(model, prompt), 8)


def _cancelled(service: Service, model: str, prompt: str = PROMPT, after: float = 2.6) -> None:
    reader.cancel_after(service.chat_async(model, prompt), after)


def _cancelled_message(service: Service, model: str, prompt: str) -> None:
    reader.cancel_after(service.message_async(model, prompt), 1.5)
