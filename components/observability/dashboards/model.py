"""A dashboard as plain data, and Grafana's document of it."""

import json
from typing import NamedTuple

from grafana_foundation_sdk.builders import dashboard, prometheus, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DataSourceRef

METRICS = "metrics"
"""Uid of the data source that is Prometheus."""
COLUMNS = 2
WIDTH, HEIGHT = 24 // COLUMNS, 8


class Chart(NamedTuple):
    """One graph over time."""

    title: str
    """What it shows."""
    unit: str
    """Grafana's unit: `reqps`, `percentunit`, `s`, `bytes`, `short`."""
    queries: dict[str, str]
    """Legend -> PromQL. The legend may hold `{{label}}`."""


class Dashboard(NamedTuple):
    """One page."""

    uid: str
    """Its address, `/d/<uid>`; never changes."""
    title: str
    """Its name."""
    charts: list[Chart]
    """Two in a row."""


def document(page: Dashboard) -> str:
    """Grafana's JSON of the dashboard."""
    builder = (
        dashboard.Dashboard(page.title)
        .uid(page.uid)
        .tags(["mainstay"])
        .refresh("1m")
        .time("now-6h", "now")
        .timezone("browser")
        .readonly()
    )
    for index, chart in enumerate(page.charts):
        builder = builder.with_panel(_panel(index, chart))
    text = JSONEncoder(sort_keys=True, indent=1).encode(builder.build())
    return json.dumps(json.loads(text), sort_keys=True)


def _panel(index: int, chart: Chart) -> timeseries.Panel:
    panel = timeseries.Panel().title(chart.title).unit(chart.unit).min(0).span(WIDTH).height(HEIGHT)
    panel = panel.datasource(DataSourceRef(type_val="prometheus", uid=METRICS))
    for number, (legend, query) in enumerate(chart.queries.items()):
        panel = panel.with_target(
            prometheus.Dataquery().expr(query).legend_format(legend).ref_id(chr(ord("A") + number))
        )
    return panel
