"""Programs that were made before, for tests that need them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from stack.made.command import CommandError

__all__ = ["present"]

REQUIRED = os.environ.get("OTEL_STREAM_STACK") == "required"
"""Read before any test: no test sees this variable."""


def present(find: Callable[[], Path]) -> Path:
    """The program. Where it is missing the test is skipped, or fails if it is required."""
    try:
        return find()
    except CommandError as missing:
        if REQUIRED:
            raise
        pytest.skip(str(missing))
