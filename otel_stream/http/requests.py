"""requests: each request of a session, and the raw response under everything that reads it.

`Session.send` sends one request, and calls itself for each hop of a redirect, so that is where a
request begins and where it may fail. `HTTPAdapter.build_response` is where every adapter, those of
others too, comes by with the response before anybody has read from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any
from urllib.parse import SplitResult, urlsplit

from otel_stream.errors import guard
from otel_stream.http.interests import offered
from otel_stream.http.raw_response import tap_raw
from otel_stream.http.request import Located, in_memory
from otel_stream.http.watched import Watched
from otel_stream.patches import Patches

__all__ = ["wrap"]

_sending: ContextVar[_Sending | None] = ContextVar("otel_stream_requests", default=None)


def wrap(patches: Patches, library: str) -> None:
    """Wrap requests."""
    patches.wrap(f"{library}.sessions:Session.send", _send)
    patches.wrap(f"{library}.adapters:HTTPAdapter.build_response", _build_response)


class _Request(Located):
    """A `requests.PreparedRequest`, as interests see it."""

    __slots__ = ("_parts", "_request")

    def __init__(self, request: Any) -> None:
        self._request = request
        self._parts: SplitResult | None = None

    @property
    def method(self) -> str:
        return str(self._request.method or "").upper()

    @property
    def url(self) -> str:
        return str(self._request.url or "")

    @property
    def host(self) -> str:
        return self._where.hostname or ""

    @property
    def path(self) -> str:
        return self._where.path or "/"

    @property
    def headers(self) -> Mapping[str, str]:
        return MappingProxyType(self._request.headers or {})

    def body(self) -> bytes:
        return in_memory(self._request.body)

    @property
    def _where(self) -> SplitResult:
        if self._parts is None:
            self._parts = urlsplit(self.url)
        return self._parts


class _Sending:
    """A request on its way, until its response is there."""

    __slots__ = ("_carried", "_own", "request", "watched")

    def __init__(self, request: Any, watched: Watched) -> None:
        self.request = request
        self.watched = watched
        self._own: Any = None
        self._carried: Any = None

    def begin(self) -> None:
        """Attach the context, and let the request carry it if it is to."""
        added = self.watched.carrier(self.request.headers)
        if added:
            self._own = self.request.headers
            self.request.headers = self._carried = self._own.copy()
            self._carried.update(added)
        self.watched.send()

    def end(self) -> None:
        """Undo that. The request is the application's own: it gets its headers back."""
        self.watched.sent()
        if self._carried is not None and self.request.headers is self._carried:
            self.request.headers = self._own

    def responded(self, response: Any) -> None:
        """Here is the response, unread."""
        self.end()
        watched = self.watched
        watched.retried(len(getattr(getattr(response.raw, "retries", None), "history", ())))
        watched.responded(response.status_code, response.headers)
        if not tap_raw(response.raw, watched):
            watched.finished(watched.began)  # Nothing that could be read as a body is.


def _send(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    request = args[1] if len(args) > 1 else kwargs["request"]
    watched = offered(_Request, request)
    if watched is None:
        return wrapped(*args, **kwargs)
    sending = _Sending(request, watched)
    with guard("sending a request"):
        sending.begin()
    token = _sending.set(sending)
    try:
        response = wrapped(*args, **kwargs)
    except BaseException as error:
        if not watched.answered:
            watched.failed(error, watched.began)
        raise
    finally:
        _sending.reset(token)
        sending.end()
    if not watched.answered:  # By an adapter that makes its responses in another way.
        with guard("watching a response"):
            sending.responded(response.history[0] if response.history else response)
    return response


def _build_response(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    response = wrapped(*args, **kwargs)
    sending = _sending.get()
    if sending is not None and not sending.watched.answered:
        with guard("watching a response"):
            sending.responded(response)
    return response
