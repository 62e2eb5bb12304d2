"""Theme `backups`: data is backed up, off site, and comes back."""

from policies.model import Rule
from policies.rules.backups import stateful_has_backup

RULES: tuple[Rule, ...] = (stateful_has_backup.RULE,)
