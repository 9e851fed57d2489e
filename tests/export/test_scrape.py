from __future__ import annotations

import socket
import struct
import urllib.request
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.metrics import MeterProvider

from otel_stream.export.scrape import Endpoint


@pytest.fixture
def endpoint() -> Endpoint:
    return Endpoint("127.0.0.1", 0)


@pytest.fixture
def provider(endpoint: Endpoint) -> Iterator[MeterProvider]:
    provider = MeterProvider([endpoint], shutdown_on_exit=False)
    provider.get_meter("test").create_counter("cups", unit="{cup}").add(3)
    yield provider
    provider.shutdown()


def fetch(endpoint: Endpoint) -> str:
    with urllib.request.urlopen(endpoint.url, timeout=5) as answer:
        return str(answer.read(), "utf-8")


@pytest.mark.usefixtures("provider")
def test_served(endpoint: Endpoint) -> None:
    """Metrics can be fetched, those of the one provider and nothing else."""
    text = fetch(endpoint)

    assert endpoint.url.startswith("http://127.0.0.1:")
    assert 'cups_total{otel_scope_name="test"' in text
    assert "python_info" not in text


def test_flushing_does_not_repeat(endpoint: Endpoint, provider: MeterProvider) -> None:
    """Flushing in between changes nothing of what is fetched."""
    for _ in range(3):
        provider.force_flush()

    assert fetch(endpoint).count("\ncups_total{") == 1


@pytest.mark.usefixtures("provider")
def test_silent(endpoint: Endpoint, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither who fetches nor who goes away halfway leaves a word on the program's output."""
    fetch(endpoint)
    with socket.create_connection(("127.0.0.1", endpoint.port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.sendall(b"GET /metrics HTTP/1.1\r\n")
    fetch(endpoint)

    assert capfd.readouterr() == ("", "")


def test_ended(endpoint: Endpoint, provider: MeterProvider) -> None:
    """After the end the port is free again."""
    provider.shutdown()

    again = Endpoint("127.0.0.1", endpoint.port)
    again.shutdown()

    assert again.url == endpoint.url
