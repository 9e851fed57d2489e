"""What arrives at a real collector: whatever its size, and though it is killed meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otel_stream import Settings
from otel_stream.export.telemetry import Telemetry
from stack.made.programs import Programs
from stack.servers.collector import Collector
from tests.stack.received import AWAY, endpoint, span_names

pytestmark = pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])


@pytest.fixture
def agent(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, protocol: str
) -> Iterator[Collector]:
    """An agent to which private providers send."""
    agent = Collector(programs.collector(), tmp_path, variables=AWAY)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint(agent, protocol))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    with agent.process:
        yield agent


@pytest.fixture
def telemetry(agent: Collector) -> Iterator[Telemetry]:
    """Our private providers."""
    telemetry = Telemetry(Settings.resolve())
    yield telemetry
    telemetry.shutdown(1.0)


def end_spans(telemetry: Telemetry, names: list[str], size: int = 0) -> None:
    for name in names:
        telemetry.tracer().start_span(name, attributes={"content": "x" * size}).end()


@pytest.mark.parametrize(("count", "size"), [(512, 9_000), (512, 131_072)])
def test_large_batches(
    agent: Collector,
    telemetry: Telemetry,
    eventually: Callable[..., bool],
    count: int,
    size: int,
) -> None:
    """Full batches arrive: of spans with many events, and with all the content that is kept."""
    names = [str(number) for number in range(count)]
    end_spans(telemetry, names, size)

    assert telemetry.flush(60.0)
    assert eventually(lambda: len(span_names(agent)) >= count, 10.0)
    assert sorted(span_names(agent), key=int) == names
    assert telemetry.dropped["traces"].total() == 0


def test_killed_and_started_again(
    agent: Collector, telemetry: Telemetry, eventually: Callable[..., bool]
) -> None:
    """Of what ends before, while and after it is gone, all arrives, and once."""
    end_spans(telemetry, ["before"])
    assert telemetry.flush()
    assert eventually(lambda: span_names(agent) == ["before"])
    agent.process.kill()
    end_spans(telemetry, ["meanwhile 1"])
    assert eventually(lambda: telemetry.export_failures["traces"] > 2)
    end_spans(telemetry, ["meanwhile 2"])
    agent.process.start()
    end_spans(telemetry, ["after"])

    assert telemetry.flush(30.0)
    expected = ["before", "meanwhile 1", "meanwhile 2", "after"]
    assert eventually(lambda: len(span_names(agent)) >= 4)
    assert span_names(agent) == expected
