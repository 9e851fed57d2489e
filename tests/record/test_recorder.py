"""What one stream did, told to a recorder chunk by chunk, by a scripted clock."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest

from otel_stream.delta import Failure, Finish, Reasoning, Terminal, Text, ToolCall
from otel_stream.outcome import Outcome
from otel_stream.testing import ScriptedClock

Make = Callable[..., Any]
RESET = ConnectionResetError("reset by peer")


def ends(heard: Any) -> list[Any]:
    """The outcomes that were told: one, or something is wrong."""
    return [told[1] for told in heard.told if told[0] == "ended"]


class TestOutcome:
    def test_completed(self, make: Make, drive: Make, heard: Any) -> None:
        """A body that ends after the terminal event is completed."""
        recorder = make(whole=False)
        drive(recorder).chunk(["tea", Terminal()])
        drive(recorder).finish()

        assert ends(heard) == [Outcome.COMPLETED]

    def test_whole_by_the_reader(self, make: Make, drive: Make, heard: Any) -> None:
        """Without a terminal event the reader says whether the answer is whole."""
        drive(make(whole=True)).finish()
        drive(make(whole=False)).finish()

        assert ends(heard) == [Outcome.COMPLETED, Outcome.TRUNCATED]

    def test_done_on_the_wire(self, make: Make, drive: Make, heard: Any) -> None:
        """The wire's own end mark reaches the reader."""
        drive(make(whole=False)).finish(done=True)

        assert ends(heard) == [Outcome.COMPLETED]

    @pytest.mark.parametrize("how", ["close", "leave", "drop"])
    def test_completed_however_left(self, how: str, make: Make, drive: Make, heard: Any) -> None:
        """After the terminal event it does not matter how the stream is left."""
        recorder = make()
        drive(recorder).chunk(Terminal())
        getattr(recorder, how)(Outcome.CLOSED_EARLY)

        assert ends(heard) == [Outcome.COMPLETED]

    @pytest.mark.parametrize("outcome", [Outcome.CLOSED_EARLY, Outcome.CANCELLED])
    def test_closed(self, outcome: Outcome, make: Make, drive: Make, heard: Any) -> None:
        """A close before the terminal event is what the closer says, never an error."""
        recorder = make()
        drive(recorder).chunk("tea")
        recorder.close(outcome)

        assert (ends(heard), recorder.error) == ([outcome], None)

    def test_abandoned(self, make: Make, drive: Make, heard: Any) -> None:
        """A stream that is dropped with no loop left and no close is abandoned."""
        recorder = make()
        drive(recorder).chunk("tea")
        recorder.drop(Outcome.ABANDONED)

        assert ends(heard) == [Outcome.ABANDONED]

    @pytest.mark.parametrize("outcome", [Outcome.ERROR, Outcome.CANCELLED])
    def test_failed(self, outcome: Outcome, make: Make, clock: ScriptedClock, heard: Any) -> None:
        """An exception out of a read ends the stream, is told, and is held no longer."""
        recorder = make()
        recorder.fail(RESET, clock(), clock.advance(1.0), outcome)

        assert (recorder.outcome, heard.error, recorder.error) == (outcome, RESET, None)

    def test_network_error_after_the_end(self, make: Make, drive: Make, heard: Any) -> None:
        """A network error after the terminal event takes nothing from the answer."""
        recorder = make()
        drive(recorder).chunk(Terminal())
        recorder.fail(RESET, 1.0, 2.0, Outcome.ERROR)

        assert ends(heard) == [Outcome.COMPLETED]

    def test_error_event_after_the_last(self, make: Make, drive: Make, heard: Any) -> None:
        """Behind an event with which the answer is over it is no error, nor a chunk."""
        recorder = make()
        drive(recorder).chunk(["tea", Terminal(last=True)])
        drive(recorder).chunk(Failure("cannot be stored"))
        drive(recorder).finish()

        assert (ends(heard), recorder.chunks) == ([Outcome.COMPLETED], 1)

    def test_error_event(self, make: Make, drive: Make, heard: Any) -> None:
        """An explicit error event is an error, also behind a finish reason; it is no chunk."""
        recorder = make()
        drive(recorder).chunk([Finish("stop"), Terminal()])
        drive(recorder).chunk(Failure("overloaded_error"))
        drive(recorder).chunk("what follows it is not counted")
        drive(recorder).finish()

        assert ends(heard) == [Outcome.ERROR]
        assert (recorder.chunks, recorder.tally.failure.code) == (1, "overloaded_error")

    def test_error_event_that_is_raised(self, make: Make, clock: ScriptedClock) -> None:
        """Where the SDK raises the error event, the reader tells its code from the exception."""

        class Overloaded(Exception):
            code = "overloaded_error"

        recorder = make()
        recorder.fail(Overloaded(), clock(), clock(), Outcome.ERROR)

        assert recorder.tally.failure.code == "overloaded_error"

    def test_first_failure_counts(self, make: Make, drive: Make) -> None:
        """Of two failures the first one tells why."""
        recorder = make()
        drive(recorder).chunk(Failure("first"))
        drive(recorder).chunk(Failure("second"))
        drive(recorder).finish()

        assert recorder.tally.failure.code == "first"


class TestOneEnd:
    def test_later_ends_change_nothing(self, make: Make, drive: Make, heard: Any) -> None:
        """Only the first end counts."""
        recorder = make()
        drive(recorder).finish()
        ended_at = recorder.ended_at
        recorder.fail(RESET, 1.0, 2.0, Outcome.ERROR)
        for end in (recorder.close, recorder.drop, recorder.leave):
            end(Outcome.CLOSED_EARLY)
        drive(recorder).finish()

        assert ends(heard) == [Outcome.COMPLETED]
        assert (recorder.ended_at, recorder.error) == (ended_at, None)

    def test_from_two_threads(self, make: Make, heard: Any) -> None:
        """Ends that race from many threads are told once."""
        for _ in range(50):
            recorder, start = make(), threading.Barrier(4)

            def end(recorder: Any = recorder, start: threading.Barrier = start) -> None:
                start.wait()
                recorder.close(Outcome.CLOSED_EARLY)

            threads = [threading.Thread(target=end) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        assert ends(heard) == [Outcome.CLOSED_EARLY] * 50

    def test_figures_stand_still(self, make: Make, drive: Make, clock: ScriptedClock) -> None:
        """Chunks that are read after the end pass unrecorded."""
        recorder = make()
        drive(recorder).chunk("tea")
        recorder.close()
        before = (recorder.chunks, recorder.size, recorder.last_chunk_at, recorder.consumer_time)
        clock.advance(5.0)
        drive(recorder).chunk("more tea")
        drive(recorder).finish()

        assert before == (
            recorder.chunks,
            recorder.size,
            recorder.last_chunk_at,
            recorder.consumer_time,
        )

    def test_forgotten(self, make: Make, heard: Any) -> None:
        """A forgotten stream ends in silence: it is another process's."""
        recorder = make()
        recorder.forget()
        recorder.close()

        assert (recorder.ended, heard.told) == (True, [])

    def test_no_cycle(self, make: Make, heard: Any) -> None:
        """An ended recorder lets go of its listener: nothing waits for the garbage collector."""
        recorder = make()
        held = heard in gc.get_referents(recorder)
        recorder.close()

        assert (held, heard in gc.get_referents(recorder)) == (True, False)


class TestDeltas:
    def test_told_in_order(self, make: Make, drive: Make, heard: Any) -> None:
        """Who wants deltas gets each of them, text of the first choice as it is (S4-1)."""
        recorder = make(wants_deltas=True)
        chunks = ["a", Reasoning("hm"), Text("b", 1), ToolCall(0, "f"), "c"]
        for chunk in chunks:
            drive(recorder).chunk(chunk)

        assert [told[1] for told in heard.told if told[0] == "delta"] == chunks

    def test_not_asked_for(self, make: Make, drive: Make, heard: Any) -> None:
        """Who does not want them is told of none."""
        drive(make()).chunk("a")

        assert heard.told == [("first_token",)]

    async def test_usable_in_a_loop(self, make: Make, drive: Make, heard: Any) -> None:
        """The recorder needs no event loop and disturbs none."""
        recorder = make()
        drive(recorder).chunk("a")
        await asyncio.sleep(0)
        drive(recorder).finish()

        assert ends(heard) == [Outcome.COMPLETED]
