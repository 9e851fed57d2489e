"""Every way in which a reader of a sync stream can come to its end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

from .opened import Opened
from .scene import Scene
from .waiting import Elsewhere, interrupt_when_waiting, until_thread_waits

__all__ = ["Mishap"]


class Mishap(Exception):
    """An exception of the application's own."""


def exhausted(scene: Scene) -> None:
    """Read to the end."""
    opened = scene.open()
    _read(scene, opened)
    scene.look_again(opened)


def answered(scene: Scene) -> None:
    """Get an answer that is not streamed."""
    scene.note(scene.open().stream)


def left(scene: Scene) -> None:
    """Leave the loop, and hold nothing."""
    opened = scene.open()
    for item in opened.items:
        if scene.note(item):
            break


def left_and_held(scene: Scene) -> None:
    """Leave the loop, and hold the stream until all is told."""
    opened = scene.open()
    _leave(scene, opened)
    scene.wait_until_over()
    opened.close()


def left_at_terminal(scene: Scene) -> None:
    """Leave the loop at the terminal event."""
    opened = scene.open()
    for item in opened.items:
        scene.note(item)
        if scene.is_terminal(item):
            break
    scene.wait_until_over()
    opened.close()


def read_on(scene: Scene) -> None:
    """Look at the first item, and read the rest in a loop of its own."""
    opened = scene.open()
    items = opened.items
    scene.note(next(iter(items)))
    for item in items:
        scene.note(item)


def closed(scene: Scene) -> None:
    """Leave the loop and close the stream."""
    opened = scene.open()
    _leave(scene, opened)
    opened.close()
    scene.look_again(opened)


def left_with(scene: Scene) -> None:
    """Leave the loop and the `with` block around it."""
    with scene.open() as opened:
        _leave(scene, opened)
    scene.look_again(opened)


def response_closed(scene: Scene) -> None:
    """Leave the loop and close the HTTP response."""
    opened = scene.open()
    _leave(scene, opened)
    opened.close_response()
    scene.look_again(opened)


def failing_body(scene: Scene) -> None:
    """Raise in the loop's body."""
    opened = scene.open()
    for item in opened.items:
        if scene.note(item):
            raise Mishap("of the application")


def failing_body_with(scene: Scene) -> None:
    """Raise in the loop's body, within a `with` block."""
    with scene.open() as opened:
        for item in opened.items:
            if scene.note(item):
                raise Mishap("of the application")


def interrupted_waiting(scene: Scene) -> None:
    """Ctrl-C while the reader waits."""
    interrupt_when_waiting(lambda: scene.begun)
    with scene.open() as opened:
        _read(scene, opened)


def interrupted_in_body(scene: Scene) -> None:
    """Ctrl-C in the loop's body."""
    with scene.open() as opened:
        for item in opened.items:
            if scene.note(item):
                raise KeyboardInterrupt


def interrupted_asking(scene: Scene) -> None:
    """Ctrl-C while the call waits for its answer."""
    interrupt_when_waiting(scene.asked)
    scene.open()


def unread_and_closed(scene: Scene) -> None:
    """Close what was never read."""
    opened = scene.open()
    opened.close()
    scene.look_again(opened)


def unread_and_dropped(scene: Scene) -> None:
    """Forget what was never read."""
    scene.open()


def begun_and_dropped(scene: Scene) -> None:
    """Ask for one item, and forget the stream."""
    scene.note(next(scene.open().stream))


def passed_on(scene: Scene) -> None:
    """Read in a generator of the application's, which is closed."""

    def answer() -> Iterator[Any]:
        opened = scene.open()
        for item in opened.items:  # noqa: UP028 - an application's own loop
            yield item

    items = answer()
    scene.note(next(items))
    items.close()


def closed_elsewhere(scene: Scene) -> None:
    """Another thread closes the stream while a read waits."""
    opened = scene.open()
    with Elsewhere(lambda: _read(scene, opened)) as reader:
        until_thread_waits(reader.ident, lambda: scene.begun)
        opened.close()
        scene.go.set()


def read_elsewhere(scene: Scene) -> None:
    """Another thread reads."""
    opened = scene.open()
    with Elsewhere(lambda: _read(scene, opened)) as reader:
        assert reader is not threading.main_thread()


def _read(scene: Scene, opened: Opened) -> None:
    for item in opened.items:
        scene.note(item)


def _leave(scene: Scene, opened: Opened) -> None:
    for item in opened.items:
        if scene.note(item):
            break
