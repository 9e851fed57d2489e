"""Who else traces the same calls: other instrumentors, and products that bring their own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from otel_stream import control
from otel_stream.doctor import versions
from otel_stream.doctor.instrumentors import DISABLED, disabled_names
from otel_stream.doctor.report import Other, Problem

__all__ = ["examine", "problems"]

OFFICIAL = "opentelemetry.instrumentation.genai."
"""Where the instrumentations of the OpenTelemetry project live. With them ours is one span."""

# Distribution: the module to look for, and what makes it trace these calls.
PRODUCTS = {
    "ddtrace": ("ddtrace", "traces them under ddtrace-run, or after ddtrace.auto or ddtrace.patch"),
    "langfuse": ("langfuse", "traces them through langfuse.openai"),
    "logfire": ("logfire", "traces them after logfire.instrument_openai or _anthropic"),
    "openlit": ("openlit", "traces them after openlit.init"),
    "sentry-sdk": ("sentry_sdk", "traces them after sentry_sdk.init"),
    "traceloop-sdk": ("traceloop", "traces them after Traceloop.init"),
}
_ONE = "its span of a call and ours are one"
_TOGETHER = {
    "agno": "started after ours it leaves runs and tools to us, before ours it has its own too"
}
"""How the official ones go together with ours, where it is not one span."""
_KEEP_ONE = "where both send to one place, keep one"


def examine(libraries: set[str]) -> list[Other]:
    """All that are installed, instrumentors first."""
    found = {
        (entry.dist.name if entry.dist else entry.name, entry.name): entry
        for entry in entry_points(group=control.GROUP)
        if _is_rival(entry, libraries)
    }
    return [*(_instrumentor(found[key]) for key in sorted(found)), *_products()]


def problems(found: list[Other]) -> Iterator[Problem]:
    """Those at work here whose spans would stand beside ours."""
    for each in found:
        if each.state == "active" and each.remedy:
            yield Problem(f"{each.name} {each.version} traces the same calls", each.remedy)


def _is_rival(entry: EntryPoint, libraries: set[str]) -> bool:
    if entry.name.startswith(control.PREFIX):
        return False
    distribution = entry.dist.name if entry.dist else ""
    return entry.name in libraries or any(
        distribution.lower().replace("_", "-").endswith(f"-{library}") for library in libraries
    )


def _instrumentor(entry: EntryPoint) -> Other:
    name = entry.dist.name if entry.dist else entry.value
    version = entry.dist.version if entry.dist else ""
    if entry.module.startswith(OFFICIAL):
        what = f"instruments {entry.name}; {_TOGETHER.get(entry.name, _ONE)}"
        return Other(name, version, _state(entry), what, "")
    what = f"instruments {entry.name}; may make a second span of a call"
    remedy = f"keep one: {DISABLED}={entry.name} under opentelemetry-instrument, or do not start it"
    return Other(name, version, _state(entry), what, remedy)


def _state(entry: EntryPoint) -> Any:
    """Told without importing it: what is not imported cannot be active."""
    if disabled_names() & {entry.name, "*"}:
        return "disabled"
    kind = getattr(sys.modules.get(entry.module), entry.attr, None)
    if kind is None:
        return "installed"
    instance = getattr(kind, "_instance", None)
    active = getattr(instance, "is_instrumented_by_opentelemetry", False)
    return "active" if active else "imported"


def _products() -> Iterator[Other]:
    for distribution, (module, what) in PRODUCTS.items():
        version = versions.installed(distribution)
        if version is not None:
            state: Any = "imported" if module in sys.modules else "installed"
            yield Other(distribution, version, state, what, _KEEP_ONE)
