"""OTLP over gRPC: what its exporter is told, and what becomes of what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .conftest import Maker, end_spans
from .receiver import GrpcReceiver

pytest.importorskip("grpc")

Receive = Callable[..., GrpcReceiver]


@pytest.fixture
def receive(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receive]:
    """Starts a receiver, to which private providers send."""
    started: list[GrpcReceiver] = []

    def receive(*codes: tuple[str, str], **options: Any) -> GrpcReceiver:
        started.append(GrpcReceiver(*codes, **options))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", started[-1].url)
        return started[-1]

    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    yield receive
    for receiver in started:
        receiver.close()


@pytest.mark.parametrize(
    "code", ["UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED", "RESOURCE_EXHAUSTED"]
)
def test_not_now(receive: Receive, private: Maker, code: str) -> None:
    """What a receiver cannot take now arrives when it can, and nothing is lost."""
    receiver = receive((code, "wait a bit"), (code, "wait a bit"))
    embedded = private("traces")
    end_spans(embedded, "a")

    assert embedded.flush()
    assert receiver.spans == ["a"]
    assert embedded.dropped.total() == 0


def test_restarted(receive: Receive, private: Maker, eventually: Callable[..., bool]) -> None:
    """A receiver that is gone and comes back gets all that ended meanwhile."""
    receiver = receive()
    embedded = private("traces")
    receiver.close()
    end_spans(embedded, "a")
    assert eventually(lambda: embedded.failures)
    end_spans(embedded, "b")
    receiver = receive(port=receiver.port)

    assert eventually(lambda: receiver.spans == ["a", "b"], 20.0)


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("UNAUTHENTICATED", " (OTEL_EXPORTER_OTLP_HEADERS is what it asks for)"),
        ("INVALID_ARGUMENT", ""),
        ("UNIMPLEMENTED", ""),
    ],
)
def test_refused(
    receive: Receive, private: Maker, caplog: pytest.LogCaptureFixture, code: str, hint: str
) -> None:
    """What it will never take is said with its words, and counted."""
    receive((code, "not like this"))
    embedded = private("traces")
    end_spans(embedded, "a", "b")

    assert not embedded.flush()
    assert caplog.messages[0].endswith(f": {code}: not like this{hint}")
    assert dict(embedded.dropped) == {"refused": 2}


def test_too_large(receive: Receive, private: Maker) -> None:
    """A batch that is larger than its messages may be goes in halves."""
    receiver = receive(largest=2_500)
    embedded = private("traces")
    end_spans(embedded, *"abcd", size=1_000)

    assert embedded.flush()
    assert receiver.spans == ["a", "b", "c", "d"]


@pytest.mark.parametrize("asked", ["none", "gzip", "deflate"])
def test_compression(
    receive: Receive, private: Maker, monkeypatch: pytest.MonkeyPatch, asked: str
) -> None:
    """Each word of the variable works, also those that the exporter itself does not know."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", asked)
    receiver = receive()
    embedded = private("traces")
    end_spans(embedded, "a", size=10_000)

    assert embedded.flush()
    assert receiver.spans == ["a"]
