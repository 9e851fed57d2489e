"""One execution of a tool: its span, ended once."""

from __future__ import annotations

from threading import Lock
from typing import Any

from opentelemetry import context as otel_context
from opentelemetry import trace
from opentelemetry.trace import Status, StatusCode

from otel_stream import semconv
from otel_stream.content import tellable
from otel_stream.errors import guard
from otel_stream.outcome import Outcome
from otel_stream.redaction import scrub
from otel_stream.runtime import Runtime
from otel_stream.span import class_name
from otel_stream_agno.at_work import AtWork
from otel_stream_agno.events import TEAM, name_of
from otel_stream_agno.failures import outcome_of_error
from otel_stream_agno.material import material_of
from otel_stream_agno.pieces import text_of
from otel_stream_agno.tools import TOOL_FAILED, tool_span

__all__ = ["Execution"]


class Execution:
    """A tool at work.

    Args:
        runtime: Settings and providers.
        call: Agno's `FunctionCall`.
    """

    def __init__(self, runtime: Runtime, call: Any) -> None:
        self._settings = runtime.settings
        self._captures = runtime.settings.capture_content in ("span", "both")
        self._arguments = call.arguments or None
        self._result: Any = None
        self._texts: list[str] = []
        self._room = runtime.settings.content_limit
        self._ending = Lock()
        self.ended = False
        here = otel_context.get_current()
        self.span = tool_span(runtime, call.function.name, call.call_id, here)
        self.context = trace.set_span_in_context(self.span)
        self._run = AtWork.here()
        if self._run is not None:
            self._run.more()

    def item(self, item: Any) -> None:
        """A piece of a result that is made while it is read. Of events only content belongs to it:
        what a member says is the result of having delegated to it."""
        if not self._captures or self._room <= 0:
            return
        with guard("reading a tool's result"):
            if name_of(item).removeprefix(TEAM) == "RunContent":
                item = item.content
            if isinstance(item, str):
                self._texts.append(item)
                self._room -= len(item)

    def done(self, result: Any = None) -> None:
        """It has worked, and this is what it gave."""
        with guard("reading a tool's result"):
            text = getattr(result, "content", result)
            self._result = "".join(self._texts) if text is None else text_of(text)
        self._end()

    def refused(self, why: Any) -> None:
        """Agno has caught what the tool raised, and keeps nothing but its text."""
        self._fail(TOOL_FAILED, why)
        self._end()

    def failed(self, error: BaseException) -> None:
        """It raised, and so did Agno. What was cancelled has not failed, nor is it whole."""
        outcome = outcome_of_error(error)
        if outcome is Outcome.ERROR:
            self._fail(class_name(error), error)
            self._end()
        else:
            self.close(outcome)

    def close(self, outcome: Outcome) -> None:
        """Nobody wants the rest of it."""
        if not self.ended:
            self.span.set_attribute(semconv.OUTCOME, outcome.value)
        self._end()

    def _fail(self, error_type: str, why: Any) -> None:
        """What an error says may repeat the arguments, so it is told only with content."""
        with guard("writing a tool's failure"):
            told = tellable(str(why), self._settings) if why else None
            self.span.set_attribute(semconv.ERROR_TYPE, error_type)
            self.span.set_status(Status(StatusCode.ERROR, told and scrub(told)))

    def _end(self) -> None:
        if not self._ending.acquire(blocking=False):
            return
        self.ended = True
        if self._run is not None:
            self._run.less()
        with guard("writing a tool's content"):
            if self._captures and self.span.is_recording():
                told = material_of(self._settings, self._arguments, self._result)
                self.span.set_attributes(told)
        with guard("ending a tool"):
            self.span.end()
