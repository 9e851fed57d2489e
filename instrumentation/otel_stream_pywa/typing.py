"""Typing: the Cloud API is told of a person's message, and shows its sender that somebody types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from otel_stream.delivery.identity import number_in
from otel_stream.delivery.open_turns import open_turns
from otel_stream.delivery.typing import typing
from otel_stream.errors import guard
from otel_stream_pywa.arguments import Arguments
from otel_stream_pywa.message import server_of

__all__ = ["show", "show_async"]

_LASTS = 25.0
"""Seconds, unless a message comes before."""


def show(wrapped: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Stands in for `GraphAPI.set_indicator`."""
    reply = wrapped(*args, **kwargs)
    _shown(wrapped, args, kwargs)
    return reply


async def show_async(
    wrapped: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Stands in for `GraphAPIAsync.set_indicator`."""
    reply = await wrapped(*args, **kwargs)
    _shown(wrapped, args, kwargs)
    return reply


def _shown(wrapped: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    with guard("noting typing of pywa"):
        arguments = Arguments(wrapped, args, kwargs)
        message_id = arguments.text("message_id")
        turn = open_turns.of_message(message_id)
        person = turn.people.first if turn is not None else number_in(message_id)
        if person:
            address, _ = server_of(arguments["self"])
            typing.shown(
                person, _LASTS, instance=arguments.text("phone_id"), server_address=address
            )
