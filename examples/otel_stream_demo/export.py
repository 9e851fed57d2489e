"""Where the spans of this run go, and the way back to them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.json.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_stream.doctor import examine

__all__ = ["Export", "keep_files_too"]

_SIGNALS = ("TRACES", "METRICS", "LOGS")


def keep_files_too() -> None:
    """With an OTLP endpoint in the environment send there as well as to the files."""
    for signal in _SIGNALS:
        endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
        if any(os.environ.get(name) for name in endpoints):
            os.environ.setdefault(f"OTEL_{signal}_EXPORTER", "otlp,file")


class Export:
    """Made after `otel_stream.instrument`, before the first stream.

    Without a file of ours the spans are kept in memory too: `otel_stream` has been told to make its
    provider the global one, so that anybody may add a processor.
    """

    def __init__(self) -> None:
        self.where = {each.signal: each.where for each in examine().destinations}
        self.file = _file(self.where["traces"])
        self._kept = InMemorySpanExporter()
        provider: Any = trace.get_tracer_provider()
        self.works = self.file is not None or isinstance(provider, TracerProvider)
        if self.file is None and self.works:
            provider.add_span_processor(SimpleSpanProcessor(self._kept))

    def lines(self) -> Iterator[str]:
        """The spans so far as OTLP JSON lines. Flush before."""
        if self.file is None:
            spans: Sequence[Any] = self._kept.get_finished_spans()
            yield encode_spans(spans).to_json()
            return
        for path in sorted(self.file.parent.glob(f"{self.file.name}*"), reverse=True):
            with path.open() as file:
                yield from file


def _file(where: str) -> Path | None:
    places = (Path(place) for place in where.split(", "))
    return next((place for place in places if place.name == "traces.jsonl"), None)
