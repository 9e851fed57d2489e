"""The loops over a provider's stream: the only two, over one recorder.

An SDK's `Stream` reads everything through one inner iterator. `TracedIterator` and
`TracedAsyncIterator` stand in its place, so the object that the application holds stays the SDK's
own, with its type, attributes and methods. The stand-in is dropped when the stream is, and each
loop over it has an iterator of its own, dropped when the loop is left: that is how a `break` and a
forgotten stream are told.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Generator, Iterator
from contextvars import Token
from typing import Any
from weakref import ref

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from otel_stream import interruption
from otel_stream.errors import guard
from otel_stream.interruption import Task
from otel_stream.outcome import Outcome
from otel_stream.record.recorder import Recorder
from otel_stream.watcher import watcher

__all__ = ["AsyncLoop", "TracedAsyncIterator", "TracedIterator"]

Done = Callable[[], bool]


def _never() -> bool:
    return False


def _nothing() -> None:
    return None


class _Held:
    """What both stand-ins share: the recorder, and that being dropped ends the stream."""

    __slots__ = (
        "__weakref__",
        "_context",
        "_done",
        "_task",
        "beneath",
        "recorder",
        "released",
        "source",
    )

    def __init__(
        self,
        source: Any,
        recorder: Recorder,
        *,
        context: Context | None = None,
        done: Done = _never,
    ) -> None:
        self.source = source
        self.recorder = recorder
        self._context = context
        self._done = done
        self._task: Callable[[], Task] = _nothing
        """The task that reads, where there are tasks."""
        self.released = False
        """Another reader has taken the stream over: being dropped means nothing any more."""
        self.beneath = False
        """Read by a helper of the SDK, whose own loops tell when they are left."""

    def _enter(self) -> Token[Context] | None:
        context = self._context
        return None if context is None else otel_context.attach(context)

    def _exit(self, token: Token[Context] | None) -> None:
        if token is not None:
            otel_context.detach(token)

    def _failed(self, error: BaseException, started: float) -> None:
        recorder = self.recorder
        with guard("ending a stream"):
            if isinstance(error, (StopIteration, StopAsyncIteration)):
                recorder.finish(started, recorder.clock(), self._done())
            elif self._is_cut(error):
                recorder.finish(started, recorder.clock())
            else:
                outcome = interruption.of_error(error)
                recorder.fail(error, started, recorder.clock(), outcome)

    def _is_cut(self, error: BaseException) -> bool:
        """Whether the SDK has choked on half a letter, with which the body had ended cleanly."""
        if not isinstance(error, UnicodeDecodeError) or self._done is _never:
            return False
        return not self._done()

    def leave(self, task: Task = None) -> None:
        """A loop over this iterator was left, and `task` had read it."""
        if not self.beneath:
            self.left(task)

    def left(self, task: Task = None) -> None:
        """The application has left its loop. A loop that the collector closes nobody has left."""
        recorder = self.recorder
        if not (recorder.ended or watcher.collecting):
            outcome = interruption.of_reader(task=task)
            _guarded(lambda: recorder.leave(outcome))
            watcher.wake()

    def __del__(self) -> None:
        recorder = self.recorder
        if not recorder.ended and not self.released:
            outcome = interruption.of_reader(Outcome.ABANDONED, self._task())
            watcher.soon(lambda: _guarded(lambda: recorder.drop(outcome)))


def _guarded(act: Callable[[], None]) -> None:
    with guard("ending a stream"):
        act()


class TracedIterator(_Held):
    """Stands in for the inner iterator of a sync stream.

    Args:
        source: The iterator it reads.
        recorder: Fed with each chunk and told of the end.
        context: Current during each read, never in the consumer's body. None to leave it alone.
        done: Asked when the iterator is exhausted: was the wire's own end mark seen?
    """

    __slots__ = ()

    def __iter__(self) -> Generator[Any, None, None]:
        recorder = self.recorder
        recorder.resume()
        read = self.source.__next__ if self._context is None else self._read_in_context
        clock = recorder.clock
        feed = recorder.feed
        while True:
            recorder.reading_since = started = clock()
            try:
                chunk = read()
            except StopIteration as end:
                self._failed(end, started)
                return
            except BaseException as error:
                self._failed(error, started)
                raise
            feed(chunk, started, clock())
            try:
                yield chunk
            except BaseException:  # The loop was left: this generator is being closed.
                self.leave()
                raise

    def __next__(self) -> Any:
        recorder = self.recorder
        recorder.resume()
        recorder.reading_since = started = recorder.clock()
        try:
            chunk = self._read_in_context()
        except BaseException as error:
            self._failed(error, started)
            raise
        recorder.feed(chunk, started, recorder.clock())
        return chunk

    def _read_in_context(self) -> Any:
        token = self._enter()
        try:
            return self.source.__next__()
        finally:
            self._exit(token)


class TracedAsyncIterator(_Held):
    """Stands in for the inner iterator of an async stream. See `TracedIterator`."""

    __slots__ = ()

    def _reading_task(self) -> Callable[[], Task]:
        """Asks for the task that reads.

        A task that has failed holds its frames, and with them this: so it is not held here, but
        beneath a helper, whose own generators the event loop closes when the task may be gone.
        """
        task = interruption.current_task()
        if task is None:
            return _nothing
        return (lambda: task) if self.beneath else ref(task)

    def __aiter__(self) -> AsyncLoop:
        self.recorder.resume()
        self._task = self._reading_task()
        return AsyncLoop(self)

    def __anext__(self) -> Coroutine[Any, Any, Any]:
        self.recorder.resume()
        self._task = self._reading_task()
        return self.read()

    async def read(self) -> Any:
        """The next chunk, recorded."""
        recorder = self.recorder
        recorder.reading_since = started = recorder.clock()
        token = None if self._context is None else self._enter()
        try:
            chunk = await self.source.__anext__()
        except BaseException as error:
            self._failed(error, started)
            raise
        finally:
            if token is not None:
                self._exit(token)
        recorder.feed(chunk, started, recorder.clock())
        return chunk


class AsyncLoop:
    """The iterator of one `async for`.

    An object and no async generator: a generator that is left waits for the event loop to close it,
    in a task of its own, and only then could tell.

    Args:
        held: Gives the next item by `read`, and is told by `leave`.
    """

    __slots__ = ("_held", "_over", "_task")

    def __init__(self, held: Any) -> None:
        self._held = held
        self._over = False
        # A generator of the application's that reads us may be closed by a task of the event loop.
        self._task = interruption.current_task()

    def __aiter__(self) -> AsyncLoop:
        return self

    def __anext__(self) -> Coroutine[Any, Any, Any]:
        return self._end() if self._over else self._held.read()

    def asend(self, value: Any) -> Coroutine[Any, Any, Any]:
        """The next chunk, as a generator that ignores what it is sent."""
        return self.__anext__()

    async def _end(self) -> Any:
        raise StopAsyncIteration

    async def athrow(self, error: Any, value: Any = None, traceback: Any = None) -> Any:
        await self.aclose()
        raise error

    async def aclose(self) -> None:
        """Leave the loop, as closing a generator does."""
        if not self._over:
            self._over = True
            self._held.leave(self._task)

    def __del__(self) -> None:
        if not self._over:
            self._held.leave(self._task)


_: tuple[type[Iterator[Any]], type[AsyncIterator[Any]]] = (TracedIterator, TracedAsyncIterator)
