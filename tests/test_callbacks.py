"""Typed callbacks: told of everything, in order, and never in the stream's way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import otel_stream
from otel_stream import Callbacks, SettingsError, errors, runtime, semconv, trace_stream
from otel_stream.callbacks import (
    StreamCompleted,
    StreamDelta,
    StreamFailed,
    StreamFirstToken,
    StreamStalled,
    StreamStarted,
    StreamUsage,
)
from otel_stream.delta import Finish, Reasoning, Usage
from otel_stream.testing import Captured

NAMES = (
    "on_start",
    "on_first_token",
    "on_delta",
    "on_stall",
    "on_usage",
    "on_complete",
    "on_error",
)
ITEMS = [Reasoning("hm"), "Hello", " you", Usage(9, 2), Finish("stop")]


def noting(notes: list[Any]) -> Callbacks:
    """Callbacks that note each event."""
    return Callbacks(**dict.fromkeys(NAMES, notes.append))  # type: ignore[arg-type]


def drain() -> None:
    """Wait until all callbacks have been called."""
    assert runtime.current().dispatcher.drain(5.0)


@pytest.fixture
def notes() -> list[Any]:
    """What the callbacks of a test were told."""
    return []


class TestEvents:
    def test_whole_stream(self, captured: Captured, notes: list[Any]) -> None:
        """Start, first token, deltas, usage and completion come typed and in order (S4-4, S4-5)."""
        list(trace_stream(ITEMS, model="m", provider="p", callbacks=noting(notes)))
        drain()

        assert [type(note) for note in notes] == [
            StreamStarted,
            StreamFirstToken,
            *[StreamDelta] * 3,
            StreamUsage,
            StreamCompleted,
        ]
        assert [note.delta for note in notes[2:5]] == ITEMS[:3]
        assert notes[5].usage == notes[-1].usage == Usage(9, 2)

    def test_which_stream(self, captured: Captured, notes: list[Any]) -> None:
        """Each event tells its span's ids, so that it can be correlated (S4-9)."""
        list(trace_stream(ITEMS, model="m", provider="p", callbacks=noting(notes)))
        drain()
        context = captured.span().context
        assert context is not None
        expected = (f"{context.trace_id:032x}", f"{context.span_id:016x}", "chat", "p", "m")

        assert {
            (s.trace_id, s.span_id, s.operation, s.provider, s.model)
            for s in (note.stream for note in notes)
        } == {expected}

    def test_failure(self, captured: Captured, notes: list[Any]) -> None:
        """A failed stream tells so, with the figures of what had come."""

        def broken() -> Iterator[str]:
            yield "Hello"
            raise ConnectionResetError("reset")

        with pytest.raises(ConnectionResetError):
            list(trace_stream(broken(), callbacks=noting(notes)))
        drain()

        assert isinstance(notes[-1], StreamFailed)
        assert (notes[-1].outcome, notes[-1].error_type) == ("error", "ConnectionResetError")
        assert notes[-1].summary["total_content_length"] == 5

    def test_closed_early(self, captured: Captured, notes: list[Any]) -> None:
        """A stream that the consumer leaves is complete as far as it goes: no failure."""
        for _ in trace_stream(iter(ITEMS), callbacks=noting(notes)):
            break
        drain()

        assert isinstance(notes[-1], StreamCompleted)
        assert notes[-1].outcome == "closed_early"

    @pytest.mark.otel_stream(stall_after=0.01, stall_after_first=0.01)
    def test_stall(self, captured: Captured, notes: list[Any]) -> None:
        """A stall is told while it lasts: before the chunk that ends it has come."""
        told = threading.Event()

        def stalled(event: StreamStalled) -> None:
            notes.append(event)
            told.set()

        def slow() -> Iterator[str]:
            assert told.wait(5.0)
            yield "Hello"

        assert list(trace_stream(slow(), callbacks=Callbacks(on_stall=stalled))) == ["Hello"]
        assert 0.0 <= notes[0].elapsed < 5.0

    @pytest.mark.otel_stream(capture_content="span")
    def test_text_of_the_answer(self, captured: Captured, notes: list[Any]) -> None:
        """With content captured, the end brings the whole text and the usage (S4-3)."""
        list(trace_stream(ITEMS, callbacks=noting(notes)))
        drain()

        assert (notes[-1].text, notes[-1].usage) == ("Hello you", Usage(9, 2))

    def test_no_text_unasked(self, captured: Captured, notes: list[Any]) -> None:
        """Without, it brings no text."""
        list(trace_stream(ITEMS, callbacks=noting(notes)))
        drain()

        assert notes[-1].text is None

    def test_both_are_told(self, captured: Captured, notes: list[Any]) -> None:
        """The callbacks of one stream stand beside those that were set up for all."""
        everywhere: list[Any] = []
        runtime.current().callbacks = Callbacks(on_complete=everywhere.append)
        list(trace_stream(ITEMS, callbacks=Callbacks(on_start=notes.append)))
        drain()

        assert [type(note) for note in (*notes, *everywhere)] == [StreamStarted, StreamCompleted]

    def test_coroutine_functions(self, captured: Captured, notes: list[Any]) -> None:
        """Callbacks may be coroutine functions; they run on a loop in the background."""

        async def note(event: Any) -> None:
            notes.append((type(event), threading.current_thread().name))

        list(trace_stream(ITEMS, callbacks=Callbacks(on_start=note, on_complete=note)))
        drain()

        assert notes == [
            (StreamStarted, "otel-stream-callbacks"),
            (StreamCompleted, "otel-stream-callbacks"),
        ]


class TestHarmless:
    def test_raising(
        self, captured: Captured, notes: list[Any], lenient: None, caplog: Any
    ) -> None:
        """A callback that raises is logged once, and the next one is called."""

        def broken(event: Any) -> None:
            raise ValueError("mine")

        callbacks = Callbacks(on_delta=broken, on_complete=notes.append)

        assert list(trace_stream(ITEMS, callbacks=callbacks)) == ITEMS
        drain()
        assert [type(note) for note in notes] == [StreamCompleted]
        assert len(caplog.records) == 1
        assert errors.faults["the callback broken"] == 3

    @pytest.mark.parametrize("kind", ["SystemExit", "CancelledError"])
    def test_exiting(self, kind: str, captured: Captured, notes: list[Any]) -> None:
        """One that exits, or whose coroutine is cancelled, ends only itself."""
        import asyncio

        async def exits(event: Any) -> None:
            raise {"SystemExit": SystemExit, "CancelledError": asyncio.CancelledError}[kind]

        callbacks = Callbacks(on_start=exits, on_complete=notes.append)
        list(trace_stream(ITEMS, callbacks=callbacks))
        drain()

        assert [type(note) for note in notes] == [StreamCompleted]

    @pytest.mark.otel_stream(callback_queue=10)
    def test_blocked(self, captured: Captured) -> None:
        """A callback that never returns delays nothing; what finds no room is counted."""
        release = threading.Event()
        callbacks = Callbacks(on_delta=lambda event: release.wait(30.0))
        started = time.perf_counter()
        words = list(trace_stream(["tea"] * 1000, callbacks=callbacks))
        took = time.perf_counter() - started
        release.set()
        dispatcher = runtime.current().dispatcher
        drain()
        dropped = captured.point(semconv.METRIC_EVENTS_DROPPED, {semconv.DROP_REASON: "callbacks"})

        assert len(words) == 1000
        assert 985 <= dispatcher.dropped == dropped.value <= 990
        assert took < 5.0

    def test_off_the_stream(self, captured: Captured, notes: list[Any]) -> None:
        """No callback runs on the stream's own thread."""
        callbacks = Callbacks(on_delta=lambda _: notes.append(threading.get_ident()))
        list(trace_stream(ITEMS, callbacks=callbacks))
        drain()

        assert threading.get_ident() not in notes

    def test_own_stream(self, captured: Captured, notes: list[Any]) -> None:
        """A callback may stream itself, and be told of that."""

        def again(event: StreamStarted) -> None:
            list(trace_stream(["a"], callbacks=Callbacks(on_complete=notes.append)))

        list(trace_stream(["a"], callbacks=Callbacks(on_start=again)))
        drain()
        drain()

        assert len(notes) == 1

    def test_nothing_without_callbacks(self, captured: Captured) -> None:
        """Who asks for none has no thread for them."""
        list(trace_stream(ITEMS))

        assert runtime.current().dispatcher._thread is None


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_called(name: str) -> None:
    """It is an error where it is said, and not in the first stream."""
    with pytest.raises(SettingsError) as error:
        Callbacks(**{name: 5})  # type: ignore[arg-type]

    assert str(error.value) == f"{name}=5: expected a function or a coroutine function"


def test_told_at_exit() -> None:
    """A program that just ends has its callbacks told of the streams that were open."""
    code = """
import otel_stream
from otel_stream import Callbacks, trace_stream
otel_stream.instrument(only="openai", callbacks=Callbacks(on_complete=lambda e: print(e.outcome)))
stream = trace_stream(iter(["a", "b"]))
next(stream)
"""
    environment = {**os.environ, "OTEL_TRACES_EXPORTER": "none", "OTEL_METRICS_EXPORTER": "none"}
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, check=True)

    assert (run.stdout, run.stderr) == ("abandoned\n", "")


def test_public(captured: Captured, notes: list[Any]) -> None:
    """`flush` waits for the callbacks too."""
    callback: Callable[[Any], None] = notes.append
    list(trace_stream(ITEMS, callbacks=Callbacks(on_complete=callback)))

    assert otel_stream.flush(5.0)
    assert len(notes) == 1
