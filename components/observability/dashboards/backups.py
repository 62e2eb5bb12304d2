"""What could be restored: base backups, the write-ahead log behind them, and the room that it has."""

from components.observability.dashboards.model import Chart, Dashboard, Stat, Table, Variable, above
from components.postgres.drills import LONGEST_DAYS, RESTORED

_CLUSTER = '{job=~"$cluster"}'
_BARMAN = "barman_cloud_cloudnative_pg_io"
_HOUR = 3600
_AGE = f"time() - max by (job) ({_BARMAN}_last_available_backup_timestamp{_CLUSTER})"
_REACH = f"time() - min by (job) ({_BARMAN}_first_recoverability_point{_CLUSTER} > 0)"
_RESTORED = f"time() - max by (job) ({RESTORED}{_CLUSTER})"
_UNARCHIVED = f"max by (job) (cnpg_pg_stat_archiver_seconds_since_last_archival{_CLUSTER})"
_WAITING = 'cnpg_collector_pg_wal_archive_status{job=~"$cluster",value="ready"}'
_UNTRIED = above(LONGEST_DAYS * 24 * _HOUR)
_TOO_OLD = above(26 * _HOUR)
"""Of a daily backup, as its alert has it."""

BACKUPS = Dashboard(
    "backups",
    "Backups",
    [
        Stat("Age of the last base backup", "s", {"{{job}}": _AGE}, _TOO_OLD),
        Stat("Log last archived", "s", {"{{job}}": _UNARCHIVED}, above(_HOUR)),
        Stat("How far back a restore can go", "s", {"{{job}}": _REACH}),
        Stat("Since it was last restored", "s", {"{{job}}": _RESTORED}, _UNTRIED),
        Table(
            "Databases",
            "job",
            {
                "Last backup": _AGE,
                "Restorable back to": _REACH,
                "Log last archived": _UNARCHIVED,
                "Last restored": _RESTORED,
                "Segments that wait": f"max by (job) ({_WAITING})",
            },
            {
                "Last backup": "s",
                "Restorable back to": "s",
                "Log last archived": "s",
                "Last restored": "s",
                "Segments that wait": "short",
            },
            ("Last backup", True),
            {"Last backup": _TOO_OLD, "Log last archived": above(_HOUR), "Last restored": _UNTRIED},
        ),
        Chart("Age of the last base backup", "s", {"{{job}}": _AGE}, _TOO_OLD),
        Chart(
            "Since a base backup failed, where one ever did",
            "s",
            {"{{job}}": f"time() - max by (job) ({_BARMAN}_last_failed_backup_timestamp{_CLUSTER} > 0)"},
        ),
        Chart(
            "Log segments archived",
            "ops",
            {"{{job}}": f"sum by (job) (rate(cnpg_pg_stat_archiver_archived_count{_CLUSTER}[$__rate_interval]))"},
        ),
        Chart(
            "Log segments that could not be archived",
            "ops",
            {"{{job}}": f"sum by (job) (rate(cnpg_pg_stat_archiver_failed_count{_CLUSTER}[$__rate_interval]))"},
        ),
        Chart(
            "Log segments that wait to be archived",
            "short",
            {
                "{{pod}}": f"max by (pod) ({_WAITING})",
            },
        ),
        Chart(
            "Room for the log: share of its volume used",
            "percentunit",
            {
                "{{persistentvolumeclaim}}": (
                    'max by (persistentvolumeclaim) (kubelet_volume_stats_used_bytes{persistentvolumeclaim=~".+-wal"}'
                    ' / kubelet_volume_stats_capacity_bytes{persistentvolumeclaim=~".+-wal"})'
                )
            },
            above(0.85, 0.95),
        ),
    ],
    (Variable("cluster", "cnpg_collector_up", "job"),),
)
