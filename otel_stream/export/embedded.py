"""A private provider: what is used where the application has none of its own.

It sends to where `destination` says, in the background, and registers itself nowhere. The SDK and
the exporters are imported when the first one is made, or by `prepare`.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from otel_stream.errors import guard
from otel_stream.export.destination import checked, destinations
from otel_stream.export.errand import Errands
from otel_stream.settings import Settings

if TYPE_CHECKING:
    from otel_stream.export.errand import Errand
    from otel_stream.export.faults import Faults
    from otel_stream.export.provider import Exit
    from otel_stream.export.watch import Watch

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
    def watches(self) -> list[Watch]:
        """What watches its exporters."""
        return [watch for _, watch in self._ways]

    @property
    def failures(self) -> int:
        """Exports that failed, of which some may have gone later."""
        return sum(watch.failures for watch in self.watches)

    @property
    def dropped(self) -> Counter[str]:
        """Spans or log records that are lost, by reason."""
        return sum((watch.lost for watch in self.watches), Counter())

    def flush(self) -> bool:
        """Export what waits. Returns whether all of it arrived.

        May hang as long as an exporter does, or as long as the receiver is away.
        """
        before = self._missed
        for watch in self.watches:
            watch.hurry()
        flushed = self.provider.force_flush()
        return flushed is not False and self._missed == before

    def end(self, deadline: float) -> Errand:
        """Export what waits and end, at most until `deadline` (`time.monotonic`)."""
        for watch in self.watches:
            watch.hurry(deadline)
        return self.errands.send(self.shutdown)

    def shutdown(self) -> bool:
        """Export what waits, and end. Returns and hangs as `flush` does."""
        before = self._missed
        with guard("ending a private provider"):
            self.provider.shutdown()
        self.errands.stop()
        return self._missed == before

    def give_up(self) -> list[Watch]:
        """Wait no longer: what hangs may hang, and is not heard of again. Returns its watches."""
        for watch in self.watches:
            watch.abandon()
        return self.watches

    def start_anew(self) -> None:
        """In a forked child: go on, as the SDK does, with a thread of the child's own."""
        self.errands = Errands(f"otel-stream-{self.signal}")
        for watch in self.watches:
            watch.start_anew()

    def forget(self) -> None:
        """In a forked child: what is here is the parent's, and nothing of it is exported again."""
        for exporter, watch in self._ways:
            watch.forget()
            with guard("letting go of what the parent has"):
                getattr(exporter, "let_go", bool)()

    @property
    def _missed(self) -> int:
        return sum(watch.missed for watch in self.watches)


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
