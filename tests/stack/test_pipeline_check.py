"""`otel-stream pipeline check` and the real programs: what arrives, which hop is at fault."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_stream.pipeline.prometheus import Prometheus
from stack.made.programs import Programs
from stack.servers.fleet import Fleet
from stack.servers.running import DATABASE, Stack
from tests.stack.test_end_to_end import settled

pytestmark = pytest.mark.slow_stack

COMMAND = [sys.executable, "-m", "otel_stream", "pipeline", "check"]
OFTEN = """
connectors:
  span_metrics: {metrics_flush_interval: 1s}
  span_metrics/first_token: {metrics_flush_interval: 1s}
"""


@pytest.fixture(scope="module")
def stack(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An agent with all its back ends, of which tests may stop some. Spans are counted often."""
    room = tmp_path_factory.mktemp("check")
    (room / "often.yaml").write_text(OFTEN)
    made = Stack(room, programs, every=1.0)
    made.agent.process.command += ["--config", str(room / "often.yaml")]
    with made:
        yield made


def options(stack: Stack) -> list[str]:
    """Everything that can be named."""
    health = f"http://127.0.0.1:{stack.agent.ports['HEALTH']}"
    return [
        "--endpoint", stack.agent.http, "--agent-telemetry", stack.agent.telemetry,
        "--agent-health", health, "--jaeger", stack.jaeger.url,
        "--prometheus", stack.prometheus.url, "--influxdb", stack.influxdb.url,
        "--influxdb-database", DATABASE, "--jsonl", str(stack.agent.data),
    ]  # fmt: skip


def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """The command, run to its end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(
        [*COMMAND, *arguments], env=kept | variables, capture_output=True, text=True, check=False
    )


def checked(*arguments: str) -> tuple[int, dict[str, Any]]:
    """The status, and the report."""
    done = run(*arguments, "--json")
    return done.returncode, json.loads(done.stdout)


def states(report: dict[str, Any]) -> dict[tuple[str, str], str]:
    """How each hop went."""
    return {(hop["place"], hop["part"]): hop["state"] for hop in report["hops"]}


def told(report: dict[str, Any]) -> str:
    """All problems on one line."""
    return " ".join(f"{each['what']} -> {each['remedy']}" for each in report["problems"])


def test_all_of_it_arrives(stack: Stack) -> None:
    """Status 0, each part whole, and how late each one was."""
    status, report = checked(*options(stack), "--wait", "30")
    hops = {(hop["place"], hop["part"]): hop for hop in report["hops"]}

    assert (status, report["arrived"], report["problems"]) == (0, True, []), report
    assert set(states(report).values()) == {"acknowledged", "arrived"}
    assert len(hops) == 10
    assert all(hop["seconds"] is not None for hop in report["hops"])
    assert hops["Prometheus", "metrics"]["found"] == hops["Prometheus", "metrics"]["expected"]


def test_the_page_says_so_in_plain_text(stack: Stack) -> None:
    """In a pipe there is a table and a verdict, no colour, and nothing on the other stream.

    What switches telemetry off or samples it away does not change the marked stream.
    """
    done = run(
        "--jsonl", str(stack.agent.data), "--wait", "10",
        OTEL_SDK_DISABLED="true", OTEL_TRACES_SAMPLER="always_off", OTEL_SPAN_EVENT_COUNT_LIMIT="1",
        OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE="delta",
        OTEL_EXPORTER_OTLP_ENDPOINT=stack.agent.http,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^  JSON lines  traces +arrived +\d\.\d\d s  27 attributes, 8 events$",
                     done.stdout, re.MULTILINE)  # fmt: skip
    assert "\x1b" not in done.stdout
    assert "\nAll of it arrived." in done.stdout


def test_a_jaeger_that_is_gone_is_named_with_the_queue(stack: Stack) -> None:
    """The rest arrives; the agent's queue is said to keep what Jaeger missed."""
    stack.jaeger.process.stop()
    try:
        status, report = checked(*options(stack), "--wait", "6")
    finally:
        stack.jaeger.process.start()

    assert status == 1
    assert states(report)["Jaeger", "trace"] == "unreachable"
    assert states(report)["JSON lines", "traces"] == "arrived"
    assert f"{stack.jaeger.url}/api/services does not answer" in told(report)
    assert re.search(r"otlp_http holds \d in its queue of 1,000,000 for it", told(report))


def test_an_influxdb_that_is_gone_is_named(stack: Stack) -> None:
    """InfluxDB is what is said to be wrong, and nothing else."""
    stack.influxdb.process.stop()
    try:
        status, report = checked(
            "--endpoint", stack.agent.http, "--influxdb", stack.influxdb.url,
            "--jsonl", str(stack.agent.data), "--wait", "2",
        )  # fmt: skip
    finally:
        stack.influxdb.process.start()

    assert (status, len(report["problems"])) == (1, 1)
    assert states(report)["InfluxDB", "metrics"] == "unreachable"
    assert "--influxdb" in told(report)


def test_an_agent_that_is_not_scraped_is_told_from_prometheus(stack: Stack) -> None:
    """Prometheus's own list of targets says why the figures are not there."""
    prometheus = Prometheus(stack.prometheus.url)
    targets = stack.prometheus.config / "targets" / "agents.json"
    before = targets.read_text()
    targets.write_text("[]")
    try:
        settled(lambda: [t["scrapePool"] for t in prometheus.targets()], ["collectors"])
        status, report = checked(
            "--endpoint", stack.agent.http, "--prometheus", stack.prometheus.url, "--wait", "2"
        )
    finally:
        targets.write_text(before)

    assert status == 1
    assert "does not show metrics and figures from spans after 2 s: it has no" in told(report)
    assert "targets/agents.json" in told(report)


def test_an_agent_that_is_gone_is_one_line(stack: Stack) -> None:
    """Nobody takes the stream: status 1, one line, and no table."""
    stack.agent.process.stop()
    try:
        done = run(*options(stack), "--wait", "2")
    finally:
        stack.agent.process.start()

    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(
        r"otel-stream pipeline check: the agent at http://127\.0\.0\.1:\d+ does not take "
        r"traces, metrics and logs: Connection refused; [^\n]*; start it, or correct --endpoint\n",
        done.stderr,
    )


def test_a_fleet_is_followed_through_its_gateways(programs: Programs, tmp_path: Path) -> None:
    """A gateway keeps the marked stream though it samples; one that is stuck is named."""
    with Fleet(tmp_path, programs, {"SHARE": "0"}) as fleet:
        named = ["--endpoint", fleet.agent.http, "--agent-telemetry", fleet.agent.telemetry]
        named += ["--jaeger", fleet.jaeger.url]
        for gateway in fleet.gateways:
            named += ["--gateway-telemetry", gateway.telemetry]
        kept = checked(*named, "--wait", "15")
        fleet.jaeger.process.stop()
        lost = checked(*named, "--wait", "4")

    assert (kept[0], kept[1]["problems"]) == (0, [])
    assert lost[0] == 1
    assert re.search(r"gateway [12]'s exporter otlp_http holds 1 in its queue", told(lost[1]))
