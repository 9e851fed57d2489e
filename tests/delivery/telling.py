"""Statuses told as the Cloud API does, and what came of them."""

from __future__ import annotations

import time
from typing import Any

import otel_stream
from otel_stream.testing import Captured
from tests.delivery.bodies import cloud, cloud_status

__all__ = ["LATENCY", "statuses", "told"]

LATENCY = "otel_stream.delivery.latency"


def told(status: str, identity: str = "ID1", **more: Any) -> int:
    """Tell a status, as the Cloud API does: now."""
    body = cloud_status(identity, status, **{"timestamp": str(int(time.time())), **more})
    return otel_stream.record_delivery_status(cloud(statuses=[body]))


def statuses(captured: Captured) -> list[Any]:
    """The status of each receipt."""
    spans = captured.spans("receipt whatsapp")
    return [(span.attributes or {})["otel_stream.delivery.status"] for span in spans]
