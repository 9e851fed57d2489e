"""A run that the server sends elsewhere, or asks for a digest: the next request goes on with it."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from urllib.parse import unquote, urljoin, urlsplit

from otel_stream import semconv
from otel_stream.delta import Failure
from otel_stream.http.redirect import REDIRECTS, Elsewhere
from otel_stream.outcome import Outcome
from otel_stream_agno_http.run import AskedRun

__all__ = ["expect", "next_path", "redirected"]

_UNAUTHORIZED = 401


def next_path(status: int, headers: Mapping[str, str], path: str) -> str | None:
    """Where a POST to `path` goes on, if that is what the server says."""
    if status in REDIRECTS and "location" in headers:
        return unquote(urlsplit(urljoin(path, headers["location"])).path)
    if status == _UNAUTHORIZED and "digest" in headers.get("www-authenticate", "").lower():
        return unquote(path)
    return None


class _Elsewhere(Elsewhere):
    """A run between two hops."""

    def __init__(self, run: AskedRun, status: int, path: str) -> None:
        self._run: AskedRun | None = run
        self._status = status
        self._path = path
        super().__init__()

    def taken(self, path: str) -> AskedRun | None:
        """The run, if this is its next hop, and nobody has given up waiting for it."""
        self.arrived()
        if unquote(path) != self._path:
            self.failed()
        run, self._run = self._run, None
        return run

    def failed(self) -> None:
        """Nobody has followed: what the server said was its answer."""
        run, self._run = self._run, None
        if run is not None:
            recorder = run.recorder
            recorder.tally.attributes[semconv.HTTP_STATUS_CODE] = self._status
            recorder.tally.failure = Failure(str(self._status), f"HTTP {self._status}")
            recorder.end(Outcome.ERROR, recorder.headers_at or recorder.clock())

    def forget(self) -> None:
        """It is the parent process's."""
        if self._run is not None:
            self._run.recorder.forget()


_expected: ContextVar[_Elsewhere | None] = ContextVar(
    "otel_stream_agno_http-elsewhere", default=None
)


def expect(run: AskedRun, status: int, path: str) -> None:
    """The server has said that the run's request is to go to `path`."""
    _expected.set(_Elsewhere(run, status, path))


def redirected(path: str) -> AskedRun | None:
    """The run that goes on with a POST to `path`, if this is its next hop."""
    waiting = _expected.get()
    if waiting is None:
        return None
    _expected.set(None)
    return waiting.taken(path)
