"""A report for a person to read: plain lines, no colours, the same from run to run."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from otel_stream.doctor.report import Destination, Instrumentor, Other, Report

__all__ = ["page"]

_WIDTH = 100
_STATES = {
    "active": "is instrumented",
    "ready": "would be instrumented",
    "missing": "is not installed",
    "too_old": "is too old",
    "left_out": "is left out by the settings",
    "broken": "cannot be instrumented",
}


def page(report: Report) -> str:
    """The report as text, its last lines saying what needs doing."""
    sections = {
        "Versions": _versions(report),
        "Instrumentors": _each(map(_instrumentor, report.instrumentors)),
        "Who else traces these calls": _each(map(_other, report.others)),
        "Where the data goes": _each(map(_destination, report.destinations)),
        "Settings that differ from the default": _settings(report),
        "Faults of ours in this process": (
            f"  {place}: {count}" for place, count in report.faults.items()
        ),
        _verdict(report): _problems(report),
    }
    texts = [f"{title}\n" + "\n".join(lines) for title, lines in _filled(sections)]
    return "\n\n".join(text.rstrip() for text in texts)


def _filled(sections: dict[str, Iterator[str]]) -> Iterator[tuple[str, list[str]]]:
    """Each title with its lines; `none` where there are none, but for the verdict."""
    last = list(sections)[-1]
    for title, lines in sections.items():
        yield title, list(lines) or ([] if title == last else ["  none"])


def _verdict(report: Report) -> str:
    count = len(report.problems)
    if not count:
        return "Nothing needs doing."
    return "One thing needs doing:" if count == 1 else f"{count} things need doing:"


def _versions(report: Report) -> Iterator[str]:
    width = max(map(len, report.versions))
    for name, version in report.versions.items():
        yield f"  {name:{width}}  {version or '-'}"
    yield f"  {'environment':{width}}  {report.executable}"


def _instrumentor(each: Instrumentor) -> Iterator[str]:
    version = f" {each.version}" if each.version else ""
    yield f"{each.library}{version} {_STATES[each.state]}"
    if each.state in ("missing", "too_old"):
        yield f"supported: {each.requires}"
    for hook in each.missing_hooks:
        yield f"lacks {hook}"
    yield from each.notes


def _other(each: Other) -> Iterator[str]:
    yield f"{each.name} {each.version} ({each.state})"
    yield each.what
    if each.remedy and each.state != "disabled":
        yield f"-> {each.remedy}"


def _destination(each: Destination) -> Iterator[str]:
    yield f"{each.signal:9}{each.where}"
    yield from each.notes


def _settings(report: Report) -> Iterator[str]:
    for each in report.settings:
        yield f"  {each.name} = {each.value}  ({each.source}; default: {each.default or 'none'})"


def _problems(report: Report) -> Iterator[str]:
    for number, problem in enumerate(report.problems, 1):
        yield from _wrapped(f"  {number}. ", problem.what)
        yield from _wrapped("     -> ", problem.remedy)


def _each(items: Iterator[Iterator[str]]) -> Iterator[str]:
    """The first line of each item at the left, the others below it."""
    for first, *others in items:
        yield f"  {first}"
        for line in others:
            yield from _wrapped("      ", line)


def _wrapped(indent: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=" " * len(indent),
        break_long_words=False,
        break_on_hyphens=False,
    )
