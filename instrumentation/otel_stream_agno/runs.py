"""One stream of events of several runs: the outer run, the runs inside it, and their tools.

    run = Run(runtime, info)                    # starts the outer run's span
    run.recorder.feed(event, started, now)      # for each event, in order
    run.recorder.finish(started, now)           # or whatever else ends a stream

`Run` is a `Trace` like any other, so the loops of `otel_stream.stream` and `otel_stream.proxy` can
feed it too. Members and tools are told by ids alone, so they may be interleaved in any way.
"""

from __future__ import annotations

import time
from math import inf
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from otel_stream.call import CallInfo
from otel_stream.callbacks import Callbacks
from otel_stream.delta import Failure, Found
from otel_stream.errors import guard
from otel_stream.fields import field_of
from otel_stream.record.recorder import Recorder
from otel_stream.runtime import Runtime
from otel_stream.span import error_type_of
from otel_stream_agno.events import TEAM, RunReader, is_known, name_of
from otel_stream_agno.facts import OPERATION, PROVIDER, facts_of, string_of
from otel_stream_agno.pieces import tool_key
from otel_stream_agno.run_trace import RunTrace
from otel_stream_agno.tools import TOOL_FAILED, ToolSpan

__all__ = ["Run", "Runs"]

_MOST = 256
"""Members that may be open at once, tools that may, and ended members that are remembered."""

_TOOLS = frozenset({"ToolCallStarted", "ToolCallCompleted", TOOL_FAILED})
_OF_TOOLS = _TOOLS | {TEAM + name for name in _TOOLS}
_STARTS = frozenset({"RunStarted", "RunContinued"})


class Run(RunTrace):
    """An outer run. What is open inside it ends with it, and as it does.

    Args:
        runtime: Settings, providers and callbacks.
        info: What is asked for.
        reader: Reads its own events, where its id or its kind is known before.
        own_callbacks, clock: As for `Trace`.
    """

    _inside: Runs | None = None

    def __init__(
        self,
        runtime: Runtime,
        info: CallInfo,
        reader: RunReader | None = None,
        *,
        own_callbacks: Callbacks | None = None,
        clock: Any = time.perf_counter,
    ) -> None:
        inside = Runs(runtime, reader or RunReader(), clock)
        super().__init__(runtime, info, inside, own_callbacks=own_callbacks, clock=clock)
        inside.begin(self)
        self._inside = inside

    def ended(self, recorder: Recorder) -> None:
        inside, self._inside = self._inside, None
        if inside is not None:
            with guard("ending what is inside a run"):
                inside.end(recorder)
        super().ended(recorder)


class Runs:
    """Reads the outer run's events, and gives those of the others to runs of their own.

    It holds the outer recorder only while that is open: a cycle would leave every stream to the
    collector.
    """

    __slots__ = (
        "_clock", "_closed", "_context", "_epoch", "_members", "_own", "_recorder", "_runtime",
        "_tools",
    )  # fmt: skip

    def __init__(self, runtime: Runtime, own: RunReader, clock: Any) -> None:
        self._runtime = runtime
        self._own = own
        self._clock = clock
        self._recorder: Recorder | None = None
        self._context = Context()
        self._epoch = 0
        self._members: dict[str, _Member] = {}
        self._tools: dict[tuple[str, str], ToolSpan] = {}
        self._closed: dict[str, None] = {}

    def begin(self, run: Run) -> None:
        """The outer run has begun."""
        self._recorder = run.recorder
        self._context = run.context
        self._epoch = run.wall(0.0)

    @property
    def run_id(self) -> str | None:
        """The outer run's id, as soon as an event has told it."""
        return self._own.run_id

    def read(self, event: Any) -> Found:
        """What the event adds to the outer run. Members and tools are followed on the way."""
        own = self._own
        found = own.read(event)
        run_id = getattr(event, "run_id", None)
        if run_id == own.run_id and getattr(event, "event", None) not in _OF_TOOLS:
            return found
        with guard("following the runs inside a run"):
            self._follow(event, name_of(event), run_id)
        return found

    def whole(self, done: bool) -> bool:
        """As the outer run's reader says."""
        return self._own.whole(done)

    def failure(self, error: BaseException) -> Failure | None:
        """As the outer run's reader says."""
        return self._own.failure(error)

    def end(self, recorder: Recorder) -> None:
        """The outer run has ended, and so does what is open inside it."""
        at, outcome = self._wall(recorder.ended_at), recorder.outcome
        error_type = error_type_of(recorder)
        tools, self._tools = self._tools, {}
        members, self._members = self._members, {}
        self._recorder = None
        for tool in tools.values():
            tool.end(at, error_type)
        for member in reversed(list(members.values())):
            inner = member.recorder
            inner.tally.failure = inner.tally.failure or recorder.tally.failure
            if outcome is not None:
                inner.end(outcome, recorder.ended_at, recorder.error)

    def _follow(self, event: Any, name: str, run_id: Any) -> None:
        recorder = self._recorder
        if recorder is None or not is_known(name):
            return
        member: _Member | None = None
        if isinstance(run_id, str) and run_id and run_id != self._own.run_id:
            member = self._members.get(run_id) or self._opened(event, name, run_id, recorder)
            if member is None:
                return
            self._feed(member, event, recorder)
        kind = name.removeprefix(TEAM)
        if kind in _TOOLS:
            run = str(run_id or self._own.run_id or "")
            context = self._context if member is None else member.trace.context
            self._tool(kind, event, run, context, recorder.read_at)
            waits = recorder if member is None else member.recorder
            waits.stalls.working_until = inf if self._works(run) else -inf
        if member is not None and member.is_over:
            self._close(member, recorder.read_at)

    def _wall(self, at: float) -> int:
        return self._epoch + round(at * 1e9)

    # --- members -----------------------------------------------------------------------------

    def _opened(self, event: Any, name: str, run_id: str, recorder: Recorder) -> _Member | None:
        """A run that begins inside; None for what comes of one that has ended, or of too many."""
        starts = name.removeprefix(TEAM) in _STARTS
        if len(self._members) >= _MOST or (run_id in self._closed and not starts):
            return None
        around = self._members.get(getattr(event, "parent_run_id", None) or "")
        team, at = name.startswith(TEAM), recorder.read_at
        token = otel_context.attach(self._context if around is None else around.trace.context)
        try:
            trace = RunTrace(
                self._runtime,
                _info_of(event, team),
                RunReader(run_id, team),
                clock=self._clock,
                began=(at, self._wall(at)),
            )
        finally:
            otel_context.detach(token)
        member = self._members[run_id] = _Member(run_id, trace, around, recorder.provider_wait)
        return member

    def _feed(self, member: _Member, event: Any, recorder: Recorder) -> None:
        """Give the event to its run, and to the runs around it but for the outer one."""
        now, waited = recorder.read_at, recorder.provider_wait
        inner: _Member | None = member
        while inner is not None:
            # What others were waited for in the meantime this one was waited for too.
            inner.recorder.feed(event, now - (waited - inner.waited), now)
            inner.waited = waited
            inner = inner.around

    def _close(self, member: _Member, at: float) -> None:
        del self._members[member.run_id]
        while len(self._closed) >= _MOST:
            del self._closed[next(iter(self._closed))]
        self._closed[member.run_id] = None
        recorder = member.recorder
        recorder.finish(at, at)
        error_type = error_type_of(recorder)
        for key in [key for key in self._tools if key[0] == member.run_id]:
            self._tools.pop(key).end(self._wall(at), error_type)

    # --- tools -------------------------------------------------------------------------------

    def _tool(self, kind: str, event: Any, run_id: str, context: Context, now: float) -> None:
        tool = field_of(event, "tool")
        key = (run_id, tool_key(tool))
        known = self._tools.get(key)
        if kind == "ToolCallStarted":
            if known is None and len(self._tools) < _MOST:
                self._tools[key] = ToolSpan(self._runtime, tool, context, self._wall(now))
        elif known is not None:
            del self._tools[key]
            known.done(event, self._wall(now), failed=kind == TOOL_FAILED)

    def _works(self, run_id: str) -> bool:
        """Whether a tool of that run is at work."""
        return any(run == run_id for run, _ in self._tools)


class _Member:
    """A run inside another one, while it is open."""

    __slots__ = ("around", "run_id", "trace", "waited")

    def __init__(self, run_id: str, trace: RunTrace, around: _Member | None, waited: float) -> None:
        self.run_id = run_id
        self.trace = trace
        self.around = around
        self.waited = waited
        """How long the whole stream had been waited for when it was last told something (s)."""

    @property
    def recorder(self) -> Recorder:
        return self.trace.recorder

    @property
    def is_over(self) -> bool:
        tally = self.recorder.tally
        return tally.terminal or tally.failure is not None


def _info_of(event: Any, team: bool) -> CallInfo:
    """A member: it runs where the outer run does, so nothing leaves that for it."""
    whose = "team" if team else "agent"
    label = string_of(event, f"{whose}_name") or string_of(event, f"{whose}_id")
    return CallInfo(
        operation=OPERATION,
        provider=PROVIDER,
        name=f"{OPERATION} {label[:256]}" if label else OPERATION,
        attributes=facts_of(event, team),
        kind=SpanKind.INTERNAL,
    )
