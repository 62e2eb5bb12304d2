"""Alerts of workers: their queues, the engine's ticks, and the language model they ask. Metrics: see `alerts.py`."""

from components.observability.alert import Alert, Severity

WORKER_ALERTS: list[Alert] = [
    {
        "name": "QueueDeep",
        "expr": "max by (namespace, queue) (queue_depth) > 100",
        "for_": "10m",
        "severity": Severity.P2,
        "service": "{{ $labels.queue }}",
        "summary": "{{ $value }} jobs wait in the queue {{ $labels.queue }}.",
        "description": "More than 100, for 10 minutes.",
        "dashboard": "workers",
        "runbook": """\
## Meaning
Jobs come faster than they are done, or they are not done at all (then QueueStuck fires too).

## Impact
What the jobs do comes late: e-mails, runs.

## First checks
1. Dashboard Workers: did the intake grow, or did the throughput fall?
2. `kubectl logs deployment/<worker> --tail=100`: what do its jobs wait for (mail server, model, database)?

## Mitigation
1. Intake: raise the worker's `replicas` and deploy.
2. Throughput: mend what the jobs wait for.
""",
    },
    {
        "name": "QueueLate",
        # 0 while none waits.
        "expr": "time() - max by (namespace, queue) (queue_oldest_job_timestamp_seconds > 0) > 300",
        "for_": "2m",
        "severity": Severity.P2,
        "service": "{{ $labels.queue }}",
        "summary": "The oldest job in the queue {{ $labels.queue }} has waited for {{ $value | humanizeDuration }}.",
        "description": "More than 5 minutes, for 2 minutes; how many wait does not matter.",
        "dashboard": "workers",
        "runbook": """\
## Meaning
Jobs are taken later and later, or one is never taken: QueueDeep sees only how many wait.

## Impact
What the jobs do comes late: e-mails, runs.

## First checks
1. `kubectl logs deployment/<worker> --tail=100`: does it take jobs, and how long does one take?
2. Dashboard Workers: how many wait, and how many are done in a second?

## Mitigation
1. Jobs are taken, too few of them: raise the worker's `replicas` and deploy.
2. None is taken: as for QueueStuck.
""",
    },
    {
        "name": "QueueStuck",
        "expr": (
            "max by (namespace, queue) (min_over_time(queue_depth[10m])) > 0\n"
            "  unless on (namespace, queue) sum by (namespace, queue) (increase(queue_jobs_total[10m])) > 0"
        ),
        "for_": "5m",
        "severity": Severity.P1,
        "service": "{{ $labels.queue }}",
        "summary": "Jobs wait in the queue {{ $labels.queue }} and none has been done for ten minutes.",
        "description": "At least {{ $value }} waited all the time, and none was done.",
        "dashboard": "workers",
        "runbook": """\
## Meaning
The worker takes no jobs, or never ends one.

## Impact
E-mails are not sent, runs stand still.

## First checks
1. `kubectl get pods -l app.kubernetes.io/component=worker`: is it running?
2. `kubectl logs deployment/<worker> --tail=100`: the same job again and again?

## Mitigation
1. The same job again and again: set it aside (dead-letter queue).
2. No log at all: it hangs; `kubectl rollout restart deployment/<worker>`.
""",
    },
    {
        "name": "EngineMissesTicks",
        # Ticks every 5 s: three missed and the scrape's own age.
        "expr": "time() - max by (namespace, job) (engine_last_tick_timestamp_seconds) > 3 * 5 + 30",
        "for_": "0m",
        "severity": Severity.P1,
        "summary": "{{ $labels.job }} has not ticked for {{ $value | humanizeDuration }}.",
        "description": "It should tick every 5 s; three ticks and a scrape are allowed for.",
        "dashboard": "workers",
        "runbook": """\
## Meaning
The engine does not end its tick, or does not run.

## Impact
Nothing in the product moves.

## First checks
1. `kubectl logs deployment/<worker> --tail=100`: what does the last tick wait for?
2. LlmSlow fires: the model holds the tick.

## Mitigation
1. Switch to the fallback model.
2. No log: `kubectl rollout restart deployment/<worker>`.
""",
    },
    {
        "name": "LlmSlow",
        "expr": (
            "histogram_quantile(0.95, sum by (namespace, job, le) (rate(llm_request_duration_seconds_bucket[5m])))\n"
            "  > 30"
        ),
        "for_": "5m",
        "severity": Severity.P2,
        "summary": "The language model answers {{ $labels.job }} in {{ $value | humanizeDuration }} (95th percentile).",
        "description": "The 95th percentile has been above 30 s for 5 minutes.",
        "dashboard": "workers",
        "runbook": """\
## Meaning
The model's API answers slowly.

## Impact
Runs take long; the engine may miss its ticks.

## First checks
1. Look at the provider's status page.
2. `kubectl logs deployment/<worker> --tail=100`: time-outs, or rate limits (429)?

## Mitigation
1. Switch to the fallback model, or turn the feature off, until it recovers.
2. Rate limits: ask the provider for a higher one, or lower the number of runs at once.
""",
    },
    {
        "name": "LlmBudgetNearlySpent",
        "expr": "max by (namespace, job) (llm_tokens_today / llm_tokens_daily_limit) > 0.8",
        "for_": "0m",
        "severity": Severity.P2,
        "summary": "{{ $labels.job }} has spent {{ $value | humanizePercentage }} of today's tokens.",
        "description": "More than 80 % of the daily limit.",
        "dashboard": "workers",
        "runbook": """\
## Meaning
The day's tokens go faster than planned.

## Impact
At 100 % calls to the model are refused until midnight UTC.

## First checks
1. Dashboard Workers: more users, or a loop? Compare the calls per run with yesterday's.
2. `kubectl logs deployment/<worker> --tail=200`: the same run again and again?

## Mitigation
1. A loop: stop that run.
2. More users: ask the owner of the budget for a higher limit.
""",
    },
]
