"""The names that dashboards and rules know are those that the real collectors have."""

from __future__ import annotations

import mmap
import re
from urllib.request import urlopen

import pytest

from dashboards import names
from stack.made.programs import Programs

from .answers import Answers

pytestmark = [pytest.mark.slow_stack, pytest.mark.timeout(300)]

# Only where memory, a queue or a back end fails in a way that is not tried here.
UNSEEN = {
    metric.series
    for metric in (
        *names.ENQUEUE_FAILED.values(),
        names.SEND_FAILED["traces"],
        *(family["logs"] for family in (
            names.ACCEPTED, names.REFUSED, names.RECEIVE_FAILED, names.SENT, names.SEND_FAILED,
            names.LIMITER_REFUSED,
        )),
    )
}  # fmt: skip


def page(url: str) -> set[str]:
    """The names of the series on a page of metrics."""
    with urlopen(url, timeout=10.0) as answer:
        return set(re.findall(r"^(\w+)", answer.read().decode(), re.MULTILINE))


def test_an_agent_shows_every_name_of_services(answers: Answers) -> None:
    """All series of the SDK, of the convention and of spans stand on the agent's page."""
    expected = {
        name for metric in (*names.OURS, *names.CONVENTION, *names.SPANS) for name in metric.names
    }

    assert expected - page(answers.stack.agent.metrics) == set()


def test_collectors_show_every_name_of_theirs(answers: Answers) -> None:
    """All series about collectors stand on a page of one of them, but what did not happen."""
    seen = set(answers.values_of('label_values({job="collectors"}, __name__)'))
    expected = {name for metric in names.COLLECTORS for name in metric.names}

    assert expected - seen - UNSEEN == set()


def test_the_collector_has_every_name_in_it(programs: Programs) -> None:
    """What was not seen is at least in the program."""
    stems = {metric.otel.replace(".", "_") for metric in names.COLLECTORS}
    with (
        programs.collector().open("rb") as program,
        mmap.mmap(program.fileno(), 0, access=mmap.ACCESS_READ) as held,
    ):
        missing = {stem for stem in stems if held.find(stem.encode()) < 0}

    assert missing == set()
