"""A finished recorder, written on its span: truth on attributes, a few moments as events."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from opentelemetry.trace import Span, Status, StatusCode

from otel_stream import semconv
from otel_stream.attributes import encodable, sound
from otel_stream.delta import Usage
from otel_stream.errors import guard
from otel_stream.outcome import Outcome
from otel_stream.redaction import LONGEST, scrub

if TYPE_CHECKING:
    from otel_stream.record.recorder import Recorder

__all__ = [
    "Event",
    "attributes_of",
    "class_name",
    "error_type_of",
    "events_of",
    "set_status",
    "tokens_per_second",
]

Attributes = dict[str, Any]
Event = tuple[str, Attributes, int]
"""Name, attributes, time (ns since the epoch)."""

_END_EVENT = {
    Outcome.COMPLETED: semconv.EVENT_COMPLETE,
    Outcome.TRUNCATED: semconv.EVENT_ERROR,
    Outcome.ERROR: semconv.EVENT_ERROR,
}
_LONGEST_CODE = 256
_USAGE = (
    ("input", semconv.USAGE_INPUT_TOKENS),
    ("output", semconv.USAGE_OUTPUT_TOKENS),
    ("cache_read", semconv.USAGE_CACHE_READ),
    ("cache_creation", semconv.USAGE_CACHE_CREATION),
    ("reasoning", semconv.USAGE_REASONING),
)


def class_name(error: BaseException) -> str:
    """The qualified name of an exception's class, a built-in one's without its module."""
    kind = type(error)
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def error_type_of(recorder: Recorder) -> str | None:
    """`error.type`: the provider's code, else the exception's class, `truncated`, or none."""
    if recorder.outcome is Outcome.TRUNCATED:
        return Outcome.TRUNCATED.value
    if recorder.outcome is not Outcome.ERROR:
        return None
    if recorder.tally.failure is not None:
        return encodable(recorder.tally.failure.code[:_LONGEST_CODE])
    return class_name(recorder.error) if recorder.error is not None else "_OTHER"


def tokens_per_second(recorder: Recorder) -> float | None:
    """Output tokens over the time from first to last chunk; None for one chunk or unsure counts."""
    usage, first, last = recorder.tally.usage, recorder.first_chunk_at, recorder.last_chunk_at
    if usage is None or not usage.final or not usage.output or first is None or last is None:
        return None
    return usage.output / (last - first) if recorder.chunks > 1 and last > first else None


def attributes_of(recorder: Recorder, *, streamed: bool) -> Attributes:
    """Everything that is known of the answer, content apart."""
    found = sound(_response(recorder))
    if recorder.tally.usage is not None:
        found.update(_usage(recorder.tally.usage))
    if streamed:
        found.update(_times(recorder))
        found.update(_stream(recorder))
    error_type = error_type_of(recorder)
    if error_type is not None:
        found[semconv.ERROR_TYPE] = error_type
    return found


def _response(recorder: Recorder) -> Attributes:
    tally = recorder.tally
    found = dict(tally.attributes)
    if tally.response_id:
        found[semconv.RESPONSE_ID] = tally.response_id
    if tally.response_model:
        found[semconv.RESPONSE_MODEL] = tally.response_model
    reasons = [tally.finish_reasons[choice] for choice in sorted(tally.finish_reasons)]
    failed = recorder.outcome is not None and recorder.outcome.failed
    if reasons or failed:
        found[semconv.RESPONSE_FINISH_REASONS] = reasons or ["error"]
    return found


def _usage(usage: Usage) -> Attributes:
    found: Attributes = {
        name: count for field, name in _USAGE if (count := getattr(usage, field)) is not None
    }
    if found:
        found[semconv.USAGE_SOURCE] = "provider" if usage.final else "partial"
    return found


def _times(recorder: Recorder) -> Attributes:
    tally, called = recorder.tally, recorder.called
    moments = (
        (semconv.TIME_TO_HEADERS, recorder.headers_at),
        (semconv.RESPONSE_TIME_TO_FIRST_CHUNK, recorder.first_chunk_at),
        (semconv.TIME_TO_FIRST_TOKEN, tally.first_token_at),
        (semconv.TIME_TO_FIRST_TEXT, tally.first_text_at),
        (semconv.TIME_TO_FIRST_REASONING, tally.first_reasoning_at),
        (semconv.TIME_TO_FIRST_TOOL_CALL, tally.first_tool_at),
    )
    return {name: at - called for name, at in moments if at is not None}


def _stream(recorder: Recorder) -> Attributes:
    outcome = recorder.outcome or Outcome.ABANDONED
    found: Attributes = {
        semconv.OUTCOME: outcome.value,
        semconv.PARTIAL: outcome is not Outcome.COMPLETED or recorder.tally.stopped_short,
        semconv.CHUNK_COUNT: recorder.chunks,
        semconv.CONTENT_SIZE: recorder.size,
        semconv.PROVIDER_WAIT: recorder.provider_wait,
        semconv.CONSUMER_TIME: recorder.consumer_time,
        semconv.STALL_COUNT: recorder.stalls.count,
        semconv.STALL_DURATION: recorder.stalls.time,
    }
    quantiles = recorder.gaps.quantiles()
    if quantiles is not None:
        names = (semconv.GAP_P50, semconv.GAP_P95, semconv.GAP_MAX)
        found.update(zip(names, quantiles, strict=True))
    rate = tokens_per_second(recorder)
    if rate is not None:
        found[semconv.OUTPUT_TOKENS_PER_SECOND] = rate
    if recorder.moments.dropped:
        found[semconv.EVENTS_DROPPED] = recorder.moments.dropped
    return found


def events_of(recorder: Recorder, wall: Callable[[float], int]) -> list[Event]:
    """The stream's events in order. `wall` turns the recorder's seconds into ns since the epoch."""
    called = recorder.called
    events = [
        (name, {semconv.ELAPSED: at - called, **attributes}, wall(at))
        for name, at, attributes in recorder.moments.in_order()
    ]
    outcome = recorder.outcome or Outcome.ABANDONED
    end = recorder.ended_at
    events.append(
        (
            _END_EVENT.get(outcome, semconv.EVENT_INTERRUPTED),
            {semconv.ELAPSED: end - called, semconv.OUTCOME: outcome.value},
            wall(end),
        )
    )
    return events


def exception_event(error: BaseException, at: int) -> Event:
    """The convention's `exception` event, keys and tokens scrubbed from its texts."""
    return (
        semconv.EXCEPTION_EVENT,
        {
            semconv.EXCEPTION_TYPE: class_name(error),
            semconv.EXCEPTION_MESSAGE: scrub(_text_of(error)),
            semconv.EXCEPTION_STACKTRACE: scrub(_stack_of(error)),
        },
        at,
    )


def _text_of(error: BaseException) -> str:
    with guard("reading an exception's text"):
        return str(error)
    return ""


def _stack_of(error: BaseException) -> str:
    """The traceback's last lines: there stands what failed."""
    kept: list[str] = []
    left = LONGEST
    for line in reversed(traceback.format_exception(type(error), error, error.__traceback__)):
        left -= len(line)
        if left < 0 and kept:
            break
        kept.append(line)
    return "".join(reversed(kept))


def set_status(span: Span, recorder: Recorder) -> None:
    """ERROR for a failed outcome, with what is known of why; else the status stays unset."""
    if recorder.outcome is None or not recorder.outcome.failed:
        return
    if recorder.error is not None:
        why = _text_of(recorder.error)
    elif recorder.tally.failure is not None:
        why = recorder.tally.failure.message
    else:
        why = "the body ended before the provider said that the answer is whole"
    span.set_status(Status(StatusCode.ERROR, scrub(why)))
