"""Who wants to see the program's HTTP requests. The libraries are wrapped while anybody does."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from threading import RLock
from typing import Any

from wrapt import register_post_import_hook

from otel_stream import runtime
from otel_stream.errors import guard
from otel_stream.http.exchange import Interest, Request
from otel_stream.http.watched import Watched
from otel_stream.patches import Patches

__all__ = ["LIBRARIES", "missing_http", "offered", "unwatch_http", "watch_http"]

LIBRARIES = {
    "httpx": "otel_stream.http.httpx",
    "httpx2": "otel_stream.http.httpx",
    "requests": "otel_stream.http.requests",
    "aiohttp": "otel_stream.http.aiohttp",
}
"""What is wrapped, and the module of ours that does it."""

_interests: tuple[Interest, ...] = ()
_wrapped: dict[str, Patches] = {}
_awaited: set[str] = set()
"""Libraries whose import tells us. There is no way to take that back."""
_changing = RLock()


def watch_http(interest: Interest) -> None:
    """Offer every request that the program sends from now on to `interest`. Twice is a no-op.

    The first interest puts the wrappers in place. A library that is not imported yet is wrapped
    when it is.
    """
    global _interests
    with _changing:
        if not any(one is interest for one in _interests):
            _interests = (*_interests, interest)
        for library in LIBRARIES:
            with guard(f"wrapping {library}"):
                _wrap_or_await(library)


def unwatch_http(interest: Interest) -> None:
    """Offer nothing more to `interest`. What it watches already is told on to the end.

    After the last one the libraries are exactly as they were.
    """
    global _interests
    with _changing:
        _interests = tuple(one for one in _interests if one is not interest)
        if not _interests:
            for patches in _wrapped.values():
                patches.restore()
            _wrapped.clear()


def missing_http() -> list[str]:
    """What the imported versions of the libraries lack of what is to be wrapped."""
    return [target for patches in _wrapped.values() for target in patches.missing]


def offered(kind: Callable[..., Request], *native: Any) -> Watched | None:
    """The library's `native` request, watched by the first interest that wants it; else None.

    Called when it is about to be sent. `kind` makes what interests see of it.
    """
    if not _interests or runtime.is_suppressed():
        return None
    request = kind(*native)
    for interest in _interests:
        with guard("asking who wants a request"):
            exchange = interest.watch(request)
            if exchange is not None:
                return Watched(exchange)
    return None


def _wrap_or_await(library: str) -> None:
    module = sys.modules.get(library)
    if module is None:
        if library not in _awaited:
            _awaited.add(library)
            register_post_import_hook(lambda _: _imported(library), library)
    elif library not in _wrapped and module.__name__ == library:  # `httpx2` can stand for `httpx`.
        patches = _wrapped[library] = Patches()
        import_module(LIBRARIES[library]).wrap(patches, library)


def _imported(library: str) -> None:
    _awaited.discard(library)
    with _changing, guard(f"wrapping {library}"):
        if _interests:
            _wrap_or_await(library)
