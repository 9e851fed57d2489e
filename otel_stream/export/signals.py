"""The three signals, and how the OpenTelemetry API handles each."""

from __future__ import annotations

import os
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from opentelemetry import metrics as metrics_api
from opentelemetry import trace
from opentelemetry.metrics import _internal as metrics_internal

from otel_stream import semconv
from otel_stream.errors import guard

if TYPE_CHECKING:
    from opentelemetry._logs import Logger
    from opentelemetry.metrics import Meter
    from opentelemetry.trace import Tracer

__all__ = ["Signal", "logs", "metrics", "traces"]

T = TypeVar("T")


class Signal(Generic[T]):
    """How the OpenTelemetry API handles one signal.

    Args:
        name: traces, metrics or logs.
        module: Where the API keeps the global provider.
        kind: tracer, meter or logger.
        nothing: The API's own tracer, meter or logger that does nothing.
    """

    def __init__(self, name: str, module: ModuleType, kind: str, nothing: T) -> None:
        self.name = name
        self.kind = kind
        self.nothing = nothing
        self.variable = f"OTEL_PYTHON_{kind.upper()}_PROVIDER"
        # Where the API keeps it. To ask the API itself costs ten times as much while there is none.
        self.held = vars(module)
        self.key = f"_{kind.upper()}_PROVIDER"
        self._get: Callable[[], Any] = getattr(module, f"get_{kind}_provider")
        self._set: Callable[[Any], None] = getattr(module, f"set_{kind}_provider")

    def ask(self) -> Any:
        """The global provider. None when there is none: the API has a proxy then.

        Where a variable names a provider and none is set, the API loads that one and sets it.
        """
        if self.key in self.held and not os.environ.get(self.variable):
            return self.held[self.key]
        with guard(f"asking for the global {self.kind} provider"):
            provider = self._get()
            return None if "Proxy" in type(provider).__name__ else provider
        return None

    def make_global(self, provider: Any) -> None:
        """Make a provider the global one."""
        self._set(provider)

    def of(self, provider: Any) -> T:
        """Our tracer, meter or logger of a provider."""
        import otel_stream  # not above: the package imports this module

        version: str = getattr(otel_stream, "__version__", "")
        made: T = getattr(provider, f"get_{self.kind}")(semconv.SCOPE, version, semconv.SCHEMA_URL)
        return made


def traces() -> Signal[Tracer]:
    """Spans."""
    return Signal("traces", trace, "tracer", trace.NoOpTracer())


def metrics() -> Signal[Meter]:
    """Metrics."""
    return Signal("metrics", metrics_internal, "meter", metrics_api.NoOpMeter(semconv.SCOPE))


def logs() -> Signal[Logger]:
    """Log records."""
    from opentelemetry import _logs  # 3 ms that importing us need not cost

    return Signal("logs", _logs._internal, "logger", _logs.NoOpLogger(semconv.SCOPE))
