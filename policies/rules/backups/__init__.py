"""Theme `backups`: data is backed up, off site, and comes back."""

from policies.model import Rule
from policies.rules.backups import (
    backup_3_2_1,
    pitr_wal_enabled,
    restore_drill_fresh,
    retention_30d,
    rpo_met,
    stateful_has_backup,
)

RULES: tuple[Rule, ...] = (
    backup_3_2_1.RULE,
    pitr_wal_enabled.RULE,
    restore_drill_fresh.RULE,
    retention_30d.RULE,
    rpo_met.RULE,
    stateful_has_backup.RULE,
)
