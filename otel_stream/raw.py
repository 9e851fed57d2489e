"""Reads an answer from its bytes, when the application reads it raw: server-sent events or JSON."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from typing import Any

from otel_stream.record.recorder import Recorder
from otel_stream.sse import ServerSentEvent, SSEParser

__all__ = ["Fields", "RawReader", "decoded"]

_LARGEST_JSON = 16 * 1024 * 1024
_ANY_ZLIB = 47  # zlib.MAX_WBITS | 32: gzip or zlib, told by the header


class Fields(dict[str, Any]):
    """A JSON object whose fields read like a model's attributes; a missing one is None."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.get(name)


def decoded(text: str | bytes) -> Any:
    """JSON with objects as `Fields`; None if it is none."""
    try:
        return json.loads(text, object_hook=Fields)
    except (ValueError, RecursionError):
        return None


class RawReader:
    """Feeds a recorder from bytes.

    Args:
        content_type, content_encoding: The response's headers.
        on_json: Told of a whole JSON answer, before the recorder is finished.
    """

    __slots__ = ("_blind", "_body", "_done", "_inflate", "_on_json", "_parser", "_size", "_waited")

    def __init__(
        self, content_type: str, content_encoding: str, on_json: Callable[[Any], None]
    ) -> None:
        self._parser = SSEParser() if "event-stream" in content_type.lower() else None
        inflate = _inflater(content_encoding.strip().lower())
        self._inflate = inflate or _nothing
        self._blind = inflate is None
        self._on_json = on_json
        self._body: list[bytes] = []
        self._size = 0
        self._waited = 0.0
        self._done = False

    def asks(self, recorder: Recorder, now: float) -> None:
        """A read begins."""
        recorder.resume()
        if recorder.first_read_at is None:
            recorder.first_read_at = now
        recorder.reading_since = now

    def since(self, recorder: Recorder, started: float, now: float) -> float:
        """When the wait for the next chunk or the end began, reads without a chunk included.

        `started` is that of the last read. The time between reads is left out.
        """
        earlier = self._waited + recorder.take_carried()
        self._waited = 0.0
        return started - earlier if earlier else started

    def feed(self, recorder: Recorder, data: bytes, started: float) -> None:
        """Bytes came that were asked for at `started`."""
        if recorder.ended:
            return
        now = recorder.clock()
        recorder.arrived(now)
        data = self._plain(data)
        if self._parser is None:
            self._keep(data)
        else:
            for event in self._parser.feed(data):
                if self._event(recorder, event, started, now):
                    started = now
        self._waited += now - started

    def finish(self, recorder: Recorder, started: float, now: float) -> None:
        """The body ended."""
        if recorder.ended:
            return
        if self._parser is None:
            body = b"".join(self._body)
            answer = decoded(body) if body else None
            if answer is not None:
                self._on_json(answer)
            # JSON is whole when it can be read; of what was not kept nobody can say that it is not.
            recorder.tally.terminal = answer is not None or not body
            recorder.finish(self.since(recorder, started, now), now)
        else:
            # Of what cannot be read nobody can say that it was cut off.
            recorder.tally.terminal = recorder.tally.terminal or self._blind
            done = self._done or b"[DONE]" in self._parser.unfinished
            recorder.finish(self.since(recorder, started, now), now, done)

    def _event(
        self, recorder: Recorder, event: ServerSentEvent, started: float, now: float
    ) -> bool:
        """Feed an event that came with the read begun at `started`. Returns whether it was one."""
        if event.data.startswith("[DONE]"):
            self._done = True
            recorder.done()
            return False
        chunk = decoded(event.data)
        if not isinstance(chunk, Fields):
            return False
        if event.event and "type" not in chunk:
            chunk["type"] = event.event
        recorder.feed(chunk, self.since(recorder, started, now), now)
        return True

    def _plain(self, data: bytes) -> bytes:
        try:
            return self._inflate(data)
        except zlib.error:
            self._blind, self._inflate = True, _nothing
            return b""

    def _keep(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= _LARGEST_JSON:
            self._body.append(data)
        else:
            self._body.clear()


def _inflater(encoding: str) -> Callable[[bytes], bytes] | None:
    """What undoes the content encoding; None for one that we do not know."""
    if encoding in ("", "identity"):
        return bytes
    if encoding in ("gzip", "deflate", "x-gzip"):
        return zlib.decompressobj(_ANY_ZLIB).decompress
    return None


def _nothing(data: bytes) -> bytes:
    return b""
