"""The sync loop over a provider's stream: every way to read it and to leave it."""

from __future__ import annotations

import gc
import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import Any

import pytest
from opentelemetry import context as otel_context

from otel_stream.delta import Text
from otel_stream.outcome import Outcome
from otel_stream.stream import TracedIterator
from otel_stream.testing import ScriptedClock
from otel_stream.watcher import watcher

WORDS = ["Hello", " ", "you", "!"]
KEY = otel_context.create_key("inside a read")


def arriving(clock: ScriptedClock, items: Iterable[Any]) -> Iterator[Any]:
    """Items that take 0.1 s each; an exception among them is raised."""
    for item in items:
        clock.advance(0.1)
        if isinstance(item, BaseException):
            raise item
        yield item


class Opened:
    """A traced stream of *items*."""

    def __init__(
        self, recorder: Any, clock: ScriptedClock, items: Iterable[Any], **more: Any
    ) -> None:
        self.recorder = recorder
        self.source = arriving(clock, items)
        self.stream = TracedIterator(self.source, recorder, **more)

    def handed_over(self) -> TracedIterator:
        """The stream, which is held here no longer."""
        return self.__dict__.pop("stream")  # type: ignore[no-any-return]

    @property
    def facts(self) -> tuple[Any, ...]:
        """How it ended, and what came."""
        return self.recorder.outcome, self.recorder.chunks, self.recorder.size


Open = Callable[..., Opened]


@pytest.fixture
def opened(make: Any, clock: ScriptedClock) -> Open:
    """Opens a stream that the watcher knows."""

    def made(items: Iterable[Any] = WORDS, whole: bool = True, **more: Any) -> Opened:
        clock.advance(0.1)
        return Opened(make(watched=True, whole=whole), clock, items, **more)

    return made


def test_exhausted(opened: Open) -> None:
    """The same objects come in the same order, and a stream that is read whole is completed."""
    items = [Text("Hello"), Text(" you")]
    one = opened(items)

    assert [*map(id, one.stream)] == [*map(id, items)]
    assert one.facts == (Outcome.COMPLETED, 2, 9)


def test_not_whole(opened: Open) -> None:
    """One whose answer is not whole is truncated."""
    one = opened(whole=False)

    assert list(one.stream) == WORDS
    assert one.facts == (Outcome.TRUNCATED, 4, 10)


def test_end_mark(opened: Open) -> None:
    """Whether the wire's end mark was seen is asked for at the end."""
    one = opened(whole=False, done=lambda: True)
    list(one.stream)

    assert one.facts[0] is Outcome.COMPLETED


def test_break(opened: Open) -> None:
    """A loop that is left, over a stream that nobody holds, ends at once."""
    one = opened()
    for _ in one.handed_over():
        break

    assert one.facts == (Outcome.CLOSED_EARLY, 1, 5)


def test_break_while_referenced(opened: Open, clock: ScriptedClock) -> None:
    """Of a stream that is still held it is known at once, and it ends after the grace."""
    one = opened()
    for _ in one.stream:
        break
    left = clock()
    watcher.look(left + 0.9)
    early = one.recorder.ended
    watcher.look(left + 1.0)

    assert (one.recorder.left_at, early) == (left, False)
    assert (one.recorder.outcome, one.recorder.ended_at) == (Outcome.CLOSED_EARLY, left)


def test_peek_and_read_on(opened: Open, clock: ScriptedClock) -> None:
    """Who looks at the first chunk and then reads on reads one stream."""
    one = opened()
    first = next(iter(one.stream))
    watcher.look(clock.advance(0.5))
    rest = list(one.stream)

    assert [first, *rest] == WORDS
    assert one.facts == (Outcome.COMPLETED, 4, 10)


def test_chained(opened: Open) -> None:
    """So does who puts the first chunk in front again."""
    one = opened()
    loop = iter(one.stream)

    assert list(itertools.chain([next(loop)], loop)) == WORDS
    assert one.facts == (Outcome.COMPLETED, 4, 10)


def test_two_loops(opened: Open, clock: ScriptedClock) -> None:
    """A loop that is left while another goes on ends nothing."""
    one = opened()
    held = iter(one.stream)
    next(held)
    for _ in one.stream:
        break
    clock.advance(0.1)
    next(held)
    watcher.look(clock.advance(30.0))
    list(held)

    assert one.facts == (Outcome.COMPLETED, 4, 10)


def test_read_one_by_one(opened: Open) -> None:
    """`next` reads the same stream, and stays at its end."""
    one = opened(["a"])

    assert (next(one.stream), next(one.stream, "end"), next(one.stream, "end")) == (
        "a",
        "end",
        "end",
    )
    assert one.facts == (Outcome.COMPLETED, 1, 1)


def test_return(opened: Open) -> None:
    """A return out of the loop is a break."""

    def first() -> Any:
        for chunk in opened().stream:
            return chunk

    first()
    assert watcher.open == []


def test_exception_in_the_body(opened: Open, heard: Any) -> None:
    """The consumer's own exception closes the stream early, and is not its error."""
    one = opened()
    with pytest.raises(ZeroDivisionError):
        for _ in one.stream:
            1 / 0  # noqa: B018
    del one.stream

    assert one.facts == (Outcome.CLOSED_EARLY, 1, 5)
    assert heard.error is None


@pytest.mark.parametrize("how", [list, lambda stream: [next(stream), next(stream)]])
def test_exception_of_the_source(how: Callable[[Any], Any], opened: Open, heard: Any) -> None:
    """An exception of the provider reaches the consumer as it is, and ends the stream."""
    reset = ConnectionResetError("reset")
    one = opened(["Hello", reset])
    with pytest.raises(ConnectionResetError) as raised:
        how(one.stream)

    assert raised.value is reset
    assert one.facts == (Outcome.ERROR, 1, 5)
    assert heard.error is reset


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_interrupted(kind: type[BaseException], opened: Open) -> None:
    """A process that is interrupted while it waits cancels the stream."""
    one = opened(["Hello", kind()])
    with pytest.raises(kind):
        list(one.stream)

    assert one.facts == (Outcome.CANCELLED, 1, 5)


def test_relay_closed(opened: Open) -> None:
    """A generator of the application that relays the stream may be closed by its own consumer."""
    one = opened()

    def relay(stream: Any) -> Iterator[Any]:
        yield from stream

    with closing(relay(one.handed_over())) as relayed:
        next(relayed)

    assert one.facts == (Outcome.CLOSED_EARLY, 1, 5)


def test_source_closed_elsewhere(opened: Open) -> None:
    """A source that somebody else closes just ends."""
    one = opened(whole=False)
    next(one.stream)
    one.source.close()

    assert list(one.stream) == []
    assert one.facts == (Outcome.TRUNCATED, 1, 5)


def test_closed(opened: Open) -> None:
    """After a close the rest passes, unrecorded."""
    one = opened()
    next(one.stream)
    one.recorder.close()

    assert list(one.stream) == WORDS[1:]
    assert one.facts == (Outcome.CLOSED_EARLY, 1, 5)


@pytest.mark.parametrize("reads", [0, 1])
def test_dropped(reads: int, opened: Open) -> None:
    """A stream that is dropped unread, or forgotten after `next`, is abandoned at once."""
    one = opened()
    for _ in range(reads):
        next(one.stream)
    del one.stream

    assert one.facts == (Outcome.ABANDONED, reads, 5 * reads)


def test_collected_in_a_cycle(opened: Open, heard: Any, eventually: Any) -> None:
    """One that the garbage collector finds is ended by the watching thread, not in a destructor."""
    where: list[str] = []
    heard.ended = lambda recorder: (
        where.append(threading.current_thread().name),
        watcher.remove(recorder),
    )
    one = opened()
    cycle: list[Any] = [one.handed_over()]
    cycle.append(cycle)
    del cycle
    gc.collect()

    assert eventually(lambda: where)
    assert (where, one.facts[0]) == (["otel-stream-watcher"], Outcome.ABANDONED)


def test_read_in_another_thread(opened: Open) -> None:
    """A stream may be made in one thread and read in another."""
    one, found = opened(), []
    thread = threading.Thread(target=lambda: found.extend(one.stream))
    thread.start()
    thread.join()

    assert found == WORDS
    assert one.facts == (Outcome.COMPLETED, 4, 10)


def test_interleaved(opened: Open) -> None:
    """Streams that are read in turn are told apart."""
    one, other = opened(["a", "b"]), opened(["cc", "dd"])

    assert list(zip(one.stream, other.stream, strict=True)) == [("a", "cc"), ("b", "dd")]
    assert (one.facts[1:], other.facts[1:]) == ((2, 2), (2, 4))


@pytest.mark.parametrize("how", [iter, lambda stream: (next(stream) for _ in range(2))])
def test_context(how: Callable[[Any], Any], opened: Open) -> None:
    """The context is current inside each read and never in the loop's body."""
    inside: list[Any] = []
    items = (inside.append(otel_context.get_value(KEY)) or word for word in ["a", "b"])  # type: ignore[func-returns-value]
    one = opened(items, context=otel_context.set_value(KEY, True))
    outside = [otel_context.get_value(KEY) for _ in how(one.stream)]
    one.recorder.close()

    assert (inside, outside) == ([True, True], [None, None])
