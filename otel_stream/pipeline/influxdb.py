"""InfluxDB's HTTP API of version 1 (InfluxQL), which version 2 has too."""

from __future__ import annotations

import base64
from typing import Any

from otel_stream.pipeline.answer import Unreachable, ask_json, shown

__all__ = ["InfluxDB"]


class InfluxDB:
    """One database of an InfluxDB.

    Args:
        url: Where its API is, as http://127.0.0.1:8086.
        database: The database, or the bucket that is mapped to it.
        username: Empty for none.
        password: Of that user.
    """

    def __init__(self, url: str, database: str, username: str = "", password: str = "") -> None:
        self.url = url.rstrip("/")
        self.database = database
        self._headers = {}
        if username:
            credentials = base64.b64encode(f"{username}:{password}".encode()).decode()
            self._headers["Authorization"] = f"Basic {credentials}"

    def create(self) -> None:
        """Create the database unless it is there.

        Raises:
            Unreachable: InfluxDB does not answer, or refuses.
        """
        self._query(f'CREATE DATABASE "{self.database}"', post=True)

    def query(self, statement: str) -> list[dict[str, Any]]:
        """The rows of a SELECT, their columns and tags by name.

        Raises:
            Unreachable: InfluxDB does not answer, or refuses the statement.
        """
        rows = []
        for series in self._query(statement).get("series", ()):
            tags = series.get("tags", {})
            rows += [
                tags | dict(zip(series["columns"], row, strict=True)) for row in series["values"]
            ]
        return rows

    def _query(self, statement: str, *, post: bool = False) -> dict[str, Any]:
        url = f"{self.url}/query"
        parameters = {"db": self.database, "q": statement}
        answer = ask_json(url, parameters, post=post, headers=self._headers)
        result: dict[str, Any] = answer["results"][0]
        if "error" in result:
            raise Unreachable(f"{shown(url)} answers {result['error']}")
        return result
