"""Alerts on what logs say and no metric does. Loki evaluates them; their expressions are LogQL.

None is urgent: a level of the escalation asks Prometheus whether an alert still fires, and it knows nothing of these.
"""

from components.observability.alert import Alert, Severity

_ERRORS = 'sum by (namespace, service_name) (count_over_time({level=~"error|critical|fatal"}[10m]))'
_LINES = 'sum by (namespace, service_name) (count_over_time({service_name=~".+"}[10m]))'

LOG_ALERTS: list[Alert] = [
    {
        "name": "LogErrorsMany",
        # A worker has no requests that could fail, and a scheduler no queue: what goes wrong there stands in the log.
        "expr": f"(\n  {_ERRORS}\n    / {_LINES} > 0.1\n) and (\n  {_ERRORS} >= 10\n)",
        "for_": "5m",
        "severity": Severity.P2,
        "service": "{{ $labels.service_name }}",
        "language": "logql",
        "summary": "{{ $value | humanizePercentage }} of what {{ $labels.service_name }} logs are errors.",
        "description": "More than 10 %, and at least 10 lines, of the last ten minutes; it has been so for 5 minutes.",
        "dashboard": "logs?var-service={{ $labels.service_name }}",
        "runbook": """\
## Meaning
Much of what the service does goes wrong, whatever its metrics say.

## Impact
What a worker should have done may not be done. For a service see whether ServiceErrorRateHigh fires too.

## First checks
1. Dashboard Logs: always the same message?
2. `kubectl rollout history deployment/<service>`: deployed within the last hour?
3. A line has a `trace_id`: its trace shows what the failing step asked of whom.

## Mitigation
1. Deployed lately: `kubectl rollout undo deployment/<service>`, then the same in git.
2. Something it depends on fails (database, mail server, model): mend that, or turn the feature off until it is back.
3. Nothing is wrong: then it is no error; log it as a warning.
""",
    },
    {
        "name": "ProcessCrashed",
        # What a runtime itself prints at the end; a failure that the code caught stands within a JSON line.
        "expr": (
            "sum by (namespace, service_name) (\n"
            '  count_over_time({service_name=~".+", level=""}\n'
            '    |~ "^(Traceback \\\\(most recent call last\\\\):|panic: |fatal error: |Exception in thread )" [10m])\n'
            ") > 0"
        ),
        "for_": "0m",
        "severity": Severity.P2,
        "service": "{{ $labels.service_name }}",
        "language": "logql",
        "summary": "A process of {{ $labels.service_name }} ended with an exception that nobody caught.",
        "description": "{{ $value }} times within 10 minutes, by what its runtime printed.",
        "dashboard": "logs?var-service={{ $labels.service_name }}",
        "runbook": """\
## Meaning
A traceback, or a panic, stands in the log as plain text: the process, or one of its threads, ended with it.

## Impact
What it had in hand is lost, or done again by another. Kubernetes starts the process anew; a thread stays away.

## First checks
1. In Grafana, Explore, Loki: `{service_name="<service>", level=""}`: the exception, and where in the code.
2. `kubectl get pods -l app.kubernetes.io/name=<service>`: does it restart again and again (PodRestartsOften)?

## Mitigation
1. Came with a release: `kubectl rollout undo deployment/<service>`, then the same in git.
2. At start: a variable or a secret is missing; the exception names it.
3. One input brings it down: set that job aside until the code can take it.
""",
    },
    {
        "name": "SecretInLogs",
        # A password that was replaced by stars is none.
        "expr": (
            "sum by (namespace, service_name) (\n"
            '  count_over_time({service_name=~".+"}\n'
            '    |~ "-----BEGIN [A-Z ]*PRIVATE KEY-----|\\\\b[a-z][a-z0-9+]*://[^:@/ ]*:[^@/ *]+@" [10m])\n'
            ") > 0"
        ),
        "for_": "0m",
        "severity": Severity.P2,
        "service": "{{ $labels.service_name }}",
        "language": "logql",
        "summary": "{{ $labels.service_name }} writes a private key, or a URL with its password, to its log.",
        "description": "{{ $value }} lines within 10 minutes look like that.",
        "dashboard": "logs?var-service={{ $labels.service_name }}",
        "runbook": """\
## Meaning
A line has a private key in it, or the URL of a database with the password. Mostly an exception that quotes its input.

## Impact
Whoever may read logs, or the bucket they are kept in, has the secret, for as long as lines are kept.

## First checks
1. In Grafana, Explore, Loki: `{service_name="<service>"} |~ "PRIVATE KEY|://[^:@/ ]*:[^@/ ]+@"`: which secret is it?
2. Is it one that is used, or an example in a message?

## Mitigation
1. Replace the secret where it comes from, then `pulumi config set --secret --stack <stack> secrets:<name>`, and deploy.
2. Mend the code that logs it: log the host, never the URL.
3. It must not be kept: lower `observability.logs.retention`, or delete the line's stream in the bucket.
""",
    },
]
