"""A provider's SDK, and one call of it: from the request to the end of its answer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from otel_stream import interruption, runtime, semconv
from otel_stream.body import tap_body
from otel_stream.call import CallInfo
from otel_stream.delta import Delta, Failure, Reader
from otel_stream.errors import guard
from otel_stream.outcome import Outcome
from otel_stream.raw import RawReader, decoded
from otel_stream.record.recorder import Recorder
from otel_stream.span import class_name
from otel_stream.trace import Trace

__all__ = ["Call", "Endpoint", "Sdk", "call_in_progress"]

_CALL = otel_context.create_key("otel_stream-call")


class Endpoint(Protocol):
    """One API of an SDK: how to read its requests and answers. All pure."""

    def info(self, client: Any, body: dict[str, Any], streamed: bool, /) -> CallInfo:
        """What the request asks for."""
        ...

    def reader(self, body: dict[str, Any], /) -> Reader:
        """A reader for the answer's stream."""
        ...

    def answer(self, answer: Any, /) -> Iterable[str | Delta]:
        """What an answer that was not streamed holds: a model of the SDK, or `raw.Fields`."""
        ...


class Sdk:
    """One SDK.

    Args:
        package: Its import name.
        endpoints: The endpoint that each request path goes to; other calls are left alone.
        request_id_header, request_id: The provider's request id, and the attribute it becomes.
    """

    def __init__(
        self,
        package: str,
        endpoints: Mapping[str, Endpoint],
        request_id_header: str,
        request_id: str,
    ) -> None:
        self.package = package
        self.endpoints = endpoints
        self.request_id_header = request_id_header
        self.request_id = request_id


class Call:
    """One request of an SDK, from `request` to the end of its answer."""

    def __init__(
        self, sdk: Sdk, endpoint: Endpoint, client: Any, body: Any, streamed: bool
    ) -> None:
        self._sdk = sdk
        self._endpoint = endpoint
        self._streamed = streamed
        self._pending = False
        self._response: Any = None
        info = endpoint.info(client, body, streamed)
        self.trace = Trace(runtime.current(), info, endpoint.reader(body))

    def context(self) -> Context:
        """A context for the request: its span is current there, and the hooks find the call.

        Not kept: it holds this call, and each call would wait for the garbage collector.
        """
        return otel_context.set_value(_CALL, self, self.trace.context)

    def headers(self, response: Any, retries: int) -> None:
        """The answer's headers are there; its body follows, or has been read already."""
        recorder = self.trace.recorder
        recorder.headers_at = recorder.clock()
        self._note(retries, response)
        if self._streamed or not response.is_closed:
            self._pending = True
            reader = partial(_raw_reader, self._endpoint, recorder, response.headers)
            tap_body(response, recorder, reader, self._sdk.package)
        else:
            self._response = response

    def returned(self, result: Any) -> None:
        """The SDK's method has its result. One that is still to be read ends later."""
        if self._pending:
            return
        with guard("reading a result"):
            raw = getattr(result, "http_response", None)
            recorder = self.trace.recorder
            answer = decoded(raw.content) if raw is not None else result
            _answered(self._endpoint, recorder, answer)
            recorder.end(Outcome.COMPLETED, recorder.clock())

    def failed(self, error: BaseException) -> None:
        """The call raised."""
        recorder = self.trace.recorder
        response = getattr(error, "response", None)
        request = getattr(response, "request", None) or getattr(error, "request", None)
        with guard("reading a failed call"):
            retries = (
                request.headers.get("x-stainless-retry-count") if request is not None else None
            )
            self._note(int(retries or 0), response)
        with guard("ending a failed call"):
            if response is None and self._has_answer():
                self._refused(error)
            else:
                recorder.end(interruption.of_error(error), recorder.clock(), error)

    def _has_answer(self) -> bool:
        answer = self._response
        return answer is not None and answer.is_success

    def _refused(self, error: BaseException) -> None:
        """The answer is here, and the SDK cannot make of it what was asked for.

        What it raises may quote the answer, so it is told only where content is captured.
        """
        recorder = self.trace.recorder
        _answered(self._endpoint, recorder, decoded(self._response.content))
        if recorder.tally.capture is not None:
            recorder.end(Outcome.ERROR, recorder.clock(), error)
        else:
            why = "the answer is not what was asked for"
            recorder.tally.failure = Failure(class_name(error), why)
            recorder.end(Outcome.ERROR, recorder.clock())

    def _note(self, retries: int, response: Any) -> None:
        attributes = self.trace.recorder.tally.attributes
        attributes[semconv.RETRIES] = retries
        request_id = (
            response.headers.get(self._sdk.request_id_header) if response is not None else None
        )
        if request_id:
            attributes[self._sdk.request_id] = request_id


def _raw_reader(endpoint: Endpoint, recorder: Recorder, headers: Any) -> RawReader:
    """Reads the body if the application does so itself. Holds no call: old SDKs keep responses."""
    kind, encoding = headers.get("content-type", ""), headers.get("content-encoding", "")
    return RawReader(kind, encoding, partial(_answered, endpoint, recorder))


def _answered(endpoint: Endpoint, recorder: Recorder, answer: Any) -> None:
    with guard("reading an answer"):
        recorder.tally.add(recorder, list(endpoint.answer(answer)), recorder.clock())


def call_in_progress() -> Call | None:
    """The call that is being sent in this context."""
    call = otel_context.get_value(_CALL)
    return call if isinstance(call, Call) else None
