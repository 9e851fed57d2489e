"""Questions to the real Prometheus, InfluxDB and Jaeger, and what they answer."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

from stack.servers.running import DATABASE, Stack

Result = list[dict[str, Any]]

# What Grafana puts in place of its variables.
GRAFANA = {
    "__rate_interval": "1m",
    "__range": "30m",
    "__interval_ms": "10000",
    "__interval": "10s",
    "timeFilter": "time > now() - 30m",
    "trace_id": "",
}


def filled_in(query: str) -> str:
    """A query as Grafana sends it, with all values chosen."""
    variable = r"\$\{(\w+)(?::\w+)?\}|\$(\w+)"
    return re.sub(variable, lambda one: GRAFANA.get(one[1] or one[2], ".*"), query)


def get(url: str, **parameters: str) -> Any:
    """An answer in JSON. A refusal is told in its own words."""
    try:
        with urlopen(f"{url}?{urlencode(parameters)}", timeout=30.0) as answer:
            return json.load(answer)
    except HTTPError as refused:
        raise AssertionError(f"{parameters}: {refused.read().decode()}") from None


def eventually(what: Callable[[], object], timeout: float) -> bool:
    """Wait until it holds, at most so many seconds."""
    until = time.monotonic() + timeout
    while not what() and time.monotonic() < until:
        time.sleep(0.5)
    return bool(what())


@dataclass(frozen=True)
class Answers:
    """What the stack knows.

    Args:
        stack: The stack.
        since: When it began to be filled, in seconds since the epoch.
    """

    stack: Stack
    since: float

    def _prometheus(self, path: str, **parameters: str) -> Any:
        return get(f"{self.stack.prometheus.url}/api/v1/{path}", **parameters)["data"]

    def now(self, query: str) -> Result:
        """An instant query: at the next whole minute, at which subqueries look again."""
        at = math.ceil(time.time() / 60) * 60
        data = self._prometheus("query", query=filled_in(query), time=str(at))
        assert data["resultType"] == "vector"
        found: Result = data["result"]
        return found

    def over_time(self, query: str) -> Result:
        """A range query, from the beginning until now."""
        data = self._prometheus(
            "query_range",
            query=filled_in(query),
            start=str(self.since),
            end=str(time.time()),
            step="2",
        )
        assert data["resultType"] == "matrix"
        found: Result = data["result"]
        return found

    def values_of(self, label_values: str) -> set[str]:
        """What a variable's `label_values(series, label)` offers."""
        matched = re.fullmatch(r"label_values\((.*), (\w+)\)", label_values)
        assert matched is not None
        series = self._prometheus("series", **{"match[]": filled_in(matched[1])})
        return {one[matched[2]] for one in series}

    def exemplars(self, query: str) -> Result:
        """The exemplars of the series in a query."""
        found: Result = self._prometheus(
            "query_exemplars",
            query=filled_in(query),
            start=str(self.since),
            end=str(time.time() + 60),
        )
        return found

    def rules(self) -> Result:
        """All rules and alerts as Prometheus has them."""
        groups = self._prometheus("rules")["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def influxdb(self, query: str) -> Result:
        """The series that an InfluxQL query returns."""
        answered = get(f"{self.stack.influxdb.url}/query", q=filled_in(query), db=DATABASE)
        result = answered["results"][0]
        assert "error" not in result, f"{query}: {result['error']}"
        found: Result = result.get("series", [])
        return found

    def jaeger(self, path: str, **parameters: str) -> Result:
        """What Jaeger's query API returns."""
        found: Result = get(f"{self.stack.jaeger.url}/api/{path}", **parameters)["data"]
        return found
