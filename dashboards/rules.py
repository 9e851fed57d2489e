"""Rules and alerts as files that Prometheus reads."""

from __future__ import annotations

import json
from collections.abc import Iterable

from dashboards import links
from dashboards.alerts import ALERTS, Alert
from dashboards.recording import COLLECTOR_RULES, RULES, Rule

__all__ = ["files"]

_MADE = "# Written by `make dashboards` from dashboards/{source}: change it there.\n"


def files(runbooks: str = links.RUNBOOKS) -> dict[str, str]:
    """The text of each file of rules by its name."""
    groups = {"otel_stream": RULES, "otel_stream_collectors": COLLECTOR_RULES}
    recorded = "\n".join(
        _group(name, [_recorded(rule) for rule in rules]) for name, rules in groups.items()
    )
    alerts = _group("otel_stream_alerts", [_alerted(alert, runbooks) for alert in ALERTS])
    return {
        "recording.yml": f"{_MADE.format(source='recording.py')}groups:\n{recorded}",
        "alerts.yml": f"{_MADE.format(source='alerts.py')}groups:\n{alerts}",
    }


def _group(name: str, rules: Iterable[str]) -> str:
    return f"  - name: {name}\n    rules:\n" + "\n".join(rules)


def _recorded(rule: Rule) -> str:
    return (
        f"      # {rule.about}\n      - record: {rule.name}\n        expr: |-\n{_block(rule.expr)}"
    )


def _alerted(alert: Alert, runbooks: str) -> str:
    notes = {
        "summary": alert.summary,
        "description": alert.description,
        "runbook_url": links.runbook(alert.name, runbooks),
    }
    lines = [f"          {name}: {json.dumps(text)}\n" for name, text in notes.items()]
    return (
        f"      - alert: {alert.name}\n"
        f"        expr: |-\n{_block(alert.expr)}"
        f"        for: {alert.wait}\n"
        f"        labels:\n          severity: {alert.severity}\n"
        f"        annotations:\n{''.join(lines)}"
    )


def _block(expr: str) -> str:
    return "".join(f"          {line}\n" for line in expr.splitlines())
