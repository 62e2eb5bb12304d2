"""What watches services and workers: their metrics ports and their alerts.

The product's contract for `/metrics` (histograms in seconds, on the port of the probes):
- service: `http_request_duration_seconds{method, route, status}`, a histogram; `route` is the template
  (`/users/{id}`), `status` the code; with buckets at 0.5, 1, 2 and 5 at least.
- worker: `queue_depth{queue}`, `queue_jobs_total{queue, result}`; the engine `engine_last_tick_timestamp_seconds`.
- whoever calls a language model: `llm_request_duration_seconds`, a histogram with buckets up to 60 at least;
  `llm_tokens_today` and `llm_tokens_daily_limit`.
The `job` of every series is the workload's name.
"""

from components.labels import selector
from components.observability.alert import Alert, Severity
from components.observability.monitors import Target


def metrics_target(name: str, component: str, port: int) -> Target:
    """The pods of a workload. `component`: `service` or `worker`; `port`: the one of its probes."""
    return {
        "name": name,
        "pod_labels": selector(name, component),
        "port_name": "http",
        "port": port,
        "path": "/metrics",
    }


_P95 = (
    "histogram_quantile(\n"
    "  0.95, sum by (namespace, job, le) (rate(http_request_duration_seconds_bucket[5m]))\n"
    ") > {bound}"
)


SERVICE_ALERTS: list[Alert] = [
    {
        "name": "ServiceErrorRateHigh",
        # Three failures at least: one failed request of a quiet night is nothing to be woken for.
        "expr": (
            "(\n"
            '  sum by (namespace, job) (rate(http_request_duration_seconds_count{status=~"5.."}[5m]))\n'
            "    / sum by (namespace, job) (rate(http_request_duration_seconds_count[5m])) > 0.05\n"
            ") and on (namespace, job) (\n"
            '  sum by (namespace, job) (increase(http_request_duration_seconds_count{status=~"5.."}[5m])) >= 3\n'
            ")"
        ),
        "for_": "2m",
        "severity": Severity.P0,
        "summary": "{{ $value | humanizePercentage }} of the requests to {{ $labels.job }} fail.",
        "description": "More than 5 %, and at least 3 requests, of the last five minutes were answered with 5xx.",
        "dashboard": "services",
        "runbook": """\
## Meaning
The service answers with 5xx.

## Impact
Users see errors instead of what they asked for; what they sent may be lost.

## First checks
1. Dashboard Services, "5xx per route": one route, or all?
2. `kubectl rollout history deployment/<service>`: deployed within the last hour?
3. All routes: is PostgresDown or RedisDown firing? Mend that first.
4. One route: the logs of its failures, `{app="<service>"} | json | status >= 500` in Grafana, name the exception.

## Mitigation
1. Deployed lately: `kubectl rollout undo deployment/<service>`, then the same in git.
2. A dependency outside (model, mail server) fails: turn the feature off until it is back.
""",
    },
    {
        "name": "ServiceSlow",
        "expr": _P95.format(bound=1),
        "for_": "10m",
        "severity": Severity.P2,
        "summary": "One in twenty requests to {{ $labels.job }} takes longer than {{ $value | humanizeDuration }}.",
        "description": "The 95th percentile has been above 1 s for 10 minutes.",
        "dashboard": "services",
        "runbook": """\
## Meaning
The service takes long to answer a part of the requests.

## Impact
One request in twenty feels slow to its user.

## First checks
1. Dashboard Services: which route, and since when? Compare with `kubectl rollout history deployment/<service>`.
2. A trace of a slow request (Grafana, Tempo) shows whether the database, a model or the service itself takes the time.
3. CPU near its request (PodCpuHigh)?

## Mitigation
1. At its CPU: raise `replicas`.
2. One slow query: add its index, or roll back what brought it.
""",
    },
    {
        "name": "ServiceVerySlow",
        "expr": _P95.format(bound=2),
        "for_": "5m",
        "severity": Severity.P1,
        "summary": "One in twenty requests to {{ $labels.job }} takes longer than {{ $value | humanizeDuration }}.",
        "description": "The 95th percentile has been above 2 s for 5 minutes.",
        "dashboard": "services",
        "runbook": """\
## Meaning
The service takes very long to answer a part of the requests.

## Impact
Users wait, try again, which makes it worse, and give up.

## First checks
1. `kubectl rollout history deployment/<service>`: deployed within the last hour?
2. Is PostgresQueriesWait or PostgresConnectionsHigh firing? Go on there.
3. A trace of a slow request (Grafana, Tempo) shows what takes the time.

## Mitigation
1. Deployed lately: `kubectl rollout undo deployment/<service>`, then the same in git.
2. Then as for ServiceSlow.
""",
    },
]

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
