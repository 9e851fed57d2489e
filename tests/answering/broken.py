"""Providers of telemetry in which something always fails."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.metrics import MeterProvider

__all__ = ["Broken"]


class _Raises:
    """An object of which nothing works."""

    def __getattr__(self, name: str) -> Any:
        raise OSError(f"no {name} today")


class _BrokenSpans:
    """A tracer whose spans fail at whatever is done to them."""

    def start_span(self, *args: Any, **kwargs: Any) -> Any:
        return _Raises()


class Broken:
    """A provider for traces and metrics.

    Args:
        what: `tracer` gives tracers that fail, `span` spans that do, `everything` fails at once.
    """

    def __init__(self, what: str) -> None:
        self._what = what

    def get_tracer(self, *args: Any, **kwargs: Any) -> Any:
        """A tracer of that kind."""
        if self._what == "everything":
            raise OSError("no tracer today")
        return _BrokenSpans() if self._what == "span" else _Raises()

    def get_meter(self, *args: Any, **kwargs: Any) -> Any:
        """A meter that works, unless everything fails."""
        if self._what == "everything":
            raise OSError("no meter today")
        return MeterProvider(shutdown_on_exit=False).get_meter("m")
