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
        # A pod that is gone has no series: WorkloadGone and TargetsMissing tell of that.
        "expr": "max by (namespace, job) (redis_up) == 0",
        "for_": "1m",
        "severity": Severity.P0,
        "summary": "{{ $labels.job }} does not answer: no job can be queued or taken.",
        "description": "Its exporter has not been let in for a minute.",
        "dashboard": "redis",
        "runbook": """\
## Meaning
The exporter runs and the server beside it does not answer (or refuses the password).

## Impact
No job is queued or taken: e-mails and runs stand still, and requests that queue something fail.

## First checks
1. `kubectl describe pod <name>-0`: restarted for lack of memory, or still loading its file?
2. `kubectl logs <name>-0 -c redis --tail=50`: the last words.

## Mitigation
1. "Bad file format": repair with `redis-check-aof --fix` on a copy.
2. The file is lost: start with an empty volume; the scheduler enqueues what was due (see unbackedReason).
3. NOAUTH or WRONGPASS: deploy again, so that server and exporter read the same secret.
""",
    },
    {
        "name": "RedisMemoryHigh",
        "expr": "redis_memory_used_bytes / (redis_memory_max_bytes > 0) > 0.9",
        "for_": "5m",
        "severity": Severity.P1,
        "summary": "{{ $labels.job }} uses {{ $value | humanizePercentage }} of its memory; a full queue refuses jobs.",
        "description": "More than 90 % of maxmemory, for 5 minutes; nothing is evicted.",
        "dashboard": "redis",
        "runbook": """\
## Meaning
Nothing is evicted here: the memory only shrinks as jobs are taken.

## Impact
At 100 % every write fails with OOM: no job can be queued.

## First checks
1. Is a queue growing (QueueDeep, QueueStuck)? Then mend the worker: that is the cause.
2. `kubectl exec <name>-0 -c redis -- redis-cli --bigkeys`: a key that nobody expects?

## Mitigation
1. A key that does not belong there: ask the owner, then delete it.
2. Otherwise raise `memory` (and `storage`, at least twice of it) in `Pulumi.<stack>.yaml` and deploy: it restarts.
""",
    },
    {
        "name": "RedisEvictsKeys",
        "expr": "increase(redis_evicted_keys_total[10m]) > 0",
        "for_": "0m",
        "severity": Severity.P1,
        "summary": "{{ $labels.job }} throws keys away to save memory: jobs are lost.",
        "description": "{{ $value | humanize }} keys within 10 minutes; by its configuration it must evict none.",
        "dashboard": "redis",
        "runbook": """\
## Meaning
The policy `noeviction` was changed in the running server.

## Impact
Queued jobs vanish without a trace.

## First checks
1. `kubectl exec <name>-0 -c redis -- redis-cli config get maxmemory-policy`.

## Mitigation
1. `kubectl delete pod <name>-0`: it starts with the policy of its configuration.
2. Then as for RedisMemoryHigh; the scheduler enqueues again what was lost.
""",
    },
    {
        "name": "RedisRejectsConnections",
        "expr": "increase(redis_rejected_connections_total[5m]) > 0",
        "for_": "0m",
        "severity": Severity.P1,
        "summary": "{{ $labels.job }} refuses connections: maxclients is reached.",
        "description": "{{ $value | humanize }} connections were refused within 5 minutes.",
        "dashboard": "redis",
        "runbook": """\
## Meaning
More clients than `maxclients` (10,000): nearly always one that opens a connection for each request.

## Impact
Whoever gets no connection cannot queue or take jobs.

## First checks
1. `kubectl exec <name>-0 -c redis -- redis-cli client list | cut -d' ' -f2 | sort | uniq -c`:
   which address holds most of them?

## Mitigation
1. Roll back the last release of that workload.
2. Until then `kubectl rollout restart deployment/<workload>` lets go of what it leaked.
""",
    },
    {
        "name": "RedisPersistenceFails",
        "expr": (
            "redis_aof_last_write_status == 0\n"
            "  or redis_aof_last_bgrewrite_status == 0\n"
            "  or redis_rdb_last_bgsave_status == 0"
        ),
        "for_": "5m",
        "severity": Severity.P1,
        "summary": "{{ $labels.job }} cannot write its files: a restart would lose jobs.",
        "description": "Its last append, rewrite or snapshot failed, for 5 minutes.",
        "dashboard": "redis",
        "runbook": """\
## Meaning
Redis cannot write to its volume, or cannot make the copy of itself that a rewrite takes.

## Impact
Redis stops taking writes when it cannot append; a rewrite that fails lets the file grow until the volume is full.

## First checks
1. `kubectl exec <name>-0 -c redis -- df -h /data`: full?
2. `kubectl logs <name>-0 -c redis --tail=100`.

## Mitigation
1. Full: raise `storage` and deploy.
2. "Can't save in background: fork": raise `memory`; the rewrite's copy needs room.
""",
    },
]
