"""Colours that mean the same on each dashboard."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from otel_stream.outcome import Outcome

__all__ = ["DIRECTIONS", "OUTCOMES", "PERCENTILES", "STATUSES", "fixed"]

GREEN, ORANGE, RED = "#56A64B", "#FF9830", "#E02F44"

# Green is whole, greys and blues were stopped on our side, orange and red are broken.
OUTCOMES: dict[str, str] = {
    Outcome.COMPLETED.value: GREEN,
    Outcome.CLOSED_EARLY.value: "#8AB8FF",
    Outcome.CANCELLED.value: "#5D7FA8",
    Outcome.ABANDONED.value: "#8E8E9E",
    Outcome.TRUNCATED.value: ORANGE,
    Outcome.ERROR.value: RED,
}
PERCENTILES = {"p50": "#5794F2", "p95": "#B877D9", "p99": "#6E40AA"}
DIRECTIONS = {"input": "#8AB8FF", "output": "#3274D9"}
STATUSES = {
    "accepted": "#8AB8FF", "sent": "#5794F2", "delivered": "#73BF69", "read": GREEN, "failed": RED,
}  # fmt: skip


def fixed(panel: Any, colours: Mapping[str, str]) -> Any:
    """The panel, with these colours for the series of these names."""
    for name, colour in colours.items():
        value = {"mode": "fixed", "fixedColor": colour}
        panel = panel.override_by_name(name, [DynamicConfigValue("color", value)])
    return panel
