"""The tap on a body that is read asynchronously."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from typing import Any

import pytest

from otel_stream.outcome import Outcome

from .conftest import PIECES, WHOLE, Open

AREADS: dict[str, Callable[[Any], Any]] = {
    "aiter_raw": lambda response: response.aiter_raw(),
    "aiter_bytes": lambda response: response.aiter_bytes(),
    "sized": lambda response: response.aiter_bytes(3),
}


class TestAsync:
    @pytest.mark.parametrize("how", AREADS)
    async def test_bytes_are_untouched(self, how: str, opened: Open) -> None:
        """An async body passes as a sync one does."""
        tapped = opened(kind="Async")
        data = b"".join([piece async for piece in AREADS[how](tapped.response)])

        assert (data, tapped.facts) == (b"".join(PIECES), WHOLE)

    async def test_read_whole(self, opened: Open) -> None:
        """Also read at once."""
        tapped = opened(kind="Async")

        assert await tapped.response.aread() == b"".join(PIECES)
        assert (tapped.facts, tapped.source.closed) == (WHOLE, True)

    async def test_closed_unread(self, opened: Open) -> None:
        """A close without a read is closed early, and reaches the body."""
        tapped = opened(kind="Async")
        await tapped.response.aclose()

        assert (tapped.facts, tapped.source.closed) == ((Outcome.CLOSED_EARLY, 0, 0), True)

    async def test_cancelled(self, opened: Open) -> None:
        """A task that is cancelled while it waits cancels the stream."""
        tapped = opened([PIECES[0], asyncio.CancelledError()], kind="Async")
        with pytest.raises(asyncio.CancelledError):
            await tapped.response.aread()

        assert tapped.facts == (Outcome.CANCELLED, 1, 5)

    async def test_left_and_dropped(self, opened: Open, eventually: Any) -> None:
        """A loop that is left for good is closed early."""
        tapped = opened(kind="Async")
        lines = tapped.response.aiter_raw()
        async for _ in lines:
            break
        await lines.aclose()
        del tapped.response, lines
        gc.collect()

        assert eventually(lambda: tapped.recorder.ended)
        assert tapped.facts == (Outcome.CLOSED_EARLY, 1, 5)

    @pytest.mark.parametrize("how", AREADS)
    async def test_cancelled_in_the_body_of_a_loop(self, how: str, opened: Open) -> None:
        """A task that is cancelled while it works on what came cancels the stream."""
        tapped = opened(kind="Async")
        reached = asyncio.Event()

        async def read(pieces: AsyncIterator[bytes]) -> None:
            async for _ in pieces:
                reached.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(read(AREADS[how](tapped.response)))
        del tapped.response
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while not tapped.recorder.ended:  # The event loop closes what the task has left.
            await asyncio.sleep(0.001)

        assert tapped.recorder.outcome is Outcome.CANCELLED

    async def test_closed_like_a_generator(self, opened: Open) -> None:
        """The iterator of the body can be closed, as a generator's, and the body's own with it."""
        tapped = opened(kind="Async")
        pieces = tapped.response.stream.__aiter__()
        first = await pieces.asend(None)
        await pieces.aclose()

        assert isinstance(pieces, AsyncGenerator)
        assert (first, [piece async for piece in pieces._source]) == (PIECES[0], [])
        with pytest.raises(KeyError):
            await pieces.athrow(KeyError("key"))
        await tapped.response.aclose()
