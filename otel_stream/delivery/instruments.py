"""The instruments of delivery. Labels are the channel and the status, and nothing else."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from opentelemetry.context import Context

from otel_stream import semconv
from otel_stream.delivery.status import Status
from otel_stream.fork import call_in_child

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter

__all__ = ["DeliveryInstruments", "instruments_of"]


class DeliveryInstruments:
    """All instruments of delivery of one meter."""

    def __init__(self, meter: Meter) -> None:
        def histogram(name: str, about: str, buckets: tuple[float, ...]) -> Any:
            return meter.create_histogram(
                name, "s", about, explicit_bucket_boundaries_advisory=list(buckets)
            )

        waits = semconv.DELIVERY_BUCKETS
        self._first = histogram(
            semconv.METRIC_DELIVERY_TIME_TO_FIRST_MESSAGE, "To the first message accepted", waits
        )
        self._last = histogram(
            semconv.METRIC_DELIVERY_TIME_TO_LAST_MESSAGE, "To the last message accepted", waits
        )
        self._latency = histogram(
            semconv.METRIC_DELIVERY_LATENCY, "From accepted to delivered or read", waits
        )
        self._queue_wait = histogram(
            semconv.METRIC_DELIVERY_QUEUE_WAIT, "Until a message was taken up", waits
        )
        self._duration = histogram(
            semconv.METRIC_MESSAGING_DURATION, "Duration of a send", semconv.MESSAGING_BUCKETS
        )
        self._messages = meter.create_counter(
            semconv.METRIC_DELIVERY_MESSAGES, "{message}", "Messages, by what became of them"
        )
        self._sent = meter.create_counter(
            semconv.METRIC_MESSAGING_SENT, "{message}", "Messages that were to be sent"
        )

    def message(
        self, system: str, duration: float, error_type: str | None, context: Context
    ) -> None:
        """A send has ended, `duration` seconds after it began."""
        labels = {
            semconv.MESSAGING_SYSTEM: system,
            semconv.MESSAGING_OPERATION_NAME: "send",
            semconv.MESSAGING_OPERATION_TYPE: "send",
        }
        if error_type is not None:
            labels[semconv.ERROR_TYPE] = error_type
        self._duration.record(duration, labels, context)
        self._sent.add(1, labels, context)
        status = Status.ACCEPTED if error_type is None else Status.FAILED
        self.status(system, status, None, context)

    def status(self, system: str, status: Status, latency: float | None, context: Context) -> None:
        """A message has come so far, `latency` seconds after it was accepted."""
        labels = {semconv.MESSAGING_SYSTEM: system, semconv.DELIVERY_STATUS: status.value}
        self._messages.add(1, labels, context)
        if latency is not None and status in (Status.DELIVERED, Status.READ):
            self._latency.record(latency, labels, context)

    def first(self, system: str, elapsed: float, context: Context) -> None:
        """The first message of a turn was accepted."""
        self._first.record(elapsed, {semconv.MESSAGING_SYSTEM: system}, context)

    def last(self, system: str, elapsed: float, context: Context) -> None:
        """A turn is over, and its last message was accepted so long after its beginning."""
        self._last.record(elapsed, {semconv.MESSAGING_SYSTEM: system}, context)

    def queue_wait(self, system: str, waited: float, context: Context) -> None:
        """A turn has waited so long to be taken up."""
        self._queue_wait.record(waited, {semconv.MESSAGING_SYSTEM: system}, context)


class _Made:
    """The instruments of each meter."""

    def __init__(self) -> None:
        self._made: WeakKeyDictionary[Meter, DeliveryInstruments] = WeakKeyDictionary()
        self._unlock()
        call_in_child(self._unlock)

    def of(self, meter: Meter) -> DeliveryInstruments:
        found = self._made.get(meter)
        if found is not None:
            return found
        with self._making:
            found = self._made.get(meter)
            if found is None:
                found = self._made[meter] = DeliveryInstruments(meter)
            return found

    def _unlock(self) -> None:
        self._making = Lock()


_made = _Made()


def instruments_of(meter: Meter) -> DeliveryInstruments:
    """The instruments of this meter, made once."""
    return _made.of(meter)
