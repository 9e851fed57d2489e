"""Where the private providers send a signal, as the standard variables say.

`OTEL_TRACES_EXPORTER` (`_METRICS_`, `_LOGS_`) names exporters; else an OTLP endpoint means OTLP;
else the signal goes to a file. OTLP is http/protobuf unless its variable says grpc. Source:
OpenTelemetry specification, configuration/sdk-environment-variables.md and protocol/exporter.md.
Nothing is imported or opened here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from otel_stream.errors import MissingExtraError, SettingsError
from otel_stream.settings import Settings

__all__ = [
    "FILE", "GRPC", "HTTP", "PROMETHEUS", "Destination", "check", "checked", "deciding",
    "destinations", "without_credentials",
]  # fmt: skip

FILE = "file"
HTTP = "otlp_proto_http"
GRPC = "otlp_proto_grpc"
PROMETHEUS = "prometheus"
_PROTOCOLS = {"grpc": GRPC, "http/protobuf": HTTP}


class Destination(NamedTuple):
    """One place that a signal goes to."""

    signal: str
    exporter: str
    """`FILE`, `HTTP`, `GRPC`, `PROMETHEUS`, or the name of an entry point."""
    where: str
    """In words, without credentials. A file's path is absolute."""


def destinations(signal: str, settings: Settings) -> list[Destination]:
    """All places that `signal` (traces, metrics, logs) goes to; none when it is switched off.

    Raises:
        SettingsError: A variable names a protocol that does not exist.
    """
    found = [
        Destination(signal, name, _where(name, signal, settings))
        for name in dict.fromkeys(_exporters(signal))
    ]
    if signal == "metrics" and settings.prometheus:
        host = settings.prometheus_host
        shown = f"[{host}]" if ":" in host else host
        url = f"http://{shown}:{settings.prometheus_port}/metrics"
        found.append(Destination(signal, PROMETHEUS, url))
    return found


def checked(signal: str, settings: Settings) -> list[Destination]:
    """The same, where each has its exporter.

    Raises:
        MissingExtraError: One needs an extra that is not installed.
        SettingsError: A variable names a protocol that does not exist, or an exporter that is not
            installed.
    """
    found = destinations(signal, settings)
    for each in found:
        check(each)
    return found


def check(destination: Destination) -> None:
    """Make sure that there is an exporter for it.

    Raises:
        MissingExtraError: It needs an extra that is not installed.
        SettingsError: A variable names an exporter that is not installed.
    """
    signal, exporter, _ = destination
    if exporter == GRPC and not _installed("opentelemetry.exporter.otlp.proto.grpc"):
        raise MissingExtraError("OTLP over gRPC needs: pip install 'otel-stream[grpc]'")
    if exporter == PROMETHEUS and not _installed("opentelemetry.exporter.prometheus"):
        raise MissingExtraError("Prometheus needs: pip install 'otel-stream[prometheus]'")
    if exporter in (FILE, HTTP, GRPC, PROMETHEUS):
        return
    from importlib.metadata import entry_points

    names = entry_points(group=f"opentelemetry_{signal}_exporter").names
    if exporter not in names:
        ours = {"none", "otlp", FILE} | ({PROMETHEUS} if signal == "metrics" else set())
        allowed = ", ".join(sorted(names | ours))
        raise SettingsError(f"{_listing(signal)}={exporter!r}: expected some of {allowed}")


def deciding(signal: str, what: str) -> str:
    """The variable that says `what` (ENDPOINT, PROTOCOL) of OTLP for a signal; "" if none does."""
    names = (f"OTEL_EXPORTER_OTLP_{signal.upper()}_{what}", f"OTEL_EXPORTER_OTLP_{what}")
    return next((name for name in names if _read(name)), "")


def without_credentials(url: str) -> str:
    """A URL for everybody's eyes."""
    scheme, mark, rest = url.partition("://")
    if not mark:
        scheme, rest = "", url
    authority, slash, path = rest.partition("/")
    return scheme + mark + authority.rpartition("@")[2] + slash + path.partition("?")[0]


def _exporters(signal: str) -> Iterator[str]:
    listed = _read(_listing(signal))
    if not listed:
        yield _otlp(signal) if deciding(signal, "ENDPOINT") else FILE
        return
    for name in map(str.strip, listed.split(",")):
        if name == "otlp":
            yield _otlp(signal)
        # Prometheus is a setting of ours, which reads this variable too.
        elif name and name.lower() not in ("none", PROMETHEUS):
            yield name


def _otlp(signal: str) -> str:
    name = deciding(signal, "PROTOCOL")
    if not name:
        return HTTP
    protocol = _read(name)
    if protocol not in _PROTOCOLS:
        raise SettingsError(f"{name}={protocol!r}: expected one of {', '.join(_PROTOCOLS)}")
    return _PROTOCOLS[protocol]


def _where(exporter: str, signal: str, settings: Settings) -> str:
    if exporter == FILE:
        return os.path.abspath(os.path.join(settings.data_dir, f"{signal}.jsonl"))
    if exporter not in (GRPC, HTTP):
        return f"the exporter {exporter!r}"
    name = deciding(signal, "ENDPOINT")
    if exporter == GRPC:
        return without_credentials(_read(name) or "http://localhost:4317")
    url = _read(name) or "http://localhost:4318"
    if not name or name == "OTEL_EXPORTER_OTLP_ENDPOINT":
        url = f"{url.rstrip('/')}/v1/{signal}"
    return without_credentials(url)


def _listing(signal: str) -> str:
    return f"OTEL_{signal.upper()}_EXPORTER"


def _read(variable: str) -> str:
    return os.environ.get(variable, "").strip()


def _installed(module: str) -> bool:
    from importlib.util import find_spec

    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # one of its parents
        return False
