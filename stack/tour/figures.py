"""Prometheus: the figures, and the way from a figure to its trace."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from rich.text import Text

from otel_stream.pipeline.prometheus import Prometheus
from stack.tour.finding import counted, curl
from stack.tour.sent import SERVICE, Sent

__all__ = ["Figures"]

_JOB = f'{{job="{SERVICE}"}}'
_BUCKET = f"otel_stream_time_to_first_token_seconds_bucket{_JOB}"
_COUNT = f"sum(otel_stream_time_to_first_token_seconds_count{_JOB})"
_STREAMS = f"sum by (otel_stream_outcome) (otel_stream_streams_total{_JOB})"
_QUANTILES = (0.5, 0.9, 0.99)


def quantile(share: float) -> str:
    """The expression of a percentile. Over the whole life of the process, so without a rate."""
    return f"histogram_quantile({share:g}, sum by (le) ({_BUCKET}))"


class Figures:
    """What Prometheus has.

    Args:
        url: Where it is.
        sent: What was sent.
    """

    name = "Prometheus"

    def __init__(self, url: str, sent: Sent) -> None:
        self._prometheus = Prometheus(url)
        self._sent = sent

    def missing(self) -> str:
        """Streams that are not counted, or figures without a way to their trace."""
        found = self._outcomes()
        if found != self._sent.outcomes:
            return f"{sum(self._sent.outcomes.values()) - sum(found.values())} streams by outcome"
        if [each.value for each in self._prometheus.query(_COUNT)] != [self._sent.first_tokens]:
            return "first tokens"
        return "" if self._exemplars() else "exemplars"

    def lines(self) -> Iterator[tuple[str, Text]]:
        """Percentiles, outcomes, an exemplar."""
        values = [self._prometheus.query(quantile(share)) for share in _QUANTILES]
        shown = [
            f"p{share * 100:g} {found[0].value:.2f} s" if found else f"p{share * 100:g} -"
            for share, found in zip(_QUANTILES, values, strict=True)
        ]
        yield "first token", Text(", ".join(shown))
        yield "streams", Text(counted(self._outcomes()))
        for each in self._exemplars()[:1]:
            trace_id = each["labels"]["trace_id"]
            yield "an exemplar", Text(f"{float(each['value']):.2f} s is trace {trace_id}")

    def asks(self) -> Iterator[str]:
        """The same percentile and outcomes; exemplars."""
        api = f"{self._prometheus.url}/api/v1"
        yield curl(f"{api}/query", query=quantile(_QUANTILES[0]))
        yield curl(f"{api}/query", query=_STREAMS)
        yield curl(f"{api}/query_exemplars", query=_BUCKET)

    def _outcomes(self) -> dict[str, int]:
        found = self._prometheus.query(_STREAMS)
        return {each.labels["otel_stream_outcome"]: int(each.value) for each in found}

    def _exemplars(self) -> list[Any]:
        now = time.time()
        return [
            each
            for series in self._prometheus.exemplars(_BUCKET, now - 3600, now)
            for each in series["exemplars"]
            if each["labels"].get("trace_id") in self._sent.trace_ids
        ]
