"""Which hop lost a part of the stream, and what to look at. Decides from what was asked before."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from otel_stream.doctor.report import Problem
from otel_stream.pipeline.collector import Account
from otel_stream.pipeline.hop import Hop
from otel_stream.pipeline.places import FROM_SPANS
from otel_stream.pipeline.sending import WHO

__all__ = ["Situation", "Tier", "problems"]

_OPTIONS = {
    "Jaeger": "--jaeger", "Prometheus": "--prometheus", "InfluxDB": "--influxdb",
    "JSON lines": "--jsonl",
}  # fmt: skip
_EXPORTERS = {
    "Jaeger": ("otlp_http", "otlphttp", "otlp_grpc", "otlp", "loadbalancing"),
    "Prometheus": ("prometheus", "prometheusremotewrite"),
    "InfluxDB": ("influxdb",),
    "JSON lines": ("file",),
}
"""The types of the exporters that lead to a place."""
_OWN_WAY = "prometheus/influxdb"
"""In collector-config's agent a step on the way to InfluxDB, not to Prometheus."""
_JOB = "agents"
_REFUSALS = (
    (("401", "403"), "set OTEL_EXPORTER_OTLP_HEADERS to the token that it wants"),
    (("may not speak TLS",), "use http://, or start the agent with secure.yaml"),
    (("certificate", "SSL"), "set OTEL_EXPORTER_OTLP_CERTIFICATE to the file of its authority"),
    (("404", "405"), "is it the port of OTLP over HTTP? The endpoint goes without /v1/traces"),
    (("503", "429"), "it refuses for now: look at its memory limiter and its queues"),
    (("400", "415"), "is it the port of OTLP over HTTP (4318), not the one of gRPC (4317)?"),
)


class Tier(NamedTuple):
    """A collector's account of itself: all of it, and what is new since the check began."""

    name: str
    where: str
    now: Account | None = None
    new: Account | None = None
    wrong: str = ""


class Situation(NamedTuple):
    """What is known beside the hops."""

    agent: Tier | None = None
    gateways: Sequence[Tier] = ()
    targets: Sequence[Mapping[str, Any]] | None = None
    health: str = ""
    wait: float = 60.0


def problems(hops: Sequence[Hop], found: Situation) -> list[Problem]:
    """One for each cause, in the order of the way."""
    bad = [hop for hop in hops if not hop.fine and hop.state != "not sent"]
    made: list[Problem] = []
    if _is_another(found.agent) and any(hop.state == "missing" for hop in bad):
        bad = [hop for hop in bad if hop.state != "missing"]
        what = f"the agent that was asked ({found.agent.where}) took nothing of it"  # type: ignore[union-attr]
        made.append(Problem(what, "is it the one at --endpoint?"))
    for (place, _, _), group in groupby(bad, key=lambda hop: (hop.place, hop.state, hop.detail)):
        same = list(group)
        made.append(_refused(same, found) if place == WHO else _lost(same, found))
    return made


def _is_another(agent: Tier | None) -> bool:
    """Whether the agent has had none of any signal, though somebody acknowledged it."""
    return agent is not None and agent.new is not None and not any(agent.new[:2])


def _refused(same: list[Hop], found: Situation) -> Problem:
    first = same[0]
    where = first.where.removesuffix(f"/v1/{first.part}")
    health = f"; its health check: {found.health}" if found.health else ""
    what = f"the agent at {where} does not take {_and(same)}: {first.detail or 'no reason told'}"
    for signs, remedy in _REFUSALS:
        if any(re.search(rf"\b{sign}\b", first.detail) for sign in signs):
            return Problem(what + health, remedy)
    return Problem(what + health, "start it, or correct --endpoint")


def _lost(same: list[Hop], found: Situation) -> Problem:
    first = same[0]
    option = _OPTIONS.get(first.place, "its address")
    name = f"{first.place} ({first.where})"
    if first.state == "unreachable":
        kept = "".join(_kept(first, found))
        return Problem(f"{first.place}: {first.detail}{kept}", f"start it, or correct {option}")
    if first.state == "differs" and first.detail == "as exported_instance":
        what = f"{name} has the metrics with other labels: exported_job, exported_instance"
        return Problem(what, "set honor_labels: true in the scrape job of the agents")
    if first.state == "differs":
        what = f"{name} has {first.found} of {first.expected} of the {first.part}, {first.detail}"
        remedy = (
            "a processor on the way changes it, or the rest is late: look there, or wait longer"
        )
        return Problem(what, remedy)
    missing = f"{name} does not show {_and(same)} after {found.wait:g} s"
    cause, remedy = _cause(same, found)
    return Problem(f"{missing}: {cause}" if cause else missing, remedy)


def _cause(same: list[Hop], found: Situation) -> tuple[str, str]:
    """What is known of why, and what to do."""
    first = same[0]
    signal = "traces" if first.part in ("trace", FROM_SPANS) else first.part
    if [hop.part for hop in same] == [FROM_SPANS]:
        return "", (
            "the agent tells them every 15 s: wait longer; has it the connector span_metrics?"
        )
    if first.place == "Prometheus" and (scrape := _scraping(found.targets)) is not None:
        return scrape
    if found.agent is None:
        return "", "name --agent-telemetry, and what the agent knows of it is told"
    cause, remedy = _held(found.agent, first, signal)
    if not remedy and signal == "traces" and found.gateways:
        cause, remedy = _at_gateways(found.gateways, first, signal)
    elif signal == "traces":
        cause = "; ".join([cause, *(each.wrong for each in found.gateways if each.wrong)])
    return cause, remedy or f"does it send to the {first.place} that was asked? Else wait longer"


def _scraping(targets: Sequence[Mapping[str, Any]] | None) -> tuple[str, str] | None:
    """What keeps Prometheus from the agent; None if nothing does, or nobody knows."""
    if targets is None:
        return None
    agents = [each for each in targets if each.get("scrapePool") == _JOB]
    if not agents:
        return f"it has no target in the job {_JOB}", "is the agent in targets/agents.json?"
    for each in agents:
        if each.get("health") == "down":
            url, error = each.get("scrapeUrl"), each.get("lastError")
            return f"it cannot scrape {url}: {error}", "is that the agent, and does it run?"
    if all(each.get("health") == "unknown" for each in agents):
        return "it has not scraped yet", "wait longer than its scrape interval"
    return None


def _held(tier: Tier, hop: Hop, signal: str) -> tuple[str, str]:
    """What a collector says. Without a remedy it has done its part."""
    if tier.new is None or tier.now is None:
        return tier.wrong, f"without the account of {tier.name} nobody knows: look at its log"
    if not _sum(tier.new.accepted, signal):
        if refused := _sum(tier.new.refused, signal):
            return f"{tier.name} refused {refused} {signal}", "look at its memory limiter"
        return f"{tier.name} ({tier.where}) took none", "is it the one at --endpoint?"
    exporters = sorted(each for each in tier.now.exporters(signal) if _leads_to(each, hop.place))
    if not exporters:
        remedy = "is it switched off there, or left out of a pipeline?"
        return f"{tier.name} has no exporter that leads to it", remedy
    stuck = next(filter(None, (_stuck(tier, tier.new, each, signal) for each in exporters)), None)
    if stuck is not None:
        return stuck
    names = " and ".join(exporters)
    if not any(tier.new.sent[signal, name] for name in exporters):
        return f"{tier.name}'s {names} sent none", "a processor before it drops or holds it back"
    return f"{tier.name}'s {names} has sent", ""


def _stuck(tier: Tier, new: Account, name: str, signal: str) -> tuple[str, str] | None:
    """What keeps an exporter, if something does."""
    remedy = f"is the endpoint of {name} right, and does it answer? See the log of {tier.name}"
    if lost := new.failed[signal, name]:
        why = (
            f"it was refused for good: a wrong token, path or database? See the log of {tier.name}"
        )
        return f"{tier.name}'s exporter {name} gave up on {lost}", why
    if waits := new.queued.get(name, 0):
        behind = "" if new.sent[signal, name] else " and sends nothing"
        return f"{tier.name}'s exporter {name} holds {_of(new, name, waits)}{behind}", remedy
    return None


def _at_gateways(gateways: Sequence[Tier], hop: Hop, signal: str) -> tuple[str, str]:
    """What the gateway says that has it, or all of them if none has."""
    told = [_held(each, hop, signal) for each in gateways]
    having = [each for each in gateways if each.new is not None and _sum(each.new.accepted, signal)]
    if having:
        return _held(having[0], hop, signal)
    return "the agent has sent; " + ", ".join(what for what, _ in told), told[0][1]


def _kept(hop: Hop, found: Situation) -> Iterator[str]:
    """What waits for a place that does not answer."""
    for tier in [*([found.agent] if found.agent else []), *found.gateways]:
        queued = tier.now.queued if tier.now is not None else {}
        for name, waits in sorted(queued.items()):
            if waits and tier.now is not None and _leads_to(name, hop.place):
                yield f"; {tier.name}'s exporter {name} holds {_of(tier.now, name, waits)} for it"


def _leads_to(exporter: str, place: str) -> bool:
    return exporter != _OWN_WAY and exporter.partition("/")[0] in _EXPORTERS.get(place, ())


def _of(account: Account, name: str, waits: int) -> str:
    room = account.capacity.get(name)
    return f"{waits:,} in its queue of {room:,}" if room else f"{waits:,} in its queue"


def _sum(counts: Mapping[tuple[str, str], int], signal: str) -> int:
    return sum(count for (kind, _), count in counts.items() if kind == signal)


def _and(same: Sequence[Hop]) -> str:
    *others, last = dict.fromkeys(hop.part for hop in same)
    return f"{', '.join(others)} and {last}" if others else last
