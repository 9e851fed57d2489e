"""Messages on their way, in SQLite or PostgreSQL: where one process sends and another is told.

Ids are kept as SHA-256 only, since a channel's may hold a number. All calls block, and are made on
a thread of their own. Rows are kept for 30 days. The table may be made beforehand, by somebody who
is allowed to: then nothing but reading and writing it is asked for.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from threading import RLock
from typing import Any, TypeVar

from otel_stream.delivery.sent import Sent
from otel_stream.delivery.status import Status
from otel_stream.errors import MissingExtraError
from otel_stream.fork import call_in_child

__all__ = ["SQLStore"]

T = TypeVar("T")
_KEPT_FOR = 30 * 86_400.0
_BETWEEN_PRUNINGS = 3_600.0
_TOOK_TOO_LONG = 5
_BITS = {status: 1 << index for index, status in enumerate(Status)}

_TABLE = """CREATE TABLE IF NOT EXISTS otel_stream_deliveries (
    message TEXT PRIMARY KEY,
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    flags INTEGER NOT NULL,
    channel TEXT NOT NULL,
    accepted_at DOUBLE PRECISION NOT NULL,
    seen INTEGER NOT NULL DEFAULT 0
)"""
_INDEX = """CREATE INDEX IF NOT EXISTS otel_stream_deliveries_accepted_at
    ON otel_stream_deliveries (accepted_at)"""
_IS_THERE = "SELECT 1 FROM otel_stream_deliveries LIMIT 1"
_PUT = """INSERT INTO otel_stream_deliveries
    (message, trace_id, span_id, flags, channel, accepted_at) VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (message) DO NOTHING"""
_FIND = """SELECT trace_id, span_id, flags, channel, accepted_at
    FROM otel_stream_deliveries WHERE message = ?"""
_MARK = """UPDATE otel_stream_deliveries SET seen = seen | ?
    WHERE message = ? AND seen & ? = 0"""
_PRUNE = "DELETE FROM otel_stream_deliveries WHERE accepted_at < ?"


class SQLStore:
    """A `DeliveryStore` in a table of its own, `otel_stream_deliveries`, made when it is missing.

    Args:
        address: `sqlite:PATH`, or `postgresql://…` as libpq reads it (needs the extra
            `postgresql`).

    Raises:
        MissingExtraError: PostgreSQL is asked for, and psycopg is not installed.
    """

    def __init__(self, address: str) -> None:
        self._connect, self._mark = _driver(address)
        self._connection: Any = None
        self._inherited: list[Any] = []
        self._pruned = 0.0
        self._lock = RLock()
        call_in_child(self._start_anew)

    def put(self, message_id: str, sent: Sent) -> None:
        """Keep a message, unless it is kept already."""
        self._prune()
        row = (f"{sent.trace_id:032x}", f"{sent.span_id:016x}", sent.flags, sent.system)
        self._run(_PUT, (_hashed(message_id), *row, sent.accepted_at), _count)

    def find(self, message_id: str) -> Sent | None:
        """The message with this id, if it is kept."""
        row = self._run(_FIND, (_hashed(message_id),), lambda cursor: cursor.fetchone())
        if row is None:
            return None
        trace_id, span_id, flags, system, accepted_at = row
        return Sent(
            trace_id=int(trace_id, 16),
            span_id=int(span_id, 16),
            flags=flags,
            system=system,
            accepted_at=accepted_at,
        )

    def mark(self, message_id: str, status: Status) -> bool:
        """Whether `status` is news of a message that is kept."""
        bit = _BITS[status]
        return self._run(_MARK, (bit, _hashed(message_id), bit), _count) == 1

    def close(self) -> None:
        """Close the connection; the next call opens one again."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                with suppress(Exception):  # One that has died may say so once more.
                    connection.close()

    def __del__(self) -> None:
        """A connection that is dropped unclosed would say so, to the server and on stderr."""
        if "_connection" in self.__dict__:
            self.close()

    def _run(self, statement: str, values: tuple[Any, ...], read: Callable[[Any], T]) -> T:
        """One statement in a transaction of its own. A connection that has died is opened anew."""
        with self._lock:
            reused = self._connection is not None
            try:
                return self._try(statement, values, read)
            except Exception:
                self.close()
                if not reused:
                    raise
            return self._try(statement, values, read)

    def _try(self, statement: str, values: tuple[Any, ...], read: Callable[[Any], T]) -> T:
        if self._connection is None:
            self._connection = self._connect()
            self._make_table()
        return read(self._connection.execute(statement.replace("?", self._mark), values))

    def _make_table(self) -> None:
        if self._is_there():
            return
        try:
            for made in (_TABLE, _INDEX):
                self._connection.execute(made)
        except Exception:
            # Of two processes that make it at once, PostgreSQL tells one that it exists.
            if not self._is_there():
                raise

    def _is_there(self) -> bool:
        with suppress(Exception):
            self._connection.execute(_IS_THERE)
            return True
        return False

    def _start_anew(self) -> None:
        """In a forked child: the connection is the parent's, and is not even to be closed here."""
        self._inherited.append(self._connection)
        self._connection = None
        self._lock = RLock()

    def _prune(self) -> None:
        now = time.time()
        if now - self._pruned > _BETWEEN_PRUNINGS:
            self._pruned = now
            self._run(_PRUNE, (now - _KEPT_FOR,), _count)


def _count(cursor: Any) -> int:
    return int(cursor.rowcount)


def _hashed(message_id: str) -> str:
    return hashlib.sha256(message_id.encode("utf-8", "replace")).hexdigest()


def _driver(address: str) -> tuple[Callable[[], Any], str]:
    """What connects, in autocommit, and the mark of a value in a statement."""
    kind, _, rest = address.partition(":")
    if kind == "sqlite":
        path = rest.removeprefix("//")
        return lambda: _sqlite(path), "?"
    try:
        import psycopg
    except ImportError:
        raise MissingExtraError(
            "delivery_store in PostgreSQL needs psycopg: pip install 'otel-stream[postgresql]'"
        ) from None
    return lambda: _postgresql(psycopg, address), "%s"


def _postgresql(psycopg: Any, address: str) -> Any:
    # A server that is gone without a word is found out; who connects otherwise, says so.
    ours: dict[str, Any] = {
        "connect_timeout": _TOOK_TOO_LONG,
        "tcp_user_timeout": 1_000 * _TOOK_TOO_LONG,
        "application_name": "otel-stream",
    }
    said = psycopg.conninfo.conninfo_to_dict(address)
    # No prepared statements: behind PgBouncer the next one may reach another server.
    return psycopg.connect(autocommit=True, prepare_threshold=None, **{**ours, **said})


def _sqlite(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(
        path, timeout=_TOOK_TOO_LONG, isolation_level=None, check_same_thread=False
    )
    # Whoever opens it first, at the same time as we do, may keep it locked for that moment.
    with suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection
