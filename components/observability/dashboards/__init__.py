"""Dashboards as code: each is rows of charts, and a chart is a title, a unit and its queries."""

from components.observability.dashboards.charts import DASHBOARDS
from components.observability.dashboards.model import Chart, Dashboard, document

__all__ = ["DASHBOARDS", "Chart", "Dashboard", "document"]
