"""Names in queries: made from `semconv` in one place, and none is invented."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from opentelemetry.sdk.metrics import MeterProvider

from dashboards import names, recording
from dashboards.names import Metric
from otel_stream import semconv
from otel_stream.metrics import Instruments

from .committed import RULE_TESTS, names_in, rules, runbook_queries, targets, variables

SEMCONV = {value for value in vars(semconv).values() if isinstance(value, str)}
SEMCONV |= {*semconv.RELEASED.values(), *semconv.LATEST.values()}
ATTRIBUTES = {names.label(name) for name in SEMCONV}

# Labels that are not attributes of ours: Prometheus's, the agents', the collectors', our rules'.
LABELS = {
    "job", "instance", "le", "receiver", "exporter", "data_type", "transport",
    names.EVENT, names.SIGNAL, names.REASON,
}  # fmt: skip
SERIES = {name for metric in names.ALL for name in metric.names} | {"up"}
RECORDED = {rule.name for rule in (*recording.RULES, *recording.COLLECTOR_RULES)}
KNOWN = SERIES | RECORDED | LABELS | ATTRIBUTES


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (names.STREAMS, ("otel_stream_streams_total",)),
        (names.ACTIVE, ("otel_stream_streams_active",)),
        (names.COST, ("otel_stream_cost_USD_total",)),
        (
            names.SPEED,
            (
                "otel_stream_output_tokens_per_second_per_second_bucket",
                "otel_stream_output_tokens_per_second_per_second_sum",
                "otel_stream_output_tokens_per_second_per_second_count",
            ),
        ),
        (
            names.FIRST_TOKEN,
            (
                "otel_stream_time_to_first_token_seconds_bucket",
                "otel_stream_time_to_first_token_seconds_sum",
                "otel_stream_time_to_first_token_seconds_count",
            ),
        ),
        (names.MEMORY, ("otelcol_process_memory_rss_bytes",)),
        (names.CPU, ("otelcol_process_cpu_seconds_total",)),
    ],
)
def test_a_metric_has_the_names_that_prometheus_gives_it(
    metric: Metric, expected: tuple[str, ...]
) -> None:
    """Dots become underscores, the unit is appended, then what the kind adds."""
    assert expected == metric.names


def made() -> dict[str, tuple[str, str]]:
    """Unit and kind of the instruments that the SDK really makes, by name."""
    kinds = {"Counter": "counter", "Histogram": "histogram"}
    found: dict[str, tuple[str, str]] = {}
    for generation in ("released", "latest"):
        provider = MeterProvider()
        instruments: dict[str, Any] = vars(Instruments(provider.get_meter("test"), generation))
        several = [
            each
            for held in instruments.values()
            for each in (held if isinstance(held, list) else [held])
        ]
        for one in several:
            kind = kinds.get(type(one).__name__.strip("_"))
            if kind is not None:
                found[one.name] = (one.unit, kind)
        provider.shutdown()
    return found


def test_units_and_kinds_are_those_of_the_instruments() -> None:
    """What a metric's name is made from agrees with the instrument that the SDK makes."""
    instruments = made()
    said = {metric.otel: (metric.unit, metric.kind) for metric in names.ALL}

    assert {name: said[name] for name in instruments if name in said} == {
        name: what for name, what in instruments.items() if name in said
    }
    assert len([name for name in instruments if name in said]) >= 11


def test_the_sdks_metrics_come_from_semconv() -> None:
    """Each metric but those that collectors make has its name in `semconv`."""
    named = {metric.otel for metric in (*names.OURS, *names.CONVENTION)}

    assert named - SEMCONV == set()


def test_every_name_in_a_panel_exists() -> None:
    """Metrics and labels in PromQL of dashboards are known ones."""
    unknown = {str(one): names_in(one.text) - KNOWN for one in targets("prometheus")}

    assert {where: found for where, found in unknown.items() if found} == {}


def test_every_name_in_a_legend_exists() -> None:
    """Labels in legends are known ones."""
    legends = {str(one): one.query.get("legendFormat", "") for one in targets("prometheus")}
    labels = {where: set(re.findall(r"{{(\w+)}}", legend)) for where, legend in legends.items()}

    assert {where: found - LABELS - ATTRIBUTES for where, found in labels.items()} == {
        where: set() for where in labels
    }


def test_every_name_in_a_variable_exists() -> None:
    """Metrics and labels in queries of variables are known ones."""
    unknown = {
        (board, name): names_in(text) - KNOWN for board, name, text in variables("prometheus")
    }

    assert set().union(*unknown.values()) == set()


def test_every_name_in_influxql_exists() -> None:
    """Fields and tags in InfluxQL are known ones."""
    texts = [one.text for one in targets("influxdb")]
    texts += [text for _, _, text in variables("influxdb")]
    quoted = {name for text in texts for name in re.findall(r'"([^"]+)"', text)}

    assert quoted - KNOWN == {names.SERVICE_TAG, "prometheus", "part", "whole"}


def test_every_name_in_a_rule_exists() -> None:
    """Metrics and labels in rules and alerts are known ones."""
    unknown = {
        rule.get("record") or rule["alert"]: names_in(rule["expr"]) - KNOWN for rule in rules()
    }

    assert {name: found for name, found in unknown.items() if found} == {}


def test_every_name_in_a_runbook_exists() -> None:
    """Metrics and labels in the queries of runbooks are known ones."""
    unknown = {name: names_in(query) - KNOWN for name, query in runbook_queries().items()}

    assert {name: found for name, found in unknown.items() if found} == {}


def test_every_series_in_a_test_of_the_rules_exists() -> None:
    """Series that the tests of the rules are fed with are known ones: else they prove nothing."""
    cases = [case for path in RULE_TESTS for case in yaml.safe_load(path.read_text())["tests"]]
    fed = {one["series"] for case in cases for one in case["input_series"]}
    unknown = {name for series in fed for name in names_in(series) - KNOWN}

    assert unknown == set()


def test_every_recorded_rule_is_used() -> None:
    """Each recording rule is read by a dashboard, an alert or another rule."""
    texts = [one.text for one in targets("prometheus")] + [rule["expr"] for rule in rules()]
    used = {name for text in texts for name in names_in(text)}

    assert RECORDED - used == set()
