"""A stream in one dictionary, for logs, callbacks and people."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from otel_stream.outcome import Outcome

if TYPE_CHECKING:
    from otel_stream.record.recorder import Recorder

__all__ = ["summary_of"]


def summary_of(recorder: Recorder, wall: Callable[[float], int]) -> dict[str, Any]:
    """The figures of a stream, open or ended.

    `status` is `completed` or `incomplete`, or `no_streaming_data` alone before anything came.
    Times are Unix seconds, durations milliseconds counted from the call, lengths characters.
    """
    tally = recorder.tally
    if not recorder.chunks and tally.first_token_at is None and not recorder.ended:
        return {"status": "no_streaming_data"}

    def unix(at: float | None) -> float | None:
        return None if at is None else wall(at) / 1e9

    def since_call(at: float | None) -> float | None:
        return None if at is None else (at - recorder.called) * 1e3

    until = recorder.ended_at if recorder.ended else recorder.read_at
    first = tally.first_token_at
    whole = recorder.outcome is Outcome.COMPLETED
    return {
        "status": "completed" if whole else "incomplete",
        "outcome": recorder.outcome.value if recorder.outcome else None,
        "partial": not whole or tally.stopped_short,
        "first_token_time": unix(first),
        "final_token_time": unix(recorder.last_chunk_at),
        "first_token_latency_ms": since_call(first),
        "first_text_latency_ms": since_call(tally.first_text_at),
        "first_token_to_completion_ms": None if first is None else (until - first) * 1e3,
        "total_streaming_duration_ms": since_call(until),
        "provider_wait_ms": recorder.provider_wait * 1e3,
        "consumer_time_ms": recorder.consumer_time * 1e3,
        "total_chunks": recorder.chunks,
        "total_content_length": recorder.size,
        "events_captured": sum(1 for _ in recorder.moments.in_order()),
        "events_dropped": recorder.moments.dropped,
        "stalls": recorder.stalls.count,
        "input_tokens": tally.usage.input if tally.usage else None,
        "output_tokens": tally.usage.output if tally.usage else None,
        "finish_reasons": [tally.finish_reasons[c] for c in sorted(tally.finish_reasons)],
    }
