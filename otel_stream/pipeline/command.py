"""The command: options in, a page or JSON on the standard output, an exit status."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping
from typing import TextIO

from otel_stream.pipeline.check import Check
from otel_stream.pipeline.collector import Collector
from otel_stream.pipeline.hop import Part, Report
from otel_stream.pipeline.options import Options, UsageError
from otel_stream.pipeline.page import one_line, page
from otel_stream.pipeline.places import Files, Influx, Place, Series, Traces
from otel_stream.pipeline.sending import Sender

__all__ = ["run"]

NAME = "otel-stream pipeline check"


def run(given: Mapping[str, object]) -> int:
    """Check the pipeline.

    Args:
        given: What the command line says, by option.

    Returns:
        The exit status: 0 all arrived, 1 something did not, 2 wrong usage, 130 after Ctrl-C.
    """
    try:
        options = Options.read(given)
    except UsageError as error:
        print(f"{NAME}: {error}; see {NAME} --help", file=sys.stderr)
        return 2
    progress = Progress(sys.stderr)
    try:
        report = _checked(options, progress)
    except KeyboardInterrupt:
        return 130
    finally:
        progress.clear()
    _tell(report, as_json=options.json)
    return 0 if report.arrived else 1


class Progress:
    """One line that says what is waited for, rewritten; where nobody looks, none.

    Args:
        out: A terminal, or not.
    """

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._shows = out.isatty()
        self._shown = False

    def tell(self, waiting: list[Part], seconds: float) -> None:
        """Say what is waited for, and for how long it has been."""
        if self._shows:
            what = ", ".join(f"{part.place} {part.what}" for part in waiting)
            line = f"{seconds:.0f} s, waiting for {what}"
            room = shutil.get_terminal_size().columns - 1
            self._shown = True  # before: Ctrl-C may come in between
            self._write(f"\r\x1b[K{line[:room]}")

    def clear(self) -> None:
        """Leave no trace."""
        if self._shown:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        self._out.write(text)
        self._out.flush()


def _checked(options: Options, progress: Progress) -> Report:
    agent = None
    if options.agent_telemetry or options.agent_health:
        agent = Collector("the agent", options.agent_telemetry, options.agent_health)
    gateways = [
        Collector(f"gateway {number}", url)
        for number, url in enumerate(options.gateway_telemetry, 1)
    ]
    check = Check(_places(options), agent, gateways, wait=options.wait, tell=progress.tell)
    sender = Sender(options.endpoint, options.wait)
    try:
        return check.run(sender)
    finally:
        sender.close()


def _places(options: Options) -> list[Place]:
    places: list[Place] = []
    if options.jaeger:
        places.append(Traces(options.jaeger))
    if options.prometheus:
        places.append(Series(options.prometheus))
    if options.influxdb:
        places.append(Influx(options.influxdb, options.influxdb_database, time.time))
    if options.jsonl:
        places.append(Files(options.jsonl))
    return places


def _tell(report: Report, *, as_json: bool) -> None:
    if as_json:
        print(report.as_json())
    elif not any(hop.state == "acknowledged" for hop in report.hops):
        print(f"{NAME}: {one_line(report)}", file=sys.stderr)
    else:
        print(page(report))
