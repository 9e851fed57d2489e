"""One POST by each HTTP library, as a program writes it by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import aiohttp
import httpx
import httpx2
import requests

__all__ = ["ERRORS", "POSTS", "Answer", "Post"]

ERRORS = (
    httpx.HTTPError,
    httpx2.HTTPError,
    requests.RequestException,
    aiohttp.ClientError,
    TimeoutError,
)
"""What they raise."""

Answer = tuple[int, Any]
"""Status and body, as the program gets them."""
Post = Callable[..., Answer]


def _requests(url: str, **options: Any) -> Answer:
    reply = requests.post(url, **options)
    return reply.status_code, reply.json()


def _session(url: str, **options: Any) -> Answer:
    with requests.Session() as session:
        reply = session.post(url, **options)
        return reply.status_code, reply.json()


def _sync(library: Any) -> Post:
    def post(url: str, **options: Any) -> Answer:
        with library.Client(trust_env=False, follow_redirects=True) as client:
            reply = client.post(url, **options)
            return reply.status_code, reply.json()

    return post


def _async(library: Any) -> Post:
    async def send(url: str, **options: Any) -> Answer:
        async with library.AsyncClient(trust_env=False, follow_redirects=True) as client:
            reply = await client.post(url, **options)
            return reply.status_code, reply.json()

    return lambda url, **options: asyncio.run(send(url, **options))


def _aiohttp(url: str, **options: Any) -> Answer:
    if "timeout" in options:
        options["timeout"] = aiohttp.ClientTimeout(options["timeout"])

    async def send() -> Answer:
        async with aiohttp.ClientSession() as session, session.post(url, **options) as reply:
            return reply.status, await reply.json()

    return asyncio.run(send())


POSTS: dict[str, Post] = {
    "requests": _requests,
    "requests.Session": _session,
    "httpx": _sync(httpx),
    "httpx.async": _async(httpx),
    "httpx2": _sync(httpx2),
    "httpx2.async": _async(httpx2),
    "aiohttp": _aiohttp,
}
