"""Alerts about logs and traces on their way: read, accepted, stored, and deleted when their time has come."""

from components.observability.alert import Alert, Severity

TELEMETRY: list[Alert] = [
    {
        "name": "LogsNotStored",
        "expr": "increase(loki_ingester_chunks_flush_failures_total[15m]) > 0",
        "for_": "15m",
        "severity": Severity.P1,
        "summary": "Loki has failed for half an hour to write logs to its bucket.",
        "description": "{{ $value | humanize }} chunks could not be written within 15 minutes.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
Loki cannot write to its bucket.

## Impact
Logs gather on Loki's own volume and are lost with it, or when it is full.

## First checks
1. `kubectl logs loki-0 --tail=200 | grep -i flush`: AccessDenied is a key that has been revoked, NoSuchBucket a name.

## Mitigation
1. Set `secrets:logs-access-key-id` and `secrets:logs-secret-access-key` anew and deploy: Loki restarts with them.
2. VolumeFilling fires too? Raise `observability.logs.storage` first, that buys time.
""",
    },
    {
        "name": "LogsRefused",
        "expr": "sum by (namespace, job, reason) (rate(loki_discarded_samples_total[5m])) > 0",
        "for_": "15m",
        "severity": Severity.P2,
        "summary": "Loki refuses log lines: {{ $labels.reason }}.",
        "description": "{{ $value | humanize }} lines a second are refused, for 15 minutes.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
Loki refuses what it is sent; the reason is Loki's own word for the limit that was met.

## Impact
These lines are lost.

## First checks
1. `rate_limited`, `per_stream_rate_limit`: who writes so much? In Grafana: `topk(5, sum by (service_name)
   (bytes_rate({namespace=~".+"}[5m])))`.
2. `kubectl logs loki-0 --tail=100`: the lines that name the limit.

## Mitigation
1. Mostly a loop, or a log level left at debug: lower `LOG_LEVEL` of that service and deploy.
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
        "description": "The last run that worked is longer than 24 hours ago.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
Loki's compactor, which deletes old lines each ten minutes, does not get through.

## Impact
Lines are kept longer than the environment says. Nothing is lost; what has to be forgotten is not.

## First checks
1. `kubectl logs loki-0 --tail=500 | grep -i -e compactor -e retention`: a key without the right to delete?

## Mitigation
1. Give the key the right to delete in the bucket, or set `secrets:logs-…` to one that has it, and deploy.
2. No error in the log: `kubectl delete pod loki-0`; the compactor starts anew.
""",
    },
    {
        "name": "LogsLost",
        "expr": "sum by (namespace, reason) (increase(loki_write_dropped_entries_total[10m])) > 0",
        "for_": "0m",
        "severity": Severity.P2,
        "service": "alloy",
        "summary": "Alloy gave up on {{ $value | humanize }} log lines within 10 minutes: {{ $labels.reason }}.",
        "description": "Alloy could not hand them to Loki, and does not try again.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
Alloy tried for some minutes to hand lines to Loki, and dropped them.

## Impact
They are lost, unless the pods still have them.

## First checks
1. Is Loki up? `kubectl get pods -l app.kubernetes.io/name=loki`. Is LogsRefused firing? Then go on there.
2. `kubectl logs -l app.kubernetes.io/name=alloy --tail=100 | grep loki.write`.

## Mitigation
1. Loki is down: bring it back first (WorkloadIncomplete, PodPending).
2. Lines that pods still have can be read again: delete the pod and the claim `data-alloy-<n>`.
""",
    },
    {
        "name": "LogsFlood",
        # A pod's series begins with its first drop: where it is new, all of it is.
        "expr": (
            "sum by (namespace, label_name, label_value) (\n"
            "  (\n"
            "    loki_process_dropped_lines_by_label_total\n"
            "      unless loki_process_dropped_lines_by_label_total offset 10m\n"
            "  ) or increase(loki_process_dropped_lines_by_label_total[10m])\n"
            ") > 0"
        ),
        "for_": "0m",
        "severity": Severity.P2,
        "service": "{{ $labels.label_value }}",
        "summary": "The {{ $labels.label_name }} {{ $labels.label_value }} writes more lines than are kept.",
        "description": "{{ $value | humanize }} of its lines were dropped within 10 minutes; others lose none.",
        "dashboard": "logs",
        "runbook": """\
## Meaning
Alloy takes 500 lines a second of a pod and 2000 of a namespace, and 20 seconds' worth at once. It drops what is beyond.

## Impact
These lines are lost, and what they would have said. The logs of all others are complete.

## First checks
1. `kubectl logs <pod> --tail=20`: the same line again and again? A loop, or a log level left at debug.
2. Dashboard Logs: since when? After Loki or Alloy was away, lines come all at once, and it passes.

## Mitigation
1. Lower `LOG_LEVEL` of that service and deploy, or take the release back that brought the loop.
2. It must write so much: raise `POD_LINES` in `components/observability/pipeline.py`, and with it Loki's
   `ingestion_rate_mb`.
""",
    },
    {
        "name": "LogAlertsFail",
        "expr": (
            "max by (namespace, job) (loki_prometheus_notifications_alertmanagers_discovered) < 1\n"
            "  or sum by (namespace, job) (increase(loki_prometheus_rule_evaluation_failures_total[10m])) > 0\n"
            "  or sum by (namespace, job) (increase(loki_prometheus_notifications_errors_total[10m])) > 0"
        ),
        "for_": "10m",
        "severity": Severity.P2,
        "summary": "Loki cannot evaluate its alerts, or cannot hand them to Alertmanager.",
        "description": "For 10 minutes: no Alertmanager is known, or evaluations or messages fail.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
Alerts on logs (group `logs` of the runbooks) are evaluated by Loki, which does not manage to.

## Impact
These alerts do not arrive. Alerts on metrics are not concerned.

## First checks
1. `kubectl logs loki-0 --tail=200 | grep -i -e ruler -e notifier`: a query that takes too long, or no Alertmanager?
2. `kubectl get endpoints alertmanager-operated`: empty means that no Alertmanager is ready.

## Mitigation
1. No Alertmanager: see PrometheusWithoutAlertmanager, which fires too.
2. Refused or timed out: `kubectl get networkpolicy loki-to-alertmanager` must be there; deploy again.
3. A query takes too long: raise `observability.logs.resources`.
""",
    },
    {
        "name": "SpansLost",
        # Dropped too early: there was no memory to wait for the end of a trace, so it was never looked at.
        "expr": (
            "sum by (namespace) (increase(otelcol_exporter_send_failed_spans_total[10m])) > 0\n"
            "  or sum by (namespace) (\n"
            "    increase(otelcol_processor_tail_sampling_sampling_trace_dropped_too_early_total[10m])\n"
            "  ) > 0"
        ),
        "for_": "0m",
        "severity": Severity.P3,
        "service": "alloy",
        "summary": "Alloy gave up on {{ $value | humanize }} spans or traces within 10 minutes.",
        "description": "Alloy could not hand them on, or not hold them until their trace had ended.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
Alloy tried for some minutes to hand spans to Tempo or to another replica, and dropped them; or there were more traces
at once than it holds.

## Impact
Traces of that time have holes, or are missing.

## First checks
1. Is Tempo up? `kubectl get pods -l app.kubernetes.io/name=tempo`.
2. `kubectl logs -l app.kubernetes.io/name=alloy --tail=100 | grep otelcol.exporter`.

## Mitigation
1. Tempo is down: bring it back (WorkloadIncomplete, PodPending). What was lost stays lost.
2. Tempo refuses (ResourceExhausted): lower `observability.traces.share`, or raise `observability.traces.resources`.
3. Too many traces at once: raise `observability.collector.replicas`, which share them.
""",
    },
    {
        "name": "CollectorUnhealthy",
        "expr": (
            "max by (namespace, job, pod) "
            '(alloy_component_controller_running_components{health_type=~"unhealthy|exited"}) > 0'
        ),
        "for_": "10m",
        "severity": Severity.P2,
        "summary": "{{ $value }} parts of {{ $labels.pod }} do not work.",
        "description": "For 10 minutes a component of it has been unhealthy or has ended.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
A component of Alloy reports a fault.

## Impact
Logs or traces may not be collected.

## First checks
1. `kubectl port-forward alloy-0 12345`, then http://127.0.0.1:12345/api/v0/web/components: which, and its message.
2. `kubectl logs alloy-0 --tail=100`.

## Mitigation
1. It cannot reach Loki or Tempo: see whether those run.
2. It cannot list pods: `kubectl get rolebinding,clusterrolebinding | grep alloy`; deploy again.
3. Else `kubectl delete pod <pod>`.
""",
    },
    {
        "name": "TracesNotStored",
        "expr": "increase(tempo_ingester_failed_flushes_total[15m]) > 0",
        "for_": "15m",
        "severity": Severity.P2,
        "summary": "Tempo has failed for half an hour to write traces to its bucket.",
        "description": "{{ $value | humanize }} blocks could not be written within 15 minutes.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
Tempo cannot write to its bucket.

## Impact
Traces gather on Tempo's own volume and are lost with it, or when it is full.

## First checks
1. `kubectl logs tempo-0 --tail=200 | grep -i flush`: AccessDenied is a key that has been revoked, NoSuchBucket a name.

## Mitigation
1. Set `secrets:traces-access-key-id` and `secrets:traces-secret-access-key` anew and deploy: Tempo restarts with them.
2. VolumeFilling fires too? Raise `observability.traces.storage` first, that buys time.
""",
    },
    {
        "name": "TraceRetentionFails",
        "expr": "increase(tempodb_retention_errors_total[6h]) > 3",
        "for_": "1h",
        "severity": Severity.P3,
        "summary": "Tempo failed {{ $value | humanize }} times within 6 hours to delete old traces.",
        "description": "More than 3 failures within 6 hours: deleting does not work.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
Tempo cannot delete from its bucket.

## Impact
Traces are kept longer than the environment says.

## First checks
1. `kubectl logs tempo-0 --tail=500 | grep -i retention`: a key without the right to delete?

## Mitigation
1. Give the key the right to delete in the bucket, or set `secrets:traces-…` to one that has it, and deploy.
""",
    },
    {
        "name": "RemoteWriteFails",
        # What is refused for good is counted as failed; a receiver that is away only lets it fall behind.
        "expr": (
            "sum by (namespace, job, pod) (rate(prometheus_remote_storage_samples_failed_total[5m])) > 0\n"
            "  or time()\n"
            "    - min by (namespace, job, pod) (prometheus_remote_storage_queue_highest_sent_timestamp_seconds) > 600"
        ),
        "for_": "10m",
        "severity": Severity.P3,
        "summary": "The copy of the metrics elsewhere is incomplete: {{ $labels.pod }} cannot write it.",
        "description": "For 10 minutes samples are refused, or the copy is more than 10 minutes behind.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
The server that `observability.prometheus.remoteWrite` names refuses samples, or does not answer.

## Impact
None here: alerts and dashboards read Prometheus' own samples. The copy has a hole, once it is two hours behind.

## First checks
1. `kubectl logs prometheus-prometheus-0 -c prometheus --tail=100 | grep -i remote`: 401 or 403 is the token.

## Mitigation
1. Set `secrets:remote-write-token` anew and deploy.
2. 429: ask for a higher limit, or send less.
3. No answer: the receiver's own status page; Prometheus goes on where it stopped.
""",
    },
]
