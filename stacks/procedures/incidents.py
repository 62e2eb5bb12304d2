"""What people see before they know which alert it is, how to look at resources, and what to write afterwards."""

from components.observability.runbook import Procedure

COMMON_INCIDENTS: Procedure = {
    "name": "CommonIncidents",
    "summary": "Somebody says that something does not work, and you do not know yet what.",
    "text": """\
## Meaning
What people see, and where to look first. Where several alerts fire, begin with the one that is highest in this table:
what stands below is often its consequence.

| what is seen | open | often because |
|---|---|---|
| nothing answers, from anywhere | PublicHostDown, then ClusterLost | DNS, certificate, load balancer, region |
| the heartbeat service calls | Watchdog | Alertmanager, Prometheus, or the whole cluster |
| nobody can sign in | KeycloakDown, KeycloakErrors, KeycloakSignInsFail | its database, a client's address, an attack |
| errors everywhere | PostgresDown, RedisDown, NodeNotReady | what everything depends on |
| high error rate of one service | ServiceErrorRateHigh, GatewayErrors, ServiceRouteFails | the last release |
| high latency | ServiceVerySlow, GatewaySlow, PostgresQueriesWait | a lock, a slow query, CPU |
| database errors | PostgresConnectionsHigh, PostgresQueriesWait, PostgresTransactionLong | a leak, a migration |
| mails or runs do not come | QueueStuck, QueueLate, EngineMissesTicks | the worker, the mail server, the model |
| the model is slow or refuses | LlmSlow, LlmBudgetNearlySpent | its provider, the day's limit |
| a pod restarts, or does not start | PodRestartsOften, PodPending, RolloutStuck | memory, a secret, an image, no room |
| a disk fills | VolumeFilling, NodeDiskHigh | the log's archive, a loop that writes |
| short of CPU or memory | ResourceUsage | more users, a leak |
| data is missing or wrong | DataDamaged | a migration, a fault, a person |

## Impact
Say it early: what users cannot do, since when, and when you will say more. The status page says so too: `mainstay slo
page <stack> --output <folder>`.

## First checks
1. What fires, the oldest first? Grafana, or `kubectl exec alertmanager-alertmanager-0 -c alertmanager -- amtool alert
   query --alertmanager.url=http://127.0.0.1:9093 -o extended`
2. What changed? `kubectl get events --sort-by=.lastTimestamp | tail -30`, `git log -5`, and the history of the service:
   `kubectl rollout history deployment/<service>`
3. What does not run? `kubectl get pods --sort-by=.status.startTime`: not `Running`, not ready, or restarted lately.
4. Since when? The dashboard that the alert links to, over the last day.

## Mitigation
1. It came with a release: take that back first and look for the cause afterwards (ReleaseAndRollBack).
2. It came with more users: raise `replicas` of what is at its limit (ResourceUsage).
3. It came from outside (model, mail server, provider): turn the feature off until it is over.
4. None of these: one thing at a time, and write down each with its time. What did not help is taken back.

## Escalation
Each alert's page says who is called and when. After 30 minutes without a cause call a second person, whatever the
severity.
""",
}

RESOURCE_USAGE: Procedure = {
    "name": "ResourceUsage",
    "summary": "CPU, memory, disk, connections or the quota run short, or you want to know how much is left.",
    "text": """\
## Meaning
Each thing has a bound of its own, and an alert a good way before it:

| what | alert | its bound |
|---|---|---|
| CPU of a container | PodCpuHigh | what it asks for, `resources.cpu`; it may use more while the node has some |
| memory of a container | PodMemoryHigh | `memoryLimit`; above it, it is killed |
| CPU and memory of a node | NodeCpuHigh, NodeMemoryHigh, NodeUnderPressure | the machine |
| disk of a node | NodeDiskHigh | the machine |
| a volume | VolumeFilling, VolumeAlmostFull | `storage`, `walStorage`; grows, never shrinks |
| connections of a database | PostgresConnectionsHigh | `maxConnections` |
| memory of Redis | RedisMemoryHigh | three quarters of its `memory` |
| all of the environment | WorkloadIncomplete, PodPending | the quota: `mainstay:namespace` |
| tokens of the model | LlmBudgetNearlySpent | the day's limit |

## Impact
None while there is an alert only. At the bound: CPU makes slow, memory kills, disks stop writes, a quota refuses pods.

## First checks
1. The quota, used and allowed: `kubectl describe quota quota`
2. Who uses most: `kubectl top pod --containers --sort-by=cpu`, and `--sort-by=memory`
3. What is asked for and not used: dashboard Cost. That is room you already pay for.
4. Nodes: `kubectl top node`, and dashboard Nodes for those that run our pods.
5. Volumes: `kubectl get pvc`, and dashboard Cost for how full they are.

## Mitigation
1. Does it grow with the users, or by itself? By itself is a leak: `kubectl rollout undo deployment/<service>` if it
   began with a release, else `kubectl delete pod <pod>`, one by one, until it is mended.
2. With the users: `replicas` of a service or worker that shares its work; `resources` of one that cannot.
3. Refused by the quota: raise it in `mainstay:namespace`, in the same change.
4. A volume: raise its size, and deploy; it grows while in use.
5. Then compare with last month on dashboard Cost, and plan the next step before the alert.

## Escalation
More nodes or a larger budget is the owner's decision; the label `owner` of the alert names them.
""",
}

POSTMORTEM: Procedure = {
    "name": "PostmortemTemplate",
    "summary": "Users noticed something, data was lost or leaked, or somebody was woken: write it within five days.",
    "text": """\
## How
Copy what follows to `docs/postmortems/<date>-<name>.md`. It is about what happened and what will be different, never
about whose fault it was. It is read aloud by those who were there, and done when each action has an owner and a date.

```md
# <date>: <what users saw, in one sentence>

Severity: P<n>. Written by: <who>. State: draft | agreed | all actions done.

## Impact
- Users: <how many, what they could not do>. Data: <lost, wrong, leaked, or none>.
- From <time, UTC> to <time>: <minutes>. Error budget spent: <percent> of <SLO> (`mainstay slo status <stack>`).

## Timeline (UTC)
| time | what happened, what was done, by whom |
|---|---|
| 00:00 | it began: <deployment, load, failure of …> |
| 00:00 | first alert: <name>, told to <whom> |
| 00:00 | acknowledged |
| 00:00 | cause found |
| 00:00 | users served again |
| 00:00 | all clear |

## How long
| | minutes | could it have been shorter? |
|---|---|---|
| until it was noticed | | by an alert, or by a user? |
| until somebody worked on it | | |
| until the cause was known | | |
| until users were served | | |

## Cause
<Why did it happen? Ask why of each answer until it is something that can be changed.>

## What went well, what did not, where we were lucky
- <the alert, the runbook page, access, the way back, who was there>

## Actions
| what | kind: prevent, notice sooner, mend sooner | owner | until | done |
|---|---|---|---|---|
| | | | | |

- The runbook page that was used: <name>. Changed: <yes, or why it was good as it was>.
- An alert that was missing, late or useless: <name, and its case in tests/data/alert_cases*.py>.
```

## After
1. Each action becomes an issue with an owner; they are looked at in the monthly review: `mainstay slo report <stack>`
2. A page that was wrong is mended in the code it is generated from, in the same week.
""",
}
