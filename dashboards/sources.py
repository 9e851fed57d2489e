"""Data sources, and queries for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat, QueryEditorMode

from dashboards import links

__all__ = ["INFLUXDB", "JAEGER", "PROMETHEUS", "TEMPO", "Given", "Influx", "Prom"]

# Of metrics there may be several data sources of a kind: a variable of the dashboard chooses.
PROMETHEUS = DataSourceRef("prometheus", f"${{{links.PROMETHEUS}}}")
INFLUXDB = DataSourceRef("influxdb", f"${{{links.INFLUXDB}}}")
JAEGER = DataSourceRef("jaeger", links.JAEGER)
TEMPO = DataSourceRef("tempo", links.TEMPO)


@dataclass(frozen=True)
class Given(Dataquery, Builder[Dataquery]):
    """A query for a data source that the schema package has no class for."""

    source: DataSourceRef
    fields: Mapping[str, object] = field(default_factory=dict)
    ref: str = "A"

    def build(self) -> Dataquery:
        """Itself: it is whole."""
        return self

    def to_json(self) -> dict[str, object]:
        """What the data source's editor would have saved."""
        return {"datasource": self.source.to_json(), "refId": self.ref, **self.fields}


@dataclass(frozen=True)
class Prom:
    """One PromQL query.

    Args:
        expr: The query.
        legend: The name of its series, with labels in double braces.
        instant: One value for now instead of a graph.
        exemplars: Show those of the raw series that stand in the query.
        shape: What the panel needs.
    """

    expr: str
    legend: str = ""
    instant: bool = False
    exemplars: bool = False
    shape: PromQueryFormat = PromQueryFormat.TIME_SERIES

    def target(self, ref: str) -> Builder[Dataquery]:
        """The query with the letter by which its panel knows it."""
        query = (
            prometheus.Dataquery()
            .expr(self.expr)
            .legend_format(self.legend or "__auto")
            .format(self.shape)
            .editor_mode(QueryEditorMode.CODE)
            .exemplar(self.exemplars)
            .datasource(PROMETHEUS)
            .ref_id(ref)
        )
        return query.instant() if self.instant else query.range()


@dataclass(frozen=True)
class Influx:
    """One InfluxQL query.

    Args:
        query: The query.
        legend: The name of its series, with tags as `$tag_name`.
        table: Rows instead of series.
    """

    query: str
    legend: str = ""
    table: bool = False

    def target(self, ref: str) -> Builder[Dataquery]:
        """The query with the letter by which its panel knows it."""
        shape = "table" if self.table else "time_series"
        fields: dict[str, object] = {"query": self.query, "rawQuery": True, "resultFormat": shape}
        return Given(INFLUXDB, fields | ({"alias": self.legend} if self.legend else {}), ref)
