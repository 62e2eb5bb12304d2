"""Theme `slo`: promises are made, watched, and somebody is called."""

from policies.model import Rule
from policies.rules.slo import service_has_slos, slo_reviewed

RULES: tuple[Rule, ...] = (
    service_has_slos.RULE,
    slo_reviewed.RULE,
)
