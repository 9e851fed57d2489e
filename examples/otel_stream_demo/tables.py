"""The figures of all streams, in tables that fit the terminal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rich import box
from rich.table import Table
from rich.text import Text

from otel_stream_demo.figures import Figures
from otel_stream_demo.look import OUTCOMES

__all__ = ["tables"]

_WIDE = 150
"""Columns of a terminal in which one table has room for all."""
_FEW_SECONDS = 0.1
"""Consumer time (s) that is no more than that of a loop that does nothing."""


class Column(NamedTuple):
    """A column: its heading, and a cell of it for a stream."""

    heading: str
    cell: Callable[[Figures], str | Text]
    justify: Any = "right"


def tables(streams: Sequence[Figures], width: int) -> list[Table]:
    """One table where it fits, else two, each with the titles in front."""
    groups = [[*TIMES, *ENDS]] if width >= _WIDE else [TIMES, ENDS]
    return [_table(columns, streams) for columns in groups]


def _table(columns: Sequence[Column], streams: Sequence[Figures]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for heading, _, justify in columns:
        table.add_column(heading, justify=justify, vertical="bottom", no_wrap=True)
    for stream in streams:
        table.add_row(stream.title, *(column.cell(stream) for column in columns))
    return table


def _seconds(name: str) -> Callable[[Figures], str | Text]:
    def cell(stream: Figures) -> str:
        value = stream.get(name)
        return "-" if value is None else f"{value:.2f}"

    return cell


def _milliseconds(name: str) -> Callable[[Figures], str | Text]:
    def cell(stream: Figures) -> str | Text:
        value = stream.get(name)
        return "-" if value is None else f"{value * 1e3:.0f}"

    return cell


def _reader(stream: Figures) -> str | Text:
    seconds = stream.get("consumer_time") or 0.0
    return Text(f"{seconds:.2f}", "blue" if seconds > _FEW_SECONDS else "")


def _stalls(stream: Figures) -> str | Text:
    count, seconds = stream.get("stall.count"), stream.get("stall.duration")
    return Text(f"{count}: {seconds:.2f}", "red") if count else "-"


def _tokens(stream: Figures) -> str | Text:
    """Input and output. A count that the provider did not confirm has a question mark."""
    read, written = (
        stream.get("gen_ai.usage.input_tokens"),
        stream.get("gen_ai.usage.output_tokens"),
    )
    if read is None and written is None:
        return "-"
    unsure = "?" if stream.get("usage.source") == "partial" else ""
    return f"{'-' if read is None else read}/{'-' if written is None else written}{unsure}"


def _outcome(stream: Figures) -> str | Text:
    return Text(stream.outcome, OUTCOMES[stream.outcome].style)


def _error(stream: Figures) -> str | Text:
    return str(stream.get("error.type") or "-")


TIMES = [
    Column("to\nheaders", _seconds("time_to_headers")),
    Column("to first\ntoken", _seconds("time_to_first_token")),
    Column("to first\ntext", _seconds("time_to_first_text")),
    Column("\ntotal", lambda stream: f"{stream.duration:.2f}"),
    Column("provider\nwait", _seconds("provider_wait")),
    Column("reader\nbusy", _reader),
    Column("\nstalls", _stalls),
]
"""Seconds."""
ENDS = [
    Column("\nchunks", lambda stream: str(stream.get("chunk.count"))),
    Column("gap\np50", _milliseconds("chunk.gap.p50")),
    Column("ms\np95", _milliseconds("chunk.gap.p95")),
    Column("\nmax", _milliseconds("chunk.gap.max")),
    Column("tokens\nin/out", _tokens),
    Column("\noutcome", _outcome, "left"),
    Column("\nerror type", _error, "left"),
]
