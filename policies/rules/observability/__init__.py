"""Theme `observability`: what happened can be found out."""

from policies.model import Rule
from policies.rules.observability import (
    dashboard_exists,
    log_retention,
    logs_shipped,
    metrics_scraped,
    retention_covers_slo,
    traces_exported,
)

RULES: tuple[Rule, ...] = (
    dashboard_exists.RULE,
    log_retention.RULE,
    logs_shipped.RULE,
    metrics_scraped.RULE,
    retention_covers_slo.RULE,
    traces_exported.RULE,
)
