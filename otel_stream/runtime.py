"""What is set up once: settings, providers, callbacks. `instrument` installs it."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from otel_stream import semconv
from otel_stream.callbacks import Callbacks, Dispatcher
from otel_stream.errors import guard
from otel_stream.export.telemetry import Telemetry
from otel_stream.metrics import Instruments
from otel_stream.outcome import Outcome
from otel_stream.record.limits import Limits
from otel_stream.settings import Settings
from otel_stream.watcher import watcher

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

    from otel_stream.instrumentor import StreamInstrumentor

__all__ = [
    "ATTRIBUTES", "SUPPRESS", "TURN", "Runtime", "current", "ensure", "finishing", "install",
    "installed", "is_suppressed",
]  # fmt: skip

logger = logging.getLogger("otel_stream")

SUPPRESS = otel_context.create_key("otel_stream-suppress")
ATTRIBUTES = otel_context.create_key("otel_stream-attributes")
TURN = otel_context.create_key("otel_stream-turn")
"""The turn that work belongs to (`delivery.turn`): kept here, for programs that have none."""
_SDK_SUPPRESS = otel_context._SUPPRESS_INSTRUMENTATION_KEY


class Runtime:
    """Settings, telemetry and callbacks that the streams of this process share."""

    def __init__(
        self,
        settings: Settings,
        telemetry: Telemetry,
        callbacks: Callbacks | None = None,
    ) -> None:
        self.settings = settings
        self.telemetry = telemetry
        self.callbacks = callbacks or None
        self.dispatcher = Dispatcher(settings.callback_queue, self._dropped_callback)
        self.limits = Limits(
            settings.stall_after_first,
            settings.stall_after_reasoning,
            settings.stall_after,
            settings.grace,
            settings.chunk_events,
        )
        self.captures = settings.capture_content != "none"
        self._instruments: Instruments | None = None
        self._open: set[int] = set()
        self._retired = False
        telemetry.count_losses(self._lost)
        telemetry.before_exit(end_streams)
        telemetry.before_exit(self._tell_all)

    @property
    def tracer(self) -> Tracer:
        """The tracer for a call that begins now."""
        return self.telemetry.tracer()

    @property
    def instruments(self) -> Instruments:
        """The instruments for a call that begins now."""
        meter = self.telemetry.meter()
        instruments = self._instruments
        if instruments is None or instruments.meter is not meter:
            instruments = self._instruments = Instruments(meter, self.settings.semconv)
        return instruments

    def begun(self, call: int) -> None:
        """A call, a turn or a send began, known by this number until it has `ended`."""
        self._open.add(call)

    def ended(self, call: int) -> None:
        """The call is over. The last one of a retired runtime closes it, and waits for nothing."""
        self._open.discard(call)
        if self._retired and not self._open:
            Thread(target=self._close, name="otel-stream-closing", daemon=True).start()

    def retire(self) -> None:
        """No more calls begin here: send what waits, and close what is ours, after the last one."""
        self._retired = True
        if not self._open:
            self._close()

    def _close(self) -> None:
        with guard("closing what is no longer used"):
            self.dispatcher.stop()
            if not self.settings.set_global:  # The application may have come to use it.
                self.telemetry.shutdown()

    def emit(self, events: Sequence[tuple[str, dict[str, Any], int]], context: Context) -> None:
        """The events as log records, for the settings `log` and `both`."""
        from opentelemetry._logs import LogRecord, SeverityNumber

        logger = self.telemetry.logger()
        for name, attributes, at in events:
            logger.emit(
                LogRecord(
                    timestamp=at,
                    context=context,
                    severity_number=SeverityNumber.DEBUG,
                    attributes=attributes,
                    event_name=name,
                )
            )

    def _tell_all(self) -> None:
        """The interpreter ends: callbacks are told of what has just ended."""
        self.drain(self.settings.shutdown_timeout / 2)

    def drain(self, timeout: float) -> bool:
        """Do what waits on threads of ours, in at most `timeout` seconds; return whether all is."""
        until = time.monotonic() + timeout
        done = [
            finish(max(0.0, until - time.monotonic()))
            for finish in (*finishing, self.dispatcher.drain)
        ]
        return all(done)

    def _dropped_callback(self) -> None:
        with guard("counting dropped callbacks"):
            self.instruments.dropped.add(1, {semconv.DROP_REASON: "callbacks"})

    def _lost(self, signal: str, reason: str, count: int) -> None:
        self.instruments.dropped.add(count, {semconv.DROP_REASON: f"{signal}_{reason}"})


finishing: list[Callable[[float], bool]] = []
"""What else works on a thread of its own: given so many seconds, each says whether it is done."""


def end_streams() -> None:
    """End the streams that are open: nobody will read on."""
    watcher.end_all(Outcome.ABANDONED)


PROVIDERS = ("tracer_provider", "meter_provider", "logger_provider")

instrumented: dict[str, StreamInstrumentor] = {}
"""The instrumentors that are at work, by entry point name, whoever started them."""

_current: Runtime | None = None
_making = Lock()
_said: dict[str, Any] | None = None
"""What instrumentors that were started one by one have said; None after `instrument`."""


def install(runtime: Runtime | None) -> None:
    """Make `runtime` the one that new streams use."""
    global _current, _said
    _current, _said = runtime, None


def installed() -> Runtime | None:
    """The runtime, if there is one."""
    return _current


def current() -> Runtime:
    """The installed runtime; without `instrument`, one by the environment's settings."""
    global _current
    if (found := _current) is None:
        with _making:
            if (found := _current) is None:
                settings = Settings.resolve_lenient()
                found = _current = Runtime(settings, Telemetry(settings))
    return found


def ensure(**given: Any) -> None:
    """Install a runtime if there is none: for instrumentors that are not started by `instrument`.

    Under `opentelemetry-instrument`, or with options of a declarative configuration, a wrong value
    is logged and the program goes on. All instrumentors share one runtime: what a later one says is
    added, and what was said before stands.
    """
    global _current, _said
    given = {name: value for name, value in given.items() if value is not None}
    before = _said or {}
    new = {name: value for name, value in given.items() if name not in before}
    if _current is not None and (_said is None or not new):
        _warn_of_ignored(given)
        return
    old, said = _current, {**given, **before}
    providers: dict[str, Any] = {name: said.get(name) for name in PROVIDERS}
    settings = Settings.resolve_lenient(**{n: v for n, v in said.items() if n not in PROVIDERS})
    if old is not None:
        old.telemetry.shutdown()
    # A configuration file is whole: what it leaves out goes nowhere.
    private = not os.environ.get("OTEL_CONFIG_FILE")
    telemetry = Telemetry(settings, private=private, begin=False, **providers)
    with guard("preparing telemetry"):
        telemetry.check()  # Now, and not in the program's first call.
    telemetry.begin()
    _current = Runtime(settings, telemetry)
    _said = said
    _warn_of_ignored(given)


def _warn_of_ignored(given: dict[str, Any]) -> None:
    """Say which options are not in force, because others were given before."""
    wanted = Settings.read(**{n: v for n, v in given.items() if n not in PROVIDERS})
    in_force = current().settings
    ignored = [
        name
        for name in given
        if name in wanted.sources and getattr(wanted.settings, name) != getattr(in_force, name)
    ]
    if ignored:
        logger.warning(
            "otel-stream has one set of settings, and others were given before: %s ignored",
            ", ".join(sorted(ignored)),
        )


def is_suppressed() -> bool:
    """Whether calls made here are not to be traced, by our key or OpenTelemetry's own."""
    get = otel_context.get_current().get
    return bool(get(SUPPRESS) or get(_SDK_SUPPRESS) or get("suppress_instrumentation"))
