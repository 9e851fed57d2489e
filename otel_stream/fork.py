"""What a forked child has to do before anything else."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable

from otel_stream.errors import guard

__all__ = ["call_in_child"]


def call_in_child(method: Callable[[], None]) -> None:
    """Have a bound method called in every forked child, as long as its object lives."""
    here = weakref.WeakMethod(method)

    def after_in_child() -> None:
        with guard("starting anew after a fork"):
            if (call := here()) is not None:
                call()

    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=after_in_child)
