"""Theme `delivery`: changes are reviewed, checked and approved."""

from policies.model import Rule
from policies.rules.delivery import branch_protection, environment_protection, required_checks

RULES: tuple[Rule, ...] = (
    branch_protection.RULE,
    environment_protection.RULE,
    required_checks.RULE,
)
