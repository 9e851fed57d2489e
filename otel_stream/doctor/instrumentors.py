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
_ANY = "any of "


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
    if found and all(each.state == "missing" for each in found):
        extras = ",".join(each.library for each in found if not each.requires.startswith(_ANY))
        yield Problem(
            "no library that otel-stream instruments is installed here",
            f"pip install 'otel-stream[{extras}]', or run the doctor in the program's environment",
        )


def _examine(entry: EntryPoint, settings: Settings) -> Instrumentor:
    library = entry.name.removeprefix(control.PREFIX)
    try:
        instrumentor: StreamInstrumentor = entry.load()()
        requirement = _requirement(instrumentor)
        if requirement is None:
            version, wanted = _any_version(instrumentor.any_of)
        else:
            library = requirement.name
            version = versions.installed(library)
            wanted = f"{library}{requirement.specifier}"
        state = _state(instrumentor, requirement, version, settings)
        missing, notes = _looked_into(instrumentor, state)
    except Exception as error:  # noqa: BLE001 - whatever a library raises is what we want to know
        version = versions.installed(library)
        reason = f"it cannot be imported ({type(error).__name__}: {error})"
        return Instrumentor(entry.name, library, version, "", "broken", [], [reason])
    if disabled_names() & {entry.name, "*"}:
        notes.append(f"opentelemetry-instrument skips it: {DISABLED}")
    return Instrumentor(entry.name, library, version, wanted, state, missing, notes)


def _requirement(instrumentor: StreamInstrumentor) -> Requirement | None:
    """The library that is wrapped, and since when; None where any of several will do."""
    needed = list(instrumentor.instrumentation_dependencies())
    return Requirement(needed[0]) if needed or not instrumentor.any_of else None


def _any_version(libraries: tuple[str, ...]) -> tuple[str | None, str]:
    """Those of the libraries that are there, and what is wanted."""
    there = [f"{name} {version}" for name in libraries if (version := versions.installed(name))]
    return f"through {', '.join(there)}" if there else None, _ANY + ", ".join(libraries)


def _state(
    instrumentor: StreamInstrumentor,
    requirement: Requirement | None,
    version: str | None,
    settings: Settings,
) -> State:
    if instrumentor.is_instrumented_by_opentelemetry:
        return "active"
    if version is None:
        return "missing"
    if requirement and not requirement.specifier.contains(version, prereleases=True):
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
