"""The providers that an application gives: all that is asked of one is the method that we call.

Any object will do that has it, also a proxy or what another vendor brings.
"""

from __future__ import annotations

from typing import TypeVar

from otel_stream.errors import SettingsError
from otel_stream.settings import say_once

__all__ = ["KINDS", "check", "usable"]

KINDS = ("tracer", "meter", "logger")
"""What providers make, in the order in which they are given."""

P = TypeVar("P")


def check(kind: str, provider: object) -> None:
    """Make sure that a provider, or None, can be used.

    Raises:
        SettingsError: It has not what a provider of this kind has.
    """
    if provider is None:
        return
    # A class is what remains when somebody forgets to call it.
    if isinstance(provider, type) or not callable(getattr(provider, f"get_{kind}", None)):
        expected = f"expected an object with the method get_{kind}"
        raise SettingsError(f"{kind}_provider={provider!r}: {expected}")


def usable(kind: str, provider: P | None) -> P | None:
    """The provider, or None where it cannot be used, which is logged once: raises nothing."""
    try:
        check(kind, provider)
    except SettingsError as problem:
        say_once(f"{problem}; it is ignored")
        return None
    return provider
