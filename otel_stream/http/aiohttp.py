"""aiohttp: each request of a session, from before its trace signals to the headers of its response.

A request begins at `ClientSession._request`, before the session's own signals, so that what is told
by those finds our context. Each further hop of a redirect, and each attempt of a middleware, begins
when it asks the connector for its connection. `ClientResponse.start` ends with the headers there.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from yarl import URL

from otel_stream.errors import guard
from otel_stream.http.interests import offered
from otel_stream.http.request import Located, in_memory
from otel_stream.http.stream_reader import tap_reader
from otel_stream.http.watched import Watched
from otel_stream.patches import Patches

__all__ = ["wrap"]

_UPGRADED = 101

_call: ContextVar[_Call | None] = ContextVar("otel_stream_aiohttp", default=None)


def wrap(patches: Patches, library: str) -> None:
    """Wrap aiohttp."""
    patches.wrap(f"{library}.client:ClientSession._request", _request)
    patches.wrap(f"{library}.connector:BaseConnector.connect", _connect)
    patches.wrap(f"{library}.client_reqrep:ClientResponse.start", _start)


class _Asked(Located):
    """What a session is asked for, as interests see it."""

    __slots__ = ("_kwargs", "_method", "_session", "_target", "_url")

    def __init__(self, session: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._session = session
        self._method, self._target = _method_and_target(args, kwargs)
        self._kwargs = kwargs
        self._url: URL | None = None

    @property
    def method(self) -> str:
        return str(self._method).upper()

    @property
    def path(self) -> str:
        return self._where.raw_path or "/"

    @property
    def headers(self) -> Mapping[str, str]:
        return self._session._prepare_headers(self._kwargs.get("headers"))  # type: ignore[no-any-return]

    def body(self) -> bytes:
        data, json = self._kwargs.get("data"), self._kwargs.get("json")
        if json is not None:
            return in_memory(self._session.json_serialize(json))
        if isinstance(data, dict) and all(isinstance(value, str) for value in data.values()):
            return in_memory(urlencode(data))
        return in_memory(data)

    @property
    def _where(self) -> URL:
        if self._url is None:
            try:
                url = self._session._build_url(self._target)
                params = self._kwargs.get("params")
                self._url = url.update_query(params) if params else url
            except (AssertionError, AttributeError, TypeError, ValueError):
                self._url = URL()  # The session will say itself what is wrong with it.
        return self._url


class _Sent(Located):
    """A `ClientRequest`, as interests see it: a further hop."""

    __slots__ = ("_request",)

    def __init__(self, request: Any) -> None:
        self._request = request

    @property
    def method(self) -> str:
        return self._request.method  # type: ignore[no-any-return]

    @property
    def _where(self) -> Any:
        return self._request.url

    @property
    def path(self) -> str:
        return self._request.url.raw_path or "/"

    @property
    def headers(self) -> Mapping[str, str]:
        return MappingProxyType(self._request.headers)

    def body(self) -> bytes:
        return in_memory(getattr(self._request.body, "_value", self._request.body))


class _Call:
    """One call of a session, which may make several requests, one after the other."""

    __slots__ = ("_added", "_connected", "_decoded", "watched")

    def __init__(self, watched: Watched | None, decoded: bool) -> None:
        self.watched = watched
        self._decoded = decoded
        self._connected = False
        self._added: dict[str, str] = {}

    def connects(self, request: Any) -> None:
        """A request asks for a connection: the first one, that one again, or another."""
        if self._connected and (self.watched is None or self.watched.answered):
            self.watched = offered(_Sent, request)
            if self.watched is not None:
                self.watched.send()
        self._connected = True
        for name, value in self._added.items():  # A middleware may send one request twice.
            if request.headers.get(name) == value:
                del request.headers[name]
        self._added = {}
        if self.watched is not None:
            self._added = self.watched.carrier(request.headers)
            request.headers.update(self._added)

    def responded(self, response: Any) -> None:
        """The headers are there."""
        watched = self.watched
        if watched is None:
            return
        watched.responded(response.status, response.headers, decoded=self._decoded)
        if response.status == _UPGRADED:  # What follows is no body.
            watched.finished(watched.began)
        else:
            tap_reader(response.content, watched)

    def failed(self, error: BaseException) -> None:
        """The call raised."""
        watched = self.watched
        if watched is not None and not watched.answered:
            if isinstance(error, GeneratorExit):
                watched.forget()
            watched.failed(error, watched.began)


def _method_and_target(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any]:
    given = {**kwargs, **dict(zip(("method", "str_or_url"), args, strict=False))}
    return given.get("method"), given.get("str_or_url")


async def _request(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    session = args[0]
    watched = offered(_Asked, session, args[1:], kwargs)
    decompress = kwargs.get("auto_decompress")
    call = _Call(watched, session.auto_decompress if decompress is None else decompress)
    token = _call.set(call)
    if watched is not None:
        watched.send()
    closing = False
    try:
        return await wrapped(*args, **kwargs)
    except BaseException as error:
        closing = isinstance(error, GeneratorExit)
        call.failed(error)
        raise
    finally:
        if not closing:  # Else in whatever context: nothing to detach.
            _call.reset(token)
            if call.watched is not None:
                call.watched.sent()


async def _connect(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    call = _call.get()
    if call is not None:
        with guard("sending a request"):
            call.connects(args[1] if len(args) > 1 else kwargs["req"])
    return await wrapped(*args, **kwargs)


async def _start(wrapped: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    response = await wrapped(*args, **kwargs)
    call = _call.get()
    if call is not None:
        with guard("watching a response"):
            call.responded(args[0])
    return response
