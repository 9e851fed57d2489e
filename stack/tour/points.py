"""InfluxDB: what each interval brought."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from otel_stream.pipeline.influxdb import InfluxDB
from stack.servers.running import DATABASE
from stack.table import ask_influxdb
from stack.tour.finding import counted
from stack.tour.sent import SERVICE, Sent

__all__ = ["Points"]

_WHERE = f"FROM prometheus WHERE \"service.name\" = '{SERVICE}'"
_STREAMS = f"SELECT sum(otel_stream_streams_total) AS streams {_WHERE} GROUP BY otel_stream_outcome"
_ROWS = (
    "SELECT otel_stream_streams_total AS streams, gen_ai_request_model, otel_stream_outcome "
    f"{_WHERE} AND otel_stream_streams_total > 0 ORDER BY time LIMIT 4"
)


class Points:
    """What InfluxDB has.

    Args:
        url: Where it is.
        sent: What was sent.
    """

    name = "InfluxDB"

    def __init__(self, url: str, sent: Sent) -> None:
        self._influxdb = InfluxDB(url, DATABASE)
        self._sent = sent

    def missing(self) -> str:
        """Streams that are not counted."""
        found = self._outcomes()
        if found == self._sent.outcomes:
            return ""
        return f"{sum(self._sent.outcomes.values()) - sum(found.values())} streams by outcome"

    def lines(self) -> Iterator[tuple[str, Text]]:
        """Sums, and some rows."""
        yield "streams", Text(counted(self._outcomes()))
        for number, found in enumerate(self._influxdb.query(_ROWS)):
            told = f"{found['gen_ai_request_model']:18} {found['otel_stream_outcome']}"
            line = Text(f"{found['time']}  {found['streams']}  {told}")
            yield "" if number else "rows", line

    def asks(self) -> Iterator[str]:
        """The same sums and rows."""
        yield ask_influxdb(self._influxdb.url, _STREAMS)
        yield ask_influxdb(self._influxdb.url, _ROWS)

    def _outcomes(self) -> dict[str, int]:
        found = self._influxdb.query(_STREAMS)
        return {each["otel_stream_outcome"]: int(each["streams"]) for each in found}
