"""Where work is: on another thread, in a turn, with whose hold."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace

from otel_stream.delivery.turn import Turn, turn_in

__all__ = ["aside", "held", "here", "holders", "within"]


def held(turn: Turn) -> int:
    """How many hold it."""
    gc.collect()
    return turn._holders


def holders(turns: list[Turn]) -> list[int]:
    """How many hold each."""
    return [held(each) for each in turns]


def aside(act: Callable[[], Any]) -> Any:
    """What *act* returns on another thread, whose context must be as it was afterwards."""
    found: list[Any] = []

    def run() -> None:
        before = otel_context.get_current()
        found.append(act())
        found.append(otel_context.get_current() is before)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found[-1], "the thread's context was left changed"
    return found[0]


def here() -> tuple[Any, Any]:
    """The turn and the span that are current."""
    return turn_in(), trace.get_current_span()


@contextlib.contextmanager
def within(turn: Turn) -> Iterator[None]:
    """A block in the turn's context."""
    token = otel_context.attach(turn.context)
    yield
    otel_context.detach(token)
