"""Theme `delivery`: changes are reviewed, checked and approved."""

from policies.model import Rule

RULES: tuple[Rule, ...] = ()
