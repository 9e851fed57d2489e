"""How a `StreamingTraceContext` ends, and what becomes of one that is never ended."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

import otel_stream
from otel_stream import Callbacks, StreamingTraceContext, runtime, semconv
from otel_stream.testing import Captured, ScriptedClock
from otel_stream.watcher import watcher


def attributes(captured: Captured) -> dict[str, Any]:
    """The attributes of the only span."""
    return dict(captured.span().attributes or {})


@pytest.fixture
def context(captured: Captured, clock: ScriptedClock) -> StreamingTraceContext:
    """A context by the scripted clock."""
    return StreamingTraceContext(model="m", provider="p", clock=clock)


class TestEnds:
    def test_with_block(self, context: StreamingTraceContext, captured: Captured) -> None:
        """The end of a `with` block closes what was not completed."""
        with context:
            context.log_streaming_chunk("Hello")

        assert attributes(captured)[semconv.OUTCOME] == "closed_early"

    def test_exception_in_the_block(
        self, context: StreamingTraceContext, captured: Captured
    ) -> None:
        """An exception leaves the block as it is, and is the stream's error."""
        with pytest.raises(ZeroDivisionError), context:
            raise ZeroDivisionError
        found = attributes(captured)

        assert (found[semconv.OUTCOME], found[semconv.ERROR_TYPE]) == ("error", "ZeroDivisionError")

    @pytest.mark.parametrize("error", [KeyboardInterrupt, asyncio.CancelledError])
    def test_cancelled_in_the_block(
        self, error: type[BaseException], context: StreamingTraceContext, captured: Captured
    ) -> None:
        """One that stops the program or the task cancels the stream."""
        with pytest.raises(error), context:
            raise error

        assert attributes(captured)[semconv.OUTCOME] == "cancelled"

    def test_exception_after_the_end(
        self, context: StreamingTraceContext, captured: Captured
    ) -> None:
        """What fails after the answer was told to be whole changes nothing."""
        with pytest.raises(ZeroDivisionError), context:
            context.log_streaming_complete("Hello")
            raise ZeroDivisionError

        assert attributes(captured)[semconv.OUTCOME] == "completed"

    @pytest.mark.parametrize("cycle", [False, True])
    def test_forgotten(self, cycle: bool, captured: Captured) -> None:
        """A context that is dropped is abandoned, also one in a reference cycle."""
        context: Any = StreamingTraceContext()
        context.log_streaming_chunk("Hello")
        if cycle:
            context.itself = context
        del context
        gc.collect()

        assert captured.wait_for_spans()[0].attributes[semconv.OUTCOME] == "abandoned"  # type: ignore[index]

    def test_suppressed(self, captured: Captured) -> None:
        """In a block of `suppress` nothing is recorded, and all methods can be called."""
        with otel_stream.suppress():
            context = StreamingTraceContext()
        context.log_streaming_chunk("Hello")
        context.log_streaming_complete()

        assert (context.span, context.get_streaming_summary()) == (
            None,
            {"status": "no_streaming_data"},
        )
        assert captured.spans() == []

    def test_callbacks(self, captured: Captured, clock: ScriptedClock) -> None:
        """Callbacks are told as of any stream."""
        notes: list[Any] = []
        context = StreamingTraceContext(clock=clock, callbacks=Callbacks(on_complete=notes.append))
        context.log_streaming_chunk("Hello")
        context.log_streaming_complete()
        runtime.current().dispatcher.drain(5.0)

        assert [note.summary for note in notes] == [context.get_streaming_summary()]

    @pytest.mark.otel_stream(stall_after_first=0.5, stall_after=0.5)
    def test_silence_is_told_while_it_lasts(self, captured: Captured, clock: ScriptedClock) -> None:
        """From one call to the next the provider is waited for: the watcher sees a stall."""
        told: list[Any] = []
        context = StreamingTraceContext(callbacks=Callbacks(on_stall=told.append), clock=clock)
        before = watcher.look(clock.advance(0.6))
        context.log_streaming_chunk("Hello")
        watcher.look(clock.advance(0.6))
        runtime.current().dispatcher.drain(5.0)
        context.log_streaming_complete()

        assert before > 0
        assert len(told) == 2
        assert attributes(captured)[semconv.STALL_COUNT] == 2
