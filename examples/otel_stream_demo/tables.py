"""The figures of all streams: one table where the terminal has room, else as many as it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from otel_stream_demo.figures import Figures
from otel_stream_demo.look import OUTCOMES

__all__ = ["tables"]

_FEW_SECONDS = 0.1
"""Consumer time (s) that is no more than that of a loop that does nothing."""


class Column(NamedTuple):
    """A column: its heading, and a cell of it for a stream."""

    heading: str
    cell: Callable[[Figures], str | Text]
    justify: Any = "right"

    def width(self, streams: Sequence[Figures]) -> int:
        """The room that it takes beside another column."""
        cells = [str(self.cell(stream)) for stream in streams]
        return 2 + max(map(cell_len, [*self.heading.split("\n"), *cells]))


def tables(streams: Sequence[Figures], width: int) -> list[Table]:
    """Tables no wider than `width`, each with the titles in front."""
    titles = max(cell_len(stream.title) for stream in streams)
    return [_table(columns, streams) for columns in _fitting(streams, width - titles)]


def _fitting(streams: Sequence[Figures], room: int) -> Iterator[list[Column]]:
    """The columns in as few tables as it takes. What belongs together stays so where it can."""

    def fits(columns: Sequence[Column]) -> bool:
        return sum(column.width(streams) for column in columns) <= room

    pieces: list[Sequence[Column]] = []
    for group in (STARTS, WAITS, CHUNKS, ENDS):
        pieces += [group] if fits(group) else [[column] for column in group]
    table: list[Column] = []
    for piece in pieces:
        if table and not fits([*table, *piece]):
            yield table
            table = []
        table += piece
    yield table


def _table(columns: Sequence[Column], streams: Sequence[Figures]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), show_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    for heading, _, justify in columns:
        table.add_column(heading, justify=justify, vertical="bottom", overflow="fold")
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


STARTS = [
    Column("to\nheaders", _seconds("time_to_headers")),
    Column("to first\ntoken", _seconds("time_to_first_token")),
    Column("to first\ntext", _seconds("time_to_first_text")),
    Column("\ntotal", lambda stream: f"{stream.duration:.2f}"),
]
"""Seconds since the call."""
WAITS = [
    Column("provider\nwait", _seconds("provider_wait")),
    Column("reader\nbusy", _reader),
    Column("\nstalls", _stalls),
]
"""Seconds; stalls have their number before them."""
CHUNKS = [
    Column("\nchunks", lambda stream: str(stream.get("chunk.count"))),
    Column("gap\np50", _milliseconds("chunk.gap.p50")),
    Column("gap\np95", _milliseconds("chunk.gap.p95")),
    Column("gap\nmax", _milliseconds("chunk.gap.max")),
]
"""Gaps in milliseconds."""
ENDS = [
    Column("tokens\nin/out", _tokens),
    Column("\noutcome", _outcome, "left"),
    Column("\nerror type", _error, "left"),
]
