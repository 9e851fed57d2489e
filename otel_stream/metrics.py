"""The instruments, and what one finished call records on them.

Names, units and buckets: `semconv.py`. Attributes are the convention's few and nothing else: no id,
no text, nothing that grows with the number of calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from otel_stream import semconv
from otel_stream.active import Active
from otel_stream.bulk import Batch, fast
from otel_stream.outcome import Outcome
from otel_stream.prepared import Prepared

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter

    from otel_stream.record.recorder import Recorder

__all__ = ["Instruments", "prepared"]


@lru_cache(maxsize=1024)
def _prepared(*labels: tuple[str, Any]) -> Prepared:
    return Prepared(dict(labels))


def prepared(labels: dict[str, Any]) -> Prepared:
    """The labels ready for the SDK. There are few sets of them, and hashing takes the longest."""
    return _prepared(*labels.items())


_active: WeakKeyDictionary[Meter, Active] = WeakKeyDictionary()
_making = Lock()


def _active_of(meter: Meter) -> Active:
    """One a meter: asked again, the SDK gives the instrument that exists and drops the callback."""
    with _making:
        active = _active.get(meter)
        if active is None:
            active = _active[meter] = Active()
            meter.create_observable_up_down_counter(
                semconv.METRIC_STREAMS_ACTIVE, [active.observe], "{stream}", "Streams open now"
            )
        return active


class Instruments:
    """All instruments of one meter.

    Args:
        meter: Where they live.
        names: `released` or `latest` names for what the convention defines.
    """

    def __init__(self, meter: Meter, names: str = "released") -> None:
        self.meter = meter
        if type(meter).__module__.startswith("opentelemetry.sdk."):
            fast()  # Settled now, not at the end of the first stream: it takes a millisecond.
        self._of_the_convention(semconv.LATEST if names == "latest" else semconv.RELEASED)
        self._of_our_own()

    def _of_the_convention(self, names: dict[str, str]) -> None:
        seconds = semconv.DURATION_BUCKETS
        self.duration = self._histogram(names["duration"], "s", "Duration of a call", seconds)
        self.first_chunk = self._histogram(
            names["time_to_first_chunk"], "s", "Call to first chunk", seconds
        )
        self.per_chunk = self._histogram(
            names["time_per_output_chunk"],
            "s",
            "Wait for the provider, for each chunk after the first",
            semconv.CHUNK_BUCKETS,
        )
        kinds = ("token_usage",) if "token_usage" in names else ("input_tokens", "output_tokens")
        self.tokens = [
            self._histogram(names[kind], "{token}", "Tokens used", semconv.TOKEN_BUCKETS)
            for kind in kinds
        ]

    def _of_our_own(self) -> None:
        seconds, meter = semconv.DURATION_BUCKETS, self.meter
        self.first_token = self._histogram(
            semconv.METRIC_TIME_TO_FIRST_TOKEN, "s", "Call to first non-empty delta", seconds
        )
        self.first_text = self._histogram(
            semconv.METRIC_TIME_TO_FIRST_TEXT, "s", "Call to first readable text", seconds
        )
        self.rate = self._histogram(
            semconv.METRIC_OUTPUT_TOKENS_PER_SECOND,
            "{token}/s",
            "Output tokens over the time from first to last chunk",
            semconv.RATE_BUCKETS,
        )
        self.streams = meter.create_counter(
            semconv.METRIC_STREAMS, "{stream}", "Streams ended, by outcome"
        )
        self.active = _active_of(meter)
        self.stalls = meter.create_counter(semconv.METRIC_STALLS, "{stall}", "Stalls")
        self.dropped = meter.create_counter(
            semconv.METRIC_EVENTS_DROPPED, "{event}", "Events that found no room, by reason"
        )

    def _histogram(self, name: str, unit: str, about: str, buckets: Sequence[float]) -> Any:
        return self.meter.create_histogram(
            name, unit, about, explicit_bucket_boundaries_advisory=list(buckets)
        )

    def call(
        self,
        batch: Batch,
        recorder: Recorder,
        labels: Prepared,
        *,
        error_type: str | None,
        official: bool,
    ) -> None:
        """What any call records, streamed or not. `official`: nobody else records these."""
        if not official:
            return
        failed = labels.plus(semconv.ERROR_TYPE, error_type) if error_type else labels
        batch.record(self.duration, recorder.ended_at - recorder.called, failed)
        usage = recorder.tally.usage
        if usage is None:
            return
        # A seed (Anthropic's `message_start`) says nothing about the output.
        output = usage.output if usage.final else None
        for index, (kind, count) in enumerate((("input", usage.input), ("output", output))):
            if count is None:
                continue
            if len(self.tokens) == 1:
                batch.record(self.tokens[0], count, labels.plus(semconv.TOKEN_TYPE, kind))
            else:
                batch.record(self.tokens[index], count, labels)

    def stream(
        self,
        batch: Batch,
        recorder: Recorder,
        labels: Prepared,
        *,
        rate: float | None,
        official: bool,
    ) -> None:
        """What a stream records beside that."""
        called, tally = recorder.called, recorder.tally
        if official and recorder.first_chunk_at is not None:
            batch.record(self.first_chunk, recorder.first_chunk_at - called, labels)
        if tally.first_token_at is not None:
            batch.record(self.first_token, tally.first_token_at - called, labels)
        if tally.first_text_at is not None:
            batch.record(self.first_text, tally.first_text_at - called, labels)
        if rate is not None:
            batch.record(self.rate, rate, labels)
        outcome = recorder.outcome or Outcome.ABANDONED
        batch.add(self.streams, 1, labels.plus(semconv.OUTCOME, outcome.value))
        if recorder.moments.dropped:
            why = labels.plus(semconv.DROP_REASON, "budget")
            batch.add(self.dropped, recorder.moments.dropped, why)

    def gaps(self, batch: Batch, waits: Sequence[float], labels: Prepared) -> None:
        """A batch of waits, one count for each."""
        batch.record_many(self.per_chunk, waits, labels)

    def stalled(self, batch: Batch, labels: Prepared) -> None:
        """A wait has become a stall."""
        batch.add(self.stalls, 1, labels)
