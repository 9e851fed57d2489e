"""`trace_stream`: any iterator of an answer's pieces, and what comes back behaves like it."""

from __future__ import annotations

import asyncio
import types
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import aclosing, closing
from typing import Any

import pytest

from otel_stream import semconv, trace_stream
from otel_stream.testing import Captured

WORDS = ["Hello", " you"]


async def later(items: Iterable[Any]) -> AsyncIterator[Any]:
    """*items*, asynchronously."""
    for item in items:
        await asyncio.sleep(0)
        yield item


class Answer:
    """An SDK's stream: an iterator with attributes, a close, and a `with` block."""

    model = "m"

    def __init__(self) -> None:
        self.items = iter(WORDS)
        self.closed = 0

    def __iter__(self) -> Answer:
        return self

    def __next__(self) -> str:
        return next(self.items)

    def close(self, reason: str = "") -> str:
        self.closed += 1
        return f"closed {reason}"

    def __enter__(self) -> Answer:
        return self

    def __exit__(self, *error: object) -> bool:
        self.closed += 1
        return False


class AsyncAnswer(Answer):
    """The same, asynchronously."""

    def __aiter__(self) -> AsyncAnswer:
        return self

    async def __anext__(self) -> str:
        for item in self.items:
            return item
        raise StopAsyncIteration

    async def aclose(self) -> str:
        return self.close("async")

    async def __aenter__(self) -> AsyncAnswer:
        return self

    async def __aexit__(self, *error: object) -> bool:
        self.closed += 1
        return False


def outcome(captured: Captured) -> Any:
    """The outcome of the only stream."""
    return (captured.span().attributes or {})[semconv.OUTCOME]


def facts(captured: Captured) -> tuple[Any, ...]:
    """Outcome, chunks and characters of the only stream."""
    found = captured.span().attributes or {}
    return tuple(found[n] for n in (semconv.OUTCOME, semconv.CHUNK_COUNT, semconv.CONTENT_SIZE))


class Both(Answer):
    """The same for both kinds of loops, as some frameworks have it."""

    def __aiter__(self) -> Both:
        return self

    async def __anext__(self) -> str:
        for item in self.items:
            return item
        raise StopAsyncIteration


class TestSync:
    @pytest.mark.parametrize(
        "kind", [list, tuple, iter, lambda w: (x for x in w), lambda _: Answer()]
    )
    def test_any_iterable(self, kind: Callable[[Any], Any], captured: Captured) -> None:
        """Lists, iterators, generators and objects give what they give without us (S4-1)."""
        assert list(trace_stream(kind(WORDS))) == WORDS
        assert facts(captured) == ("completed", 2, 9)

    def test_both_kinds(self, captured: Captured) -> None:
        """What can be read both ways is traced in a plain loop too."""
        assert list(trace_stream(Both())) == WORDS
        assert facts(captured) == ("completed", 2, 9)

    def test_read_twice(self, captured: Captured) -> None:
        """A list can be read again, as without us, and is one stream."""
        stream = trace_stream(WORDS)

        assert [*stream, *stream] == WORDS * 2
        assert facts(captured) == ("completed", 2, 9)

    def test_still_itself(self, captured: Captured) -> None:
        """What comes back has the type, the attributes and the methods of what was given."""
        answer = Answer()
        stream = trace_stream(answer)
        stream.model = "other"
        found = (isinstance(stream, Answer), stream.model, answer.model, next(stream))
        stream.close()

        assert found == (True, "other", "other", "Hello")

    def test_generators_stay_generators(self, captured: Captured) -> None:
        """A generator is one to whoever asks."""
        stream = trace_stream(word for word in WORDS)

        assert isinstance(stream, types.GeneratorType)
        assert [*stream] == WORDS

    def test_close(self, captured: Captured) -> None:
        """`close` reaches the object, with its arguments and its result, and ends the stream."""
        answer = Answer()
        stream = trace_stream(answer)
        next(stream)

        assert stream.close("early") == "closed early"
        assert (answer.closed, facts(captured)) == (1, ("closed_early", 1, 5))

    def test_no_close(self, captured: Captured) -> None:
        """What has no `close` has none afterwards: servers ask before they call it."""
        stream = trace_stream(iter(WORDS))
        has_close = hasattr(stream, "close") or hasattr(stream, "aclose")
        list(stream)

        assert not has_close

    def test_with_block(self, captured: Captured) -> None:
        """Leaving a `with` block ends the stream, and the block's own exit runs."""
        answer = Answer()
        with trace_stream(answer) as stream:
            next(stream)

        assert (answer.closed, facts(captured)) == (1, ("closed_early", 1, 5))

    def test_interrupted_with_block(self, captured: Captured) -> None:
        """A `with` block that an interrupt leaves is cancelled."""
        with pytest.raises(KeyboardInterrupt), trace_stream(Answer()):
            raise KeyboardInterrupt

        assert outcome(captured) == "cancelled"

    def test_closing_generators(self, captured: Captured) -> None:
        """A generator's own clean-up runs when it is closed."""
        cleaned: list[bool] = []

        def generator() -> Iterator[str]:
            try:
                yield from WORDS
            finally:
                cleaned.append(True)

        with closing(trace_stream(generator())) as stream:
            next(stream)

        assert (cleaned, outcome(captured)) == ([True], "closed_early")

    def test_not_iterable(self) -> None:
        """What cannot be iterated is refused, and says why."""
        with pytest.raises(TypeError, match="iterable, sync or async, not int"):
            trace_stream(5)

    def test_iterable_that_fails(self, captured: Captured) -> None:
        """One that fails to be iterated fails where it is iterated, and leaves nothing open."""

        class Broken:
            def __iter__(self) -> Iterator[str]:
                raise ZeroDivisionError

        stream = trace_stream(Broken())
        with pytest.raises(ZeroDivisionError):
            list(stream)

        assert (captured.spans(), captured.open_spans()) == ([], [])


class TestAsync:
    @pytest.mark.parametrize("kind", [later, lambda _: AsyncAnswer()])
    async def test_any_iterable(self, kind: Callable[[Any], Any], captured: Captured) -> None:
        """Async generators and objects give what they give without us."""
        assert [word async for word in trace_stream(kind(WORDS))] == WORDS
        assert facts(captured) == ("completed", 2, 9)

    async def test_close(self, captured: Captured) -> None:
        """`aclose` reaches the object, with its result, and ends the stream."""
        answer = AsyncAnswer()
        stream = trace_stream(answer)
        await anext(stream)

        assert await stream.aclose() == "closed async"
        assert (answer.closed, facts(captured)) == (1, ("closed_early", 1, 5))

    async def test_with_block(self, captured: Captured) -> None:
        """Leaving an `async with` block ends the stream."""
        answer = AsyncAnswer()
        async with trace_stream(answer) as stream:
            await anext(stream)

        assert (answer.closed, facts(captured)) == (1, ("closed_early", 1, 5))

    async def test_generator(self, captured: Captured) -> None:
        """An async generator is one to whoever asks, and can be closed."""
        stream = trace_stream(later(WORDS))
        kind = isinstance(stream, types.AsyncGeneratorType)
        async with aclosing(stream):
            await anext(stream)

        assert (kind, outcome(captured)) == (True, "closed_early")

    async def test_break(self, captured: Captured) -> None:
        """A loop that is left is known at once."""
        async for _ in trace_stream(later(WORDS)):
            break

        assert facts(captured) == ("closed_early", 1, 5)
