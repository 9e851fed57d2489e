"""What is said of one HTTP request, and to whom. The same words for every library.

`Interest` is asked about every request of the program and answers with an `Exchange` for those it
wants. The exchange is then told, in this order:

    responded ─► (asks ─► arrived)* ─► one end: finished · failed · left(closed) · dropped

`failed` may come at any point, before `responded` too. After the end nothing more is told. A loop
over the body that is left without a close is no end: `left(…, closed=False)` is told, and `asks`
again if somebody reads on, which people do who peek at the first chunk and pass the response on.

Times are `time.perf_counter()` seconds. What a library can show differs:

- httpx, httpx2, requests read in the application's own thread or task: `asks` and `started` are
  when the application's read began, `arrived` is when it returned. Bytes that came while a slow
  application did something else show a wait of nearly nothing when they are read at last.
- With requests a read of n bytes lasts until n bytes are there, unless the answer is chunked:
  `iter_lines` asks for 512. That is when the application gets them, too. An error in the body is
  urllib3's own, before requests makes one of its own of it.
- aiohttp reads by itself, in the event loop, ahead of the application and up to a bound (128 kB to
  512 kB, by version; then it waits for the application): `arrived` is when the loop got the bytes,
  `started` when it had got those before, and `asks` follows each arrival at once. A slow
  application delays nothing of this, as long as it does not block the event loop itself. The end
  may be told before the application has read all. A loop that is left is told when the response is
  closed or released; one that is never closed lives as long as its session does.
- A library's retries of a connection that was closed under it are one request, and so are those of
  urllib3 by a rule of the application's (`retried`, with requests). Each hop of a redirect, and
  each attempt of an authentication, is one of its own; but requests shows no second attempt. With
  aiohttp those after the first begin when their connection is asked for.
- httpx and httpx2 are seen beneath their decoders: of `br` and `zstd` there are no bytes, only
  times. requests and aiohttp decode what they can before it is seen here. A body that httpx cannot
  decode fails; with httpx2 it looks as if the application had closed it.

Methods are called in the thread that sends or reads, in whatever context is current there, and
`dropped` perhaps in a thread of ours; they must not block. What they raise is counted and logged as
a fault of ours, never seen by the program.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from opentelemetry.context import Context

from otel_stream.outcome import Outcome

__all__ = ["Exchange", "Interest", "Request"]


class Request(Protocol):
    """A request that is about to be sent. Everything is worked out when it is asked for.

    It is good while `watch` runs: read what is needed there and keep no reference to it.
    """

    @property
    def method(self) -> str:
        """Upper case."""
        ...

    @property
    def url(self) -> str:
        """The whole of it. It may hold a secret: userinfo, or a key in the query."""
        ...

    @property
    def scheme(self) -> str:
        """`http` or `https`."""
        ...

    @property
    def host(self) -> str:
        """Lower case; an IPv6 address without brackets."""
        ...

    @property
    def port(self) -> int:
        """As given, else the scheme's."""
        ...

    @property
    def path(self) -> str:
        """As on the wire: percent-encoded, without the query, at least `/`. The cheapest to ask."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Read only, names in any case. aiohttp adds its own (`Host`, `Content-Type` …) later."""
        ...

    def body(self) -> bytes:
        """What is in memory; `b""` for what is streamed, for files, and beyond 1 MiB."""
        ...


class Interest(Protocol):
    """Somebody who wants to see some of the program's requests. See `interests.watch_http`."""

    def watch(self, request: Request) -> Exchange | None:
        """An exchange for a request that is wanted, else None.

        Asked about every HTTP request that the program sends, each hop of a redirect and each
        attempt of an authentication too, so it must be quick to say no: look at `method` and
        `path` first. Requests inside `otel_stream.suppress()`, or that an instrumentation has
        suppressed, are not offered. The first interest that wants a request is the only one that
        sees it.
        """
        ...


class Exchange:
    """One request that somebody watches. Derive from it: every method does nothing by default."""

    context: Context | None = None
    """Attached while the request is sent and while the body is read, never in the consumer's body,
    so that other instrumentations take it for their parent. None leaves the current one alone.
    With aiohttp while the request is sent only: its body is read by the event loop. Read once, when
    `watch` has returned."""

    propagates: bool = False
    """Whether the request is to carry `context` (else the current one) on the wire: the global
    propagator's headers are added to this request alone, unless the application has set any of
    them. Read once, as `context` is."""

    goes_on: bool = False
    """Whether what the server has answered is no answer, but the way to it: read when `responded`
    has returned, and then nothing more is told."""

    def retried(self, times: int) -> None:
        """The response that comes now is that of another try: so many were before it."""
        return None

    def responded(self, status: int, headers: Mapping[str, str]) -> None:
        """The headers are there. Those of the response's own type: names in any case."""
        return None

    def asks(self, now: float) -> None:
        """A read of the body begins."""
        return None

    def arrived(self, data: bytes, started: float, now: float) -> None:
        """Bytes, content-decoded, as the application gets them, of a read begun at `started`.

        An encoding that cannot be undone here gives empty data, so that the time is still told.
        """
        return None

    def finished(self, started: float, now: float) -> None:
        """The body has ended cleanly. The last read began at `started`."""
        return None

    def failed(self, error: BaseException, started: float, now: float) -> None:
        """The request (`started` is when it began) or a read of the body raised.

        A cancellation and `KeyboardInterrupt` too: `interruption.of_error` tells what it means.
        """
        return None

    def left(self, outcome: Outcome, *, closed: bool) -> None:
        """The application has stopped reading before the end.

        Args:
            outcome: `CLOSED_EARLY`, or `CANCELLED` if its task or the process was being stopped.
            closed: The response was closed too: this is the end. Else a loop was left, and the
                response, if somebody holds it, may be read on (`asks`), closed, or `dropped`.
        """
        return None

    def dropped(self, outcome: Outcome) -> None:
        """Nobody holds the response any more, and nobody closed it.

        Args:
            outcome: What `left` has said before; else `ABANDONED` or `CANCELLED`.
        """
        return None
