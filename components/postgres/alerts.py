"""What watches a database: the metrics port of its pods and its alerts; those of its backups are beside this file.

Metrics are those of CloudNativePG's instance manager (its default queries). The `job` of every series is the cluster's
name.
"""

from collections.abc import Mapping

from components.observability.alert import Alert, Severity
from components.observability.monitors import Target
from components.postgres.backup_alerts import BACKUPS

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


def alerts(instances: Mapping[str, int]) -> list[Alert]:
    """All alerts of the databases. `instances`: name in Kubernetes -> instances it should have."""
    replicated = {name: count for name, count in instances.items() if count > 1}
    return [_down(sorted(instances)), *([_replica_missing(replicated)] if replicated else []), *ALERTS, *BACKUPS]


def _down(names: list[str]) -> Alert:
    return {
        "name": "PostgresDown",
        # With the last pod its series are gone, too: that is not “0”.
        "expr": "\n  or ".join(
            [
                "max by (namespace, job) (cnpg_collector_up) == 0",
                *(f'absent(cnpg_collector_up{{job="{name}"}})' for name in names),
            ]
        ),
        "for_": "1m",
        "severity": Severity.P0,
        "summary": "No instance of the database {{ $labels.job }} answers queries.",
        "description": "For a minute no pod of it was there, or none let its own instance manager in.",
        "dashboard": "postgres",
        "runbook": """\
## Meaning
No PostgreSQL of the cluster answers, or no pod of it is left.

## Impact
Writes and reads of the product fail. What Keycloak keeps there: nobody can sign in.

## First checks
1. `kubectl describe cluster <cluster>`: is there a primary, and what does the operator do (`Phase`, the events)?
2. `kubectl logs <pod> -c postgres --tail=100`: a full disk, a crash while recovering, or no memory?
3. `kubectl get pods,pvc -l cnpg.io/cluster=<cluster>`: no pods: `kubectl get events --sort-by=.lastTimestamp`.

## Mitigation
1. Full disk: enlarge `storage` or `walStorage` of the database in `Pulumi.<stack>.yaml` and deploy.
2. The operator does nothing: `kubectl -n cnpg-system logs deployment/cnpg-controller-manager --tail=100`; restart it.
3. Data lost on every instance: restore from the backup (DatabaseLost).
""",
    }


def _replica_missing(instances: Mapping[str, int]) -> Alert:
    streaming = 'max by (namespace, job) (cnpg_pg_replication_streaming_replicas{{job="{name}"}}) < {replicas}'
    return {
        "name": "PostgresReplicaMissing",
        # Against what is declared: a pod that is gone is missing from every count of what is there.
        "expr": "\n  or ".join(
            streaming.format(name=name, replicas=count - 1) for name, count in sorted(instances.items())
        ),
        "for_": "10m",
        "severity": Severity.P1,
        "summary": "A replica of {{ $labels.job }} does not stream from the primary.",
        "description": "Only {{ $value }} replicas stream, for 10 minutes.",
        "dashboard": "postgres",
        "runbook": """\
## Meaning
A declared replica is not there, or it does not follow the primary.

## Impact
Users notice nothing yet. One more failure, and commits wait (three instances) or data has a single copy (two).

## First checks
1. `kubectl exec <primary> -c postgres -- psql app -c "SELECT application_name, state FROM pg_stat_replication"`: which
   one is not there? `kubectl get cluster` names the primary.
2. `kubectl get pods -l cnpg.io/cluster=<cluster>`: Pending (see PodPending) or restarting?

## Mitigation
1. "requested WAL segment has already been removed": the replica cannot catch up; have it cloned anew with
   `kubectl delete pod,pvc -l cnpg.io/instanceName=<pod> --wait=false`.
2. No node has room: add one, or raise the namespace's quota.
""",
    }


ALERTS: list[Alert] = [
    {
        "name": "PostgresConnectionsHigh",
        "expr": (
            "sum by (namespace, job, pod) (cnpg_backends_total)\n"
            '  / max by (namespace, job, pod) (cnpg_pg_settings_setting{name="max_connections"}) > 0.9'
        ),
        "for_": "5m",
        "severity": Severity.P1,
        "summary": "{{ $labels.pod }} uses {{ $value | humanizePercentage }} of the connections it may have.",
        "description": "More than 90 % of max_connections, for 5 minutes.",
        "dashboard": "postgres",
        "runbook": """\
## Meaning
Services hold nearly all connections there are.

## Impact
When the last connection is taken, new ones are refused: the product's requests fail.

## First checks
1. Who holds them: `kubectl exec <primary> -c postgres -- psql app -c "SELECT application_name, state, count(*) FROM
   pg_stat_activity GROUP BY 1, 2 ORDER BY 3 DESC"`.

## Mitigation
1. Many `idle in transaction`: the application leaks transactions; roll its last release back.
2. More replicas of a service than the pools allow: lower the pools, or raise `maxConnections` (the database restarts).
""",
    },
    {
        "name": "PostgresTransactionLong",
        "expr": (
            "max by (namespace, job, pod, datname, usename, state) (cnpg_backends_max_tx_duration_seconds)\n  > 30 * 60"
        ),
        "for_": "5m",
        "severity": Severity.P2,
        "summary": "A transaction of {{ $labels.usename }} in {{ $labels.datname }} of {{ $labels.job }} does not end.",
        "description": "Open for {{ $value | humanizeDuration }} ({{ $labels.state }}); the bound is 30 minutes.",
        "dashboard": "postgres",
        "runbook": """\
## Meaning
A migration or a report runs, or an application forgot to end its transaction.

## Impact
It keeps its locks, and dead rows cannot be removed anywhere in the cluster: tables grow, queries get slower.

## First checks
1. `kubectl exec <primary> -c postgres -- psql app -c "SELECT pid, usename, application_name, state, xact_start,
   left(query, 80) FROM pg_stat_activity WHERE xact_start < now() - interval '30 minutes'"`.

## Mitigation
1. Nobody waits for its result: `SELECT pg_terminate_backend(<pid>)`.
2. `idle in transaction` again and again: roll the last release of that application back.
""",
    },
    {
        "name": "PostgresQueriesWait",
        "expr": "max by (namespace, job, pod) (cnpg_backends_waiting_total) > 10",
        "for_": "5m",
        "severity": Severity.P2,
        "summary": "Queries in {{ $labels.pod }} wait for each other's locks.",
        "description": "{{ $value }} pairs of a query that waits and one that it waits for, for 5 minutes.",
        "dashboard": "postgres",
        "runbook": """\
## Meaning
Some transaction holds a lock that many others want: mostly a migration, or a row that everything updates.

## Impact
Requests that need that table or row hang, and take connections meanwhile.

## First checks
1. `kubectl exec <primary> -c postgres -- psql app -c "SELECT pid, pg_blocking_pids(pid), left(query, 80) FROM
   pg_stat_activity WHERE wait_event_type = 'Lock'"`: the process that blocks and is not blocked is the cause.

## Mitigation
1. `SELECT pg_terminate_backend(<pid>)` of that one; run the migration again with a `lock_timeout`.
""",
    },
    {
        "name": "PostgresDeadlocks",
        # The counter of all times says nothing of now.
        "expr": "sum by (namespace, job, datname) (increase(cnpg_pg_stat_database_deadlocks[1h])) > 5",
        "for_": "0m",
        "severity": Severity.P3,
        "summary": "Transactions in {{ $labels.datname }} of {{ $labels.job }} deadlock.",
        "description": "{{ $value | humanize }} deadlocks within the last hour; the bound is 5.",
        "dashboard": "postgres",
        "runbook": """\
## Meaning
Two transactions took the same locks in different order; Postgres ended one of them after a second.

## Impact
The requests or jobs that were ended failed, unless the application tries again.

## First checks
1. `kubectl logs <primary> -c postgres --since=1h | grep -A6 "deadlock detected"`: both queries stand there.

## Mitigation
1. Have the application take its locks in one order (`ORDER BY id ... FOR UPDATE`), and retry what was ended.
2. Since the last release: roll it back.
""",
    },
    {
        "name": "PostgresIdsRunOut",
        "expr": (
            "max by (namespace, job, datname) (cnpg_pg_database_xid_age) > 1e9\n"
            "  or max by (namespace, job, datname) (cnpg_pg_database_mxid_age) > 1e9"
        ),
        "for_": "10m",
        "severity": Severity.P2,
        "summary": "Half of the transaction ids of {{ $labels.datname }} in {{ $labels.job }} are used up.",
        "description": "The oldest is {{ $value | humanize }} back; vacuum acts at 200 M, at 2,000 M writes stop.",
        "dashboard": "postgres",
        "runbook": """\
## Meaning
Vacuum cannot freeze old rows: something holds it back.

## Impact
None yet. At the end Postgres refuses every write, and mending takes hours.

## First checks
1. `kubectl exec <primary> -c postgres -- psql app -c "SELECT pid, age(backend_xmin), state, left(query, 80) FROM
   pg_stat_activity WHERE backend_xmin IS NOT NULL ORDER BY 2 DESC LIMIT 5"`: a transaction of days?
2. The same of `pg_replication_slots` (`xmin`, `catalog_xmin`) and `pg_prepared_xacts`.

## Mitigation
1. End what holds it back: `pg_terminate_backend`, `pg_drop_replication_slot`, `ROLLBACK PREPARED`.
2. Then `VACUUM (FREEZE, VERBOSE)` of the tables with the greatest `age(relfrozenxid)`.
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
        "description": "More than a minute, for 5 minutes.",
        "dashboard": "postgres",
        "runbook": """\
## Meaning
The replica receives what the primary writes, and replays it too slowly.

## Impact
Reads from this replica are old, and a failover to it would take longer.

## First checks
1. `kubectl exec <primary> -c postgres -- psql app -c "SELECT application_name, state, replay_lag FROM
   pg_stat_replication"`: does it receive, and only replay too slowly?
2. `SELECT * FROM pg_stat_activity WHERE state <> 'idle'` on the replica: a long query that holds replay back?

## Mitigation
1. A bulk load or a long migration on the primary explains it: wait, and watch that it shrinks.
2. A long query on the replica: cancel it.
3. The replica's disk or CPU is the limit: compare it with the others on the dashboard, and raise `cpu`.
""",
    },
]
