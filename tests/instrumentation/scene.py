"""One run of one call, as an application makes it, and all that the application sees of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from threading import Event
from typing import Any

from opentelemetry import trace

from .call import Call
from .opened import Opened
from .waiting import until

__all__ = ["Scene"]

_ENOUGH = {"events": 2}
_VOLATILE = {"date", "request-id", "x-request-id"}


class Scene:
    """What is on stage in one run.

    Args:
        call: The way to call.
        client: The SDK's client.
        go: Tells the server to go on.
        asked: Whether the request has reached the server.
        over: Whether the call's telemetry is complete; always so without any.
    """

    def __init__(
        self,
        call: Call,
        client: Any,
        go: Event,
        asked: Callable[[], bool],
        over: Callable[[], bool],
    ) -> None:
        self.call = call
        self.client = client
        self.go = go
        self.asked = asked
        self._over = over
        self.items: list[Any] = []
        """What was read."""
        self.inside: list[trace.Span] = []
        """The spans that were current in the body of the reader's loop."""
        self.facts: dict[str, Any] = {}
        """Types and attributes of what the SDK handed out."""
        self.error: tuple[type[BaseException], str] | None = None
        """What the application had to catch."""

    # Opening

    def open(self) -> Opened:
        """Make the call with a sync client."""
        steps = self.call.begin(self.client)
        result = next(steps)
        while True:
            try:
                result = steps.send(result)
            except StopIteration as end:
                return self._looked_at(end.value)

    async def aopen(self) -> Opened:
        """Make the call with an async client."""
        steps = self.call.begin(self.client)
        result = next(steps)
        while True:
            try:
                result = steps.send(await result if inspect.isawaitable(result) else result)
            except StopIteration as end:
                return self._looked_at(end.value)

    def _looked_at(self, opened: Opened) -> Opened:
        for name in ("stream", "handed_out", "response"):
            holder = getattr(opened, name)
            self.facts[name] = type(holder)
            self.facts[f"{name} has"] = _public(holder)
        response = opened.response
        headers = getattr(response, "headers", {})
        self.facts["status"] = getattr(response, "status_code", None)
        self.facts["headers"] = {n: text for n, text in headers.items() if n not in _VOLATILE}
        return opened

    # Reading

    def note(self, item: Any) -> bool:
        """Called in the loop's body. Returns whether this is enough for who leaves early."""
        self.inside.append(trace.get_current_span())
        self.items.append(item)
        return len(self.items) >= _ENOUGH.get(self.call.kind, 1)

    @property
    def begun(self) -> bool:
        """Whether the beginning of the answer, which comes at once, was read; or may have been."""
        return bool(self.items or (self.call.kind == "final" and self.facts))

    def is_terminal(self, item: Any) -> bool:
        """Whether *item* is, or holds, the provider's terminal event."""
        return any(mark in repr(item) for mark in self.call.wire.mark)

    def look_again(self, opened: Opened) -> None:
        """Note in which state the HTTP response is left."""
        response = opened.response
        for name in ("is_closed", "is_stream_consumed"):
            self.facts[name] = getattr(response, name, None)

    def caught(self, error: BaseException) -> None:
        """Note what the application had to catch."""
        self.error = (type(error), str(error))

    @property
    def over(self) -> bool:
        """Whether the call's telemetry is complete."""
        return self._over()

    def wait_until_over(self) -> None:
        """Wait for the call's telemetry, while the application still holds everything."""
        until(self._over)

    def read(self) -> Any:
        """What was read, to be compared: bytes joined, for the network cuts them as it likes."""
        if all(isinstance(item, bytes) for item in self.items):
            return b"".join(self.items)
        return [(type(item), item) for item in self.items]


def _public(holder: Any) -> dict[str, Any]:
    """The public attributes, each with its kind, or the exception in place of it."""
    return {name: _kind_of(holder, name) for name in dir(holder) if not name.startswith("_")}


def _kind_of(holder: Any, name: str) -> Any:
    try:
        found = getattr(holder, name)
    except Exception as error:  # noqa: BLE001 - the application's, to compare
        return type(error)
    if callable(found):
        return "coroutine function" if inspect.iscoroutinefunction(found) else "function"
    # The body of a response is wrapped by whoever looks at it, also by SDKs: its kind must hold.
    bases = {base.__name__ for base in type(found).__mro__}
    return bases & {"AsyncByteStream", "SyncByteStream"} or type(found)
