"""The instruments, and what one finished call records on them.

Names, units and buckets: `semconv.py`. Attributes are the convention's few and nothing else: no id,
no text, nothing that grows with the number of calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from otel_stream import semconv
from otel_stream.bulk import record_many
from otel_stream.outcome import Outcome

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.metrics import Meter

    from otel_stream.recorder import Recorder

__all__ = ["Instruments", "Labels"]

Labels = dict[str, Any]


class Instruments:
    """All instruments of one meter.

    Args:
        meter: Where they live.
        names: `released` or `latest` names for what the convention defines.
    """

    def __init__(self, meter: Meter, names: str = "released") -> None:
        self.meter = meter
        latest = names == "latest"
        official = semconv.LATEST if latest else semconv.RELEASED

        def histogram(name: str, unit: str, about: str, buckets: Sequence[float]) -> Any:
            return meter.create_histogram(
                name, unit, about, explicit_bucket_boundaries_advisory=list(buckets)
            )

        seconds = semconv.DURATION_BUCKETS
        self.duration = histogram(official["duration"], "s", "Duration of a call", seconds)
        self.first_chunk = histogram(
            official["time_to_first_chunk"], "s", "Call to first chunk", seconds
        )
        self.per_chunk = histogram(
            official["time_per_output_chunk"],
            "s",
            "Wait for the provider, for each chunk after the first",
            semconv.CHUNK_BUCKETS,
        )
        tokens = [official[n] for n in ("input_tokens", "output_tokens") if n in official]
        tokens = tokens or [official["token_usage"]]
        self.tokens = [
            histogram(name, "{token}", "Tokens used", semconv.TOKEN_BUCKETS) for name in tokens
        ]
        self.first_token = histogram(
            semconv.METRIC_TIME_TO_FIRST_TOKEN, "s", "Call to first non-empty delta", seconds
        )
        self.first_text = histogram(
            semconv.METRIC_TIME_TO_FIRST_TEXT, "s", "Call to first readable text", seconds
        )
        self.rate = histogram(
            semconv.METRIC_OUTPUT_TOKENS_PER_SECOND,
            "{token}/s",
            "Output tokens over the time from first to last chunk",
            semconv.RATE_BUCKETS,
        )
        self.streams = meter.create_counter(
            semconv.METRIC_STREAMS, "{stream}", "Streams ended, by outcome"
        )
        self.active = meter.create_up_down_counter(
            semconv.METRIC_STREAMS_ACTIVE, "{stream}", "Streams open now"
        )
        self.stalls = meter.create_counter(semconv.METRIC_STALLS, "{stall}", "Stalls")
        self.dropped = meter.create_counter(
            semconv.METRIC_EVENTS_DROPPED, "{event}", "Events that found no room, by reason"
        )

    def call(
        self,
        recorder: Recorder,
        labels: Labels,
        context: Context,
        *,
        error_type: str | None,
        official: bool,
    ) -> None:
        """What any call records, streamed or not. `official`: nobody else records these."""
        if not official:
            return
        failed = {**labels, semconv.ERROR_TYPE: error_type} if error_type else labels
        self.duration.record(recorder.ended_at - recorder.called, failed, context)
        usage = recorder.tally.usage
        if usage is None:
            return
        # A seed (Anthropic's `message_start`) says nothing about the output.
        output = usage.output if usage.final else None
        for index, (kind, count) in enumerate((("input", usage.input), ("output", output))):
            if count is None:
                continue
            if len(self.tokens) == 1:
                self.tokens[0].record(count, {**labels, semconv.TOKEN_TYPE: kind}, context)
            else:
                self.tokens[index].record(count, labels, context)

    def stream(
        self,
        recorder: Recorder,
        labels: Labels,
        context: Context,
        *,
        rate: float | None,
        official: bool,
    ) -> None:
        """What a stream records beside that."""
        called, tally = recorder.called, recorder.tally
        if official and recorder.first_chunk_at is not None:
            self.first_chunk.record(recorder.first_chunk_at - called, labels, context)
        if tally.first_token_at is not None:
            self.first_token.record(tally.first_token_at - called, labels, context)
        if tally.first_text_at is not None:
            self.first_text.record(tally.first_text_at - called, labels, context)
        if rate is not None:
            self.rate.record(rate, labels, context)
        outcome = recorder.outcome or Outcome.ABANDONED
        self.streams.add(1, {**labels, semconv.OUTCOME: outcome.value}, context)
        if recorder.moments.dropped:
            self.dropped.add(
                recorder.moments.dropped, {**labels, semconv.DROP_REASON: "budget"}, context
            )

    def gaps(self, waits: Sequence[float], labels: Labels, context: Context) -> None:
        """A batch of waits, one count for each."""
        record_many(self.per_chunk, waits, labels, context)
