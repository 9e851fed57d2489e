"""`trace_stream`: the same truth for any other iterator, without an instrumentor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from otel_stream import runtime, semconv
from otel_stream.call import UNKNOWN, CallInfo
from otel_stream.callbacks import Callbacks, check
from otel_stream.delta import Delta, Failure, Finish, Found, Terminal
from otel_stream.errors import guard
from otel_stream.lag import FirstText
from otel_stream.record.recorder import Recorder
from otel_stream.trace import Trace

if TYPE_CHECKING:
    from otel_stream.proxy import Sources

__all__ = ["trace_stream"]

T = TypeVar("T")
_DELTAS = (str, *Delta.__args__)


class _Items:
    """Reads items: by `read`, else texts and deltas as they are, and anything else as one chunk."""

    def __init__(
        self, read: Callable[[Any], Found] | None, terminal: Callable[[Any], bool] | None
    ) -> None:
        self._read = read
        self._terminal = terminal
        self._ended = terminal is None

    def read(self, item: Any) -> Found:
        if self._read is not None:
            found = self._read(item)
        else:
            found = item if isinstance(item, _DELTAS) else None
        if not self._is_last(item, found):
            return found
        self._ended = True
        return [*_listed(found), Terminal()]

    def _is_last(self, item: Any, found: Found) -> bool:
        """Whether the item says that the answer is whole: then it matters not who reads on."""
        if self._terminal is not None:
            return self._terminal(item)
        if found is None or found.__class__ is str:
            return False
        return any(delta.__class__ is Finish for delta in _listed(found))

    def whole(self, done: bool) -> bool:
        return self._ended

    def failure(self, error: BaseException) -> Failure | None:
        return None


class _Parsed(Trace):
    """The trace of a stream that a parser of the application's makes of another one, perhaps."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.wire = FirstText()
        super().__init__(*args, **kwargs)

    def ended(self, recorder: Recorder) -> None:
        tally, on_wire = recorder.tally, self.wire.at
        if on_wire is not None and tally.first_text_at is not None:
            tally.attributes[semconv.CONSUMER_LAG] = max(0.0, tally.first_text_at - on_wire)
        super().ended(recorder)


def _listed(found: Found) -> Sequence[str | Delta]:
    if isinstance(found, (list, tuple)):
        return found
    return () if found is None else (found,)  # type: ignore[return-value]


def trace_stream(
    stream: T,
    *,
    operation: str = "chat",
    provider: str = UNKNOWN,
    model: str | None = None,
    attributes: Mapping[str, Any] | None = None,
    read: Callable[[Any], Found] | None = None,
    terminal: Callable[[Any], bool] | None = None,
    callbacks: Callbacks | None = None,
) -> T:
    """Trace any sync or async iterable of an answer's pieces. Returns what behaves like `stream`.

    The clock starts here. The span is current while the next piece is made, so that what an agent
    framework does inside becomes its children, and never in the body of the consumer's loop.

    Args:
        stream: An iterator or iterable, sync or async; also one with `close` or as context manager.
        operation, provider, model, attributes: What the span says of the call.
        read: Turns an item into text (`str`), deltas (`otel_stream.delta`), or None. Without it
            strings and deltas count as they are, and every other item as a chunk without text.
        terminal: Tells the item that says the answer is whole. Without it a `Finish` or the end of
            the iterator does; with it an end without such an item is `truncated`.
        callbacks: Told of this stream.

    Raises `TypeError` if `stream` is no iterable, `SettingsError` if `callbacks` is no `Callbacks`.
    """
    check(callbacks)
    sources = _sources(stream)
    if sources is None or runtime.is_suppressed():
        return stream
    with guard("tracing a stream"):
        from otel_stream.proxy import traced

        given = dict(attributes or {})
        info = CallInfo(operation=operation, provider=provider, model=model, attributes=given)
        trace = _Parsed(runtime.current(), info, _Items(read, terminal), own_callbacks=callbacks)
        context = trace.wire.within(trace.context)
        return cast(T, traced(stream, sources, trace.recorder, context))
    return stream


def _sources(stream: Any) -> Sources | None:
    """The iterators of `stream`, sync and async; None if it fails to give one, as it will tell
    who iterates.

    Raises:
        TypeError: It has none.
    """
    has, has_async = hasattr(stream, "__iter__"), hasattr(stream, "__aiter__")
    if not has and not has_async:
        kind = type(stream).__name__
        raise TypeError(f"trace_stream needs an iterable, sync or async, not {kind}")
    # A proxy may have either on its class, whatever it stands for: one failing says nothing.
    source = _made(iter, stream) if has else None
    asource = _made(aiter, stream) if has_async else None
    return None if source is None and asource is None else (source, asource)


def _made(by: Callable[[Any], Any], stream: Any) -> Any:
    try:
        return by(stream)
    except Exception:  # noqa: BLE001 - not ours
        return None
