"""Rules and alerts: each is tested, documented, and tells people what they need."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from dashboards import recording

from .committed import ROOT, RULE_TESTS, rules, runbook_queries

ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}
EVERY = pytest.mark.parametrize("name", sorted(ALERTS))


def checks(name: str) -> list[dict[str, Any]]:
    """The checks of an alert in the tests of the rules."""
    cases = [case for path in RULE_TESTS for case in yaml.safe_load(path.read_text())["tests"]]
    return [
        check
        for case in cases
        for check in case.get("alert_rule_test", ())
        if check["alertname"] == name
    ]


def headings(page: str) -> list[str]:
    """The second-level headings of a page of the documentation."""
    return re.findall(r"^## (.+)$", (ROOT / "docs" / page).read_text(), re.MULTILINE)


@EVERY
def test_an_alert_says_what_people_need(name: str) -> None:
    """Severity, a summary, a description, and the runbook's address."""
    rule = ALERTS[name]

    assert rule["labels"]["severity"] in ("warning", "critical")
    assert sorted(rule["annotations"]) == ["description", "runbook_url", "summary"]
    assert rule["annotations"]["runbook_url"] == f"docs/runbooks.md#{name.lower()}"


@EVERY
def test_values_in_a_description_are_for_people(name: str) -> None:
    """A description shows its value humanized, never as a bare number."""
    description = ALERTS[name]["annotations"]["description"]
    values = re.findall(r"{{ \$value[^}]*}}", description)

    assert all("| humanize" in value for value in values)
    assert values or name == "CollectorDown"


@EVERY
def test_an_alert_is_tested_both_ways(name: str) -> None:
    """The tests of the rules have a case in which it fires and one in which it does not."""
    fires = [bool(check["exp_alerts"]) for check in checks(name)]

    assert True in fires
    assert False in fires


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    """The sections of the page of runbooks are the alerts, in their order."""
    assert list(ALERTS) == headings("runbooks.md")


@EVERY
def test_a_runbook_says_what_it_means_how_to_look_and_what_to_do(name: str) -> None:
    """Each section has the three parts."""
    text = (ROOT / "docs" / "runbooks.md").read_text()
    section = text.split(f"## {name}\n")[1].split("\n## ")[0]

    assert re.findall(r"^\*\*(\w+):\*\*", section, re.MULTILINE) == ["Means", "Look", "Do"]


def test_every_runbook_has_a_query_to_look_with() -> None:
    """Each section holds a query that can be pasted."""
    assert list(ALERTS) == list(runbook_queries())


def test_the_table_has_every_recording_rule() -> None:
    """The table of recording rules says what the code records, by what, and what it is."""
    text = (ROOT / "docs" / "dashboards.md").read_text().split("## Recording rules")[1]
    rows = re.findall(r"^\| `([\w:]+)` \| (.*) \| (.*) \|$", text, re.MULTILINE)
    expected = [
        (rule.name, ", ".join(f"`{label}`" for label in rule.labels) or "–", rule.about)
        for rule in (*recording.RULES, *recording.COLLECTOR_RULES)
    ]

    assert expected == rows


def test_recorded_names_are_unique() -> None:
    """No rule records what another one records."""
    recorded = [rule["record"] for rule in rules() if "record" in rule]

    assert sorted(set(recorded)) == sorted(recorded)
