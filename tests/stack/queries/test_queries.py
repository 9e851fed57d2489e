"""Every query of the dashboards, rules and alerts, asked of the real servers."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest

from ...dashboards.committed import Target, rules, runbook_queries, targets, variables
from .answers import Answers

pytestmark = [pytest.mark.slow_stack, pytest.mark.timeout(300)]

RECORDED = [rule for rule in rules() if "record" in rule]
ALERTS = [rule for rule in rules() if "alert" in rule]


def numbers(series: dict[str, Any]) -> list[float]:
    """The values of one series, of an instant or a range."""
    pairs = series["values"] if "values" in series else [series["value"]]
    return [float(value) for _, value in pairs]


def labels_of(target: Target) -> set[str]:
    """The labels that a panel needs: those of its legend, or the columns of its table."""
    if target.panel["type"] == "table":
        headings = target.panel["fieldConfig"]["overrides"]
        named = {heading["matcher"]["options"] for heading in headings}
        return {name for name in named if not name.startswith("Value #")}
    return set(re.findall(r"{{(\w+)}}", target.query.get("legendFormat", "")))


@pytest.mark.parametrize("target", targets("prometheus"), ids=str)
def test_a_panels_promql_returns_what_it_shows(target: Target, answers: Answers) -> None:
    """Each query returns data, with finite values, and with the labels that its panel shows."""
    ask = answers.now if target.query.get("instant") else answers.over_time
    found = ask(target.text)

    assert found
    assert all(math.isfinite(value) for series in found for value in numbers(series))
    assert any(labels_of(target) <= set(series["metric"]) for series in found)


@pytest.mark.parametrize(
    "target",
    [one for one in targets("prometheus") if one.panel["type"] == "stat"],
    ids=str,
)
def test_a_single_figure_is_single(target: Target, answers: Answers) -> None:
    """A panel for one figure gets one series."""
    assert len(answers.now(target.text)) == 1


@pytest.mark.parametrize(
    ("board", "name", "query"), variables("prometheus"), ids=lambda one: str(one)[:40]
)
def test_a_variable_offers_values(board: str, name: str, query: str, answers: Answers) -> None:
    """Each variable has something to choose; services are there however they send."""
    values = answers.values_of(query)
    services = {"demo", "traces-only", "latest", "filled"}

    assert values - {""}
    assert name != "service" or board == "delivery" or services <= values


@pytest.mark.parametrize("rule", RECORDED, ids=lambda rule: str(rule["record"]))
def test_a_rule_records_what_it_says(rule: dict[str, Any], answers: Answers) -> None:
    """Each recording rule has data, finite, with no label beside those that it sums by."""
    summed = re.match(
        r"\w+ by \(([^)]*)\)", rule["expr"].replace("clamp_max(count_over_time((", "")
    )
    by = set(summed[1].split(", ")) if summed and summed[1] else set()
    found = answers.over_time(rule["record"])

    assert found
    assert all(math.isfinite(value) for series in found for value in numbers(series))
    assert {label for series in found for label in series["metric"]} == by | {"__name__"}


def test_prometheus_runs_all_rules_without_a_fault(answers: Answers) -> None:
    """Prometheus has all rules and alerts, and each runs."""
    there = answers.rules()

    assert {rule["name"] for rule in there} == {
        rule.get("record") or rule["alert"] for rule in rules()
    }
    assert {rule["name"]: rule.get("lastError") for rule in there if rule["health"] != "ok"} == {}


def relaxed(expr: str) -> str:
    """An alert's expression without its thresholds: what it looks at, also when all is well."""
    cut = re.sub(r"\nunless.*?(?=\nand on|\Z)", "", expr, flags=re.DOTALL)
    return re.sub(r"(>=|>|==) [\d.]+$", ">= 0", cut, flags=re.MULTILINE).replace("offset 20m", "")


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_an_alert_looks_at_what_is_there(rule: dict[str, Any], answers: Answers) -> None:
    """Each alert's expression runs; without its thresholds it returns the labels of its texts."""
    answers.now(rule["expr"])
    found = answers.now(relaxed(rule["expr"]))
    named = set(re.findall(r"\$labels\.(\w+)", str(rule["annotations"])))

    assert found
    assert all(math.isfinite(value) for series in found for value in numbers(series))
    assert all(named <= set(series["metric"]) for series in found)


@pytest.mark.parametrize("alert", sorted(runbook_queries()))
def test_a_runbooks_query_returns_data(alert: str, answers: Answers) -> None:
    """What a runbook gives people to look with runs, and shows something."""
    found = answers.over_time(runbook_queries()[alert])

    assert any(math.isfinite(value) for series in found for value in numbers(series))


def test_a_collector_that_loses_data_is_told(answers: Answers) -> None:
    """The alert on lost data fires in the real stack, for the collector that loses."""
    firing = next(rule for rule in answers.rules() if rule["name"] == "CollectorDropsData")
    lost = {(one["labels"]["exporter"], one["labels"]["reason"]) for one in firing["alerts"]}

    assert lost == {("influxdb/v1", "not sent")}


@pytest.mark.parametrize(
    ("service", "expected"), [("demo", 16), ("traces-only", 5), ("latest", 5), ("filled", 3)]
)
def test_streams_count_once(service: str, expected: int, answers: Answers) -> None:
    """A service with metrics and spans counts once, one with spans alone is there, none is lost."""
    found = answers.over_time(f'sum(otel_stream:streams:rate5m{{job="{service}"}}) * 300')

    assert expected == pytest.approx(max(numbers(found[0])), rel=0.001)


@pytest.mark.parametrize("service", ["demo", "traces-only", "latest"])
def test_stalls_count_once(service: str, answers: Answers) -> None:
    """Each of these has made one stall, told by a metric, by a span event, or by both."""
    found = answers.over_time(f'sum(otel_stream:stalls:rate5m{{job="{service}"}}) * 300')

    assert pytest.approx(max(numbers(found[0])), rel=0.001) == 1


@pytest.mark.parametrize("service", ["demo", "traces-only", "latest"])
def test_first_tokens_count_once(service: str, answers: Answers) -> None:
    """The buckets of first tokens hold as many streams as there were, whoever has told of them."""
    streams = {"demo": 16, "traces-only": 5, "latest": 5}
    rule = "otel_stream:time_to_first_token_seconds_bucket:rate5m"
    found = answers.over_time(f'sum({rule}{{job="{service}", le="+Inf"}}) * 300')

    assert streams[service] == pytest.approx(max(numbers(found[0])), rel=0.001)
