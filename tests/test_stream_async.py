"""The async loop over a provider's stream: every way to read it and to leave it."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import Any

import pytest
from opentelemetry import context as otel_context

from otel_stream.outcome import Outcome
from otel_stream.stream import TracedAsyncIterator
from otel_stream.testing import ScriptedClock
from otel_stream.watcher import watcher

WORDS = ["Hello", " ", "you", "!"]
KEY = otel_context.create_key("inside a read")
FOREVER = "forever"


async def arriving(clock: ScriptedClock, items: Iterable[Any]) -> AsyncIterator[Any]:
    """Items that take 0.1 s each; an exception among them is raised, `FOREVER` never comes."""
    for item in items:
        clock.advance(0.1)
        await asyncio.sleep(0)
        if item is FOREVER:
            await asyncio.Event().wait()
        if isinstance(item, BaseException):
            raise item
        yield item


class Opened:
    """A traced stream of *items*."""

    def __init__(
        self, recorder: Any, clock: ScriptedClock, items: Iterable[Any], **more: Any
    ) -> None:
        self.recorder = recorder
        self.source = arriving(clock, items)
        self.stream = TracedAsyncIterator(self.source, recorder, **more)

    def handed_over(self) -> TracedAsyncIterator:
        """The stream, which is held here no longer."""
        return self.__dict__.pop("stream")  # type: ignore[no-any-return]

    async def first(self) -> Any:
        """Leave a loop at its first chunk."""
        async for chunk in self.stream:
            return chunk

    @property
    def facts(self) -> tuple[Any, ...]:
        """How it ended, and what came."""
        return self.recorder.outcome, self.recorder.chunks, self.recorder.size


Open = Callable[..., Opened]


@pytest.fixture
def opened(make: Any, clock: ScriptedClock) -> Open:
    """Opens a stream that the watcher knows."""

    def made(items: Iterable[Any] = WORDS, whole: bool = True, **more: Any) -> Opened:
        clock.advance(0.1)
        return Opened(make(watched=True, whole=whole), clock, items, **more)

    return made


async def test_exhausted(opened: Open) -> None:
    """The same items come in the same order, and a stream that is read whole is completed."""
    one = opened()

    assert [chunk async for chunk in one.stream] == WORDS
    assert one.facts == (Outcome.COMPLETED, 4, 10)


async def test_not_whole(opened: Open) -> None:
    """One whose answer is not whole is truncated."""
    one = opened(whole=False)

    assert [chunk async for chunk in one.stream] == WORDS
    assert one.facts == (Outcome.TRUNCATED, 4, 10)


async def test_break(opened: Open) -> None:
    """A loop that is left, over a stream that nobody holds, ends at once, within the task."""
    one = opened()
    async for _ in one.handed_over():
        break

    assert one.facts == (Outcome.CLOSED_EARLY, 1, 5)


async def test_break_while_referenced(opened: Open, clock: ScriptedClock) -> None:
    """Of a stream that is still held it is known at once, and it ends after the grace."""
    one = opened()
    await one.first()
    left = clock()
    watcher.look(left + 0.9)
    early = one.recorder.ended
    watcher.look(left + 1.0)

    assert (one.recorder.left_at, early) == (left, False)
    assert (one.recorder.outcome, one.recorder.ended_at) == (Outcome.CLOSED_EARLY, left)


async def test_peek_and_read_on(opened: Open, clock: ScriptedClock) -> None:
    """Who looks at the first chunk and then reads on reads one stream."""
    one = opened()
    first = await one.first()
    watcher.look(clock.advance(0.5))
    rest = [chunk async for chunk in one.stream]

    assert [first, *rest] == WORDS
    assert one.facts == (Outcome.COMPLETED, 4, 10)


async def test_read_one_by_one(opened: Open) -> None:
    """`anext` reads the same stream, and stays at its end."""
    one = opened(["a"])
    found = [await anext(one.stream, "end") for _ in range(3)]

    assert found == ["a", "end", "end"]
    assert one.facts == (Outcome.COMPLETED, 1, 1)


async def test_exception_in_the_body(opened: Open, heard: Any) -> None:
    """The consumer's own exception closes the stream early, and is not its error."""
    one = opened()
    with pytest.raises(ZeroDivisionError):
        async for _ in one.handed_over():
            1 / 0  # noqa: B018

    assert one.facts == (Outcome.CLOSED_EARLY, 1, 5)
    assert heard.error is None


async def test_exception_of_the_source(opened: Open, heard: Any) -> None:
    """An exception of the provider reaches the consumer as it is, and ends the stream."""
    reset = ConnectionResetError("reset")
    one = opened(["Hello", reset])
    with pytest.raises(ConnectionResetError) as raised:
        [chunk async for chunk in one.stream]

    assert raised.value is reset
    assert (one.facts, heard.error) == ((Outcome.ERROR, 1, 5), reset)


async def _waiting(stream: Any, inside: asyncio.Event) -> None:
    async for _ in stream:
        inside.set()


async def _in_the_body(stream: Any, inside: asyncio.Event) -> None:
    async for _ in stream:
        inside.set()
        await asyncio.Event().wait()


async def _handling(stream: Any, inside: asyncio.Event) -> None:
    try:
        await _in_the_body(stream, inside)
    except asyncio.CancelledError:
        await asyncio.sleep(0)
        raise


@pytest.mark.parametrize("where", [_waiting, _in_the_body, _handling])
async def test_cancelled(
    where: Callable[..., Awaitable[None]], opened: Open, clock: ScriptedClock
) -> None:
    """A task that is cancelled, while it waits or in the loop's body, cancels the stream.

    The traceback holds the stream for a while longer.
    """
    one, inside = opened(["Hello", FOREVER]), asyncio.Event()
    task = asyncio.ensure_future(where(one.handed_over(), inside))
    await inside.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    watcher.look(clock() + 1.0)

    assert one.facts == (Outcome.CANCELLED, 1, 5)


async def test_timeout(opened: Open) -> None:
    """A time-out of the application's is a cancellation too."""
    one = opened(["Hello", FOREVER])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            async for _ in one.stream:
                pass

    assert one.facts == (Outcome.CANCELLED, 1, 5)


async def test_relay_closed(opened: Open) -> None:
    """A generator of the application that relays the stream may be closed by its own consumer."""
    one = opened()

    async def relay(stream: Any) -> AsyncIterator[Any]:
        async for chunk in stream:
            yield chunk

    async with aclosing(relay(one.handed_over())) as relayed:
        await anext(relayed)

    assert one.facts == (Outcome.CLOSED_EARLY, 1, 5)


async def test_loop_closed(opened: Open) -> None:
    """The loop's iterator can be closed as a generator can: it ends, and the stream may go on."""
    one = opened()
    async with aclosing(aiter(one.stream)) as loop:
        await anext(loop)
    left = one.recorder.left_at

    assert left is not None
    assert [chunk async for chunk in loop] == []
    assert [chunk async for chunk in one.stream] == WORDS[1:]


async def test_loop_sent_and_thrown_into(opened: Open) -> None:
    """It also takes what generators take."""
    one = opened()
    loop: Any = aiter(one.stream)

    assert (await loop.asend(None), await loop.asend("ignored")) == ("Hello", " ")
    with pytest.raises(KeyError):
        await loop.athrow(KeyError())
    one.recorder.close()


@pytest.mark.parametrize("reads", [0, 1])
async def test_dropped(reads: int, opened: Open) -> None:
    """A stream that is dropped unread, or forgotten after `anext`, is abandoned at once."""
    one = opened()
    for _ in range(reads):
        await anext(one.stream)
    del one.stream

    assert one.facts == (Outcome.ABANDONED, reads, 5 * reads)


async def test_collected_in_a_cycle(opened: Open, heard: Any, eventually: Any) -> None:
    """One that the garbage collector finds is ended by the watching thread, not in a destructor."""
    where: list[str] = []
    heard.ended = lambda recorder: (
        where.append(threading.current_thread().name),
        watcher.remove(recorder),
    )
    one = opened()
    cycle: list[Any] = [one.handed_over()]
    cycle.append(cycle)
    del cycle
    gc.collect()

    assert eventually(lambda: where)
    assert (where, one.facts[0]) == (["otel-stream-watcher"], Outcome.ABANDONED)


async def test_read_in_another_task(opened: Open) -> None:
    """A stream may be made in one task and read in others, one chunk each."""
    one = opened()
    found = [await asyncio.create_task(one.stream.read()) for _ in WORDS]
    rest = [chunk async for chunk in one.stream]

    assert (found, rest) == (WORDS, [])
    assert one.facts == (Outcome.COMPLETED, 4, 10)


async def test_interleaved(opened: Open) -> None:
    """Streams that tasks read at the same time are told apart."""
    streams = [opened(["a" * number] * number) for number in range(1, 6)]

    async def read(stream: Any) -> int:
        return len([chunk async for chunk in stream])

    assert await asyncio.gather(*(read(one.stream) for one in streams)) == [1, 2, 3, 4, 5]
    assert [one.recorder.size for one in streams] == [1, 4, 9, 16, 25]


async def test_context(opened: Open) -> None:
    """The context is current inside each read and never in the loop's body."""
    inside: list[Any] = []
    items = (inside.append(otel_context.get_value(KEY)) or word for word in ["a", "b"])  # type: ignore[func-returns-value]
    one = opened(items, context=otel_context.set_value(KEY, True))
    outside = [otel_context.get_value(KEY) async for _ in one.stream]

    assert (inside, outside) == ([True, True], [None, None])
