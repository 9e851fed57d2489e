"""Which ports a stack takes: those that everybody expects where they are free."""

from __future__ import annotations

from collections.abc import Mapping

from stack.servers import ports

__all__ = ["STANDARD", "PortError", "choose", "moved", "parsed"]

STANDARD = {
    "grpc": 4317, "http": 4318, "metrics": 8889, "telemetry": 8888, "health": 13133,
    "jaeger": 16686, "prometheus": 9090, "influxdb": 8086,
}  # fmt: skip
"""By name: OTLP over gRPC and HTTP, what Prometheus scrapes of the agent, what the agent says of
itself, its health; then the back ends' own."""


class PortError(Exception):
    """A port that was asked for cannot be had; the message is a line."""


def parsed(text: str) -> tuple[str, int]:
    """`NAME=N` as a name and a number.

    Raises:
        PortError: It is something else.
    """
    name, _, number = text.partition("=")
    if name not in STANDARD:
        raise PortError(f"{text!r}: a port is NAME=N, with a name of {', '.join(STANDARD)}")
    if not number.isascii() or not number.isdigit() or not 1 <= int(number) <= 65535:
        raise PortError(f"{text!r}: a port is a number from 1 to 65535")
    return name, int(number)


def choose(given: Mapping[str, int]) -> dict[str, int]:
    """A port for each name: the one that was given, else the standard one, else a free one.

    Raises:
        PortError: One that was given is taken, or was given twice.
    """
    for name, number in given.items():
        if not ports.is_free(number):
            raise PortError(f"port {number} for {name} cannot be had: somebody listens there")
        if list(given.values()).count(number) > 1:
            raise PortError(f"port {number} was given twice")
    taken = set(given.values())
    ports.keep(taken)
    others = dict(zip(STANDARD, ports.free(len(STANDARD)), strict=True))
    return {
        name: given.get(name)
        or (number if number not in taken and ports.is_free(number) else others[name])
        for name, number in STANDARD.items()
    }


def moved(chosen: Mapping[str, int], given: Mapping[str, int]) -> list[str]:
    """A line for each port that is not the one that everybody expects, and was not asked for."""
    return [
        f"port {STANDARD[name]} is taken: {name} is on {number} instead"
        for name, number in chosen.items()
        if name not in given and number != STANDARD[name]
    ]
