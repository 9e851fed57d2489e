"""`StreamingTraceContext`: a streamed answer told by hand, where no instrumentor sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from math import inf, nextafter
from types import TracebackType
from typing import Any, Self

from opentelemetry.trace import Span

from otel_stream import interruption, runtime, semconv
from otel_stream.call import UNKNOWN, CallInfo
from otel_stream.callbacks import Callbacks, check
from otel_stream.delivery.identity import hidden, hidden_id, hidden_instance
from otel_stream.delta import Failure, Finish, Found, Response, Text, Usage
from otel_stream.errors import guard
from otel_stream.outcome import Outcome
from otel_stream.record.recorder import Recorder
from otel_stream.trace import Trace
from otel_stream.watcher import watcher

__all__ = ["StreamingTraceContext", "create_streaming_trace_context"]

_OPTIONS = ("operation", "provider", "model", "callbacks", "clock")


class _Told:
    """A reader for what is told by hand: deltas come ready made, and the end is said."""

    def read(self, chunk: Any) -> Found:
        return chunk  # type: ignore[no-any-return]

    def whole(self, done: bool) -> bool:
        return True

    def failure(self, error: BaseException) -> Failure | None:
        return None


class StreamingTraceContext:
    """One streamed answer, one span.

    Call the methods as the answer streams; the span ends with `log_streaming_complete`,
    `log_streaming_error`, the end of a `with` block, or when the context is dropped. Made inside a
    current span it starts a child, or works on that span when it is a GenAI client inference span
    still without usage; it never ends a span that it did not start. No method raises or blocks.

    The time between two calls counts as waiting for the provider: what happens between them is not
    known here. `trace_stream` knows, since it does the reading.
    """

    def __init__(
        self,
        *,
        operation: str = "chat",
        provider: str = UNKNOWN,
        model: str | None = None,
        attributes: Mapping[str, Any] | None = None,
        callbacks: Callbacks | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._trace: Trace | None = None
        if runtime.is_suppressed():
            return
        own: Callbacks | None = None
        with guard("reading the callbacks of a context"):
            check(callbacks)
            own = callbacks
        with guard("starting a streaming trace context"):
            info = CallInfo(
                operation=operation,
                provider=provider,
                model=model,
                attributes=dict(attributes or {}),
            )
            self._trace = Trace(runtime.current(), info, _Told(), own_callbacks=own, clock=clock)
            _waits(self._trace.recorder)
            watcher.wake()

    @property
    def span(self) -> Span | None:
        """The span that is written on. None in a block of `suppress`, or if it failed to start."""
        return self._trace.span if self._trace is not None else None

    def log_streaming_start(self, stream_config: Mapping[str, Any] | None = None) -> None:
        """The stream was opened: its headers are there. Numbers of the config become attributes."""
        with guard("log_streaming_start"):
            trace = self._trace
            if trace is None or trace.recorder.ended:
                return
            recorder = trace.recorder
            if recorder.headers_at is None:
                recorder.headers_at = recorder.clock()
            trace.span.set_attributes(_plain(semconv.CONFIG_PREFIX, stream_config))

    def log_first_token(
        self, first_content: str, event_data: Mapping[str, Any] | None = None
    ) -> None:
        """The first non-empty delta is there. Only the first call counts, and it counts no chunk.

        Empty content is no token.
        """
        with guard("log_first_token"):
            trace = self._trace
            if trace is not None and first_content and not trace.recorder.ended:
                trace.recorder.tally.first_token(trace.recorder, trace.recorder.clock())

    def log_streaming_chunk(
        self,
        chunk_content: str,
        chunk_index: int | None = None,
        event_data: Mapping[str, Any] | None = None,
    ) -> None:
        """A chunk came. Its index is counted here; `chunk_index` is accepted for compatibility."""
        with guard("log_streaming_chunk"):
            if self._trace is not None:
                recorder = self._trace.recorder
                recorder.feed(_text(chunk_content), recorder.read_at, recorder.clock())
                _waits(recorder)

    def log_streaming_complete(
        self,
        final_content: str | None = None,
        completion_data: Mapping[str, Any] | None = None,
    ) -> None:
        """The answer is whole.

        Args:
            final_content: The whole text, if it was not told in chunks.
            completion_data: May hold id, model, finish_reason, input_tokens, output_tokens.
        """
        with guard("log_streaming_complete"):
            trace = self._trace
            if trace is None or trace.recorder.ended:
                return
            recorder = trace.recorder
            now = recorder.clock()
            if final_content and not recorder.size:
                recorder.feed(_text(final_content), recorder.read_at, now)
            if isinstance(completion_data, Mapping):
                recorder.tally.add(recorder, _completion(completion_data), now)
            recorder.end(Outcome.COMPLETED, now)

    def log_streaming_error(self, error: BaseException, error_stage: str = "streaming") -> None:
        """The stream failed, or was cancelled, with `error`. What came before is kept."""
        with guard("log_streaming_error"):
            trace = self._trace
            if trace is not None and not trace.recorder.ended:
                trace.recorder.tally.attributes[semconv.ERROR_STAGE] = str(error_stage)
                now = trace.recorder.clock()
                if not isinstance(error, BaseException):
                    error = RuntimeError(str(error))
                trace.recorder.end(interruption.of_error(error), now, error)

    def get_streaming_summary(self) -> dict[str, Any]:
        """The figures so far: see `otel_stream.summary.summary_of` for keys and units."""
        with guard("get_streaming_summary"):
            if self._trace is not None:
                return self._trace.summary()
        return {"status": "no_streaming_data"}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with guard("leaving a streaming trace context"):
            if self._trace is None:
                return
            recorder = self._trace.recorder
            if error is None:
                recorder.close(interruption.of_reader())
            else:  # The provider's or the program's: nobody can tell, and to hide it is worse.
                recorder.end(interruption.of_error(error), recorder.clock(), error)

    def __del__(self) -> None:
        trace = self.__dict__.get("_trace")
        if trace is not None and not trace.recorder.ended:
            outcome = interruption.of_reader(otherwise=Outcome.ABANDONED)
            trace.drop(outcome)


def create_streaming_trace_context(
    instance_name: str | None = None,
    whatsapp_message_id: str | None = None,
    sender_phone: str | None = None,
    sender_name: str | None = None,
    sender_jid: str | None = None,
    message_type: str = "text",
    **options: Any,
) -> StreamingTraceContext:
    """A context for the answer to one message of a person. Never raises, whatever span is current.

    Args:
        instance_name: The channel's instance that received the message.
        whatsapp_message_id: The message that is answered.
        sender_phone, sender_jid: Who wrote. Recorded as a keyed hash only.
        sender_name: Accepted and not recorded: a name is personal.
        message_type: `text`, `audio`, …
        options: As for `StreamingTraceContext`; others are accepted and not recorded.
    """
    found: dict[str, Any] = {}
    with guard("reading the arguments of create_streaming_trace_context"):
        sender = str(sender_phone or sender_jid or "")
        candidates = {
            semconv.CHANNEL_INSTANCE: hidden_instance(instance_name),
            semconv.MESSAGING_MESSAGE_ID: hidden_id(whatsapp_message_id, sender),
            semconv.CHANNEL_MESSAGE_TYPE: message_type if whatsapp_message_id else None,
            semconv.CHANNEL_SENDER: hidden(sender),
        }
        found = {name: str(value) for name, value in candidates.items() if value}
        found.update(options.get("attributes") or {})
    known = {name: options[name] for name in _OPTIONS if name in options}
    return StreamingTraceContext(**known, attributes=found)


def _waits(recorder: Recorder) -> None:
    """From one call to the next the provider is waited for, and the watcher sees how long."""
    recorder.reading_since = nextafter(recorder.read_at, inf)


def _completion(data: Mapping[str, Any]) -> list[Any]:
    texts = {n: str(v) for n in ("id", "model", "finish_reason") if (v := data.get(n))}
    counts = {n: v for n in ("input_tokens", "output_tokens") if type(v := data.get(n)) is int}
    found: list[Any] = [Response(texts.get("id"), texts.get("model"))]
    if "finish_reason" in texts:
        found.append(Finish(texts["finish_reason"]))
    if counts:
        found.append(Usage(counts.get("input_tokens"), counts.get("output_tokens")))
    return found


def _text(content: Any) -> Text:
    if isinstance(content, (bytes, bytearray)):
        content = content.decode("utf-8", "replace")
    return Text("" if content is None else str(content))


def _plain(prefix: str, values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Scalars only, and of texts only short ones: a config is no place for content."""
    return {
        f"{prefix}{name}": value
        for name, value in (values or {}).items()
        if isinstance(value, (bool, int, float))
    }
