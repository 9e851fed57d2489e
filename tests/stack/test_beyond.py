"""More than an agent can hold is refused, so that the sender keeps it; nothing is lost silently."""

from __future__ import annotations

from pathlib import Path

import pytest

from otel_stream.pipeline.jaeger import Jaeger
from stack.made.programs import Programs
from stack.measured.load import Load
from stack.measured.payload import Payload
from stack.servers.running import Stack
from tests.conftest import eventually
from tests.stack.arrived import in_jaeger, in_json, missing

pytestmark = [pytest.mark.slow_stack, pytest.mark.timeout(200)]


def acknowledged(load: Load) -> set[str]:
    """The ids of all spans that were acknowledged."""
    return set().union(*load.acknowledged.values())


def test_beyond_its_memory_an_agent_refuses(programs: Programs, tmp_path: Path) -> None:
    """With too little memory for the load some requests are refused, and all others arrive."""
    small = {"MEMORY_MIB": "40", "SPIKE_MIB": "20"}
    with Stack(tmp_path, programs, small) as stack:
        with Load(stack.agent.ports["HTTP"], lambda: Payload("small", 100)) as load:
            assert eventually(lambda: load.refused > 20 and load.spans > 2000, 60.0)
        expected = acknowledged(load)
        jaeger = Jaeger(stack.jaeger.url)

        assert missing(lambda: in_jaeger(jaeger, load.acknowledged), expected) == set()


def test_a_full_queue_refuses_until_the_back_end_is_back(
    programs: Programs, tmp_path: Path
) -> None:
    """While a back end is away longer than its queue lasts, nothing more is acknowledged.

    The JSON lines are written before the queue says no, and figures are made from the spans, so
    both have each try; `otel-stream streams` counts a span once.
    """
    with Stack(tmp_path, programs, {"QUEUE": "5000"}) as stack:
        stack.jaeger.process.stop()
        with Load(stack.agent.ports["HTTP"], lambda: Payload("full", 100)) as load:
            assert eventually(lambda: load.refused > 20, 60.0)
            held = load.spans
            stack.jaeger.process.start()
            assert eventually(lambda: load.spans > held + 5000, 60.0)
        expected = acknowledged(load)
        jaeger = Jaeger(stack.jaeger.url)

        assert held <= 5000 + 2048 + 100
        assert missing(lambda: in_jaeger(jaeger, load.acknowledged), expected) == set()
        written = in_json(stack.agent, load.acknowledged)
        assert written.keys() == expected
        assert written.total() > len(expected)
