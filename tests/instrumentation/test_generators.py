"""Streams inside generators that somebody closes, as web frameworks do when a client goes away."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from otel_stream.testing import Captured, chat_text, message_text

from .conftest import CHAT, MESSAGE, Client, Serve

pytestmark = pytest.mark.sdk_matrix
WORDS = ["Hello", " you", " there"]


def create(made: Any) -> Iterator[Any]:
    """A `with` block around a loop."""
    with made.chat.completions.create(**CHAT, stream=True) as stream:
        yield from stream


def one_by_one(made: Any) -> Iterator[Any]:
    """A `with` block around single reads."""
    with made.chat.completions.create(**CHAT, stream=True) as stream:
        while True:
            yield next(stream)


def closed(made: Any) -> Iterator[Any]:
    """A `close` of the application's own."""
    stream = made.chat.completions.create(**CHAT, stream=True)
    try:
        while True:
            yield next(stream)
    finally:
        stream.close()


def unread(made: Any) -> Iterator[Any]:
    """A streaming response that nobody has read yet."""
    with made.chat.completions.with_streaming_response.create(**CHAT, stream=True) as response:
        yield response


def parsed(made: Any) -> Iterator[Any]:
    """One that is parsed, and read once."""
    with made.chat.completions.with_streaming_response.create(**CHAT, stream=True) as response:
        stream = response.parse()
        while True:
            yield next(stream)


def lines(made: Any) -> Iterator[Any]:
    """One that is read as lines."""
    with made.chat.completions.with_streaming_response.create(**CHAT, stream=True) as response:
        yield from response.iter_lines()


@pytest.mark.parametrize("how", [create, one_by_one, closed, unread, parsed, lines])
def test_generator_is_closed(
    how: Callable[[Any], Iterator[Any]], serve: Serve, client: Client, captured: Captured
) -> None:
    """The stream is closed early, at once, though nothing else than the generator is left."""
    serve(chat_text(WORDS))
    generator: Any = how(client("openai"))
    next(generator)
    generator.close()

    assert (captured.span().attributes or {})["otel_stream.outcome"] == "closed_early"


def test_text_stream_in_a_generator(serve: Serve, client: Client, captured: Captured) -> None:
    """So is a helper that keeps the iterator which the loop reads."""

    def texts() -> Iterator[str]:
        with client("anthropic").messages.stream(**MESSAGE) as stream:
            yield from stream.text_stream

    serve(message_text(WORDS))
    generator: Any = texts()
    next(generator)
    generator.close()

    assert (captured.span().attributes or {})["otel_stream.outcome"] == "closed_early"
