"""The text format of Prometheus, and the account that a collector gives in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_stream.pipeline.collector import account
from otel_stream.pipeline.exposition import samples
from otel_stream.pipeline.prometheus import Sample

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,9}", fullmatch=True)
SAMPLES = st.tuples(
    NAMES,
    st.dictionaries(NAMES.filter(lambda name: name != "__name__"), st.text(), max_size=4),
    st.floats(allow_nan=False),
)


def written(name: str, labels: dict[str, str], value: float) -> str:
    """A sample as the format has it: backslash, quote and line feed are escaped."""
    escaped = {
        key: held.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
        for key, held in labels.items()
    }
    inside = ",".join(f'{key}="{held}"' for key, held in escaped.items())
    return f"{name}{{{inside}}} {value!r}\n"


def taken(metric: str) -> int:
    """How many spans a collector has taken that tells them by this name."""
    text = f'{metric}{{receiver="otlp",transport="http"}} 3\n'
    return account(samples(text)).accepted["traces", "otlp"]


@given(st.lists(SAMPLES, max_size=5))
def test_what_is_written_is_read(given_samples: list[tuple[str, dict[str, str], float]]) -> None:
    """Names, labels with whatever in them, and values come back as they were."""
    text = "# HELP x y\n# TYPE x counter\n" + "".join(written(*each) for each in given_samples)
    expected = [Sample({"__name__": n} | labels, value) for n, labels, value in given_samples]

    assert list(samples(text)) == expected


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    """Whatever a server sends, reading it raises nothing, and neither does counting it."""
    account(samples(text + "\notelcol_exporter_queue_size{" + text + "} " + text))


def test_exemplars_and_times_are_passed_over() -> None:
    """What stands behind a value is none of it."""
    text = 'a_bucket{le="1"} 2 1700000000 # {trace_id="ab"} 0.5\nb 1e+06'

    assert [each.value for each in samples(text)] == [2.0, 1e6]


@pytest.mark.parametrize(
    "metric",
    [
        "otelcol_receiver_accepted_spans",
        "otelcol_receiver_accepted_spans_total",
        "otelcol_receiver_accepted_spans__spans__total",
    ],
)
def test_a_name_may_have_unit_and_type_or_not(metric: str) -> None:
    """A collector's settings say whether it adds them; the count is the same."""
    assert taken(metric) == 3


def test_what_a_collector_scrapes_of_itself_is_not_taken_from_us() -> None:
    """Only OTLP counts: the agent scrapes itself on the way to InfluxDB."""
    text = 'otelcol_receiver_accepted_metric_points_total{receiver="prometheus/influxdb"} 230'

    assert not account(samples(text)).accepted


def test_a_collector_that_was_started_anew_counts_from_nothing() -> None:
    """Counts that fell are all new; else what was there before is taken off."""
    one, two, three = (
        account(samples(f'otelcol_exporter_sent_spans_total{{exporter="otlp_http"}} {count}'))
        for count in (5, 7, 1)
    )

    assert two.since(one).sent["traces", "otlp_http"] == 2
    assert three.since(two).sent["traces", "otlp_http"] == 1
