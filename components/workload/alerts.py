"""What watches services and workers: their metrics ports and their alerts.

The product's contract for `/metrics` (histograms in seconds, on the port of the probes):
- service: `http_request_duration_seconds{method, route, status}`, a histogram; `route` is the template
  (`/users/{id}`), `status` the code; with buckets at 0.5, 1, 2 and 5 at least.
- worker: `queue_depth{queue}`, `queue_oldest_job_timestamp_seconds{queue}`, which is when the job that has waited
  longest was queued, 0 while none waits; `queue_jobs_total{queue, result}`; the engine
  `engine_last_tick_timestamp_seconds`.
- whoever calls a language model: `llm_request_duration_seconds`, a histogram with buckets up to 60 at least;
  `llm_tokens_today` and `llm_tokens_daily_limit`.
The `job` of every series is the workload's name.
"""

from components.labels import selector
from components.observability.alert import Alert, Severity
from components.observability.monitors import Target
from components.workload.worker_alerts import WORKER_ALERTS

__all__ = ["SERVICE_ALERTS", "WORKER_ALERTS", "metrics_target"]


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
        "name": "ServiceRouteFails",
        # By the route's template: few enough to count, and what a person can look for in the code.
        "expr": (
            "(\n"
            '  sum by (namespace, job, route) (rate(http_request_duration_seconds_count{status=~"5.."}[10m]))\n'
            "    / sum by (namespace, job, route) (rate(http_request_duration_seconds_count[10m])) > 0.5\n"
            ") and on (namespace, job, route) (\n"
            "  sum by (namespace, job, route) "
            '(increase(http_request_duration_seconds_count{status=~"5.."}[10m])) >= 5\n'
            ")"
        ),
        "for_": "5m",
        "severity": Severity.P2,
        "summary": "{{ $value | humanizePercentage }} of the requests to {{ $labels.route }} ({{ $labels.job }}) fail.",
        "description": "More than half, and at least 5, of the last ten minutes were answered with 5xx, for 5 minutes.",
        "dashboard": "services",
        "runbook": """\
## Meaning
One route is broken, and has too little traffic to be seen in the whole: then ServiceErrorRateHigh would hold this back.

## Impact
Whoever needs this route cannot do what they came for.

## First checks
1. `kubectl rollout history deployment/<service>`: deployed since it began (dashboard Services, "5xx per route")?
2. `{app="<service>"} | json | route = "<route>" | status >= 500` in Grafana: the exception.

## Mitigation
1. Deployed since: `kubectl rollout undo deployment/<service>`, then the same in git.
2. Data that the code does not expect: hand the exception to the service's owner.
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
