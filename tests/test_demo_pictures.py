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
