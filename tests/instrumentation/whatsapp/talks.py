"""Calls of pywa, sync and async alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pywa
import pywa_async

from otel_stream.testing import CloudServer

__all__ = ["FLAVOURS", "Talk"]

FLAVOURS = ["sync", "async"]


class Talk:
    """A client of pywa for the fake Cloud API, whose methods are called by name.

    Args:
        flavour: One of `FLAVOURS`.
        cloud: The server.
    """

    def __init__(self, flavour: str, cloud: CloudServer, **options: Any) -> None:
        self._flavour = flavour
        self._cloud = cloud
        self._options = {"timeout": 5.0, "trust_env": False, **options}

    def __call__(self, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call `WhatsApp.method`."""
        return self.run(lambda client: getattr(client, method)(*args, **kwargs))

    def run(self, work: Callable[[Any], Any]) -> Any:
        """Do `work` with a client; what it returns is awaited where that is to be."""
        if self._flavour == "async":
            return asyncio.run(self._run(work))
        with httpx.Client(**self._options) as session:
            client = pywa.WhatsApp(self._cloud.phone_id, self._cloud.token, session=session)
            session.base_url = httpx.URL(self._cloud.graph_url)
            return work(client)

    async def _run(self, work: Callable[[Any], Any]) -> Any:
        async with httpx.AsyncClient(**self._options) as session:
            client = pywa_async.WhatsApp(self._cloud.phone_id, self._cloud.token, session=session)
            session.base_url = httpx.URL(self._cloud.graph_url)
            return await work(client)
