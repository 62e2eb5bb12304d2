"""Alerts about the nodes that run pods of this environment: what the API server and the kubelets say of them.

There is no node exporter: it mounts the host's file system, which the namespace's pod security forbids, and one for
each environment would measure the same machines again. The kubelets have what is needed here.
"""

from components.observability.alert import Alert, Severity

_OURS = "  and on (node) kube_pod_info"
"""Other nodes of the cluster are the business of whoever runs pods there."""


def _share(used: str, resource: str) -> str:
    """What a node uses of all it has."""
    has = f'max by (node) (kube_node_status_capacity{{resource="{resource}"}})'
    return f"{used}\n  / on (node) {has}"


NODES: list[Alert] = [
    {
        "name": "NodeNotReady",
        "expr": f'max by (node) (kube_node_status_condition{{condition="Ready",status="true"}}) == 0\n{_OURS}',
        "for_": "5m",
        "severity": Severity.P2,
        "service": "{{ $labels.node }}",
        "summary": "The node {{ $labels.node }} is not ready, and pods of this environment are on it.",
        "description": "Its kubelet has not reported, or has reported a fault, for 5 minutes.",
        "dashboard": "nodes",
        "runbook": """\
## Meaning
The machine is down, cut off, or its kubelet or container runtime does not work.

## Impact
Its pods serve nobody; Kubernetes makes them anew elsewhere after 5 minutes. Pods of databases and of Redis wait for
their volumes, and those of a machine that is merely cut off are not made anew at all: WorkloadGone tells of what is
missing.

## First checks
1. `kubectl describe node <node>`: the conditions, and since when.
2. `kubectl get pods -o wide --field-selector spec.nodeName=<node>`: which of ours are on it?
3. The provider's console: does the machine run?

## Mitigation
1. It will not come back: delete the machine at its provider, then `kubectl delete node <node>`; only then are its pods
   with volumes made anew.
2. It comes and goes: `kubectl cordon <node>`, then `kubectl drain <node> --ignore-daemonsets --delete-emptydir-data`.
3. Pods elsewhere stay Pending: there is no room; add a node.
""",
    },
    {
        "name": "NodeUnderPressure",
        "expr": (
            "max by (node, condition) (\n"
            '  kube_node_status_condition{condition=~"(Memory|Disk|PID)Pressure",status="true"}\n'
            f") == 1\n{_OURS}"
        ),
        "for_": "2m",
        "severity": Severity.P1,
        "service": "{{ $labels.node }}",
        "summary": "The node {{ $labels.node }} reports {{ $labels.condition }} and evicts pods.",
        "description": "Its kubelet has reported it for 2 minutes.",
        "dashboard": "nodes",
        "runbook": """\
## Meaning
The node is short of memory, disk or process ids, and its kubelet ends pods until it no longer is.

## Impact
Pods that use more than they ask for are ended first. None is placed there meanwhile.

## First checks
1. `kubectl get events --field-selector reason=Evicted --sort-by=.lastTimestamp`: which of ours were ended?
2. `kubectl top pod --containers --sort-by=memory`: who uses far more than it asks for?
3. `kubectl describe node <node>`: the conditions, and how much of it is promised to pods.

## Mitigation
1. MemoryPressure: raise `resources.memory` of the pod that uses more than it asks for, so that it is placed where there
   is room.
2. DiskPressure: `kubectl drain <node> --ignore-daemonsets --delete-emptydir-data`, and replace the node; its disk holds
   images and logs that a new one does not have.
3. Several nodes at once: add nodes.
""",
    },
    {
        "name": "NodeCpuHigh",
        "expr": f"{_share('sum by (node) (rate(node_cpu_usage_seconds_total[5m]))', 'cpu')} > 0.8\n{_OURS}",
        "for_": "15m",
        "severity": Severity.P2,
        "service": "{{ $labels.node }}",
        "summary": "The node {{ $labels.node }} uses {{ $value | humanizePercentage }} of its CPU.",
        "description": "More than 80 %, for 15 minutes.",
        "dashboard": "nodes",
        "runbook": """\
## Meaning
All pods of the node together, of other environments too, leave little of its CPU.

## Impact
Each pod still gets what it asks for. What it used beyond that, it gets no more: requests take longer.

## First checks
1. `kubectl top pod --containers --sort-by=cpu`: one of ours far above what it asks for (PodCpuHigh)?
2. `kubectl top node`: this node alone, or all of them?

## Mitigation
1. One pod of ours: raise its `resources.cpu`, so that it is placed where there is room, or its `replicas`.
2. All nodes: add one. Not ours: tell whoever runs the cluster.
""",
    },
    {
        "name": "NodeMemoryHigh",
        "expr": f"{_share('max by (node) (node_memory_working_set_bytes)', 'memory')} > 0.9\n{_OURS}",
        "for_": "5m",
        "severity": Severity.P1,
        "service": "{{ $labels.node }}",
        "summary": "The node {{ $labels.node }} uses {{ $value | humanizePercentage }} of its memory.",
        "description": "More than 90 %, for 5 minutes; near 100 % pods are evicted, or killed by the kernel.",
        "dashboard": "nodes",
        "runbook": """\
## Meaning
Pods use more memory than they ask for: otherwise they would not all have been placed there.

## Impact
None yet. Next come NodeUnderPressure and evicted pods.

## First checks
1. `kubectl top pod --containers --sort-by=memory`: one of ours that grows (PodMemoryHigh)?
2. `kubectl describe node <node>`: the sum of the requests, and whose pods there are.

## Mitigation
1. One pod of ours that grows: `kubectl delete pod <pod>`, and roll back the release that brought it.
2. Several: raise `resources.memory` to what they use, so that they are placed where there is room.
3. All nodes: add one. Not ours: tell whoever runs the cluster.
""",
    },
    {
        "name": "NodeDiskHigh",
        "expr": (
            "max by (node, device) (\n"
            '  container_fs_usage_bytes{id="/",device=~"/dev/.+"}\n'
            '    / container_fs_limit_bytes{id="/",device=~"/dev/.+"}\n'
            f") > 0.85\n{_OURS}"
        ),
        "for_": "10m",
        "severity": Severity.P2,
        "service": "{{ $labels.node }}",
        "summary": "{{ $labels.device }} of the node {{ $labels.node }} is {{ $value | humanizePercentage }} full.",
        "description": "More than 85 % of this disk, for 10 minutes; at about 90 % the kubelet evicts pods.",
        "dashboard": "nodes",
        "runbook": """\
## Meaning
The node's own disk fills: images, logs of containers, and what pods write to `/tmp`.

## Impact
None yet. Next come NodeUnderPressure and evicted pods, and images that cannot be pulled.

## First checks
1. `kubectl get pods -o wide --field-selector spec.nodeName=<node>`: which of ours are on it?
2. `kubectl logs <pod> --since=1m | wc -c` of these: a loop that writes?
3. The device is that of a volume (`/dev/nvme1n1`, `/dev/sdb` …)? Then VolumeFilling names the claim: go on there.

## Mitigation
1. A loop: lower `LOG_LEVEL` of that service, or roll its last release back.
2. `kubectl drain <node> --ignore-daemonsets --delete-emptydir-data`, and replace the node by one with a larger disk.
""",
    },
]
