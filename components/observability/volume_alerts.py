"""Alerts about volumes of the environment: how full they are, as the kubelets count it."""

from components.observability.alert import Alert, Severity

VOLUMES: list[Alert] = [
    {
        "name": "VolumeFilling",
        "expr": "kubelet_volume_stats_used_bytes / kubelet_volume_stats_capacity_bytes > 0.85",
        "for_": "10m",
        "severity": Severity.P2,
        "service": "{{ $labels.persistentvolumeclaim }}",
        "summary": "The volume {{ $labels.persistentvolumeclaim }} is {{ $value | humanizePercentage }} full.",
        "description": "More than 85 % of its disk space is used, for 10 minutes.",
        "dashboard": "postgres",
        "runbook": """\
## Meaning
The disk of a stateful workload fills.

## Impact
None yet. What writes to it stops at 100 %.

## First checks
1. `kubectl get pvc <claim>`: whose is it, and how large?
2. A log volume of Postgres: is PostgresArchivingFails or PostgresArchivingLags firing? That is the cause then.

## Mitigation
1. Raise its size in `Pulumi.<stack>.yaml` and deploy: volumes grow while in use, and never shrink.
2. Prometheus and Loki: a shorter `retention` does it, too.
""",
    },
    {
        "name": "VolumeAlmostFull",
        "expr": "kubelet_volume_stats_used_bytes / kubelet_volume_stats_capacity_bytes > 0.95",
        "for_": "2m",
        "severity": Severity.P0,
        "service": "{{ $labels.persistentvolumeclaim }}",
        "summary": "The volume {{ $labels.persistentvolumeclaim }} is {{ $value | humanizePercentage }} full.",
        "description": "More than 95 % of its disk space is used, for 2 minutes.",
        "dashboard": "postgres",
        "runbook": """\
## Meaning
Minutes, or a few hours, are left.

## Impact
What writes to it stops at 100 %: a database goes down, and with it the product.

## First checks
1. `kubectl get pvc <claim>`: whose is it, and how large?

## Mitigation
1. At once: `kubectl patch pvc <claim> -p '{"spec":{"resources":{"requests":{"storage":"<larger>"}}}}'`.
2. Then the same size in `Pulumi.<stack>.yaml`, and deploy.
3. Then look for the cause as for VolumeFilling.
""",
    },
]
