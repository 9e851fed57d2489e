"""Every way in which a reader of an async stream can come to its end: the twins of `endings`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from .endings import Mishap
from .opened import Opened
from .scene import Scene
from .waiting import auntil, until_task_waits


async def exhausted(scene: Scene) -> None:
    """Read to the end."""
    opened = await scene.aopen()
    await _read(scene, opened)
    scene.look_again(opened)


async def answered(scene: Scene) -> None:
    """Get an answer that is not streamed."""
    scene.note((await scene.aopen()).stream)


async def left(scene: Scene) -> None:
    """Leave the loop, and hold nothing."""
    opened = await scene.aopen()
    async for item in opened.items:
        if scene.note(item):
            break


async def left_and_held(scene: Scene) -> None:
    """Leave the loop, and hold the stream until all is told."""
    opened = await scene.aopen()
    await _leave(scene, opened)
    await auntil(lambda: scene.over)
    await opened.close()


async def left_at_terminal(scene: Scene) -> None:
    """Leave the loop at the terminal event."""
    opened = await scene.aopen()
    async for item in opened.items:
        scene.note(item)
        if scene.is_terminal(item):
            break
    await auntil(lambda: scene.over)
    await opened.close()


async def read_on(scene: Scene) -> None:
    """Look at the first item, and read the rest in a loop of its own."""
    opened = await scene.aopen()
    items = opened.items
    scene.note(await anext(aiter(items)))
    async for item in items:
        scene.note(item)


async def closed(scene: Scene) -> None:
    """Leave the loop and close the stream."""
    opened = await scene.aopen()
    await _leave(scene, opened)
    await opened.close()
    scene.look_again(opened)


async def left_with(scene: Scene) -> None:
    """Leave the loop and the `async with` block around it."""
    async with await scene.aopen() as opened:
        await _leave(scene, opened)
    scene.look_again(opened)


async def response_closed(scene: Scene) -> None:
    """Leave the loop and close the HTTP response."""
    opened = await scene.aopen()
    await _leave(scene, opened)
    await opened.close_response()
    scene.look_again(opened)


async def failing_body(scene: Scene) -> None:
    """Raise in the loop's body."""
    opened = await scene.aopen()
    async for item in opened.items:
        if scene.note(item):
            raise Mishap("of the application")


async def failing_body_with(scene: Scene) -> None:
    """Raise in the loop's body, within an `async with` block."""
    async with await scene.aopen() as opened:
        async for item in opened.items:
            if scene.note(item):
                raise Mishap("of the application")


async def interrupted_waiting(scene: Scene) -> None:
    """The task is cancelled while it waits for the provider."""

    async def reader() -> None:
        async with await scene.aopen() as opened:
            await _read(scene, opened)

    task = asyncio.create_task(reader())
    await until_task_waits(task, lambda: scene.begun)
    task.cancel()
    await task


async def interrupted_in_body(scene: Scene) -> None:
    """The task is cancelled in the loop's body."""
    reached = asyncio.Event()

    async def reader() -> None:
        opened = await scene.aopen()
        async for item in opened.items:
            if scene.note(item):
                reached.set()
                await asyncio.Event().wait()

    task = asyncio.create_task(reader())
    await reached.wait()
    task.cancel()
    await task


async def interrupted_asking(scene: Scene) -> None:
    """The task is cancelled while the call waits for its answer."""
    task = asyncio.create_task(scene.aopen())
    await until_task_waits(task, scene.asked)
    task.cancel()
    await task


async def unread_and_closed(scene: Scene) -> None:
    """Close what was never read."""
    opened = await scene.aopen()
    await opened.close()
    scene.look_again(opened)


async def unread_and_dropped(scene: Scene) -> None:
    """Forget what was never read."""
    await scene.aopen()


async def begun_and_dropped(scene: Scene) -> None:
    """Ask for one item, and forget the stream."""
    scene.note(await anext((await scene.aopen()).stream))


async def passed_on(scene: Scene) -> None:
    """Read in a generator of the application's, which another task closes."""

    async def answer() -> AsyncIterator[Any]:
        opened = await scene.aopen()
        async for item in opened.items:
            yield item

    items = answer()
    scene.note(await anext(items))
    await asyncio.create_task(_close(items))


async def closed_elsewhere(scene: Scene) -> None:
    """Another task closes the stream while a read waits."""
    opened = await scene.aopen()
    reader = asyncio.create_task(_read(scene, opened))
    await until_task_waits(reader, lambda: scene.begun)
    await opened.close()
    scene.go.set()
    await reader


async def read_elsewhere(scene: Scene) -> None:
    """Another task reads."""
    await asyncio.create_task(_read(scene, await scene.aopen()))


async def _read(scene: Scene, opened: Opened) -> None:
    async for item in opened.items:
        scene.note(item)


async def _leave(scene: Scene, opened: Opened) -> None:
    async for item in opened.items:
        if scene.note(item):
            break


async def _close(items: Any) -> None:
    await items.aclose()
