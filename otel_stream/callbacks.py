"""Typed callbacks: told of a stream's moments, off its path.

One background thread calls them all, in order, so that a slow or raising callback delays only other
callbacks. Its queue is bounded; what finds no room is counted (`otel_stream.events.dropped`, reason
`callbacks`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, fields
from queue import Empty, Full, Queue
from typing import TYPE_CHECKING, Any

import msgspec

from otel_stream.delta import Delta, Usage
from otel_stream.errors import SettingsError, guard
from otel_stream.fork import call_in_child

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

__all__ = [
    "Callbacks",
    "Dispatcher",
    "StreamCompleted",
    "StreamDelta",
    "StreamFailed",
    "StreamFirstToken",
    "StreamInfo",
    "StreamStalled",
    "StreamStarted",
    "StreamUsage",
    "check",
]


class StreamInfo(msgspec.Struct, frozen=True):
    """Which stream an event belongs to. Ids are lower-case hex."""

    trace_id: str
    span_id: str
    operation: str
    provider: str
    model: str | None


class StreamStarted(msgspec.Struct, frozen=True):
    """The call was made."""

    stream: StreamInfo


class StreamFirstToken(msgspec.Struct, frozen=True):
    """The first non-empty delta came, `elapsed` seconds after the call."""

    stream: StreamInfo
    elapsed: float


class StreamDelta(msgspec.Struct, frozen=True):
    """A delta came: plain text of the first choice as `str`, anything else as its struct."""

    stream: StreamInfo
    delta: str | Delta


class StreamStalled(msgspec.Struct, frozen=True):
    """The provider has sent nothing for longer than the threshold; told while it lasts.

    `elapsed`: when the wait began, in seconds after the call.
    """

    stream: StreamInfo
    elapsed: float


class StreamUsage(msgspec.Struct, frozen=True):
    """The provider reported usage; cumulative."""

    stream: StreamInfo
    usage: Usage


class StreamCompleted(msgspec.Struct, frozen=True):
    """The stream ended without failing.

    Attributes:
        outcome: One of the four that are no failure.
        summary: See `get_streaming_summary`.
        usage: The provider's token counts, if it reported any.
        text: The whole text of the first choice, if content is captured.
    """

    stream: StreamInfo
    outcome: str
    summary: dict[str, Any]
    usage: Usage | None = None
    text: str | None = None


class StreamFailed(msgspec.Struct, frozen=True):
    """The stream was truncated or failed."""

    stream: StreamInfo
    outcome: str
    error_type: str | None
    summary: dict[str, Any]


Returned = Coroutine[Any, Any, object] | object


@dataclass(frozen=True, slots=True, kw_only=True)
class Callbacks:
    """What to call when. Each may be a function or a coroutine function; all are optional.

    They run on a background thread, coroutines on an event loop of that thread. Use
    `loop.call_soon_threadsafe` to reach a loop of your own.

    Raises:
        SettingsError: One of them cannot be called.
    """

    on_start: Callable[[StreamStarted], Returned] | None = None
    on_first_token: Callable[[StreamFirstToken], Returned] | None = None
    on_delta: Callable[[StreamDelta], Returned] | None = None
    on_stall: Callable[[StreamStalled], Returned] | None = None
    on_usage: Callable[[StreamUsage], Returned] | None = None
    on_complete: Callable[[StreamCompleted], Returned] | None = None
    on_error: Callable[[StreamFailed], Returned] | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            given = getattr(self, field.name)
            if given is not None and not callable(given):
                expected = "expected a function or a coroutine function"
                raise SettingsError(f"{field.name}={given!r}: {expected}")

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) is not None for field in fields(self))


def check(callbacks: object) -> None:
    """Raises `SettingsError` for what is neither None nor `Callbacks`."""
    if callbacks is not None and not isinstance(callbacks, Callbacks):
        raise SettingsError(f"callbacks={callbacks!r}: expected an otel_stream.Callbacks")


def _end(event: None) -> None:
    """The last callback of a dispatcher's thread."""


class Dispatcher:
    """Calls callbacks on one thread, started with the first event.

    Args:
        size: Events that may wait.
        on_drop: Told of each event that found no room.
    """

    def __init__(self, size: int, on_drop: Callable[[], None] | None = None) -> None:
        self._size = size
        self._on_drop = on_drop
        self._reset()
        call_in_child(self._reset)

    def call(self, callback: Callable[[Any], Returned] | None, event: Any) -> None:
        """Have `callback(event)` called soon. Never blocks, never raises."""
        if callback is None:
            return
        try:
            self._queue.put_nowait((callback, event))
        except Full:
            self.dropped += 1
            if self._on_drop is not None:
                self._on_drop()
            return
        if self._thread is None:
            self._start()

    def drain(self, timeout: float) -> bool:
        """Wait at most `timeout` seconds until all events so far are handled; return whether."""
        with self._starting:
            thread = self._thread
        if thread is None:
            self._tell_waiting()
            return True
        reached = threading.Event()
        until = time.monotonic() + timeout
        try:
            self._queue.put((lambda _: reached.set(), None), timeout=timeout)
        except Full:
            return False
        return reached.wait(max(0.0, until - time.monotonic()))

    def _reset(self) -> None:
        """Begin anew: at first, and in a forked child, which has no such thread."""
        self._queue: Queue[tuple[Callable[[Any], Returned], Any]] = Queue(self._size)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self.dropped = 0

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                thread = threading.Thread(
                    target=self._run, name="otel-stream-callbacks", daemon=True
                )
                try:
                    thread.start()
                except RuntimeError:  # None starts any more when the interpreter ends: see `drain`.
                    return
                self._thread = thread

    def _run(self) -> None:
        import asyncio  # 15 ms that only a program with callbacks need pay.

        loop = asyncio.new_event_loop()
        while True:
            try:
                callback, event = self._queue.get(timeout=60)
            except Empty:
                continue
            if callback is _end:
                loop.close()
                return
            _tell(callback, event, loop)

    def stop(self) -> None:
        """Let the thread end once it has handled all events so far."""
        with self._starting:
            if self._thread is not None:
                self._thread = None
                with suppress(Full):
                    self._queue.put_nowait((_end, None))

    def _tell_waiting(self) -> None:
        """Call what waits, here and now."""
        import asyncio

        loop = None
        while not self._queue.empty():
            loop = loop or asyncio.new_event_loop()
            with suppress(Empty):
                _tell(*self._queue.get_nowait(), loop)
        if loop is not None:
            loop.close()


def _tell(callback: Callable[[Any], Returned], event: Any, loop: AbstractEventLoop) -> None:
    from asyncio import CancelledError, iscoroutine

    name = getattr(callback, "__name__", "callback")
    # One that exits, or is cancelled, ends only itself.
    with suppress(CancelledError, SystemExit), guard(f"the callback {name}"):
        returned = callback(event)
        if iscoroutine(returned):
            loop.run_until_complete(returned)
