"""Queues of asyncio whose items bring the context of who put them."""

from __future__ import annotations

import asyncio
from typing import Any

import otel_stream
from otel_stream.delivery.turn import Turn, turn_in
from tests.hops.places import holders, within


def test_of_asyncio(turns: list[Turn]) -> None:
    """A task that takes an item is in its turn, until it takes the next."""

    async def main() -> list[Any]:
        items: Any = otel_stream.carrying(asyncio.Queue(maxsize=3))
        for number, turn in enumerate(turns):
            with within(turn):
                await items.put(number) if number else items.put_nowait(number)
        found = []

        async def work() -> None:
            for _ in turns:
                number = await items.get()
                await asyncio.sleep(0)
                found.append(turn_in() is turns[number])
            items.task_done()
            found.append(turn_in())

        await asyncio.create_task(work())
        return found

    assert asyncio.run(main()) == [True, True, True, None]
    assert holders(turns) == [0, 0, 0]


def test_a_block_around_get(turns: list[Turn]) -> None:
    """A span that is closed around `get` is not current again when the item is done."""

    async def main() -> list[Any]:
        items: Any = otel_stream.carrying(asyncio.Queue())
        seen = []
        for turn in turns:
            items.put_nowait("item")
            with within(turn):
                await items.get()
            items.task_done()
            seen.append(turn_in())
        return seen

    assert asyncio.run(main()) == [None] * 3


def test_tasks_that_share_it(turns: list[Turn]) -> None:
    """Tasks that one who has an item starts take theirs, and leave their parent's alone."""

    async def main() -> list[Any]:
        items: Any = otel_stream.carrying(asyncio.Queue())
        for number, turn in enumerate(turns):
            with within(turn):
                items.put_nowait(number)
        await items.get()

        async def work() -> bool:
            number = await items.get()
            await asyncio.sleep(0)
            mine = turn_in() is turns[number]
            items.task_done()
            return mine

        found = await asyncio.gather(work(), work())
        found.append(turn_in() is turns[0])
        found.append(holders(turns) == [1, 0, 0])
        items.task_done()
        return found

    assert asyncio.run(main()) == [True] * 4


def test_a_getter_that_is_cancelled(turns: list[Turn]) -> None:
    """A task that waits in vain loses no item and holds none."""

    async def main() -> Any:
        items: Any = otel_stream.carrying(asyncio.Queue())
        waiting = asyncio.create_task(items.get())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        with within(turns[0]):
            items.put_nowait("item")
        item = await items.get()
        inside = turn_in() is turns[0]
        items.task_done()
        return item, inside

    assert asyncio.run(main()) == ("item", True)
    assert holders(turns) == [0, 0, 0]


def test_taken_by_a_task_of_its_own(turns: list[Turn]) -> None:
    """An item that is taken in another task comes without its context, and holds nothing."""

    async def main() -> Any:
        items: Any = otel_stream.carrying(asyncio.Queue())
        with within(turns[0]):
            items.put_nowait("item")
        return await asyncio.create_task(items.get())

    assert asyncio.run(main()) == "item"
    assert holders(turns) == [0, 0, 0]
