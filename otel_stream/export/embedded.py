"""A private provider: what is used where the application has none of its own.

It sends to where `destination` says, in the background, and registers itself nowhere. The SDK and
the exporters are imported when the first one is made, or by `prepare`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_stream.errors import guard
from otel_stream.export.destination import checked, destinations
from otel_stream.export.errand import Errands
from otel_stream.settings import Settings

if TYPE_CHECKING:
    from otel_stream.export.faults import Faults, Watch
    from otel_stream.export.provider import Exit

__all__ = ["Embedded", "embed", "prepare"]


class Embedded:
    """One private provider, and what it takes to flush, to end and to forget it.

    Args:
        signal: traces, metrics or logs.
        provider: The SDK's provider.
        ways: Its exporters.
    """

    def __init__(self, signal: str, provider: Any, ways: list[Exit]) -> None:
        self.signal = signal
        self.provider = provider
        self.errands = Errands(f"otel-stream-{signal}")
        self._ways = ways

    @property
    def where(self) -> list[str]:
        """Where it sends to, in words."""
        return [watch.where for _, watch in self._ways]

    @property
    def failures(self) -> int:
        """Exports that failed."""
        return sum(watch.failures for _, watch in self._ways)

    @property
    def dropped(self) -> int:
        """Spans or log records that found the queue full."""
        return sum(watch.dropped for _, watch in self._ways)

    def flush(self) -> bool:
        """Export what waits. Returns whether all of it arrived. May hang as long as an exporter."""
        before = self.failures
        flushed = self.provider.force_flush()
        return flushed is not False and self.failures == before

    def shutdown(self) -> bool:
        """Export what waits, and end. Returns and hangs as `flush` does."""
        before = self.failures
        with guard("ending a private provider"):
            self.provider.shutdown()
        self.errands.stop()
        return self.failures == before

    def give_up(self) -> list[Watch]:
        """Wait no longer: what hangs may hang, and is not heard of again. Returns its watches."""
        watches = [watch for _, watch in self._ways]
        for watch in watches:
            watch.abandon()
        return watches

    def start_anew(self) -> None:
        """In a forked child: go on, as the SDK does, with a thread of the child's own."""
        self.errands = Errands(f"otel-stream-{self.signal}")

    def forget(self) -> None:
        """In a forked child: what is here is the parent's, and nothing of it is exported again."""
        for exporter, watch in self._ways:
            watch.abandon()
            with guard("letting go of what the parent has"):
                getattr(exporter, "let_go", bool)()


def prepare(signal: str, settings: Settings) -> None:
    """Make sure that a private provider can be made, and import what it needs.

    So neither an error nor the 0.1 to 0.4 s of the imports waits for the first stream.

    Raises:
        MissingExtraError: It needs an extra that is not installed.
        SettingsError: A variable names a protocol or an exporter that does not exist.
    """
    places = checked(signal, settings)
    if places:
        from otel_stream.export import provider

        for place in places:
            provider.load(place)


def embed(signal: str, settings: Settings, faults: Faults) -> Embedded | None:
    """Make the private provider of a signal. None when nothing of it would go anywhere.

    Raises:
        SettingsError: A variable names a protocol that does not exist.
    """
    places = destinations(signal, settings)
    if not places:
        return None
    from otel_stream.export import provider

    ways = provider.exits(places, settings, faults)
    return Embedded(signal, provider.make(signal, settings, ways), ways) if ways else None
