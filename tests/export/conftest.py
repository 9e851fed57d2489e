from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_stream import Settings
from otel_stream.export.embedded import Embedded, embed
from otel_stream.export.faults import Faults
from otel_stream.export.lines import LineFile

from .receiver import Receiver


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "traces.jsonl"


def file_at(path: Path, *, max_bytes: int = 1_000_000, keep: int = 4) -> LineFile:
    return LineFile(str(path), max_bytes=max_bytes, keep=keep)


def all_of(path: Path) -> list[Path]:
    """The file and its rotated ones, the oldest first."""
    rotated = sorted(path.parent.glob(f"{path.name}.*"), key=lambda each: int(each.suffix[1:]))
    return [*reversed(rotated), path]


def text_of(path: Path) -> str:
    return "".join(each.read_text() for each in all_of(path))


class Maker:
    """Makes private providers and ends them with the test."""

    def __init__(self) -> None:
        self.made: list[Embedded] = []
        self.faults = Faults()

    def __call__(self, signal: str, **settings: Any) -> Any:
        embedded = embed(signal, Settings.resolve(**settings), self.faults)
        if embedded is not None:
            self.made.append(embedded)
        return embedded

    def close(self) -> None:
        """End them. What has not gone is not waited for."""
        for embedded in self.made:
            embedded.give_up()
            embedded.shutdown()


@pytest.fixture
def private() -> Iterator[Maker]:
    """Makes private providers."""
    maker = Maker()
    yield maker
    maker.close()


@pytest.fixture
def receive(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Receiver]]:
    """Starts a receiver, to which private providers send."""
    started: list[Receiver] = []

    def receive(*answers: Any, port: int = 0) -> Receiver:
        started.append(Receiver(*answers, port=port))
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", started[-1].url)
        return started[-1]

    yield receive
    for receiver in started:
        receiver.close()


def end_spans(embedded: Embedded, *names: str, size: int = 0) -> None:
    """End spans, each with an attribute of `size` characters."""
    tracer = embedded.provider.get_tracer("test")
    for name in names:
        tracer.start_span(name, attributes={"content": "x" * size} if size else None).end()
