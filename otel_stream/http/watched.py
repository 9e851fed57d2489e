"""One request under watch: tells its exchange, guarded, in order, and of one end only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextvars import Token
from threading import get_ident
from time import perf_counter
from types import MappingProxyType

from opentelemetry import context as otel_context
from opentelemetry import propagate
from opentelemetry.context import Context

from otel_stream import interruption
from otel_stream.errors import guard
from otel_stream.http.decoding import Decoder
from otel_stream.http.exchange import Exchange
from otel_stream.interruption import Task
from otel_stream.outcome import Outcome
from otel_stream.watcher import watcher

__all__ = ["Watched", "watched_reads"]

_BAGGAGE = "baggage"


class Watched:
    """What the wrappers of all libraries tell, as it happens.

    Args:
        exchange: Told of it. Whatever it raises stays here.
    """

    __slots__ = (
        "_decoder",
        "_exchange",
        "_propagates",
        "_sending",
        "_why",
        "answered",
        "began",
        "context",
        "over",
        "waiting",
    )

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.began = perf_counter()
        self.answered = False
        """Whether the headers are there."""
        self.over = False
        """Whether the end has been told."""
        self.waiting = 0
        """The thread in which a read is under way; else 0."""
        self.context: Context | None = None
        self._propagates = False
        self._sending: Token[Context] | None = None
        self._decoder: Decoder | None = None
        self._why: Outcome | None = None
        watcher.ready()
        with guard("watching a request"):
            context = getattr(exchange, "context", None)
            self.context = context if isinstance(context, Context) else None
            self._propagates = bool(getattr(exchange, "propagates", False))

    @property
    def was_left(self) -> bool:
        """Whether a loop was left, and nobody has read on since."""
        return self._why is not None

    # --- sending -----------------------------------------------------------------------------

    def send(self) -> None:
        """Attach the context for as long as the request is sent."""
        self._sending = self.enter()

    def sent(self) -> None:
        """Detach it again. May be repeated."""
        token, self._sending = self._sending, None
        self.leave(token)

    def forget(self) -> None:
        """The coroutine that sends is being closed, in whatever context: nothing to detach."""
        self._sending = None

    def enter(self) -> Token[Context] | None:
        """Attach the context, if there is one."""
        return None if self.context is None else otel_context.attach(self.context)

    def leave(self, token: Token[Context] | None) -> None:
        """Detach what `enter` has attached."""
        if token is not None:
            otel_context.detach(token)

    def carrier(self, headers: Mapping[str, str]) -> dict[str, str]:
        """What is to be added to the request's `headers`."""
        carrier: dict[str, str] = {}
        if self._propagates:
            with guard("propagating the trace context"):
                added: dict[str, str] = {}
                propagate.inject(added, context=self.context)
                present = {name for name in added if name in headers}
                if present <= {_BAGGAGE}:
                    carrier = {name: value for name, value in added.items() if name not in present}
        return carrier

    # --- the answer --------------------------------------------------------------------------

    def retried(self, times: int) -> None:
        """The response that comes is that of another attempt of the library's own."""
        if times and not self.over:
            with guard("watching the retries of a request"):
                self._exchange.retried(times)

    def responded(self, status: int, headers: Mapping[str, str], *, decoded: bool = False) -> None:
        """The headers are there. Bytes will come `decoded`, or as they are on the wire."""
        self.answered = True
        self.sent()
        if self.over:
            return
        with guard("watching a response"):
            self._decoder = None if decoded else Decoder(headers.get("content-encoding", ""))
            self._exchange.responded(status, MappingProxyType(headers))
            if self._exchange.goes_on:
                self._end()

    def asks(self) -> float:
        """A read of the body begins. Returns when."""
        self.waiting = get_ident()
        self._why = None
        now = perf_counter()
        if not self.over:
            with guard("watching a body"):
                self._exchange.asks(now)
        return now

    def arrived(self, data: bytes, started: float, *, decoded: bool = False) -> float:
        """Bytes are there, `decoded` for once or as `responded` says. Returns when."""
        self.waiting = 0
        now = perf_counter()
        if data and not self.over:
            with guard("watching a body"):
                decoder = self._decoder
                plain = data if decoded or decoder is None else decoder.decode(data)
                self._exchange.arrived(plain, started, now)
        return now

    # --- the ends ----------------------------------------------------------------------------

    def finished(self, started: float) -> None:
        """The body has ended cleanly."""
        self.waiting = 0
        if not self.over:
            exchange = self._end()
            with guard("watching the end of a body"):
                exchange.finished(started, perf_counter())

    def failed(self, error: BaseException, started: float) -> None:
        """The request, or a read of its body, raised."""
        self.waiting = 0
        if not self.over:
            exchange = self._end()
            with guard("watching a request fail"):
                exchange.failed(error, started, perf_counter())

    def left(self, *, closed: bool, task: Task = None) -> None:
        """The application stopped reading; `task` is the one that has read.

        Of a loop that the garbage collector closes nobody has left: that is told by `dropped`.
        """
        if self.over or watcher.collecting:
            return
        if self._why is None:
            self._why = interruption.of_reader(task=task)
        elif not closed:
            return
        exchange = self._end() if closed else self._exchange
        with guard("watching a body being left"):
            exchange.left(self._why, closed=closed)

    def dropped(self) -> None:
        """Nobody holds the response any more. Called by destructors."""
        if not self.over:
            outcome = self._why or interruption.of_reader(Outcome.ABANDONED)
            exchange = self._end()
            watcher.soon(lambda: _drop(exchange, outcome))

    def _end(self) -> Exchange:
        """Let go of the exchange: the application may hold its response for long. Returns it."""
        exchange, self._exchange = self._exchange, _NOBODY
        self.over = True
        self.context = None
        return exchange


def watched_reads(
    watched: Watched, source: Iterator[bytes], decoded: Callable[[], bool] = lambda: False
) -> Iterator[bytes]:
    """What `source` reads, told to `watched`: the loop of all libraries that read in sync code.

    Args:
        watched: Told of each read, and of the end.
        source: Reads the body.
        decoded: Asked whether the bytes that were just read are decoded already.
    """
    while True:
        started = watched.asks()
        token = watched.enter()
        try:
            data = next(source)
        except StopIteration:
            watched.finished(started)
            return
        except BaseException as error:
            watched.failed(error, started)
            raise
        finally:
            watched.leave(token)
        watched.arrived(data, started, decoded=decoded())
        try:
            yield data
        except BaseException:  # The loop was left: this generator is being closed.
            watched.left(closed=False)
            raise


class _Nobody(Exchange):
    """Hears what a thread still says that has not noticed the end."""


_NOBODY = _Nobody()


def _drop(exchange: Exchange, outcome: Outcome) -> None:
    with guard("watching a response being dropped"):
        exchange.dropped(outcome)
