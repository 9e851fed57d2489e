"""Turns and messages by a scripted clock; databases for what is kept of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_stream.delivery.open_turns import open_turns
from otel_stream.delivery.receipts import receipts
from otel_stream.delivery.send import Message, Send
from otel_stream.delivery.sql import SQLStore
from otel_stream.delivery.turn import Turn
from otel_stream.delivery.typing import typing
from otel_stream.testing import Captured, ScriptedClock
from otel_stream.watcher import watcher
from stack.made.programs import Programs
from stack.servers.postgresql import PostgreSQLServer
from tests.delivery.bodies import NUMBER
from tests.stack.present import present


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """What the process remembers of people begins anew with each test."""
    yield
    for each in (open_turns, typing):
        each._start_anew()
    watcher.remove(receipts)
    receipts.__init__()  # type: ignore[misc]


@pytest.fixture
def turn(captured: Captured, clock: ScriptedClock) -> Turn:
    """A turn that begins at 100 s."""
    return Turn("whatsapp", {"otel_stream.channel.message_type": "text"}, clock=clock)


@pytest.fixture
def send(captured: Captured, clock: ScriptedClock) -> Callable[..., Send]:
    """Begins the sending of a message to the person. Keywords are those of `Message`."""

    def begun(**message: Any) -> Send:
        return Send(Message(**{"recipient": NUMBER, "text": "Hi", **message}), clock=clock)

    return begun


@pytest.fixture
def sent(captured: Captured, send: Any) -> Send:
    """A message that was accepted as `ID1`."""
    message: Send = send()
    message.accepted("ID1")
    return message


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQLServer]:
    """A PostgreSQL that runs."""
    program = present(Programs(may_make=False).postgres)
    with PostgreSQLServer(program, tmp_path_factory.mktemp("postgresql")) as running:
        yield running


def database(kind: str, request: pytest.FixtureRequest) -> str:
    """The address of a database without our table."""
    if kind == "sqlite":
        room: Path = request.getfixturevalue("tmp_path")
        return f"sqlite:{room}/deliveries.db"
    import psycopg

    running: PostgreSQLServer = request.getfixturevalue("server")
    with psycopg.connect(running.address, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS otel_stream_deliveries")
    return running.address


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest) -> str:
    """A database of either kind."""
    return database(request.param, request)


@pytest.fixture
def opened(address: str) -> Iterator[Callable[[], SQLStore]]:
    """Opens stores in that database, each with a connection of its own."""
    stores: list[SQLStore] = []

    def one() -> SQLStore:
        stores.append(SQLStore(address))
        return stores[-1]

    yield one
    for store in stores:
        store.close()
