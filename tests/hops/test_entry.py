"""Contexts that are entered: left in any order, by whoever entered them, and restored exactly."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Iterator

import pytest
from opentelemetry import context as otel_context
from opentelemetry.context import Context

from otel_stream import entry
from otel_stream.entry import Entry, enter, last, leave, settle


def named(name: str) -> Context:
    """A context with a name."""
    return otel_context.set_value("name", name, Context())


def here() -> object:
    """The name of the current one."""
    return otel_context.get_value("name")


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    """A test leaves the context as it found it."""
    token = otel_context.attach(named("outside"))
    yield
    left = here()
    otel_context.detach(token)
    assert left == "outside"


def test_one_on_the_other() -> None:
    """Left in the order of a stack."""
    first = enter(named("1"))
    second = enter(named("2"))
    seen = [here()]
    leave(second)
    seen.append(here())
    leave(first)

    assert seen == ["2", "1"]


def test_in_any_order() -> None:
    """Left from the bottom: what is current stays, and what was before comes back at last."""
    first, second, third = (enter(named(name)) for name in "123")
    seen = []
    for each in (first, third, second):
        leave(each)
        seen.append(here())

    assert seen == ["3", "2", "outside"]


def test_left_twice() -> None:
    """Nothing happens the second time."""
    first = enter(named("1"))
    leave(first)
    leave(first)
    second = enter(named("2"))
    leave(first)
    seen = here()
    leave(second)

    assert seen == "2"


def test_left_elsewhere() -> None:
    """On another thread it is marked as left, and that thread's context stays as it is."""
    first = enter(named("1"))
    seen: list[object] = []

    def elsewhere() -> None:
        otel_context.attach(named("elsewhere"))
        leave(first)
        seen.append(here())

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    still = here()
    leave(first)

    assert (seen, still, first.left) == (["elsewhere"], "1", True)


def test_inherited_is_not_ones_own() -> None:
    """A task inherits what was entered, and finds only what it has entered itself."""

    async def child() -> list[object]:
        found = [last(lambda each: True), here()]
        own = enter(named("child"))
        found += [last(lambda each: True) is own, here()]
        leave(own)
        return [*found, here()]

    async def main() -> tuple[list[object], object]:
        first = enter(named("1"))
        told = await asyncio.create_task(child())
        still = here(), last(lambda each: True) is first
        leave(first)
        return told, still

    assert asyncio.run(main()) == ([None, "1", True, "child", "1"], ("1", True))


def test_left_beneath_something() -> None:
    """What stands on it stays, and what was before comes back when that has gone."""
    first = enter(named("1"))
    token = otel_context.attach(named("span"))
    leave(first)
    inside = enter(named("2"))
    leave(inside)
    seen = [here()]
    otel_context.detach(token)
    settle()
    seen.append(here())

    assert seen == ["span", "outside"]


def test_left_when_what_it_stood_on_is_over() -> None:
    """A span that was closed around the entering is not brought back."""
    token = otel_context.attach(named("span"))
    first = enter(named("1"))
    otel_context.detach(token)
    leave(first)

    assert here() == "outside"


def test_the_same_context_twice() -> None:
    """Entered where it is current already, and left from the bottom: both are left."""
    context = otel_context.get_current()
    first, second = enter(context), enter(context)
    leave(first)
    leave(second)

    assert otel_context.get_current() is context


def test_nothing_that_was_left_is_kept() -> None:
    """A worker that leaves each context where it is not current any more keeps none of them."""

    def work() -> int:
        for number in range(50):
            token = otel_context.attach(named("span"))
            mine = enter(named(str(number)))
            otel_context.detach(token)
            leave(mine)
        return len(entry._left.get())

    assert contextvars.Context().run(work) == 1


def test_found_by_what_it_came_by() -> None:
    """The last of those that are wanted, and none that was left."""
    first, second = enter(named("1"), via="a"), enter(named("2"), via="b")
    found = [last(lambda each: each.via == "a"), last(lambda each: True)]
    leave(second)
    found.append(last(lambda each: each.via == "b"))
    leave(first)

    assert found == [first, second, None]


def test_no_chain_grows() -> None:
    """Where each task starts the next one within its context, nothing piles up."""
    sizes: list[int] = []

    def step(left: int) -> None:
        mine = enter(named(str(left)))
        sizes.append(len(entry._entered.get()))
        following = contextvars.copy_context()
        leave(mine)
        if left:
            following.run(step, left - 1)

    step(50)

    assert max(sizes) == 1


def test_lets_go_what_nobody_is_there_to_leave() -> None:
    """An entry of a thread that has ended goes with it, and with it what it held."""

    class Held:
        def __del__(self) -> None:
            gone.append(True)

    gone: list[bool] = []

    def forgetful() -> None:
        enter(named("thread"), Held())

    thread = threading.Thread(target=forgetful)
    thread.start()
    thread.join()
    del thread

    assert gone == [True]


def test_entries_are_told_apart() -> None:
    """Two that look alike are two."""
    context = named("1")
    assert Entry(context, None, None) != Entry(context, None, None)


def test_a_block_that_leaves_something_current() -> None:
    """What a `with` statement ends is over with it, whatever is still there on top."""
    entered = enter(named("1"))
    otel_context.attach(named("left"))
    leave(entered, block=True)

    assert here() == "outside"
