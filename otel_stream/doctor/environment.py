"""Where the data goes and which settings say so. Nothing is opened, made or connected to."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

from otel_stream import runtime
from otel_stream.doctor.report import Destination, InForce, Problem
from otel_stream.errors import OtelStreamError
from otel_stream.export import destination
from otel_stream.export.destination import FILE, GRPC, HTTP
from otel_stream.export.telemetry import Telemetry
from otel_stream.settings import ARGUMENT, Reading, Settings

__all__ = ["destinations", "in_force", "problems"]

_PORTS = (("http/protobuf", 4318), ("grpc", 4317))


def destinations(settings: Settings) -> list[Destination]:
    """Where each signal goes, or would go."""
    current = runtime.installed()
    telemetry = current.telemetry if current is not None else Telemetry(settings, begin=False)
    found: list[Destination] = []
    for line in telemetry.describe():
        signal, _, where = line.partition(": ")
        for place in _places(signal, settings):
            if place.exporter == FILE:
                where = where.replace(place.where, str(Path(place.where).absolute()))
        found.append(Destination(signal, where, _notes(signal)))
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
        found.append(InForce(field.name, _shown(value), _shown(field.default), source))
    return found


def problems(settings: Settings) -> list[Problem]:
    """What keeps private providers from being made, or from writing. Each is said once."""
    found = [one for signal in _private_signals(settings) for one in _problems(signal, settings)]
    return list({problem.what: problem for problem in found}.values())


def _problems(signal: str, settings: Settings) -> Iterator[Problem]:
    try:
        for place in destination.destinations(signal, settings):
            destination.check(place)
            yield from _unwritable(place)
            yield from _odd_port(place)
    except OtelStreamError as error:
        yield Problem(str(error), "correct the variable, or install what is missing")


def _private_signals(settings: Settings) -> list[str]:
    """The signals for which the application has no provider."""
    if settings.disabled:
        return []
    current = runtime.installed()
    telemetry = current.telemetry if current is not None else Telemetry(settings, begin=False)
    return telemetry.private_signals


def _places(signal: str, settings: Settings) -> list[destination.Destination]:
    """The destinations of a signal that goes through a private provider; none when one is wrong."""
    if signal not in _private_signals(settings):
        return []
    try:
        return destination.destinations(signal, settings)
    except OtelStreamError:
        return []


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


def _notes(signal: str) -> list[str]:
    sampler = os.environ.get("OTEL_TRACES_SAMPLER", "").strip()
    if signal != "traces" or not sampler:
        return []
    return [f"OTEL_TRACES_SAMPLER={sampler}: what it leaves out counts in metrics only"]


def _shown(value: object) -> str:
    if callable(value):
        return f"{value.__module__}:{getattr(value, '__qualname__', '?')}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(value)
    return "" if value is None else str(value)
