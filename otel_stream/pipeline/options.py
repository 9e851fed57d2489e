"""The options of the command, each with its environment variable."""

from __future__ import annotations

import argparse
import math
import os
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from otel_stream.export.destination import deciding

__all__ = ["PREFIX", "Options", "UsageError", "add_options"]

PREFIX = "OTEL_STREAM_CHECK_"
_PLACES = ("jaeger", "prometheus", "influxdb", "jsonl")
_URLS = ("endpoint", "jaeger", "prometheus", "influxdb", "agent_telemetry", "agent_health")
_HELP = {
    "endpoint": ("URL", "where to send, OTLP over HTTP; default: OTEL_EXPORTER_OTLP_ENDPOINT, else "
                 "http://127.0.0.1:4318"),
    "jaeger": ("URL", "ask this Jaeger for the trace"),
    "prometheus": ("URL", "ask this Prometheus for the metrics"),
    "influxdb": ("URL", "ask this InfluxDB for the metrics"),
    "influxdb_database": ("NAME", "its database; default: otel_stream"),
    "jsonl": ("FOLDER", "look into the agent's JSON lines"),
    "agent_telemetry": ("URL", "the agent's own metrics, to say where something got lost"),
    "agent_health": ("URL", "the agent's health check"),
    "gateway_telemetry": ("URL", "a gateway's own metrics; once for each gateway"),
    "wait": ("SECONDS", "how long it may take; default: 60"),
}  # fmt: skip


class UsageError(Exception):
    """An option cannot be used; the message says which and what is expected."""


class Options(NamedTuple):
    """All of them, checked. Empty is not given."""

    endpoint: str = ""
    jaeger: str = ""
    prometheus: str = ""
    influxdb: str = ""
    influxdb_database: str = "otel_stream"
    jsonl: str = ""
    agent_telemetry: str = ""
    agent_health: str = ""
    gateway_telemetry: tuple[str, ...] = ()
    wait: float = 60.0
    json: bool = False

    @classmethod
    def read(cls, given: Mapping[str, object], environ: Mapping[str, str] = os.environ) -> Options:
        """From the command line, else from variables, else the defaults.

        Raises:
            UsageError: One cannot be used, or no back end is named.
        """
        said = {
            name: given.get(name) or environ.get(PREFIX + name.upper(), "").strip()
            for name in _HELP
        }
        gateways, wait = said.pop("gateway_telemetry"), _seconds(str(said.pop("wait") or 60))
        texts = {name: str(value) for name, value in said.items()}
        texts["influxdb_database"] = texts["influxdb_database"] or "otel_stream"
        for name in _URLS:
            _check_url(name, texts[name])
        listed: tuple[str, ...] = tuple(gateways.split() if isinstance(gateways, str) else gateways)  # type: ignore[arg-type]
        for url in listed:
            _check_url("gateway_telemetry", url)
        if not any(texts[name] for name in _PLACES):
            raise UsageError(f"name what to ask: {', '.join(map(_option, _PLACES))}")
        _check_protocol(texts["endpoint"])
        return cls(**texts, gateway_telemetry=listed, wait=wait, json=bool(given.get("json")))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a parser. All are read as text, and checked by `Options.read`."""
    for name, (metavar, about) in _HELP.items():
        many = "append" if name == "gateway_telemetry" else "store"
        parser.add_argument(_option(name), metavar=metavar, help=about, action=many)
    parser.add_argument("--json", action="store_true", help="for machines")


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _check_url(name: str, url: str) -> None:
    """The URL is not told: there may be a password in it."""
    if not url:
        return
    try:
        parts = urlsplit(url)
        right = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        right = False
    if not right or parts.query or parts.fragment or any(c.isspace() for c in url):
        raise UsageError(f"{_option(name)}: expected http://host:port, or https")


def _check_protocol(endpoint: str) -> None:
    variable = deciding("traces", "PROTOCOL")
    if endpoint or not deciding("traces", "ENDPOINT") or not variable:
        return
    if os.environ[variable].strip() == "grpc":
        raise UsageError(f"{variable} is grpc: name where OTLP over HTTP goes with --endpoint")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise UsageError("--wait: expected a number of seconds above 0")
    return value
