"""`stream_to_channel`: deltas in, messages out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable
from contextlib import suppress
from typing import Any

from otel_stream.channel.backlog import Backlog, Ready
from otel_stream.channel.channel import Channel
from otel_stream.channel.cut import Cutter, Piece
from otel_stream.channel.ending import ended
from otel_stream.channel.judgement import judged
from otel_stream.channel.manner import Chosen
from otel_stream.channel.presence import Presence
from otel_stream.channel.reading import Reading
from otel_stream.channel.result import Delivery, MessageResult
from otel_stream.channel.telling import Telling

__all__ = ["Sending"]

_CLOSING = 5.0
"""How long a stream may take to close (s)."""


class Sending:
    """The sending of one answer: a task reads the stream and cuts, the caller's own sends.

    Args:
        stream: What is read.
        channel: Where messages go.
        recipient: To whom.
        manner: How.
        read: The text of an item; by default as `Reading` says.
        trace_context: Told what is read.
    """

    def __init__(
        self,
        stream: AsyncIterable[Any],
        channel: Channel,
        recipient: str,
        manner: Chosen,
        read: Callable[[Any], str | None] | None,
        trace_context: Any,
    ) -> None:
        if not hasattr(stream, "__aiter__"):
            raise TypeError(f"an async iterable is needed, not {type(stream).__name__}")
        self._stream = stream
        self._channel = channel
        self._recipient = recipient
        self._manner = manner
        self._clock = manner.clock
        self._reading = Reading()
        self._read_item = read or self._reading
        self._cutter: Cutter = manner.cutter()
        self._backlog = Backlog(manner.backlog, manner.clock)
        self._telling = Telling(channel, recipient, trace_context, manner.clock)
        self._presence: Presence | None = None
        if manner.typing:
            self._presence = Presence(channel, recipient, self._telling.typing)
        self._left = False  # nobody wants the rest of the stream
        self._failures = 0
        self._sent_at: float | None = None
        self.delivery = Delivery(started_at=manner.clock())

    async def run(self) -> None:
        """Send the answer. What has come of it is in `delivery`, also if this raises.

        Raises:
            BaseException: What the stream raised, after everything that was ready has been sent;
                KeyboardInterrupt and SystemExit at once.
            asyncio.CancelledError: This task was cancelled; what has not been sent is lost.
        """
        reader = asyncio.create_task(self._read(), name="otel-stream-reading")
        try:
            if self._presence is not None:
                self._presence.show()
            while (ready := await self._backlog.take()) is not None:
                await self._send(ready)
                self._backlog.done(ready)
        finally:
            await self._end(reader)
        if self.delivery.error is not None:
            raise self.delivery.error

    async def _end(self, reader: asyncio.Task[None]) -> None:
        """Leave the stream, if it is not over, stop the typing, and sum up.

        All of it, however often this is cancelled.
        """
        if self._backlog.open:
            self._left = True
            reader.cancel()
        try:
            if self._presence is not None:
                await self._presence.stop()
        finally:
            try:
                await ended({reader}, _CLOSING)
            finally:
                self._sum_up()

    def _sum_up(self) -> None:
        delivery = self.delivery
        if self._backlog.open:  # The reader had not begun, or cannot be ended.
            delivery.error = asyncio.CancelledError()
            self._telling.read(delivery, delivery.error)
        for piece in self._cutter.finish():
            self._note(piece)
        delivery.read, delivery.dropped = self._cutter.fed, self._cutter.dropped
        delivery.ended_at = self._clock()
        self._telling.ended(delivery)

    # The reader's task

    async def _read(self) -> None:
        iterator: Any = self._stream
        self._telling.reads()
        try:
            iterator = aiter(self._stream)
            async for item in iterator:
                if self._left:  # The stream has kept its cancellation to itself.
                    raise asyncio.CancelledError
                await self._take(item)
        except BaseException as error:
            self.delivery.error = error
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise  # The program ends now, not after the last message.
        finally:
            self._over()
        failure = self.delivery.error
        if failure is not None and not isinstance(failure, GeneratorExit):  # may await no more
            await self._close(iterator)

    def _over(self) -> None:
        """Nothing more is read. Unless somebody has cancelled us, the rest is ready."""
        delivery = self.delivery
        delivery.run_error = self._reading.failed
        delivery.back_pressure = self._backlog.pressure
        stopped = asyncio.CancelledError() if self._reading.cancelled else None
        try:
            self._telling.read(delivery, delivery.error or stopped)
            if not self._left:
                for piece in self._cutter.finish():
                    self._backlog.add(self._note(piece))
        finally:
            self._backlog.close()

    async def _take(self, item: Any) -> None:
        text = self._read_item(item)
        if not text:
            return
        if self.delivery.first_text_at is None:
            self.delivery.first_text_at = self._clock()
        self._telling.text(text)
        before = self._backlog.pressure
        for ready in [self._note(piece) for piece in self._cutter.feed(text)]:
            await self._backlog.put(ready)
        self._telling.held_up(self._backlog.pressure - before)

    async def _close(self, iterator: Any) -> None:
        """Close what is not read to its end: it may hold a connection. Others bound the time."""
        close = getattr(iterator, "aclose", None) or getattr(self._stream, "aclose", None)
        if close is not None:
            with suppress(Exception):  # The answer is over, whatever this raises.
                await close()

    def _note(self, piece: Piece) -> Ready:
        result = MessageResult(len(piece.source), self._clock())
        self.delivery.messages.append(result)
        return Ready(piece, result)

    # The caller's task

    async def _send(self, ready: Ready) -> None:
        """Send one message, or give it up."""
        if self._failures >= self._manner.give_up:
            return  # The stream is read on: what it does besides is the application's.
        await self._space()
        told = self._telling.message(ready.piece.text, ready.result.ready_at)
        ready.result.status = "refused"
        try:
            accepted = await self._attempts(ready, told)
        except BaseException as error:
            told.failed(error, "cancelled")
            raise
        finally:
            self._sent_at = ready.result.ended_at = self._clock()
        self._failures = 0 if accepted else self._failures + 1
        more = self._backlog.open or not self._backlog.empty
        if more and self._failures < self._manner.give_up:
            self._type()

    async def _attempts(self, ready: Ready, told: Any) -> bool:
        result = ready.result
        while True:
            result.attempts += 1
            result.status = "unknown"  # until somebody says otherwise
            try:
                result.id = await told.request(lambda: self._request(ready.piece.text))
            except Exception as error:  # noqa: BLE001 - judged, and reported
                verdict = judged(error)
                result.code = verdict.code or type(error).__name__
                result.status = "unknown" if verdict.unknown else "refused"
                wait = self._manner.wait(result.attempts, verdict.after)
                if not verdict.retry or wait is None:
                    told.failed(error, result.code, verdict.status)
                    return False
                self._type()
                await asyncio.sleep(wait)
            else:
                result.status, result.code = "accepted", ""
                told.accepted(result.id)
                return True

    async def _request(self, text: str) -> str | None:
        if self._presence is not None:
            self._presence.hide()
        return await self._channel.send(self._recipient, text)

    def _type(self) -> None:
        if self._presence is not None:
            self._presence.show_again()

    async def _space(self) -> None:
        """Keep the distance to the message before."""
        if self._sent_at is not None:
            rest = self._sent_at + self._manner.spacing - self._clock()
            if rest > 0:
                await asyncio.sleep(rest)
