"""What an answer is made of: first times, sizes, usage."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from otel_stream.delta import Finish, Reasoning, Refusal, Response, Skip, Text, ToolCall, Usage
from otel_stream.outcome import Outcome
from otel_stream.testing import ScriptedClock

Make = Callable[..., Any]

TOKENS = ["tea", Text("tea", 1), Reasoning("hm"), Refusal("no"), ToolCall(0, "f")]
TOKENS += [ToolCall(0, arguments="{")]
NO_TOKENS = [None, "", Text(""), Reasoning(""), Refusal(""), ToolCall(0, id="1")]
NO_TOKENS += [Usage(1, 2), Finish("stop")]


class TestFirsts:
    def test_three_first_times(self, make: Make, drive: Make) -> None:
        """First chunk, first token and first text are three times (S3-2, S4-24)."""
        recorder = make()
        for chunk in (Response("id"), Reasoning("hm"), "tea"):
            drive(recorder).chunk(chunk, wait=0.5)
        tally = recorder.tally

        assert recorder.first_chunk_at - recorder.called == 0.5
        assert tally.first_token_at - recorder.called == 1.0
        assert tally.first_reasoning_at == tally.first_token_at
        assert tally.first_text_at - recorder.called == 1.5

    @pytest.mark.parametrize("chunk", TOKENS, ids=repr)
    def test_what_is_a_token(self, chunk: Any, make: Make, drive: Make, heard: Any) -> None:
        """Text, reasoning, refusals, a tool's name and its arguments are first tokens."""
        recorder = make()
        drive(recorder).chunk(chunk)

        assert heard.told == [("first_token",)]
        assert recorder.tally.first_token_at == recorder.first_chunk_at

    @pytest.mark.parametrize("chunk", NO_TOKENS, ids=repr)
    def test_what_is_no_token(self, chunk: Any, make: Make, drive: Make, heard: Any) -> None:
        """An empty delta, a role, a usage or a finish reason is a chunk and no token (S4-24)."""
        recorder = make()
        drive(recorder).chunk(chunk)

        assert (recorder.chunks, recorder.tally.first_token_at) == (1, None)
        assert ("first_token",) not in heard.told

    def test_last_chunk(self, make: Make, drive: Make, clock: ScriptedClock) -> None:
        """The last chunk's time is not that of the end."""
        recorder = make()
        drive(recorder).chunk("tea")
        came = clock()
        drive(recorder).finish(wait=3.0)

        assert recorder.last_chunk_at == came

    def test_nothing_came(self, make: Make, drive: Make) -> None:
        """A body without chunks has no first and no last one, and no gaps."""
        recorder = make()
        drive(recorder).finish()

        assert (recorder.first_chunk_at, recorder.last_chunk_at) == (None, None)
        assert recorder.gaps.quantiles() is None


class TestCounts:
    def test_chunks_and_characters(self, make: Make, drive: Make) -> None:
        """Chunks and the characters of all choices' text are exact (S3-5, S4-2)."""
        recorder = make()
        for chunk in ("tea", None, Text("日本", 1), Reasoning("hm"), ["a", Text("b", 2)], ""):
            drive(recorder).chunk(chunk)

        assert (recorder.chunks, recorder.size) == (6, 7)

    def test_long_streams(self, make: Make, drive: Make) -> None:
        """They stay exact for a long stream."""
        recorder = make()
        for _ in range(5000):
            drive(recorder).chunk("tea", wait=0.0)

        assert (recorder.chunks, recorder.size) == (5000, 15000)

    def test_no_chunk(self, make: Make, drive: Make) -> None:
        """A ping is no chunk; its wait is carried to the next one."""
        recorder = make()
        drive(recorder).chunk("a", wait=1.0)
        drive(recorder).chunk(Skip(), wait=0.5)

        assert (recorder.chunks, recorder.take_carried()) == (1, 0.5)
        assert recorder.take_carried() == 0.0
        assert len(recorder.gaps) == 0

    def test_ping_first(self, make: Make, drive: Make, clock: ScriptedClock) -> None:
        """The first chunk is the first that counts."""
        recorder = make()
        drive(recorder).chunk(Skip(), wait=1.0)
        drive(recorder).chunk("a", wait=1.0)

        assert recorder.first_chunk_at == clock()

    def test_usage_is_cumulative(self, make: Make, drive: Make, heard: Any) -> None:
        """A later count replaces an earlier one; what it leaves out stays."""
        recorder = make()
        drive(recorder).chunk(Usage(input=10, output=1, cache_read=4, final=False))
        drive(recorder).chunk(Usage(output=5))
        drive(recorder).chunk(Usage(output=9))

        assert recorder.tally.usage == Usage(10, 9, 4)
        assert [told[1].output for told in heard.told] == [1, 5, 9]

    def test_reader_that_fails(self, make: Make, drive: Make, lenient: None) -> None:
        """A chunk that cannot be read counts as one that adds nothing."""
        recorder = make()
        drive(recorder).chunk("a")
        recorder._reader = None
        drive(recorder).chunk("b")

        assert (recorder.chunks, recorder.size) == (2, 1)

    @pytest.mark.parametrize("found", [5, b"bytes", {"a": 1}, [object()], object()])
    def test_reader_that_answers_nonsense(
        self, found: Any, make: Make, drive: Make, lenient: None
    ) -> None:
        """So does one of which the reader says what it must not."""
        recorder = make()
        drive(recorder).chunk(found)
        drive(recorder).finish()

        assert (recorder.chunks, recorder.outcome) == (1, Outcome.COMPLETED)
