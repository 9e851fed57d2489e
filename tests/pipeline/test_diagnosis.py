"""Which hop is named, and what is to be done: decided from what was asked."""

from __future__ import annotations

from typing import Any

import pytest

from otel_stream.pipeline.collector import account
from otel_stream.pipeline.diagnosis import Situation, Tier, problems
from otel_stream.pipeline.exposition import samples
from otel_stream.pipeline.hop import Hop

JAEGER = ("Jaeger", "http://jaeger:16686", "trace")
PROMETHEUS = ("Prometheus", "http://prometheus:9090", "metrics")
TAKEN = 'otelcol_receiver_accepted_spans_total{receiver="otlp"} 1\n'
DOWN = {"scrapePool": "agents", "health": "down", "scrapeUrl": "http://a/m", "lastError": "no"}
SENT = TAKEN + 'otelcol_exporter_sent_spans_total{exporter="otlp_http"} 1\n'
HELD = TAKEN + (
    'otelcol_exporter_queue_size{exporter="otlp_http"} 12\n'
    'otelcol_exporter_queue_capacity{exporter="otlp_http"} 1e+06\n'
)


def tier(text: str, name: str = "the agent") -> Tier:
    """A collector that says this of itself since the check began."""
    found = account(samples(text))
    return Tier(name, f"http://{name.rsplit(maxsplit=1)[-1]}:8888/metrics", found, found)


def said(hop: Hop, situation: Situation) -> str:
    """The only problem, on one line."""
    [problem] = problems([hop], situation)
    return f"{problem.what} -> {problem.remedy}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HELD, "exporter otlp_http holds 12 in its queue of 1,000,000 and sends nothing"),
        (SENT, "the agent's otlp_http has sent -> does it send to the Jaeger that was asked?"),
        (TAKEN, "the agent has no exporter that leads to it -> is it switched off there"),
        (
            TAKEN + 'otelcol_exporter_send_failed_spans_total{exporter="otlp_http"} 4\n',
            "the agent's exporter otlp_http gave up on 4 -> it was refused for good: a wrong token",
        ),
        (
            'otelcol_receiver_refused_spans_total{receiver="otlp"} 1\n',
            "the agent refused 1 traces -> look at its memory limiter",
        ),
        (
            'otelcol_receiver_accepted_log_records_total{receiver="otlp"} 1\n',
            "the agent (http://agent:8888/metrics) took none -> is it the one at --endpoint?",
        ),
        ("", "took nothing of it -> is it the one at --endpoint?"),
    ],
    ids=["held", "sent", "no-exporter", "failed", "refused", "other-agent", "nothing"],
)  # fmt: skip
def test_the_agents_account_says_where_a_trace_is(text: str, expected: str) -> None:
    """Taken, held, given up or sent on: each has its own cause and remedy."""
    assert expected in said(Hop(*JAEGER, "missing"), Situation(tier(text)))


def test_without_an_account_one_is_asked_for() -> None:
    """Nothing is guessed."""
    found = said(Hop(*JAEGER, "missing"), Situation())

    assert found.endswith("name --agent-telemetry, and what the agent knows of it is told")


@pytest.mark.parametrize(
    ("gateway", "expected"),
    [
        (HELD, "gateway 1's exporter otlp_http holds 12 in its queue"),
        (TAKEN, "gateway 1 has no exporter that leads to it"),
        (" ", "gateway 1 (http://1:8888/metrics) took none"),
    ],
    ids=["held", "no-exporter", "not-taken"],
)
def test_what_the_agent_has_sent_is_followed_to_the_gateways(gateway: str, expected: str) -> None:
    """An agent that has done its part is not blamed."""
    agent = SENT.replace("otlp_http", "otlp_grpc/gateway_1")

    assert expected in said(
        Hop(*JAEGER, "missing"), Situation(tier(agent), [tier(gateway, "gateway 1")])
    )


def test_a_gateway_that_is_gone_is_named() -> None:
    """Beside the agent's exporter that waits for it."""
    gone = Tier("gateway 1", "http://g:8888/metrics", None, None, "http://g:8888 does not answer")
    agent = HELD.replace("otlp_http", "otlp_grpc/gateway_1")

    found = said(Hop(*JAEGER, "missing"), Situation(tier(agent), [gone]))

    assert "otlp_grpc/gateway_1 holds 12" in found
    assert "; http://g:8888 does not answer -> " in found


def test_what_waits_for_a_place_that_is_gone_is_told() -> None:
    """Nothing is lost yet, and how much it is."""
    hop = Hop(*JAEGER, "unreachable", detail="http://jaeger:16686 does not answer: refused")

    assert said(hop, Situation(tier(HELD))) == (
        "Jaeger: http://jaeger:16686 does not answer: refused; the agent's exporter otlp_http holds"
        " 12 in its queue of 1,000,000 for it -> start it, or correct --jaeger"
    )


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ([{"scrapePool": "node", "health": "up"}], "it has no target in the job agents"),
        (
            [DOWN],
            "it cannot scrape http://a/m: no",
        ),
        ([{"scrapePool": "agents", "health": "unknown"}], "it has not scraped yet"),
        ([{"scrapePool": "agents", "health": "up"}], "name --agent-telemetry"),
        (None, "name --agent-telemetry"),
    ],
    ids=["none", "down", "not-yet", "up", "not-told"],
)  # fmt: skip
def test_prometheus_says_why_it_does_not_scrape(targets: Any, expected: str) -> None:
    """Its list of targets is the cause where it explains anything."""
    assert expected in said(Hop(*PROMETHEUS, "missing"), Situation(targets=targets))


@pytest.mark.parametrize(
    ("detail", "expected"),
    [
        ("401 Unauthorized", "OTEL_EXPORTER_OTLP_HEADERS"),
        ("certificate verify failed", "OTEL_EXPORTER_OTLP_CERTIFICATE"),
        ("[SSL] (the endpoint says https, and it may not speak TLS)", "use http://"),
        ("404 Not Found", "is it the port of OTLP over HTTP?"),
        ("Connection refused", "start it, or correct --endpoint"),
    ],
)
def test_a_refusal_has_its_remedy(detail: str, expected: str) -> None:
    """What the agent answers says what to do."""
    hop = Hop("agent", "http://agent:4318/v1/traces", "traces", "refused", detail=detail)
    found = said(hop, Situation())

    assert found.startswith(f"the agent at http://agent:4318 does not take traces: {detail}")
    assert expected in found


def test_one_cause_is_one_problem() -> None:
    """Parts that are missing in the same place for the same reason are told together."""
    parts = ("traces", "metrics", "logs")
    [problem] = problems(
        [Hop("JSON lines", "/data", each, "missing") for each in parts], Situation()
    )

    assert "does not show traces, metrics and logs after 60 s" in problem.what


def test_what_was_never_sent_is_nobodys_fault() -> None:
    """A back end is not blamed for what the agent did not take."""
    assert problems([Hop(*JAEGER, "not sent")], Situation()) == []
