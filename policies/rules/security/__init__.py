"""Theme `security`: what runs has no more rights and reach than it needs."""

from policies.model import Rule
from policies.rules.security import network_default_deny, pod_security_restricted

RULES: tuple[Rule, ...] = (
    network_default_deny.RULE,
    pod_security_restricted.RULE,
)
