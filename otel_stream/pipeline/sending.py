"""Sends the marked stream over OTLP http/protobuf, and says what became of each signal."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable
from typing import Any

from otel_stream.export.destination import HTTP, Destination, deciding
from otel_stream.export.faults import Faults, Watch
from otel_stream.export.provider import load
from otel_stream.pipeline.answer import shown
from otel_stream.pipeline.hop import Hop
from otel_stream.pipeline.marked import Marked, undisturbed

__all__ = ["DEFAULT", "SIGNALS", "WHO", "Sender"]

SIGNALS = ("traces", "metrics", "logs")
WHO = "agent"
DEFAULT = "http://127.0.0.1:4318"
_LONGEST = 10.0
_CAUSES = (
    re.compile(r"\[Errno -?\d+\] ([^'\")\n]+)"),
    re.compile(r"(certificate verify failed[^'\"\n]*?)(?: \(_ssl|['\")\n]|$)", re.IGNORECASE),
    re.compile(r"(timed out|\bSSL: \w+)"),
    re.compile(r"batch code: (\d+, reason: [^\n]*?)(?:, after:|$)"),
)


class Sender:
    """The exporters of the three signals, set by the standard variables.

    Args:
        endpoint: Where to send, without the path of a signal; empty to have the variables say it.
        timeout: Seconds for each signal.
    """

    def __init__(self, endpoint: str = "", timeout: float = _LONGEST) -> None:
        self._noted = _Noted()
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
        taken = watch.attempt(lambda: exporter.export(telemetry).name == "SUCCESS")
        seconds = round(clock() - began, 3)
        where = self.where[signal]
        if taken:
            return Hop(WHO, where, signal, "acknowledged", seconds)
        cause = _short(self._noted.causes.get(signal, ""))
        return Hop(WHO, where, signal, "refused", None, detail=cause)

    def _way(self, signal: str, endpoint: str, timeout: float) -> tuple[Any, Watch]:
        kind = load(Destination(signal, HTTP, endpoint))
        with undisturbed():
            exporter = kind(endpoint=_url(signal, endpoint), timeout=min(timeout, _LONGEST))
        loggers = {base.__module__ for base in kind.__mro__ if base is not object}
        return exporter, Watch(signal, "the agent", self._noted, sorted(loggers))


class _Noted(Faults):
    """Keeps what went wrong, and logs nothing: the report says it."""

    def __init__(self) -> None:
        super().__init__()
        self.causes: dict[str, str] = {}

    def failed(self, watch: Watch, cause: str, remedy: str = "") -> None:
        self.causes[watch.signal] = cause

    def cleared(self, watch: Watch) -> None:
        self.causes.pop(watch.signal, None)


def _short(cause: str) -> str:
    """The kernel of what the exporter says of a failure, which tells of its retries at length."""
    for pattern in _CAUSES:
        if found := pattern.search(cause):
            return " ".join(found[1].replace(", reason:", "").split())
    return " ".join(cause.split())[:160]


def _url(signal: str, endpoint: str) -> str:
    """Where a signal goes (OpenTelemetry specification, protocol/exporter.md)."""
    variable = "" if endpoint else deciding(signal, "ENDPOINT")
    url = endpoint or os.environ.get(variable, "").strip() or DEFAULT
    whole = variable not in ("", "OTEL_EXPORTER_OTLP_ENDPOINT")
    return url if whole else f"{url.rstrip('/')}/v1/{signal}"
