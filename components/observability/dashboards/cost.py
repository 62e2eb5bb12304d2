"""What is asked for and what is used of it: what could be given back, or is missing. In cores and bytes, not money."""

from components.observability.dashboards.model import Chart, Dashboard, Stat, Table

_SUFFIX = r"(.+?)((-[b-df-hj-np-tv-z2-9]{6,10})?-[b-df-hj-np-tv-z2-9]{5}|-[0-9]+)?"
"""A pod's name is its workload's, a hash of the template where that is a Deployment, and five signs or a number."""


def _by_workload(query: str) -> str:
    return f'sum by (workload) (label_replace({query}, "workload", "$1", "pod", "{_SUFFIX}"))'


def _asked(resource: str) -> str:
    # Pods that have ended still stand there with what they asked for.
    running = 'max by (namespace, pod) (kube_pod_status_phase{phase="Running"} == 1)'
    asked = f'sum by (namespace, pod) (kube_pod_container_resource_requests{{resource="{resource}"}})'
    return f"{asked} * on (namespace, pod) {running}"


_CPU_ASKED, _MEMORY_ASKED = _asked("cpu"), _asked("memory")
_CPU = 'sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{container!=""}[$__rate_interval]))'
_MEMORY = 'sum by (namespace, pod) (container_memory_working_set_bytes{container!=""})'
_ROOM, _FILLED = (
    f"max by (persistentvolumeclaim) (kubelet_volume_stats_{what}_bytes)" for what in ("capacity", "used")
)

COST = Dashboard(
    "cost",
    "Cost",
    [
        Stat("CPU asked for that is used", "percentunit", {"": f"sum({_CPU}) / sum({_CPU_ASKED})"}, width=8),
        Stat("Memory asked for that is used", "percentunit", {"": f"sum({_MEMORY}) / sum({_MEMORY_ASKED})"}, width=8),
        Stat("Storage that is used", "percentunit", {"": f"sum({_FILLED}) / sum({_ROOM})"}, width=8),
        Table(
            "Workloads",
            "workload",
            {
                "CPU asked for": _by_workload(_CPU_ASKED),
                "CPU used": _by_workload(_CPU),
                "Of it": f"{_by_workload(_CPU)} / {_by_workload(_CPU_ASKED)}",
                "Memory asked for": _by_workload(_MEMORY_ASKED),
                "Memory used": _by_workload(_MEMORY),
                "Of that": f"{_by_workload(_MEMORY)} / {_by_workload(_MEMORY_ASKED)}",
            },
            {
                "CPU asked for": "short",
                "CPU used": "short",
                "Of it": "percentunit",
                "Memory asked for": "bytes",
                "Memory used": "bytes",
                "Of that": "percentunit",
            },
            ("CPU asked for", True),
            {},
        ),
        Table(
            "Volumes",
            "persistentvolumeclaim",
            {"Size": _ROOM, "Used": _FILLED, "Of it": f"{_FILLED} / {_ROOM}"},
            {"Size": "bytes", "Used": "bytes", "Of it": "percentunit"},
            ("Size", True),
            {},
        ),
        Chart(
            "CPU asked for and not used",
            "short",
            {"{{workload}}": f"clamp_min({_by_workload(_CPU_ASKED)} - {_by_workload(_CPU)}, 0)"},
        ),
        Chart(
            "Memory asked for and not used",
            "bytes",
            {"{{workload}}": f"clamp_min({_by_workload(_MEMORY_ASKED)} - {_by_workload(_MEMORY)}, 0)"},
        ),
    ],
)
