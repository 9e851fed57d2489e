"""One call, one span: its attributes, its events and its metrics."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import Span

from otel_stream import callbacks, semconv, span
from otel_stream.analytics import analytics
from otel_stream.attributes import sound
from otel_stream.bulk import Batch
from otel_stream.call import CallInfo, Content
from otel_stream.content import BEYOND, as_json, bounded, output_messages
from otel_stream.delta import Delta, Reader, Usage
from otel_stream.errors import guard
from otel_stream.metrics import prepared
from otel_stream.outcome import Outcome
from otel_stream.owner import Owned
from otel_stream.prepared import Prepared
from otel_stream.record.capture import Capture
from otel_stream.record.recorder import Recorder
from otel_stream.runtime import ATTRIBUTES, TURN, Runtime
from otel_stream.summary import summary_of
from otel_stream.watcher import watcher

__all__ = ["Trace"]


class Trace:
    """One call's telemetry: starts the span, listens to the recorder, writes it all at the end.

    Args:
        runtime: Settings, providers and callbacks.
        info: What the call asks for.
        reader: Reads its chunks.
        own_callbacks: Told of this stream beside the runtime's.
        clock: Monotonic seconds.
        began: When it began, by that clock and in ns since the epoch; now, if not given.
    """

    def __init__(
        self,
        runtime: Runtime,
        info: CallInfo,
        reader: Reader,
        *,
        own_callbacks: callbacks.Callbacks | None = None,
        clock: Any = time.perf_counter,
        began: tuple[float, int] | None = None,
    ) -> None:
        self._runtime = runtime
        self._info = info
        given = (runtime.callbacks, own_callbacks)
        self._callbacks = [each for each in given if each is not None]
        self._wall = time.time_ns() if began is None else began[1]
        self._instruments = runtime.instruments
        self.recorder = Recorder(
            reader,
            self,
            limits=runtime.limits,
            capture=self._capture(),
            wants_deltas=self._hears("on_delta"),
            clock=clock,
        )
        if began is not None:
            recorder = self.recorder
            recorder.called = recorder.reading_since = recorder.read_at = began[0]
        self.owned = Owned(runtime.tracer, info, self._wall)
        self._labels = prepared(info.labels())
        self.turn: Any = otel_context.get_value(TURN)
        self.charge: Any = None
        self._begin()

    @property
    def span(self) -> Span:
        """The span that is written on."""
        return self.owned.span

    @property
    def context(self) -> Context:
        """A context in which that span is current."""
        return self.owned.context

    def wall(self, at: float) -> int:
        """Seconds of the recorder's clock as ns since the epoch; the wall clock is read once."""
        return self._wall + round((at - self.recorder.called) * 1e9)

    def summary(self) -> dict[str, Any]:
        """What is known so far, in the form of `get_streaming_summary`."""
        return summary_of(self.recorder, self.wall)

    def whole(self) -> None:
        """The answer comes in one piece after all, and nothing of a stream is told of it."""
        if self._info.streamed and not self.recorder.ended:
            self._info.streamed = False
            watcher.remove(self.recorder)
            self._instruments.active.change(self._labels, -1)
            if self.owned.ours:
                self.span.set_attribute(semconv.REQUEST_STREAM, False)

    def drop(self, outcome: Outcome) -> None:
        """Whoever told of this stream is gone."""
        watcher.soon(lambda: self.recorder.drop(outcome))

    # --- Listener ----------------------------------------------------------------------------

    def first_token(self, recorder: Recorder) -> None:
        if self._hears("on_first_token"):
            elapsed = (recorder.tally.first_token_at or recorder.called) - recorder.called
            self._tell("on_first_token", callbacks.StreamFirstToken(self._stream(), elapsed))

    def delta(self, recorder: Recorder, delta: str | Delta) -> None:
        self._tell("on_delta", callbacks.StreamDelta(self._stream(), delta))

    def stalled(self, recorder: Recorder, since: float) -> None:
        with guard("reporting a stall"):
            self._instruments.stalled(Batch(self.context), self._answered())
            self._tell("on_stall", callbacks.StreamStalled(self._stream(), since - recorder.called))

    def usage(self, recorder: Recorder, usage: Usage) -> None:
        if self._hears("on_usage"):
            self._tell("on_usage", callbacks.StreamUsage(self._stream(), usage))

    def gaps(self, recorder: Recorder, waits: Sequence[float]) -> None:
        with guard("recording gaps"):
            if self.owned.official and self._info.streamed:
                self._instruments.gaps(Batch(self.context), waits, self._answered())

    def ended(self, recorder: Recorder) -> None:
        with guard("writing the span of a call"):
            watcher.remove(recorder)
            with guard("writing a span"):
                self._write_span()
            with guard("ending a span"):
                self.owned.end(self.wall(recorder.ended_at))
            with guard("recording metrics"):
                self._record_metrics()
            self._tell_end()
            self._runtime.ended(id(self))
        with guard("letting a turn go"):
            if self.turn is not None:
                self.turn.streams.ended(recorder)
                self.turn.release()

    # --- the beginning -----------------------------------------------------------------------

    def _begin(self) -> None:
        # The span has begun: nothing that fails here may keep it from being ended.
        self._runtime.begun(id(self))
        with guard("beginning a stream"):
            if self.turn is not None:
                self.turn.hold(works=True)
                self.charge = self.turn.streams.began(self.recorder)
            given = otel_context.get_value(ATTRIBUTES)
            if given and self.span.is_recording():
                self.span.set_attributes(sound(given))  # type: ignore[arg-type]
            if self._info.streamed:
                watcher.add(self.recorder)
            if self._hears("on_start"):
                self._tell("on_start", callbacks.StreamStarted(self._stream()))
        if self._info.streamed:
            self._instruments.active.change(self._labels, 1)

    def _capture(self) -> Capture | None:
        limit = self._runtime.settings.content_limit
        return Capture(limit + BEYOND) if self._runtime.captures else None

    def identity(self) -> dict[str, Any]:
        """Which call this is; ids as lower-case hex."""
        ids, info = self.span.get_span_context(), self._info
        return {
            "trace_id": f"{ids.trace_id:032x}",
            "span_id": f"{ids.span_id:016x}",
            "operation": info.operation,
            "provider": info.provider,
            "model": info.model,
        }

    def _stream(self) -> callbacks.StreamInfo:
        return callbacks.StreamInfo(**self.identity())

    def _hears(self, name: str) -> bool:
        return any(getattr(each, name) is not None for each in self._callbacks)

    def _tell(self, name: str, event: Any) -> None:
        for each in self._callbacks:
            self._runtime.dispatcher.call(getattr(each, name), event)

    def _answered(self) -> Prepared:
        model = self.recorder.tally.response_model
        return self._labels.plus(semconv.RESPONSE_MODEL, model) if model else self._labels

    # --- the end -----------------------------------------------------------------------------

    def _write_span(self) -> None:
        recorder, written = self.recorder, self.owned.span
        streamed, recording = self._info.streamed, written.is_recording()
        attributes = span.attributes_of(recorder, streamed=streamed)
        if recording:
            written.set_attributes(attributes)
            span.set_status(written, recorder)
        if streamed:
            with guard("keeping a stream for analytics"):
                analytics.ended(self, attributes, recorder.ended_at - recorder.called)
        self._write_events(recording)
        self._write_content(recording)

    def _write_events(self, recording: bool) -> None:
        mode, recorder = self._runtime.settings.events, self.recorder
        on_span, on_log = recording and mode in ("span", "both"), mode in ("log", "both")
        if not on_span and not on_log:
            return
        events = span.events_of(recorder, self.wall) if self._info.streamed else []
        if recorder.error is not None and recorder.outcome is Outcome.ERROR:
            events.append(span.exception_event(recorder.error, self.wall(recorder.ended_at)))
        for name, attributes, at in events if on_span else ():
            self.owned.span.add_event(name, attributes, at)
        if on_log:
            self._runtime.emit(events, self.context)

    def _write_content(self, recording: bool) -> None:
        if not self._runtime.captures:
            return
        content, truncated = self._content()
        where = self._runtime.settings.capture_content
        if recording and where in ("span", "both"):
            texts = {name: as_json(value) for name, value in content.items()}
            self.span.set_attributes({**texts, **truncated})
        if where in ("event", "both"):
            details = {**self._info.span_attributes(), **content, **truncated}
            at = self.wall(self.recorder.ended_at)
            self._runtime.emit([(semconv.OPERATION_DETAILS_EVENT, details, at)], self.context)

    def _content(self) -> tuple[Content, dict[str, bool]]:
        """Input and output, each within its own bound; what redaction fails on is left out."""
        settings, tally = self._runtime.settings, self.recorder.tally
        asked: Content = {}
        with guard("reading the request's content"):
            asked = self._info.content() if self._info.content is not None else {}
        answered: Content = {}
        capture = tally.capture
        if capture is not None and capture.choices:
            reasons, outcome = tally.finish_reasons, self.recorder.outcome
            answered[semconv.OUTPUT_MESSAGES] = output_messages(capture, reasons, outcome)
        found: Content = {}
        cut = capture is not None and capture.truncated
        for content in (asked, answered):
            kept = bounded(content, settings.content_limit, settings.redact) if content else None
            if kept is not None:
                found.update(kept[0])
                cut = cut or kept[1]
        return found, {semconv.CONTENT_TRUNCATED: True} if cut else {}

    def _record_metrics(self) -> None:
        recorder, instruments, labels = self.recorder, self._instruments, self._answered()
        if self._info.streamed:
            instruments.active.change(self._labels, -1)
        batch, official = Batch(self.context), self.owned.official
        error_type = span.error_type_of(recorder)
        instruments.call(batch, recorder, labels, error_type=error_type, official=official)
        if not self._info.streamed:
            return
        rate = span.tokens_per_second(recorder)
        instruments.stream(batch, recorder, labels, rate=rate, official=official)
        if official:
            instruments.gaps(batch, recorder.gaps.batch, labels)

    def _tell_end(self) -> None:
        recorder, tally = self.recorder, self.recorder.tally
        outcome = recorder.outcome or Outcome.ABANDONED
        name = "on_error" if outcome.failed else "on_complete"
        if not self._hears(name):
            return
        told = (self._stream(), outcome.value)
        if outcome.failed:
            error_type = span.error_type_of(recorder)
            self._tell(name, callbacks.StreamFailed(*told, error_type, self.summary()))
        else:
            text = tally.capture.whole_text() if tally.capture is not None else None
            end = callbacks.StreamCompleted(*told, self.summary(), tally.usage, text)
            self._tell(name, end)
