"""Turns and messages by a scripted clock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otel_stream.delivery.open_turns import open_turns
from otel_stream.delivery.receipts import receipts
from otel_stream.delivery.send import Message, Send
from otel_stream.delivery.turn import Turn
from otel_stream.delivery.typing import typing
from otel_stream.testing import Captured, ScriptedClock
from tests.delivery.bodies import NUMBER


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """What the process remembers of people begins anew with each test."""
    yield
    for each in (open_turns, typing):
        each._start_anew()
    receipts.__init__()  # type: ignore[misc]


@pytest.fixture
def turn(captured: Captured, clock: ScriptedClock) -> Turn:
    """A turn that begins at 100 s."""
    return Turn("whatsapp", {"otel_stream.channel.message_type": "text"}, clock=clock)


@pytest.fixture
def send(captured: Captured, clock: ScriptedClock) -> Callable[..., Send]:
    """Begins the sending of a message to the person. Keywords are those of `Message`."""

    def begun(**message: Any) -> Send:
        return Send(Message(**{"recipient": NUMBER, "text": "Hi", **message}), clock=clock)

    return begun
