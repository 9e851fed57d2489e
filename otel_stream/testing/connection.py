"""One client's connection to a `ProviderServer`: reads requests, has their scripts played.

While a script plays, one read stays open on the connection: it ends when the client goes away,
which stops the script, or with the first byte of the next request.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from otel_stream.testing.reply import Reply
from otel_stream.testing.request import Request, read_request
from otel_stream.testing.script import Script

__all__ = ["Answer", "Connection"]

Answer = Callable[[Request], Script]
"""Notes a request and says what to reply."""


class Connection:
    """Serves the requests of one connection, one after the other (HTTP/1.1 keep-alive).

    Args:
        reader: Reads from the client.
        writer: Writes to the client.
        number: The number of the next request.
        answer: Notes a request and says what to reply.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        number: Callable[[], int],
        answer: Answer,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._number = number
        self._answer = answer

    async def serve(self) -> None:
        """Serve until either side closes the connection."""
        connection: socket.socket = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # Each drain then waits until everything was handed to the kernel.
        self._writer.transport.set_write_buffer_limits(high=0)
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._serve()
        finally:
            self._writer.close()

    async def _serve(self) -> None:
        first = await self._reader.read(1)
        while first:
            request = await read_request(self._reader, first, self._number())
            script = self._answer(request)
            following = asyncio.create_task(self._reader.read(1))
            try:
                if not await self._reply(request, script, following):
                    return
                request.finished.set()
                first = await following
            finally:
                request.finished.set()
                await stop(following)

    async def _reply(
        self, request: Request, script: Script, following: asyncio.Task[bytes]
    ) -> bool:
        """Whether the connection can take another request after the reply."""
        playing = asyncio.create_task(Reply(self._writer, request, script).play())
        try:
            await asyncio.wait({playing, following}, return_when=asyncio.FIRST_COMPLETED)
            if not playing.done() and gone(following):
                request.disconnected.set()
                return False
            return await playing
        except OSError:
            request.disconnected.set()
            return False
        finally:
            await stop(playing)


def gone(following: asyncio.Task[bytes]) -> bool:
    """Whether the read that stayed open has ended because the client closed or reset."""
    return following.exception() is not None or not following.result()


async def stop(task: asyncio.Task[Any]) -> None:
    """Cancel *task* if it still runs, and let it end."""
    task.cancel()
    await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # seen: asyncio need not warn about it
