"""Grafana's document of a dashboard."""

import json
import math
from collections.abc import Sequence

from grafana_foundation_sdk.builders import common, dashboard, logs, loki, prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import GraphThresholdsStyleMode
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    GridPos,
    Threshold,
    ThresholdsMode,
    VariableOption,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from components.observability.dashboards.model import Chart, Colours, Dashboard, Logs, Panel, Stat, Table, Variable

METRICS, LOGS, TRACES = "metrics", "logs", "traces"
"""Uids of the data sources that are Prometheus, Loki and Tempo."""
TAG = "mainstay"
COLUMNS = 24
_METRICS = DataSourceRef(type_val="prometheus", uid=METRICS)
_LOGS = DataSourceRef(type_val="loki", uid=LOGS)

Builder = timeseries.Panel | stat.Panel | table.Panel | logs.Panel


def document(page: Dashboard) -> str:
    """Grafana's JSON of the dashboard."""
    builder = (
        dashboard.Dashboard(page.title)
        .uid(page.uid)
        .tags([TAG])
        .refresh("1m")
        .time("now-6h", "now")
        .timezone("browser")
        .readonly()
        .link(dashboard.DashboardLink("Dashboards").type(DashboardLinkType.DASHBOARDS).tags([TAG]).as_dropdown(True))
    )
    for variable in page.variables:
        builder = builder.with_variable(_variable(variable))
    for panel, place in zip(page.panels, places(page.panels), strict=True):
        builder = builder.with_panel(_panel(panel).title(panel.title).grid_pos(place))
    text = JSONEncoder(sort_keys=True, indent=1).encode(builder.build())
    return json.dumps(json.loads(text), sort_keys=True)


def places(panels: Sequence[Panel]) -> list[GridPos]:
    """Row after row, as much in each as it is wide; a row is as high as the highest in it."""
    found: list[GridPos] = []
    x = y = row = 0
    for panel in panels:
        if x + panel.width > COLUMNS:
            x, y, row = 0, y + row, 0
        height = 4 if isinstance(panel, Stat) else 8
        found.append(GridPos(x=x, y=y, w=panel.width, h=height))
        x, row = x + panel.width, max(row, height)
    return found


def _variable(variable: Variable) -> dashboard.QueryVariable:
    builder = (
        dashboard.QueryVariable(variable.name)
        .datasource(_METRICS)
        .query(f"label_values({variable.metric}, {variable.label})")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
    )
    if variable.several:
        everything = VariableOption(selected=True, text=["All"], value=["$__all"])
        builder = builder.multi(True).include_all(True).current(everything)
    return builder


def _panel(panel: Panel) -> Builder:
    match panel:
        case Chart():
            return _chart(panel)
        case Stat():
            return _stat(panel)
        case Table():
            return _table(panel)
        case Logs():
            target = loki.Dataquery().expr(panel.query).query_type("range").ref_id("A").datasource(_LOGS)
            return logs.Panel().datasource(_LOGS).with_target(target).show_time(True).wrap_log_message(True)


def _chart(panel: Chart) -> timeseries.Panel:
    builder = timeseries.Panel().unit(panel.unit).axis_soft_min(0).datasource(_METRICS)
    if panel.colours:
        dashed = common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
        builder = builder.thresholds(_thresholds(panel.colours)).thresholds_style(dashed)
    for target in _targets(panel.queries):
        builder = builder.with_target(target.range().exemplar(panel.exemplars))
    return builder


def _stat(panel: Stat) -> stat.Panel:
    newest = common.ReduceDataOptions().calcs(["lastNotNull"])
    builder = stat.Panel().unit(panel.unit).reduce_options(newest).datasource(_METRICS)
    if panel.colours:
        builder = builder.thresholds(_thresholds(panel.colours))
    if panel.page:
        builder = builder.links([dashboard.DashboardLink("More").type(DashboardLinkType.LINK).url(f"/d/{panel.page}")])
    for target in _targets(panel.queries):
        builder = builder.with_target(target.instant())
    return builder


def _table(panel: Table) -> table.Panel:
    column, highest = panel.first
    order = common.TableSortByFieldState().display_name(column).desc(highest)
    builder = table.Panel().datasource(_METRICS).sort_by([order])
    for target in _targets(panel.queries):
        builder = builder.with_target(target.instant().format(PromQueryFormat.TABLE))
    # Each query is a frame of its own until they are merged; then its values are named after its letter.
    names = {f"Value #{_letter(index)}": title for index, title in enumerate(panel.queries)}
    # The value of a single frame has no letter.
    names = names if len(names) > 1 else {"Value": next(iter(panel.queries))}
    tidy = {"excludeByName": {"Time": True}, "renameByName": names}
    builder = builder.with_transformation(DataTransformerConfig(id_val="merge", options={}))
    builder = builder.with_transformation(DataTransformerConfig(id_val="organize", options=tidy))
    for title, unit in panel.units.items():
        properties = [DynamicConfigValue(id_val="unit", value=unit)]
        if colours := panel.colours.get(title):
            properties += [
                DynamicConfigValue(id_val="thresholds", value=_thresholds(colours).build()),
                DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}),
            ]
        builder = builder.override_by_name(title, properties)
    if panel.page:
        # Grafana replaces this when it draws the row.
        url = f"/d/{panel.page}?var-{panel.key}=${{__data.fields.{panel.key}}}"
        link = DynamicConfigValue(id_val="links", value=[{"title": "More", "url": url}])
        builder = builder.override_by_name(panel.key, [link])
    return builder


def _thresholds(colours: Colours) -> dashboard.ThresholdsConfig:
    steps = [Threshold(None if math.isinf(bound) else bound, colour) for bound, colour in colours]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def _targets(queries: dict[str, str]) -> list[prometheus.Dataquery]:
    return [
        prometheus.Dataquery().expr(query).legend_format(legend).ref_id(_letter(index))
        for index, (legend, query) in enumerate(queries.items())
    ]


def _letter(index: int) -> str:
    return chr(ord("A") + index)
