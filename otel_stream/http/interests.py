"""Who wants to see the program's HTTP requests. The libraries are wrapped while anybody does."""

from __future__ import annotations

from otel_stream.http.exchange import Exchange, Interest, Request

__all__ = ["offer", "unwatch_http", "watch_http"]

_interests: tuple[Interest, ...] = ()


def watch_http(interest: Interest) -> None:
    """Offer every request that the program sends from now on to `interest`. Twice is a no-op.

    The first interest puts the wrappers in place. A library that is not imported yet is wrapped
    when it is.
    """
    global _interests
    if interest not in _interests:
        _interests = (*_interests, interest)


def unwatch_http(interest: Interest) -> None:
    """Offer nothing more to `interest`. What it watches already is told on to the end.

    After the last one the libraries are exactly as they were.
    """
    global _interests
    _interests = tuple(one for one in _interests if one is not interest)


def offer(request: Request) -> Exchange | None:
    """The exchange of the first interest that wants this request."""
    for interest in _interests:
        exchange = interest.watch(request)
        if exchange is not None:
            return exchange
    return None
