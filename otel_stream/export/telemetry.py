"""Which tracer, meter and logger are used: given, else the application's global, else private.

Decided for each signal by itself, and anew at each call: a provider that the application sets after
our line is used from then on. A stream keeps the tracer that it began with. What only the private
providers need is imported with the first of them.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from otel_stream.errors import OtelStreamError, guard
from otel_stream.export import signals
from otel_stream.export.given import usable
from otel_stream.export.route import Route
from otel_stream.export.signals import Signal
from otel_stream.fork import call_in_child
from otel_stream.settings import Settings

if TYPE_CHECKING:
    from opentelemetry._logs import Logger, LoggerProvider
    from opentelemetry.metrics import Meter, MeterProvider
    from opentelemetry.trace import Tracer, TracerProvider

    from otel_stream.export.embedded import Embedded
    from otel_stream.export.errand import Errand, Errands
    from otel_stream.export.faults import Faults

__all__ = ["Telemetry"]


class Telemetry:
    """The providers of one `instrument()`, until `shutdown` or the interpreter's exit.

    Args:
        settings: Where private providers send to, and whether there is anything at all.
        tracer_provider: Used instead of the global one, if it can be. So are the next two.
        begin: False to describe, or to `check` before `begin`: nothing is registered or started.
        private: False where what the application leaves out is to go nowhere.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        logger_provider: LoggerProvider | None = None,
        begin: bool = True,
        private: bool = True,
    ) -> None:
        self.settings = settings
        self._may_embed = private
        self._faults: Faults | None = None
        self._private: dict[str, Embedded] = {}
        self._foreign: dict[str, Errands] = {}
        self._count: Callable[[str, str, int], None] | None = None
        self._before_exit: list[Callable[[], None]] = []
        self._changing = threading.Lock()
        self._closed = settings.disabled
        self._exiting = False
        self._traces: Route[Tracer] = self._route(signals.traces(), tracer_provider)
        self._metrics: Route[Meter] = self._route(signals.metrics(), meter_provider)
        self._logs: Route[Logger] = self._route(signals.logs(), logger_provider)
        self._routes: tuple[Route[Any], ...] = (self._traces, self._metrics, self._logs)
        if settings.disabled:
            for route in self._routes:
                route.switch_off()
        elif begin:
            self.begin()

    def tracer(self) -> Tracer:
        """The tracer to begin a span with now."""
        return self._traces.get()

    def meter(self) -> Meter:
        """The meter to use now: another one only after the provider has changed."""
        return self._metrics.get()

    def logger(self) -> Logger:
        """The logger to emit events with now."""
        return self._logs.get()

    def check(self) -> None:
        """Make sure that private providers can be made where they will be, and import their parts.

        Raises:
            MissingExtraError: An extra is not installed; the message says which.
            SettingsError: A variable names an exporter or a protocol that does not exist.
        """
        private = [route for route in self._routes if route.application is None]
        if self._closed or not private:
            return
        from otel_stream.export.embedded import prepare

        try:
            for route in private:
                prepare(route.signal.name, self.settings)
        except OtelStreamError:
            self.shutdown(0.0)
            raise

    def before_exit(self, callback: Callable[[], None]) -> None:
        """Have `callback` called when the interpreter ends, before anything is flushed."""
        self._before_exit.append(callback)

    def flush(self, timeout: float | None = None) -> bool:
        """Export what waits, in the private providers and in those of others that are used.

        Args:
            timeout: Seconds to wait at most; None is `settings.shutdown_timeout`.

        Returns whether all of it arrived in time.
        """
        seconds = self.settings.shutdown_timeout if timeout is None else timeout
        deadline = time.monotonic() + seconds
        with self._changing:
            private = [] if self._closed else list(self._private.values())
        errands = [each.errands.send_once(each.flush) for each in private]
        errands += self._flush_foreign(seconds)
        waited = [errand.wait(deadline) and errand.went_well for errand in errands]
        return all(waited)

    def shutdown(self, timeout: float | None = None) -> None:
        """Flush and end the private providers, and no others. Nothing is exported afterwards.

        Args:
            timeout: Seconds to wait at most; None is `settings.shutdown_timeout`.
        """
        seconds = self.settings.shutdown_timeout if timeout is None else timeout
        deadline = time.monotonic() + seconds
        with self._changing:
            if self._closed:
                return
            self._closed = True
        if not self._exiting:
            atexit.unregister(self._at_exit)
        for route in self._routes:
            route.close()
        private = list(self._private.values())
        ending = [(each, each.end(deadline)) for each in private]
        late = [each for each, errand in ending if not errand.wait(deadline)]
        for errands in self._foreign.values():
            errands.stop()
        if self._faults is not None:
            given_up = [watch for each in late for watch in each.give_up()]
            watches = [watch for each in private for watch in each.watches]
            self._faults.ended(watches, given_up, seconds)

    def describe(self) -> list[str]:
        """Where each signal goes, a line each."""
        return [f"{route.signal.name}: {self._describe(route)}" for route in self._routes]

    @property
    def private_signals(self) -> list[str]:
        """The signals that go through private providers, or would."""
        return [
            route.signal.name
            for route in self._routes
            if self._may_embed
            if (provider := route.application) is None or self._is_ours(provider)
        ]

    @property
    def export_failures(self) -> dict[str, int]:
        """Exports of the private providers that failed, by signal."""
        return {name: each.failures for name, each in self._private.items()}

    @property
    def dropped(self) -> dict[str, Counter[str]]:
        """Spans and log records that the private providers have lost, by signal and reason."""
        return {name: each.dropped for name, each in self._private.items()}

    def count_losses(self, count: Callable[[str, str, int], None]) -> None:
        """Have `count` told of what is lost from now on: the signal, the reason, how many."""
        self._count = count
        if self._faults is not None:
            self._faults.count = count

    # --- the beginning and the end ---------------------------------------------------------------

    def _route(self, signal: Signal[Any], given: Any) -> Route[Any]:
        return Route(signal, usable(signal.kind, given), self._provider, self._found)

    def begin(self) -> None:
        """Register for the end of the process, and start what is to be there before any stream."""
        if self._closed:
            return
        atexit.register(self._at_exit)
        call_in_child(self.forked)
        for route in self._routes if self.settings.set_global else ():
            with guard("making our providers the global ones"):
                if route.application is None and (provider := self._provider(route.signal.name)):
                    route.signal.make_global(provider)
        if self.settings.prometheus:
            self.meter()  # there is something to fetch from the first moment

    def _at_exit(self) -> None:
        self._exiting = True
        began, seconds = time.monotonic(), self.settings.shutdown_timeout
        for callback in self._before_exit:
            with guard("ending what is open at exit"):
                callback()
        self.shutdown(max(seconds / 2, seconds - (time.monotonic() - began)))

    def forked(self) -> None:
        """In a child process: begin anew. What the parent has, the parent exports."""
        self._changing = threading.Lock()
        self._foreign = {}
        if self._faults is not None:
            self._faults.start_anew()
        for name, embedded in list(self._private.items()):
            if any(route.application is embedded.provider for route in self._routes):
                embedded.start_anew()  # the global one cannot be replaced
            else:
                embedded.forget()
                del self._private[name]
        for route in self._routes:
            route.start_anew()

    # --- providers -------------------------------------------------------------------------------

    def _provider(self, signal: str) -> Any:
        """The private provider of a signal, made when needed first. None: there is to be none."""
        with self._changing:
            if self._closed or not self._may_embed:
                return None
            if signal in self._private:
                return self._private[signal].provider
            from otel_stream.export.embedded import embed
            from otel_stream.export.faults import Faults

            self._faults = self._faults or Faults(self._count)
            made = embed(signal, self.settings, self._faults)
            if made is not None:
                self._private[signal] = made
            return made and made.provider

    def _found(self, provider: object) -> None:
        """An application's provider is used for the first time.

        It may have an exit hook of its own, made after ours and so called before. Ours must be
        first: streams that are open end into that provider.
        """
        with self._changing:
            if not self._closed and not self._exiting:
                atexit.unregister(self._at_exit)
                atexit.register(self._at_exit)

    def _flush_foreign(self, seconds: float) -> list[Errand]:
        from otel_stream.export.errand import Errands

        sent = []
        for route in self._routes:
            flush = getattr(route.used, "force_flush", None)
            if flush is None or self._is_ours(route.used):
                continue
            name = route.signal.name
            with self._changing:
                if name not in self._foreign:
                    self._foreign[name] = Errands(f"otel-stream-flush-{name}")
            sent.append(self._foreign[name].send_once(partial(_flushed, flush, seconds)))
        return sent

    def _describe(self, route: Route[Any]) -> str:
        from otel_stream.export.destination import checked

        if self.settings.disabled:
            return "off (disabled)"
        if (provider := route.application) is not None and not self._is_ours(provider):
            whose = "the one given" if route.given is not None else "the application's global one"
            return f"{whose}, {type(provider).__module__}.{type(provider).__qualname__}"
        if not self._may_embed:
            return "nowhere (OTEL_CONFIG_FILE has no provider for it)"
        embedded = self._private.get(route.signal.name)
        try:
            planned = [] if embedded else checked(route.signal.name, self.settings)
        except OtelStreamError as error:
            return f"nowhere: {error}"
        where = embedded.where if embedded else [each.where for each in planned]
        failed = f" ({embedded.failures} exports failed)" if embedded and embedded.failures else ""
        return (", ".join(where) or "nowhere (switched off)") + failed

    def _is_ours(self, provider: object) -> bool:
        return any(provider is each.provider for each in self._private.values())


def _flushed(flush: Callable[[int], object], seconds: float) -> bool:
    return flush(int(seconds * 1000)) is not False
