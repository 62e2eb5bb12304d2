"""Theme `health`: what runs can be told to be well, and survives being moved."""

from policies.model import Rule
from policies.rules.health import probes_present

RULES: tuple[Rule, ...] = (probes_present.RULE,)
