"""What `uninstrument` leaves: nothing of ours runs on, once the last stream has ended."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import otel_stream
from otel_stream import Callbacks
from otel_stream.testing import Captured


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for private providers; nothing is instrumented before and after."""
    monkeypatch.setenv("OTEL_STREAM_DATA_DIR", str(tmp_path))
    otel_stream.uninstrument()
    yield tmp_path
    otel_stream.uninstrument()


def ours() -> set[threading.Thread]:
    """Threads that send telemetry or call back; the watcher stays for the next stream."""
    return {each for each in threading.enumerate() if each.name != "otel-stream-watcher"}


def spans(folder: Path) -> list[str]:
    """The names of the spans that were written."""
    file = folder / "traces.jsonl"
    lines = file.read_text().splitlines() if file.exists() else []
    return [
        span["name"]
        for line in lines
        for resource in json.loads(line)["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    ]


def test_nothing_runs_on(files: Path, eventually: Callable[..., bool]) -> None:
    """Undone, what waits is written, and no thread of ours is left but the watcher's."""
    before, heard = ours(), []
    otel_stream.instrument(callbacks=Callbacks(on_complete=heard.append))
    list(otel_stream.trace_stream(["Hello"], model="m"))
    otel_stream.uninstrument()

    assert spans(files) == ["chat m"]
    assert eventually(lambda: ours() <= before and heard)


def test_open_streams_go_on(files: Path, eventually: Callable[..., bool]) -> None:
    """A stream that is open then is traced to its end, and only then is all closed."""
    before = ours()
    otel_stream.instrument()
    stream = iter(otel_stream.trace_stream(iter(["Hello", " you"]), model="m"))
    next(stream)
    otel_stream.uninstrument()
    still = ours() > before
    list(stream)

    assert still
    assert eventually(lambda: spans(files) == ["chat m"] and ours() <= before)


def test_again(files: Path) -> None:
    """Done and undone several times, each stream is written once."""
    for number in range(3):
        otel_stream.instrument()
        list(otel_stream.trace_stream(["Hello"], model=str(number)))
        otel_stream.uninstrument()

    assert spans(files) == ["chat 0", "chat 1", "chat 2"]


def test_given_providers_stay_open() -> None:
    """Providers that were given are the application's, and are not closed."""
    captured = Captured()
    providers: Any = {"tracer_provider": captured.tracer_provider}
    for _ in range(2):
        otel_stream.instrument(**providers, meter_provider=captured.meter_provider)
        list(otel_stream.trace_stream(["Hello"]))
        otel_stream.uninstrument()

    assert len(captured.spans()) == 2
    captured.shutdown()
