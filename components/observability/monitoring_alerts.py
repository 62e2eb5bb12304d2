"""Alerts about what watches: Prometheus and Alertmanager."""

from components.observability.alert import Alert, Severity

WATCHDOG = "Watchdog"
"""Fires always. Its arrival outside the cluster proves the whole way; its absence there is the alarm."""

MONITORING: list[Alert] = [
    {
        "name": WATCHDOG,
        "expr": "vector(1)",
        "for_": "0m",
        "severity": Severity.P3,
        "service": "alertmanager",
        "summary": "The way from Prometheus to the outside works; the service that expects this calls when it stops.",
        "description": "It always fires, each minute anew, and reaches the heartbeat service alone.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
This alert always fires and is sent to the heartbeat service. When that service calls: alerts do not leave the cluster.

## Impact
Until it is mended nobody is called for anything: watch the dashboards.

## First checks
1. `kubectl get prometheus,alertmanager,pods -l app.kubernetes.io/managed-by=prometheus-operator`: running?
2. `kubectl logs alertmanager-alertmanager-0 -c alertmanager --tail=50`: refused by the receiver, or no route out?

## Mitigation
1. Pods that do not run: see WorkloadIncomplete and PodPending.
2. Refused: set the secret `secrets:alert-heartbeat-url` anew and deploy.
3. No route out: the network policy `alertmanager` must open port 443 to public addresses.
""",
    },
    {
        "name": "TargetDown",
        # Kubelets of nodes without a pod of ours are not our business.
        "expr": 'up{node=""} == 0 or (up == 0 and on (node) kube_pod_info{node!=""})',
        "for_": "5m",
        "severity": Severity.P2,
        "summary": "Prometheus cannot read the metrics of {{ $labels.job }} at {{ $labels.instance }}.",
        "description": "Every scrape of it has failed for 5 minutes.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
The pod is there and its metrics are not.

## Impact
Its alerts are blind; whether users are served is not known.

## First checks
1. `kubectl port-forward service/prometheus 9090`, then http://127.0.0.1:9090/targets: refused, timed out, 404?
2. `kubectl get pod <pod> -o wide`: ready?
3. `kubectl get networkpolicy prometheus-to-<job> -o yaml`: does it let Prometheus in at that port?

## Mitigation
1. Timed out while others answer: the pod hangs; `kubectl delete pod <pod>`.
2. 404 after a release: it does not serve `/metrics` any more; take the release back.
""",
    },
    {
        "name": "RulesFail",
        "expr": "increase(prometheus_rule_evaluation_failures_total[10m]) > 0",
        "for_": "0m",
        "severity": Severity.P1,
        "summary": "Prometheus cannot evaluate rules of {{ $labels.rule_group }}: those alerts cannot fire.",
        "description": "{{ $value | humanize }} evaluations failed within 10 minutes.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
An expression fails, mostly because two series match where one is expected.

## Impact
The alerts of that group may not fire: nobody would be called.

## First checks
1. `kubectl port-forward service/prometheus 9090`, then http://127.0.0.1:9090/rules: the error stands beside the rule.
2. `kubectl logs prometheus-prometheus-0 -c prometheus --tail=100 | grep -i "evaluating rule failed"`.

## Mitigation
1. Came with a release: take it back.
2. Mend the expression in `components/*/alerts.py`; add the case to the rule's test.
""",
    },
    {
        "name": "RulesLate",
        "expr": "increase(prometheus_rule_group_iterations_missed_total[10m]) > 3",
        "for_": "5m",
        "severity": Severity.P2,
        "summary": "Prometheus skips evaluations of {{ $labels.rule_group }}: its alerts come late.",
        "description": "{{ $value | humanize }} of about 20 evaluations within 10 minutes were skipped.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
Evaluating the group takes longer than its interval.

## Impact
Alerts come late, and recorded series have holes.

## First checks
1. `kubectl top pod prometheus-prometheus-0 --containers`: at its CPU or memory?
2. `kubectl port-forward service/prometheus 9090`, then http://127.0.0.1:9090/rules: which rule takes seconds?

## Mitigation
1. Raise `observability.prometheus.resources` and deploy.
2. One slow rule: a metric has grown many series; drop the label that multiplies them.
""",
    },
    {
        "name": "PrometheusWithoutAlertmanager",
        "expr": "max by (namespace, job, pod) (prometheus_notifications_alertmanagers_discovered) < 1",
        "for_": "5m",
        "severity": Severity.P1,
        "summary": "{{ $labels.pod }} knows no Alertmanager to send alerts to.",
        "description": "It has discovered {{ $value }} of them, for 5 minutes.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
Alerts of this Prometheus reach nobody. (That this one did: another replica still has its Alertmanager.)

## Impact
With the last way gone nobody is called for anything.

## First checks
1. `kubectl get alertmanager,pods -l app.kubernetes.io/name=alertmanager`: running?
2. `kubectl get endpoints alertmanager-operated`: empty means that no pod is ready.

## Mitigation
1. Pods that are not ready: `kubectl logs alertmanager-alertmanager-0 -c alertmanager --tail=50` names the fault.
2. Ready pods: `kubectl delete pod <pod>` of the Prometheus; it discovers anew.
""",
    },
    {
        "name": "PrometheusCannotSend",
        "expr": (
            "sum by (namespace, job, pod) (rate(prometheus_notifications_errors_total[5m]))\n"
            "  / (sum by (namespace, job, pod) (rate(prometheus_notifications_sent_total[5m])) > 0) > 0.01"
        ),
        "for_": "10m",
        "severity": Severity.P1,
        "summary": "{{ $value | humanizePercentage }} of the alerts that {{ $labels.pod }} sends do not arrive.",
        "description": "More than 1 % fail on their way to an Alertmanager, for 10 minutes.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
An Alertmanager is known and does not take what it is sent.

## Impact
With a second Alertmanager none: each alert is sent to all. With one, nobody is called.

## First checks
1. `kubectl logs prometheus-prometheus-0 -c prometheus --tail=100 | grep -i alertmanager`: refused, timed out?
2. `kubectl get pods -l app.kubernetes.io/name=alertmanager`: all ready?

## Mitigation
1. One hangs: `kubectl delete pod <pod>`.
2. Timed out everywhere: the network policy `alertmanager` must let Prometheus in at 9093.
""",
    },
    {
        "name": "PrometheusNotIngesting",
        "expr": "sum by (namespace, job, pod) (rate(prometheus_tsdb_head_samples_appended_total[5m])) == 0",
        "for_": "10m",
        "severity": Severity.P1,
        "summary": "{{ $labels.pod }} takes in no samples: its alerts are blind.",
        "description": "{{ $value }} samples a second have been stored, for 10 minutes.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
It runs, and scrapes nothing or cannot store what it scrapes.

## Impact
Alerts rest on old values; with a single server nobody is called.

## First checks
1. `kubectl logs prometheus-prometheus-0 -c prometheus --tail=100`: no space left, or no targets?
2. `kubectl exec prometheus-prometheus-0 -c prometheus -- df -h /prometheus`.

## Mitigation
1. Full disk: raise `observability.prometheus.storage`, or lower `retention`, and deploy.
2. No targets: `kubectl get podmonitors`; gone with the last release? Take it back.
""",
    },
    {
        "name": "ConfigurationNotLoaded",
        "expr": ("prometheus_config_last_reload_successful == 0\n  or alertmanager_config_last_reload_successful == 0"),
        "for_": "10m",
        "severity": Severity.P2,
        "summary": "{{ $labels.pod }} refuses its new configuration and goes on with the old one.",
        "description": "The last reload failed; it has been so for 10 minutes.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
The file it was given has a fault.

## Impact
None until it restarts: then it does not start any more. New rules, routes and receivers do not count yet.

## First checks
1. `kubectl logs <pod> --all-containers --tail=100 | grep -i -e reload -e configuration`: the fault, with its line.

## Mitigation
1. Take the last change of `mainstay:observability` back and deploy; then mend it with `make test` green.
""",
    },
    {
        "name": "PrometheusStorageFails",
        "expr": (
            "increase(prometheus_tsdb_compactions_failed_total[3h]) > 0\n"
            "  or increase(prometheus_tsdb_wal_corruptions_total[3h]) > 0\n"
            "  or increase(prometheus_tsdb_wal_truncations_failed_total[3h]) > 0"
        ),
        "for_": "0m",
        "severity": Severity.P2,
        "summary": "{{ $labels.pod }} cannot keep its data in order.",
        "description": (
            "{{ $value | humanize }} compactions or truncations failed, or parts of the write-ahead log were damaged, "
            "within 3 hours."
        ),
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
Its disk is full or faulty.

## Impact
The log grows until the volume is full; then nothing is stored, and history may have holes.

## First checks
1. `kubectl logs prometheus-prometheus-0 -c prometheus --tail=300 | grep -i -e compact -e wal`.
2. `kubectl exec prometheus-prometheus-0 -c prometheus -- df -h /prometheus`.

## Mitigation
1. Full: raise `observability.prometheus.storage` and deploy.
2. A damaged block, named in the log: delete its folder, then the pod; the other replica has the same samples.
""",
    },
    {
        "name": "NotificationsFail",
        "expr": (
            "sum by (namespace, job, integration) (rate(alertmanager_notifications_failed_total[5m]))\n"
            "  / sum by (namespace, job, integration) (rate(alertmanager_notifications_total[5m])) > 0.01"
        ),
        "for_": "5m",
        "severity": Severity.P1,
        "summary": "{{ $value | humanizePercentage }} of the messages to {{ $labels.integration }} fail.",
        "description": "More than 1 %, for 5 minutes. (This message came by another way.)",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
The receiver refuses messages, or cannot be reached.

## Impact
Some people are not called.

## First checks
1. `kubectl logs alertmanager-alertmanager-0 -c alertmanager --tail=50`: 401 or 403 is a key that has been revoked.
2. The receiver's own status page.

## Mitigation
1. Set the secret `secrets:alert-…` of that receiver anew and deploy; it is read at the next message.
2. The receiver is down: have people look at the dashboards, and turn another contact on.
""",
    },
    {
        "name": "AlertmanagersApart",
        # A single server has no mesh, and then none of these metrics.
        "expr": (
            "min by (namespace, job) (alertmanager_cluster_members)\n"
            '    < count by (namespace, job) (up{job="alertmanager"} == 1)\n'
            "  or count by (namespace, job) (\n"
            '    count_values by (namespace, job) ("config", alertmanager_config_hash)\n'
            "  ) > 1"
        ),
        "for_": "20m",
        "severity": Severity.P2,
        "summary": "The Alertmanagers do not see each other, or do not have the same configuration.",
        "description": "For 20 minutes: {{ $value }} members are seen, or as many configurations are in use.",
        "dashboard": "telemetry",
        "runbook": """\
## Meaning
They agree over port 9094 who tells, and what is silenced.

## Impact
People are told twice, a silence holds on one server only, or a new receiver is not used everywhere.

## First checks
1. `kubectl get pods -l app.kubernetes.io/name=alertmanager -o wide`: all ready?
2. `kubectl logs alertmanager-alertmanager-0 -c alertmanager --tail=100 | grep -i cluster`.

## Mitigation
1. `kubectl get networkpolicy alertmanager -o yaml`: port 9094 must be open between them, TCP and UDP.
2. `kubectl delete pod <pod>` of the one that stands apart.
""",
    },
]
