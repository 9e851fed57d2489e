"""Sends the marked stream over OTLP http/protobuf, and says what became of each signal."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from typing import Any

from otel_stream.export.destination import HTTP, Destination, deciding
from otel_stream.export.faults import Failing, Faults
from otel_stream.export.provider import load
from otel_stream.export.session import Session
from otel_stream.export.watch import Watch
from otel_stream.pipeline.answer import shown
from otel_stream.pipeline.hop import Hop
from otel_stream.pipeline.marked import Marked, undisturbed

__all__ = ["DEFAULT", "SIGNALS", "WHO", "Sender"]

SIGNALS = ("traces", "metrics", "logs")
WHO = "agent"
DEFAULT = "http://127.0.0.1:4318"
_LONGEST = 10.0
_LONGEST_CAUSE = 200
_CLASS = re.compile(r"^[A-Z]\w+: (?:\[Errno -?\d+\] )?")
"""What a library's error begins with, which tells a person nothing."""


class Sender:
    """The exporters of the three signals, set by the standard variables.

    Args:
        endpoint: Where to send, without the path of a signal; empty to have the variables say it.
        timeout: Seconds for each signal.
    """

    def __init__(self, endpoint: str = "", timeout: float = _LONGEST) -> None:
        self._ways = {signal: self._way(signal, endpoint, timeout) for signal in SIGNALS}
        self.where = {signal: shown(_url(signal, endpoint)) for signal in SIGNALS}

    def send(self, marked: Marked, clock: Callable[[], float] = time.monotonic) -> list[Hop]:
        """Send all three at the same time, so that a dead agent is waited for once."""
        found: dict[str, Hop] = {}
        telemetry = {"traces": marked.spans, "metrics": marked.metrics, "logs": marked.logs}

        def send(signal: str) -> None:
            found[signal] = self._sent(signal, telemetry[signal], clock)

        threads = [threading.Thread(target=send, args=[each], daemon=True) for each in SIGNALS]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [found[signal] for signal in SIGNALS]

    def close(self) -> None:
        """Close the connections."""
        for exporter, watch in self._ways.values():
            watch.close(exporter.shutdown)

    def _sent(self, signal: str, telemetry: Any, clock: Callable[[], float]) -> Hop:
        exporter, watch = self._ways[signal]
        began = clock()
        verdict = watch.attempt(lambda: exporter.export(telemetry).name == "SUCCESS")
        seconds = round(clock() - began, 3)
        where = self.where[signal]
        if verdict.then == "sent":
            return Hop(WHO, where, signal, "acknowledged", seconds)
        cause = _CLASS.sub("", " ".join(verdict.cause.split()))[:_LONGEST_CAUSE]
        return Hop(WHO, where, signal, "refused", None, detail=cause)

    def _way(self, signal: str, endpoint: str, timeout: float) -> tuple[Any, Watch]:
        kind = load(Destination(signal, HTTP, endpoint))
        session = Session(keeps=True)  # one try: the check is not to take as long as an outage
        with undisturbed():
            exporter = kind(
                endpoint=_url(signal, endpoint), timeout=min(timeout, _LONGEST), session=session
            )
        loggers = {base.__module__ for base in kind.__mro__ if base is not object}
        watch = Watch(signal, "the agent", _Silent(), sorted(loggers), judge=session.judge)
        return exporter, watch


class _Silent(Faults):
    """Logs nothing: the report says it."""

    def failed(self, watch: Failing, cause: str, remedy: str = "") -> None:
        """The hop has it."""

    def cleared(self, watch: Failing, attempts: int, lost: int) -> None:
        """There is one attempt."""


def _url(signal: str, endpoint: str) -> str:
    """Where a signal goes (OpenTelemetry specification, protocol/exporter.md)."""
    variable = "" if endpoint else deciding(signal, "ENDPOINT")
    url = endpoint or os.environ.get(variable, "").strip() or DEFAULT
    whole = variable not in ("", "OTEL_EXPORTER_OTLP_ENDPOINT")
    return url if whole else f"{url.rstrip('/')}/v1/{signal}"
