"""Turns that are current, and a loop on another thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from opentelemetry import context as otel_context

from otel_stream.delivery.turn import Turn
from otel_stream.outcome import Outcome
from otel_stream.testing import Captured, ScriptedClock


@pytest.fixture
def turn(captured: Captured, clock: ScriptedClock) -> Iterator[Turn]:
    """A turn that is current, at 100 s; afterwards the context must be as it was."""
    before = otel_context.get_current()
    made = Turn("whatsapp", {}, clock=clock)
    token = otel_context.attach(made.context)
    yield made
    left = otel_context.get_current()
    otel_context.detach(token)
    made.drop(Outcome.ABANDONED)
    assert left is made.context
    assert otel_context.get_current() is before


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that runs on a thread of its own, as programs that answer have it."""
    made = asyncio.new_event_loop()
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    yield made
    made.call_soon_threadsafe(made.stop)
    thread.join()
    made.close()


@pytest.fixture
def turns(captured: Captured, clock: ScriptedClock) -> Iterator[list[Turn]]:
    """Three turns."""
    made = [Turn("whatsapp", {"otel_stream.delivery.part": n}, clock=clock) for n in range(3)]
    yield made
    for each in made:
        each.drop(Outcome.ABANDONED)
