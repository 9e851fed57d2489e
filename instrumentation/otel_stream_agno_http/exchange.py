"""One request that runs an agent: from its sending to the end of its answer."""

from __future__ import annotations

from collections.abc import Mapping

from otel_stream import interruption, semconv
from otel_stream.delta import Failure
from otel_stream.http import Exchange
from otel_stream.lag import FirstText
from otel_stream.outcome import Outcome
from otel_stream.raw import Fields, decoded
from otel_stream.runtime import Runtime
from otel_stream.watcher import watcher
from otel_stream_agno.events import is_known, name_of
from otel_stream_agno.outputs import deltas_of
from otel_stream_agno_http.event import WireEvent
from otel_stream_agno_http.redirect import expect, next_path
from otel_stream_agno_http.run import AskedRun
from otel_stream_agno_http.wire import WireParser

__all__ = ["RunExchange"]

_LARGEST = 16 * 1024 * 1024
"""Bytes of an answer in one piece that are kept."""

_STREAMS = ("event-stream", "ndjson", "jsonl", "json-seq")
_NOT_OVER = ("PENDING", "RUNNING")


class RunExchange(Exchange):
    """Tells the run of what comes over the wire, when it came to the application's read.

    What streams is told by its bytes. The content type speaks only where these say nothing: then
    what is said to be a stream has broken off, and anything else is an answer in one piece.

    Args:
        runtime: Settings and providers.
        run: Begun, perhaps by an earlier hop.
        path: Whereto it is asked for.
    """

    propagates = True

    def __init__(self, runtime: Runtime, run: AskedRun, path: str = "") -> None:
        self._runtime = runtime
        self._run = run
        self._path = path
        self._recorder = self._run.recorder
        self.context = self._run.context
        self._parser: WireParser | None = None
        self._body: list[bytes] = []
        self._size = 0
        self._waited = 0.0
        self._status = 0
        self._is_json = self._is_stream = False
        self._unread = self._was_read = False
        self._lag = FirstText.wanted()
        self._told = False

    def responded(self, status: int, headers: Mapping[str, str]) -> None:
        recorder = self._recorder
        recorder.headers_at = recorder.clock()
        self._status = status
        kind = headers.get("content-type", "").lower()
        self._is_json = "json" in kind
        path = next_path(status, headers, self._path)
        if path is not None:
            self.goes_on = True
            expect(self._run, status, path)
        elif status >= 300:
            recorder.tally.attributes[semconv.HTTP_STATUS_CODE] = status
            recorder.tally.failure = Failure(str(status), f"HTTP {status}")
        else:
            self._is_stream = any(word in kind for word in _STREAMS)
            self._parser = WireParser()

    def asks(self, now: float) -> None:
        recorder = self._recorder
        if recorder.ended:
            return
        recorder.resume()
        if recorder.first_read_at is None:
            recorder.first_read_at = now
        recorder.reading_since = now
        if self._lag is None and not self._told:
            self._lag = FirstText.wanted()

    def arrived(self, data: bytes, started: float, now: float) -> None:
        recorder = self._recorder
        if recorder.ended:
            return
        self._was_read = self._was_read or bool(data)
        self._unread = not self._was_read
        if not self._is_stream:
            self._keep(data)
        if self._parser is None:
            recorder.arrived(now)
        else:
            self._feed(self._parser.feed(data), started, now)
            if self._parser.done and not recorder.tally.terminal:
                recorder.done()

    def finished(self, started: float, now: float) -> None:
        recorder = self._recorder
        self._flush(started, now)
        if self._parser is None:
            if recorder.ended:
                return
            self._read_whole(now)
            recorder.finish(started, now)
        else:
            if self._parser.dropped:  # Nobody can say that the last event was not among them.
                recorder.tally.terminal = True
            recorder.finish(started - self._waited, now, self._parser.done)
        self._count_dropped()

    def failed(self, error: BaseException, started: float, now: float) -> None:
        self._flush(started, now)
        # Until the headers were there nothing was read, and so nothing waited for.
        since = started - self._waited if self._status else now
        self._recorder.fail(error, since, now, interruption.of_error(error))
        self._count_dropped()

    def left(self, outcome: Outcome, *, closed: bool) -> None:
        recorder = self._recorder
        if not closed:
            if not self._is_stream:
                self._no_stream()
            recorder.leave(outcome)
            watcher.wake()
            return
        self._flush(recorder.read_at, recorder.read_at)
        if self._status >= 300:
            self._read_whole(recorder.read_at)
        recorder.close(outcome)
        self._count_dropped()

    def dropped(self, outcome: Outcome) -> None:
        if not self._is_stream:
            self._no_stream()
        self._recorder.drop(outcome)
        self._count_dropped()

    # --- a stream ----------------------------------------------------------------------------

    def _feed(self, events: list[WireEvent], started: float, now: float) -> None:
        recorder = self._recorder
        if not events:
            recorder.arrived(now)
            self._waited += now - started
            return
        started -= self._waited  # Reads that brought no event were spent waiting for this one.
        self._waited = 0.0
        for event in events:
            if not self._is_stream:
                self._recognise(event)
            recorder.feed(event, started, now)
            started = now
        if not self._told and recorder.tally.first_text_at is not None:
            self._told = True
            if self._lag is not None:
                self._lag.tell(recorder.tally.first_text_at)

    def _flush(self, started: float, now: float) -> None:
        """The body is over, or nobody will read on: what is there is all there is."""
        if self._parser is not None and not self._recorder.ended:
            events = self._parser.finish()
            if events:
                self._feed(events, started, now)
            if self._unread or not self._is_stream:
                self._no_stream()

    def _recognise(self, event: WireEvent) -> None:
        if is_known(name_of(event)):
            self._is_stream = True
            self._body.clear()

    def _no_stream(self) -> None:
        """Nothing of a stream was to be seen: there was none, or in an encoding unknown here."""
        if self._parser is not None:
            self._parser = None
            self._run.whole()

    def _count_dropped(self) -> None:
        """Events that were too long are missing from the span, and counted."""
        count = self._parser.dropped if self._parser is not None else 0
        if count:
            self._runtime.instruments.dropped.add(count, {semconv.DROP_REASON: "wire_too_long"})

    # --- an answer in one piece --------------------------------------------------------------

    def _keep(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= _LARGEST:
            self._body.append(data)
        else:
            self._body.clear()

    def _read_whole(self, now: float) -> None:
        recorder, tally = self._recorder, self._recorder.tally
        answer = decoded(b"".join(self._body)) if self._body and self._is_json else None
        if tally.failure is not None:
            detail = answer.get("detail") if isinstance(answer, Fields) else None
            if isinstance(detail, str):
                tally.failure = Failure(tally.failure.code, detail)
        elif isinstance(answer, Fields):
            tally.add(recorder, deltas_of(answer), now)
            self._run.lasts = answer.status in _NOT_OVER
        else:  # JSON that breaks off is no whole answer; of anything else nobody can say so.
            unknown = self._unread or not self._is_json
            tally.terminal = unknown or self._size > _LARGEST
