"""Plays one script to one client, byte for byte."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from contextlib import suppress
from http.client import responses

from otel_stream.testing.request import Request
from otel_stream.testing.script import (
    Cut,
    End,
    Hang,
    HoldHeaders,
    Reset,
    Script,
    Send,
    Signal,
    Step,
    Wait,
    WaitFor,
)

__all__ = ["Reply"]

_LOOK_AGAIN = 0.1
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Reply:
    """The reply to *request*, written to *writer* as *script* says."""

    def __init__(self, writer: asyncio.StreamWriter, request: Request, script: Script) -> None:
        self._writer = writer
        self._request = request
        self._script = script

    async def play(self) -> bool:
        """Play all steps. Returns whether the connection can take another request.

        Raises:
            OSError: The client is gone.
        """
        for step in self._script.steps:
            if self._request.headers_sent is None and not isinstance(
                step, HoldHeaders | Cut | Reset
            ):
                await self._send_headers()
            if isinstance(step, End):
                break
            if isinstance(step, Cut | Reset):
                self._break_off(step)
                return False
            await self._play(step)
        return await self._end()

    async def _play(self, step: Step) -> None:
        match step:
            case Send(data):
                await self._send(data)
            case Wait(seconds) | HoldHeaders(float() | int() as seconds):
                await asyncio.sleep(seconds)
            case WaitFor(event) | HoldHeaders(threading.Event() as event):
                await wait_for(event)
            case Signal(event):
                event.set()
            case Hang():
                await asyncio.Event().wait()

    async def _send_headers(self) -> None:
        status = self._script.status
        lines = [f"HTTP/1.1 {status} {responses.get(status, 'Unknown')}"]
        lines += [f"{name}: {value}" for name, value in self._headers().items()]
        self._request.headers_sent = time.perf_counter()
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        await self._writer.drain()

    def _headers(self) -> dict[str, str]:
        headers = {"x-request-id": self._request.id, "request-id": self._request.id}
        headers.update(self._script.headers)
        match self._script.framing:
            case "chunked":
                headers["transfer-encoding"] = "chunked"
            case "length":
                headers["content-length"] = str(self._script.size)
            case "close":
                headers["connection"] = "close"
        return headers

    async def _send(self, data: bytes) -> None:
        framed = data
        if self._script.framing == "chunked":
            # A chunk of no bytes would end the body.
            framed = b"%x\r\n%b\r\n" % (len(data), data) if data else b""
        self._request.sent.append((time.perf_counter(), len(data)))
        self._writer.write(framed)
        await self._writer.drain()

    async def _end(self) -> bool:
        if self._request.headers_sent is None:
            await self._send_headers()
        if self._script.framing == "chunked":
            self._writer.write(b"0\r\n\r\n")
            await self._writer.drain()
        return self._script.framing != "close"

    def _break_off(self, step: Cut | Reset) -> None:
        if isinstance(step, Cut):
            self._writer.close()
            return
        connection: socket.socket = self._writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._writer.transport.abort()


async def wait_for(event: threading.Event) -> None:
    """Wait for a thread's event without polling the loop: a thread waits in our place."""
    loop, reached, left = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def watch() -> None:
        while not event.wait(_LOOK_AGAIN) and not left.is_set():
            pass
        with suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(reached.set)

    threading.Thread(target=watch, name="otel-stream-wait-for", daemon=True).start()
    try:
        await reached.wait()
    finally:
        left.set()
