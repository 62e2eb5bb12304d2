"""What watches a database: the metrics port of its pods and its alerts.

Metrics are those of CloudNativePG's instance manager (its default queries) and of the Barman Cloud plugin. The `job`
of every series is the cluster's name.
"""

from components.observability.alert import Alert, Severity
from components.observability.monitors import Target

METRICS_PORT = 9187


def metrics_target(object_name: str) -> Target:
    """The instances of the cluster `object_name`, e.g. `postgres-main`."""
    return {
        "name": object_name,
        "pod_labels": {"cnpg.io/cluster": object_name},
        "port_name": "metrics",
        "port": METRICS_PORT,
        "path": "/metrics",
    }


ALERTS: list[Alert] = [
    {
        "name": "PostgresDown",
        "expr": "max by (namespace, job) (cnpg_collector_up) == 0",
        "for_": "1m",
        "severity": Severity.P0,
        "summary": "No instance of the database {{ $labels.job }} answers queries.",
        "runbook": """\
## Meaning
The instance manager of every pod runs, and its PostgreSQL does not answer: writes and reads of the product fail.

## Act
1. `kubectl cnpg status <cluster>`: is there a primary, does the operator do something (failover, restore)?
2. `kubectl logs <pod> -c postgres --tail=100`: a full disk, a crash while recovering, or no memory?
3. Full disk: enlarge `storage` or `walStorage` of the database in `Pulumi.<stack>.yaml` and deploy.
4. Data lost on every instance: restore from the backup (docs: disaster recovery).
""",
    },
    {
        "name": "PostgresConnectionsHigh",
        "expr": (
            "sum by (namespace, job, pod) (cnpg_backends_total)\n"
            '  / max by (namespace, job, pod) (cnpg_pg_settings_setting{name="max_connections"}) > 0.9'
        ),
        "for_": "5m",
        "severity": Severity.P1,
        "summary": "{{ $labels.pod }} uses {{ $value | humanizePercentage }} of the connections it may have.",
        "runbook": """\
## Meaning
When the last connection is taken, new ones are refused: the product's requests fail.

## Act
1. Who holds them: `SELECT application_name, state, count(*) FROM pg_stat_activity GROUP BY 1, 2 ORDER BY 3 DESC`.
2. Many `idle in transaction`: the application leaks transactions; roll its last release back.
3. More replicas of a service than the pools allow: lower the pools, or raise `maxConnections` (the database restarts).
""",
    },
    {
        "name": "PostgresBackupTooOld",
        "expr": (
            "time() - max by (namespace, job) (barman_cloud_cloudnative_pg_io_last_available_backup_timestamp)\n"
            "  > 26 * 3600"
        ),
        "for_": "30m",
        "severity": Severity.P1,
        "summary": "The last base backup of {{ $labels.job }} is {{ $value | humanizeDuration }} old.",
        "runbook": """\
## Meaning
A daily backup did not end well (or none ever did: then the age counts from 1970). Restoring takes longer each day.

## Act
1. `kubectl get backups.postgresql.cnpg.io`: what does the last one say in its status?
2. `kubectl logs <primary> -c plugin-barman-cloud --tail=100`: refused keys, no such bucket, no route?
3. Mend the cause and take one now: `kubectl cnpg backup <cluster> --method plugin \
--plugin-name barman-cloud.cloudnative-pg.io`.
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
        "runbook": """\
## Meaning
The last try to archive failed and none has worked since. Point-in-time recovery ends there, and the log's volume fills.

## Act
1. `kubectl logs <primary> -c plugin-barman-cloud --tail=100`: the reason stands there.
2. Keys expired: set `secrets:postgres-<name>-backup-access-key-id` and `…-secret-access-key` anew and deploy.
3. "Expected empty archive": another cluster writes to the same path; give this one a path of its own.
4. Until it is mended watch VolumeFilling: the log is kept on `walStorage`.
""",
    },
    {
        "name": "PostgresReplicationLags",
        "expr": (
            "max by (namespace, job, pod) (cnpg_pg_replication_lag) > 60\n"
            "  and on (namespace, job, pod) cnpg_pg_replication_in_recovery == 1"
        ),
        "for_": "5m",
        "severity": Severity.P2,
        "summary": "The replica {{ $labels.pod }} is {{ $value | humanizeDuration }} behind the primary.",
        "runbook": """\
## Meaning
Reads from this replica are old, and a failover to it would take longer.

## Act
1. A bulk load or a long migration on the primary explains it: wait, and watch that it shrinks.
2. `SELECT * FROM pg_stat_activity WHERE state <> 'idle'` on the replica: a long query holds replay back; cancel it.
3. The replica's disk or CPU is the limit: compare it with the others on the Postgres dashboard.
""",
    },
    {
        "name": "PostgresReplicaMissing",
        "expr": (
            "max by (namespace, job) (cnpg_pg_replication_streaming_replicas)\n"
            "  < count by (namespace, job) (cnpg_collector_up) - 1"
        ),
        "for_": "10m",
        "severity": Severity.P1,
        "summary": "A replica of {{ $labels.job }} does not stream from the primary.",
        "runbook": """\
## Meaning
One more failure, and commits wait (three instances) or data has a single copy (two).

## Act
1. `kubectl cnpg status <cluster>`: which instance is not streaming, and why?
2. "requested WAL segment has already been removed": the replica cannot catch up; delete its pod and its volume claims
   (`kubectl cnpg destroy <cluster> <instance number>`), the operator clones it anew.
""",
    },
]
