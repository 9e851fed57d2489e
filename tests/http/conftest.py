"""Somebody who watches HTTP requests and notes what is told, and a server on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from otel_stream.http import Exchange, Request, unwatch_http, watch_http
from otel_stream.outcome import Outcome
from otel_stream.testing import ProviderServer, Script

from .clients import CLIENTS, Client

PIECES = [b"data: \xc3", b"\xa9\n\ndata: two\n", b"\ndata: three\n\n"]
"""Cut in the middle of a letter and of an event."""


class Noted(Exchange):
    """Notes what it is told of one request."""

    def __init__(self, request: Request) -> None:
        self.request = (request.method, request.path, request.body())
        self.status: int | None = None
        self.headers: Mapping[str, str] = {}
        self.pieces: list[bytes] = []
        self.waits: list[float] = []
        self.times: list[float] = []
        self.told: list[str] = []
        self.error: BaseException | None = None
        self.outcome: Outcome | None = None

    @property
    def end(self) -> str:
        """How it ended; empty while it has not."""
        last = self.told[-1] if self.told else ""
        return last if last in ("finished", "failed", "closed", "dropped") else ""

    def responded(self, status: int, headers: Mapping[str, str]) -> None:
        self.told.append("responded")
        self.status, self.headers = status, headers

    def asks(self, now: float) -> None:
        self.told.append("asks")

    def arrived(self, data: bytes, started: float, now: float) -> None:
        self.told.append("arrived")
        self.pieces.append(data)
        self.waits.append(now - started)
        self.times.append(now)

    def finished(self, started: float, now: float) -> None:
        self.told.append("finished")

    def failed(self, error: BaseException, started: float, now: float) -> None:
        self.told.append("failed")
        self.error = error

    def left(self, outcome: Outcome, *, closed: bool) -> None:
        self.told.append("closed" if closed else "left")
        self.outcome = outcome

    def dropped(self, outcome: Outcome) -> None:
        self.told.append("dropped")
        self.outcome = outcome


class Watching:
    """Wants every request whose path `wants` says yes to."""

    def __init__(self, make: Callable[[Request], Exchange] = Noted) -> None:
        self.all: list[Any] = []
        self.make = make
        self.wants: Callable[[str], bool] = lambda path: True

    @property
    def one(self) -> Any:
        """The only exchange."""
        assert len(self.all) == 1, [exchange.request for exchange in self.all]
        return self.all[0]

    def watch(self, request: Request) -> Exchange | None:
        if not self.wants(request.path):
            return None
        self.all.append(self.make(request))
        return self.all[-1]


@contextmanager
def watched() -> Iterator[Watching]:
    """Somebody watches within the block."""
    interest = Watching()
    watch_http(interest)
    try:
        yield interest
    finally:
        unwatch_http(interest)


def scripted(server: ProviderServer, times: int = 1, **options: Any) -> str:
    """A URL that streams `PIECES`."""
    server.script("/run", Script.stream(PIECES, every=0.02, **options), times)
    return f"{server.url}/run"


@pytest.fixture
def watching() -> Iterator[Watching]:
    """Somebody who watches all requests."""
    with watched() as interest:
        yield interest


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    """A running server."""
    with ProviderServer() as running:
        yield running


@pytest.fixture(params=CLIENTS, ids=[client.name for client in CLIENTS])
def client(request: pytest.FixtureRequest) -> Client:
    """Each library, sync and async."""
    return request.param  # type: ignore[no-any-return]
