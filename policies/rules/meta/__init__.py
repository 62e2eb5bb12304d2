"""Theme `meta`: the results themselves can be trusted."""

from policies.model import Rule
from policies.rules.meta import exemption_valid, inventory_complete, no_inconclusive_on_deployed

RULES: tuple[Rule, ...] = (
    exemption_valid.RULE,
    inventory_complete.RULE,
    no_inconclusive_on_deployed.RULE,
)
