"""Who is measured: one entry each, with its environment and how it is switched on.

Everybody runs with its own default settings, under the same OpenTelemetry providers where it
accepts them. A contender is imported only when it is activated, in its own environment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import activation
from activation import Active
from workload import LIBRARIES

SDK = ("openai", "anthropic")
OTEL = "opentelemetry-sdk"
NO_NATIVE_SPAN = {"ANTHROPIC_OPEN_TELEMETRY": "false"}


@dataclass(frozen=True)
class Contender:
    """One row of the tables."""

    name: str
    """For the command line and the JSON."""
    title: str
    """For the tables."""
    requirements: str
    """Name of the file in `requirements/` that pins its environment."""
    activate: Callable[[], Active]
    """Switches it on, once, in the process."""
    distributions: tuple[str, ...] = ()
    """What its version is quoted of."""
    libraries: tuple[str, ...] = LIBRARIES
    """What it traces."""
    note: str = ""
    """What differs from the others; for the page."""
    module: str = ""
    """What a program imports to use it; its import time is measured."""
    environ: dict[str, str] = field(default_factory=lambda: dict(NO_NATIVE_SPAN))


OURS = Contender(
    "ours",
    "otel-stream",
    "ours",
    activation.ours,
    ("otel-stream",),
    note="content off (its default)",
    module="otel_stream",
    environ={},
)

CONTENDERS = (
    Contender(
        "control",
        "nothing (noise of the measure)",
        "bare",
        activation.nothing,
        note="the bare SDK against itself",
    ),
    Contender(
        "clocks",
        "a generator with two clock reads",
        "bare",
        activation.two_clocks,
        note="no telemetry: reads the clock before and after each chunk and forgets it",
    ),
    Contender(
        "clocks-kept",
        "the same, waits kept in an array",
        "bare",
        activation.two_clocks_kept,
        note="no telemetry: also appends each wait to an `array('d')`",
    ),
    OURS,
    Contender(
        "ours-content",
        "otel-stream, content captured",
        "ours",
        activation.ours_with_content,
        ("otel-stream",),
        note="`capture_content=True`",
        environ={},
    ),
    Contender(
        "native",
        "anthropic SDK's own span",
        "bare",
        activation.native,
        ("anthropic",),
        libraries=("anthropic",),
        note="what the SDK does by itself once a tracer provider is set; no metrics",
        environ={},
    ),
    Contender(
        "langfuse",
        "Langfuse",
        "langfuse",
        activation.langfuse,
        ("langfuse",),
        libraries=("openai",),
        note="content on (its default); no metrics; openai only",
        module="langfuse",
    ),
    Contender(
        "sentry",
        "Sentry",
        "sentry",
        activation.sentry,
        ("sentry-sdk",),
        note="`traces_sample_rate=1`, a transport that drops everything; content off (its "
        "default); no metrics; each stream is a transaction of its own",
        module="sentry_sdk",
    ),
    Contender(
        "official",
        "OpenTelemetry GenAI (official)",
        "official",
        activation.official,
        (
            "opentelemetry-util-genai",
            "opentelemetry-instrumentation-genai-openai",
            "opentelemetry-instrumentation-genai-anthropic",
        ),
        note="content off (its default)",
        module="opentelemetry.instrumentation.genai.openai",
    ),
    Contender(
        "openinference",
        "OpenInference",
        "openinference",
        activation.openinference,
        ("openinference-instrumentation-openai", "openinference-instrumentation-anthropic"),
        note="content on (its default); no metrics",
        module="openinference.instrumentation.openai",
    ),
    Contender(
        "openllmetry",
        "OpenLLMetry",
        "openllmetry",
        activation.openllmetry,
        ("opentelemetry-instrumentation-openai", "opentelemetry-instrumentation-anthropic"),
        note="content on (its default)",
        module="opentelemetry.instrumentation.openai",
    ),
)

BARE = Contender("bare", "bare SDK", "bare", activation.nothing)
"""The other half of every pair; it runs in the contender's own environment."""

BY_NAME = {contender.name: contender for contender in (BARE, *CONTENDERS)}
