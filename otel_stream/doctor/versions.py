"""The versions that matter, and whether they are those that we need."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement

from otel_stream.doctor.report import Problem

__all__ = ["examine", "installed", "problems"]

OURS = "otel-stream"
SHOWN = (
    "opentelemetry-api",
    "opentelemetry-sdk",
    "opentelemetry-instrumentation",
    "openai",
    "anthropic",
    "httpx",
    "httpx2",
)


def installed(distribution: str) -> str | None:
    """The installed version of a distribution, or None."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def examine() -> dict[str, str | None]:
    """Versions by name, in the order in which they are shown."""
    found: dict[str, str | None] = {OURS: installed(OURS), "python": platform.python_version()}
    return found | {name: installed(name) for name in SHOWN}


def problems() -> Iterator[Problem]:
    """What of our own dependencies is not as we declare it."""
    try:
        declared = requires(OURS) or []
    except PackageNotFoundError:
        yield Problem(
            "otel-stream can be imported and is not installed, so no instrumentor is found",
            "pip install otel-stream",
        )
        return
    for text in declared:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        found = installed(requirement.name)
        if found is None or not requirement.specifier.contains(found, prereleases=True):
            wanted = f"{requirement.name}{requirement.specifier}"
            yield Problem(
                f"otel-stream needs {wanted}, and {found or 'none'} is installed",
                f"pip install --upgrade '{wanted}'",
            )
