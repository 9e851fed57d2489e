"""The overview: how many streams, how they end, how soon and how fast they come, the cost."""

from __future__ import annotations

from dashboards import links, names, recording
from dashboards.board import Board, Row
from dashboards.colours import DIRECTIONS, OUTCOMES, PERCENTILES
from dashboards.expressions import (
    average,
    both,
    fraction,
    percentile,
    selected,
    total,
    weight,
    with_exemplars,
)
from dashboards.panels import Limits, Panel, graph, heat, number
from dashboards.sources import Prom
from dashboards.variables import CALL, MODEL, PROVIDER, SERVICE, Variable, choice, source

__all__ = ["BOARD", "variables"]

STREAMS = selected(recording.STREAMS.name, CALL)
COMPLETED = selected(recording.STREAMS.name, both(CALL, {names.OUTCOME: "completed"}))
BROKEN = selected(recording.STREAMS.name, both(CALL, {names.OUTCOME: "~truncated|error"}))
STALLS = selected(recording.STALLS.name, CALL)
FIRST_TOKEN = selected(recording.FIRST_TOKEN.name, CALL)
FIRST_TEXT = selected(recording.FIRST_TEXT.name, CALL)
SPEED = selected(recording.SPEED.name, CALL)
TOKENS = selected(recording.TOKENS.name, CALL)
DROPPED = selected(recording.DROPPED.name, {names.SERVICE: "~$service"})
COST = selected(recording.COST.name, CALL)
ACTIVE = selected(names.ACTIVE.series, CALL)
RAW = [selected(metric.series, CALL) for metric in (names.FIRST_TOKEN, names.SPAN_FIRST_TOKEN)]
SECOND_HAND = "Services that send only traces are counted from their spans."
SDK_ONLY = "Services that send only traces are not in it."


def variables() -> list[Variable]:
    """Data source, service, provider, model; each but the first narrows the next."""
    service = {names.SERVICE: "~$service"}
    provider = both(service, {names.PROVIDER: "~$provider"})
    streams = recording.STREAMS.name
    return [
        source(links.PROMETHEUS, "Prometheus"),
        choice(SERVICE, "Service", streams, names.SERVICE),
        choice(PROVIDER, "Provider", selected(streams, service), names.PROVIDER),
        choice(MODEL, "Model", selected(streams, provider), names.MODEL),
    ]


_FIGURES = [
    number(
        "Streams",
        f"Streams that ended in the time range. {SECOND_HAND}",
        "short",
        Prom(total(STREAMS, ()), instant=True),
        decimals=0,
    ),
    number(
        "Open now",
        f"Streams that are being read at this moment. {SDK_ONLY}",
        "short",
        Prom(f"sum({ACTIVE})", instant=True),
        decimals=0,
    ),
    number(
        "Whole",
        "Share of streams that the provider finished (outcome completed). The rest was"
        " stopped by your side, cut off, or failed.",
        "percentunit",
        Prom(fraction(weight(COMPLETED, ()), weight(STREAMS, ())), instant=True),
        Limits(0.95, 0.8, above=False),
        decimals=1,
    ),
    number(
        "First token, p95",
        "19 of 20 streams in the time range had their first token sooner"
        " than this: text, reasoning, refusal or tool call.",
        "s",
        Prom(percentile(0.95, FIRST_TOKEN, window="$__range"), instant=True),
        Limits(3, 5),
    ),
    number(
        "Output speed, median",
        f"Output tokens a second of the stream in the middle, from first to last chunk. {SDK_ONLY}",
        "suffix:tokens/s",
        Prom(percentile(0.5, SPEED, window="$__range"), instant=True),
        decimals=0,
    ),
    number(
        "Cost",
        "US dollars in the time range, of calls whose price is known.",
        "currencyUSD",
        Prom(total(COST, ()), instant=True),
        empty="not known",
    ),
]


def _streams() -> list[Panel]:
    broken = [
        (outcome, names.OUTCOME, {names.OUTCOME: outcome}) for outcome in ("truncated", "error")
    ]
    return [
        graph(
            "Streams a minute, by outcome",
            "How streams ended. Green: whole. Grey and blue: stopped"
            f" by your side. Orange: cut off. Red: failed. {SECOND_HAND}",
            "short",
            Prom(f"{average(STREAMS, [names.OUTCOME])} * 60", f"{{{{{names.OUTCOME}}}}}"),
            colours=OUTCOMES,
            stacked=True,
            bars=True,
        ),
        graph(
            "Broken streams",
            "Share of streams that were cut off (the body ended before the provider"
            " said that the answer was whole) or failed.",
            "percentunit",
            *(
                Prom(
                    fraction(
                        weight(
                            selected(recording.STREAMS.name, both(CALL, matcher)),
                            (),
                            "$__rate_interval",
                        ),
                        weight(STREAMS, (), "$__rate_interval"),
                    ),
                    outcome,
                )
                for outcome, _, matcher in broken
            ),
            colours=OUTCOMES,
            limits=Limits(0.02, 0.05),
        ),
    ]


def _first_token() -> list[Panel]:
    lines = [
        Prom(percentile(0.5, FIRST_TOKEN), "p50"),
        Prom(with_exemplars(percentile(0.95, FIRST_TOKEN), 0.95, RAW), "p95", exemplars=True),
        Prom(percentile(0.99, FIRST_TOKEN), "p99"),
    ]
    return [
        graph(
            "Time to first token",
            "From the call to the first piece of an answer, retries included:"
            " half of the streams were faster than p50. Each dot is one stream: click it for its"
            f" trace. {SECOND_HAND}",
            "s",
            *lines,
            colours=PERCENTILES,
            limits=Limits(3, 5),
        ),
        heat(
            "How first tokens are spread",
            "Streams by how long their first token took: the brighter,"
            " the more. Two bands mean two kinds of calls, such as with and without reasoning.",
            "s",
            Prom(average(FIRST_TOKEN, ["le"])),
        ),
        graph(
            "Time to first readable text",
            "From the call to the first text that a person can read: with"
            f" a reasoning model much later than the first token. {SDK_ONLY}",
            "s",
            Prom(percentile(0.5, FIRST_TEXT), "p50"),
            Prom(percentile(0.95, FIRST_TEXT), "p95"),
            colours=PERCENTILES,
        ),
    ]


def _flow() -> list[Panel]:
    stalls = fraction(
        weight(STALLS, (), "$__rate_interval"), weight(STREAMS, (), "$__rate_interval")
    )
    slow = Prom(percentile(0.1, SPEED), "slowest tenth")
    return [
        graph(
            "Output speed of a stream",
            "Tokens a second from first to last chunk. Half of the streams"
            f" were slower than the median. {SDK_ONLY}",
            "suffix:tokens/s",
            slow,
            Prom(percentile(0.5, SPEED), "median"),
        ),
        graph(
            "Tokens a second, all streams",
            f"Tokens that providers counted, in and out, over all calls. {SDK_ONLY}",
            "suffix:tokens/s",
            Prom(average(TOKENS, [names.TOKEN_TYPE]), f"{{{{{names.TOKEN_TYPE}}}}}"),
            colours=DIRECTIONS,
        ),
        graph(
            "Stalls in 100 streams",
            "Waits for the provider above the threshold (2 s within an answer,"
            f" 10 s before it, 15 s while it reasons). {SECOND_HAND}",
            "short",
            Prom(f"{stalls} * 100", "stalls"),
        ),
    ]


def _cost() -> list[Panel]:
    return [
        graph(
            "Cost an hour, by model",
            "US dollars an hour. Calls whose price is not known are not in it.",
            "currencyUSD",
            Prom(f"{average(COST, [names.MODEL])} * 3600", f"{{{{{names.MODEL}}}}}"),
            stacked=True,
        ),
        graph(
            "Cost an hour, by source of the count",
            "How sure it is: provider is the provider's own count"
            " of tokens, partial is a count cut short, estimated is ours.",
            "currencyUSD",
            Prom(f"{average(COST, [names.USAGE_SOURCE])} * 3600", f"{{{{{names.USAGE_SOURCE}}}}}"),
            stacked=True,
        ),
        graph(
            "Events without room",
            "Events a minute that otel-stream itself has left out, by reason: beyond the budget of"
            " a span, or a full queue. Counts on spans and metrics stay exact.",
            "short",
            Prom(f"{average(DROPPED, [names.DROP_REASON])} * 60", f"{{{{{names.DROP_REASON}}}}}"),
        ),
    ]


BOARD = Board(
    links.OVERVIEW,
    "Streams: overview",
    "How many answers are streamed, how they end, how soon and how fast they come, what they cost.",
    variables(),
    [
        Row("In the time range", _FIGURES, 6),
        Row("How streams end", _streams(), 2),
        Row("How soon answers begin", _first_token(), 3),
        Row("How answers flow", _flow(), 3),
        Row("Cost, and what was left out", _cost(), 3),
    ],
)
