"""Theme `observability`: what happened can be found out."""

from policies.model import Rule

RULES: tuple[Rule, ...] = ()
