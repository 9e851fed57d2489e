"""The way of one signal: to the provider given, else the global one, else a private one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from otel_stream.errors import guard
from otel_stream.export.signals import Signal

__all__ = ["Route"]

T = TypeVar("T")

_NOTHING_YET: Any = object()
_UNKNOWN: Any = object()
_OFF: Any = object()


class Route(Generic[T]):
    """Decides at each call; costs an identity check while nothing changes.

    Args:
        signal: The signal.
        given: The provider that was given, or None.
        private: Makes the private provider; None when nothing is to leave.
        found: Called when a provider that is not ours is used for the first time.
    """

    def __init__(
        self,
        signal: Signal[T],
        given: Any,
        private: Callable[[str], Any],
        found: Callable[[Any], None],
    ) -> None:
        self.signal = signal
        self.given = given
        self._private = private
        self._found = found
        self._held = signal.held
        self._key = signal.key
        self._choosing = threading.RLock()
        self._chosen: tuple[Any, T] = (_NOTHING_YET, signal.nothing)

    def get(self) -> T:
        """The tracer, meter or logger to use now. Raises nothing."""
        provider = self.given
        if provider is None:
            provider = self._held.get(self._key, _UNKNOWN)
        chosen, made = self._chosen
        return made if provider is chosen else self._choose(provider)

    @property
    def application(self) -> Any:
        """The application's provider, given or global, to be used now. None: there is none."""
        return self.given if self.given is not None else self.signal.ask()

    @property
    def used(self) -> Any:
        """The application's provider that was used last. None: none was."""
        return None if self._chosen[0] in (_NOTHING_YET, _OFF) else self._chosen[0]

    def close(self) -> None:
        """Use no private provider any more."""
        with self._choosing:
            if self._chosen[0] in (None, _NOTHING_YET):
                self._chosen = (None, self.signal.nothing)

    def switch_off(self) -> None:
        """Use nothing at all."""
        self.given = _OFF
        self._chosen = (_OFF, self.signal.nothing)

    def start_anew(self) -> None:
        """In a forked child: the private provider was the parent's."""
        self._choosing = threading.RLock()
        if self._chosen[0] is None:
            self._chosen = (_NOTHING_YET, self.signal.nothing)

    def _choose(self, provider: Any) -> T:
        with self._choosing:
            if provider is None or provider is _UNKNOWN:
                provider = self.signal.ask()
            if provider is not self._chosen[0]:
                self._chosen = (provider, self._made(provider))
            return self._chosen[1]

    def _made(self, provider: Any) -> T:
        with guard(f"making the {self.signal.kind}"):
            if provider is not None:
                self._found(provider)
                return self.signal.of(provider)
            if (private := self._private(self.signal.name)) is not None:
                return self.signal.of(private)
        return self.signal.nothing
