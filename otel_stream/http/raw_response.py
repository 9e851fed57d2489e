"""urllib3's response (the `raw` of requests) with somebody watching.

The object stays the one it is, with all that holds it and that it holds; only its class becomes one
of ours, derived from its own. Wrappers of another kind would be seen, or would keep it alive.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from functools import cache
from threading import get_ident
from time import perf_counter
from typing import Any

from otel_stream.errors import guard
from otel_stream.http.watched import Watched, watched_reads

__all__ = ["tap_raw"]

_WATCHED = "otel_stream_watched"


def tap_raw(raw: Any, watched: Watched) -> bool:
    """Watch `raw`. Returns whether that can be done: it must read as urllib3's own does."""
    kind = raw.__class__
    if not all(hasattr(kind, name) for name in ("read", "stream", "close", "closed")):
        return False
    try:
        raw.__class__ = _kind(kind)
        vars(raw)[_WATCHED] = watched
    except TypeError:
        return False
    return True


class _Tapped:
    """What the application may read by. Each reads through the others, so only the first tells."""

    __slots__ = ()

    def read(self, *args: Any, **kwargs: Any) -> Any:
        return _read(self, super().read, args, kwargs, whole=True)  # type: ignore[misc]

    def read1(self, *args: Any, **kwargs: Any) -> Any:
        return _read(self, super().read1, args, kwargs)  # type: ignore[misc]

    def stream(self, *args: Any, **kwargs: Any) -> Any:
        return _reads(self, super().stream(*args, **kwargs), args, kwargs)  # type: ignore[misc]

    def read_chunked(self, *args: Any, **kwargs: Any) -> Any:
        source = super().read_chunked(*args, **kwargs)  # type: ignore[misc]
        return _reads(self, source, args, kwargs)

    def close(self) -> None:
        _ended(self, Watched.left, closed=True)
        super().close()  # type: ignore[misc]

    def __del__(self) -> None:
        _ended(self, Watched.dropped)
        if hasattr(super(), "__del__"):
            super().__del__()  # type: ignore[misc]


@cache
def _kind(kind: type[Any]) -> type[Any]:
    """A class derived from `kind` that looks like it."""
    looks = {"__slots__": (), "__module__": kind.__module__, "__qualname__": kind.__qualname__}
    return type(kind.__name__, (_Tapped, kind), looks)


def _read(
    raw: Any,
    read: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    whole: bool = False,
) -> Any:
    """One read. Without an amount `read` reads the `whole` body."""
    watched: Watched = vars(raw)[_WATCHED]
    if watched.waiting or watched.over:
        return read(*args, **kwargs)
    started = watched.asks()
    token = watched.enter()
    try:
        data = read(*args, **kwargs)
    except BaseException as error:
        watched.failed(error, started)
        raise
    finally:
        watched.leave(token)
    watched.arrived(data, started, decoded=_is_decoded(raw, args, kwargs))
    with guard("reading a response"):
        amount = args[0] if args else kwargs.get("amt")
        if (whole and (amount is None or amount < 0)) or (not data and amount != 0):
            watched.finished(started)
    return data


def _reads(
    raw: Any, source: Generator[Any, None, None], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Generator[Any, None, None]:
    """A loop of reads."""
    watched: Watched = vars(raw)[_WATCHED]
    if watched.waiting or watched.over:
        yield from source
        return
    try:
        yield from watched_reads(watched, source, lambda: _is_decoded(raw, args, kwargs))
    finally:
        source.close()


def _is_decoded(raw: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    """Whether urllib3 has decoded what was read: asked to, and knowing how."""
    asked = args[1] if len(args) > 1 else kwargs.get("decode_content")
    if asked is None:
        asked = getattr(raw, "decode_content", False)
    return bool(asked) and getattr(raw, "_decoder", None) is not None


def _ended(raw: Any, how: Callable[..., None], **said: Any) -> None:
    """The response goes away. One whose bytes have all been read was read to the end."""
    watched: Watched | None = vars(raw).get(_WATCHED)
    if watched is None or watched.over or watched.waiting == get_ident():
        return  # urllib3 closes by itself before it raises out of a read.
    whole = False
    with guard("watching a response end"):
        whole = bool(raw.closed) and not (watched.waiting or watched.was_left)
    if whole:
        watched.finished(perf_counter())
    else:
        how(watched, **said)
