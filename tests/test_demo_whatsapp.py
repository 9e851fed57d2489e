"""The demo's scene over WhatsApp: its trace, its picture, and that nothing personal leaves."""

from __future__ import annotations

import base64
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.demo_run import DEMO, Ended, lines_of

pytest.importorskip("rich")
pytest.importorskip("agno")

ROOT = "process whatsapp"
LONG = 6
"""Letters from which on a word of a text is looked for by itself."""


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo's parts can be imported."""
    monkeypatch.syspath_prepend(DEMO.parent)
    monkeypatch.setenv("AGNO_TELEMETRY", "false")


@pytest.fixture
def tree(demo: Ended) -> Any:
    """The spans of the scene."""
    from otel_stream_demo.figures import spans_of
    from otel_stream_demo.tree import Tree

    [trace_id] = {span["traceId"] for span in demo.exported if span["name"] == ROOT}
    return Tree(spans_of(lines_of(demo.folder), {trace_id}))


def picture(demo: Ended) -> list[str]:
    """The lines about the scene, from its heading to where the files lie."""
    begin = demo.out.index("one message over WhatsApp")
    return demo.out[begin : demo.out.index("traces  ")].split("\n")


def test_all_of_it_is_one_trace(tree: Any) -> None:
    """From the queue to the last receipt, members and tools below the run that they are part of."""
    rows = [(row.depth, row.span.name) for row in tree.rows()]

    assert rows[:10] == [
        (0, ROOT),
        (1, "wait whatsapp"),
        (1, "invoke_agent Concierge"),
        (2, "chat gpt-4.1"),
        (2, "execute_tool delegate_task_to_member"),
        (3, "invoke_agent Forecaster"),
        (4, "chat gpt-4.1-mini"),
        (4, "execute_tool forecast"),
        (4, "chat gpt-4.1-mini"),
        (2, "chat gpt-4.1"),
    ]
    # Each message ends the typing before it.
    assert set(rows[10:]) == {(1, "send whatsapp"), (1, "type whatsapp")}
    assert rows.count((1, "send whatsapp")) == 3
    assert 1 <= rows.count((1, "type whatsapp")) <= 3
    for send in tree.named("send"):
        assert set(tree.receipts(send)) == {"delivered", "read"}


def test_the_person_waits_longer_than_the_models_take(tree: Any) -> None:
    """The turn knows when messages were accepted; the second one needed two requests."""
    sends = tree.named("send")

    assert [send.get("delivery.attempts") for send in sends] == [1, 2, 1]
    assert tree.root.get("delivery.share") == 1.0
    first = tree.root.get("delivery.time_to_first_message")
    assert first == pytest.approx(tree.since(sends[0].end), abs=0.02)
    assert tree.root.get("delivery.time_to_last_message") == pytest.approx(
        tree.since(sends[-1].end), abs=0.02
    )
    assert tree.since(tree.named("type")[0].start) < first
    assert tree.root.get("delivery.queue_wait") > 0.1


def test_the_picture_has_a_line_for_each_span(demo: Ended, tree: Any) -> None:
    """With what each took, as the span says, below the axis."""
    lines = picture(demo)
    axis = next(number for number, line in enumerate(lines) if "╷0 s" in line)
    drawn = lines[axis + 1 : lines.index("", axis)]

    assert [re.search(r"(\d+\.\d\d) s( ×2)?$", line).groups() for line in drawn] == [  # type: ignore[union-attr]
        (f"{row.span.duration:.2f}", " ×2" if row.span.get("delivery.part") == 2 else None)
        for row in tree.rows()
    ]
    assert [line.count("▼") + line.count("◉") for line in drawn if "send" in line] == [2, 2, 2]


def test_what_is_said_of_the_person_stands_in_the_spans(demo: Ended, tree: Any) -> None:
    """First words, all of it, delivered, read; beside it when the models had said it."""
    said = [" ".join(line.split()) for line in picture(demo)]
    root, run, text = tree.root, tree.named("invoke_agent")[0], tree.named("chat")[-1]
    first, last = (root.get(f"delivery.time_to_{which}_message") for which in ("first", "last"))
    first_text = tree.since(text.start) + text.get("time_to_first_text")
    read = max(tree.receipts(send)["read"] for send in tree.named("send"))

    assert f"the first words {first:.2f} s accepted {first_text:.2f} s first text" in said
    ended = tree.since(run.end)
    assert f"all of it {last:.2f} s accepted {ended:.2f} s run ended" in said
    assert f"read {read:.2f} s 3 of 3" in said
    assert "3 messages: 100% accepted, 1 sent again, 0 characters lost" in said


def test_the_person_is_seen_to_live_through_it(demo: Ended) -> None:
    """While it plays, what the phone shows is said, in order."""
    news = re.findall(r"^ +\d+\.\d\d s  WhatsApp  (\w+)", demo.out, re.MULTILINE)

    assert news[:2] == ["asks", "sees"]
    assert (news.count("gets"), news.count("would"), news.count("has")) == (3, 1, 3)
    assert news[-1] == "has"


def words(*texts: str) -> Iterator[str]:
    """What may not be found of texts: three words in a row, and each long word."""
    for text in texts:
        found = re.findall(r"[\w'-]+", text)
        yield from (" ".join(found[at : at + 3]) for at in range(len(found) - 2))
        yield from (word for word in found if len(word) >= LONG)


def decoded(data: bytes) -> Iterator[bytes]:
    """What stands in the data, also where it is Base64: ids of messages may hold numbers."""
    yield data
    for found in re.findall(rb"[A-Za-z0-9+/_-]{12,}={0,2}", data):
        for skipped in range(4):
            part = found[skipped:].rstrip(b"=")
            yield base64.urlsafe_b64decode(
                part[: len(part) // 4 * 4].replace(b"+", b"-").replace(b"/", b"_")
            )


def test_nothing_personal_leaves(demo: Ended) -> None:
    """No number, JID, name, key or text stands in any file, in either case, plain or in Base64."""
    from otel_stream_demo import brain, person

    personal = {
        *(person.NUMBER, person.NUMBER[2:], person.JID, person.KEY),
        *person.NAME.split(),
        *words(person.QUESTION, brain.TASK, brain.CITY, brain.FOUND, *brain.ANSWER),
    }
    files = [path for path in (demo.folder / "otel-stream-data").rglob("*") if path.is_file()]
    data = b"\n".join(path.read_bytes() for path in files)
    seen = b"\n".join(decoded(data)).lower()

    assert {path.name for path in files} >= {"traces.jsonl", "metrics.jsonl", "logs.jsonl"}
    assert b"otel_stream.delivery.recipient" in data
    assert b"otel_stream.delivery.time_to_first_message" in data
    assert [each for each in personal if each.lower().encode() in seen] == []


def test_without_agno_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing and how to install it is a line, and no problem."""
    from otel_stream_demo.conversation import Conversation, converse
    from otel_stream_demo.look import Look
    from rich.console import Console

    for name in ("otel_stream_demo.desk", "otel_stream_demo.team"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    for name in [name for name in sys.modules if name == "agno" or name.startswith("agno.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "agno", None)
    page = io.StringIO()
    told = converse(Console(file=page, width=80), Look.of("utf-8", color=False))

    assert told == Conversation()
    assert page.getvalue().count("\n") == 1
    assert "agno" in page.getvalue()
    assert "pip install 'otel-stream[agno,channel,openai]'" in page.getvalue()


def test_agno_tells_its_makers_nothing() -> None:
    """By default it does, on a public host."""
    source = Path(DEMO.parent / "otel_stream_demo" / "team.py").read_text()

    assert source.count("telemetry=False") == 2
    assert source.index("AGNO_TELEMETRY") < source.index("from agno")
