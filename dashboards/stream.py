"""One stream's life: its trace, and what the events in it mean."""

from __future__ import annotations

from grafana_foundation_sdk.builders import dashboard, table
from grafana_foundation_sdk.models.dashboard import DataSourceRef, DynamicConfigValue

from dashboards import links, names, recording
from dashboards.board import Board, Row
from dashboards.colours import OUTCOMES, PERCENTILES
from dashboards.expressions import average, percentile, selected
from dashboards.panels import Panel, graph, words
from dashboards.sources import JAEGER, TEMPO, Given, Prom
from dashboards.variables import SERVICE, Variable, choice, chosen, source, typed
from otel_stream import semconv

__all__ = ["BOARD"]

HERE = chosen({SERVICE: names.SERVICE})
STREAMS = selected(recording.STREAMS.name, HERE)
FIRST_TOKEN = selected(recording.FIRST_TOKEN.name, HERE)
TRACE = "${trace_id}"

EVENTS = {
    semconv.EVENT_FIRST_TOKEN: "the first piece of the answer that is not empty: text, reasoning,"
    " refusal or tool call",
    semconv.EVENT_CHUNK: f"chunks 1, 2, 4, 8 …: `{semconv.CHUNK_INDEX}`, its"
    f" `{semconv.CHUNK_KIND}`, its `{semconv.CHUNK_SIZE}`, and `{semconv.GAP}`, the wait for it",
    semconv.EVENT_STALL: f"a wait for the provider above the threshold, at its start;"
    f" `{semconv.GAP}` is the whole wait",
    semconv.EVENT_TOOL_CALL: f"a tool call begins: `{semconv.TOOL_NAME}`",
    semconv.EVENT_COMPLETE: "the end: the provider said that the answer is whole",
    semconv.EVENT_INTERRUPTED: "the end: your side stopped (closed early, cancelled, abandoned)",
    semconv.EVENT_ERROR: "the end: cut off or failed; beside it the exception, if there was one",
}
ATTRIBUTES = {
    semconv.OUTCOME: "how it ended, one of six",
    semconv.TIME_TO_FIRST_TOKEN: "seconds from the call, retries included",
    semconv.PROVIDER_WAIT: "seconds spent waiting for the provider",
    semconv.CONSUMER_TIME: "seconds that your program took between reads: a slow reader shows here",
    semconv.GAP_MAX: "the longest wait between two chunks, in seconds",
    semconv.STALL_COUNT: f"waits above the threshold; together `{semconv.STALL_DURATION}` seconds",
    semconv.CHUNK_COUNT: "chunks with data, exact",
    semconv.OUTPUT_TOKENS_PER_SECOND: "output tokens over the time from first to last chunk",
}


def _variables() -> list[Variable]:
    about = "32 hexadecimal digits. Click a trace in the list, or a dot on the overview."
    return [
        source(links.PROMETHEUS, "Prometheus"),
        choice(SERVICE, "Service", recording.STREAMS.name, names.SERVICE, many=False),
        typed("trace_id", "Trace id", about),
    ]


def _trace(place: str, query: Given) -> Panel:
    panel = dashboard.Panel().type("traces").title(f"The trace, from {place}").description(
        "The call as a bar in time. Open it: attributes say what it was, events what happened when."
        f" Nothing here? Choose a trace in the list; is {place} the one you use?"
    )  # fmt: skip
    return panel.unit("none").datasource(query.source).with_target(query).height(18)


def _list(place: str, query: Given) -> Panel:
    link = {
        "title": "Show this trace",
        "url": f"/d/{links.STREAM}?var-trace_id=${{__value.raw}}&${{__url_time_range}}",
    }
    panel = table.Panel().title(f"Recent traces, from {place}").description(
        "The last 20 traces of the service. Click a trace id to show that one below."
    )  # fmt: skip
    panel = panel.unit("none").datasource(query.source).with_target(query).height(9)
    for name in ("traceID", "Trace ID"):
        panel = panel.override_by_name(name, [DynamicConfigValue("links", [link])])
    return panel


def _rows(place: str, where: DataSourceRef, search: dict[str, object], kind: str) -> list[Panel]:
    one: dict[str, object] = {"query": TRACE, "queryType": kind} if kind else {"query": TRACE}
    return [_list(place, Given(where, search)), _trace(place, Given(where, one))]


def _around() -> list[Panel]:
    return [
        graph(
            "First tokens at that time",
            "Whether this stream was slow alone: the time to first token of the whole service.",
            "s",
            Prom(percentile(0.5, FIRST_TOKEN), "p50"),
            Prom(percentile(0.95, FIRST_TOKEN), "p95"),
            colours=PERCENTILES,
        ),
        graph(
            "Outcomes at that time",
            "Whether this stream was broken alone: how the streams of the service ended, a minute.",
            "short",
            Prom(f"{average(STREAMS, [names.OUTCOME])} * 60", f"{{{{{names.OUTCOME}}}}}"),
            colours=OUTCOMES,
            stacked=True,
            bars=True,
        ),
    ]


def _meaning() -> str:
    events = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in EVENTS.items())
    attributes = "\n".join(f"| `{name}` | {meaning} |" for name, meaning in ATTRIBUTES.items())
    elapsed = f"Each event has `{semconv.ELAPSED}`, the seconds since the call."
    return (
        f"### Events\n{elapsed}\n\n| event | meaning |\n|---|---|\n{events}\n\n"
        f"### Attributes to look at first\n| attribute | meaning |\n|---|---|\n{attributes}\n"
    )


def _traceql() -> str:
    return f'{{ span.{semconv.OUTCOME} != nil && resource.service.name =~ "${{{SERVICE}:regex}}" }}'


BOARD = Board(
    links.STREAM,
    "Streams: one stream's life",
    "One answer from the call to its end: its trace, what its events mean, how others fared then.",
    _variables(),
    [
        Row(
            "Jaeger",
            _rows(
                "Jaeger",
                JAEGER,
                {
                    "queryType": "search",
                    "service": f"${{{SERVICE}}}",
                    "limit": 20,
                },
                "",
            ),
            1,
        ),
        Row(
            "Tempo",
            _rows(
                "Tempo",
                TEMPO,
                {
                    "queryType": "traceql",
                    "query": _traceql(),
                    "limit": 20,
                    "tableType": "traces",
                },
                "traceql",
            ),
            1,
            closed=True,
        ),
        Row(
            "What the events mean",
            [
                words(
                    "Events and attributes of a stream",
                    "What stands in the trace above.",
                    _meaning(),
                    14,
                ),
            ],
            1,
        ),
        Row("The service at that time", _around(), 2),
    ],
)
