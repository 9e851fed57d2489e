"""Where the data goes and which settings say so. Nothing is opened, made or connected to."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

from otel_stream import destination, runtime
from otel_stream.destination import FILE, GRPC, HTTP
from otel_stream.doctor.report import Destination, InForce, Problem
from otel_stream.errors import OtelStreamError
from otel_stream.settings import ARGUMENT, Reading, Settings
from otel_stream.telemetry import Telemetry

__all__ = ["destinations", "in_force", "problems"]

_USUAL_PORT = {"4317": (GRPC, "gRPC"), "4318": (HTTP, "http/protobuf")}


def destinations(settings: Settings) -> list[Destination]:
    """Where each signal goes, or would go."""
    current = runtime.installed()
    telemetry = current.telemetry if current is not None else Telemetry(settings, begin=False)
    found: list[Destination] = []
    for line in telemetry.describe():
        signal, _, where = line.partition(": ")
        places = _places(signal, settings)
        for place in places:
            if place.exporter == FILE:
                where = where.replace(place.where, str(Path(place.where).absolute()))
        found.append(Destination(signal, where, _notes(signal, places)))
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


def problems(settings: Settings) -> Iterator[Problem]:
    """What keeps private providers from being made, or from writing."""
    found: dict[str, Problem] = {}
    for signal in _private_signals(settings):
        try:
            for place in destination.destinations(signal, settings):
                destination.check(place)
                found.update((problem.what, problem) for problem in _unwritable(place))
        except OtelStreamError as error:
            remedy = "correct the variable, or install what is missing"
            found[str(error)] = Problem(str(error), remedy)
    yield from found.values()


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


def _notes(signal: str, places: list[destination.Destination]) -> list[str]:
    """What a person may not expect of this signal's way."""
    found = [note for place in places for note in _odd_port(place)]
    sampler = os.environ.get("OTEL_TRACES_SAMPLER", "").strip()
    if signal == "traces" and sampler:
        found.append(f"OTEL_TRACES_SAMPLER={sampler}: what it leaves out counts in metrics only")
    return found


def _odd_port(place: destination.Destination) -> Iterator[str]:
    """A common mistake: one protocol, and the port that collectors use for the other."""
    for port, (exporter, protocol) in _USUAL_PORT.items():
        usual = place.where.partition("://")[2].partition("/")[0].endswith(f":{port}")
        if usual and place.exporter in (HTTP, GRPC) and place.exporter != exporter:
            spoken = dict(_USUAL_PORT.values())[place.exporter]
            yield (
                f"{spoken} is spoken here, and {port} is the usual port of {protocol}:"
                " see OTEL_EXPORTER_OTLP_PROTOCOL"
            )


def _shown(value: object) -> str:
    if callable(value):
        return f"{value.__module__}:{getattr(value, '__qualname__', '?')}"
    return ",".join(value) if isinstance(value, tuple) else str(value)
