"""The one way that patches: every thread, pool and loop of the process takes the context along."""

from __future__ import annotations

import threading
from collections.abc import Callable
from inspect import iscoroutine
from threading import Lock
from types import TracebackType
from typing import Any

from opentelemetry import context as otel_context

from otel_stream.errors import guard
from otel_stream.hops import Carrier, carried, generates
from otel_stream.patches import Patches

__all__ = ["Everywhere", "carry_everywhere"]

# Threads that serve whoever comes, and live on: they are no part of what happened to start them.
_SERVE = (
    "anyio", "asyncio", "concurrent", "logging", "multiprocessing", "opentelemetry", "otel_stream",
    "psycopg_pool", "sqlalchemy", "uvicorn",
)  # fmt: skip


class Everywhere:
    """What `carry_everywhere` has asked for. Call it to undo that; or use it as a block."""

    def __init__(self) -> None:
        self._lasts = True

    def __call__(self) -> None:
        """Undo it. What somebody else has asked for stays."""
        lasts, self._lasts = self._lasts, False
        if lasts:
            with guard("carrying nothing any more"):
                _patched.less()

    def __enter__(self) -> Everywhere:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self()


def carry_everywhere() -> Everywhere:
    """Take the current context, and its turn, along wherever this process hands work to a thread.

        undo = otel_stream.carry_everywhere()      # once, when the program starts

    `Thread.start`, `ThreadPoolExecutor.submit` and `asyncio.run_coroutine_threadsafe` do as
    `carried` does, for all code of the process that looks them up after this call. Queues are not
    among them: see `carrying`. Where nothing is current, nothing is done. A thread that is started
    while a message is answered, and then lives on, keeps that turn open; pools do not.

    Returns:
        A function that undoes it exactly, and a context manager that does so at its end.
    """
    with guard("carrying everywhere"):
        _patched.more()
    return Everywhere()


class _Patched:
    """The patches, as long as anybody wants them."""

    def __init__(self) -> None:
        self._wanted = 0
        self._patches = Patches()
        self._lock = Lock()

    def more(self) -> None:
        with self._lock:
            self._wanted += 1
            if self._wanted > 1:
                return
            wrap = self._patches.wrap
            wrap("threading:Thread.start", _start)
            wrap("concurrent.futures.thread:ThreadPoolExecutor.submit", _submit)
            wrap("asyncio.tasks:run_coroutine_threadsafe", _threadsafe)
            wrap("asyncio:run_coroutine_threadsafe", _threadsafe)

    def less(self) -> None:
        with self._lock:
            self._wanted -= 1
            if not self._wanted:
                self._patches.restore()


_patched = _Patched()


def _start(wrapped: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Stands in for `Thread.start`."""
    thread = args[0] if args else None
    if not isinstance(thread, threading.Thread) or not _anything() or _serves(thread):
        return wrapped(*args, **kwargs)
    with guard("taking a context to a thread"):
        _Run(thread)
    try:
        return wrapped(*args, **kwargs)
    except BaseException:
        _Run.taken_back(thread)
        raise


def _submit(wrapped: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Stands in for `ThreadPoolExecutor.submit`."""
    if len(args) > 1 and callable(args[1]) and not generates(args[1]) and _anything():
        with guard("taking a context to a pool"):
            args = (args[0], carried(args[1]), *args[2:])
    return wrapped(*args, **kwargs)


def _threadsafe(wrapped: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Stands in for `run_coroutine_threadsafe`."""
    if not _anything():
        return wrapped(*args, **kwargs)
    with guard("taking a context to a loop"):
        if args and iscoroutine(args[0]):
            args = (carried(args[0]), *args[1:])
        elif iscoroutine(kwargs.get("coro")):
            kwargs = {**kwargs, "coro": carried(kwargs["coro"])}
    return wrapped(*args, **kwargs)


class _Run:
    """In the place of a thread's `run`, once."""

    def __init__(self, thread: threading.Thread) -> None:
        self._thread = thread
        self._carrier = Carrier()
        thread.run = self  # type: ignore[method-assign]

    def __call__(self) -> None:
        self.taken_back(self._thread)
        with self._carrier:
            self._thread.run()

    @staticmethod
    def taken_back(thread: threading.Thread) -> None:
        """Leave the thread as it was made."""
        if isinstance(vars(thread).get("run"), _Run):
            del vars(thread)["run"]


def _anything() -> bool:
    """Whether anything is current here that could be taken along."""
    return bool(otel_context.get_current())


def _serves(thread: threading.Thread) -> bool:
    target = getattr(thread, "_target", None)
    places = (type(thread).__module__, getattr(target, "__module__", None) or "")
    return any(place.partition(".")[0] in _SERVE for place in places)
