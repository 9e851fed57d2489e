"""Where the spans of this run go, and the way back to them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.json.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_stream.doctor import examine
from otel_stream_demo.figures import Figures, figures_of, spans_of

__all__ = ["Export", "keep_files_too"]

Find = Callable[[Iterable[str]], list[Figures]]
"""Finds spans in lines of OTLP JSON."""
_SIGNALS = ("TRACES", "METRICS", "LOGS")


def keep_files_too() -> None:
    """With an OTLP endpoint in the environment send there as well as to the files."""
    for signal in _SIGNALS:
        endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal}_ENDPOINT")
        if any(os.environ.get(name) for name in endpoints):
            os.environ.setdefault(f"OTEL_{signal}_EXPORTER", "otlp,file")


class Export:
    """Made after `otel_stream.instrument`, before the first stream.

    The spans are kept in memory too, for a picture of them where no file of ours has them:
    `otel_stream` has been told to make its provider the global one, so that anybody may add a
    processor.
    """

    def __init__(self) -> None:
        self.where = {each.signal: each.where for each in examine().destinations}
        self.file = _file(self.where["traces"])
        self._kept = InMemorySpanExporter()
        provider: Any = trace.get_tracer_provider()
        keeps = isinstance(provider, TracerProvider)
        self.works = self.file is not None or keeps
        if keeps:
            provider.add_span_processor(SimpleSpanProcessor(self._kept))

    def read(self, trace_ids: set[str], titles: Sequence[str]) -> tuple[list[Figures], bool]:
        """The streams of these traces, and whether they are where they should be. Flush before.

        They are read from the file, or where it has not all of them, from memory.
        """
        return self._read(lambda lines: figures_of(lines, trace_ids, titles))

    def trace(self, trace_id: str) -> list[Figures]:
        """All spans of this trace, read likewise."""
        return self._read(lambda lines: spans_of(lines, {trace_id}))[0]

    def _read(self, find: Find) -> tuple[list[Figures], bool]:
        spans: Sequence[Any] = self._kept.get_finished_spans()
        kept = find([encode_spans(spans).to_json()])
        if self.file is None:
            return kept, True
        try:
            written = find(_lines(self.file))
        except OSError:
            written = []
        return (kept, False) if len(written) < len(kept) else (written, True)


def _lines(file: Path) -> Iterator[str]:
    """The lines of a file and of those that it was rotated to, oldest first."""
    for path in sorted(file.parent.glob(f"{file.name}*"), reverse=True):
        with path.open(encoding="utf-8", errors="replace") as lines:
            yield from lines


def _file(where: str) -> Path | None:
    places = (Path(place) for place in where.split(", "))
    return next((place for place in places if place.name == "traces.jsonl"), None)
