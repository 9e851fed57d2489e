"""What the OTLP exporters are told beyond what the standard variables say.

Compression: gzip, unless a variable says otherwise or the receiver is on this machine, where the
bytes cost nothing and the compression as much as the encoding of captured content, or ten times
it. Retries: what is kept (see `delivery`) is not tried again by the exporter.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Sequence
from importlib import import_module
from logging import LogRecord
from typing import Any

from otel_stream.export.destination import GRPC, Destination, deciding
from otel_stream.export.verdict import Verdict, of_records

__all__ = ["Judge", "is_local", "options"]

Judge = Callable[[Sequence[LogRecord]], Verdict | None]
"""What an export that failed means, by what the exporter has logged meanwhile."""

_CREDENTIALS = "OTEL_PYTHON_EXPORTER_OTLP_HTTP_{}CREDENTIAL_PROVIDER"


def options(place: Destination) -> tuple[dict[str, Any], Judge]:
    """The arguments of the exporter, and what judges the answers that it gets."""
    return _grpc(place) if place.exporter == GRPC else _http(place)


def is_local(where: str) -> bool:
    """Whether a URL, or host and port, is of this machine's loopback."""
    authority = (where.partition("://")[2] or where).partition("/")[0].rpartition("@")[2]
    host = authority.partition("]")[0][1:] if authority[:1] == "[" else authority.partition(":")[0]
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _http(place: Destination) -> tuple[dict[str, Any], Judge]:
    from opentelemetry.exporter.otlp.proto.http import Compression

    from otel_stream.export.session import Session

    given: dict[str, Any] = {}
    if not deciding(place.signal, "COMPRESSION") and not is_local(place.where):
        given["compression"] = Compression.Gzip
    signals = ("", f"{place.signal.upper()}_")
    if any(os.environ.get(_CREDENTIALS.format(each)) for each in signals):
        return given, of_records  # a session of somebody else's, with what it needs
    session = Session(keeps=place.signal != "metrics")
    return {**given, "session": session}, session.judge


def _grpc(place: Destination) -> tuple[dict[str, Any], Judge]:
    grpc: Any = import_module("grpc")
    kinds = {
        "none": grpc.Compression.NoCompression,  # which the exporter refuses in its variable
        "deflate": grpc.Compression.Deflate,
        "gzip": grpc.Compression.Gzip,
    }
    named = os.environ.get(deciding(place.signal, "COMPRESSION"), "").strip().lower()
    ours = "none" if is_local(place.where) else "gzip"
    given: dict[str, Any] = {"compression": kinds[named if named in kinds else ours]}
    if place.signal != "metrics":
        given["retryable_error_codes"] = [grpc.StatusCode.OK]  # that is: none
    return given, of_records
