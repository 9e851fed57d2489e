"""Panels as our dashboards use them: each has a title, a description, a unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from grafana_foundation_sdk.builders import (
    common,
    dashboard,
    heatmap,
    stat,
    table,
    text,
    timeseries,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    GraphDrawStyle,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.dashboard import Panel as Model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from grafana_foundation_sdk.models.text import TextMode

from dashboards import links
from dashboards.colours import GREEN, ORANGE, RED, fixed
from dashboards.sources import INFLUXDB, PROMETHEUS, Influx, Prom

__all__ = ["Column", "Limits", "Panel", "columns", "graph", "heat", "number", "words"]

Panel = Builder[Model]
Query = Prom | Influx

_LETTERS = "ABCDEFGHIJKLMN"


@dataclass(frozen=True)
class Limits:
    """From which values on a figure is orange or red; `above` False: below which."""

    warn: float
    bad: float
    above: bool = True

    def build(self) -> Builder[Any]:
        """The thresholds in Grafana's words: ascending, the first without a value."""
        colours = [GREEN, ORANGE, RED] if self.above else [RED, ORANGE, GREEN]
        values = [None, *sorted((self.warn, self.bad))]
        steps = [Threshold(value, colour) for value, colour in zip(values, colours, strict=True)]
        return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def _plain() -> Builder[Any]:
    return (
        dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps([Threshold(None, "text")])
    )


def _queried(panel: Any, queries: Sequence[Query]) -> Any:
    for letter, query in zip(_LETTERS, queries, strict=False):
        panel = panel.with_target(query.target(letter))
    return panel.datasource(PROMETHEUS if isinstance(queries[0], Prom) else INFLUXDB)


def number(
    title: str,
    about: str,
    unit: str,
    query: Query,
    limits: Limits | None = None,
    *,
    decimals: int | None = None,
    reduce: Literal["lastNotNull", "sum", "mean"] = "lastNotNull",
    empty: str = "none",
) -> Panel:
    """One figure. `empty`: what stands there when there is no data."""
    colour = BigValueColorMode.VALUE if limits else BigValueColorMode.NONE
    panel = (
        stat.Panel()
        .title(title)
        .description(about)
        .unit(unit)
        .no_value(empty)
        .thresholds(limits.build() if limits else _plain())
        .color_mode(colour)
        .graph_mode(BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs([reduce]))
        .height(4)
    )
    if decimals is not None:
        panel = panel.decimals(decimals)
    return _built(_queried(panel, [query]))


def graph(
    title: str,
    about: str,
    unit: str,
    *queries: Query,
    colours: Mapping[str, str] | None = None,
    stacked: bool = False,
    bars: bool = False,
    limits: Limits | None = None,
    most: float | None = None,
) -> Panel:
    """Lines over time; with `bars` and `stacked` what adds up."""
    legend = common.VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.LIST)
    panel = (
        timeseries.Panel()
        .title(title)
        .description(about)
        .unit(unit)
        .draw_style(GraphDrawStyle.BARS if bars else GraphDrawStyle.LINE)
        .fill_opacity(70 if bars else (25 if stacked else 0))
        .line_width(1 if bars else 2)
        .show_points(VisibilityMode.NEVER if bars else VisibilityMode.AUTO)
        .point_size(4)
        .min(0)
        .legend(legend.placement(LegendPlacement.BOTTOM))
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        .thresholds(limits.build() if limits else _plain())
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
        .height(8)
    )
    if stacked:
        panel = panel.stacking(common.StackingConfig().mode(StackingMode.NORMAL).group("A"))
    if limits:
        style = common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
        panel = panel.thresholds_style(style)
    if most is not None:
        panel = panel.max(most)
    return _built(fixed(_queried(panel, queries), colours or {}))


def heat(title: str, about: str, unit: str, query: Prom) -> Panel:
    """How often which value, over time, from buckets by `le`."""
    axis = heatmap.YAxisConfig().unit(unit)
    panel = heatmap.Panel().title(title).description(about).unit("short").y_axis(axis)
    shaped = Prom(query.expr, "{{le}}", shape=PromQueryFormat.HEATMAP, exemplars=query.exemplars)
    return _built(_queried(panel.calculate(False).height(8), [shaped]))


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, its unit, and the query that fills it."""

    title: str
    unit: str
    expr: str
    limits: Limits | None = None
    decimals: int | None = None

    def override(self) -> list[DynamicConfigValue]:
        """How Grafana shows it."""
        values: list[tuple[str, object]] = [("displayName", self.title), ("unit", self.unit)]
        if self.decimals is not None:
            values.append(("decimals", self.decimals))
        if self.limits is not None:
            values.append(("thresholds", self.limits.build().build()))
            values.append(("custom.cellOptions", {"type": "color-text"}))
        return [DynamicConfigValue(name, value) for name, value in values]


def columns(title: str, about: str, keys: Mapping[str, str], *filled: Column) -> Panel:
    """A table: one row for each set of labels, a query for each column."""
    panel: Any = table.Panel().title(title).description(about).unit("short").height(9)
    panel = panel.thresholds(_plain()).filterable(True)
    for letter, column in zip(_LETTERS, filled, strict=False):
        query = Prom(column.expr, instant=True, shape=PromQueryFormat.TABLE)
        panel = panel.with_target(query.target(letter))
        panel = panel.override_by_name(f"Value #{letter}", column.override())
    for label, heading in keys.items():
        link = {"title": f"Overview of this {heading.lower()}", "url": _narrowed(heading.lower())}
        shown = [DynamicConfigValue("displayName", heading), DynamicConfigValue("links", [link])]
        panel = panel.override_by_name(label, shown)
    order = [*keys, *(f"Value #{letter}" for letter in _LETTERS[: len(filled)])]
    places = {"excludeByName": {"Time": True}, "indexByName": {n: i for i, n in enumerate(order)}}
    panel = panel.with_transformation(DataTransformerConfig("merge", options={}))
    panel = panel.with_transformation(DataTransformerConfig("organize", options=places))
    return _built(panel.datasource(PROMETHEUS))


def _narrowed(variable: str) -> str:
    """The overview, of what stands in the cell."""
    return f"/d/{links.OVERVIEW}?var-{variable}=${{__value.raw}}&${{__url_time_range}}"


def words(title: str, about: str, markdown: str, height: int) -> Panel:
    """Text."""
    panel = text.Panel().title(title).description(about).unit("none").mode(TextMode.MARKDOWN)
    return _built(panel.content(markdown).height(height))


def _built(panel: Any) -> Panel:
    """The builders have no common class; each makes a panel."""
    checked: Panel = panel
    return checked
