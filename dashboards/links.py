"""Where things are: uids of dashboards and data sources, and the page of runbooks."""

from __future__ import annotations

__all__ = ["RUNBOOKS", "TAG", "runbook"]

# The base of each alert's `runbook_url`: the page in the repository. Where the documentation is
# served, say so once: python -m dashboards --runbooks https://docs.example.com/runbooks.html
RUNBOOKS = "docs/runbooks.md"

TAG = "otel-stream"
OVERVIEW = "otel-stream-overview"
STREAM = "otel-stream-stream"
MODELS = "otel-stream-models"
DELIVERY = "otel-stream-delivery"
COLLECTORS = "otel-stream-collectors"
OVERVIEW_INFLUXDB = "otel-stream-overview-influxdb"

PROMETHEUS = "prometheus"
INFLUXDB = "influxdb"
JAEGER = "jaeger"
TEMPO = "tempo"


def runbook(alert: str, base: str = RUNBOOKS) -> str:
    """The section of an alert, whose heading is the alert's name."""
    return f"{base}#{alert.lower()}"
