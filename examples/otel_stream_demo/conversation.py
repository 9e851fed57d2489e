"""The WhatsApp scene: one person's message, answered by a team of agents. All of it is local."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console

from otel_stream.testing import EvolutionServer, ProviderServer
from otel_stream_demo import brain
from otel_stream_demo.look import Look
from otel_stream_demo.person import KEY, QUESTION, Phone

if TYPE_CHECKING:
    from otel_stream_demo.desk import Answered, Desk

__all__ = ["Conversation", "converse"]

EXTRAS = "pip install 'otel-stream[agno,channel,openai]'"
ANSWERS_IN = 0.12
"""Seconds that the channel takes for each request."""
_PATIENCE = 30.0


class Conversation(NamedTuple):
    """What became of it: the trace that tells it, if it was played, and what went wrong."""

    trace_id: str = ""
    problems: tuple[str, ...] = ()


def converse(console: Console, look: Look) -> Conversation:
    """Let the scene play, and say what the person sees.

    Where what it needs is not installed, that is said, and is no problem.
    """
    status = console.status("one over WhatsApp", spinner=look.status)
    with status if console.is_terminal else nullcontext():
        try:
            import regex  # type: ignore[import-untyped]  # noqa: F401 - cuts texts

            from otel_stream_demo.desk import Desk
        except ImportError as missing:
            line = f"the scene over WhatsApp is left out: {missing}; {EXTRAS}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)
            return Conversation()
        return _play(Desk, _news(console, look))


def _news(console: Console, look: Look) -> Callable[[str], None]:
    began = time.monotonic()

    def tell(news: str) -> None:
        line = f"{time.monotonic() - began:6.2f} s  WhatsApp  {look.shown(news)}"
        if len(line) > console.width:
            line = f"{line[: console.width - len(look.more)]}{look.more}"
        console.print(line, markup=False, highlight=False, soft_wrap=True)

    return tell


def _play(desk_of: type[Desk], tell: Callable[[str], None]) -> Conversation:
    with ProviderServer() as models, EvolutionServer(api_key=KEY, delay=ANSWERS_IN) as channel:
        models.handler = brain.answer
        channel.accept()
        channel.refuse(503)  # the second message, once
        with desk_of(models.openai_url, (channel.url, channel.instance, KEY)) as desk:
            phone = Phone(channel, desk.webhook, tell)
            phone.ask(QUESTION)
            try:
                answered = desk.answered.get(timeout=_PATIENCE)
            except queue.Empty:
                return Conversation("", ("nothing came over WhatsApp",))
            problems = _problems(answered)
            if not phone.reads(len(channel.messages), _PATIENCE):
                problems.append("what came over WhatsApp was not read")
    return Conversation(answered.trace_id, tuple(problems))


def _problems(answered: Answered) -> list[str]:
    error, delivery = answered.error, answered.delivery
    why = f"{type(error).__name__}: {error}" if error or delivery is None else delivery.run_error
    if why is not None:
        return [f"the answer over WhatsApp failed: {why}"]
    if delivery is not None and not delivery.whole:
        return [f"{delivery.lost} characters did not arrive over WhatsApp"]
    return []
