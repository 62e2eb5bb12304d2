"""Dashboards as code: each page is plain data, from which Grafana's document is made."""

from components.observability.dashboards.backups import BACKUPS
from components.observability.dashboards.cost import COST
from components.observability.dashboards.dependencies import KEYCLOAK, POSTGRES, REDIS
from components.observability.dashboards.document import LOGS, METRICS, TRACES, document
from components.observability.dashboards.logs import LINES
from components.observability.dashboards.model import Chart, Dashboard, Logs, Panel, Stat, Table, Variable
from components.observability.dashboards.objectives import DETAIL, FLEET
from components.observability.dashboards.product import SERVICES, WORKERS
from components.observability.dashboards.surroundings import GATEWAY, NODES
from components.observability.dashboards.telemetry import TELEMETRY

DASHBOARDS: list[Dashboard] = [
    FLEET,
    DETAIL,
    GATEWAY,
    SERVICES,
    WORKERS,
    POSTGRES,
    REDIS,
    KEYCLOAK,
    BACKUPS,
    LINES,
    NODES,
    TELEMETRY,
    COST,
]
"""Every page."""

__all__ = [
    "DASHBOARDS",
    "LOGS",
    "METRICS",
    "TRACES",
    "Chart",
    "Dashboard",
    "Logs",
    "Panel",
    "Stat",
    "Table",
    "Variable",
    "document",
]
