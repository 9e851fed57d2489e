"""The same things done with each HTTP library, as an application does them.

All are coroutines, also of the sync libraries, which then block: the server has its own thread.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import aiohttp
import httpx
import httpx2
import requests

__all__ = ["ASYNC", "CLIENTS", "Client"]

Act = Callable[[], None]


class Client:
    """What every library can do. `wait` is the read time-out (s)."""

    name: str
    is_async = False
    errors: tuple[type[BaseException], ...]
    """What it raises when the network fails."""

    async def exhaust(self, url: str, wait: float = 5.0) -> list[bytes]:
        """Read a streamed body to the end. Returns its pieces."""
        raise NotImplementedError

    async def lines(self, url: str) -> list[str | bytes]:
        """Read it line by line."""
        raise NotImplementedError

    async def first(self, url: str, act: Act, close: bool = True) -> list[bytes]:
        """Read the first piece, do `act`, leave the loop, and close, or drop everything."""
        raise NotImplementedError

    async def unread(self, url: str) -> list[bytes]:
        """Open a streamed body, and close it unread."""
        raise NotImplementedError

    async def post(self, url: str, json: Any) -> tuple[int, bytes, dict[str, str]]:
        """A call that is not streamed. Returns status, body, and the request's headers."""
        raise NotImplementedError


class HttpxClient(Client):
    """httpx and httpx2, sync."""

    def __init__(self, library: Any) -> None:
        self.library = library
        self.name = library.__name__
        self.errors = (library.HTTPError,)

    async def exhaust(self, url: str, wait: float = 5.0) -> list[bytes]:
        with self.library.Client(timeout=wait) as client, client.stream("POST", url) as response:
            return list(response.iter_bytes())

    async def lines(self, url: str) -> list[str | bytes]:
        with self.library.Client() as client, client.stream("POST", url) as response:
            return list(response.iter_lines())

    async def first(self, url: str, act: Act, close: bool = True) -> list[bytes]:
        with self.library.Client() as client:
            response = client.send(client.build_request("POST", url), stream=True)
            with ExitStack() as stack:
                if close:
                    stack.callback(response.close)
                return self._first(response.iter_raw(), act)

    def _first(self, pieces: Iterator[bytes], act: Act) -> list[bytes]:
        for piece in pieces:
            act()
            return [piece]
        return []

    async def unread(self, url: str) -> list[bytes]:
        with self.library.Client() as client, client.stream("POST", url):
            return []

    async def post(self, url: str, json: Any) -> tuple[int, bytes, dict[str, str]]:
        with self.library.Client(follow_redirects=True) as client:
            response = client.post(url, json=json)
        return response.status_code, response.content, dict(response.request.headers)


class AsyncHttpxClient(Client):
    """httpx and httpx2, async."""

    is_async = True

    def __init__(self, library: Any) -> None:
        self.library = library
        self.name = f"{library.__name__}-async"
        self.errors = (library.HTTPError,)

    async def exhaust(self, url: str, wait: float = 5.0) -> list[bytes]:
        client = self.library.AsyncClient(timeout=wait)
        async with client, client.stream("POST", url) as response:
            return [piece async for piece in response.aiter_bytes()]

    async def lines(self, url: str) -> list[str | bytes]:
        async with self.library.AsyncClient() as client, client.stream("POST", url) as response:
            return [line async for line in response.aiter_lines()]

    async def first(self, url: str, act: Act, close: bool = True) -> list[bytes]:
        async with self.library.AsyncClient() as client:
            response = await client.send(client.build_request("POST", url), stream=True)
            try:
                return await self._first(response, act)
            finally:
                if close:
                    await response.aclose()
                del response
                gc.collect()
                await asyncio.sleep(0.01)  # for the loop to close the generators

    async def _first(self, response: Any, act: Act) -> list[bytes]:
        async for piece in response.aiter_raw():
            act()
            await asyncio.sleep(0)
            return [piece]
        return []

    async def unread(self, url: str) -> list[bytes]:
        async with self.library.AsyncClient() as client, client.stream("POST", url):
            return []

    async def post(self, url: str, json: Any) -> tuple[int, bytes, dict[str, str]]:
        async with self.library.AsyncClient(follow_redirects=True) as client:
            response = await client.post(url, json=json)
        return response.status_code, response.content, dict(response.request.headers)


class RequestsClient(Client):
    """requests."""

    name = "requests"
    errors = (requests.RequestException,)

    async def exhaust(self, url: str, wait: float = 5.0) -> list[bytes]:
        with requests.post(url, stream=True, timeout=wait) as response:
            return list(response.iter_content(None))

    async def lines(self, url: str) -> list[str | bytes]:
        with requests.post(url, stream=True, timeout=5) as response:
            return list(response.iter_lines())

    async def first(self, url: str, act: Act, close: bool = True) -> list[bytes]:
        response = requests.post(url, stream=True, timeout=5)
        with ExitStack() as stack:
            if close:
                stack.callback(response.close)
            for piece in response.iter_content(None):
                act()
                return [piece]
        return []

    async def unread(self, url: str) -> list[bytes]:
        with requests.post(url, stream=True, timeout=5):
            return []

    async def post(self, url: str, json: Any) -> tuple[int, bytes, dict[str, str]]:
        response = requests.post(url, json=json, timeout=5)
        return response.status_code, response.content, dict(response.request.headers)


class AiohttpClient(Client):
    """aiohttp."""

    name = "aiohttp"
    is_async = True
    errors = (aiohttp.ClientError, TimeoutError)

    async def exhaust(self, url: str, wait: float = 5.0) -> list[bytes]:
        timeout = aiohttp.ClientTimeout(sock_read=wait)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.post(url) as response:
            return [piece async for piece in response.content.iter_any()]

    async def lines(self, url: str) -> list[str | bytes]:
        async with aiohttp.ClientSession() as session, session.post(url) as response:
            return [line.rstrip(b"\n") async for line in response.content]

    async def first(self, url: str, act: Act, close: bool = True) -> list[bytes]:
        async with aiohttp.ClientSession() as session:
            response = await session.post(url)
            try:
                async for piece in response.content.iter_any():
                    act()
                    await asyncio.sleep(0)
                    return [piece]
            finally:
                if close:
                    response.close()
        return []

    async def unread(self, url: str) -> list[bytes]:
        async with aiohttp.ClientSession() as session, session.post(url):
            return []

    async def post(self, url: str, json: Any) -> tuple[int, bytes, dict[str, str]]:
        async with aiohttp.ClientSession() as session, session.post(url, json=json) as response:
            return response.status, await response.read(), dict(response.request_info.headers)


CLIENTS: list[Client] = [
    HttpxClient(httpx),
    AsyncHttpxClient(httpx),
    HttpxClient(httpx2),
    AsyncHttpxClient(httpx2),
    RequestsClient(),
    AiohttpClient(),
]
ASYNC = [client for client in CLIENTS if client.is_async]
