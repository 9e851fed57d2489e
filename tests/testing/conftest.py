"""A provider and a plain HTTP client for the tests of the test kit."""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator

import pytest

from otel_stream.testing import ProviderServer

Client = http.client.HTTPConnection
Get = Callable[..., http.client.HTTPResponse]


@pytest.fixture
def server() -> Iterator[ProviderServer]:
    """A running server."""
    with ProviderServer() as running:
        yield running


@pytest.fixture
def client(server: ProviderServer) -> Iterator[Client]:
    """A client of the server."""
    connection = Client(server.url.removeprefix("http://"), timeout=10.0)
    yield connection
    connection.close()


@pytest.fixture
def get(client: Client) -> Get:
    """Sends a GET of a path, and gives the response once its headers are there."""

    def send(path: str = "/") -> http.client.HTTPResponse:
        client.request("GET", path)
        return client.getresponse()

    return send
