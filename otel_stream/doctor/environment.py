"""Where the data goes and which settings say so. Nothing is opened, made or connected to."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from otel_stream import runtime
from otel_stream.doctor import variables
from otel_stream.doctor.report import Destination, InForce, Problem
from otel_stream.errors import MissingExtraError, OtelStreamError
from otel_stream.export import destination
from otel_stream.export.destination import FILE, GRPC, HTTP, PROMETHEUS
from otel_stream.export.telemetry import Telemetry
from otel_stream.settings import Reading, Settings
from otel_stream.sources import ARGUMENT

__all__ = ["destinations", "in_force", "private_signals", "problems"]

_PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
_PORTS = (("http/protobuf", 4318), ("grpc", 4317))


def destinations(settings: Settings) -> list[Destination]:
    """Where each signal goes, or would go."""
    current = runtime.installed()
    telemetry = current.telemetry if current is not None else Telemetry(settings, begin=False)
    found: list[Destination] = []
    for line in telemetry.describe():
        signal, _, where = line.partition(": ")
        goes = not where.startswith(("nowhere", "off"))
        found.append(Destination(signal, where, _notes(signal, settings) if goes else []))
    return found


def in_force(settings: Settings, reading: Reading) -> list[InForce]:
    """The settings that differ from their defaults, in their order.

    Args:
        settings: Those in force.
        reading: What the environment says. What it does not explain was an argument.
    """
    found: list[InForce] = []
    for field in dataclasses.fields(Settings):
        value = getattr(settings, field.name)
        if value == field.default:
            continue
        explained = value == getattr(reading.settings, field.name)
        source = reading.sources.get(field.name, ARGUMENT) if explained else ARGUMENT
        shown = _shown(value)
        if field.metadata["value"].private:
            shown = destination.without_credentials(shown)
        found.append(InForce(field.name, shown, _shown(field.default), source))
    return found


def problems(settings: Settings) -> list[Problem]:
    """What keeps private providers from being made, or from writing. Each is said once."""
    found = [one for signal in private_signals(settings) for one in _problems(signal, settings)]
    return list({problem.what: problem for problem in found}.values())


def _problems(signal: str, settings: Settings) -> Iterator[Problem]:
    try:
        places = destination.destinations(signal, settings)
    except OtelStreamError as error:
        yield Problem(str(error), "correct the variable, or unset it")
        return
    for place in places:
        try:
            destination.check(place)
        except MissingExtraError as error:
            yield _missing_extra(place, error)
        except OtelStreamError as error:
            yield Problem(str(error), "correct the variable, or install what is missing")
        else:
            yield from _unwritable(place)
            yield from _odd_port(place)


def _missing_extra(place: destination.Destination, error: MissingExtraError) -> Problem:
    """What to install, or what to set where that is not wanted."""
    if place.exporter == PROMETHEUS:
        asked = "OTEL_STREAM_PROMETHEUS, or prometheus in OTEL_METRICS_EXPORTER"
        return Problem(str(error), f"pip install 'otel-stream[prometheus]', or unset {asked}")
    what = str(error)
    protocol = destination.deciding(place.signal, "PROTOCOL")
    instead = f"set {protocol}=http/protobuf"
    listing = f"OTEL_{place.signal.upper()}_EXPORTER"
    if GRPC in os.environ.get(listing, ""):
        instead = f"name {HTTP} in {listing}"
    elif protocol == _PROTOCOL and "opentelemetry.distro" in sys.modules:
        # It writes its defaults into the environment, so nobody need have set the variable.
        what += f" (opentelemetry-distro sets {_PROTOCOL}=grpc where nothing is set)"
    return Problem(what, f"pip install 'otel-stream[grpc]', or {instead}")


def private_signals(settings: Settings) -> list[str]:
    """The signals for which the application has no provider."""
    if settings.disabled:
        return []
    current = runtime.installed()
    telemetry = current.telemetry if current is not None else Telemetry(settings, begin=False)
    return telemetry.private_signals


def _unwritable(place: destination.Destination) -> Iterator[Problem]:
    if place.exporter != FILE:
        return
    folder = Path(place.where).absolute().parent
    there = next(path for path in (folder, *folder.parents) if path.exists())
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        yield Problem(
            f"files cannot be written to {folder}",
            "make it writable, or set OTEL_STREAM_DATA_DIR to another folder",
        )


def _odd_port(place: destination.Destination) -> Iterator[Problem]:
    """A common mistake: one protocol, and the port on which collectors expect the other."""
    if place.exporter not in (HTTP, GRPC):
        return
    host = place.where.partition("://")[2].partition("/")[0]
    (spoken, usual), (expected, other) = _PORTS if place.exporter == HTTP else _PORTS[::-1]
    if host.endswith(f":{other}"):
        yield Problem(
            f"{spoken} is sent to {host}, and collectors expect {expected} on that port",
            f"set OTEL_EXPORTER_OTLP_PROTOCOL={expected}, or the endpoint's port to {usual}",
        )


def _notes(signal: str, settings: Settings) -> list[str]:
    sampler = os.environ.get("OTEL_TRACES_SAMPLER", "").strip()
    if signal == "traces" and sampler and variables.is_sampler(sampler):
        return [f"OTEL_TRACES_SAMPLER={sampler}: what it leaves out counts in metrics only"]
    logs = settings.events in ("log", "both") or settings.capture_content in ("event", "both")
    if signal == "logs" and not logs:
        asked = "OTEL_STREAM_EVENTS=log, OTEL_STREAM_CAPTURE_CONTENT=event"
        return [f"nothing of ours, unless events or content are to go there: {asked}"]
    return []


def _shown(value: object) -> str:
    if callable(value):
        return f"{value.__module__}:{getattr(value, '__qualname__', '?')}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(value)
    return "" if value is None else str(value)
