"""The execution of tools, wrapped where Agno calls them: streamed or not, with or without events.

What a tool does inside, such as a request or the run of a team's member, belongs to its span. A
tool that is a generator works while its result is read, and its span lasts as long.
"""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from typing import Any

from opentelemetry import context as otel_context

from otel_stream import interruption, runtime
from otel_stream.errors import guard
from otel_stream.interruption import Task
from otel_stream.patches import Patches
from otel_stream.proxy import stand_in
from otel_stream.stream import AsyncLoop
from otel_stream.watcher import watcher
from otel_stream_agno.execution import Execution
from otel_stream_agno.steps import AsyncSteps, Steps, leave

__all__ = ["wrap"]

_CALL = "agno.tools.function:FunctionCall"


def wrap(patches: Patches) -> None:
    """Put the hooks in place."""
    patches.wrap(f"{_CALL}.execute", _execute)
    patches.wrap(f"{_CALL}.aexecute", _aexecute)


def _begin(call: Any) -> Execution | None:
    if runtime.is_suppressed():
        return None
    with guard("beginning a tool"):
        return Execution(runtime.current(), call)
    return None


def _execute(wrapped: Any, args: Any, kwargs: Any) -> Any:
    execution = _begin(args[0])
    if execution is None:
        return wrapped(*args, **kwargs)
    token = otel_context.attach(execution.context)
    try:
        result = wrapped(*args, **kwargs)
    except BaseException as error:
        execution.failed(error)
        raise
    finally:
        otel_context.detach(token)
    return _returned(execution, args[0], result)


async def _aexecute(wrapped: Any, args: Any, kwargs: Any) -> Any:
    execution = _begin(args[0])
    if execution is None:
        return await wrapped(*args, **kwargs)
    entered = execution.context
    token = otel_context.attach(entered)
    failed: BaseException | None = None
    try:
        result = await wrapped(*args, **kwargs)
    except BaseException as error:
        failed = error
        execution.failed(error)
        raise
    finally:
        leave(token, entered, failed)
        failed = None  # It holds this frame.
    return _returned(execution, args[0], result)


def _returned(execution: Execution, call: Any, outcome: Any) -> Any:
    """Agno's `FunctionExecutionResult`, with its result stood in for if that is still to be made.

    Agno reads it from the outcome, or in async code from the call.
    """
    with guard("reading a tool's result"):
        result = outcome.result
        if outcome.status == "failure":
            execution.refused(outcome.error)
        elif hasattr(result, "__anext__"):
            loop = _AsyncItems(AsyncSteps(result, execution.context), execution)
            outcome.result = call.result = stand_in(result, None, loop)
        elif hasattr(result, "__next__"):
            items = _Items(Steps(result, execution.context), execution)
            outcome.result = call.result = stand_in(result, items, None)
        else:
            execution.done(result)
    return outcome


class _Reading:
    """What both kinds share: being dropped ends the execution."""

    __slots__ = ("recorder", "released", "source")

    def __init__(self, source: Any, execution: Execution) -> None:
        self.source = source
        self.recorder = execution
        self.released = False

    def leave(self, task: Task = None) -> None:
        """A loop over the result was left. Somebody may read on."""

    def __del__(self) -> None:
        execution = self.recorder
        if not execution.ended:
            outcome = interruption.of_reader()
            watcher.soon(lambda: execution.close(outcome))


class _Items(_Reading):
    """Reads a generator's items."""

    __slots__ = ()

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            item = self.source.__next__()
        except StopIteration:
            self.recorder.done()
            raise
        except BaseException as error:
            self.recorder.failed(error)
            raise
        self.recorder.item(item)
        return item


class _AsyncItems(_Reading):
    """Reads an async generator's items."""

    __slots__ = ()

    def __aiter__(self) -> AsyncLoop:
        return AsyncLoop(self)

    def __anext__(self) -> Coroutine[Any, Any, Any]:
        return self.read()

    async def read(self) -> Any:
        """The next item."""
        try:
            item = await self.source.__anext__()
        except StopAsyncIteration:
            self.recorder.done()
            raise
        except BaseException as error:
            self.recorder.failed(error)
            raise
        self.recorder.item(item)
        return item
