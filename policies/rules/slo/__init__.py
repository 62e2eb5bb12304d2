"""Theme `slo`: promises are made, watched, and somebody is called."""

from policies.model import Rule
from policies.rules.slo import (
    alert_metadata,
    alert_routed,
    burn_alert_multiwindow,
    dead_man_switch,
    service_has_slos,
    slo_reviewed,
)

RULES: tuple[Rule, ...] = (
    alert_metadata.RULE,
    alert_routed.RULE,
    burn_alert_multiwindow.RULE,
    dead_man_switch.RULE,
    service_has_slos.RULE,
    slo_reviewed.RULE,
)
