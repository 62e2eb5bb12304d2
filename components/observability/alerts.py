"""Alerts about pods, volumes and the monitoring itself: what no other room watches."""

from collections.abc import Sequence

from components.observability.alert import Alert, Severity

WATCHDOG = "Watchdog"
"""Fires always. Its arrival outside the cluster proves the whole way; its absence there is the alarm."""

PODS: list[Alert] = [
    {
        "name": "WorkloadGone",
        "expr": "kube_deployment_status_replicas_available == 0 and kube_deployment_spec_replicas > 0",
        "for_": "2m",
        "severity": Severity.P0,
        "summary": "Not one pod of {{ $labels.deployment }} is available.",
        "runbook": """\
## Meaning
The workload serves nobody.

## Act
1. `kubectl get pods -l app.kubernetes.io/name=<deployment>` and `kubectl describe pod`: image, probe, quota, no node?
2. Deployed within the last hour? `kubectl rollout undo deployment/<deployment>`, then the same in git.
""",
    },
    {
        "name": "WorkloadIncomplete",
        "expr": "kube_deployment_status_replicas_available < kube_deployment_spec_replicas",
        "for_": "15m",
        "severity": Severity.P2,
        "summary": "{{ $labels.deployment }} has only {{ $value }} available pods.",
        "runbook": """\
## Meaning
A roll-out does not end, or a pod cannot be placed. Users are served, with less in reserve.

## Act
1. `kubectl rollout status deployment/<deployment>` and `kubectl get events --sort-by=.lastTimestamp`.
2. Quota or no room: raise the namespace's quota or the nodes. A failing probe: read that pod's log.
""",
    },
    {
        "name": "PodRestartsOften",
        "expr": "increase(kube_pod_container_status_restarts_total[15m]) > 3",
        "for_": "0m",
        "severity": Severity.P2,
        "summary": "{{ $labels.container }} of {{ $labels.pod }} restarts again and again.",
        "runbook": """\
## Meaning
It ends, or its liveness probe fails, within minutes of each start.

## Act
1. `kubectl logs <pod> -c <container> --previous`: the last words.
2. `kubectl describe pod <pod>`: OOMKilled means that `memoryLimit` is too low, or that it leaks.
""",
    },
    {
        "name": "PodCpuHigh",
        "expr": (
            'sum by (namespace, pod, container) (rate(container_cpu_usage_seconds_total{container!=""}[5m]))\n'
            "  / on (namespace, pod, container) max by (namespace, pod, container) (\n"
            '    kube_pod_container_resource_requests{resource="cpu"}\n'
            "  ) > 0.8"
        ),
        "for_": "15m",
        "severity": Severity.P2,
        "summary": "{{ $labels.container }} of {{ $labels.pod }} uses {{ $value | humanizePercentage }} of its CPU.",
        "runbook": """\
## Meaning
It uses more than 80 % of the CPU it asks for. There is no limit, so it is not throttled, but on a full node it would be
slow.

## Act
1. More traffic: raise `replicas`. The same traffic: compare with the last release.
2. It is always so: raise `resources.cpu`.
""",
    },
    {
        "name": "PodMemoryHigh",
        "expr": (
            'max by (namespace, pod, container) (container_memory_working_set_bytes{container!=""})\n'
            "  / on (namespace, pod, container) max by (namespace, pod, container) (\n"
            '    kube_pod_container_resource_limits{resource="memory"}\n'
            "  ) > 0.9"
        ),
        "for_": "5m",
        "severity": Severity.P1,
        "summary": "{{ $labels.container }} of {{ $labels.pod }} uses {{ $value | humanizePercentage }} of its memory.",
        "runbook": """\
## Meaning
At 100 % of its limit the container is killed.

## Act
1. It grows without end: a leak; restart the pods one by one, and roll the last release back if that brought it.
2. It follows the load: raise `memoryLimit` (or, of a database, `memory`) and deploy.
""",
    },
    {
        "name": "VolumeFilling",
        "expr": "kubelet_volume_stats_used_bytes / kubelet_volume_stats_capacity_bytes > 0.85",
        "for_": "10m",
        "severity": Severity.P2,
        "summary": "The volume {{ $labels.persistentvolumeclaim }} is {{ $value | humanizePercentage }} full.",
        "runbook": """\
## Meaning
More than 85 % is used. What writes to it stops at 100 %.

## Act
1. Raise its size in `Pulumi.<stack>.yaml` and deploy: volumes grow while in use, and never shrink.
2. A log volume of Postgres: is PostgresArchivingFails firing? That is the cause then.
""",
    },
    {
        "name": "VolumeAlmostFull",
        "expr": "kubelet_volume_stats_used_bytes / kubelet_volume_stats_capacity_bytes > 0.95",
        "for_": "2m",
        "severity": Severity.P0,
        "summary": "The volume {{ $labels.persistentvolumeclaim }} is {{ $value | humanizePercentage }} full.",
        "runbook": """\
## Meaning
What writes to it stops at 100 %: a database goes down.

## Act
1. `kubectl patch pvc <claim>` with a larger `spec.resources.requests.storage`, at once.
2. Then the same size in `Pulumi.<stack>.yaml`, and deploy.
""",
    },
]

PROBES: list[Alert] = [
    {
        "name": "PublicHostDown",
        # A probe runs every 5 minutes, as long as Prometheus remembers a value: ask for the last two.
        "expr": "max by (namespace, instance) (max_over_time(probe_success[11m])) == 0",
        "for_": "0m",
        "severity": Severity.P0,
        "summary": "{{ $labels.instance }} has not answered two probes in a row.",
        "runbook": """\
## Meaning
From inside the cluster, through the public name: no answer, not 2xx, or a certificate that is not valid.

## Act
1. `curl -v <address>` from your own machine: name, certificate or status?
2. Status 5xx: see ServiceErrorRateHigh. No connection: the gateway (`kubectl get gateway,httproute`), then DNS.
""",
    },
    {
        "name": "CertificateExpires",
        "expr": (
            "min by (namespace, instance) (last_over_time(probe_ssl_earliest_cert_expiry[11m])) - time()\n"
            "  < 14 * 86400"
        ),
        "for_": "1h",
        "severity": Severity.P2,
        "summary": "The certificate of {{ $labels.instance }} expires in {{ $value | humanizeDuration }}.",
        "runbook": """\
## Meaning
cert-manager renews 30 days before the end; it has not.

## Act
1. `kubectl get certificate,certificaterequest,order,challenge` and `kubectl describe` of the one that is not ready.
2. Usual causes: the DNS name moved, the issuer's account is refused, its rate limit is reached.
""",
    },
]

MONITORING: list[Alert] = [
    {
        "name": WATCHDOG,
        "expr": "vector(1)",
        "for_": "0m",
        "severity": Severity.P3,
        "summary": "The way from Prometheus to the outside works; the service that expects this calls when it stops.",
        "runbook": """\
## Meaning
This alert always fires and is sent to the heartbeat service. When that service calls: alerts do not leave the cluster.

## Act
1. `kubectl get prometheus,alertmanager` and their pods: running?
2. `kubectl logs alertmanager-alertmanager-0 -c alertmanager --tail=50`: refused by the receiver, or no route out?
3. Until it is mended nobody is called for anything: watch the dashboards.
""",
    },
    {
        "name": "TargetDown",
        "expr": "up == 0",
        "for_": "5m",
        "severity": Severity.P2,
        "summary": "Prometheus cannot read the metrics of {{ $labels.job }} at {{ $labels.instance }}.",
        "runbook": """\
## Meaning
The pod is there and its metrics are not: its alerts are blind.

## Act
1. Prometheus' page Targets says why: refused, timed out (network policy), 404 (path), or too slow.
2. `kubectl get networkpolicy`: is there one that lets Prometheus in to this pod?
""",
    },
    {
        "name": "RulesFail",
        "expr": "increase(prometheus_rule_evaluation_failures_total[10m]) > 0",
        "for_": "0m",
        "severity": Severity.P1,
        "summary": "Prometheus cannot evaluate rules of {{ $labels.rule_group }}: those alerts cannot fire.",
        "runbook": """\
## Meaning
An expression fails, mostly because two series match where one is expected.

## Act
1. Prometheus' page Rules shows the error beside the rule.
2. Mend the expression in `components/*/alerts.py`; add the case to the rule's test.
""",
    },
    {
        "name": "PrometheusWithoutAlertmanager",
        "expr": "max by (namespace, pod) (prometheus_notifications_alertmanagers_discovered) < 1",
        "for_": "5m",
        "severity": Severity.P1,
        "summary": "{{ $labels.pod }} knows no Alertmanager to send alerts to.",
        "runbook": """\
## Meaning
Alerts of this Prometheus reach nobody. (That this one did: another replica still has its Alertmanager.)

## Act
1. `kubectl get alertmanager,pods -l app.kubernetes.io/name=alertmanager`: running?
2. `kubectl get endpoints alertmanager-operated`: empty means that no pod is ready.
""",
    },
    {
        "name": "NotificationsFail",
        "expr": (
            "sum by (namespace, integration) (rate(alertmanager_notifications_failed_total[5m]))\n"
            "  / sum by (namespace, integration) (rate(alertmanager_notifications_total[5m])) > 0.01"
        ),
        "for_": "5m",
        "severity": Severity.P1,
        "summary": "{{ $value | humanizePercentage }} of the messages to {{ $labels.integration }} fail.",
        "runbook": """\
## Meaning
Some people are not called.

## Act
1. `kubectl logs alertmanager-alertmanager-0 -c alertmanager --tail=50`: 401 or 403 is a key that has been revoked.
2. Set the secret `secrets:alert-…` of that receiver anew and deploy; it is read at the next message.
""",
    },
]


def targets_missing(jobs: Sequence[str]) -> Alert:
    """Nothing to scrape at all is not `up == 0`: the series is gone. `jobs`: what the environment declares."""
    return {
        "name": "TargetsMissing",
        "expr": "\n  or ".join(f'absent(up{{job="{job}"}})' for job in sorted(jobs)),
        "for_": "10m",
        "severity": Severity.P1,
        "summary": "Prometheus finds no pod of {{ $labels.job }} to read metrics from.",
        "runbook": """\
## Meaning
Declared, and not there: no pod runs, or its labels or its port are not those of its monitor. Its alerts are blind.

## Act
1. `kubectl get pods -l app.kubernetes.io/name=<job>`: none? Then that is the trouble.
2. Pods run: compare their labels and port names with `kubectl get podmonitor <job> -o yaml`.
""",
    }
