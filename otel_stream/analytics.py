"""Live analytics: the streams that are open and the last that ended, and what held each one up.

Everything is known already where a stream ends; here it is kept, in fixed memory, and put together
when somebody asks.
"""

from __future__ import annotations

from collections import Counter, deque
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from otel_stream import semconv
from otel_stream.fork import call_in_child
from otel_stream.record.recorder import Recorder
from otel_stream.span import attributes_of
from otel_stream.watcher import watcher

if TYPE_CHECKING:
    from otel_stream.delivery.streams import Charge
    from otel_stream.delivery.turn import Turn

__all__ = ["Analytics", "Call", "analytics", "get_streaming_analytics"]

_KEPT = 500
_TIMES = ("queue", "provider", "consumer", "delivery")
_ACTUAL = {
    "first_token": semconv.TIME_TO_FIRST_TOKEN,
    "first_text": semconv.TIME_TO_FIRST_TEXT,
}
_QUALITY = {
    "outcome": semconv.OUTCOME,
    "partial": semconv.PARTIAL,
    "stalls": semconv.STALL_COUNT,
    "stall_time": semconv.STALL_DURATION,
    "gap_p95": semconv.GAP_P95,
    "gap_max": semconv.GAP_MAX,
    "tokens_per_second": semconv.OUTPUT_TOKENS_PER_SECOND,
}


@runtime_checkable
class Call(Protocol):
    """A call that streams: what its trace says of it."""

    turn: Turn | None
    """The turn that it belongs to."""
    charge: Charge | None
    """What sending that turn's messages has cost it."""

    def identity(self) -> dict[str, Any]:
        """Its ids, and what it asks whom."""
        ...


class _Stream:
    """One stream: who it is, and what its span says of it."""

    __slots__ = ("attributes", "charge", "duration", "identity", "turn")

    def __init__(self, trace: Call, attributes: dict[str, Any], duration: float) -> None:
        self.identity = trace.identity()
        self.attributes = attributes
        self.duration = duration
        self.turn = trace.turn
        self.charge = trace.charge

    def shown(self, *, active: bool) -> dict[str, Any]:
        """The entry of this stream."""
        times = self._times()
        get = self.attributes.get
        quality = {name: get(attribute) for name, attribute in _QUALITY.items()}
        if active:
            quality.update(outcome=None, partial=None)
        actual = {name: get(attribute) for name, attribute in _ACTUAL.items()}
        return {
            **self.identity,
            "active": active,
            "chunks": get(semconv.CHUNK_COUNT, 0),
            "characters": get(semconv.CONTENT_SIZE, 0),
            "times": times,
            "bottleneck": _largest(times),
            "quality": quality,
            "actual": {**actual, "complete": None if active else self.duration},
            "perceived": None if self.turn is None else self.turn.perceived.times(),
        }

    def _times(self) -> dict[str, float | None]:
        """Where the time went (s). What its loop spent on sending is no time of the consumer."""
        consumer = self.attributes.get(semconv.CONSUMER_TIME, 0.0)
        turn, charge = self.turn, self.charge
        return {
            "queue": None if turn is None else turn.queue_wait or 0.0,
            "provider": self.attributes.get(semconv.PROVIDER_WAIT, 0.0),
            "consumer": consumer if charge is None else max(0.0, consumer - charge.in_loop),
            "delivery": None if charge is None else charge.time,
        }


def _largest(times: dict[str, float | None]) -> str | None:
    known = {name: seconds for name in _TIMES if (seconds := times[name])}
    return max(known, key=lambda name: known[name]) if known else None


class Analytics:
    """The last streams that ended, and counts of all.

    Args:
        size: Streams kept. One takes about 1 kB.
    """

    def __init__(self, size: int = _KEPT) -> None:
        self._size = size
        self._start_anew()
        call_in_child(self._start_anew)

    def ended(self, trace: Call, attributes: dict[str, Any], duration: float) -> None:
        """A stream has ended."""
        stream = _Stream(trace, attributes, duration)
        with self._lock:
            self._last.append(stream)
            self._outcomes[str(attributes.get(semconv.OUTCOME))] += 1

    def report(self) -> dict[str, Any]:
        """See `get_streaming_analytics`."""
        with self._lock:
            last, outcomes = list(self._last), dict(self._outcomes)
        finished = [stream.shown(active=False) for stream in last]
        open_now = [_open(recorder) for recorder in watcher.open if isinstance(recorder, Recorder)]
        turns = {id(stream.turn): stream.turn for stream in last if stream.turn is not None}
        return {
            "active": [stream for stream in open_now if stream is not None],
            "finished": finished,
            "ended": sum(outcomes.values()),
            "outcomes": outcomes,
            "bottlenecks": dict(Counter(s["bottleneck"] for s in finished if s["bottleneck"])),
            "delivery": _delivery(list(turns.values())),
        }

    def _start_anew(self) -> None:
        self._last: deque[_Stream] = deque(maxlen=self._size)
        self._outcomes: Counter[str] = Counter()
        self._lock = Lock()


def _open(recorder: Recorder) -> dict[str, Any] | None:
    """The entry of an open stream; None for one that ends at this moment."""
    trace: object = recorder.listener
    if not isinstance(trace, Call):
        return None
    attributes = attributes_of(recorder, streamed=True)
    return _Stream(trace, attributes, recorder.clock() - recorder.called).shown(active=True)


def _delivery(turns: list[Turn]) -> dict[str, Any]:
    """Messages of the turns that these streams belong to, and what share of them was accepted."""
    messages = sum(turn.perceived.messages for turn in turns)
    accepted = sum(turn.perceived.accepted for turn in turns)
    share = accepted / messages if messages else None
    return {"turns": len(turns), "messages": messages, "accepted": accepted, "share": share}


analytics = Analytics()
"""The process's only one."""


def get_streaming_analytics() -> dict[str, Any]:
    """What is known of the streams of this process now. Times are seconds.

    Returns:
        `active` and `finished` (the last 500, newest last): a dictionary a stream, with `trace_id`,
        `span_id`, `operation`, `provider`, `model`, `chunks`, `characters`, and

        - `times`: where the time went: `queue`, `provider`, `consumer`, and `delivery` of messages
          that were sent while it was open, or later if it was its turn's last stream; None where
          the stream belongs to no turn. `bottleneck` is the largest of them.
        - `quality`: outcome, stalls, gaps, speed.
        - `actual`: first token, first text and completion, since the call.
        - `perceived`: first and last message accepted, since the person's own message came.

        `ended` and `outcomes` count all streams since the process began; `bottlenecks` and
        `delivery` (turns, messages, accepted, share) are about those in `finished`.
    """
    return analytics.report()
