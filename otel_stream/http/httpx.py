"""httpx and httpx2: each single request of a client, whichever transport sends it.

`_send_single_request` is where redirects and authentication have become plain requests, and where
the response's stream is put together. Bytes are seen as they are on the wire, since the application
may read them so, and are decoded for the watcher apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from otel_stream.errors import guard
from otel_stream.http.byte_stream import tap_stream
from otel_stream.http.interests import offered
from otel_stream.http.request import Located, in_memory
from otel_stream.http.watched import Watched
from otel_stream.patches import Patches

__all__ = ["wrap"]


def wrap(patches: Patches, library: str) -> None:
    """Wrap `library`: httpx, or httpx2, which has the same shape."""
    patches.wrap(f"{library}._client:Client._send_single_request", _send)
    patches.wrap(f"{library}._client:AsyncClient._send_single_request", _send_async)


class _Request(Located):
    """An `httpx.Request`, as interests see it."""

    __slots__ = ("_request",)

    def __init__(self, request: Any) -> None:
        self._request = request

    @property
    def method(self) -> str:
        return self._request.method.upper()  # type: ignore[no-any-return]

    @property
    def _where(self) -> Any:
        return self._request.url

    @property
    def path(self) -> str:
        return self._request.url.raw_path.partition(b"?")[0].decode("ascii")  # type: ignore[no-any-return]

    @property
    def headers(self) -> Mapping[str, str]:
        return MappingProxyType(self._request.headers)

    def body(self) -> bytes:
        return in_memory(getattr(self._request, "_content", b""))


def _request_of(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return args[1] if len(args) > 1 else kwargs["request"]


def _send(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    request = _request_of(args, kwargs)
    watched = offered(_Request, request)
    if watched is None:
        return wrapped(*args, **kwargs)
    before = _add_headers(request, watched)
    watched.send()
    try:
        response = wrapped(*args, **kwargs)
    except BaseException as error:
        watched.failed(error, watched.began)
        raise
    finally:
        watched.sent()
        _restore_headers(request, before)
    _responded(response, watched)
    return response


async def _send_async(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    request = _request_of(args, kwargs)
    watched = offered(_Request, request)
    if watched is None:
        return await wrapped(*args, **kwargs)
    before = _add_headers(request, watched)
    watched.send()
    try:
        response = await wrapped(*args, **kwargs)
    except BaseException as error:
        if isinstance(error, GeneratorExit):
            watched.forget()
        watched.failed(error, watched.began)
        raise
    finally:
        watched.sent()
        _restore_headers(request, before)
    _responded(response, watched)
    return response


def _add_headers(request: Any, watched: Watched) -> tuple[Any, Any] | None:
    """Let `request` carry the trace context. Returns its own headers and those in their place."""
    added = watched.carrier(request.headers)
    if not added:
        return None
    own = request.headers
    request.headers = carried = own.copy()
    carried.update(added)
    return own, carried


def _restore_headers(request: Any, before: tuple[Any, Any] | None) -> None:
    """The request is the application's own: give it its headers back."""
    if before is not None and request.headers is before[1]:
        request.headers = before[0]


def _responded(response: Any, watched: Watched) -> None:
    with guard("watching a response"):
        watched.responded(response.status_code, response.headers)
        if hasattr(response, "_content"):  # In memory, as a transport of tests may give it.
            watched.arrived(response.content, watched.began, decoded=True)
            watched.finished(watched.began)
        else:
            response.stream = tap_stream(response.stream, watched)
