"""The programs that read the configurations, asked for while the machine's variables are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.made.programs import Programs
from tests.stack.present import present


@pytest.fixture(scope="session")
def collector() -> Path:
    """The collector."""
    return present(Programs(may_make=False).collector)


@pytest.fixture(scope="session")
def jaeger() -> Path:
    """Jaeger."""
    return present(Programs(may_make=False).jaeger)


@pytest.fixture(scope="session")
def compose() -> Path:
    """What reads compose files."""
    return present(Programs(may_make=False).compose)
