"""The policy pack: its name, its version and its rules."""

from typing import Final

from policies.model import Rule
from policies.rules import probes_present, service_has_slos, stateful_has_backup

NAME: Final = "mainstay"
VERSION: Final = "0.1.0"
"""Raised whenever a rule starts to fail what it passed before, or the other way round."""

RULES: Final[tuple[Rule, ...]] = (
    probes_present.RULE,
    service_has_slos.RULE,
    stateful_has_backup.RULE,
)
