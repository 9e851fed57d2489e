"""The methods that run an agent or a team, wrapped: from the call to the last event.

What comes back is what Agno gives: an output, a coroutine, a generator, an async generator. The
last two are stood in for by objects that read them, and no generators of ours: one that is left
waits for the event loop to close it, and only then could tell.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping, Sequence
from typing import Any

from opentelemetry import context as otel_context

from otel_stream import interruption, runtime, semconv
from otel_stream.errors import guard
from otel_stream.lag import FirstText
from otel_stream.outcome import Outcome
from otel_stream.patches import Patches, Wrapper
from otel_stream.proxy import stand_in
from otel_stream.stream import TracedAsyncIterator, TracedIterator
from otel_stream_agno.at_work import AtWork
from otel_stream_agno.failures import outcome_of_error
from otel_stream_agno.outputs import deltas_of
from otel_stream_agno.reader import Reader
from otel_stream_agno.request import identity, info_of
from otel_stream_agno.run_trace import RunTrace
from otel_stream_agno.steps import AsyncSteps, Steps, leave

__all__ = ["Run", "wrap"]

_ALWAYS = ("run", "arun")
_SOMETIMES = ("continue_run", "acontinue_run")
_NOT_OVER = ("PENDING", "RUNNING")


def wrap(patches: Patches, owner: type[Any], kind: str) -> None:
    """Wrap the methods of the class *owner*. A team can be continued only in later versions."""
    has = [name for name in _SOMETIMES if name in vars(owner)]
    for name in (*_ALWAYS, *has):
        patches.wrap(f"{owner.__module__}:{owner.__qualname__}.{name}", _run(kind))


class Run:
    """A run that has begun: its trace, and what reads it.

    Args:
        kind: `agent` or `team`.
        args, kwargs: Of the call of its method; the first is the agent or team.
    """

    __slots__ = ("context", "reader", "trace")

    def __init__(self, kind: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        info = info_of(args[0], kind, args, kwargs)
        self.reader = Reader(kind, info.attributes.get(semconv.RUN_ID))
        self.trace = RunTrace(runtime.current(), info, self.reader)
        # A tool, or a member elsewhere, may read another agent over HTTP: no text of this one's.
        hidden = FirstText.hidden(self.trace.context)
        self.context = AtWork(self.trace.recorder).within(hidden)

    def called(self, agent: Any, kwargs: Mapping[str, Any]) -> None:
        """The call is over. An agent may get its id, or a session, only when it is called."""
        with guard("reading the ids of a run"):
            known = identity(agent, None, kwargs)
            self.trace.span.set_attributes(known)
            self.reader.owner = known.get(semconv.AGENT_ID)

    def handed_out(self, result: Any) -> Any:
        """What the application gets for *result*."""
        recorder, context = self.trace.recorder, self.context
        with guard("tracing a run"):
            if hasattr(result, "__anext__"):
                aloop = TracedAsyncIterator(AsyncSteps(result, context), recorder)
                return stand_in(result, None, aloop)
            if hasattr(result, "__next__"):
                loop = TracedIterator(Steps(result, context), recorder)
                return stand_in(result, loop, None)
            if hasattr(result, "__await__"):
                return _named(_awaited(_Waiting(self, result)), result)
            self._returned(result)
        return result

    def failed(self, error: BaseException) -> None:
        """It raised, and no part of it was handed out."""
        with guard("ending a failed run"):
            recorder, outcome = self.trace.recorder, outcome_of_error(error)
            recorder.tally.attributes[semconv.OUTCOME] = outcome.value
            recorder.end(outcome, recorder.clock(), error)

    def dropped(self) -> None:
        """Nobody awaits it any more: it never began, perhaps for its task was cancelled."""
        with guard("ending a run that never began"):
            outcome = interruption.of_reader(Outcome.ABANDONED)
            self.trace.recorder.tally.attributes[semconv.OUTCOME] = outcome.value
            self.trace.drop(outcome)

    def _returned(self, result: Any) -> None:
        recorder = self.trace.recorder
        tally = recorder.tally
        tally.add(recorder, deltas_of(result), recorder.clock())
        status = getattr(result, "status", None)
        if getattr(status, "value", status) not in _NOT_OVER:  # as a run in the background is
            outcome = Outcome.ERROR if tally.failure is not None else tally.ending
            tally.attributes[semconv.OUTCOME] = outcome.value
        recorder.close(Outcome.COMPLETED)


def _begin(kind: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Run | None:
    """The run that a call begins; None for one that is not to be traced."""
    if runtime.is_suppressed():
        return None
    with guard("beginning a run"):
        return Run(kind, args, kwargs)
    return None


def _run(kind: str) -> Wrapper:
    def run(wrapped: Any, args: Any, kwargs: Any) -> Any:
        begun = _begin(kind, args, kwargs)
        if begun is None:
            return wrapped(*args, **kwargs)
        token = otel_context.attach(begun.context)
        try:
            result = wrapped(*args, **kwargs)
        except BaseException as error:
            begun.failed(error)
            raise
        finally:
            otel_context.detach(token)
        begun.called(args[0], kwargs)
        return begun.handed_out(result)

    return run


class _Waiting:
    """A coroutine of Agno's that nobody has awaited yet. Dropped so, its run ends."""

    __slots__ = ("coroutine", "run", "taken")

    def __init__(self, run: Run, coroutine: Any) -> None:
        self.run = run
        self.coroutine = coroutine
        self.taken = False

    def __del__(self) -> None:
        if not self.taken:
            self.run.dropped()
            # Python says it once, of the coroutine around it: never awaited.
            getattr(self.coroutine, "close", bool)()


async def _awaited(waiting: _Waiting) -> Any:
    waiting.taken = True
    run = waiting.run
    entered = run.context
    token = otel_context.attach(entered)
    failed: BaseException | None = None
    try:
        result = await waiting.coroutine
    except BaseException as error:
        failed = error
        run.failed(error)
        raise
    finally:
        leave(token, entered, failed)
        failed = None  # It holds this frame.
    return run.handed_out(result)


def _named(ours: Coroutine[Any, Any, Any], theirs: Any) -> Coroutine[Any, Any, Any]:
    """*ours* with the names of *theirs*, for tracebacks, debuggers and warnings."""
    for name in ("__name__", "__qualname__"):
        if hasattr(theirs, name):
            setattr(ours, name, getattr(theirs, name))
    return ours
