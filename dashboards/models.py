"""Models and providers side by side."""

from __future__ import annotations

from dashboards import links, names, recording
from dashboards.board import Board, Row
from dashboards.expressions import average, fraction, percentile, selected, total, weight
from dashboards.overview import (
    BROKEN,
    COMPLETED,
    COST,
    FIRST_TOKEN,
    SDK_ONLY,
    SECOND_HAND,
    SPEED,
    STALLS,
    STREAMS,
    variables,
)
from dashboards.panels import Column, Limits, Panel, columns, graph
from dashboards.sources import Prom
from dashboards.variables import CALL

__all__ = ["BOARD"]

KEYS = (names.PROVIDER, names.MODEL)
LEGEND = f"{{{{{names.MODEL}}}}} ({{{{{names.PROVIDER}}}}})"
DURATION = selected(recording.DURATION.name, CALL)
CHUNK_WAIT = selected(recording.CHUNK_WAIT.name, CALL)
STEP = "$__rate_interval"
_BROKEN_SHARE = fraction(weight(BROKEN, KEYS, STEP), weight(STREAMS, KEYS, STEP), KEYS)


def _table(title: str, about: str, keys: dict[str, str]) -> Panel:
    by = tuple(keys)
    streams = weight(STREAMS, by)

    def share(part: str) -> str:
        return fraction(weight(part, by), streams, by)

    return columns(
        title,
        about,
        keys,
        Column("Streams", "short", f"{total(STREAMS, by)} > 0", decimals=0),
        Column("Whole", "percentunit", share(COMPLETED), Limits(0.95, 0.8, above=False), 1),
        Column("Broken", "percentunit", share(BROKEN), Limits(0.02, 0.05), 1),
        Column("First token p50", "s", percentile(0.5, FIRST_TOKEN, by, "$__range")),
        Column("First token p95", "s", percentile(0.95, FIRST_TOKEN, by, "$__range"), Limits(3, 5)),
        Column("Duration p95", "s", percentile(0.95, DURATION, by, "$__range")),
        Column("Tokens/s p50", "short", percentile(0.5, SPEED, by, "$__range"), decimals=0),
        Column("Stalls in 100", "short", f"{share(STALLS)} * 100", decimals=1),
        Column("Cost of 1,000", "currencyUSD", f"{weight(COST, by)} / ({streams} > 0) * 1000"),
    )


_GRAPHS = [
    graph(
        "First token, p95",
        f"19 of 20 streams had their first token sooner. {SECOND_HAND}",
        "s",
        Prom(percentile(0.95, FIRST_TOKEN, KEYS), LEGEND),
    ),
    graph(
        "Output speed, median",
        f"Output tokens a second from first to last chunk. {SDK_ONLY}",
        "suffix:tokens/s",
        Prom(percentile(0.5, SPEED, KEYS), LEGEND),
    ),
    graph(
        "Broken streams",
        "Share of streams that were cut off or failed.",
        "percentunit",
        Prom(_BROKEN_SHARE, LEGEND),
    ),
    graph(
        "Wait for a chunk, p95",
        "The provider's wait for each chunk after the first. A slow reader"
        f" does not show here. {SDK_ONLY}",
        "s",
        Prom(percentile(0.95, CHUNK_WAIT, KEYS), LEGEND),
    ),
    graph(
        "Duration, p95",
        "From the call to its end, streamed or not. Of services that send only traces: streams.",
        "s",
        Prom(percentile(0.95, DURATION, KEYS), LEGEND),
    ),
    graph(
        "Streams a minute",
        f"How much each model is used. {SECOND_HAND}",
        "short",
        Prom(f"{average(STREAMS, KEYS)} * 60", LEGEND),
        stacked=True,
    ),
]


BOARD = Board(
    links.MODELS,
    "Streams: models and providers",
    "Which model answers soonest, fastest, most reliably, and what it costs.",
    variables(),
    [
        Row(
            "Side by side",
            [
                _table(
                    "Models",
                    "One row a model, over the time range. Broken: cut off or failed. Stalls: in"
                    " 100 streams. Cost: US dollars for 1,000 streams, empty if no price is known.",
                    {names.PROVIDER: "Provider", names.MODEL: "Model"},
                ),
            ],
            1,
        ),
        Row("Over time", _GRAPHS, 3),
        Row(
            "Providers and services",
            [
                _table(
                    "Providers",
                    "The same, one row a provider: all its models together.",
                    {names.PROVIDER: "Provider"},
                ),
                _table("Services", "The same, one row a service.", {names.SERVICE: "Service"}),
            ],
            1,
        ),
    ],
    hours=6,
)
