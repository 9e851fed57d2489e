"""What a reader chooses at the top of a dashboard."""

from __future__ import annotations

from collections.abc import Mapping

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    VariableModel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from dashboards import names
from dashboards.sources import INFLUXDB, PROMETHEUS

__all__ = [
    "MODEL",
    "PROVIDER",
    "SERVICE",
    "Variable",
    "choice",
    "chosen",
    "source",
    "tags",
    "typed",
]

Variable = Builder[VariableModel]

SERVICE, PROVIDER, MODEL = "service", "provider", "model"


def chosen(labels: Mapping[str, str]) -> dict[str, str]:
    """Matchers for what the reader has chosen, labels by the names of variables."""
    return {label: f"~${variable}" for variable, label in labels.items()}


# What most panels are chosen by.
CALL = chosen({SERVICE: names.SERVICE, PROVIDER: names.PROVIDER, MODEL: names.MODEL})


def source(plugin: str, title: str) -> Variable:
    """Which data source of a kind; ours unless the reader says otherwise."""
    preset = VariableOption(selected=True, text=title, value=plugin)
    return dashboard.DatasourceVariable(plugin).label("Data source").type(plugin).current(preset)


def choice(name: str, title: str, series: str, label: str, *, many: bool = True) -> Variable:
    """Values of a label in Prometheus, several or all; or one of them."""
    query: dict[str, object] = {
        "qryType": 1,
        "query": f"label_values({series}, {label})",
        "refId": f"{name}-values",
    }
    one = _query(name, title, query, PROMETHEUS)
    return _many(one) if many else one


def tags(name: str, title: str, query: str) -> Variable:
    """Values of a tag in InfluxDB, several or all."""
    return _many(_query(name, title, query, INFLUXDB))


def typed(name: str, title: str, about: str) -> Variable:
    """What the reader types, or a link brings."""
    empty = VariableOption(selected=True, text="", value="")
    box = dashboard.TextBoxVariable(name).label(title).description(about)
    return box.default_value("").current(empty)


def _query(
    name: str, title: str, query: str | dict[str, object], where: DataSourceRef
) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(title)
        .query(query)
        .datasource(where)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
    )


def _many(one: dashboard.QueryVariable) -> Variable:
    everything = VariableOption(selected=True, text=["All"], value=["$__all"])
    return one.multi(True).include_all(True).all_value(".*").current(everything)
