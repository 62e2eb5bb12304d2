"""The policy pack: its name, its version and its rules."""

from typing import Final

from policies.model import Rule
from policies.rules import backups, capacity, delivery, health, meta, observability, security, slo

NAME: Final = "mainstay"
VERSION: Final = "0.2.0"
"""Raised whenever a rule starts to fail what it passed before, or the other way round."""

RULES: Final[tuple[Rule, ...]] = (
    *backups.RULES,
    *capacity.RULES,
    *delivery.RULES,
    *health.RULES,
    *meta.RULES,
    *observability.RULES,
    *security.RULES,
    *slo.RULES,
)
