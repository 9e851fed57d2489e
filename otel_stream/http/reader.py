"""The task that reads a body, remembered without being held."""

from __future__ import annotations

from weakref import ref

from otel_stream import interruption
from otel_stream.interruption import Task

__all__ = ["Reader"]


class Reader:
    """Says of the current task, also when it is gone, whether it was being cancelled.

    A task that has failed holds its frames, and with them what reads: held by that in turn, neither
    would go before the garbage collector comes, and the connection with them.
    """

    __slots__ = ("_cancelling", "_task")

    def __init__(self) -> None:
        task = interruption.current_task()
        self._cancelling = 0
        self._task: ref[Task] | None = None
        if task is not None:
            self._task = ref(task)
            task.add_done_callback(self._done)

    def cancelling(self) -> int:
        """As a task's own method."""
        task = self._task() if self._task is not None else None
        return self._cancelling if task is None else task.cancelling()

    def forget(self) -> None:
        """The task has stopped reading, and may live long."""
        task = self._task() if self._task is not None else None
        if task is not None:
            task.remove_done_callback(self._done)

    def _done(self, task: Task) -> None:
        self._cancelling = task.cancelling()
