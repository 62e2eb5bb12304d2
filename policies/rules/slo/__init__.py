"""Theme `slo`: promises are made, watched, and somebody is called."""

from policies.model import Rule
from policies.rules.slo import alert_metadata, burn_alert_multiwindow, service_has_slos, slo_reviewed

RULES: tuple[Rule, ...] = (
    alert_metadata.RULE,
    burn_alert_multiwindow.RULE,
    service_has_slos.RULE,
    slo_reviewed.RULE,
)
