"""A steady load on a collector, and the account of what it acknowledged."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from typing import Protocol

from stack.measured.payload import Request

__all__ = ["Load", "Source"]

_TIMEOUT = 10.0
_PAUSE = 0.05


class Source(Protocol):
    """Makes requests."""

    size: int
    """Items a request."""

    def next(self) -> Request:
        """Another request."""


class Load:
    """Sends requests at a given rate until it is left, each one until it is acknowledged.

    Like the SDK it sends one request at a time, and the same one again when that was refused, was
    not answered, or the connection broke.

    Args:
        port: Where OTLP over HTTP is taken, on loopback.
        make: Makes the payload, on the sending thread.
        rate: Spans a second; None for as many as go.
        path: The signal's.
    """

    def __init__(
        self,
        port: int,
        make: Callable[[], Source],
        rate: float | None = None,
        path: str = "/v1/traces",
    ) -> None:
        self.acknowledged: dict[str, set[str]] = {}
        """Span ids by trace id."""
        self.repeated: set[str] = set()
        """The trace ids of requests that were sent more than once."""
        self.refused = 0
        """Answers that were no acknowledgement."""
        self.broken = 0
        """Requests without an answer."""
        self._port = port
        self._make = make
        self._rate = rate
        self._path = path
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load", daemon=True)
        self._connection: http.client.HTTPConnection | None = None

    @property
    def spans(self) -> int:
        """How many spans have been acknowledged."""
        return sum(map(len, list(self.acknowledged.values())))

    def __enter__(self) -> Load:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        payload = self._make()
        due = time.monotonic()
        while not self._stopping.is_set():
            request = payload.next()
            if self._sent(request):
                self.acknowledged[request.trace_id] = set(request.span_ids)
            if self._rate:
                due += payload.size / self._rate
                self._stopping.wait(max(0.0, due - time.monotonic()))
        if self._connection is not None:
            self._connection.close()

    def _sent(self, request: Request) -> bool:
        """Whether it was acknowledged, sooner or later. Not, when the load is left before."""
        while not self._stopping.is_set():
            status = self._post(request.body)
            if status == 200:
                return True
            self.repeated.add(request.trace_id)
            if status is None:
                self.broken += 1
            else:
                self.refused += 1
            self._stopping.wait(_PAUSE)
        return False

    def _post(self, body: bytes) -> int | None:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT)
        try:
            self._connection.request(
                "POST", self._path, body, {"Content-Type": "application/x-protobuf"}
            )
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self._connection = None
            return None
        return answer.status
