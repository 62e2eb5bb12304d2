"""Alerts about workloads, pods and jobs: what the API server and the kubelets know."""

from components.observability.alert import Alert, Severity

_WATCHING = "grafana|kube-state-metrics|blackbox-exporter|loki|tempo|alloy|prometheus-.*|alertmanager-.*"
"""Workloads that watch: without them nobody sees, but the product is served."""
_OF_POD = '{{ reReplaceAll "-([a-z0-9]+-[a-z0-9]{5}|[0-9]+)$" "" $labels.pod }}'
"""The workload of a pod, by the pod's name: `api-6c9f4d7b8-x2x4z`, `redis-queue-0`."""
_DEPLOYED = f'kube_deployment_spec_replicas{{deployment!~"{_WATCHING}"}}'
_STATEFUL = f'kube_statefulset_replicas{{statefulset!~"{_WATCHING}"}}'


def _workload(deployments: str, stateful_sets: str) -> str:
    """Both kinds in one, the name in the label `workload`."""
    return (
        f'label_replace({deployments}, "workload", "$1", "deployment", "(.+)")\n'
        f'  or label_replace({stateful_sets}, "workload", "$1", "statefulset", "(.+)")'
    )


PODS: list[Alert] = [
    {
        "name": "WorkloadGone",
        "expr": _workload(
            f"kube_deployment_status_replicas_available == 0 and {_DEPLOYED} > 0",
            f"kube_statefulset_status_replicas_ready == 0 and {_STATEFUL} > 0",
        ),
        "for_": "2m",
        "severity": Severity.P0,
        "service": "{{ $labels.workload }}",
        "summary": "Not one pod of {{ $labels.workload }} is available.",
        "description": "{{ $value }} pods are available, and at least one should be, for 2 minutes.",
        "dashboard": "services",
        "runbook": """\
## Meaning
No pod of the workload is ready, though the environment asks for some.

## Impact
The workload serves nobody: what users do through it fails.

## First checks
1. `kubectl get pods -l app.kubernetes.io/name=<workload>`: none, Pending, or restarting?
2. `kubectl describe pod <pod>`: image, probe, quota, no node?
3. `kubectl rollout history deployment/<workload>`: deployed within the last hour?

## Mitigation
1. Deployed lately: `kubectl rollout undo deployment/<workload>`, then the same in git.
2. Image not found: name one that exists in `Pulumi.<stack>.yaml`. Quota: raise the namespace's in the same file.
3. Crashing: `kubectl logs <pod> --previous` says at what; a database that is down has its own alert and page.
""",
    },
    {
        "name": "WorkloadIncomplete",
        "expr": _workload(
            "kube_deployment_status_replicas_available < kube_deployment_spec_replicas",
            "kube_statefulset_status_replicas_ready < kube_statefulset_replicas",
        ),
        "for_": "15m",
        "severity": Severity.P2,
        "service": "{{ $labels.workload }}",
        "summary": "{{ $labels.workload }} lacks pods.",
        "description": "Only {{ $value }} of its pods are available, for 15 minutes.",
        "dashboard": "services",
        "runbook": """\
## Meaning
A roll-out does not end, or a pod cannot be placed.

## Impact
Users are served, with less in reserve: the next failure, or the next peak, is felt.

## First checks
1. `kubectl rollout status deployment/<workload> --timeout=5s` (or `statefulset/<workload>`).
2. `kubectl get events --sort-by=.lastTimestamp`: the last lines name the cause.
3. `kubectl logs <pod> --tail=50` of a pod that runs and is not ready.

## Mitigation
1. Quota or no room: raise the namespace's quota or the nodes.
2. A failing probe after a release: `kubectl rollout undo deployment/<workload>`, then the same in git.
""",
    },
    {
        "name": "RolloutStuck",
        # The old pods serve, as many as are asked for: no count of pods shows it.
        "expr": (
            "max by (namespace, deployment) (\n"
            '  kube_deployment_status_condition{condition="Progressing",status="false"}\n'
            ") == 1"
        ),
        "for_": "5m",
        "severity": Severity.P2,
        "service": "{{ $labels.deployment }}",
        "summary": "The roll-out of {{ $labels.deployment }} does not get on.",
        "description": "No new pod became ready within 10 minutes, Kubernetes' own bound; that was 5 minutes ago.",
        "dashboard": "services",
        "runbook": """\
## Meaning
The new version does not become ready. The old pods were not stopped.

## Impact
Users are served by the old version; nothing that was released is there.

## First checks
1. `kubectl get pods -l app.kubernetes.io/name=<deployment>`: the youngest is Pending, restarting, or not ready?
2. `kubectl logs <pod> --tail=100` of that one; `kubectl describe pod <pod>`: the events.

## Mitigation
1. `kubectl rollout undo deployment/<deployment>`, then the same in git.
2. Quota or no room: raise the namespace's quota or the nodes.
""",
    },
    {
        "name": "PodPending",
        # Pods of operators belong to no Deployment: a replica of a database that finds no node is seen here alone.
        "expr": 'max by (namespace, pod) (kube_pod_status_phase{phase=~"Pending|Unknown"}) > 0',
        "for_": "15m",
        "severity": Severity.P2,
        "service": _OF_POD,
        "summary": "{{ $labels.pod }} has not started for a quarter of an hour.",
        "description": "Its phase is Pending or Unknown: no node takes it, its volume is missing, or its node is gone.",
        "dashboard": "services",
        "runbook": """\
## Meaning
The pod is wanted and does not run.

## Impact
One replica less. Of a database: fewer copies of the data, and maybe commits that wait.

## First checks
1. `kubectl describe pod <pod>`: the events at the end say what it waits for.
2. `kubectl get pvc`: a claim that is Pending waits for a volume or for a storage class.

## Mitigation
1. "Insufficient cpu" or "memory": add nodes, or lower `resources` of something less needed.
2. "ImagePullBackOff": the image's name or the registry's key; correct it and deploy.
3. Unknown: its node does not answer; remove the node, so that the pod is made anew elsewhere.
""",
    },
    {
        "name": "PodRestartsOften",
        # In full back-off a container restarts each 5 minutes: too seldom for the count, hence the second half.
        "expr": (
            "max by (namespace, pod, container) (increase(kube_pod_container_status_restarts_total[15m])) > 3\n"
            "  or max by (namespace, pod, container) (\n"
            '    max_over_time(kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff"}[6m])\n'
            "  ) > 0"
        ),
        "for_": "5m",
        "severity": Severity.P2,
        "service": _OF_POD,
        "summary": "{{ $labels.container }} of {{ $labels.pod }} restarts again and again.",
        "description": "More than 3 restarts within 15 minutes, or in back-off between two restarts, for 5 minutes.",
        "dashboard": "services",
        "runbook": """\
## Meaning
It ends, or its liveness probe fails, within minutes of each start.

## Impact
This pod serves little or nothing; the workload's other pods carry its share.

## First checks
1. `kubectl logs <pod> -c <container> --previous --tail=50`: the last words.
2. `kubectl describe pod <pod>`: the last state, `OOMKilled` or an exit code?

## Mitigation
1. OOMKilled: raise `memoryLimit`, or roll back the release that leaks.
2. An error at start: a secret or a variable is missing or wrong; correct it in `Pulumi.<stack>.yaml` and deploy.
3. The liveness probe fails under load: raise `replicas`.
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
        "service": _OF_POD,
        "summary": "{{ $labels.container }} of {{ $labels.pod }} uses {{ $value | humanizePercentage }} of its CPU.",
        "description": "More than 80 % of the CPU it asks for, for 15 minutes.",
        "dashboard": "services",
        "runbook": """\
## Meaning
It uses more than 80 % of the CPU it asks for. There is no limit, so it is not throttled.

## Impact
None yet. On a full node it would be slow.

## First checks
1. `kubectl top pod <pod> --containers`: still so?
2. Dashboard: more requests than usual, or more CPU for each?

## Mitigation
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
        "service": _OF_POD,
        "summary": "{{ $labels.container }} of {{ $labels.pod }} uses {{ $value | humanizePercentage }} of its memory.",
        "description": "More than 90 % of its limit, for 5 minutes; at 100 % it is killed.",
        "dashboard": "services",
        "runbook": """\
## Meaning
The container is close to its memory limit.

## Impact
At 100 % it is killed: requests and jobs in it are lost, and it starts anew.

## First checks
1. `kubectl top pod <pod> --containers`: still so?
2. Dashboard: does it grow without end, or follow the load?

## Mitigation
1. It grows without end: `kubectl delete pod <pod>`, one by one, and roll the last release back if that brought it.
2. It follows the load: raise `memoryLimit` (or, of a database, `memory`) and deploy.
""",
    },
    {
        "name": "JobFailed",
        # A failed Job stays for days; it is told for one, and a newer run is a Job of its own.
        "expr": (
            'max by (namespace, job_name) (kube_job_failed{condition="true"}) == 1\n'
            "  and on (namespace, job_name) time() - kube_job_status_start_time < 86400"
        ),
        "for_": "0m",
        "severity": Severity.P2,
        "service": '{{ reReplaceAll "-[0-9]+$" "" $labels.job_name }}',
        "summary": "The job {{ $labels.job_name }} failed.",
        "description": "It used up its retries within the last day, and does not try again by itself.",
        "dashboard": "services",
        "runbook": """\
## Meaning
Every try of the job ended with an error.

## Impact
What it should do is not done until its next run, or not at all where it has no schedule.

## First checks
1. `kubectl describe job <job>`: too many failures, or too slow (DeadlineExceeded)?
2. `kubectl logs job/<job> --tail=100`: the last try's words.

## Mitigation
1. Mend the cause, then run it again: `kubectl create job --from=cronjob/<cronjob> <job>-again`.
2. `kubectl delete job <job>` ends this alert.
""",
    },
]
