"""A provider on loopback that answers by script: exact bytes, exact times, real failures.

    with ProviderServer() as server:
        server.script("/v1/chat/completions", Script.stream(chat_text(["Hello", " you"])))
        client = openai.OpenAI(base_url=server.openai_url, api_key="test")
        ...
        assert server.request.json["stream"] is True

Standard library only: HTTP/1.1 is written by hand, since no library gives control over when each
byte leaves.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
import traceback
from collections import deque
from types import TracebackType
from typing import Any, Self

from otel_stream.testing.connection import Answer, Connection
from otel_stream.testing.request import Request
from otel_stream.testing.script import Script

__all__ = ["ProviderServer"]

_CLOSE_TIMEOUT = 5.0


class ProviderServer:
    """A scripted HTTP server in a thread of its own, on a free port of 127.0.0.1.

    Used in a `with` block, or with `start` and `close`. A request is answered by, in this order:
    the next script for its path, the next script for any path, `handler`, or a 404 that says that
    no script was left (SDKs do not retry it).
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        """All requests so far, in the order in which they were complete."""
        self.handler: Answer | None = None
        """Asked when no script is left. Runs in the server's thread; must not block."""
        self._scripts: dict[str | None, deque[Script]] = {}
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        self._connections: set[asyncio.Task[Any]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self.port = 0
        """Known once the server listens."""

    # Running

    def start(self) -> Self:
        """Listen. Returns the server itself once it can be connected to."""
        listening = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._run, args=(self._loop, listening), name="otel-stream-provider", daemon=True
        )
        self._thread.start()
        listening.wait()
        return self

    def close(self) -> None:
        """Drop all connections, also in the middle of a reply, and end. May be repeated."""
        if self._loop is None or self._thread is None or not self._thread.is_alive():
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSE_TIMEOUT)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # Addresses

    @property
    def url(self) -> str:
        """`http://127.0.0.1:port`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def openai_url(self) -> str:
        """The `base_url` for an OpenAI client."""
        return f"{self.url}/v1"

    @property
    def anthropic_url(self) -> str:
        """The `base_url` for an Anthropic client, which adds `/v1` itself."""
        return self.url

    # Scripts

    def script(self, path: str | None, script: Script, times: int = 1) -> None:
        """Answer the next *times* requests for *path* (None: any path) with *script*."""
        with self._changed:
            self._scripts.setdefault(path, deque()).extend([script] * times)

    def reset(self) -> None:
        """Forget scripts, handler and requests."""
        with self._changed:
            self._scripts.clear()
            self.handler = None
            self.requests.clear()

    # Requests

    @property
    def request(self) -> Request:
        """The only request. Raises `AssertionError` when there are none or several."""
        if len(self.requests) != 1:
            seen = ", ".join(f"{one.method} {one.path}" for one in self.requests) or "none"
            raise AssertionError(f"expected one request, got {len(self.requests)}: {seen}")
        return self.requests[0]

    def wait_for_requests(self, count: int = 1, timeout: float = 5.0) -> list[Request]:
        """The requests, once there are *count* of them. Raises `TimeoutError` after *timeout* s."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self.requests) >= count, timeout):
                raise TimeoutError(f"{len(self.requests)} of {count} requests after {timeout} s")
            return list(self.requests)

    def wait_for_connections(self, count: int = 0, timeout: float = 5.0) -> None:
        """Wait until *count* connections are open. Raises `TimeoutError` after *timeout* s."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._connections) == count, timeout):
                raise TimeoutError(
                    f"{len(self._connections)} connections are open after {timeout} s"
                )

    # In the server's thread

    def _run(self, loop: asyncio.AbstractEventLoop, listening: threading.Event) -> None:
        asyncio.set_event_loop(loop)
        server = loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        listening.set()
        try:
            loop.run_forever()
        finally:
            server.close()
            loop.run_until_complete(self._drop_connections())
            loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._note(lambda: self._connections.add(task))
        try:
            await Connection(reader, writer, lambda: next(self._numbers), self._answer).serve()
        except asyncio.CancelledError:
            pass  # we are closing, and start_server would log it
        finally:
            self._note(lambda: self._connections.discard(task))

    async def _drop_connections(self) -> None:
        for task in list(self._connections):
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)
        await asyncio.sleep(0)  # the transports' own last step

    def _note(self, change: Any) -> None:
        with self._changed:
            change()
            self._changed.notify_all()

    def _answer(self, request: Request) -> Script:
        self._note(lambda: self.requests.append(request))
        for path in (request.path, None):
            if queue := self._scripts.get(path):
                return queue.popleft()
        if self.handler is None:
            return problem(404, f"no script is left for {request.method} {request.path}")
        try:
            return self.handler(request)
        except Exception:  # noqa: BLE001 - a fault of the test, told to its client
            return problem(400, f"the test's handler failed: {traceback.format_exc()}")


def problem(status: int, message: str) -> Script:
    """An error reply in words of the test kit, in a form that both SDKs read."""
    error = {"type": "otel_stream_testing", "message": message, "code": None}
    return Script.json({"type": "error", "error": error}, status)
