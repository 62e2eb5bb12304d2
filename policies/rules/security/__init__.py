"""Theme `security`: what runs has no more rights and reach than it needs."""

from policies.model import Rule

RULES: tuple[Rule, ...] = ()
