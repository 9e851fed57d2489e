"""The pictures of `make demo`: that they fit any terminal, and can be read without color."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rich")

from rich.console import Console

from otel_stream.callbacks import StreamCompleted, StreamDelta, StreamInfo, StreamStarted

EXAMPLES = Path(__file__).parents[1] / "examples"
OUTCOMES = ["completed", "closed_early", "cancelled", "abandoned", "truncated", "error"]
KINDS = ["other", "text", "reasoning", "tool_call", "refusal", "usage"]
HEADINGS = [
    *("headers", "token", "text", "total", "wait", "busy", "stalls"),
    *("chunks", "p50", "p95", "max", "in/out", "outcome", "error type"),
]
WIDTHS = [60, 80, 100, 140, 200]


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The demo's parts can be imported."""
    monkeypatch.syspath_prepend(EXAMPLES)


@pytest.fixture
def streams() -> list[Any]:
    """A stream for each outcome, with a chunk of each kind."""
    return [stream(outcome) for outcome in OUTCOMES]


def stream(outcome: str) -> Any:
    """The figures of a stream that took 8 s, with a stall of 2 s."""
    from otel_stream_demo.figures import SCENE, Figures

    chunks = [
        event("chunk", number, index=number, kind=kind, gap=1.0)
        for number, kind in enumerate(KINDS, 1)
    ]
    attributes = {
        SCENE: f"it is {outcome}",
        "otel_stream.outcome": outcome,
        "otel_stream.time_to_headers": 0.5,
        "otel_stream.time_to_first_token": 2.0,
        "otel_stream.provider_wait": 8.0,
        "otel_stream.chunk.count": len(KINDS),
        "error.type": "openai.APIConnectionError" if outcome == "error" else None,
    }
    return Figures(attributes, [*chunks, event("stall", 6.0, gap=1.5)], 0.0, 8.0)


def event(name: str, elapsed: float, *, gap: float, **facts: object) -> Any:
    """An event as it is read from a span."""
    from otel_stream_demo.figures import Event

    chunk = {f"otel_stream.chunk.{fact}": value for fact, value in facts.items()}
    told = {"otel_stream.elapsed": float(elapsed), "otel_stream.gap": gap, **chunk}
    return Event(f"otel_stream.{name}", told)


def look(encoding: str, *, color: bool) -> Any:
    """The signs of such a terminal."""
    from otel_stream_demo.look import Look

    return Look.of(encoding, color=color)


def printed(thing: Any, width: int, encoding: str = "utf-8") -> str:
    """What stands on a terminal without color when this is printed."""
    raw = io.BytesIO()
    with io.TextIOWrapper(raw, encoding) as file:
        Console(file=file, width=width, color_system=None).print(thing)
        file.flush()
        return raw.getvalue().decode(encoding)


@pytest.mark.parametrize("color", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_timeline_fits(streams: list[Any], width: int, encoding: str, color: bool) -> None:
    """A line for each stream, none wider than the terminal, in signs that it has."""
    from otel_stream_demo.timeline import timeline

    lines = timeline(streams, width, look(encoding, color=color))

    assert max(line.cell_len for line in lines) <= width
    assert [line.plain.split()[-1] for line in lines[1:7]] == OUTCOMES
    assert encoding == "utf-8" or all(line.plain.isascii() for line in lines)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_without_color_each_kind_has_its_sign(streams: list[Any], encoding: str) -> None:
    """The legend has one sign for each thing, no two the same, and all of them are drawn."""
    from otel_stream_demo.timeline import timeline

    _, first, *_, chunks, between = map(str, timeline(streams, 200, look(encoding, color=False)))
    entries = dict(re.findall(r"(\S) (\S+(?: \S+)*)", f"{chunks[16:]}   {between[16:]}"))

    assert list(entries.values()) == [
        *("text", "reasoning", "tool call", "refusal", "no content"),
        *("asked", "headers came, no token yet", "waits for the provider", "stall"),
    ]
    assert set(entries) <= set(first[16:])


def test_the_legend_has_only_what_is_drawn() -> None:
    """Where nothing came, no chunks are explained."""
    from otel_stream_demo.figures import SCENE, Figures
    from otel_stream_demo.timeline import timeline

    failed = Figures({SCENE: "it fails", "otel_stream.outcome": "error"}, [], 0.0, 1.0)
    lines = timeline([failed], 80, look("utf-8", color=True))

    assert [line.plain for line in lines[3:]] == ["between         · asked"]


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", [40, *WIDTHS])
def test_the_tables_fit(streams: list[Any], width: int, encoding: str) -> None:
    """No heading and no figure is cut off; what has no room stands in a further table."""
    from otel_stream_demo.tables import tables

    pages = [printed(table, width, encoding) for table in tables(streams, width)]
    text = "\n".join(pages)

    assert max(map(len, text.splitlines())) <= width
    assert [heading for heading in HEADINGS if heading not in text] == []
    assert [page.count("it is completed") for page in pages] == [1] * len(pages)
    assert ("openai.APIConnectionError" in text, "…" in text) == (width > 40, False)


@pytest.mark.parametrize(("width", "amount"), [(60, 4), (80, 3), (100, 2), (140, 2), (200, 1)])
def test_wide_terminals_have_fewer_tables(streams: list[Any], width: int, amount: int) -> None:
    """As many tables as it takes, and no more."""
    from otel_stream_demo.tables import tables

    assert len(tables(streams, width)) == amount


def test_the_live_display_says_what_it_counts() -> None:
    """Deltas while the stream runs, and at its end its chunks, as the tables do."""
    from otel_stream_demo.scene import Scene
    from otel_stream_demo.screen import Screen

    screen = Screen(
        [Scene("whole answer", "gpt", lambda service, model: None)],
        Console(file=io.StringIO(), width=80),
        look("utf-8", color=False),
    )
    screen.expect("1", screen.rows[0])
    told, info = screen.callbacks(), StreamInfo("1", "2", "chat", "openai", "gpt")
    told.on_start(StreamStarted(info))  # type: ignore[misc]
    seen = []
    for word in ("Hello", " you"):
        told.on_delta(StreamDelta(info, word))  # type: ignore[misc]
        seen.append(printed(screen, 80))
    for chunks in (4, 1):
        summary = {"total_chunks": chunks}
        told.on_complete(StreamCompleted(info, "completed", summary))  # type: ignore[misc]
        seen.append(printed(screen, 80))

    counts = [re.findall(r"\d+ (?:chunk|delta)s?\b", line) for line in seen]

    assert counts == [["1 delta"], ["2 deltas"], ["4 chunks"], ["1 chunk"]]


def span(name: str, parent: str, start: float, lasts: float, **facts: object) -> Any:
    """A span as it is read, its facts under our names; its id is its name."""
    from otel_stream_demo.figures import Figures

    found = {f"otel_stream.{fact.replace('__', '.')}": value for fact, value in facts.items()}
    return Figures(found, [], 100.0 + start, lasts, name, name, parent)


def answered(*, works: bool = True) -> Any:
    """The trace of a message: queue, agent, model, tool, typing, a send and what became of it."""
    from otel_stream_demo.tree import Tree

    root, sent = "process whatsapp", "send whatsapp"
    turn = {"delivery__queue_wait": 0.5, "delivery__share": float(works)}
    if works:
        turn |= {"delivery__time_to_first_message": 7.0, "delivery__time_to_last_message": 7.0}
    model = {"time_to_first_token": 1.0, "time_to_first_text": 2.0, "consumer_time": 0.5}
    status = "accepted" if works else "failed"
    part = {"delivery__part": 1, "delivery__attempts": 3, "delivery__status": status}
    later = [
        span(f"receipt {status}", sent, at, 0.0, delivery__status=status)
        for status, at in (("delivered", 8.0), ("read", 10.0))
    ]
    return Tree(
        [
            *(later if works else []),
            span(sent, root, 6.0, 1.0, **part),
            span("type whatsapp", root, 1.1, 6.0),
            span("chat gpt", "invoke_agent Poet", 1.0, 4.0, **model),
            span("execute_tool look_something_up_in_a_book", "invoke_agent Poet", 5.0, 0.5),
            span("invoke_agent Poet", root, 1.0, 5.0),
            span("wait whatsapp", root, 0.0, 0.5),
            span(root, "", 0.0, 7.5, **turn),
        ]
    )


@pytest.mark.parametrize("color", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("width", WIDTHS)
def test_the_waterfall_fits(width: int, encoding: str, color: bool) -> None:
    """A line for each span below its parent, none wider than the terminal, in signs that it has."""
    from otel_stream_demo.lived import lived
    from otel_stream_demo.waterfall import waterfall

    tree, signs = answered(), look(encoding, color=color)
    lines = [*waterfall(tree, width, signs), *lived(tree)]

    assert max(line.cell_len for line in lines) <= width
    assert [line.plain.split()[0] for line in lines[1:8]] == [
        *("process", "wait", "invoke_agent", "chat", "execute_tool", "type", "send"),
    ]
    assert [len(line.plain) - len(line.plain.lstrip()) for line in lines[1:8]] == [
        *(0, 1, 1, 2, 2, 1, 1),
    ]
    assert encoding == "utf-8" or all(line.plain.isascii() for line in lines)


@pytest.mark.parametrize(
    ("encoding", "signs"), [("utf-8", "╷◇◆✓▼◉×"), ("ascii", "|tTadrx")], ids=["utf-8", "ascii"]
)
def test_what_happened_stands_when_it_did(encoding: str, signs: str) -> None:
    """Tokens, text, and what became of a message, by the axis; requests at the line's end."""
    from otel_stream_demo.waterfall import waterfall

    mark, token, text, accepted, delivered, read, times = signs
    axis, root, *lines = map(str, waterfall(answered(), 100, look(encoding, color=False)))
    told = {line.split()[0]: line for line in lines if line}
    zero = axis.index(f"{mark}0 s")
    second = (axis.index(f"{mark}4 s") - zero) / 4

    def at(line: str, sign: str) -> Any:
        return pytest.approx((line.index(sign, zero) - zero) / second, abs=0.2)

    assert (at(told["chat"], token), at(told["chat"], text)) == (2.0, 3.0)
    sent = told["send"]
    assert (at(sent, accepted), at(sent, delivered), at(sent, read)) == (7.0, 8.0, 10.0)
    assert at(root, accepted) == 7.0
    assert sent.endswith(f"1.00 s {times}3")


def test_the_person_and_the_models_side_by_side() -> None:
    """When each had what, and what took how long; the model's time is without its reader's."""
    from otel_stream_demo.lived import lived

    assert [line.plain for line in lived(answered())] == [
        "since it came   the person            the models",
        "the first sign   1.10 s  typing        2.00 s  first token",
        "the first words  7.00 s  accepted      3.00 s  first text",
        "all of it        7.00 s  accepted      6.00 s  run ended",
        "delivered        8.00 s  1 of 1",
        "read            10.00 s  1 of 1",
        "",
        "queue 0.50 s, models 3.50 s, tools 0.50 s, sends 1.00 s",
        "1 message: 100% accepted, 2 sent again, 0 characters lost",
    ]


def test_a_message_that_nobody_got() -> None:
    """It is marked as such, nothing is said of what did not happen, and the rest is told."""
    from otel_stream_demo.lived import lived
    from otel_stream_demo.waterfall import waterfall

    tree = answered(works=False)
    page = "\n".join(map(str, waterfall(tree, 80, look("ascii", color=False))))
    said = [line.plain for line in lived(tree)]

    assert re.search(r"^ send whatsapp 1 +_+X", page, re.MULTILINE)
    assert "X not accepted" in page
    assert "delivered" not in page
    assert "the first words                        3.00 s  first text" in said
    assert "read                    0 of 1" not in said
    assert "1 message: 0% accepted, 2 sent again, 0 characters lost" in said
