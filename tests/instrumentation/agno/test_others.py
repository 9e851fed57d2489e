"""Others that trace Agno beside us: parents are right, and a model's call has its usage once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import INVALID_SPAN

from otel_stream import errors
from otel_stream.testing import Captured
from otel_stream_agno import AgnoInstrumentor

from .cast import MODES, Cast, consume, weather
from .trees import draw

SOURCE = Path(errors.__file__).parents[1]
OPENINFERENCE = pytest.mark.skipif(
    find_spec("agno.agent._run") is None, reason="OpenInference needs Agno 2.5 or newer"
)
USAGES = ("gen_ai.usage.", "llm.token_count.")
Beside = Callable[[type[Any], bool], None]


@pytest.fixture
def beside(captured: Captured) -> Iterator[Beside]:
    """Has another instrumentor at work, begun before or after ours, to the same place."""
    begun = []

    def instrument(kind: type[Any], first: bool) -> None:
        if first:
            AgnoInstrumentor().uninstrument()
        providers = (captured.tracer_provider, captured.meter_provider)
        begun.append(kind())
        begun[0].instrument(
            tracer_provider=providers[0], meter_provider=providers[1], skip_dep_check=True
        )
        if first:
            AgnoInstrumentor().instrument()

    yield instrument
    for one in begun:
        one.uninstrument()
        AgnoInstrumentor().uninstrument()
        assert not hasattr(_agent().run, "__wrapped__")


def _agent() -> Any:
    from agno.agent import Agent

    return Agent


def openinference() -> type[Any]:
    """OpenInference's instrumentor, which is also that of `agno.tracing`."""
    from openinference.instrumentation.agno import AgnoInstrumentor as OpenInference

    return OpenInference


def official() -> type[Any]:
    """That of the OpenTelemetry project."""
    from opentelemetry.instrumentation.genai.agno import AgnoInstrumentor as Official

    return Official


def with_usage(spans: list[ReadableSpan]) -> list[str]:
    """The names of the spans that tokens could be counted from."""
    return [
        one.name for one in spans if any(name.startswith(USAGES) for name in one.attributes or ())
    ]


@OPENINFERENCE
@pytest.mark.parametrize("first", [True, False], ids=["theirs first", "ours first"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("method", ["run", "arun"])
async def test_openinference_and_we_share_the_span_of_a_models_call(
    captured: Captured, cast: Cast, beside: Beside, first: bool, mode: str, method: str
) -> None:
    """Their span of a model's call becomes ours too: usage once, in their words and ours."""
    beside(openinference(), first)
    asynchronous = method == "arun"
    await consume(cast.agent(tools=[weather], asynchronous=asynchronous), method, MODES[mode])

    call = f"OpenAIChat.{'a' * asynchronous}invoke{'' if mode == 'whole' else '_stream'}"
    assert (
        draw(captured)
        == f"""
invoke_agent Poet completed
  Poet.{method}
    {call}{" completed" * (mode != "whole")} 9+5
    weather
      execute_tool weather
    {call}{" completed" * (mode != "whole")} 9+5
"""
    )
    assert with_usage(captured.spans()) == [call, call]


@OPENINFERENCE
@pytest.mark.parametrize("first", [True, False], ids=["theirs first", "ours first"])
async def test_nothing_of_openinference_gets_into_the_consumers_body(
    captured: Captured, cast: Cast, beside: Beside, first: bool
) -> None:
    """It attaches its span for as long as the stream lasts; beside us that stays inside."""
    beside(openinference(), first)
    for _ in cast.agent().run("Hi", **MODES["events"]):
        assert trace.get_current_span() is INVALID_SPAN
    for _ in cast.agent().run("Hi", **MODES["events"]):
        break
    assert trace.get_current_span() is INVALID_SPAN
    events = cast.agent().run("Hi", **MODES["events"])
    next(events)
    events.close()

    assert trace.get_current_span() is INVALID_SPAN


@OPENINFERENCE
async def test_openinference_with_a_place_of_its_own_has_a_span_of_its_own(
    captured: Captured, cast: Cast
) -> None:
    """Where their spans go elsewhere, each place has usage once."""
    theirs = Captured()
    instrumentor = openinference()()
    instrumentor.instrument(tracer_provider=theirs.tracer_provider, skip_dep_check=True)
    await consume(cast.agent(), "run", MODES["streamed"])
    instrumentor.uninstrument()

    assert with_usage(captured.spans()) == ["chat gpt-5-mini"]
    assert with_usage(theirs.spans()) == ["OpenAIChat.invoke_stream"]
    theirs.shutdown()


@pytest.mark.sdk_matrix
@pytest.mark.parametrize("method", ["run", "arun"])
async def test_the_official_one_started_after_us_makes_no_runs(
    captured: Captured, cast: Cast, beside: Beside, method: str
) -> None:
    """It leaves alone what is wrapped already."""
    beside(official(), False)
    agent = cast.agent(tools=[weather], asynchronous=method == "arun")
    await consume(agent, method, MODES["events"])

    assert (
        draw(captured)
        == """
invoke_agent Poet completed
  chat gpt-5-mini 9+5
  execute_tool weather
  chat gpt-5-mini 9+5
"""
    )


@pytest.mark.sdk_matrix
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("method", ["run", "arun"])
async def test_the_official_one_started_before_us_has_runs_beside_ours(
    captured: Captured, cast: Cast, beside: Beside, method: str, mode: str
) -> None:
    """Ours has its children, a model's call its usage; theirs repeats a run's on its own span."""
    beside(official(), True)
    agent = cast.agent(tools=[weather], asynchronous=method == "arun")
    await consume(agent, method, MODES[mode])

    ours = [one for one in captured.spans() if one.instrumentation_scope.name == "otel_stream"]
    run = next(one for one in ours if one.name == "invoke_agent Poet")
    calls = [one for one in ours if one.name == "chat gpt-5-mini"]
    assert run.context is not None
    assert [one.parent and one.parent.span_id for one in calls] == [run.context.span_id] * 2
    assert [name for name in with_usage(captured.spans()) if name.startswith("chat")] == [
        "chat gpt-5-mini"
    ] * 2
    assert trace.get_current_span() is INVALID_SPAN


PROGRAM = """
import asyncio, json, os, sys
import httpx
os.environ["AGNO_TELEMETRY"] = "false"
from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from agno.models.openai import OpenAIChat
from agno.tracing import setup_tracing
from opentelemetry import trace
import otel_stream
from otel_stream.testing import ProviderServer, Script, chat_text, chat_usage

class Db(InMemoryDb):
    def upsert_trace(self, *args, **kwargs): pass
    def create_spans(self, *args, **kwargs): pass

async def main():
    with ProviderServer() as server:
        server.handler = lambda request: Script.stream(chat_text(["Hi"], usage=chat_usage()))
        model = OpenAIChat(id="m", api_key="k", base_url=server.openai_url)
        agent = Agent(name="Poet", model=model, telemetry=False)
        async for event in agent.arun("Hi", stream=True, stream_events=True):
            if event.event == "RunCompleted":
                break
    otel_stream.flush()

if sys.argv[1] == "ours":
    from otel_stream_agno import AgnoInstrumentor
    otel_stream.instrument()
    AgnoInstrumentor().instrument()
setup_tracing(db=Db(), batch_processing=True)
told = []
class Exporter:
    def on_start(self, span, parent_context=None): pass
    def _on_ending(self, span): pass
    def on_end(self, span): told.append([span.name, *sorted(span.attributes)])
    def shutdown(self): pass
    def force_flush(self, timeout_millis=0): return True
trace.get_tracer_provider().add_span_processor(Exporter())
asyncio.run(main())
print(json.dumps(told))
"""


@OPENINFERENCE
def test_agnos_own_tracing_beside_us(tmp_path: Path) -> None:
    """`setup_tracing`: one span with usage for a model's call, and no more on stderr than alone."""
    runs = {}
    for who in ("theirs alone", "ours"):
        paths = os.pathsep.join([str(SOURCE), str(SOURCE / "instrumentation")])
        runs[who] = subprocess.run(
            [sys.executable, "-c", PROGRAM, who],
            check=True,
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": paths},
        )
    told = json.loads(next(line for line in runs["ours"].stdout.splitlines() if line[0] == "["))

    counted = [name for name, *names in told if any(one.startswith(USAGES) for one in names)]
    assert counted == ["OpenAIChat.ainvoke_stream"]
    assert "invoke_agent Poet" in [name for name, *_ in told]
    assert runs["ours"].stderr == runs["theirs alone"].stderr
