"""Alerts about logs and traces on their way: read, accepted, stored, and deleted when their time has come."""

from components.observability.alert import Alert, Severity

TELEMETRY: list[Alert] = [
    {
        "name": "LogsNotStored",
        "expr": "increase(loki_ingester_chunks_flush_failures_total[15m]) > 0",
        "for_": "15m",
        "severity": Severity.P1,
        "summary": "Loki has failed for half an hour to write logs to its bucket.",
        "runbook": """\
## Meaning
Logs gather on Loki's own volume and are lost with it, or when it is full.

## Act
1. `kubectl logs loki-0 --tail=200 | grep -i flush`: AccessDenied is a key that has been revoked, NoSuchBucket a name.
2. Set `secrets:logs-access-key-id` and `secrets:logs-secret-access-key` anew and deploy: Loki restarts with them.
3. VolumeFilling fires too? Raise `observability.logs.storage` first, that buys time.
""",
    },
    {
        "name": "LogsRefused",
        "expr": "sum by (namespace, job, reason) (rate(loki_discarded_samples_total[5m])) > 0",
        "for_": "15m",
        "severity": Severity.P2,
        "summary": "Loki refuses log lines: {{ $labels.reason }}.",
        "runbook": """\
## Meaning
These lines are lost. The reason is Loki's own word for the limit that was met.

## Act
1. `rate_limited`, `per_stream_rate_limit`: who writes so much? In Grafana: `topk(5, sum by (service_name)
   (bytes_rate({namespace=~".+"}[5m])))`. Mostly a loop, or a log level left at debug.
2. `greater_than_max_sample_age`: lines older than 7 days, mostly of a collector that has just come back. It passes.
""",
    },
    {
        "name": "LogRetentionStopped",
        # The time of the last run is 0 until there was one: then the start of the process counts.
        "expr": (
            "time() - (\n"
            "  (loki_compactor_apply_retention_last_successful_run_timestamp_seconds > 0)\n"
            '  or process_start_time_seconds{job="loki"}\n'
            ") > 24 * 3600"
        ),
        "for_": "1h",
        "severity": Severity.P2,
        "summary": "Loki has deleted no old logs for {{ $value | humanizeDuration }}.",
        "runbook": """\
## Meaning
Lines are kept longer than the environment says. Nothing is lost; what has to be forgotten is not.

## Act
1. `kubectl logs loki-0 --tail=500 | grep -i -e compactor -e retention`: a key without the right to delete?
""",
    },
    {
        "name": "LogsLost",
        "expr": "sum by (namespace, reason) (increase(loki_write_dropped_entries_total[10m])) > 0",
        "for_": "0m",
        "severity": Severity.P2,
        "summary": "Alloy gave up on {{ $value | humanize }} log lines within 10 minutes: {{ $labels.reason }}.",
        "runbook": """\
## Meaning
Alloy tried for some minutes to hand them to Loki, and dropped them.

## Act
1. Is Loki up? `kubectl get pods -l app.kubernetes.io/name=loki`. Is LogsRefused firing? Then go on there.
2. `kubectl logs -l app.kubernetes.io/name=alloy --tail=100 | grep loki.write`.
3. Lines that pods still have can be read again: delete the pod and the claim `data-alloy-<n>`.
""",
    },
    {
        "name": "SpansLost",
        "expr": "sum by (namespace) (increase(otelcol_exporter_send_failed_spans_total[10m])) > 0",
        "for_": "0m",
        "severity": Severity.P3,
        "summary": "Alloy gave up on {{ $value | humanize }} spans within 10 minutes.",
        "runbook": """\
## Meaning
Traces of that time have holes, or are missing.

## Act
1. Is Tempo up? `kubectl get pods -l app.kubernetes.io/name=tempo`.
2. `kubectl logs -l app.kubernetes.io/name=alloy --tail=100 | grep otelcol.exporter`.
""",
    },
    {
        "name": "CollectorUnhealthy",
        "expr": (
            "max by (namespace, pod) "
            '(alloy_component_controller_running_components{health_type=~"unhealthy|exited"}) > 0'
        ),
        "for_": "10m",
        "severity": Severity.P2,
        "summary": "{{ $value }} parts of {{ $labels.pod }} do not work.",
        "runbook": """\
## Meaning
Logs or traces may not be collected.

## Act
1. `kubectl port-forward alloy-0 12345`, then http://127.0.0.1:12345/api/v0/web/components: which, and its message.
""",
    },
    {
        "name": "TracesNotStored",
        "expr": "increase(tempo_ingester_failed_flushes_total[15m]) > 0",
        "for_": "15m",
        "severity": Severity.P2,
        "summary": "Tempo has failed for half an hour to write traces to its bucket.",
        "runbook": """\
## Meaning
Traces gather on Tempo's own volume and are lost with it, or when it is full.

## Act
1. `kubectl logs tempo-0 --tail=200 | grep -i flush`: AccessDenied is a key that has been revoked, NoSuchBucket a name.
2. Set `secrets:traces-access-key-id` and `secrets:traces-secret-access-key` anew and deploy: Tempo restarts with them.
""",
    },
    {
        "name": "TraceRetentionFails",
        "expr": "increase(tempodb_retention_errors_total[6h]) > 3",
        "for_": "1h",
        "severity": Severity.P3,
        "summary": "Tempo failed {{ $value | humanize }} times within 6 hours to delete old traces.",
        "runbook": """\
## Meaning
Traces are kept longer than the environment says.

## Act
1. `kubectl logs tempo-0 --tail=500 | grep -i retention`: a key without the right to delete?
""",
    },
]
