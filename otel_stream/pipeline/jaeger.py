"""Jaeger's query API (v3: OTLP JSON)."""

from __future__ import annotations

from typing import Any

from otel_stream.pipeline.answer import Unreachable, ask_json

__all__ = ["Jaeger"]

_NO_SUCH_TRACE = " answers 404 "


class Jaeger:
    """One Jaeger, or anything with its query API.

    Args:
        url: Where its page is, as http://127.0.0.1:16686.
    """

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def resource_spans(self, trace_id: str) -> list[Any]:
        """The `resourceSpans` of a trace; empty if it is not there.

        Raises:
            Unreachable: Jaeger does not answer.
        """
        try:
            answer = ask_json(f"{self.url}/api/v3/traces/{trace_id}")
        except Unreachable as error:
            if _NO_SUCH_TRACE in str(error):
                return []
            raise
        found: list[Any] = answer["result"]["resourceSpans"]
        return found

    def services(self) -> list[str]:
        """The names of all services that it has traces of.

        Raises:
            Unreachable: Jaeger does not answer.
        """
        return list(ask_json(f"{self.url}/api/services")["data"] or ())

    def trace_ids(self, service: str, limit: int = 1000) -> list[str]:
        """The ids of a service's latest traces.

        Raises:
            Unreachable: Jaeger does not answer.
        """
        answer = ask_json(f"{self.url}/api/traces", {"service": service, "limit": limit})
        return [trace["traceID"] for trace in answer["data"]]
