"""A report for a person to read: a table and what needs doing, plain text without colours."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from otel_stream.pipeline.hop import Hop, Report

__all__ = ["one_line", "page"]

_WIDTH = 100


def page(report: Report) -> str:
    """The report as text."""
    head = f"Sent one marked stream, trace {report.trace_id}"
    return "\n".join([head, "", *_table(report.hops), "", *_verdict(report)])


def one_line(report: Report) -> str:
    """All there is to say where nothing was sent: for the standard error."""
    problem = report.problems[0]
    return f"{problem.what}; {problem.remedy}"


def _table(hops: list[Hop]) -> Iterator[str]:
    rows = [(hop.place, hop.part, hop.state, _time(hop), _told(hop)) for hop in hops]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for place, part, state, time, told in rows:
        cells = f"  {place:{widths[0]}}  {part:{widths[1]}}  {state:{widths[2]}}"
        yield f"{cells}  {time:>{widths[3]}}  {told}".rstrip()


def _time(hop: Hop) -> str:
    return "" if hop.seconds is None else f"{hop.seconds:.2f} s"


def _told(hop: Hop) -> str:
    if hop.state == "arrived":
        return hop.detail
    if hop.state in ("missing", "differs") and hop.expected:
        return f"{hop.found} of {hop.expected}"
    return ""


def _verdict(report: Report) -> Iterator[str]:
    count = len(report.problems)
    if not count:
        yield f"All of it arrived. Known by service.instance.id {report.instance}."
        return
    yield "One thing is wrong:" if count == 1 else f"{count} things are wrong:"
    for number, problem in enumerate(report.problems, 1):
        yield from _wrapped(f"  {number}. ", problem.what)
        yield from _wrapped("     -> ", problem.remedy)


def _wrapped(indent: str, text: str) -> list[str]:
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
    return textwrap.wrap(
        shown,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=" " * len(indent),
        break_long_words=False,
        break_on_hyphens=False,
    )
