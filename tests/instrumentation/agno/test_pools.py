"""What Agno does in threads of its own while a run waits for it: memories, summaries, learning."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from inspect import signature
from typing import Any

import pytest
from agno.agent import Agent
from agno.db.in_memory import InMemoryDb
from agno.memory.manager import MemoryManager
from agno.session.summary import SessionSummaryManager
from opentelemetry import trace

from otel_stream.patches import Patches
from otel_stream.testing import Captured
from otel_stream_agno import AgnoInstrumentor

from .cast import MODES, Cast, consume
from .trees import draw

pytestmark = pytest.mark.sdk_matrix

ASKS = "update_memory_on_run" in signature(Agent.__init__).parameters
REMEMBERS = {
    "update_memory_on_run" if ASKS else "enable_user_memories": True,
    "enable_session_summaries": True,
}
ONE_POOL = hasattr(Agent, "background_executor")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("who", ["agent", "team"])
async def test_memories_and_summaries_are_made_in_the_run(
    captured: Captured, cast: Cast, brain: Any, who: str, mode: str
) -> None:
    """The model's calls for them stand under the run that waits for them."""
    brain.members = []
    one = getattr(cast, who)(db=InMemoryDb(), **REMEMBERS)
    await consume(one, "run", {"user_id": "u", "session_id": "s", **MODES[mode]})

    name = f"invoke_agent {one.name} completed"
    assert draw(captured) == f"\n{name}\n" + "  chat gpt-5-mini 9+5\n" * 3


@pytest.mark.skipif(not ONE_POOL, reason="this version's agents have no pool of their own")
@pytest.mark.parametrize("who", ["agent", "team"])
def test_a_pool_is_what_it_was(captured: Captured, cast: Cast, who: str) -> None:
    """It is one pool, of its class, and gives the context of whoever hands over the work."""
    one = getattr(cast, who)()
    with captured.tracer_provider.get_tracer("app").start_as_current_span("here") as here:
        found = one.background_executor.submit(trace.get_current_span).result()

    assert isinstance(one.background_executor, ThreadPoolExecutor)
    assert found.get_span_context() == here.get_span_context()
    AgnoInstrumentor().uninstrument()
    assert type(one.background_executor) is ThreadPoolExecutor
    assert one.background_executor.submit(trace.get_current_span).result() is trace.INVALID_SPAN


def test_managers_are_what_they_were(captured: Captured) -> None:
    """What the program looks up on the classes is theirs, and all is put back."""
    names = {
        MemoryManager: "create_user_memories",
        SessionSummaryManager: "create_session_summary",
    }
    traced = [getattr(owner, name) for owner, name in names.items()]
    AgnoInstrumentor().uninstrument()

    assert traced == [vars(owner)[name] for owner, name in names.items()]


class Worker:
    """Has a method that is handed to a pool."""

    def work(self) -> str:
        """Says what it did."""
        return "done"


def test_a_method_is_wrapped_where_it_is_looked_up() -> None:
    """Its class gives the original all the while, and all is put back."""
    patches, original, worker = Patches(), Worker.work, Worker()
    patches.wrap_bound(f"{__name__}:Worker.work", lambda method: lambda: f"well {method()}")
    wrapped = worker.work

    assert (wrapped(), Worker.work) == ("well done", original)
    patches.restore()
    assert vars(Worker)["work"] is original
    assert worker.work() == "done"
