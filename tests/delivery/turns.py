"""What tests of turns need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from opentelemetry import context as otel_context

from otel_stream.delivery.turn import Turn
from otel_stream.testing import Captured

__all__ = ["length_of", "within"]


def length_of(captured: Captured) -> float:
    """Seconds of the only turn."""
    span = captured.span("process whatsapp")
    return ((span.end_time or 0) - (span.start_time or 0)) / 1e9


def within(turn: Turn, act: Callable[[], Any]) -> Any:
    """What *act* returns in the turn's context."""
    token = otel_context.attach(turn.context)
    try:
        return act()
    finally:
        otel_context.detach(token)
