"""Says what is installed, what is traced, who else traces it, where the data goes, what is wrong.

    print(examine())

looks at the process that it runs in; `python -m otel_stream doctor` at a fresh one. It makes no
network connection and writes no file; it imports the libraries that are to be wrapped, to see
whether they still have what we wrap.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

from otel_stream import errors, runtime
from otel_stream.doctor import environment, instrumentors, others, variables, versions
from otel_stream.doctor.report import Problem, Report
from otel_stream.errors import SettingsError
from otel_stream.settings import Reading, Settings

__all__ = ["examine"]

_LOST = {"traces": "spans", "logs": "log records"}
_WHY = {
    "queue_full": "dropped, the queue was full",
    "refused": "lost, their export failed for good",
    "exit": "lost, they had not gone at the end",
}


def examine() -> Report:
    """Look at this process. Raises nothing on account of what it finds."""
    reading = Settings.read()
    current = runtime.installed()
    settings = current.settings if current is not None else reading.settings
    ours = instrumentors.examine(settings)
    rivals = others.examine({each.library for each in ours})
    faults = _faults()
    problems = [
        *_settings_problems(reading),
        *variables.problems(settings, environment.private_signals(settings)),
        *versions.problems(),
        *environment.problems(settings),
        *instrumentors.problems(ours),
        *others.problems(rivals),
        *_fault_problems(faults),
    ]
    return Report(
        healthy=not problems,
        executable=sys.executable,
        versions=versions.examine(),
        instrumentors=ours,
        others=rivals,
        destinations=environment.destinations(settings),
        settings=environment.in_force(settings, reading),
        faults=faults,
        problems=problems,
    )


def _settings_problems(reading: Reading) -> Iterator[Problem]:
    for problem in reading.problems.values():
        yield Problem(str(problem), "correct the variable, or unset it")
    for remark in reading.remarks:
        yield Problem(remark, "correct the variable, or unset it")
    try:
        if not instrumentors.chosen(reading) and not reading.contradictions:
            yield Problem("`only` and `exclude` leave nothing to instrument", "choose at least one")
    except SettingsError as problem:
        yield Problem(str(problem), "correct the variable, or unset it")
    if reading.settings.disabled:
        variable = reading.sources["disabled"]
        yield Problem(f"{variable} switches otel-stream off", f"unset {variable}")


def _faults() -> dict[str, int]:
    found = {place: count for place, count in errors.faults.items() if count}
    current = runtime.installed()
    if current is not None:
        telemetry = current.telemetry
        for signal, count in telemetry.export_failures.items():
            found[f"export of {signal}"] = count
        for signal, lost in telemetry.dropped.items():
            for reason, count in lost.items():
                found[f"{_LOST.get(signal, signal)} {_WHY.get(reason, reason)}"] = count
        found["callbacks dropped, the queue was full"] = current.dispatcher.dropped
    return {place: count for place, count in sorted(found.items()) if count}


def _fault_problems(faults: dict[str, int]) -> Iterator[Problem]:
    for place, count in faults.items():
        yield Problem(f"{place} (count: {count})", "see what the logger 'otel_stream' says of it")
