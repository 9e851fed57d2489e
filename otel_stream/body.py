"""A tap on an HTTP answer's body: sees it closed, exhausted, dropped, or read raw.

The wrapper replaces `response.stream` of httpx and httpx2, passes every byte through, and looks at
the bytes only when the application reads them itself instead of through the SDK's `Stream`.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from typing import Any

from otel_stream import interruption
from otel_stream.errors import guard, report
from otel_stream.interruption import Task
from otel_stream.outcome import Outcome
from otel_stream.raw import RawReader
from otel_stream.record.recorder import Recorder
from otel_stream.tapped import TappedBody, TappedBytes, of_its_kind
from otel_stream.watcher import watcher

__all__ = ["BodyTap", "tap_body"]

_TAIL = 32
_DONE = b"[DONE]"


class BodyTap:
    """What is known of one body.

    Args:
        recorder: Told of the body's end.
        reader: Makes what reads the body when the application does so itself.
        libraries: Import names of those whose generators read the body otherwise.
    """

    __slots__ = (
        "__weakref__",
        "_holder",
        "_libraries",
        "_make_raw",
        "_raw",
        "_tail",
        "exhausted",
        "recorder",
        "waiting",
    )

    def __init__(
        self, recorder: Recorder, reader: Callable[[], RawReader], libraries: tuple[str, ...]
    ) -> None:
        self.recorder = recorder
        self._make_raw = reader
        self._libraries = libraries
        self._raw: RawReader | None = None
        self._holder: weakref.ref[Any] | None = None
        self.exhausted = False
        self.waiting = False
        self._tail = b""

    def attach(self, held: Any) -> None:
        """The SDK reads through `held`. An old one lays a second reader over an unread one."""
        before = self._holder() if self._holder is not None else None
        if before is not None:
            before.released = True
        self._holder = weakref.ref(held)

    @property
    def attached(self) -> bool:
        """Whether the SDK reads the body, or has read it, through an iterator of its own."""
        return self._holder is not None

    def done(self) -> bool:
        """Whether the wire's end mark was seen, asked when the SDK's iterator is exhausted.

        The SDK swallows `[DONE]` and stops reading; at a clean end without it, it reads all.
        """
        return not self.exhausted or _DONE in self._tail

    def has_all(self, content: bytes) -> None:
        """The body needs no reading, and nobody will read it here."""
        self._tail = content[-_TAIL:]
        self.exhausted = True

    def begins(self) -> RawReader | None:
        """A read of the body begins. Returns what reads it, if it is the application's own read."""
        if self.recorder.in_read or self.recorder.ended:
            return None
        with guard("reading a body"):
            self._raw = self._raw or self._make_raw()
        return self._raw

    def asks(self, raw: RawReader | None) -> float:
        """The next bytes are asked for. Returns when, if it is the application that asks."""
        self.waiting = True
        if raw is None:
            return 0.0
        now = self.recorder.clock()
        raw.asks(self.recorder, now)
        return now

    def arrived(self, data: bytes, raw: RawReader | None, started: float) -> None:
        """Bytes came."""
        self.waiting = False
        try:
            if raw is not None:
                raw.feed(self.recorder, data, started)
            else:
                self._tail = data[-_TAIL:] if len(data) >= _TAIL else (self._tail + data)[-_TAIL:]
        except Exception as error:
            if report("reading a body", error):
                raise

    def stopped(self, error: BaseException, raw: RawReader | None, started: float) -> None:
        """The read raised: the end of the body, or a failure."""
        self.waiting = False
        over = isinstance(error, (StopIteration, StopAsyncIteration))
        self.exhausted = over
        if raw is not None:
            with guard("ending a body"):
                now = self.recorder.clock()
                if over:
                    raw.finish(self.recorder, started, now)
                else:
                    since = raw.since(self.recorder, started, now)
                    self.recorder.fail(error, since, now, interruption.of_error(error))

    def closing(self) -> None:
        """The response is closed: by the consumer, unless the SDK does it at the end of a read.

        The SDK closes only between reads of the network. While one is under way (`waiting`), a
        close comes from somewhere else.
        """
        recorder = self.recorder
        if recorder.ended or watcher.collecting:
            return  # Collected with all the rest: the stream is dropped, and nobody closed it.
        if self._is_unwinding():
            return
        if self.waiting or not recorder.in_read:
            with guard("closing a stream"):
                recorder.close(interruption.of_reader())

    def _is_unwinding(self) -> bool:
        """Whether the libraries' own generators are being closed, and so close the body.

        Somebody has left or dropped what reads them, and that has been told or will be. A generator
        of the program's that is closed around its `with` block is another matter.
        """
        _, error, traceback = sys.exc_info()
        if not isinstance(error, GeneratorExit) or traceback is None:
            return False
        module = traceback.tb_frame.f_globals.get("__name__", "")
        return module.partition(".")[0] in self._libraries

    def left(self, raw: RawReader | None, task: Task = None) -> None:
        """A loop over the bytes was left; of the SDK's own loop its stream knows."""
        recorder = self.recorder
        if raw is not None and not (recorder.ended or watcher.collecting):
            with guard("leaving a body"):
                recorder.leave(interruption.of_reader(task=task))
                watcher.wake()

    def dropped(self) -> None:
        """Nobody holds the response any more."""
        recorder = self.recorder
        if not recorder.ended:
            outcome = interruption.of_reader(otherwise=Outcome.ABANDONED)
            watcher.soon(lambda: recorder.drop(outcome))


class _Tapped(TappedBody):
    """What both kinds share: the body and its tap."""

    def __init__(self, body: Any, tap: BodyTap) -> None:
        super().__init__(body)
        self.otel_stream_tap = tap
        # The anthropic SDK asks for this with every chunk, and what is missing costs an exception.
        self.stream_observer = getattr(body, "stream_observer", None)

    def __del__(self) -> None:
        tap = self.__dict__.get("otel_stream_tap")
        if tap is not None and not tap.attached:
            tap.dropped()


class _Sync(_Tapped):
    def __iter__(self) -> Iterator[bytes]:
        tap = self.otel_stream_tap
        raw = tap.begins()
        source = iter(self._body)
        while True:
            started = tap.asks(raw)
            try:
                data = next(source)
            except StopIteration as end:
                tap.stopped(end, raw, started)
                return
            except BaseException as error:
                tap.stopped(error, raw, started)
                raise
            tap.arrived(data, raw, started)
            try:
                yield data
            except BaseException:  # The loop was left: this generator is being closed.
                tap.left(raw)
                raise

    def close(self) -> None:
        self.otel_stream_tap.closing()
        self._body.close()


class _Async(_Tapped):
    def __aiter__(self) -> AsyncIterator[bytes]:
        return _AsyncBytes(self._body, self.otel_stream_tap)

    async def aclose(self) -> None:
        self.otel_stream_tap.closing()
        await self._body.aclose()


class _AsyncBytes(TappedBytes):
    """The bytes of an async body, one read after the other."""

    def __init__(self, body: Any, tap: BodyTap) -> None:
        self._source = body.__aiter__()
        self._tap = tap
        self._raw = tap.begins()
        # Generators of httpx read us, and it is a task of the event loop's that closes those.
        self._task = interruption.current_task() if self._raw is not None else None

    async def __anext__(self) -> bytes:
        tap, raw = self._tap, self._raw
        started = tap.asks(raw)
        try:
            data: bytes = await self._source.__anext__()
        except BaseException as error:
            tap.stopped(error, raw, started)
            raise
        tap.arrived(data, raw, started)
        return data

    async def aclose(self) -> None:
        """Leave the loop, and close the body's own iterator too."""
        self._tap.left(self._raw, self._task)
        if hasattr(self._source, "aclose"):
            await self._source.aclose()

    def __del__(self) -> None:
        self._tap.left(self._raw, self._task)


def tap_body(
    response: Any, recorder: Recorder, reader: Callable[[], RawReader], sdk: str = ""
) -> BodyTap:
    """Put a tap on `response` (httpx or httpx2), which the package `sdk` reads, and return it."""
    http = type(response).__module__.partition(".")[0]
    tap = BodyTap(recorder, reader, (sdk, http))
    if hasattr(response, "_content"):  # In memory, as a transport of tests may give it.
        tap.has_all(response.content)
    body: Any = response.stream
    response.stream = _wrapper(body.__class__)(body, tap)
    return tap


@cache
def _wrapper(body: type[Any]) -> type[Any]:
    return of_its_kind(body, _Sync, _Async)
