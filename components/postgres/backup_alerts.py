"""Alerts about a database's backups: base backups and the archive of its write-ahead log.

Metrics are those of CloudNativePG's instance manager, and of the Barman Cloud plug-in: CloudNativePG's own backup times
stand still where a plug-in takes the backups. When a restore was last tried stands in `drills.py`.
"""

from components.observability.alert import Alert, Severity
from components.postgres.drills import LONGEST_DAYS, RESTORED

_LAST = "max by (namespace, job) (barman_cloud_cloudnative_pg_io_last_{}_backup_timestamp)"

BACKUPS: list[Alert] = [
    {
        "name": "PostgresBackupTooOld",
        # 0 until there is one: then the age counts from 1970.
        "expr": f"time() - {_LAST.format('available')}\n  > 26 * 3600",
        "for_": "30m",
        "severity": Severity.P1,
        "summary": "{{ $labels.job }} has no base backup of the last day.",
        "description": "The last one is {{ $value | humanizeDuration }} old (since 1970: none was ever taken).",
        "dashboard": "backups",
        "runbook": """\
## Meaning
A daily backup did not end well, or none ever did.

## Impact
Restoring takes longer each day; without any base backup nothing can be restored.

## First checks
1. `kubectl get backups.postgresql.cnpg.io --sort-by=.metadata.creationTimestamp`: what became of the last one?
2. `kubectl logs <primary> -c plugin-barman-cloud --tail=100`: refused keys, no such bucket, no route?

## Mitigation
1. Keys: set `secrets:postgres-<name>-backup-access-key-id` and `…-secret-access-key` anew and deploy.
2. Take one now: BackupNow.
""",
    },
    {
        "name": "PostgresBackupFails",
        "expr": f"{_LAST.format('failed')}\n  > {_LAST.format('available')}",
        "for_": "10m",
        "severity": Severity.P2,
        "summary": "The last base backup of {{ $labels.job }} failed.",
        "description": "It failed at {{ $value | humanizeTimestamp }}, and none has ended well since.",
        "dashboard": "backups",
        "runbook": """\
## Meaning
The newest try failed; an older backup is there, or PostgresBackupTooOld fires as well.

## Impact
None yet: what the last good backup and the archived log hold can be restored.

## First checks
1. `kubectl get backups.postgresql.cnpg.io --sort-by=.metadata.creationTimestamp`; `kubectl describe` of the last one.
2. `kubectl logs <primary> -c plugin-barman-cloud --tail=100`.

## Mitigation
1. Mend the cause, and take one now: BackupNow.
""",
    },
    {
        "name": "PostgresArchivingFails",
        "expr": (
            "max by (namespace, job, pod) (\n"
            "  cnpg_pg_stat_archiver_last_failed_time - cnpg_pg_stat_archiver_last_archived_time\n"
            ") > 1"
        ),
        "for_": "5m",
        "severity": Severity.P1,
        "summary": "{{ $labels.pod }} cannot archive its write-ahead log: what is written now could be lost.",
        "description": "The last failure came {{ $value | humanizeDuration }} after the last success.",
        "dashboard": "backups",
        "runbook": """\
## Meaning
The last try to archive failed and none has worked since.

## Impact
Point-in-time recovery ends there: losing the cluster now would lose what is written since. The log's volume fills.

## First checks
1. `kubectl logs <primary> -c plugin-barman-cloud --tail=100`: the reason stands there.
2. `kubectl exec <primary> -c postgres -- df -h /var/lib/postgresql/wal`: how much time is left?

## Mitigation
1. Keys expired: set `secrets:postgres-<name>-backup-access-key-id` and `…-secret-access-key` anew and deploy.
2. "Expected empty archive": another cluster writes to the same path; give this one a path of its own.
3. Until it is mended watch VolumeFilling: the log is kept on `walStorage`.
""",
    },
    {
        "name": "PostgresArchivingStuck",
        # A database that nobody writes to archives nothing: only what waits is late. Five minutes is the RPO.
        "expr": (
            "max by (namespace, job, pod) (cnpg_pg_stat_archiver_seconds_since_last_archival) > 300\n"
            "  and on (namespace, job, pod) max by (namespace, job, pod) (\n"
            '    cnpg_collector_pg_wal_archive_status{value="ready"}\n'
            "  ) > 0"
        ),
        "for_": "5m",
        "severity": Severity.P1,
        "summary": "{{ $labels.pod }} has archived nothing for {{ $value | humanizeDuration }}, and log waits.",
        "description": "More than 5 minutes, which is what may be lost, for 5 minutes; no failure is reported.",
        "dashboard": "backups",
        "runbook": """\
## Meaning
Archiving hangs: it neither works nor fails.

## Impact
Losing the cluster now would lose what has been written since. The log's volume fills.

## First checks
1. `kubectl logs <primary> -c plugin-barman-cloud --tail=100`: the last segment, and when?
2. `kubectl get pods -l cnpg.io/cluster=<cluster>`: is the plug-in's container ready?

## Mitigation
1. `kubectl delete pod <primary>`: another instance takes over, with a plug-in that has just started.
2. It hangs there too: the bucket does not answer; ask its provider, and watch VolumeFilling.
""",
    },
    {
        "name": "PostgresArchivingLags",
        "expr": 'max by (namespace, job, pod) (cnpg_collector_pg_wal_archive_status{value="ready"}) > 50',
        "for_": "15m",
        "severity": Severity.P2,
        "summary": "{{ $labels.pod }} writes its log faster than it is archived.",
        "description": "{{ $value }} segments of 16 MiB wait, for 15 minutes; the bound is 50.",
        "dashboard": "backups",
        "runbook": """\
## Meaning
Archiving works, and does not keep up; or it hangs without an error.

## Impact
Losing the cluster now would lose what waits; the log's volume fills.

## First checks
1. `kubectl logs <primary> -c plugin-barman-cloud --tail=100`: how long does a segment take?
2. Dashboard: a bulk load that ends soon?

## Mitigation
1. No segment in the log for minutes: `kubectl delete pod <primary>` moves the work to another pod.
2. Always slow: the bucket is far or throttled; ask its provider, or raise `cpu`.
""",
    },
    {
        "name": "PostgresRestoreUntried",
        "expr": f"time() - max by (namespace, job) ({RESTORED}) > {LONGEST_DAYS} * 86400",
        "for_": "0m",
        "severity": Severity.P3,
        "summary": "Nobody has restored {{ $labels.job }} from its backup for {{ $value | humanizeDuration }}.",
        "description": (
            f"The bound is {LONGEST_DAYS} days; since 1970: none is known that went well. Known is what was on record "
            "at the last deployment."
        ),
        "dashboard": "backups",
        "runbook": f"""\
## Meaning
The evidence of this environment has no restore of this database within {LONGEST_DAYS} days that went well.

## Impact
None today. A backup that nobody has restored is a hope: lost keys, other versions and missing files show only then.

## First checks
1. `ls evidence/<stack>/`: was there a drill that nobody put on record, or one that failed?
2. `kubectl get backups.postgresql.cnpg.io --sort-by=.metadata.creationTimestamp`: there is something to restore.

## Mitigation
1. Restore it into a new cluster beside the old one, as DatabaseLost says, and compare what is in both.
2. Put it on record in `evidence/<stack>/`, kind `restore-drill`, also when it failed, and delete the new cluster.
3. Deploy: then the alert knows of it.
""",
    },
]
