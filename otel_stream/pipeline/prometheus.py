"""Prometheus's HTTP API."""

from __future__ import annotations

from typing import Any, NamedTuple

from otel_stream.pipeline.answer import Unreachable, ask_json, shown

__all__ = ["Prometheus", "Sample"]


class Sample(NamedTuple):
    """One element of an instant vector."""

    labels: dict[str, str]
    value: float


class Prometheus:
    """One Prometheus, or anything with its API.

    Args:
        url: Where its page is, as http://127.0.0.1:9090.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def query(self, expression: str) -> list[Sample]:
        """An expression's value now.

        Raises:
            Unreachable: Prometheus does not answer, or refuses the expression.
        """
        found = self._get("query", query=expression)["result"]
        return [Sample(each["metric"], float(each["value"][1])) for each in found]

    def exemplars(self, expression: str, start: float, end: float) -> list[Any]:
        """The exemplars of the series that an expression uses.

        Raises:
            Unreachable: Prometheus does not answer, or refuses the expression.
        """
        return list(self._get("query_exemplars", query=expression, start=start, end=end))

    def targets(self) -> list[Any]:
        """The targets that it scrapes, each with `scrapePool`, `scrapeUrl`, `health`, `lastError`.

        Raises:
            Unreachable: Prometheus does not answer.
        """
        return list(self._get("targets", state="active")["activeTargets"])

    def _get(self, what: str, **parameters: object) -> Any:
        url = f"{self.url}/api/v1/{what}"
        answer = ask_json(url, parameters)
        if answer.get("status") != "success":
            raise Unreachable(f"{shown(url)} answers {answer.get('error', 'an error')}")
        return answer["data"]
