"""Jaeger: the traces."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from otel_stream.pipeline.jaeger import Jaeger
from stack.tour.finding import curl
from stack.tour.sent import SERVICE, Sent
from stack.tour.spans import Span, spans, tree

__all__ = ["Traces"]


class Traces:
    """What Jaeger has.

    Args:
        url: Where it is.
        sent: What was sent.
    """

    name = "Jaeger"

    def __init__(self, url: str, sent: Sent) -> None:
        self._jaeger = Jaeger(url)
        self._sent = sent

    def missing(self) -> str:
        """Streams that are not there."""
        found = {span.id for trace_id in self._sent.trace_ids for span in self._trace(trace_id)}
        left = self._sent.span_ids - found
        return f"{len(left)} of {len(self._sent.span_ids)} streams" if left else ""

    def lines(self) -> Iterator[tuple[str, Text]]:
        """One trace."""
        stream = self._sent.telling
        yield "traces", Text(str(len(self._jaeger.trace_ids(SERVICE))))
        yield "one of them", Text(stream["trace_id"])
        for line in tree(self._trace(stream["trace_id"])):
            yield "", line

    def asks(self) -> Iterator[str]:
        """The same trace, and all."""
        yield curl(f"{self._jaeger.url}/api/v3/traces/{self._sent.telling['trace_id']}")
        yield f"curl -s '{self._jaeger.url}/api/traces?service={SERVICE}'"

    def _trace(self, trace_id: str) -> list[Span]:
        return spans(self._jaeger.resource_spans(trace_id))
