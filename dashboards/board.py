"""What all our dashboards have in common: rows, places, links, times."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    GridPos,
    Panel,
    RowPanel,
)

from dashboards import links
from dashboards.panels import Panel as Builder
from dashboards.variables import Variable

__all__ = ["Board", "Row"]

WIDTH = 24  # Grafana's columns; at 1440 px each is about 58 px wide


@dataclass(frozen=True)
class Row:
    """A heading, and what stands under it, side by side in equal widths.

    Args:
        title: The heading.
        panels: As many in a line as `across` says; the last line may be shorter.
        across: How many.
        closed: Folded until the reader opens it: nothing is asked of the data source before.
    """

    title: str
    panels: Sequence[Builder]
    across: int
    closed: bool = False


@dataclass(frozen=True)
class Board:
    """One dashboard.

    Args:
        uid: Its address; it never changes.
        title: Its name in Grafana.
        about: What it answers.
        variables: What the reader chooses.
        rows: From top to bottom.
        hours: How far it looks back at first.
    """

    uid: str
    title: str
    about: str
    variables: Sequence[Variable]
    rows: Sequence[Row]
    hours: int = 1

    @property
    def file(self) -> str:
        """The name of its file."""
        return f"{self.uid.removeprefix('otel-stream-')}.json"

    def json(self) -> str:
        """What Grafana reads."""
        made = (
            dashboard.Dashboard(self.title)
            .uid(self.uid)
            .description(self.about)
            .tags([links.TAG])
            .timezone("browser")
            .refresh("30s")
            .time(f"now-{self.hours}h", "now")
            .tooltip(DashboardCursorSync.CROSSHAIR)
            .variables(list(self.variables))
            .link(_to_the_others())
            .editable()
            .build()
        )
        made.panels = self._placed()
        return (
            json.dumps(made, cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        )

    def _placed(self) -> list[Panel | RowPanel]:
        placed: list[Panel | RowPanel] = []
        number, top = 1, 0
        for row in self.rows:
            built = [panel.build() for panel in row.panels]
            heading = RowPanel(row.closed, row.title, None, GridPos(1, WIDTH, 0, top), number)
            number += 1
            height = _arrange(built, row.across, top + 1, number)
            number += len(built)
            # Panels of a folded row stand inside it and take no room.
            heading.panels = list(built) if row.closed else []
            placed += [heading] if row.closed else [heading, *built]
            top += 1 if row.closed else 1 + height
        return placed


def _arrange(panels: Sequence[Panel], across: int, top: int, number: int) -> int:
    """Give each panel its place and its number; how high they are together."""
    width, used = WIDTH // across, 0
    for start in range(0, len(panels), across):
        line = panels[start : start + across]
        height = max(panel.grid_pos.h for panel in line if panel.grid_pos)
        for place, panel in enumerate(line):
            panel.grid_pos = GridPos(height, width, place * width, top + used)
            panel.id_val = number + start + place
        used += height
    return used


def _to_the_others() -> dashboard.DashboardLink:
    return (
        dashboard.DashboardLink("otel-stream")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([links.TAG])
        .keep_time(True)
        .include_vars(True)
    )
