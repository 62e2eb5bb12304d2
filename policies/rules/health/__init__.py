"""Theme `health`: what runs can be told to be well, and survives being moved."""

from policies.model import Rule
from policies.rules.health import (
    database_protected,
    database_replicated,
    graceful_shutdown,
    liveness_not_readiness,
    pdb_matches,
    probes_present,
    replicas_spread,
    startup_probe_for_slow_starters,
)

RULES: tuple[Rule, ...] = (
    database_protected.RULE,
    database_replicated.RULE,
    graceful_shutdown.RULE,
    liveness_not_readiness.RULE,
    pdb_matches.RULE,
    probes_present.RULE,
    replicas_spread.RULE,
    startup_probe_for_slow_starters.RULE,
)
