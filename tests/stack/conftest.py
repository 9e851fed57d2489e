"""The real collector and its real back ends. Their programs are got by `make collector`.

Where they are not there the tests are skipped, and say so; with `OTEL_STREAM_STACK=required` they
fail.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.made.programs import Programs
from stack.servers.running import Stack
from tests.stack.present import present
from tests.stack.sent import Sent, send_the_demo

EVERY = 2.0
"""Seconds between two scrapes."""


@pytest.fixture(scope="session")
def programs() -> Programs:
    """All programs, made before."""
    found = Programs(may_make=False)
    for find in (found.collector, found.jaeger, found.prometheus, found.influxd):
        present(find)
    return found


@pytest.fixture(scope="session")
def running(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An agent with all its back ends."""
    with Stack(tmp_path_factory.mktemp("stack"), programs, every=EVERY) as stack:
        yield stack


@pytest.fixture(scope="session")
def sent(running: Stack, tmp_path_factory: pytest.TempPathFactory) -> Sent:
    """What the demo sent through it: streams of the real SDKs with every outcome."""
    room: Path = tmp_path_factory.mktemp("demo")
    return send_the_demo(running, room, EVERY)
