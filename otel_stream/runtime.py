"""What is set up once: settings, providers, callbacks. `instrument` installs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context

from otel_stream import semconv
from otel_stream.callbacks import Callbacks, Dispatcher
from otel_stream.errors import guard
from otel_stream.metrics import Instruments
from otel_stream.recorder import Limits
from otel_stream.settings import Settings
from otel_stream.telemetry import Telemetry

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

__all__ = ["ATTRIBUTES", "SUPPRESS", "Runtime", "current", "install", "is_suppressed"]

SUPPRESS = otel_context.create_key("otel_stream-suppress")
ATTRIBUTES = otel_context.create_key("otel_stream-attributes")
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
        self.callbacks = callbacks or Callbacks()
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

    def _dropped_callback(self) -> None:
        with guard("counting dropped callbacks"):
            self.instruments.dropped.add(1, {semconv.DROP_REASON: "callbacks"})


PROVIDERS = ("tracer_provider", "meter_provider", "logger_provider")

_current: Runtime | None = None


def install(runtime: Runtime | None) -> None:
    """Make `runtime` the one that new streams use."""
    global _current
    _current = runtime


def current() -> Runtime:
    """The installed runtime; without `instrument`, one by the environment's settings."""
    global _current
    if _current is None:
        settings = Settings.resolve_lenient()
        _current = Runtime(settings, Telemetry(settings))
    return _current


def ensure(**given: Any) -> None:
    """Install a runtime if there is none: for instrumentors that are not started by `instrument`.

    Under `opentelemetry-instrument`, or with options of a declarative configuration, a wrong value
    is logged and the program goes on.
    """
    if _current is not None:
        return
    providers = {name: given.pop(name, None) for name in PROVIDERS}
    known = {name: value for name, value in given.items() if name in Settings.__dataclass_fields__}
    settings = Settings.resolve_lenient(**known)
    install(Runtime(settings, Telemetry(settings, **providers)))


def is_suppressed() -> bool:
    """Whether calls made here are not to be traced, by our key or OpenTelemetry's own."""
    context = otel_context.get_current()
    return any(context.get(key) for key in (SUPPRESS, _SDK_SUPPRESS, "suppress_instrumentation"))
