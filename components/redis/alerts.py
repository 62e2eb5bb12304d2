"""What watches a Redis: its exporter's port and its alerts.

Metrics are those of redis_exporter, which runs beside the server. The `job` of every series is the server's name.
"""

from components.labels import selector
from components.observability.alert import Alert, Severity
from components.observability.monitors import Target
from components.redis.exporter import METRICS_PORT


def metrics_target(object_name: str) -> Target:
    """The pod of the Redis `object_name`, e.g. `redis-queue`."""
    return {
        "name": object_name,
        "pod_labels": selector(object_name, "redis"),
        "port_name": "metrics",
        "port": METRICS_PORT,
        "path": "/metrics",
    }


ALERTS: list[Alert] = [
    {
        "name": "RedisDown",
        "expr": "max by (namespace, job) (redis_up) == 0",
        "for_": "1m",
        "severity": Severity.P0,
        "summary": "{{ $labels.job }} does not answer: no job can be queued or taken.",
        "runbook": """\
## Meaning
The exporter runs and the server beside it does not answer (or refuses the password).

## Act
1. `kubectl describe pod <name>-0`: restarted for lack of memory, or still loading its file?
2. `kubectl logs <name>-0 -c redis`: "Bad file format": repair with `redis-check-aof --fix` on a copy.
3. The file is lost: start with an empty volume; the scheduler enqueues what was due (see unbackedReason).
""",
    },
    {
        "name": "RedisMemoryHigh",
        "expr": ("redis_memory_used_bytes / (redis_memory_max_bytes > 0) > 0.9"),
        "for_": "5m",
        "severity": Severity.P1,
        "summary": "{{ $labels.job }} uses {{ $value | humanizePercentage }} of its memory; a full queue refuses jobs.",
        "runbook": """\
## Meaning
Nothing is evicted here: at 100 % every write fails with OOM.

## Act
1. Is a queue growing (QueueDeep, QueueStuck)? Then mend the worker: that is the cause.
2. `redis-cli --bigkeys`: a key that nobody expects? Ask the owner, then delete it.
3. Otherwise raise `memory` (and `storage`, at least twice of it) in `Pulumi.<stack>.yaml` and deploy: it restarts.
""",
    },
    {
        "name": "RedisRejectsConnections",
        "expr": "increase(redis_rejected_connections_total[5m]) > 0",
        "for_": "0m",
        "severity": Severity.P1,
        "summary": "{{ $labels.job }} refused {{ $value }} connections in five minutes: maxclients is reached.",
        "runbook": """\
## Meaning
More clients than `maxclients` (10,000): nearly always one that opens a connection for each request.

## Act
1. `redis-cli client list`: which address holds most of them?
2. Roll back the last release of that workload, or restart it to let go of what it leaked.
""",
    },
    {
        "name": "RedisPersistenceFails",
        "expr": "redis_aof_last_write_status == 0 or redis_aof_last_bgrewrite_status == 0",
        "for_": "5m",
        "severity": Severity.P1,
        "summary": "{{ $labels.job }} cannot write its append-only file: a restart would lose jobs.",
        "runbook": """\
## Meaning
Redis stops taking writes when it cannot append; a rewrite that fails lets the file grow until the volume is full.

## Act
1. `kubectl exec <name>-0 -c redis -- df -h /data`: full? Raise `storage` and deploy.
2. `kubectl logs <name>-0 -c redis`: "Can't save in background: fork": memory is too small for the rewrite's copy.
""",
    },
]
