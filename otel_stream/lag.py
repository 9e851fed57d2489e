"""How late a parser hands out what is on the wire already.

`trace_stream` puts a `FirstText` into the context in which the application's parser reads, and
whoever watches the wire beneath tells it when the first text came. The difference is the parser's.
"""

from __future__ import annotations

from opentelemetry import context as otel_context
from opentelemetry.context import Context

__all__ = ["FirstText"]

_KEY = otel_context.create_key("otel_stream-first-text")


class FirstText:
    """When the first text came over the wire, for the parser that reads in this context.

    Attributes:
        at: Seconds of `time.perf_counter`; None until somebody tells.
    """

    __slots__ = ("at",)

    def __init__(self) -> None:
        self.at: float | None = None

    def within(self, context: Context) -> Context:
        """`context`, in which this one is found."""
        return otel_context.set_value(_KEY, self, context)

    def tell(self, at: float) -> None:
        """Text came over a wire. Of several wires the first counts."""
        if self.at is None:
            self.at = at

    @staticmethod
    def hidden(context: Context) -> Context:
        """`context` for what makes a text itself: what it reads for that is not the text."""
        if otel_context.get_value(_KEY, context) is None:
            return context
        return otel_context.set_value(_KEY, None, context)

    @staticmethod
    def wanted() -> FirstText | None:
        """The one of the parser that reads in the current context, if there is one."""
        found = otel_context.get_value(_KEY)
        return found if isinstance(found, FirstText) else None
