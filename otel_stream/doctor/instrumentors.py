"""Our instrumentors: what each would wrap, and whether its library has what is to be wrapped."""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib.metadata import EntryPoint

from packaging.requirements import Requirement

from otel_stream import control
from otel_stream.doctor import versions
from otel_stream.doctor.report import Instrumentor, Problem, State
from otel_stream.instrumentor import StreamInstrumentor
from otel_stream.settings import Settings

__all__ = ["DISABLED", "chosen", "disabled_names", "examine", "problems"]

DISABLED = "OTEL_PYTHON_DISABLED_INSTRUMENTATIONS"
"""Entry points that `opentelemetry-instrument` is not to load."""

chosen = control.chosen


def disabled_names() -> set[str]:
    """What that variable names; `*` stands for all."""
    return {name.strip() for name in os.environ.get(DISABLED, "").split(",")} - {""}


def examine(settings: Settings) -> list[Instrumentor]:
    """All of ours, by name."""
    return [_examine(entry, settings) for entry in control.candidates()]


def problems(found: list[Instrumentor]) -> Iterator[Problem]:
    """What stands in the way of tracing."""
    for each in found:
        name, version = each.library, each.version
        if each.state == "too_old":
            yield Problem(
                f"{name} {version} is too old to be traced: {each.requires} is needed",
                f"pip install --upgrade {name}",
            )
        elif each.state == "broken":
            yield Problem(f"{name} {version or ''}: {each.notes[0]}", f"reinstall {name}")
        if each.missing_hooks:
            yield Problem(
                f"{name} {version} lacks {', '.join(each.missing_hooks)}, which otel-stream wraps:"
                " some of its calls are not traced",
                f"pip install --upgrade otel-stream, or use an older {name}",
            )
    bound = [each for each in found if each.requires or each.state == "broken"]
    if bound and all(each.state == "missing" for each in bound):
        extras = ",".join(each.library for each in bound)
        yield Problem(
            "no library that otel-stream instruments is installed here",
            f"pip install 'otel-stream[{extras}]', or run the doctor in the program's environment",
        )


def _examine(entry: EntryPoint, settings: Settings) -> Instrumentor:
    library = entry.name.removeprefix(control.PREFIX)
    try:
        instrumentor: StreamInstrumentor = entry.load()()
        requirement = _requirement(instrumentor)
        library = requirement.name if requirement else library
        version = versions.installed(library) if requirement else None
        state = _state(instrumentor, requirement, version, settings)
        missing, notes = _looked_into(instrumentor, state)
    except Exception as error:  # noqa: BLE001 - whatever a library raises is what we want to know
        version = versions.installed(library)
        reason = f"it cannot be imported ({type(error).__name__}: {error})"
        return Instrumentor(entry.name, library, version, "", "broken", [], [reason])
    if disabled_names() & {entry.name, "*"}:
        notes.append(f"opentelemetry-instrument skips it: {DISABLED}")
    wanted = f"{library}{requirement.specifier}" if requirement else ""
    return Instrumentor(entry.name, library, version, wanted, state, missing, notes)


def _requirement(instrumentor: StreamInstrumentor) -> Requirement | None:
    """The library that it wraps; None for one that looks at HTTP requests, whoever makes them."""
    required = next(iter(instrumentor.instrumentation_dependencies()), None)
    return None if required is None else Requirement(required)


def _state(
    instrumentor: StreamInstrumentor,
    requirement: Requirement | None,
    version: str | None,
    settings: Settings,
) -> State:
    if instrumentor.is_instrumented_by_opentelemetry:
        return "active"
    if requirement is not None:
        if version is None:
            return "missing"
        if not requirement.specifier.contains(version, prereleases=True):
            return "too_old"
    if settings.disabled or not settings.chooses(instrumentor.name):
        return "left_out"
    return "ready"


def _looked_into(instrumentor: StreamInstrumentor, state: State) -> tuple[list[str], list[str]]:
    """The hooks that its library lacks, and what else there is to say of it."""
    if state not in ("active", "ready"):
        return [], []
    native = instrumentor.native
    return instrumentor.missing(), [native] if native else []
