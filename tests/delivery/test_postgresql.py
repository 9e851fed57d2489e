"""A store in PostgreSQL: rights, kills and restarts of a real server."""

from __future__ import annotations

import time

import pytest

from otel_stream.delivery import sql
from otel_stream.delivery.sent import Sent
from otel_stream.delivery.sql import SQLStore
from otel_stream.delivery.status import Status
from stack.servers.postgresql import PostgreSQLServer

SENT = Sent(trace_id=2**128 - 1, span_id=7, flags=1, system="whatsapp", accepted_at=time.time())
ANOTHER = Sent(trace_id=8, span_id=9, flags=0, system="sms", accepted_at=1.5)


def test_a_table_that_somebody_else_made(server: PostgreSQLServer) -> None:
    """Who may make no table uses the one that is there; without it, they are told why not."""
    import psycopg

    with psycopg.connect(server.address, autocommit=True) as admin:
        admin.execute("DROP TABLE IF EXISTS otel_stream_deliveries")
        admin.execute("DROP ROLE IF EXISTS bot")
        admin.execute("CREATE ROLE bot LOGIN")
        store = SQLStore(server.address.replace("otel_stream@", "bot@"))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            store.put("ID1", SENT)
        admin.execute(sql._TABLE)
        admin.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON otel_stream_deliveries TO bot")
        store.put("ID1", SENT)
        found = store.mark("ID1", Status.READ)
        store.close()
        admin.execute("DROP OWNED BY bot")

    assert found


def test_a_server_that_is_killed_and_comes_back(server: PostgreSQLServer) -> None:
    """A connection that breaks is opened anew; without a server it says so, and goes on later."""
    store = SQLStore(server.address)
    store.put("ID1", SENT)
    server.process.kill()
    with pytest.raises(Exception, match="connection"):
        store.find("ID1")
    server.process.start()
    found = store.find("ID1")
    store.close()

    assert found == SENT


def test_a_server_that_restarts(server: PostgreSQLServer) -> None:
    """A restart in between is not noticed."""
    store = SQLStore(server.address)
    store.put("ID2", SENT)
    server.process.stop()
    server.process.start()
    found = store.mark("ID2", Status.READ)
    store.close()

    assert found
