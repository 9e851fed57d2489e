"""The overview for InfluxDB: the same questions, in InfluxQL."""

from __future__ import annotations

from dashboards import influxql, links, names
from dashboards.board import Board, Row
from dashboards.colours import DIRECTIONS, GREEN, ORANGE, OUTCOMES
from dashboards.influxql import STEP, mean, rate, share, summed
from dashboards.panels import Limits, Panel, graph, number
from dashboards.sources import Influx
from dashboards.variables import Variable, source, tags
from otel_stream import semconv

__all__ = ["BOARD"]

NO_PERCENTILES = "InfluxQL has no percentiles over buckets, so this is"
# Bounds of buckets, as tag `le` has them.
UNDER = ("1.28", "2.56", "5.12")
STREAMS = names.STREAMS.series


def _variables() -> list[Variable]:
    def values(tag: str, *conditions: str) -> str:
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        return f'SHOW TAG VALUES FROM {influxql.MEASUREMENT} WITH KEY = "{tag}"{where}'

    service, provider, _ = influxql.CHOSEN.split(" AND ")
    return [
        source(links.INFLUXDB, "InfluxDB"),
        tags("service", "Service", values(names.SERVICE_TAG)),
        tags("provider", "Provider", values(names.PROVIDER, service)),
        tags("model", "Model", values(names.MODEL, service, provider)),
    ]


def _of(outcome: str) -> str:
    return f"\"{names.OUTCOME}\" = '{outcome}'"


def _within(bound: str, by: tuple[str, ...] = ()) -> str:
    metric = names.FIRST_TOKEN
    return share(metric.series, f"\"le\" = '{bound}'", metric.count, by)


_FIGURES = [
    number(
        "Streams",
        "Streams that ended in the time range.",
        "short",
        Influx(summed(STREAMS)),
        decimals=0,
    ),
    number(
        "Whole",
        "Share of streams that the provider finished (outcome completed).",
        "percentunit",
        Influx(share(STREAMS, _of("completed"), STREAMS)),
        Limits(0.95, 0.8, above=False),
        decimals=1,
    ),
    number(
        "First token, mean",
        f"{NO_PERCENTILES} the mean, which a few slow streams raise.",
        "s",
        Influx(mean(names.FIRST_TOKEN)),
        Limits(3, 5),
    ),
    number(
        "First token within 2.56 s",
        "Share of streams whose first token came that soon; 2.56 s is a bound of the buckets.",
        "percentunit",
        Influx(_within("2.56")),
        Limits(0.95, 0.8, above=False),
        decimals=1,
    ),
    number(
        "Output speed, mean",
        f"{NO_PERCENTILES} the mean over streams, from first to last chunk.",
        "suffix:tokens/s",
        Influx(mean(names.SPEED)),
        decimals=0,
    ),
    number(
        "Cost",
        "US dollars in the time range, of calls whose price is known.",
        "currencyUSD",
        Influx(summed(names.COST.series)),
        empty="not known",
    ),
]


def _streams() -> list[Panel]:
    return [
        graph(
            "Streams a minute, by outcome",
            "How streams ended. Green: whole. Grey and blue: stopped by"
            " your side. Orange: cut off. Red: failed.",
            "short",
            Influx(rate(STREAMS, 60, [names.OUTCOME]), f"$tag_{names.OUTCOME}"),
            colours=OUTCOMES,
            stacked=True,
            bars=True,
        ),
        graph(
            "Broken streams",
            "Share of streams that were cut off or failed.",
            "percentunit",
            *(
                Influx(share(STREAMS, _of(outcome), STREAMS, (STEP,)), outcome)
                for outcome in ("truncated", "error")
            ),
            colours=OUTCOMES,
            limits=Limits(0.02, 0.05),
        ),
    ]


def _first_token() -> list[Panel]:
    return [
        graph(
            "First token within …",
            f"{NO_PERCENTILES} the share of streams whose first token came within"
            " so many seconds. The bounds are those of the buckets.",
            "percentunit",
            *(Influx(_within(bound, (STEP,)), f"{bound} s") for bound in UNDER),
            colours=dict(
                zip((f"{bound} s" for bound in UNDER), (GREEN, "#FADE2A", ORANGE), strict=True)
            ),
            most=1,
        ),
        graph(
            "Time to first token, mean",
            f"{NO_PERCENTILES} the mean, by model.",
            "s",
            Influx(mean(names.FIRST_TOKEN, (STEP, names.MODEL)), f"$tag_{names.MODEL}"),
        ),
        graph(
            "Time to first readable text, mean",
            f"{NO_PERCENTILES} the mean, by model.",
            "s",
            Influx(mean(names.FIRST_TEXT, (STEP, names.MODEL)), f"$tag_{names.MODEL}"),
        ),
    ]


def _flow() -> list[Panel]:
    return [
        graph(
            "Output speed, mean",
            f"{NO_PERCENTILES} the mean over streams of output tokens a second, by model.",
            "suffix:tokens/s",
            Influx(mean(names.SPEED, (STEP, names.MODEL)), f"$tag_{names.MODEL}"),
        ),
        graph(
            "Tokens a second, all streams",
            "Tokens that providers counted, in and out, over all calls.",
            "suffix:tokens/s",
            Influx(rate(names.TOKENS.sum, 1, [names.TOKEN_TYPE]), f"$tag_{names.TOKEN_TYPE}"),
            colours=DIRECTIONS,
        ),
        graph(
            "Stalls a minute",
            "Waits for the provider above the threshold (2 s within an answer, 10 s"
            " before it, 15 s while it reasons), by model.",
            "short",
            Influx(rate(names.STALLS.series, 60, [names.MODEL]), f"$tag_{names.MODEL}"),
        ),
        graph(
            "Cost an hour, by model",
            "US dollars an hour. Calls whose price is not known are not in it.",
            "currencyUSD",
            Influx(rate(names.COST.series, 3600, [names.MODEL]), f"$tag_{names.MODEL}"),
            stacked=True,
        ),
    ]


def _spans() -> list[Panel]:
    about = (
        "Made by agents from spans, for services that send only traces. Services that send metrics"
        " too are in these figures as well, so never add them to those above."
    )
    stall = f"\"{names.EVENT}\" = '{semconv.EVENT_STALL}'"
    return [
        graph(
            "Streams a minute, from spans",
            about,
            "short",
            Influx(rate(names.SPAN_CALLS.series, 60, [names.OUTCOME]), f"$tag_{names.OUTCOME}"),
            colours=OUTCOMES,
            stacked=True,
            bars=True,
        ),
        graph(
            "Time to first token, mean, from spans",
            about,
            "s",
            Influx(
                mean(names.SPAN_FIRST_TOKEN, (STEP, names.SERVICE_TAG)), f"$tag_{names.SERVICE_TAG}"
            ),
        ),
        graph(
            "Stalls, from spans",
            f"Stalls in each interval. {about}",
            "short",
            Influx(
                summed(names.SPAN_EVENTS.series, stall, (STEP, names.SERVICE_TAG)),
                f"$tag_{names.SERVICE_TAG}",
            ),
        ),
    ]


BOARD = Board(
    links.OVERVIEW_INFLUXDB,
    "Streams: overview (InfluxDB)",
    "The overview, from InfluxDB 1 by InfluxQL: means and shares in place of percentiles.",
    _variables(),
    [
        Row("In the time range", _FIGURES, 6),
        Row("How streams end", _streams(), 2),
        Row("How soon answers begin", _first_token(), 3),
        Row("How answers flow, and what they cost", _flow(), 2),
        Row("From spans: services that send only traces", _spans(), 3, closed=True),
    ],
)
