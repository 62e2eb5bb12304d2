"""Theme `security`: what runs has no more rights and reach than it needs."""

from policies.model import Rule
from policies.rules.security import pod_security_restricted

RULES: tuple[Rule, ...] = (
    pod_security_restricted.RULE,
)
