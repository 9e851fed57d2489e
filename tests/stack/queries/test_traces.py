"""From a figure to its trace: exemplars, and the queries of the dashboard of one stream."""

from __future__ import annotations

import pytest

from otel_stream import semconv

from ...dashboards.committed import targets
from .answers import Answers

pytestmark = [pytest.mark.slow_stack, pytest.mark.timeout(300)]


def test_a_dot_on_the_overview_opens_a_trace(answers: Answers) -> None:
    """The panel's own query has exemplars, and Jaeger has the trace of each."""
    asking = next(one for one in targets("prometheus") if one.query["exemplar"])
    found = answers.exemplars(asking.text)
    ids = {one["labels"]["trace_id"] for series in found for one in series["exemplars"]}
    traces = [answers.jaeger(f"traces/{trace_id}") for trace_id in ids]

    assert len(ids) >= 10
    assert all(len(trace) == 1 for trace in traces)


def test_exemplars_come_from_services_with_traces_alone_too(answers: Answers) -> None:
    """A service without metrics has dots as well."""
    asking = next(one for one in targets("prometheus") if one.query["exemplar"])
    found = answers.exemplars(asking.text)

    assert {"demo", "traces-only"} <= {series["seriesLabels"]["job"] for series in found}


def test_the_list_of_traces_leads_to_one(answers: Answers) -> None:
    """The search of the dashboard of one stream finds traces, whose ids open a span with events."""
    search, one = (target.query for target in targets("jaeger"))
    found = answers.jaeger("traces", service="demo", limit=str(search["limit"]))
    trace = answers.jaeger(f"traces/{found[0]['traceID']}")[0]
    logged = [field for span in trace["spans"] for log in span["logs"] for field in log["fields"]]

    assert (search["service"], one["query"]) == ("${service}", "${trace_id}")
    assert len(found) == 11
    assert semconv.EVENT_FIRST_TOKEN in [field["value"] for field in logged]
